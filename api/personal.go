package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

const (
	userTokenPrefix  = point.UserTokenPrefix
	userTokenDefault = 90 * 24 * time.Hour
	userTokenMax     = 366 * 24 * time.Hour // a year, whichever
)

// UserToken is a personal access token.
type UserToken struct {
	ID         string       `json:"id" format:"uuid"`
	Name       string       `json:"name" example:"nightly report"`
	Prefix     string       `json:"prefix" doc:"The token's first characters." example:"ptp_X3KM"`
	UserID     string       `json:"user_id" format:"uuid" doc:"Whose it is."`
	User       string       `json:"user" doc:"Their email address."`
	Scopes     []Permission `json:"scopes" doc:"Permissions it gives, as far as its user's role has them."`
	Status     string       `json:"status" enum:"active,expired"`
	ExpiresAt  time.Time    `json:"expires_at"`
	LastUsedAt *time.Time   `json:"last_used_at" doc:"To the minute, a minute late; null: never."`
	CreatedAt  time.Time    `json:"created_at"`
}

// CreatedUserToken is a new token with its text.
type CreatedUserToken struct {
	UserToken
	Token string `json:"token" doc:"The token itself. It is shown this once and not kept." example:"ptp_"`
}

type createdUserTokenOutput struct{ Body CreatedUserToken }

// CreateUserToken is the body that creates a token.
type CreateUserToken struct {
	Name      string      `json:"name" minLength:"1" maxLength:"255" example:"nightly report"`
	Scopes    Permissions `json:"scopes" minItems:"1" maxItems:"100" example:"[\"requests:read\"]" doc:"Permissions that you have. If your role loses one, the token does."`
	ExpiresAt *time.Time  `json:"expires_at,omitempty" nullable:"true" doc:"Within a year; absent: in 90 days."`
}

type createUserTokenInput struct {
	Repeatable
	Body CreateUserToken
}

// Resolve finds what a schema cannot see.
func (in *createUserTokenInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, p := apiOf(ctx)
	f.permissions("body.scopes", in.Body.Scopes, p.grants)
	if at := in.Body.ExpiresAt; at != nil {
		switch life := at.Sub(a.Now()); {
		case life <= 0:
			f.add("body.expires_at", "This must be later than now.")
		case life > userTokenMax:
			f.add("body.expires_at", "This must be within a year.")
		}
	}
	return f.errors()
}

// permissions lists those of a list that do not exist, or that the giver lacks: nobody grants
// more than they have.
func (f *faults) permissions(at string, list []Permission, giver grants) {
	for i, p := range list {
		switch {
		case !isPermission(p):
			f.add(fmt.Sprintf("%s[%d]", at, i), "There is no such permission. GET /api/permissions lists all.")
		case !giver.has(p):
			f.add(fmt.Sprintf("%s[%d]", at, i), "You lack this permission yourself, so you cannot give it.")
		}
	}
}

type listUserTokensInput struct {
	Paging
	UserID string `query:"user_id" maxLength:"64" doc:"Only those of this user."`
}

// listUserTokens lists the caller's own tokens, or everybody's.
func (a *API) listUserTokens(ctx context.Context, in *listUserTokensInput) (*listOutput[UserToken], error) {
	list, err := a.Store.ListTokens(ctx, scopeOf(ctx), store.TokenFilter{UserID: in.UserID, Page: in.page()})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, a.shapeUserToken), nil
}

// createUserToken makes a token of the caller. Its text is in this answer and nowhere else.
func (a *API) createUserToken(ctx context.Context, in *createUserTokenInput) (*createdUserTokenOutput, error) {
	t := &point.Token{UserID: who(ctx).user.ID, Name: in.Body.Name, ExpiresAt: a.Now().Add(userTokenDefault)}
	if in.Body.ExpiresAt != nil {
		t.ExpiresAt = *in.Body.ExpiresAt
	}
	for _, p := range in.Body.Scopes {
		t.Scopes = append(t.Scopes, string(p))
	}
	text := point.NewSecret(userTokenPrefix + rand.Text() + rand.Text())
	if err := a.Store.CreateToken(ctx, t, text); err != nil {
		return nil, fromStore(err, "token")
	}
	return &createdUserTokenOutput{Body: CreatedUserToken{UserToken: a.shapeUserToken(t), Token: text.Reveal()}}, nil
}

// deleteUserToken revokes a token.
func (a *API) deleteUserToken(ctx context.Context, in *ByID) (*empty, error) {
	t, err := a.Store.GetToken(ctx, scopeOf(ctx), in.ID)
	if err != nil {
		return nil, fromStore(err, "token")
	}
	if user, ok := a.Store.Snapshot().Users[t.UserID]; ok && t.UserID != who(ctx).user.ID {
		if err := a.mayTouch(who(ctx), user); err != nil {
			return nil, err
		}
	}
	err = a.Store.DeleteToken(ctx, t.ID)
	if errors.Is(err, store.ErrNotFound) {
		err = nil // another one was faster
	}
	return nil, err
}

func (a *API) shapeUserToken(t *point.Token) UserToken {
	out := UserToken{
		ID: t.ID, Name: t.Name, Prefix: t.Prefix, UserID: t.UserID, Scopes: []Permission{}, Status: "active",
		ExpiresAt: t.ExpiresAt.UTC(), LastUsedAt: utc(t.LastUsedAt), CreatedAt: t.CreatedAt.UTC(),
	}
	out.Scopes = append(out.Scopes, scopesOf(t)...)
	if !a.Now().Before(t.ExpiresAt) {
		out.Status = "expired"
	}
	if user, ok := a.Store.Snapshot().Users[t.UserID]; ok {
		out.User = user.Email
	}
	return out
}

// scopesOf are a token's scopes as permissions.
func scopesOf(t *point.Token) grants {
	list := make(grants, len(t.Scopes))
	for i, name := range t.Scopes {
		list[i] = Permission(name)
	}
	return list
}
