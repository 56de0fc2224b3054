package store

import (
	"context"
	"fmt"
	"time"

	"point"
)

// PutInvitation stores the hash of the one-time token with which a user sets a password; an
// earlier one ends. It is audited. If u.Version is not the stored one any more, the error is ErrStale.
func (s *Store) PutInvitation(ctx context.Context, u *point.User, hash [32]byte, expires time.Time) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := lockUser(ctx, tx.Tx, lockOpenUser, u.ID, u.Version); err != nil {
			return err
		}
		return s.putInvitation(ctx, tx, u, hash, expires)
	})
	if err != nil {
		return fmt.Errorf("store an invitation: %w", err)
	}
	return nil
}

// putInvitation stores an invitation and notes it for the audit trail.
func (s *Store) putInvitation(ctx context.Context, tx *configTx, u *point.User, hash [32]byte, expires time.Time) error {
	tx.entries = append(tx.entries, point.AuditEntry{Event: point.AuditInvited, TargetKind: point.EntityUser, TargetID: u.ID, TargetName: u.Email})
	_, err := tx.ExecContext(ctx, `INSERT INTO invitations (user_id, hash, expires_at, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at, created_at = excluded.created_at`,
		idArg(u.ID), hash[:], at(expires), s.now())
	return err
}

// Invited finds the user of an invitation. One that is unknown, used or too old is ErrNotFound,
// as is that of a disabled user.
func (s *Store) Invited(ctx context.Context, hash [32]byte) (*point.User, error) {
	u, err := one(ctx, s.config.write, scanUser,
		selectUsers+` WHERE disabled = false AND id = (SELECT user_id FROM invitations WHERE hash = $1 AND expires_at > $2)`, hash[:], s.now())
	if err != nil {
		return nil, fmt.Errorf("invitation: %w", err)
	}
	return u, nil
}
