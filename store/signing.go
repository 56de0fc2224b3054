package store

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"

	"point"
	"point/internal/seal"
)

const (
	// signingLife is how long a key signs.
	signingLife = 90 * 24 * time.Hour
	// verifyingLife is how long a retired key still verifies: until the last token that it
	// signed, perhaps in a process that learnt of it a little later, has expired.
	verifyingLife = point.AccessTokenLife + 5*time.Minute
)

// Verifies reports whether tokens that k signed are good at a time.
func (k *SigningKey) Verifies(at time.Time) bool {
	return k.RetiredAt == nil || at.Before(k.RetiredAt.Add(verifyingLife))
}

// SigningKeys lists the keys of access tokens, the newest first. Retired ones are among them
// for as long as they verify.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	list, err := rows(ctx, s.config.write, s.scanSigningKey, `SELECT id, public, private, created_at, retired_at FROM signing_keys
		WHERE retired_at IS NULL OR retired_at > $1 ORDER BY created_at DESC, id DESC`, s.now().Add(-verifyingLife))
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	return list, nil
}

// CreateSigningKey makes an Ed25519 key. Its private part is sealed at rest.
func (s *Store) CreateSigningKey(ctx context.Context) (SigningKey, error) {
	var k SigningKey
	err := s.config.transact(ctx, func(tx *sql.Tx) (err error) {
		k, err = s.insertSigningKey(ctx, tx)
		return err
	})
	if err != nil {
		return SigningKey{}, fmt.Errorf("store a signing key: %w", err)
	}
	return k, nil
}

// RotateSigningKey makes a new key and retires the others: they sign no more, and verify until
// the last token that they signed has expired. With atOnce they are gone: every access token
// ends, and is renewed by its session.
func (s *Store) RotateSigningKey(ctx context.Context, atOnce bool) (k SigningKey, err error) {
	err = s.change(ctx, func(tx *configTx) (err error) {
		if k, err = s.replaceSigningKeys(ctx, tx, s.now()); err != nil || !atOnce {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM signing_keys WHERE id <> $1`, idArg(k.ID))
		return err
	})
	if err != nil {
		return SigningKey{}, fmt.Errorf("rotate the signing key: %w", err)
	}
	return k, nil
}

// renewSigningKey replaces a key that has signed long enough, and deletes those that verify no
// more. Of several processes one does it.
func (s *Store) renewSigningKey(ctx context.Context) error {
	return s.change(ctx, func(tx *configTx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM signing_keys WHERE retired_at < $1`, s.now().Add(-verifyingLife)); err != nil {
			return err
		}
		var young, old int
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN created_at >= $1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN created_at < $1 THEN 1 ELSE 0 END), 0)
			FROM signing_keys WHERE retired_at IS NULL`, s.now().Add(-signingLife)).Scan(&young, &old)
		if err != nil || young > 0 || old == 0 {
			return err
		}
		_, err = s.replaceSigningKeys(ctx, tx, s.now())
		return err
	})
}

// replaceSigningKeys retires all keys and makes a new one.
func (s *Store) replaceSigningKeys(ctx context.Context, tx *configTx, now time.Time) (SigningKey, error) {
	if err := tx.changed(ctx, entitySigner, ""); err != nil {
		return SigningKey{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL`, now); err != nil {
		return SigningKey{}, err
	}
	tx.entries = append(tx.entries, point.AuditEntry{Event: point.AuditSigningKey, TargetKind: point.EntitySigner})
	return s.insertSigningKey(ctx, tx.Tx)
}

// insertSigningKey makes a key; its private part is stored sealed.
func (s *Store) insertSigningKey(ctx context.Context, tx *sql.Tx) (SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	k := SigningKey{ID: NewID(s.opts.Now()), Public: public, Private: point.NewSecret(string(private.Seed())), CreatedAt: s.now()}
	sealed, err := s.ring.Seal(ctx, tx, private.Seed(), signingPlace(k.ID))
	if err != nil {
		return SigningKey{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO signing_keys (id, public, private, created_at) VALUES ($1, $2, $3, $4)`, k.ID, []byte(k.Public), sealed, k.CreatedAt)
	return k, err
}

func signingPlace(id string) seal.Place {
	return seal.Place{Table: "signing_keys", Row: id, Column: "private"}
}

func (s *Store) scanSigningKey(r row) (k SigningKey, err error) {
	var sealed []byte
	if err := r.Scan(&k.ID, &k.Public, &sealed, timeTo{&k.CreatedAt}, timePtrTo{&k.RetiredAt}); err != nil {
		return k, err
	}
	private, err := s.ring.Open(sealed, signingPlace(k.ID))
	k.Private = point.NewSecret(string(private))
	return k, err
}
