package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"point"
	"point/store"
)

// invitationLife is how long an invitation is good.
const invitationLife = 72 * time.Hour

// Invitation is the one-time token with which a person sets their password.
type Invitation struct {
	Token     string    `json:"token" doc:"For POST /api/auth/accept. It is shown this once."`
	ExpiresAt time.Time `json:"expires_at"`
}

type invitationOutput struct{ Body Invitation }

// Accept is the body that takes an invitation.
type Accept struct {
	Token    string `json:"token" minLength:"1" maxLength:"256" doc:"Of the invitation."`
	Password string `json:"password" minLength:"12" maxLength:"1024" doc:"At least 12 characters; long is good, nothing else is asked." writeOnly:"true"`
}

type acceptInput struct {
	Client
	Body Accept
}

// ChangePassword is the body that changes one's own password.
type ChangePassword struct {
	Current string `json:"current" minLength:"1" maxLength:"1024" writeOnly:"true"`
	New     string `json:"new" minLength:"12" maxLength:"1024" doc:"At least 12 characters; long is good, nothing else is asked." writeOnly:"true"`
}

type changePasswordInput struct {
	Client
	Body ChangePassword
}

// inviteUser makes a new invitation; an earlier one is good no more.
func (a *API) inviteUser(ctx context.Context, in *ByID) (*invitationOutput, error) {
	u, err := a.changeableUser(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	if u.ID == who(ctx).user.ID {
		return nil, problem(http.StatusForbidden, "Change your own password at /api/auth/password, with the one you have.").as(codeOwnAccount)
	}
	if u.Disabled {
		return nil, problem(http.StatusConflict, "This user is disabled. Enable them first.").as(codeDisabled)
	}
	invitation, hash := a.newInvitation()
	if err := a.Store.PutInvitation(ctx, u, hash, invitation.ExpiresAt); err != nil {
		return nil, fromStore(err, "user")
	}
	return &invitationOutput{Body: *invitation}, nil
}

// newInvitation makes the token of an invitation, and the hash that is stored of it.
func (a *API) newInvitation() (x *Invitation, hash [32]byte) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	return &Invitation{Token: token, ExpiresAt: a.Now().Add(invitationLife).UTC()}, sha256.Sum256([]byte(token))
}

// accept sets the password of an invited user, once, and signs them in.
func (a *API) accept(ctx context.Context, in *acceptInput) (*tokenOutput, error) {
	if err := a.mayTry(ctx, "invitation", "invitation", in.client); err != nil {
		return nil, err
	}
	u, err := a.Store.Invited(ctx, sha256.Sum256([]byte(in.Body.Token)))
	if errors.Is(err, store.ErrNotFound) {
		return nil, errInvitation
	}
	if err != nil {
		return nil, fmt.Errorf("look up an invitation: %w", err)
	}
	if u.PasswordHash, err = a.gate.hash(ctx, in.Body.Password); err != nil {
		return nil, err
	}
	// A changed password ends the invitation; of two at once the second finds another version.
	if err := a.Store.UpdateUser(point.WithActor(ctx, actorOf(u, in.client)), u); err != nil {
		if errors.Is(err, store.ErrStale) {
			return nil, errInvitation
		}
		return nil, fmt.Errorf("set a password: %w", err)
	}
	a.gate.forget("invitation", in.client.address)
	a.auditUser(ctx, point.AuditSignIn, point.AuditOK, u)
	a.Log.InfoContext(ctx, "api: an invitation was accepted", "email", u.Email, "address", in.client.address)
	return a.startSession(ctx, u, in.client)
}

var errInvitation = problem(http.StatusForbidden, "This invitation is not valid, or no longer. Ask for a new one.").as(codeInvitation)

// actorOf is a user who acts before being signed in.
func actorOf(u *point.User, c caller) point.Actor {
	return point.Actor{Kind: point.ActorUser, ID: u.ID, Name: u.Email, Address: c.address}
}

// changePassword gives the caller a new password. All their sessions end, and this one begins
// anew.
func (a *API) changePassword(ctx context.Context, in *changePasswordInput) (*tokenOutput, error) {
	p := who(ctx)
	if err := a.mayTry(ctx, "password change", p.user.Email, in.client); err != nil {
		return nil, err
	}
	u, err := a.Store.GetUser(ctx, p.user.ID)
	if err != nil {
		return nil, fromStore(err, "user")
	}
	ok, err := a.gate.matches(ctx, in.Body.Current, u.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !ok {
		a.auditUser(ctx, point.AuditPasswordFailed, point.AuditFailed, u)
		a.Log.WarnContext(ctx, "api: a password change failed", "email", u.Email, "address", in.client.address)
		var f faults
		f.add("body.current", "This is not your password.")
		return nil, f.err()
	}
	a.gate.forget(p.user.Email, in.client.address)
	if u.PasswordHash, err = a.gate.hash(ctx, in.Body.New); err != nil {
		return nil, err
	}
	if err := a.Store.UpdateUser(ctx, u); err != nil {
		return nil, userRefusal(err)
	}
	a.Log.InfoContext(ctx, "api: a password was changed", "email", u.Email, "address", in.client.address)
	return a.startSession(ctx, u, in.client)
}
