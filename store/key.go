package store

import (
	"cmp"
	"context"
	"fmt"

	"point"
)

const (
	newKeyColumns = `id, name, prefix, hash, owner_id, status, tags, models, endpoints, limits, expires_at, managed_by, version, created_at, updated_at`
	keyColumns    = newKeyColumns + `, rotated_at, previous_hash, previous_expires_at`

	insertKey = `INSERT INTO keys (` + newKeyColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
	selectKeys = `SELECT ` + keyColumns + ` FROM keys`
	selectKey  = `SELECT ` + keyColumns + ` FROM keys WHERE id = $1`
	existsKey  = `SELECT 1 FROM keys WHERE id = $1`
)

// prefixLength is how much of a token is kept for people; random tokens have far more.
const prefixLength = 8

// CreateKey stores k with the hash of token, and sets k's ID (if empty), Hash, Prefix (if
// empty), Version and times. Without a token the Hash that k has is stored. The same token
// twice is a *Conflict on hash.
func (s *Store) CreateKey(ctx context.Context, k *point.Key, token point.Secret) error {
	return s.createKey(ctx, k, token, func(*configTx) error { return nil })
}

// CreateOwnKey is CreateKey for an owner who makes keys without leave: who has 1,000 gets no
// more: *Full.
func (s *Store) CreateOwnKey(ctx context.Context, k *point.Key, token point.Secret) error {
	return s.createKey(ctx, k, token, func(tx *configTx) error {
		return room(ctx, tx, maxOwnKeys, `SELECT COUNT(*) FROM keys WHERE owner_id = $1`, k.OwnerID)
	})
}

func (s *Store) createKey(ctx context.Context, k *point.Key, token point.Secret, allowed func(*configTx) error) error {
	stored := *k
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	stored.Prefix = cmp.Or(stored.Prefix, KeyPrefix(token))
	if !token.IsZero() {
		stored.Hash = point.HashToken(s.Snapshot().KeySecret, token.Reveal())
	}
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := allowed(tx); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityKey, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, insertKey,
			stored.ID, stored.Name, stored.Prefix, stored.Hash[:], orNull(stored.OwnerID), stored.Status, asJSON(stored.Tags), asJSON(stored.Models),
			asJSON(stored.Endpoints), asJSON(stored.Limits), atPtr(stored.ExpiresAt), stored.ManagedBy, stored.Version, stored.CreatedAt, stored.UpdatedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("create key %s: %w", k.Name, err)
	}
	*k = stored
	return nil
}

// KeyPrefix is what is kept of a token for people; empty if it is too short for that.
func KeyPrefix(token point.Secret) string {
	text := token.Reveal()
	if len(text) < 3*prefixLength {
		return ""
	}
	return text[:prefixLength]
}

// GetKey finds a key of the scope by id.
func (s *Store) GetKey(ctx context.Context, scope Scope, id string) (*point.Key, error) {
	k, err := one(ctx, s.config.read, scanKey, selectKey, idArg(id))
	if err == nil && !scope.all && (scope.owner == "" || k.OwnerID != scope.owner) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", id, err)
	}
	return k, nil
}

// ListKeys lists keys of the scope, the newest first.
func (s *Store) ListKeys(ctx context.Context, scope Scope, f KeyFilter) (List[point.Key], error) {
	l := listing[point.Key]{columns: keyColumns, order: "created_at DESC, id DESC", page: f.Page, scan: scanKey}
	l.from.add(" FROM keys")
	if !scope.all {
		l.from.where("owner_id = ?", idArg(scope.owner))
	}
	if f.OwnerID != "" {
		l.from.where("owner_id = ?", idArg(f.OwnerID))
	}
	if f.Status != "" {
		l.from.where("status = ?", f.Status)
	}
	if f.Tag != "" {
		s.whereTag(&l.from, f.Tag)
	}
	if f.Search != "" {
		if len(f.Search) < searchMin {
			return List[point.Key]{}, errShortSearch
		}
		l.from.where(`(lower(name) LIKE lower(?) ESCAPE '\' OR prefix = ?)`, containing(f.Search), f.Search)
	}
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list keys: %w", err)
	}
	return out, nil
}

// whereTag adds the condition that a key has a tag.
func (s *Store) whereTag(q *query, tag string) {
	if s.postgres != nil {
		q.where("tags @> jsonb_build_array(CAST(? AS text))", tag)
		return
	}
	q.where("tags <> '[]' AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", tag)
}

// UpdateKey replaces all of k, a key of the scope, but its token, prefix and creation, if
// k.Version is still the stored one (else ErrStale), and raises k.Version.
func (s *Store) UpdateKey(ctx context.Context, scope Scope, k *point.Key) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := scope.reaches(ctx, tx, k.ID); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityKey, k.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE keys SET name = $1, owner_id = $2, status = $3, tags = $4, models = $5, endpoints = $6, limits = $7,
			expires_at = $8, managed_by = $9, version = version + 1, updated_at = $10 WHERE id = $11 AND version = $12`,
			k.Name, orNull(k.OwnerID), k.Status, asJSON(k.Tags), asJSON(k.Models), asJSON(k.Endpoints), asJSON(k.Limits),
			atPtr(k.ExpiresAt), k.ManagedBy, updated, idArg(k.ID), k.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsKey, idArg(k.ID))
	})
	if err != nil {
		return fmt.Errorf("update key %s: %w", k.Name, err)
	}
	k.Version++
	k.UpdatedAt = updated
	return nil
}

// DeleteKey removes a key of the scope for good. History keeps its id.
func (s *Store) DeleteKey(ctx context.Context, scope Scope, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := scope.reaches(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityKey, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM keys WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsKey, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete key %s: %w", id, err)
	}
	return nil
}

func scanKey(r row) (k point.Key, err error) {
	err = r.Scan(&k.ID, &k.Name, &k.Prefix, hashTo{&k.Hash}, textTo{&k.OwnerID}, &k.Status, jsonTo{&k.Tags}, jsonTo{&k.Models},
		jsonTo{&k.Endpoints}, jsonTo{&k.Limits}, timePtrTo{&k.ExpiresAt}, &k.ManagedBy, &k.Version, timeTo{&k.CreatedAt}, timeTo{&k.UpdatedAt},
		timePtrTo{&k.RotatedAt}, hashTo{&k.PreviousHash}, timePtrTo{&k.PreviousExpiresAt})
	return k, err
}
