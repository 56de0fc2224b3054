package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"point"
	"point/internal/seal"
)

// Purposes of data keys.
const (
	ringPurpose      = "ring"        // the keys that seal, wrapped by the master key
	clientKeyPurpose = "client_keys" // the secret of client keys' hashes, sealed by the ring
)

// openKeys opens the ring and proves that the master key is the right one. On an empty
// database it makes the keys first; of two processes that do so at once, one wins.
func (s *Store) openKeys(ctx context.Context) error {
	wrapped, err := s.dataKey(ctx, ringPurpose)
	made := errors.Is(err, ErrNotFound)
	if err != nil && !made {
		return fmt.Errorf("read the encryption keys: %w", err)
	}
	master, err := s.masterKey(made)
	if err != nil {
		return err
	}
	if made {
		if wrapped, err = s.makeRing(ctx, func(r *seal.Ring) ([]byte, error) { return r.Wrap(master) }); err != nil {
			return err
		}
	}
	ring, err := s.unwrap(wrapped, master)
	if err != nil {
		return s.masterFailure(err)
	}
	s.ring.take(ring, wrapped)
	return s.registerKey(ctx, wrapped)
}

// unwrap opens the ring, if need be with the master key that a rotation had written down
// beside the old one when it was cut off.
func (s *Store) unwrap(wrapped []byte, master point.Secret) (*seal.Ring, error) {
	ring, err := seal.Unwrap(wrapped, master)
	if !errors.Is(err, seal.ErrWrongKey) || !s.opts.MasterKey.IsZero() {
		return ring, err
	}
	next, missing := readMasterKey(s.nextMasterFile())
	if missing != nil {
		return nil, err
	}
	if ring, err = seal.Unwrap(wrapped, next); err != nil {
		return nil, err
	}
	return ring, s.moveMasterKey()
}

// registerKey writes down the first key of a ring, which may seal from now on.
func (s *Store) registerKey(ctx context.Context, wrapped []byte) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ring_keys (id, added_at) SELECT CAST($1 AS BIGINT), created_at FROM data_keys
			WHERE purpose = 'ring' AND sealed = $2 AND NOT EXISTS (SELECT 1 FROM ring_keys)`, int64(s.ring.KeyID()), wrapped)
		return err
	})
	if err != nil {
		return fmt.Errorf("register the encryption key: %w", err)
	}
	return nil
}

// makeRing stores a new ring, and returns the stored one, which may be another process's.
func (s *Store) makeRing(ctx context.Context, wrap func(*seal.Ring) ([]byte, error)) ([]byte, error) {
	ring, err := seal.New()
	if err != nil {
		return nil, err
	}
	wrapped, err := wrap(ring)
	if err != nil {
		return nil, s.masterFailure(err)
	}
	err = s.putDataKey(ctx, ringPurpose, func(*sql.Tx) ([]byte, error) { return wrapped, nil })
	if err != nil {
		return nil, fmt.Errorf("store the encryption keys: %w", err)
	}
	return s.dataKey(ctx, ringPurpose)
}

// masterFailure says where the wrong master key came from.
func (s *Store) masterFailure(err error) error {
	source := "POINT_MASTER_KEY"
	if s.opts.MasterKey.IsZero() {
		source = s.opts.DataDir + "/master.key"
	}
	if errors.Is(err, seal.ErrWrongKey) {
		return fmt.Errorf("Point does not start: %s is not the key that this database was encrypted with; give the right one (nothing can be read without it), or start with an empty database: %w", source, err)
	}
	return fmt.Errorf("Point does not start: %s: %w", source, err)
}

// clientKeySecret is the secret under which client keys are hashed; the first call makes it.
func (s *Store) clientKeySecret(ctx context.Context) ([]byte, error) {
	secret, err := s.sealedDataKey(ctx, clientKeyPurpose, 32)
	if err != nil {
		return nil, fmt.Errorf("the key of client keys: %w", err)
	}
	return secret, nil
}

// sealedDataKey reads a random secret of the installation; the first call makes it.
func (s *Store) sealedDataKey(ctx context.Context, purpose string, size int) ([]byte, error) {
	sealed, err := s.dataKey(ctx, purpose)
	if errors.Is(err, ErrNotFound) {
		secret := make([]byte, size)
		_, _ = rand.Read(secret) // never fails
		err = s.putDataKey(ctx, purpose, func(tx *sql.Tx) ([]byte, error) { return s.ring.Seal(ctx, tx, secret, dataKeyPlace(purpose)) })
		if err != nil {
			return nil, err
		}
		sealed, err = s.dataKey(ctx, purpose)
	}
	if err != nil {
		return nil, err
	}
	secret, err := s.ring.Open(sealed, dataKeyPlace(purpose))
	if err == nil && len(secret) != size {
		err = errors.New("it is damaged: restore the database from a backup")
	}
	return secret, err
}

func (s *Store) dataKey(ctx context.Context, purpose string) (sealed []byte, err error) {
	// The writer is asked, which sees what was just written.
	err = s.config.write.QueryRowContext(ctx, `SELECT sealed FROM data_keys WHERE purpose = $1`, purpose).Scan(&sealed)
	return sealed, failure(err)
}

// putDataKey stores what make gives, unless there is one.
func (s *Store) putDataKey(ctx context.Context, purpose string, make func(*sql.Tx) ([]byte, error)) error {
	return s.config.transact(ctx, func(tx *sql.Tx) error {
		sealed, err := make(tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO data_keys (purpose, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			purpose, sealed, s.now())
		return err
	})
}

func dataKeyPlace(purpose string) seal.Place {
	return seal.Place{Table: "data_keys", Row: purpose, Column: "sealed"}
}
