package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"point"
)

const (
	userColumns = `id, email, password_hash, role, disabled, version, created_at, updated_at`

	selectUsers       = `SELECT ` + userColumns + ` FROM users`
	selectUser        = `SELECT ` + userColumns + ` FROM users WHERE id = $1`
	selectUserByEmail = `SELECT ` + userColumns + ` FROM users WHERE email = $1`
	insertUser        = `INSERT INTO users (` + userColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	existsUser        = `SELECT 1 FROM users WHERE id = $1`
)

// CreateUser stores u and sets its ID (if empty), Email (lower case), Version and times. An
// address that is taken is a *Conflict on email, a role that does not exist *Invalid.
func (s *Store) CreateUser(ctx context.Context, u *point.User) error {
	return s.createUser(ctx, u, nil, nil)
}

// CreateInvited is CreateUser with an invitation, as PutInvitation makes it, or neither.
func (s *Store) CreateInvited(ctx context.Context, u *point.User, hash [32]byte, expires time.Time) error {
	return s.createUser(ctx, u, nil, func(tx *configTx, u *point.User) error {
		return s.putInvitation(ctx, tx, u, hash, expires)
	})
}

// CreateFirstUser is CreateUser on an installation without users; with users it fails with a
// *Conflict on users. Of two at once, one wins.
func (s *Store) CreateFirstUser(ctx context.Context, u *point.User) error {
	return s.createUser(ctx, u, func(tx *configTx, _ *point.User) error { return noUsers(ctx, tx) }, nil)
}

// noUsers is a *Conflict if there are users. What it finds holds until the commit, as in every
// change.
func noUsers(ctx context.Context, tx *configTx) error {
	var n int64
	if err := tx.QueryRowContext(ctx, countUsers).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return &Conflict{Field: "users"}
	}
	return nil
}

// userStep is what else is done in the transaction that makes a user.
type userStep func(*configTx, *point.User) error

// createUser makes u, between two steps that may be nil.
func (s *Store) createUser(ctx context.Context, u *point.User, before, after userStep) error {
	stored := *u
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	stored.Email = strings.ToLower(stored.Email)
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := before.take(tx, &stored); err != nil {
			return err
		}
		if err := roleExists(ctx, tx, stored.Role); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityUser, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, insertUser, stored.ID, stored.Email, stored.PasswordHash, stored.Role, stored.Disabled, stored.Version, stored.CreatedAt, stored.UpdatedAt)
		if err != nil {
			return err
		}
		return after.take(tx, &stored)
	})
	if err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	*u = stored
	return nil
}

func (step userStep) take(tx *configTx, u *point.User) error {
	if step == nil {
		return nil
	}
	return step(tx, u)
}

// ListUsers lists users, the newest first.
func (s *Store) ListUsers(ctx context.Context, f UserFilter) (List[point.User], error) {
	l := listing[point.User]{columns: userColumns, order: "created_at DESC, id DESC", page: f.Page, scan: scanUser}
	l.from.add(" FROM users")
	if f.Role != "" {
		l.from.where("role = ?", f.Role)
	}
	if f.Disabled != nil {
		l.from.where("disabled = ?", *f.Disabled)
	}
	if f.Search != "" {
		if len(f.Search) < searchMin {
			return List[point.User]{}, errShortSearch
		}
		l.from.where(`email LIKE ? ESCAPE '\'`, containing(strings.ToLower(f.Search)))
	}
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list users: %w", err)
	}
	return out, nil
}

// GetUser finds a user by id.
func (s *Store) GetUser(ctx context.Context, id string) (*point.User, error) {
	u, err := one(ctx, s.config.read, scanUser, selectUser, idArg(id))
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", id, err)
	}
	return u, nil
}

// UserByEmail finds a user by address, in any case.
func (s *Store) UserByEmail(ctx context.Context, email string) (*point.User, error) {
	u, err := one(ctx, s.config.read, scanUser, selectUserByEmail, strings.ToLower(email))
	if err != nil {
		return nil, fmt.Errorf("user by email: %w", err)
	}
	return u, nil
}

// lockUser holds a row that must be as the caller saw it until the transaction ends: else
// ErrStale. So a session that is being made and a change that ends all sessions wait for each
// other.
func lockUser(ctx context.Context, tx *sql.Tx, statement, id string, version int64) error {
	result, err := tx.ExecContext(ctx, statement, idArg(id), version)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = ErrStale
	}
	return err
}

const (
	lockAnyUser  = `UPDATE users SET version = version WHERE id = $1 AND version = $2`
	lockOpenUser = `UPDATE users SET version = version WHERE id = $1 AND version = $2 AND disabled = false`
)

// endUserSessions ends the sessions of a user whose password, role or disabled is about to
// change.
const endUserSessions = `UPDATE sessions SET revoked_at = $1, replaced = NULL WHERE user_id = $2 AND revoked_at IS NULL
	AND EXISTS (SELECT 1 FROM users WHERE id = $2 AND version = $3 AND (password_hash <> $4 OR role <> $5 OR disabled <> $6))`

// endInvitation ends an invitation that is not needed any more.
const endInvitation = `DELETE FROM invitations WHERE user_id = $1
	AND EXISTS (SELECT 1 FROM users WHERE id = $1 AND (password_hash <> $2 OR disabled <> $3))`

// keepOwner is ErrLastOwner if a user is the last owner who may sign in, and is not to be one
// any more. What it finds holds until the commit.
func keepOwner(ctx context.Context, tx *configTx, id string, remains bool) error {
	if remains {
		return nil
	}
	var own, others int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN id = $1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN id <> $1 THEN 1 ELSE 0 END), 0)
		FROM users WHERE role = 'owner' AND disabled = false AND (password_hash <> '' OR id IN (SELECT user_id FROM identities))`, idArg(id)).Scan(&own, &others)
	if err == nil && own > 0 && others == 0 {
		err = ErrLastOwner
	}
	return err
}

// UpdateUser replaces u's email, password hash, role and disabled, if u.Version is still the
// stored one (else ErrStale), and raises u.Version, which ends the user's access tokens. All
// but a new email ends the user's sessions too, everywhere within 2 s; disabled ends the personal
// access tokens. The last owner remains one: else ErrLastOwner. A new role that does not exist is
// *Invalid.
func (s *Store) UpdateUser(ctx context.Context, u *point.User) error {
	updated := s.now()
	email := strings.ToLower(u.Email)
	err := s.change(ctx, func(tx *configTx) error {
		if err := keepOwner(ctx, tx, u.ID, u.Role == point.RoleOwner && !u.Disabled); err != nil {
			return err
		}
		if err := lockUser(ctx, tx.Tx, lockAnyUser, u.ID, u.Version); err != nil {
			return existing(ctx, tx, err, existsUser, idArg(u.ID))
		}
		if err := newRoleExists(ctx, tx, u); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityUser, u.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, endInvitation, idArg(u.ID), u.PasswordHash, u.Disabled); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, u.ID, endUserSessions, updated, idArg(u.ID), u.Version, u.PasswordHash, u.Role, u.Disabled); err != nil {
			return err
		}
		if err := auditPassword(ctx, tx, u); err != nil {
			return err
		}
		if err := endTokens(ctx, tx, u); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE users SET email = $1, password_hash = $2, role = $3, disabled = $4, version = version + 1, updated_at = $5
			WHERE id = $6 AND version = $7`, email, u.PasswordHash, u.Role, u.Disabled, updated, idArg(u.ID), u.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsUser, idArg(u.ID))
	})
	if err != nil {
		return fmt.Errorf("update user %s: %w", u.ID, err)
	}
	u.Version++
	u.Email, u.UpdatedAt = email, updated
	return nil
}

// newRoleExists is roleExists, but for a user who keeps the role.
func newRoleExists(ctx context.Context, tx *configTx, u *point.User) error {
	var kept int64
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE id = $1 AND role = $2`, idArg(u.ID), u.Role).Scan(&kept)
	if err != nil || kept > 0 {
		return err
	}
	return roleExists(ctx, tx, u.Role)
}

// endTokens deletes the personal access tokens of a user who is to be disabled: they must not
// come back with the user.
func endTokens(ctx context.Context, tx *configTx, u *point.User) error {
	if !u.Disabled {
		return nil
	}
	return dropTokensOf(ctx, tx, u.ID)
}

// auditPassword notes that u's password is about to change, if it is. Images hold no password.
func auditPassword(ctx context.Context, tx *configTx, u *point.User) error {
	var changed bool
	err := tx.QueryRowContext(ctx, `SELECT password_hash <> $1 FROM users WHERE id = $2`, u.PasswordHash, idArg(u.ID)).Scan(&changed)
	if changed {
		tx.entries = append(tx.entries, point.AuditEntry{Event: point.AuditPassword, TargetKind: point.EntityUser, TargetID: u.ID, TargetName: u.Email})
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the update will say so
	}
	return err
}

// DeleteUser removes a user and ends what the user has open, personal access tokens too. The
// user's client keys stay, without an owner: programs use them. The last owner stays:
// ErrLastOwner.
func (s *Store) DeleteUser(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := keepOwner(ctx, tx, id, false); err != nil {
			return err
		}
		if err := lockUser(ctx, tx.Tx, lockAnyUser, id, version); err != nil {
			return existing(ctx, tx, err, existsUser, idArg(id))
		}
		if err := tx.changed(ctx, entityUser, id); err != nil {
			return err
		}
		if err := dropTokensOf(ctx, tx, id); err != nil {
			return err
		}
		owned, err := rows(ctx, tx, func(r row) (key string, err error) { return key, r.Scan(&key) }, `SELECT id FROM keys WHERE owner_id = $1`, idArg(id))
		if err != nil {
			return err
		}
		if err := tx.changed(ctx, entityKey, owned...); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE keys SET owner_id = NULL, version = version + 1 WHERE owner_id = $1`, idArg(id)); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM users WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsUser, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete user %s: %w", id, err)
	}
	return nil
}

const countUsers = `SELECT COUNT(*) FROM users`

// CountUsers counts all users; 0 means that set-up is still to be done.
func (s *Store) CountUsers(ctx context.Context) (n int64, err error) {
	if err := s.config.read.QueryRowContext(ctx, countUsers).Scan(&n); err != nil {
		return 0, fmt.Errorf("count users: %w", failure(err))
	}
	return n, nil
}

func scanUser(r row) (u point.User, err error) {
	err = r.Scan(&u.ID, &u.Email, &u.PasswordHash, &u.Role, &u.Disabled, &u.Version, timeTo{&u.CreatedAt}, timeTo{&u.UpdatedAt})
	return u, err
}
