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

// SetupLife is how long a set-up token is good.
const SetupLife = 15 * time.Minute

// SetupState tells whether the first user is still to be made.
type SetupState struct {
	Required bool `json:"required" doc:"No user exists: POST /api/setup with the token of the set-up link."`
}

type setupStateOutput struct{ Body SetupState }

// Setup is the body that makes the first user.
type Setup struct {
	Token    string `json:"token" minLength:"1" maxLength:"256" doc:"Of the set-up link that the terminal shows."`
	Email    string `json:"email" format:"email" maxLength:"254" example:"you@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"1024" doc:"At least 12 characters; long is good, nothing else is asked." writeOnly:"true"`
}

type setupInput struct {
	Client
	Body Setup
}

// NewSetupToken makes the token of the set-up link and stores its hash. An earlier one is
// good no more.
func NewSetupToken(ctx context.Context, s *store.Store, now time.Time) (point.Secret, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	if err := s.PutSetupToken(ctx, sha256.Sum256([]byte(token)), now.Add(SetupLife)); err != nil {
		return point.Secret{}, fmt.Errorf("store a set-up token: %w", err)
	}
	return point.NewSecret(token), nil
}

func (a *API) getSetup(ctx context.Context, _ *none) (*setupStateOutput, error) {
	n, err := a.Store.CountUsers(ctx)
	if err != nil {
		return nil, fmt.Errorf("count users: %w", err)
	}
	return &setupStateOutput{Body: SetupState{Required: n == 0}}, nil
}

// setUp makes the first user, an owner, and signs them in.
func (a *API) setUp(ctx context.Context, in *setupInput) (*tokenOutput, error) {
	state, err := a.getSetup(ctx, nil)
	if err != nil {
		return nil, err
	}
	if !state.Body.Required {
		return nil, errSetUp
	}
	if err := a.mayTry(ctx, "set-up", "set-up", in.client); err != nil {
		return nil, err
	}
	hash, err := a.gate.hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	user := &point.User{Email: normalEmail(in.Body.Email), PasswordHash: hash, Role: point.RoleOwner}
	if err := a.Store.SetUp(ctx, sha256.Sum256([]byte(in.Body.Token)), user); err != nil {
		a.auditUser(ctx, point.AuditSetUpFailed, point.AuditFailed, &point.User{Email: user.Email})
		return nil, setupRefusal(err)
	}
	a.gate.forget("set-up", in.client.address)
	a.auditUser(ctx, point.AuditSetUp, point.AuditOK, user)
	a.Log.InfoContext(ctx, "api: set up", "email", user.Email, "address", in.client.address)
	return a.startSession(ctx, user, in.client)
}

var errSetUp = problem(http.StatusConflict, "Point is set up already. Sign in at /api/auth/login.").as(codeSetUpAlready)

func setupRefusal(err error) error {
	var conflict *store.Conflict
	switch {
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusForbidden, "This set-up link is not valid, or no longer. Start Point again to get a new one.").as(codeSetupLink)
	case errors.As(err, &conflict):
		return errSetUp
	}
	return fmt.Errorf("make the first user: %w", err)
}
