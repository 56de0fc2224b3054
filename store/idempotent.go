package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point/internal/seal"
)

// idempotentLife is how long a reservation, and its answer, is kept for repeats.
const idempotentLife = 24 * time.Hour

const whichIdempotent = ` FROM idempotency WHERE key = $1 AND route = $2 AND user_id = $3`

// ReserveIdempotent takes x's Key, Route and UserID for 24 h, before the thing is made. Of
// several, in whichever process, one gets it: for that one the result is nil. The others get
// what is kept: the answer, or while there is none, a reservation with Status 0. The caller
// compares its Fingerprint.
func (s *Store) ReserveIdempotent(ctx context.Context, x Idempotent) (kept *Idempotent, err error) {
	err = s.config.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE created_at <= $1`, s.now().Add(-idempotentLife)); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO idempotency (key, route, user_id, fingerprint, status, body, created_at) VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT DO NOTHING`,
			x.Key, x.Route, x.UserID, x.Fingerprint[:], []byte{}, s.now())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		kept, err = one(ctx, tx, s.scanIdempotent, `SELECT key, route, user_id, fingerprint, status, header, body, created_at`+whichIdempotent, x.Key, x.Route, x.UserID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reserve an idempotency key: %w", err)
	}
	return kept, nil
}

// KeepIdempotent completes a reservation with the answer.
func (s *Store) KeepIdempotent(ctx context.Context, x Idempotent) error {
	return s.settleIdempotent(ctx, func(tx *sql.Tx) (sql.Result, error) {
		sealed, err := s.ring.Seal(ctx, tx, x.Body, idempotentPlace(x))
		if err != nil {
			return nil, err
		}
		return tx.ExecContext(ctx, `UPDATE idempotency SET status = $4, header = $5, body = $6 WHERE key = $1 AND route = $2 AND user_id = $3 AND status = 0`,
			x.Key, x.Route, x.UserID, x.Status, asJSON(x.Header), sealed)
	})
}

// ReleaseIdempotent gives a reservation back, since nothing was made.
func (s *Store) ReleaseIdempotent(ctx context.Context, x Idempotent) error {
	return s.settleIdempotent(ctx, func(tx *sql.Tx) (sql.Result, error) {
		return tx.ExecContext(ctx, `DELETE`+whichIdempotent+` AND status = 0`, x.Key, x.Route, x.UserID)
	})
}

func (s *Store) settleIdempotent(ctx context.Context, settle func(*sql.Tx) (sql.Result, error)) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		result, err := settle(tx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("settle an idempotency key: %w", err)
	}
	return nil
}

func idempotentPlace(x Idempotent) seal.Place {
	return seal.Place{Table: "idempotency", Row: x.Key + "\x00" + x.Route + "\x00" + x.UserID, Column: "body"}
}

func (s *Store) scanIdempotent(r row) (x Idempotent, err error) {
	var sealed []byte
	err = r.Scan(&x.Key, &x.Route, &x.UserID, hashTo{&x.Fingerprint}, &x.Status, jsonTo{&x.Header}, &sealed, timeTo{&x.CreatedAt})
	if err != nil || x.Status == 0 {
		return x, err
	}
	x.Body, err = s.ring.Open(sealed, idempotentPlace(x))
	return x, err
}
