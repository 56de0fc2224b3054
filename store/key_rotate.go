package store

import (
	"context"
	"fmt"
	"time"

	"point"
)

// RotateKey gives k, a key of the scope, a new token, if k.Version is still the stored one
// (else ErrStale), and raises k.Version. The token it had works on for overlap; the one before
// that, if it still did, ends now.
func (s *Store) RotateKey(ctx context.Context, scope Scope, k *point.Key, token point.Secret, overlap time.Duration) error {
	rotated, now := *k, s.now()
	until := now.Add(overlap)
	rotated.Hash = point.HashToken(s.Snapshot().KeySecret, token.Reveal())
	rotated.Prefix = token.Reveal()[:prefixLength]
	rotated.RotatedAt, rotated.PreviousHash, rotated.PreviousExpiresAt = &now, k.Hash, &until
	if overlap <= 0 {
		rotated.PreviousHash, rotated.PreviousExpiresAt = [32]byte{}, nil
	}
	err := s.change(ctx, func(tx *configTx) error {
		if err := scope.reaches(ctx, tx, k.ID); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityKey, k.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE keys SET prefix = $1, previous_hash = $2, previous_expires_at = $3, hash = $4, rotated_at = $5,
			version = version + 1, updated_at = $5 WHERE id = $6 AND version = $7`,
			rotated.Prefix, hashOrNull(rotated.PreviousHash), atPtr(rotated.PreviousExpiresAt), rotated.Hash[:], now, idArg(k.ID), k.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsKey, idArg(k.ID))
	})
	if err != nil {
		return fmt.Errorf("rotate key %s: %w", k.Name, err)
	}
	rotated.Version++
	rotated.UpdatedAt = now
	*k = rotated
	return nil
}

// hashOrNull prepares a hash for a column in which absent is null.
func hashOrNull(hash [32]byte) any {
	if hash == ([32]byte{}) {
		return nil
	}
	return hash[:]
}
