package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point"
	"point/store"
)

// principal is who asks, on a route that is not Public.
type principal struct {
	user      *point.User // of the snapshot: not to be changed
	sessionID string      // empty: with a personal access token
	claims    *claims     // of the access token, nil: with a personal access token
	token     *point.Token
	grants    grants
	scope     store.Scope // of keys and requests, as the route's permission has it
}

// may reports whether the principal has p.
func (p *principal) may(permission Permission) bool { return p.grants.has(permission) }

// enter checks the permission of a route, and finds how far it reaches.
func (p *principal) enter(op *huma.Operation) error {
	permission, _ := op.Metadata[metaPermission].(Permission)
	own, _ := op.Metadata[metaOwn].(Permission)
	session, _ := op.Metadata[metaSession].(bool)
	switch {
	case session && p.token != nil:
		return errSession
	case p.may(permission):
		p.scope = store.All()
	case own != "" && p.may(own):
		p.scope = store.OwnedBy(p.user.ID)
	case p.token != nil:
		return problem(http.StatusForbidden, fmt.Sprintf("This token, or your role %s, lacks the permission %s.", p.user.Role, eitherOf(permission, own))).as(codePermission)
	default:
		return problem(http.StatusForbidden, fmt.Sprintf("Your role %s lacks the permission %s. Ask %s.", p.user.Role, eitherOf(permission, own), whoMay(permission))).as(codePermission)
	}
	return nil
}

// eitherOf is a permission, or the one that reaches one's own.
func eitherOf(permission, own Permission) string {
	if own == "" || own == permission {
		return string(permission)
	}
	return fmt.Sprintf("%s, or %s for what is one's own", permission, own)
}

// whoMay are the built-in roles that may look after what needs a permission.
func whoMay(permission Permission) string {
	if grants(admin).has(permission) {
		return "an owner or admin"
	}
	return "an owner"
}

// actor is who the principal is, by where the request came from.
func (p *principal) actor(a point.Actor) point.Actor {
	a.Kind, a.ID, a.Name = point.ActorUser, p.user.ID, p.user.Email
	if p.token != nil {
		a.TokenID = p.token.ID
	}
	return a
}

// principalContext is the context key of *principal.
type principalContext struct{}

// apiContext is the context key of the *API, for resolvers.
type apiContext struct{}

// apiOf is the API that serves ctx, and who asks.
func apiOf(ctx huma.Context) (*API, *principal) {
	return ctx.Context().Value(apiContext{}).(*API), who(ctx.Context())
}

// who is the principal of a request that authorize let through.
func who(ctx context.Context) *principal { return ctx.Value(principalContext{}).(*principal) }

// authorize is the one place where a route's permission is checked, on the operation that
// was matched. No database is asked: tokens are signed, and what became of their user and
// session is in the snapshot.
func (a *API) authorize(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c := a.caller(r)
	values := context.WithValue(r.Context(), clientContext{}, c)
	values = context.WithValue(values, apiContext{}, a)
	actor := point.Actor{Kind: point.ActorNobody, Address: c.address, Reason: reasonOf(r)}
	permission, _ := ctx.Operation().Metadata[metaPermission].(Permission)
	var p *principal
	var err error
	if permission != Public {
		if p, err = a.principal(r); err == nil {
			actor = p.actor(actor)
			values = context.WithValue(values, principalContext{}, p)
		}
	}
	if slow := a.paced(actor); slow != nil {
		err = slow
	}
	if err == nil && p != nil {
		if err = p.enter(ctx.Operation()); err != nil {
			a.denied(r.Context(), actor, "route", r.Pattern, string(permission))
		}
	}
	var leave func()
	if err == nil {
		leave, err = a.turn(r, ctx.Operation(), actor.ID)
	}
	if err != nil {
		writeProblem(w, refusal(err))
		return
	}
	defer leave()
	next(withRequest(ctx, r.WithContext(point.WithActor(values, actor)), w))
}

// reasonHeader says why a change is made, for the revision that it becomes.
const reasonHeader = "X-Point-Reason"

// reasonOf is what the header says; what is too long is cut.
func reasonOf(r *http.Request) string {
	reason := strings.TrimSpace(r.Header.Get(reasonHeader))
	return strings.ToValidUTF8(reason[:min(len(reason), point.MaxReason)], "")
}

// refusal is the answer to why a request is not let in. An error that does not say is no leave
// to go on.
func refusal(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return problem(http.StatusInternalServerError, internal)
}

// principal finds out who sent r.
func (a *API) principal(r *http.Request) (*principal, error) {
	token, err := credential(r)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(token, userTokenPrefix) {
		return a.byUserToken(token)
	}
	if strings.HasPrefix(token, keyPrefix) {
		return nil, errClientKey
	}
	c, err := a.tokens.verify(r.Context(), token)
	if err != nil && a.isClientKey(token) {
		return nil, errClientKey
	}
	if err != nil {
		return nil, unauthorized("The access token is not valid, or no longer. Get a new one at /api/auth/refresh, or sign in.")
	}
	user := a.alive(c)
	if user == nil {
		return nil, unauthorized("This session has ended. Sign in again.")
	}
	return &principal{user: user, sessionID: c.SessionID, claims: c, grants: permissionsOf(a.Store.Snapshot(), user.Role)}, nil
}

var errClientKey = unauthorized("This is a client key, which is for /v1 alone. Sign in at /api/auth/login and send its access_token, or a personal access token of POST /api/tokens.")

// isClientKey reports whether a credential is a client key that the operator chose, without prefix.
func (a *API) isClientKey(token string) bool {
	_, ok := a.Store.Snapshot().KeyByToken(token[:min(len(token), maxToken)], a.Now())
	return ok
}

// byUserToken finds out who sent a personal access token, and what of their role it gives.
func (a *API) byUserToken(text string) (*principal, error) {
	if len(text) > maxToken {
		return nil, errUserToken
	}
	s := a.Store.Snapshot()
	token, ok := s.UserToken(text)
	if !ok || !a.Now().Before(token.ExpiresAt) {
		return nil, errUserToken
	}
	user, ok := s.Users[token.UserID]
	if !ok || user.Disabled {
		return nil, errUserToken
	}
	a.Store.TokenUsed(token.ID, a.Now())
	return &principal{user: user, token: token, grants: grants(permissionsOf(s, user.Role)).within(scopesOf(token))}, nil
}

var errUserToken = unauthorized("The personal access token is not valid, or no longer. Make a new one.")

// stillMay reports whether p, let in earlier on a route, would be let in now, and reach as far.
func (a *API) stillMay(p *principal, op *huma.Operation) bool {
	now := principal{user: p.user, claims: p.claims, token: p.token}
	s := a.Store.Snapshot()
	if p.token != nil {
		token, ok := s.Tokens[p.token.Hash]
		user, there := s.Users[p.user.ID]
		if !ok || !there || user.Disabled || !a.Now().Before(token.ExpiresAt) {
			return false
		}
		now.grants = grants(permissionsOf(s, user.Role)).within(scopesOf(token))
	} else {
		user := a.alive(p.claims)
		if user == nil || !a.Now().Before(p.claims.ExpiresAt.Add(tokenLeeway)) {
			return false
		}
		now.grants = permissionsOf(s, user.Role)
	}
	return now.enter(op) == nil && now.scope == p.scope
}

// alive is the user of a token whose session has not ended, or nil.
func (a *API) alive(c *claims) *point.User {
	s := a.Store.Snapshot()
	user, ok := s.Users[c.UserID]
	if !ok || user.Disabled || user.Version != c.UserVersion {
		return nil
	}
	if _, revoked := s.RevokedSessions[c.SessionID]; revoked {
		return nil
	}
	return user
}

// credential is the one that r carries, in whichever header. Two different ones are refused:
// another part of the system might read the other.
func credential(r *http.Request) (string, error) {
	var found []string
	add := func(value string) {
		if value = strings.TrimSpace(value); value != "" && (len(found) == 0 || found[0] != value) {
			found = append(found, value)
		}
	}
	for _, value := range r.Header.Values("Authorization") {
		scheme, token, _ := strings.Cut(value, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", unauthorized("Send the access token as Authorization: Bearer.")
		}
		add(token)
	}
	for _, name := range []string{"X-Api-Key", "X-Goog-Api-Key"} {
		for _, value := range r.Header.Values(name) {
			add(value)
		}
	}
	switch len(found) {
	case 0:
		return "", unauthorized("Sign in at /api/auth/login and send its access_token as Authorization: Bearer.")
	case 1:
		return found[0], nil
	}
	return "", problem(http.StatusBadRequest, "The request carries two different credentials. Send one.").as(codeTwoCredentials)
}

func unauthorized(detail string) *Problem {
	p := problem(http.StatusUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {`Bearer realm="point"`}}
	return p
}
