package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
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

// SetUp uses a token up and makes the first user of it, or does neither. A token that is
// unknown, used or too old is ErrNotFound; where users exist the error is CreateFirstUser's.
func (s *Store) SetUp(ctx context.Context, hash [32]byte, u *point.User) error {
	use := func(tx *configTx, _ *point.User) error {
		if err := noUsers(ctx, tx); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM setup_tokens WHERE hash = $1 AND expires_at > $2`, hash[:], s.now())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	}
	return s.createUser(ctx, u, use, nil)
}
