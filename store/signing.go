package store

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"

	"point"
	"point/internal/seal"
)

// SigningKeys lists the keys of access tokens, the newest first. Retired ones still verify.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	list, err := rows(ctx, s.config.write, s.scanSigningKey, `SELECT id, public, private, created_at, retired_at FROM signing_keys ORDER BY created_at DESC, id DESC`)
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	return list, nil
}

// CreateSigningKey makes an Ed25519 key. Its private part is sealed at rest.
func (s *Store) CreateSigningKey(ctx context.Context) (SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	k := SigningKey{ID: NewID(s.opts.Now()), Public: public, Private: point.NewSecret(string(private.Seed())), CreatedAt: s.now()}
	err = s.config.transact(ctx, func(tx *sql.Tx) error {
		sealed, err := s.ring.Seal(ctx, tx, private.Seed(), signingPlace(k.ID))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO signing_keys (id, public, private, created_at) VALUES ($1, $2, $3, $4)`, k.ID, []byte(k.Public), sealed, k.CreatedAt)
		return err
	})
	if err != nil {
		return SigningKey{}, fmt.Errorf("store a signing key: %w", err)
	}
	return k, nil
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
