package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
	"point/internal/seal"
)

const (
	sessionColumns = `id, user_id, current_hash, replaced, user_agent, address, created_at, last_used_at, expires_at, revoked_at`

	selectSession  = `SELECT ` + sessionColumns + ` FROM sessions WHERE id = $1`
	selectSessions = `SELECT ` + sessionColumns + ` FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY last_used_at DESC, id DESC`
	existsSession  = `SELECT 1 FROM sessions WHERE id = $1`
)

// CreateSession stores x and sets its ID (if empty) and, where zero, CreatedAt and
// LastUsedAt. Replaced is sealed at rest, by the store. If the user is disabled, gone or of
// another version than userVersion, the error is ErrStale: what was checked of them, such as
// the password, may be otherwise by now.
func (s *Store) CreateSession(ctx context.Context, x *point.Session, userVersion int64) error {
	stored := *x
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	for _, t := range []*time.Time{&stored.CreatedAt, &stored.LastUsedAt} {
		if t.IsZero() {
			*t = s.now()
		}
	}
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		if err := lockUser(ctx, tx, lockOpenUser, stored.UserID, userVersion); err != nil {
			return err
		}
		replaced, err := s.sealReplaced(ctx, tx, &stored)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)`,
			stored.ID, idArg(stored.UserID), stored.Current[:], replaced, stored.UserAgent, clip(stored.Address, 100),
			at(stored.CreatedAt), at(stored.LastUsedAt), at(stored.ExpiresAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	*x = stored
	return nil
}

// GetSession finds a session, ended ones included.
func (s *Store) GetSession(ctx context.Context, id string) (*point.Session, error) {
	// The writer is asked: a refresh token that was just rotated must not look current.
	x, err := one(ctx, s.config.write, s.scanSession, selectSession, idArg(id))
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", id, err)
	}
	return x, nil
}

// UpdateSession replaces x's current and replaced tokens, address, agent and times, if the
// stored Current is still current (compare and swap) and the session has not ended; else
// ErrStale.
func (s *Store) UpdateSession(ctx context.Context, x *point.Session, current [32]byte) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		replaced, err := s.sealReplaced(ctx, tx, x)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE sessions SET current_hash = $1, replaced = $2, user_agent = $3, address = $4,
			last_used_at = $5, expires_at = $6 WHERE id = $7 AND current_hash = $8 AND revoked_at IS NULL`,
			x.Current[:], replaced, x.UserAgent, clip(x.Address, 100), at(x.LastUsedAt), at(x.ExpiresAt), idArg(x.ID), current[:])
		if err != nil {
			return err
		}
		return touched(ctx, &configTx{Tx: tx}, result, existsSession, idArg(x.ID))
	})
	if err != nil {
		return fmt.Errorf("update session %s: %w", x.ID, err)
	}
	return nil
}

// RevokeSession ends a session, everywhere within 2 s. Ending it again changes nothing.
func (s *Store) RevokeSession(ctx context.Context, id string) error {
	err := s.change(ctx, func(tx *configTx) error {
		return endSessions(ctx, tx, id, `UPDATE sessions SET revoked_at = $1, replaced = NULL WHERE id = $2 AND revoked_at IS NULL`, s.now(), idArg(id))
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// RevokeSessions ends all sessions of a user, everywhere within 2 s, and no others.
func (s *Store) RevokeSessions(ctx context.Context, userID string) error {
	err := s.change(ctx, func(tx *configTx) error {
		return endSessions(ctx, tx, userID, `UPDATE sessions SET revoked_at = $1, replaced = NULL WHERE user_id = $2 AND revoked_at IS NULL`, s.now(), idArg(userID))
	})
	if err != nil {
		return fmt.Errorf("end a user's sessions: %w", err)
	}
	return nil
}

// endSessions runs a statement that ends sessions, and notes it if it ended one. id is theirs
// or their user's.
func endSessions(ctx context.Context, tx *configTx, id, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	return tx.changed(ctx, entitySession, id)
}

// ListSessions lists a user's sessions that have not ended, the last used first.
func (s *Store) ListSessions(ctx context.Context, userID string) ([]point.Session, error) {
	list, err := rows(ctx, s.config.read, s.scanSession, selectSessions, idArg(userID), s.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

func replacedPlace(id string) seal.Place {
	return seal.Place{Table: "sessions", Row: id, Column: "replaced"}
}

func (s *Store) sealReplaced(ctx context.Context, tx *sql.Tx, x *point.Session) ([]byte, error) {
	if len(x.Replaced) == 0 {
		return nil, nil
	}
	return s.ring.Seal(ctx, tx, x.Replaced, replacedPlace(x.ID))
}

func (s *Store) scanSession(r row) (x point.Session, err error) {
	var replaced []byte
	err = r.Scan(&x.ID, &x.UserID, hashTo{&x.Current}, &replaced, &x.UserAgent, &x.Address,
		timeTo{&x.CreatedAt}, timeTo{&x.LastUsedAt}, timeTo{&x.ExpiresAt}, timePtrTo{&x.RevokedAt})
	if err != nil || len(replaced) == 0 {
		return x, err
	}
	x.Replaced, err = s.ring.Open(bytes.Clone(replaced), replacedPlace(x.ID))
	return x, err
}

// readRevoked reads the sessions that ended less than an access token's life ago.
func (s *Store) readRevoked(ctx context.Context, db querier) (map[string]time.Time, error) {
	type ended struct {
		id string
		at time.Time
	}
	list, err := rows(ctx, db, func(r row) (x ended, err error) {
		return x, r.Scan(&x.id, timeTo{&x.at})
	}, `SELECT id, revoked_at FROM sessions WHERE revoked_at IS NOT NULL AND revoked_at > $1`, s.now().Add(-point.AccessTokenLife-time.Minute))
	if err != nil {
		return nil, err
	}
	revoked := make(map[string]time.Time, len(list))
	for _, x := range list {
		revoked[x.id] = x.at
	}
	return revoked, nil
}
