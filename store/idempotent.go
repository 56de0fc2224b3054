package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point/internal/seal"
)

// idempotentLife is how long an answer is kept for repeats.
const idempotentLife = 24 * time.Hour

// SaveIdempotent keeps an answer for 24 h. Of two for the same key, route and user the first
// stays.
func (s *Store) SaveIdempotent(ctx context.Context, x Idempotent) error {
	sealed, err := s.ring.Seal(x.Body, idempotentPlace(x))
	if err != nil {
		return err
	}
	err = s.config.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE created_at <= $1`, s.now().Add(-idempotentLife))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO idempotency (key, route, user_id, fingerprint, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			x.Key, x.Route, x.UserID, x.Fingerprint[:], x.Status, sealed, s.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep an idempotent answer: %w", err)
	}
	return nil
}

// FindIdempotent finds a kept answer. The caller compares its Fingerprint.
func (s *Store) FindIdempotent(ctx context.Context, key, route, userID string) (*Idempotent, error) {
	x, err := one(ctx, s.config.write, s.scanIdempotent, `SELECT key, route, user_id, fingerprint, status, body, created_at FROM idempotency
		WHERE key = $1 AND route = $2 AND user_id = $3 AND created_at > $4`, key, route, userID, s.now().Add(-idempotentLife))
	if err != nil {
		return nil, fmt.Errorf("find an idempotent answer: %w", err)
	}
	return x, nil
}

func idempotentPlace(x Idempotent) seal.Place {
	return seal.Place{Table: "idempotency", Row: x.Key + "\x00" + x.Route + "\x00" + x.UserID, Column: "body"}
}

func (s *Store) scanIdempotent(r row) (x Idempotent, err error) {
	var sealed []byte
	if err := r.Scan(&x.Key, &x.Route, &x.UserID, hashTo{&x.Fingerprint}, &x.Status, &sealed, timeTo{&x.CreatedAt}); err != nil {
		return x, err
	}
	x.Body, err = s.ring.Open(sealed, idempotentPlace(x))
	return x, err
}
