package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
	"point/internal/seal"
)

const (
	identityColumns = `issuer, subject, user_id, suspended_version, created_at`

	selectIdentity     = `SELECT ` + identityColumns + ` FROM identities WHERE issuer = $1 AND subject = $2`
	selectIdentityOf   = `SELECT ` + identityColumns + ` FROM identities WHERE user_id = $1`
	insertIdentity     = `INSERT INTO identities (` + identityColumns + `) VALUES ($1, $2, $3, 0, $4)`
	insertIdentityOf   = `INSERT INTO identities (` + identityColumns + `) SELECT $1, $2, id, 0, $3 FROM users WHERE id = $4 AND version = $5 AND password_hash = ''`
	updateSuspension   = `UPDATE identities SET suspended_version = $1 WHERE issuer = $2 AND subject = $3`
	insertUsedSignIn   = `INSERT INTO used_sign_ins (state, expires_at) VALUES ($1, $2)`
	deleteUsedSignIns  = `DELETE FROM used_sign_ins WHERE expires_at < $1`
	usedSignInLeftover = time.Hour // beyond its end: clocks differ
)

// GetIdentity finds an identity by what the provider calls it.
func (s *Store) GetIdentity(ctx context.Context, issuer, subject string) (*point.Identity, error) {
	x, err := one(ctx, s.config.write, scanIdentity, selectIdentity, issuer, subject)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return x, nil
}

// IdentityOf finds the identity of a user.
func (s *Store) IdentityOf(ctx context.Context, userID string) (*point.Identity, error) {
	x, err := one(ctx, s.config.write, scanIdentity, selectIdentityOf, idArg(userID))
	if err != nil {
		return nil, fmt.Errorf("identity of user %s: %w", userID, err)
	}
	return x, nil
}

// CreateUserOf stores a new user with the identity that it comes from, or neither. An address
// or an identity that is taken is a *Conflict.
func (s *Store) CreateUserOf(ctx context.Context, u *point.User, issuer, subject string) error {
	return s.createUser(ctx, u, nil, func(tx *configTx, u *point.User) error {
		_, err := tx.ExecContext(ctx, insertIdentity, issuer, subject, u.ID, s.now())
		return err
	})
}

// LinkIdentity gives an identity to a user without a password, if u.Version is still the stored
// one (else ErrStale), which ends the user's invitation. An identity that is taken, or a user who
// has one, is a *Conflict.
func (s *Store) LinkIdentity(ctx context.Context, u *point.User, issuer, subject string) error {
	err := s.change(ctx, func(tx *configTx) error {
		result, err := tx.ExecContext(ctx, insertIdentityOf, issuer, subject, s.now(), idArg(u.ID), u.Version)
		if err != nil {
			return err
		}
		if err := touched(ctx, tx, result, existsUser, idArg(u.ID)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM invitations WHERE user_id = $1`, idArg(u.ID))
		return err
	})
	if err != nil {
		return fmt.Errorf("link an identity to user %s: %w", u.ID, err)
	}
	return nil
}

// SuspendUser disables a user, which ends what the user has open, and notes that the user's
// groups are why: as long as nobody else changes the user, Suspended says so. What is cut off
// between the two leaves the user disabled for good, never enabled by a group.
func (s *Store) SuspendUser(ctx context.Context, u *point.User, issuer, subject string) error {
	disabled := *u
	disabled.Disabled = true
	if err := s.UpdateUser(ctx, &disabled); err != nil {
		return err
	}
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, updateSuspension, disabled.Version, issuer, subject)
		return err
	})
	if err != nil {
		return fmt.Errorf("suspend user %s: %w", u.ID, err)
	}
	*u = disabled
	return nil
}

// UseSignIn notes that a sign-in came back; the second time is a *Conflict. It is kept until
// expires.
func (s *Store) UseSignIn(ctx context.Context, state [32]byte, expires time.Time) error {
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, deleteUsedSignIns, at(s.now().Add(-usedSignInLeftover))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, insertUsedSignIn, state[:], at(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("note a sign-in: %w", err)
	}
	return nil
}

// SealSignIn encrypts what a browser keeps while its user is at the provider; every Point on
// this store can open it, as long as the key is not dropped.
func (s *Store) SealSignIn(b []byte) ([]byte, error) { return s.ring.held.Load().Seal(b, signInPlace) }

// OpenSignIn is the reverse of SealSignIn. Anybody may send anything here, so an unknown key
// does not make it ask the database.
func (s *Store) OpenSignIn(sealed []byte) ([]byte, error) {
	return s.ring.held.Load().with(seal.SealedBy(sealed)).Open(sealed, signInPlace)
}

var signInPlace = seal.Place{Table: "sign-in", Column: "cookie"}

func scanIdentity(r row) (x point.Identity, err error) {
	err = r.Scan(&x.Issuer, &x.Subject, &x.UserID, &x.SuspendedVersion, timeTo{&x.CreatedAt})
	return x, err
}
