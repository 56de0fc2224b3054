package store

import (
	"cmp"
	"context"
	"fmt"

	"point"
)

const (
	configurationHead    = `id, name, description, is_default, created_by, version, created_at, updated_at`
	configurationColumns = configurationHead + `, config`

	selectConfiguration        = `SELECT ` + configurationColumns + ` FROM configurations WHERE id = $1`
	selectConfigurationByName  = `SELECT ` + configurationColumns + ` FROM configurations WHERE name = $1`
	selectDefaultConfiguration = `SELECT ` + configurationColumns + ` FROM configurations WHERE is_default`
	selectConfigurations       = `SELECT ` + configurationHead + ` FROM configurations`
	existsConfiguration        = `SELECT 1 FROM configurations WHERE id = $1`
)

// CreateConfiguration stores c and sets its ID (if empty), CreatedBy, Version and times. A name
// that is taken is a *Conflict. One that is the default takes over from the one that was.
func (s *Store) CreateConfiguration(ctx context.Context, c *point.Configuration) error {
	return s.Apply(ctx, &Batch{SaveConfiguration: c})
}

func (s *Store) insertConfiguration(ctx context.Context, tx *configTx, c *point.Configuration) error {
	c.ID = cmp.Or(c.ID, NewID(s.opts.Now()))
	c.CreatedBy = clip(cmp.Or(c.CreatedBy, point.ActorOf(ctx).Name), actorLength)
	c.Version, c.CreatedAt = 1, s.now()
	c.UpdatedAt = c.CreatedAt
	if err := tx.changed(ctx, entityConfiguration, c.ID); err != nil {
		return err
	}
	if err := noOtherDefault(ctx, tx, c); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO configurations (`+configurationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		idArg(c.ID), c.Name, c.Description, c.IsDefault, c.CreatedBy, c.Version, c.CreatedAt, c.UpdatedAt, column(c.Document))
	return err
}

// noOtherDefault takes is_default from the other configurations if c has it.
func noOtherDefault(ctx context.Context, tx *configTx, c *point.Configuration) error {
	if !c.IsDefault {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE configurations SET is_default = $1, version = version + 1 WHERE is_default AND id <> $2`, false, idArg(c.ID))
	return err
}

// GetConfiguration finds a saved configuration with its document.
func (s *Store) GetConfiguration(ctx context.Context, id string) (*point.Configuration, error) {
	c, err := one(ctx, s.config.read, scanConfiguration, selectConfiguration, idArg(id))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", id, err)
	}
	return c, nil
}

// ConfigurationByName finds a saved configuration with its document.
func (s *Store) ConfigurationByName(ctx context.Context, name string) (*point.Configuration, error) {
	c, err := one(ctx, s.config.read, scanConfiguration, selectConfigurationByName, clip(name, nameLength))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, err)
	}
	return c, nil
}

// DefaultConfiguration is the one that an empty installation activates; ErrNotFound if none is.
func (s *Store) DefaultConfiguration(ctx context.Context) (*point.Configuration, error) {
	c, err := one(ctx, s.config.read, scanConfiguration, selectDefaultConfiguration)
	if err != nil {
		return nil, fmt.Errorf("the default configuration: %w", err)
	}
	return c, nil
}

// ListConfigurations lists saved configurations by name, without their documents.
func (s *Store) ListConfigurations(ctx context.Context, p Page) (List[point.Configuration], error) {
	l := listing[point.Configuration]{columns: configurationHead, order: "name", page: p, scan: scanConfigurationHead}
	l.from.add(" FROM configurations")
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list configurations: %w", err)
	}
	return out, nil
}

// UpdateConfiguration replaces c's name, description, document and is_default, if c.Version is
// still the stored one (else ErrStale), and raises c.Version.
func (s *Store) UpdateConfiguration(ctx context.Context, c *point.Configuration) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityConfiguration, c.ID); err != nil {
			return err
		}
		if err := noOtherDefault(ctx, tx, c); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE configurations SET name = $1, description = $2, is_default = $3, config = $4, version = version + 1, updated_at = $5
			WHERE id = $6 AND version = $7`, c.Name, c.Description, c.IsDefault, column(c.Document), updated, idArg(c.ID), c.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsConfiguration, idArg(c.ID))
	})
	if err != nil {
		return fmt.Errorf("update configuration %s: %w", c.Name, err)
	}
	c.Version++
	c.UpdatedAt = updated
	return nil
}

// DeleteConfiguration removes a saved configuration, if version is still the stored one: else
// ErrStale. What is live does not change.
func (s *Store) DeleteConfiguration(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityConfiguration, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM configurations WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsConfiguration, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete configuration %s: %w", id, err)
	}
	return nil
}

func configurationFields(c *point.Configuration) []any {
	return []any{&c.ID, &c.Name, textTo{&c.Description}, &c.IsDefault, &c.CreatedBy, &c.Version, timeTo{&c.CreatedAt}, timeTo{&c.UpdatedAt}}
}

func scanConfigurationHead(r row) (c point.Configuration, err error) {
	return c, r.Scan(configurationFields(&c)...)
}

func scanConfiguration(r row) (c point.Configuration, err error) {
	return c, r.Scan(append(configurationFields(&c), rawTo{&c.Document})...)
}
