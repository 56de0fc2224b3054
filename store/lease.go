package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lease takes or renews a piece of work that one process at a time does, for a while. It is
// false if another process has it.
func (s *Store) Lease(ctx context.Context, name, holder string, life time.Duration) (bool, error) {
	var got string
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		now := s.now()
		return tx.QueryRowContext(ctx, `INSERT INTO leases (name, holder, until_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at
			WHERE leases.holder = excluded.holder OR leases.until_at <= $4
			RETURNING holder`, name, holder, now.Add(life), now).Scan(&got)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take the lease %s: %w", name, err)
	}
	return true, nil
}

// Release gives a lease back, if holder still has it.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE name = $1 AND holder = $2`, name, holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lease %s back: %w", name, err)
	}
	return nil
}
