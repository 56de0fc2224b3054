package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"time"

	"point"
)

const (
	tokenColumns = `id, user_id, name, prefix, hash, scopes, expires_at, last_used_at, created_at`

	selectTokens = `SELECT ` + tokenColumns + ` FROM tokens`
	selectToken  = `SELECT ` + tokenColumns + ` FROM tokens WHERE id = $1`
)

// maxTokens is how many personal access tokens a user may have, expired ones included.
const maxTokens = 100

// useEvery is how often the last use of tokens is written down.
const useEvery = time.Minute

// CreateToken stores t with the hash of token, and sets its ID (if empty), Hash, Prefix and
// CreatedAt. A user who has 100 gets no more: *Full.
func (s *Store) CreateToken(ctx context.Context, t *point.Token, token point.Secret) error {
	stored := *t
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	text := token.Reveal()
	stored.Prefix = text[:min(prefixLength, len(text)/3)]
	stored.Hash = point.HashToken(s.Snapshot().KeySecret, text)
	stored.CreatedAt = s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := room(ctx, tx, maxTokens, `SELECT COUNT(*) FROM tokens WHERE user_id = $1`, stored.UserID); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityToken, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8)`,
			stored.ID, idArg(stored.UserID), stored.Name, stored.Prefix, stored.Hash[:], asJSON(stored.Scopes), at(stored.ExpiresAt), stored.CreatedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("create token %s: %w", t.Name, err)
	}
	*t = stored
	return nil
}

// room is *Full if a user has limit things already, by the statement that counts them. What it
// finds holds until the commit.
func room(ctx context.Context, tx *configTx, limit int64, count, userID string) error {
	var n int64
	err := tx.QueryRowContext(ctx, count, idArg(userID)).Scan(&n)
	if err == nil && n >= limit {
		err = &Full{Limit: limit}
	}
	return err
}

// GetToken finds a token of the scope by id.
func (s *Store) GetToken(ctx context.Context, scope Scope, id string) (*point.Token, error) {
	t, err := one(ctx, s.config.read, scanToken, selectToken, idArg(id))
	if err == nil && !scope.all && (scope.owner == "" || t.UserID != scope.owner) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("token %s: %w", id, err)
	}
	return t, nil
}

// ListTokens lists tokens of the scope, expired ones too, the newest first.
func (s *Store) ListTokens(ctx context.Context, scope Scope, f TokenFilter) (List[point.Token], error) {
	l := listing[point.Token]{columns: tokenColumns, order: "created_at DESC, id DESC", page: f.Page, scan: scanToken}
	l.from.add(" FROM tokens")
	if !scope.all {
		l.from.where("user_id = ?", idArg(scope.owner))
	}
	if f.UserID != "" {
		l.from.where("user_id = ?", idArg(f.UserID))
	}
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// DeleteToken revokes a token, everywhere within 2 s.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityToken, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE id = $1`, idArg(id))
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
		return fmt.Errorf("delete token %s: %w", id, err)
	}
	return nil
}

// TokenUsed notes a use of a token. It asks no database: Run writes it down within a minute.
func (s *Store) TokenUsed(id string, at time.Time) {
	s.using.Lock()
	defer s.using.Unlock()
	if s.uses == nil {
		s.uses = map[string]time.Time{}
	}
	s.uses[id] = at
}

// noteUses writes down what TokenUsed noted, once a minute and at the end.
func (s *Store) noteUses(ctx context.Context) error {
	ticker := time.NewTicker(useEvery)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshLimit)
			defer cancel()
			err = s.writeUses(last)
		case <-ticker.C:
			err = s.writeUses(ctx)
		}
		if err != nil {
			s.opts.Log.Warn("the last use of tokens could not be written down", "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// writeUses writes down the uses since it was last called. What fails is kept for the next time.
func (s *Store) writeUses(ctx context.Context) error {
	s.using.Lock()
	uses := s.uses
	s.uses = nil
	s.using.Unlock()
	if len(uses) == 0 {
		return nil
	}
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		for id, used := range uses {
			if _, err := tx.ExecContext(ctx, `UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`, at(used), idArg(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	s.using.Lock()
	defer s.using.Unlock()
	maps.Copy(uses, s.uses)
	s.uses = uses
	return err
}

// sweepTokens deletes tokens that expired long ago.
func sweepTokens(ctx context.Context, tx *configTx, before time.Time) error {
	return dropTokens(ctx, tx, `SELECT id FROM tokens WHERE expires_at < $1`, `DELETE FROM tokens WHERE expires_at < $1`, at(before))
}

// dropTokensOf deletes the tokens of a user.
func dropTokensOf(ctx context.Context, tx *configTx, userID string) error {
	return dropTokens(ctx, tx, `SELECT id FROM tokens WHERE user_id = $1`, `DELETE FROM tokens WHERE user_id = $1`, idArg(userID))
}

// dropTokens notes the tokens that one statement finds, and deletes them with the other.
func dropTokens(ctx context.Context, tx *configTx, find, drop string, args ...any) error {
	ids, err := rows(ctx, tx, func(r row) (id string, err error) { return id, r.Scan(&id) }, find, args...)
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := tx.changed(ctx, entityToken, ids...); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, drop, args...)
	return err
}

func scanToken(r row) (t point.Token, err error) {
	err = r.Scan(&t.ID, &t.UserID, &t.Name, &t.Prefix, hashTo{&t.Hash}, jsonTo{&t.Scopes}, timeTo{&t.ExpiresAt}, timePtrTo{&t.LastUsedAt}, timeTo{&t.CreatedAt})
	return t, err
}
