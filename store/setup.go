package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// PutSetupToken stores the hash of a new one-time set-up token; older ones end.
func (s *Store) PutSetupToken(ctx context.Context, hash [32]byte, expires time.Time) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM setup_tokens`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO setup_tokens (hash, expires_at, created_at) VALUES ($1, $2, $3)`, hash[:], at(expires), s.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("store the set-up token: %w", err)
	}
	return nil
}

// TakeSetupToken uses a token up. A token that is unknown, used or too old is ErrNotFound;
// of two that use it at once, one gets it.
func (s *Store) TakeSetupToken(ctx context.Context, hash [32]byte) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM setup_tokens WHERE hash = $1 AND expires_at > $2`, hash[:], s.now())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("use the set-up token: %w", err)
	}
	return nil
}
