// Package openid signs people in at an OpenID provider: the authorization code flow with PKCE,
// state and nonce, as a relying party.
//
// A sign-in is Begin, which gives the page to send the browser to and a Flow to keep for it,
// and Finish, which takes what the browser brings back. The provider is looked up at the first
// sign-in and not before, so that Point starts while it is away.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"point"
)

// What callers may test for.
var (
	// ErrUnavailable: the provider does not answer, or not as OpenID Connect Discovery asks.
	ErrUnavailable = errors.New("the OpenID provider does not answer")
	// ErrRefused: what came back is not this sign-in, or not proven.
	ErrRefused = errors.New("the sign-in is not proven")
)

// leeway is how far the provider's clock may be from Point's.
const leeway = time.Minute

// Options say who the provider is, and who Point is there.
type Options struct {
	Issuer       string // as the provider spells it in its tokens
	ClientID     string
	ClientSecret point.Secret // zero: a public client
	Scopes       []string
	GroupsClaim  string // name of the claim that lists groups
	RedirectURL  string // where the browser comes back to
	Now          func() time.Time
	HTTP         *http.Client // nil: NewHTTP()
}

// Client is Point as a client of one provider. It is safe for concurrent use.
type Client struct {
	opts     Options
	provider lookup
}

// New makes a client; nothing is asked yet.
func New(opts Options) *Client {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.HTTP == nil {
		opts.HTTP = NewHTTP()
	}
	return &Client{opts: opts}
}

// Flow is a sign-in under way. The browser keeps it, sealed, and brings it back.
type Flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE
	Expires  time.Time `json:"expires"`
}

// flowLife is how long somebody may take at the provider.
const flowLife = 10 * time.Minute

// Account is who the provider says signed in. Issuer and Subject together are the account's
// identity; all else may change.
type Account struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Groups          []string
}

// Begin starts a sign-in and gives the URL of the provider's page.
func (c *Client) Begin(ctx context.Context) (Flow, string, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return Flow{}, "", err
	}
	flow := Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Expires: c.opts.Now().Add(flowLife)}
	page := p.oauth.AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier))
	return flow, page, nil
}

// Belongs reports whether query, what came back, answers this sign-in, and in time.
func (f Flow) Belongs(query url.Values, now time.Time) bool {
	state := query["state"]
	return len(state) == 1 && f.State != "" && subtle.ConstantTimeCompare([]byte(state[0]), []byte(f.State)) == 1 && now.Before(f.Expires)
}

// Finish trades the code in query for the account that signed in, once every proof holds. The
// caller has seen that the flow Belongs.
func (c *Client) Finish(ctx context.Context, flow Flow, query url.Values) (Account, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return Account{}, err
	}
	if err := p.sameIssuer(query); err != nil {
		return Account{}, err
	}
	code := query["code"]
	if len(code) != 1 || code[0] == "" {
		return Account{}, refused("there is no code")
	}
	ctx = c.context(ctx)
	token, err := p.oauth.Exchange(ctx, code[0], oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return Account{}, exchangeFailure(err)
	}
	id, err := c.verify(ctx, p, token, flow.Nonce)
	if err != nil {
		return Account{}, err
	}
	return c.account(ctx, p, token, id)
}

// sameIssuer refuses an answer that another provider gave (RFC 9207).
func (p *provider) sameIssuer(query url.Values) error {
	given, ok := query["iss"]
	if !ok && !p.SendsIssuer {
		return nil
	}
	if len(given) != 1 || given[0] != p.Issuer {
		return refused("it comes from another issuer")
	}
	return nil
}

// exchangeFailure tells a provider that refuses a code from one that is not there. Its words
// are for the log.
func exchangeFailure(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode < http.StatusInternalServerError {
		return refused("the provider takes the code for no token: %s %s", answer.Response.Status, answer.ErrorCode)
	}
	return fmt.Errorf("%w: trade a code for a token: %w", ErrUnavailable, err)
}

// verify checks the ID token: signature by one of the provider's keys, issuer, audience, times,
// nonce, and that it belongs to the access token beside it.
func (c *Client) verify(ctx context.Context, p *provider, token *oauth2.Token, nonce string) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" || len(raw) > maxToken {
		return nil, refused("there is no ID token, or one that is too long")
	}
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, refused("the ID token: %v", err)
	}
	var extra struct {
		AuthorizedParty string `json:"azp"`
	}
	switch err := id.Claims(&extra); {
	case err != nil:
		return nil, refused("the ID token's claims: %v", err)
	case nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, refused("the ID token has another nonce")
	case extra.AuthorizedParty != "" && extra.AuthorizedParty != c.opts.ClientID, extra.AuthorizedParty == "" && len(id.Audience) > 1:
		return nil, refused("the ID token was issued to another client")
	case id.IssuedAt.After(c.opts.Now().Add(leeway)):
		return nil, refused("the ID token is of the future")
	case id.Subject == "" || len(id.Subject) > maxSubject:
		return nil, refused("the ID token's subject is empty or too long")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return nil, refused("the access token is not that of the ID token")
	}
	return id, nil
}

const (
	maxToken   = 64 << 10 // bytes
	maxSubject = 255      // of ASCII, says OpenID Connect
)

// account reads who signed in from the ID token and, where that does not say, from UserInfo.
func (c *Client) account(ctx context.Context, p *provider, token *oauth2.Token, id *oidc.IDToken) (Account, error) {
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return Account{}, refused("the ID token's claims: %v", err)
	}
	email, _ := claims["email"].(string)
	_, groups := claims[c.opts.GroupsClaim]
	if (email == "" || !groups) && p.UserInfo != "" {
		more, err := c.userInfo(ctx, p, token, id.Subject)
		if err != nil {
			return Account{}, err
		}
		fill(claims, more, email)
	}
	account := Account{Issuer: id.Issuer, Subject: id.Subject, Groups: texts(claims[c.opts.GroupsClaim])}
	account.Email, _ = claims["email"].(string)
	account.EmailVerified = claims["email_verified"] == true || claims["email_verified"] == "true" // some send text
	return account, nil
}

// fill adds what claims lack. That an address is verified is said of the address beside it.
func fill(claims, more map[string]any, email string) {
	for name, value := range more {
		if name == "email_verified" && email != "" && more["email"] != email {
			continue
		}
		if _, said := claims[name]; !said {
			claims[name] = value
		}
	}
}

func (c *Client) userInfo(ctx context.Context, p *provider, token *oauth2.Token, subject string) (map[string]any, error) {
	info, err := p.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("%w: user info: %w", ErrUnavailable, err)
	}
	if info.Subject != subject {
		return nil, refused("the user info is somebody else's")
	}
	claims := map[string]any{}
	if err := info.Claims(&claims); err != nil {
		return nil, refused("the user info: %v", err)
	}
	return claims, nil
}

// texts are the texts of a claim: a list of them, or one alone.
func texts(claim any) (list []string) {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		for _, item := range claim {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
	}
	return slices.Compact(list)
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}
