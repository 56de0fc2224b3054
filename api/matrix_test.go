package api

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"point"
	"point/store"
)

// policy says who may use each route: everybody, or a role and those above it. It is kept
// apart from the route table on purpose: both must say the same. What every user may do stands
// at member.
var policy = map[string]string{
	"GET /api/setup":                 "",
	"POST /api/setup":                "",
	"POST /api/auth/login":           "",
	"POST /api/auth/refresh":         "",
	"POST /api/auth/logout":          "",
	"GET /api/auth/methods":          "",
	"GET /api/auth/oidc/start":       "",
	"GET /api/auth/oidc/callback":    "",
	"GET /api/auth/me":               member,
	"GET /api/auth/sessions":         member,
	"DELETE /api/auth/sessions/{id}": member,
	"GET /api/auth/jwks":             "",
	"GET /.well-known/jwks.json":     "",
	"GET /api/providers":             point.RoleViewer,
	"POST /api/providers":            point.RoleOperator,
	"GET /api/providers/{id}":        point.RoleViewer,
	"PUT /api/providers/{id}":        point.RoleOperator,
	"DELETE /api/providers/{id}":     point.RoleOperator,
	"POST /api/providers/{id}/test":  point.RoleOperator,
	"GET /api/provider-kinds":        point.RoleViewer,
	"GET /api/endpoints":             point.RoleViewer,
	"GET /api/endpoints/{id}":        point.RoleViewer,
	"PUT /api/endpoints/{id}":        point.RoleOperator,
	"POST /api/endpoints/{id}/test":  point.RoleOperator,
	"POST /api/route/explain":        point.RoleViewer,
	"GET /api/aliases":               point.RoleViewer,
	"PUT /api/aliases/{name}":        point.RoleOperator,
	"DELETE /api/aliases/{name}":     point.RoleOperator,
	"GET /api/models":                point.RoleViewer,
	"GET /api/keys":                  point.RoleViewer,
	"POST /api/keys":                 point.RoleOperator,
	"GET /api/keys/{id}":             point.RoleViewer,
	"PUT /api/keys/{id}":             point.RoleOperator,
	"DELETE /api/keys/{id}":          point.RoleOperator,
	"GET /api/requests":              point.RoleViewer,
	"GET /api/requests/stats":        point.RoleViewer,
	"GET /api/requests/{id}":         point.RoleViewer,
	"GET /api/requests/{id}/bodies":  point.RoleAdmin,
	"POST /api/requests/{id}/replay": point.RoleAdmin,
	"GET /api/events":                point.RoleViewer,
	"GET /api/status":                point.RoleViewer,
	"GET /api/status/health":         point.RoleViewer,
	"GET /api/alerts":                point.RoleViewer,
	"GET /api/logs":                  point.RoleOperator,
	"GET /api/audit":                 point.RoleAdmin,
	"GET /api/audit/checkpoints":     point.RoleAdmin,
	"GET /api/audit/verify":          point.RoleAdmin,
	"GET /api/secrets":               point.RoleAdmin,
	"GET /api/backup":                point.RoleOwner,
	"POST /api/secrets/rotate":       point.RoleOwner,
	"GET /api/openapi.json":          "",

	"GET /api/alerts/{id}":              point.RoleViewer,
	"POST /api/alerts/{id}/acknowledge": point.RoleOperator,
	"POST /api/alerts/{id}/resolve":     point.RoleOperator,
	"GET /api/alert-rules":              point.RoleViewer,
	"POST /api/alert-rules":             point.RoleOperator,
	"GET /api/alert-rules/{id}":         point.RoleViewer,
	"PUT /api/alert-rules/{id}":         point.RoleOperator,
	"DELETE /api/alert-rules/{id}":      point.RoleOperator,
	"GET /api/notifiers":                point.RoleOperator,
	"POST /api/notifiers":               point.RoleAdmin,
	"GET /api/notifiers/{id}":           point.RoleOperator,
	"PUT /api/notifiers/{id}":           point.RoleAdmin,
	"DELETE /api/notifiers/{id}":        point.RoleAdmin,
	"POST /api/notifiers/{id}/test":     point.RoleOperator,
	"GET /api/silences":                 point.RoleViewer,
	"POST /api/silences":                point.RoleOperator,
	"GET /api/silences/{id}":            point.RoleViewer,
	"PUT /api/silences/{id}":            point.RoleOperator,
	"DELETE /api/silences/{id}":         point.RoleOperator,
	"GET /api/prices":                   point.RoleViewer,
	"POST /api/prices/import":           point.RoleAdmin,
	"PUT /api/prices/{kind}/{model}":    point.RoleAdmin,
	"GET /api/models/{kind}/{model}":    point.RoleViewer,
	"PUT /api/models/{kind}/{model}":    point.RoleAdmin,
	"DELETE /api/models/{kind}/{model}": point.RoleAdmin,
	"DELETE /api/prices/{kind}/{model}": point.RoleAdmin,
	"GET /api/aliases/{name}":           point.RoleViewer,
	"POST /api/aliases":                 point.RoleOperator,

	"POST /api/auth/accept":           "",
	"PUT /api/auth/password":          member,
	"POST /api/auth/keys/rotate":      point.RoleOwner,
	"POST /api/keys/{id}/rotate":      point.RoleOperator,
	"GET /api/users":                  point.RoleOperator,
	"POST /api/users":                 point.RoleAdmin,
	"GET /api/users/{id}":             point.RoleOperator,
	"PUT /api/users/{id}":             point.RoleAdmin,
	"DELETE /api/users/{id}":          point.RoleAdmin,
	"POST /api/users/{id}/invitation": point.RoleAdmin,
	"GET /api/users/{id}/sessions":    point.RoleOperator,
	"DELETE /api/users/{id}/sessions": point.RoleAdmin,
	"GET /api/roles":                  point.RoleOperator,
	"POST /api/roles":                 point.RoleAdmin,
	"GET /api/roles/{name}":           point.RoleOperator,
	"PUT /api/roles/{name}":           point.RoleAdmin,
	"DELETE /api/roles/{name}":        point.RoleAdmin,
	"GET /api/permissions":            member,
	"GET /api/tokens":                 point.RoleViewer,
	"POST /api/tokens":                point.RoleViewer,
	"DELETE /api/tokens/{id}":         point.RoleViewer,

	"GET /api/configs":                       point.RoleViewer,
	"POST /api/configs":                      point.RoleOperator,
	"GET /api/configs/export":                point.RoleViewer,
	"POST /api/configs/export":               point.RoleAdmin,
	"POST /api/configs/import":               point.RoleOperator,
	"GET /api/configs/{id}":                  point.RoleViewer,
	"PUT /api/configs/{id}":                  point.RoleOperator,
	"DELETE /api/configs/{id}":               point.RoleOperator,
	"GET /api/configs/{id}/diff":             point.RoleViewer,
	"POST /api/configs/{id}/activate":        point.RoleOperator,
	"GET /api/revisions":                     point.RoleViewer,
	"GET /api/revisions/{version}":           point.RoleViewer,
	"GET /api/revisions/{version}/diff":      point.RoleViewer,
	"POST /api/revisions/{version}/rollback": point.RoleOperator,
	"GET /api/settings":                      point.RoleViewer,
	"PUT /api/settings":                      point.RoleAdmin,
	"GET /api/docs":                          "",
	"GET /api/docs/docs.js":                  "",
	"GET /api/docs/docs.css":                 "",
}

// member is a role without any permission.
const member = "member"

// ranks orders the roles, built-in ones and that without any permission.
var ranks = []string{member, point.RoleViewer, point.RoleOperator, point.RoleAdmin, point.RoleOwner}

// withMember adds a user whose role has no permission.
func (w *world) withMember() *world {
	if err := w.store.CreateRole(w.t.Context(), &point.Role{Name: member}); err != nil {
		w.t.Fatal(err)
	}
	u := w.user(member, func(u *point.User) { u.Role = member })
	w.users[member], w.tokens[member] = u, w.signIn(u)
	return w
}

func TestEveryRouteHasAPolicy(t *testing.T) {
	a, err := build(Deps{})
	if err != nil {
		t.Fatal(err)
	}
	left := maps.Clone(policy)
	for _, r := range a.routes() {
		name := r.method + " " + r.path
		if _, ok := left[name]; !ok {
			t.Errorf("%s has no row in policy", name)
		}
		delete(left, name)
		for _, broken := range []route{{r.method, r.path, "", r.handler, r.summary}, {r.method, r.path, "nobody:has", r.handler, r.summary}} {
			if broken.check() == nil {
				t.Errorf("%s would start with the permission %q", name, broken.permission)
			}
		}
	}
	for name := range left {
		t.Errorf("%s is in policy, but is no route", name)
	}
}

// forger makes credentials of every kind.
type forger struct {
	w   *world
	key store.SigningKey
}

func newForger(w *world) forger {
	keys, err := w.store.SigningKeys(w.t.Context())
	if err != nil || len(keys) == 0 {
		w.t.Fatal(keys, err)
	}
	return forger{w, keys[0]}
}

// token is a good owner's token, but for what change does to it.
func (f forger) token(method jwt.SigningMethod, key any, change func(c *claims, header map[string]any)) string {
	f.w.t.Helper()
	u, now := f.w.users[point.RoleOwner], f.w.clock.Now()
	c := &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: u.ID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
		},
		SessionID: store.NewID(now), UserID: u.ID, UserVersion: u.Version, Role: u.Role,
	}
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"], token.Header["typ"] = f.key.ID, tokenType
	change(c, token.Header)
	signed, err := token.SignedString(key)
	if err != nil {
		f.w.t.Fatal(err)
	}
	return signed
}

func (f forger) good(change func(c *claims, header map[string]any)) string {
	return f.token(jwt.SigningMethodEdDSA, ed25519.NewKeyFromSeed([]byte(f.key.Private.Reveal())), change)
}

// refused are the credentials that open nothing, by name, as pairs of headers.
func (f forger) refused() map[string][]string {
	w, now := f.w, f.w.clock.Now()
	_, foreign, _ := ed25519.GenerateKey(rand.Reader)
	same := func(*claims, map[string]any) {}
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	none := f.token(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same)
	recased := func(alg string) string {
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","typ":"at+jwt","kid":"` + f.key.ID + `"}`))
		return head + none[strings.IndexByte(none, '.'):]
	}
	good := f.good(same)
	all := map[string][]string{
		"nothing":             nil,
		"garbage":             bearer("garbage"),
		"dots":                bearer(strings.Repeat(".", 3000)),
		"1 MiB":               bearer(strings.Repeat("a", 1<<20)),
		"expired":             bearer(f.good(func(c *claims, _ map[string]any) { c.ExpiresAt = jwt.NewNumericDate(now.Add(-2 * time.Minute)) })),
		"without expiry":      bearer(f.good(func(c *claims, _ map[string]any) { c.ExpiresAt = nil })),
		"not yet":             bearer(f.good(func(c *claims, _ map[string]any) { c.NotBefore = jwt.NewNumericDate(now.Add(2 * time.Minute)) })),
		"of the future":       bearer(f.good(func(c *claims, _ map[string]any) { c.IssuedAt = jwt.NewNumericDate(now.Add(2 * time.Minute)) })),
		"other audience":      bearer(f.good(func(c *claims, _ map[string]any) { c.Audience = jwt.ClaimStrings{"elsewhere"} })),
		"other issuer":        bearer(f.good(func(c *claims, _ map[string]any) { c.Issuer = "elsewhere" })),
		"other type":          bearer(f.good(func(_ *claims, h map[string]any) { h["typ"] = "JWT" })),
		"without session":     bearer(f.good(func(c *claims, _ map[string]any) { c.SessionID = "" })),
		"other subject":       bearer(f.good(func(c *claims, _ map[string]any) { c.Subject = w.users[point.RoleViewer].ID })),
		"old user version":    bearer(f.good(func(c *claims, _ map[string]any) { c.UserVersion-- })),
		"unknown key id":      bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = "other" })),
		"no key id":           bearer(f.good(func(_ *claims, h map[string]any) { delete(h, "kid") })),
		"key id of a file":    bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = "../../../dev/null" })),
		"key id with SQL":     bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = "' OR '1'='1" })),
		"foreign key":         bearer(f.token(jwt.SigningMethodEdDSA, foreign, same)),
		"alg none":            bearer(none),
		"alg None":            bearer(recased("None")),
		"alg nOnE":            bearer(recased("nOnE")),
		"HS256 by public key": bearer(f.token(jwt.SigningMethodHS256, []byte(f.key.Public), same)),
		"signature cut":       bearer(good[:len(good)-4]),
		"client key":          bearer(w.clientKey()),
		"client key, header":  {"X-Api-Key", w.clientKey()},
		"refresh token":       bearer(newRefreshToken(w.store.Snapshot().KeySecret, store.NewID(now)).String()),
		"refresh cookie":      {"Cookie", refreshCookie + "=" + newRefreshToken(w.store.Snapshot().KeySecret, store.NewID(now)).String()},
		"basic":               {"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("owner@example.com:"+password))},
		"disabled user":       bearer(w.signInThen("disabled", func(u *point.User) { u.Disabled = true })),
		"role was lowered":    bearer(w.signInThen("lowered", func(u *point.User) { u.Role = point.RoleViewer })),
		"user is gone":        bearer(f.good(func(c *claims, _ map[string]any) { c.UserID, c.Subject = c.SessionID, c.SessionID })),
		"session was ended":   bearer(w.revokedSession()),
	}
	maps.Copy(all, f.forged())
	maps.Copy(all, w.ended())
	return all
}

func (w *world) clientKey() string {
	token := point.NewSecret("pt-" + rand.Text())
	if err := w.store.CreateKey(w.t.Context(), &point.Key{Name: "k", Status: point.StatusActive}, token); err != nil {
		w.t.Fatal(err)
	}
	return token.Reveal()
}

// user makes an owner that is as change leaves it.
func (w *world) user(name string, change func(*point.User)) *point.User {
	w.t.Helper()
	u := &point.User{Email: name + "@example.com", Role: point.RoleOwner}
	change(u)
	if err := w.store.CreateUser(w.t.Context(), u); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// signInThen signs an owner in and changes them afterwards.
func (w *world) signInThen(name string, change func(*point.User)) string {
	w.t.Helper()
	u := w.user(name, func(*point.User) {})
	token := w.signIn(u)
	change(u)
	if err := w.store.UpdateUser(w.t.Context(), u); err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) revokedSession() string {
	w.t.Helper()
	token := w.signIn(w.users[point.RoleOwner])
	c, err := w.api.tokens.verify(w.t.Context(), token)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.RevokeSession(w.t.Context(), c.SessionID); err != nil {
		w.t.Fatal(err)
	}
	return token
}

// target is a route of the table as the attack matrices ask for it: about things that do not
// exist.
type target struct {
	name, role string // as in policy
	method     string
	path       string
	body       string
}

// targets are all routes of policy.
func targets() (list []target) {
	for _, name := range slices.Sorted(maps.Keys(policy)) {
		x := target{name: name, role: policy[name]}
		x.method, x.path, _ = strings.Cut(name, " ")
		x.path = pathParameter.ReplaceAllStringFunc(x.path, func(p string) string {
			if strings.Contains(p, "id}") {
				return "01890000-0000-7000-8000-000000000000"
			}
			return "1000000" // a name that nothing has, and a number beyond all
		})
		if x.method != http.MethodGet && x.method != http.MethodDelete {
			x.body = "{}"
		}
		list = append(list, x)
	}
	return list
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// request asks for x; header holds pairs. What would stream has been left already.
func (x target) request(header ...string) *http.Request {
	r := request(x.method, x.path, "", x.body, header...)
	if strings.HasSuffix(x.path, "/events") {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		r = r.WithContext(ctx)
	}
	return r
}

// each calls f with a request to every route, its id one that does not exist.
func each(f func(name, role string, make func(header ...string) *http.Request)) {
	for _, x := range targets() {
		f(x.name, x.role, x.request)
	}
}

// holes are the requests to x that are answered against policy: each role, each credential that
// opens nothing, two credentials. count is told of every request.
func (w *world) holes(x target, refused map[string][]string, count func()) iter.Seq[string] {
	bearer := func(role string) []string { return []string{"Authorization", "Bearer " + w.tokens[role]} }
	return func(yield func(string) bool) {
		for rank, have := range ranks {
			count()
			a := w.send(x.request(bearer(have)...))
			allowed := x.role == "" || rank >= slices.Index(ranks, x.role)
			wrong := (a.status == http.StatusForbidden) == allowed || allowed && a.status == http.StatusUnauthorized && x.role != "" || a.status >= 500
			if wrong && !yield(fmt.Sprintf("%s as %s: %d %s", x.name, have, a.status, a.body)) {
				return
			}
		}
		for kind, header := range refused {
			count()
			before := w.store.Snapshot().Version
			a := w.send(x.request(header...))
			denied := a.status == http.StatusUnauthorized && a.header.Get("Www-Authenticate") != "" && w.store.Snapshot().Version == before
			if x.role != "" && !denied && !yield(fmt.Sprintf("%s with %s: %d %s", x.name, kind, a.status, a.body)) {
				return
			}
		}
		count()
		two := w.send(x.request(append(bearer(point.RoleOwner), "X-Api-Key", "pt-other")...))
		if x.role != "" && two.status != http.StatusBadRequest {
			yield(fmt.Sprintf("%s with two credentials: %d %s", x.name, two.status, two.body))
		}
	}
}

func TestMatrix(t *testing.T) {
	w := newWorld(t).withUsers().withMember()
	refused := newForger(w).refused()
	count := 0
	version := w.store.Snapshot().Version
	for _, x := range targets() {
		for hole := range w.holes(x, refused, func() { count++ }) {
			t.Error(hole)
		}
	}
	if now := w.store.Snapshot().Version; now != version {
		t.Errorf("the configuration went from version %d to %d", version, now)
	}
	t.Logf("%d requests", count)
}

// TestMatrixSeesEveryPolicy takes the policy of each route away, in memory, and lowers it to
// what every user may: each time the matrix finds a hole at this route.
func TestMatrixSeesEveryPolicy(t *testing.T) {
	w := newWorld(t).withUsers().withMember()
	refused := newForger(w).refused()
	w.quiet = true // a route that is open by mistake may do anything
	dropped := 0
	for _, x := range targets() {
		for _, weaker := range []Permission{Public, SignedIn} {
			if x.role == "" || x.role == member && weaker == SignedIn {
				continue
			}
			dropped++
			policies := w.policies(x)
			kept := policies[metaPermission]
			policies[metaPermission] = weaker
			next, stop := iter.Pull(w.holes(x, refused, func() {}))
			if _, found := next(); !found {
				t.Errorf("%s may be had as %s, and no check fails", x.name, weaker)
			}
			stop()
			policies[metaPermission] = kept
		}
	}
	t.Logf("%d policies were dropped", dropped)
}

// policies is where authorize looks for the policy of x.
func (w *world) policies(x target) map[string]any {
	w.t.Helper()
	op := w.operation(x.request())
	if op == nil || op.Metadata[metaPermission] == nil {
		w.t.Fatalf("%s has no policy to take away", x.name)
	}
	return op.Metadata
}

func TestOrigins(t *testing.T) {
	w := newWorld(t).withUsers()
	origins := map[string]bool{ // whether a page of it may write
		"":                           true,
		"http://localhost:8080":      true,
		"https://console.example":    true,
		"https://evil.example":       false,
		"http://localhost:9999":      false,
		"https://console.example.io": false,
		"null":                       false,
		"file://":                    false,
	}
	each(func(name, _ string, make func(...string) *http.Request) {
		for origin, allowed := range origins {
			r := make("Authorization", "Bearer "+w.tokens[point.RoleOwner])
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			a := w.send(r)
			if read := r.Method == http.MethodGet; !read && (a.status == http.StatusForbidden) == allowed {
				t.Errorf("%s from %q: %d %s", name, origin, a.status, a.body)
			}
			for header := range a.header {
				if strings.HasPrefix(header, "Access-Control-") {
					t.Errorf("%s from %q may be read there: %s", name, origin, header)
				}
			}
			for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
				if a.header.Get(header) != want {
					t.Errorf("%s: %s is %q", name, header, a.header.Get(header))
				}
			}
		}
		if r := make("Authorization", "Bearer "+w.tokens[point.RoleOwner]); r.Method == http.MethodPost || r.Method == http.MethodPut {
			for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
				r := make("Authorization", "Bearer "+w.tokens[point.RoleOwner], "Content-Type", kind)
				if a := w.send(r); a.status != http.StatusUnsupportedMediaType {
					t.Errorf("%s with %q: %d %s", name, kind, a.status, a.body)
				}
			}
		}
	})
	pre := w.do("", http.MethodOptions, "/api/providers", "", "Origin", "https://console.example", "Access-Control-Request-Method", "POST")
	if pre.status < 400 || pre.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(pre)
	}
	for host, status := range map[string]int{"point.example": 200, "POINT.example:443": 200, "console.example": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "evil.example": 421, "": 421} {
		r := request(http.MethodGet, "/api/openapi.json", "", "")
		r.Host = host
		if a := w.send(r); a.status != status {
			t.Errorf("Host %q: %d", host, a.status)
		}
	}
}
