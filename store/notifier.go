package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"point"
	"point/internal/seal"
)

const (
	notifierColumns = `id, name, type, config, enabled, min_severity, kinds, version, created_at, updated_at`

	selectNotifiers = `SELECT ` + notifierColumns + ` FROM notifiers ORDER BY name`
	selectNotifier  = `SELECT ` + notifierColumns + ` FROM notifiers WHERE id = $1`
	existsNotifier  = `SELECT 1 FROM notifiers WHERE id = $1`
)

// CreateNotifier stores n, its secrets encrypted, and sets its ID (if empty), Version and
// times. Its name must not be another's: *Conflict.
func (s *Store) CreateNotifier(ctx context.Context, n *point.Notifier) error {
	stored := *n
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityNotifier, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO notifiers (`+notifierColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			stored.ID, stored.Name, stored.Type, asJSON(stored.Config), stored.Enabled, stored.MinSeverity, asJSON(stored.Kinds),
			stored.Version, stored.CreatedAt, stored.UpdatedAt)
		if err != nil {
			return err
		}
		return s.putNotifierSecrets(ctx, tx, &stored)
	})
	if err != nil {
		return fmt.Errorf("create notifier %s: %w", n.Name, err)
	}
	*n = stored
	return nil
}

// GetNotifier finds a notifier by id, with its secrets.
func (s *Store) GetNotifier(ctx context.Context, id string) (*point.Notifier, error) {
	var n *point.Notifier
	err := s.config.view(ctx, func(tx *sql.Tx) (err error) {
		if n, err = one(ctx, tx, scanNotifier, selectNotifier, idArg(id)); err != nil {
			return err
		}
		return s.readNotifierSecrets(ctx, tx, map[string]*point.Notifier{n.ID: n})
	})
	if err != nil {
		return nil, fmt.Errorf("notifier %s: %w", id, err)
	}
	return n, nil
}

// ListNotifiers lists all notifiers by name, with their secrets.
func (s *Store) ListNotifiers(ctx context.Context) (list []point.Notifier, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		if list, err = rows(ctx, tx, scanNotifier, selectNotifiers); err != nil {
			return err
		}
		all := map[string]*point.Notifier{}
		for i := range list {
			all[list[i].ID] = &list[i]
		}
		return s.readNotifierSecrets(ctx, tx, all)
	})
	if err != nil {
		return nil, fmt.Errorf("list notifiers: %w", err)
	}
	return list, nil
}

// UpdateNotifier replaces all of a notifier but its type and times, secrets included, if
// n.Version is still the stored one (else ErrStale), and raises n.Version.
func (s *Store) UpdateNotifier(ctx context.Context, n *point.Notifier) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityNotifier, n.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE notifiers SET name = $1, config = $2, enabled = $3, min_severity = $4, kinds = $5, version = version + 1, updated_at = $6
			WHERE id = $7 AND version = $8`, n.Name, asJSON(n.Config), n.Enabled, n.MinSeverity, asJSON(n.Kinds), updated, idArg(n.ID), n.Version)
		if err != nil {
			return err
		}
		if err := touched(ctx, tx, result, existsNotifier, idArg(n.ID)); err != nil {
			return err
		}
		return s.putNotifierSecrets(ctx, tx, n)
	})
	if err != nil {
		return fmt.Errorf("update notifier %s: %w", n.Name, err)
	}
	n.Version++
	n.UpdatedAt = updated
	return nil
}

// DeleteNotifier removes a notifier and its secrets, if version is still the stored one: else
// ErrStale. What waits to be sent to it is dropped when its turn comes.
func (s *Store) DeleteNotifier(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityNotifier, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM notifiers WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsNotifier, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete notifier %s: %w", id, err)
	}
	return nil
}

func scanNotifier(r row) (n point.Notifier, err error) {
	err = r.Scan(&n.ID, &n.Name, &n.Type, jsonTo{&n.Config}, &n.Enabled, &n.MinSeverity, jsonTo{&n.Kinds}, &n.Version, timeTo{&n.CreatedAt}, timeTo{&n.UpdatedAt})
	n.Config.Secrets = map[string]point.Secret{}
	return n, err
}

// readNotifiers reads all notifiers by id, with their secrets.
func (s *Store) readNotifiers(ctx context.Context, db querier) (map[string]*point.Notifier, error) {
	all, err := byID(ctx, db, scanNotifier, func(n *point.Notifier) string { return n.ID }, selectNotifiers)
	if err != nil {
		return nil, err
	}
	return all, s.readNotifierSecrets(ctx, db, all)
}

// readNotifierSecrets fills Config.Secrets of all. A secret that does not open is left out and
// logged: one damaged row must not stop all others.
func (s *Store) readNotifierSecrets(ctx context.Context, db querier, all map[string]*point.Notifier) error {
	sealed, err := rows(ctx, db, scanNotifierSecret, `SELECT notifier_id, name, sealed FROM notifier_secrets`)
	if err != nil {
		return err
	}
	for _, x := range sealed {
		n, ok := all[x.providerID]
		if !ok {
			continue
		}
		plain, err := s.ring.Open(x.sealed, notifierPlace(n.ID, x.name))
		if errors.Is(err, errOtherMaster) {
			continue // as with providers
		}
		if err != nil && !errors.Is(err, seal.ErrSealed) {
			return err
		}
		if err != nil {
			s.opts.Log.Error("a notifier's secret cannot be read: set it again", "notifier", n.Name, "secret", x.name, "error", err)
			continue
		}
		n.Config.Secrets[x.name] = point.NewSecret(string(plain))
	}
	return nil
}

func notifierPlace(id, name string) seal.Place {
	return seal.Place{Table: "notifier_secrets", Row: id, Column: name}
}

// putNotifierSecrets makes the stored secrets those of n.
func (s *Store) putNotifierSecrets(ctx context.Context, tx *configTx, n *point.Notifier) error {
	id := idText(n.ID)
	if c := s.ring.closed.Load(); c != nil {
		return c.err // what it cannot read would go
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM notifier_secrets WHERE notifier_id = $1`, id); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(n.Config.Secrets)) {
		sealed, err := s.ring.Seal(ctx, tx, []byte(n.Config.Secrets[name].Reveal()), notifierPlace(id, name))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO notifier_secrets (notifier_id, name, sealed) VALUES ($1, $2, $3)`, id, name, sealed); err != nil {
			return err
		}
	}
	return nil
}

func scanNotifierSecret(r row) (x sealedSecret, err error) {
	return x, r.Scan(&x.providerID, &x.name, &x.sealed)
}
