package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/internal/openid"
	"point/store"
)

// OpenID is a provider that people may sign in at, and what becomes of them here.
type OpenID struct {
	Client      *openid.Client
	Name        string      // for the button
	Roles       []GroupRole // empty: roles are given in Point
	DefaultRole string      // of those whom no group gives one; empty: they do not get in
}

// GroupRole is the role that a group of the provider gives.
type GroupRole struct{ Group, Role string }

// Methods are the ways to sign in.
type Methods struct {
	Password bool          `json:"password" doc:"POST /api/auth/login takes an email address and a password."`
	OIDC     *MethodOpenID `json:"oidc,omitempty" doc:"An OpenID provider; absent if there is none."`
}

// MethodOpenID is sign-in at an OpenID provider.
type MethodOpenID struct {
	Name  string `json:"name" doc:"Of the provider, for the button." example:"Example"`
	Start string `json:"start" format:"uri" doc:"Where to send the browser, under the address that the provider sends it back to." example:"https://point.example.com/api/auth/oidc/start"`
}

type methodsOutput struct{ Body Methods }

func (a *API) getMethods(context.Context, *none) (*methodsOutput, error) {
	out := &methodsOutput{Body: Methods{Password: true}}
	if a.OpenID != nil {
		out.Body.OIDC = &MethodOpenID{Name: a.OpenID.Name, Start: a.PublicURL + "/api/auth/oidc/start"}
	}
	return out, nil
}

// signInFailure is why a sign-in at the provider came to nothing: a code that the console's
// sign-in page explains, and for the log what happened.
type signInFailure struct {
	code  string
	cause error
}

func (f *signInFailure) Error() string { return f.code + ": " + f.cause.Error() }
func (f *signInFailure) Unwrap() error { return f.cause }

// The codes of signInFailure.
const (
	failCancelled   = "cancelled"   // by the user, at the provider
	failExpired     = "expired"     // too late, of another browser, or for the second time
	failUnavailable = "unavailable" // the provider is away
	failRefused     = "refused"     // what the provider sent proves nothing
	failEmail       = "email"       // the provider vouches for no address
	failTaken       = "taken"       // the address is another user's
	failRole        = "role"        // no group gives a role
	failDisabled    = "disabled"    // the user may not sign in
	failSetup       = "setup"       // there is no owner yet
	failBusy        = "busy"        // too many tries
	failInternal    = "internal"
)

func failure(code, cause string) error { return &signInFailure{code, errors.New(cause)} }

// codeOf is the code of what went wrong.
func codeOf(err error) string {
	var f *signInFailure
	var p *Problem
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, openid.ErrUnavailable):
		return failUnavailable
	case errors.Is(err, openid.ErrRefused):
		return failRefused
	case errors.Is(err, store.ErrStale), errors.As(err, &p) && p.Status == http.StatusUnauthorized:
		return failExpired // somebody changed the user meanwhile
	case errors.As(err, &p) && p.Status == http.StatusTooManyRequests:
		return failBusy
	}
	return failInternal
}

// flow is a sign-in under way, as the browser keeps it.
type flow struct {
	openid.Flow
	Next string `json:"next"` // page of the console to go on with
}

const (
	flowCookie    = "point_oidc"
	flowPath      = "/api/auth/oidc"
	maxFlowCookie = 4 << 10
	providerGate  = "OpenID provider" // whose failures are counted together
)

type startInput struct {
	Client
	Next string `query:"next" maxLength:"1024" doc:"Page of the console to go on with, such as /providers." example:"/providers"`
}

type redirectOutput struct {
	Location  string   `header:"Location" doc:"The next page."`
	SetCookie []string `header:"Set-Cookie" doc:"What the browser keeps meanwhile, or the refresh token, both HttpOnly."`
}

// startOIDC sends the browser to the provider.
func (a *API) startOIDC(ctx context.Context, in *startInput) (*redirectOutput, error) {
	if a.OpenID == nil {
		return nil, errNoOpenID
	}
	begun, page, err := a.OpenID.Client.Begin(ctx)
	if err != nil {
		return a.notSignedIn(ctx, in.client, err), nil
	}
	sealed, err := a.sealFlow(flow{begun, ownPage(in.Next)})
	if err != nil {
		return a.notSignedIn(ctx, in.client, err), nil
	}
	return &redirectOutput{Location: page, SetCookie: []string{a.flowCookie(sealed, begun.Expires, in.client)}}, nil
}

var errNoOpenID = problem(http.StatusNotFound, "Nobody signs in at an OpenID provider here. The operator sets one up by POINT_OIDC_ISSUER.").as(codeNoOpenID)

type callbackInput struct {
	Client
	cookie string
	query  url.Values
}

// Resolve takes cookie and query as they are: providers add parameters of their own.
func (in *callbackInput) Resolve(ctx huma.Context) []error {
	if cookie, err := huma.ReadCookie(ctx, flowCookie); err == nil {
		in.cookie = cookie.Value
	}
	u := ctx.URL()
	in.query = u.Query()
	return in.Client.Resolve(ctx)
}

// callbackParams are the parameters that count.
func callbackParams() []*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	return []*huma.Param{
		{Name: "state", In: "query", Description: "Of the sign-in that comes back.", Schema: text, Example: "5QJH7SHPTC4DOQ6BEQHCOFHK4M"},
		{Name: "code", In: "query", Description: "Is traded for who signed in.", Schema: text, Example: "SplxlOBeZQQYbYS6WxSbIA"},
		{Name: "iss", In: "query", Description: "The provider, RFC 9207.", Schema: text, Example: "https://id.example.com"},
		{Name: "error", In: "query", Description: "Why nobody signed in.", Schema: text, Example: "access_denied"},
	}
}

// finishOIDC takes what the browser brings back from the provider, and signs its user in. What
// fails ends on the sign-in page, with a code and none of the provider's words.
func (a *API) finishOIDC(ctx context.Context, in *callbackInput) (*redirectOutput, error) {
	if a.OpenID == nil {
		return nil, errNoOpenID
	}
	f, err := a.openFlow(in)
	if err != nil {
		return a.notSignedIn(ctx, in.client, err), nil
	}
	out, err := a.signInAtProvider(ctx, f, in)
	if err != nil {
		return a.notSignedIn(ctx, in.client, err), nil
	}
	return &redirectOutput{Location: f.Next, SetCookie: []string{out.SetCookie, a.flowCookie("", time.Time{}, in.client)}}, nil
}

// openFlow is the sign-in that comes back, if this browser began it.
func (a *API) openFlow(in *callbackInput) (f flow, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(in.cookie)
	if err != nil || in.cookie == "" || len(in.cookie) > maxFlowCookie {
		return f, failure(failExpired, "the browser brings no sign-in back")
	}
	raw, err := a.Store.OpenSignIn(sealed)
	if err != nil {
		return f, &signInFailure{failExpired, err}
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, &signInFailure{failExpired, err}
	}
	if !f.Belongs(in.query, a.Now()) {
		return f, failure(failExpired, "it is another sign-in, or too late")
	}
	return f, nil
}

// signInAtProvider starts a session for who signed in. Tries that prove nothing are counted as
// wrong passwords are.
func (a *API) signInAtProvider(ctx context.Context, f flow, in *callbackInput) (*tokenOutput, error) {
	if code := in.query.Get("error"); code != "" {
		return nil, providerFailure(code)
	}
	if err := a.mayTry(ctx, "sign-in", providerGate, in.client); err != nil {
		return nil, err
	}
	var conflict *store.Conflict
	switch err := a.Store.UseSignIn(ctx, sha256.Sum256([]byte(f.State)), f.Expires); {
	case errors.As(err, &conflict):
		return nil, failure(failExpired, "it came back before")
	case err != nil:
		return nil, err
	}
	account, err := a.OpenID.Client.Finish(ctx, f.Flow, in.query)
	if err == nil || errors.Is(err, openid.ErrUnavailable) {
		a.gate.forget(providerGate, in.client.address)
	}
	if err != nil {
		return nil, err
	}
	user, err := a.providerUser(ctx, account)
	if err != nil {
		return nil, err
	}
	a.auditUser(ctx, point.AuditSignIn, point.AuditOK, user)
	a.Log.InfoContext(ctx, "api: signed in at the OpenID provider", "email", user.Email, "role", user.Role, "address", in.client.address)
	return a.startSessionFor(ctx, user, in.client, providerSessionLife)
}

// providerSessionLife is short: groups are looked at when people sign in, and the provider
// mostly knows them still.
const providerSessionLife = 24 * time.Hour

// providerFailure reads the provider's own word for why nobody signed in.
func providerFailure(code string) error {
	switch code {
	case "access_denied":
		return failure(failCancelled, "the user did not agree")
	case "server_error", "temporarily_unavailable":
		return failure(failUnavailable, "the provider says that it failed")
	}
	return failure(failRefused, "the provider refused")
}

// notSignedIn sends the browser to the sign-in page, which says why.
func (a *API) notSignedIn(ctx context.Context, c caller, err error) *redirectOutput {
	code := codeOf(err)
	if code == failInternal {
		_ = a.failed(ctx, "finishOIDC", err) // logs it
	} else {
		a.audit(ctx, point.AuditEntry{Event: point.AuditSignInFailed, Result: point.AuditFailed, TargetKind: point.EntityUser, Detail: json.RawMessage(`{"code":"` + code + `"}`)})
		a.Log.WarnContext(ctx, "api: a sign-in at the OpenID provider failed", "code", code, "error", err, "address", c.address)
	}
	return &redirectOutput{Location: "/sign-in?error=" + code, SetCookie: []string{a.flowCookie("", time.Time{}, c)}}
}

func (a *API) sealFlow(f flow) (string, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	sealed, err := a.Store.SealSignIn(raw)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// flowCookie is the cookie of a sign-in under way; an empty value takes it away. It is Lax, since
// the provider's page sends the browser back.
func (a *API) flowCookie(value string, expires time.Time, c caller) string {
	cookie := http.Cookie{
		Name: flowCookie, Value: value, Path: flowPath, HttpOnly: true, Secure: c.secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(expires.Sub(a.Now()) / time.Second),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	return cookie.String()
}

// ownPage is next if it is a page of the console, and the first one otherwise: a link must not
// lead through a sign-in to somewhere else.
func ownPage(next string) string {
	u, err := url.Parse(next)
	own := err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && strings.HasPrefix(next, "/") &&
		!strings.HasPrefix(next, "//") && !strings.ContainsAny(next, "\\") && !strings.HasPrefix(u.Path, "/api/")
	if !own || strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "/"
	}
	return next
}
