package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"point"
	"point/store"
)

// Login is the body that signs in.
type Login struct {
	Email    string `json:"email" minLength:"1" maxLength:"254" example:"you@example.com"`
	Password string `json:"password" minLength:"1" maxLength:"1024" writeOnly:"true"`
}

// AccessToken is what a sign-in gives. The refresh token comes as a cookie beside it.
type AccessToken struct {
	AccessToken string `json:"access_token" doc:"Send it as Authorization: Bearer."`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int64  `json:"expires_in" doc:"Seconds." example:"900"`
}

type tokenOutput struct {
	SetCookie string `header:"Set-Cookie" doc:"The refresh token, HttpOnly, for /api/auth alone."`
	Body      AccessToken
}

type refreshInput struct {
	Client
	Cookie string `cookie:"point_refresh" maxLength:"4096" doc:"The refresh token."`
}

type loginInput struct {
	Client
	Body Login
}

type logoutOutput struct {
	SetCookie string `header:"Set-Cookie" doc:"The refresh token, HttpOnly, for /api/auth alone."`
}

// Me is who is signed in.
type Me struct {
	ID          string       `json:"id" format:"uuid"`
	Email       string       `json:"email"`
	Role        string       `json:"role" example:"owner"`
	Permissions []Permission `json:"permissions" example:"[\"providers:read\"]"`
	SessionID   string       `json:"session_id" doc:"Empty: with a personal access token."`
	CreatedAt   time.Time    `json:"created_at"`
}

type meOutput struct{ Body Me }

// login answers a wrong password and an unknown user alike, after equal work.
func (a *API) login(ctx context.Context, in *loginInput) (*tokenOutput, error) {
	email := normalEmail(in.Body.Email)
	if err := a.mayTry(ctx, "login", email, in.client); err != nil {
		return nil, err
	}
	user, err := a.Store.UserByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		user, err = &point.User{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up a user: %w", err)
	}
	ok, err := a.gate.matches(ctx, in.Body.Password, user.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !ok || user.Disabled {
		a.auditUser(ctx, point.AuditSignInFailed, point.AuditFailed, &point.User{ID: user.ID, Email: email})
		a.Log.WarnContext(ctx, "api: a sign-in failed", "email", email, "address", in.client.address)
		return nil, unauthorized("The email address or the password is wrong.").as(codeWrongPassword)
	}
	a.gate.forget(email, in.client.address)
	a.auditUser(ctx, point.AuditSignIn, point.AuditOK, user)
	a.Log.InfoContext(ctx, "api: signed in", "email", email, "address", in.client.address)
	return a.startSession(ctx, user, in.client)
}

// mayTry counts a guess, and says when to come back if there were too many.
func (a *API) mayTry(ctx context.Context, what, subject string, c caller) error {
	wait, first := a.gate.try(subject, c.address)
	if wait == 0 {
		return nil
	}
	a.audit(ctx, point.AuditEntry{Event: point.AuditSignInBlocked, Result: point.AuditDenied, TargetKind: point.EntityUser, TargetName: subject})
	if first {
		// The subject is who guesses: what is guessed is theirs to choose, without end.
		a.Alerts.Raise(AlertGuessing, network(c.address), fmt.Sprintf("Too many failed tries (%s as %q); further ones are refused for %s.", what, subject, wait.Round(time.Second)))
	}
	return retryAfter(http.StatusTooManyRequests, wait, fmt.Sprintf("Too many tries failed. Try again in %s.", wait.Round(time.Second))).as(codeTries)
}

// refresh gives a new access token, and the next refresh token as a cookie.
func (a *API) refresh(ctx context.Context, in *refreshInput) (*tokenOutput, error) {
	token, ok := parseRefreshToken(in.Cookie)
	if !ok {
		return nil, errRefresh
	}
	session, next, err := a.rotate(ctx, token)
	if err != nil {
		return nil, err
	}
	user, err := a.Store.GetUser(ctx, session.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && user.Disabled:
		return nil, errRefresh
	case err != nil:
		return nil, fmt.Errorf("look up a user: %w", err)
	}
	return a.answerTokens(ctx, user, session, next, in.client)
}

// logout ends the cookie's session. It succeeds without one too.
func (a *API) logout(ctx context.Context, in *refreshInput) (*logoutOutput, error) {
	out := &logoutOutput{SetCookie: a.cookie("", time.Time{}, in.client)}
	token, ok := parseRefreshToken(in.Cookie)
	if !ok {
		return out, nil
	}
	session, err := a.Store.GetSession(ctx, token.sessionID)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err == nil && token.belongsTo(session) {
		if err = a.Store.RevokeSession(ctx, session.ID); err == nil {
			a.auditUser(ctx, point.AuditSignOut, point.AuditOK, a.named(session.UserID))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("end a session: %w", err)
	}
	return out, nil
}

// named is a user by id, with the address if there is still one.
func (a *API) named(id string) *point.User {
	if u, ok := a.Store.Snapshot().Users[id]; ok {
		return u
	}
	return &point.User{ID: id}
}

func (a *API) me(ctx context.Context, _ *none) (*meOutput, error) {
	p := who(ctx)
	return &meOutput{Body: Me{
		ID: p.user.ID, Email: p.user.Email, Role: p.user.Role, Permissions: p.grants.expanded(),
		SessionID: p.sessionID, CreatedAt: p.user.CreatedAt.UTC(),
	}}, nil
}

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
