package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"point"
)

const (
	aliasColumns  = `name, target, managed_by, version, created_at, updated_at`
	selectAliases = `SELECT ` + aliasColumns + ` FROM aliases ORDER BY name`
	selectAlias   = `SELECT ` + aliasColumns + ` FROM aliases WHERE name = $1`
)

// ListAliases lists all aliases by name.
func (s *Store) ListAliases(ctx context.Context) ([]point.Alias, error) {
	list, err := rows(ctx, s.config.read, scanAlias, selectAliases)
	if err != nil {
		return nil, fmt.Errorf("list aliases: %w", err)
	}
	return list, nil
}

// AliasesAt lists all aliases by name, and tells the version of the configuration they are of.
func (s *Store) AliasesAt(ctx context.Context) (list []point.Alias, version int64, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		if version, err = readVersion(ctx, tx); err != nil {
			return err
		}
		list, err = rows(ctx, tx, scanAlias, selectAliases)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list aliases: %w", err)
	}
	return list, version, nil
}

// GetAlias finds an alias by name.
func (s *Store) GetAlias(ctx context.Context, name string) (*point.Alias, error) {
	a, err := one(ctx, s.config.read, scanAlias, selectAlias, name)
	if err != nil {
		return nil, fmt.Errorf("alias %s: %w", name, err)
	}
	return a, nil
}

// CreateAlias makes an alias of a name that is not taken: *Conflict. It sets a's Version and
// times.
func (s *Store) CreateAlias(ctx context.Context, a *point.Alias) error {
	stored := *a
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityAlias, a.Name); err != nil {
			return err
		}
		var taken int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM aliases WHERE name = $1`, a.Name).Scan(&taken)
		if err == nil {
			return &Conflict{Field: "name"}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO aliases (`+aliasColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
			stored.Name, stored.Target, stored.ManagedBy, stored.Version, stored.CreatedAt, stored.UpdatedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("create alias %s: %w", a.Name, err)
	}
	*a = stored
	return nil
}

// PutAlias makes an alias or replaces its target and managed_by. A Version other than 0 must
// be the stored one: ErrStale. It sets a's Version and times.
func (s *Store) PutAlias(ctx context.Context, a *point.Alias) error {
	stored := *a
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityAlias, a.Name); err != nil {
			return err
		}
		question := `INSERT INTO aliases (` + aliasColumns + `) VALUES ($1, $2, $3, 1, $4, $4)
			ON CONFLICT (name) DO UPDATE SET target = excluded.target, managed_by = excluded.managed_by, version = aliases.version + 1, updated_at = excluded.updated_at
			WHERE CAST($5 AS BIGINT) = 0 OR aliases.version = $5
			RETURNING ` + aliasColumns
		got, err := one(ctx, tx, scanAlias, question, a.Name, a.Target, a.ManagedBy, s.now(), a.Version)
		if err != nil {
			return stale(err)
		}
		stored = *got
		return nil
	})
	if err != nil {
		return fmt.Errorf("store alias %s: %w", a.Name, err)
	}
	*a = stored
	return nil
}

// DeleteAlias removes an alias, if version is still the stored one: else ErrStale.
func (s *Store) DeleteAlias(ctx context.Context, name string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityAlias, name); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM aliases WHERE name = $1 AND version = $2`, name, version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, `SELECT 1 FROM aliases WHERE name = $1`, name)
	})
	if err != nil {
		return fmt.Errorf("delete alias %s: %w", name, err)
	}
	return nil
}

func scanAlias(r row) (a point.Alias, err error) {
	err = r.Scan(&a.Name, &a.Target, &a.ManagedBy, &a.Version, timeTo{&a.CreatedAt}, timeTo{&a.UpdatedAt})
	return a, err
}

func readAliases(ctx context.Context, db querier) (map[string]string, error) {
	list, err := rows(ctx, db, scanAlias, selectAliases)
	if err != nil {
		return nil, err
	}
	targets := make(map[string]string, len(list))
	for _, a := range list {
		targets[a.Name] = a.Target
	}
	return targets, nil
}
