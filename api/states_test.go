package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"point"
)

// forged are access tokens by other means: a key that is not Point's, named in the token itself, the
// public key in the place of a secret one, another's words under a good signature.
func (f forger) forged() map[string][]string {
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	same := func(*claims, map[string]any) {}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(f.key.Public))
	if err != nil {
		f.w.t.Fatal(err)
	}
	public, foreign, _ := ed25519.GenerateKey(rand.Reader)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.w.t.Fatal(err)
	}
	x := base64.RawURLEncoding.EncodeToString
	all := map[string][]string{
		"RS256 by a foreign key":   bearer(f.token(jwt.SigningMethodRS256, own, same)),
		"HS256 by nothing":         bearer(f.token(jwt.SigningMethodHS256, []byte{}, same)),
		"HS256 by the key's id":    bearer(f.token(jwt.SigningMethodHS256, []byte(f.key.ID), same)),
		"of another one's session": bearer(f.good(func(c *claims, _ map[string]any) { c.UserID = f.w.users[point.RoleAdmin].ID })),
		"words of another token":   bearer(f.spliced()),
		"empty kid":                bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = "" })),
		"list of kids":             bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = []string{f.key.ID} })),
		"kid is a URL":             bearer(f.good(func(_ *claims, h map[string]any) { h["kid"] = "https://evil.example/jwks.json" })),
		"no audience":              bearer(f.good(func(c *claims, _ map[string]any) { c.Audience = nil })),
		"no issuer":                bearer(f.good(func(c *claims, _ map[string]any) { c.Issuer = "" })),
		"no type":                  bearer(f.good(func(_ *claims, h map[string]any) { delete(h, "typ") })),
		"an id token":              bearer(f.good(func(_ *claims, h map[string]any) { h["typ"] = "id+jwt" })),
		"version of the future":    bearer(f.good(func(c *claims, _ map[string]any) { c.UserVersion++ })),
		"in parentheses":           bearer("(" + f.good(same) + ")"),
		"four parts":               bearer(f.good(same) + ".e30"),
		"signature doubled":        bearer(f.good(same) + strings.SplitN(f.good(same), ".", 3)[2]),
	}
	for name, secret := range map[string][]byte{
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "hex": []byte(hex.EncodeToString(f.key.Public)),
		"base64": []byte(x(f.key.Public)),
	} {
		for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
			all[method.Alg()+" by the public key in "+name] = bearer(f.token(method, secret, same))
		}
	}
	for name, value := range map[string]any{
		"jwk": map[string]string{"kty": "OKP", "crv": "Ed25519", "x": x(public)}, "jku": "https://evil.example/jwks.json",
		"x5u": "https://evil.example/cert.pem", "x5c": []string{base64.StdEncoding.EncodeToString(der)},
	} {
		all["foreign key named by "+name] = bearer(f.token(jwt.SigningMethodEdDSA, foreign, func(_ *claims, h map[string]any) { h[name] = value }))
	}
	return all
}

// spliced is an owner's words under the signature of a viewer's token.
func (f forger) spliced() string {
	owners, viewers := strings.Split(f.good(func(*claims, map[string]any) {}), "."), strings.Split(f.w.tokens[point.RoleViewer], ".")
	return viewers[0] + "." + owners[1] + "." + viewers[2]
}

// pat makes a personal access token as the store takes it, whatever the user's role says.
func (w *world) pat(u *point.User, life time.Duration, scopes ...Permission) (*point.Token, string) {
	w.t.Helper()
	x := &point.Token{UserID: u.ID, Name: "state", ExpiresAt: w.clock.Now().Add(life)}
	for _, s := range scopes {
		x.Scopes = append(x.Scopes, string(s))
	}
	text := userTokenPrefix + rand.Text() + rand.Text()
	if err := w.store.CreateToken(w.t.Context(), x, point.NewSecret(text)); err != nil {
		w.t.Fatal(err)
	}
	return x, text
}

// must ends the test if there is an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// ended are personal access tokens, and sessions, that were good once.
func (w *world) ended() map[string][]string {
	ctx := w.t.Context()
	revoked, revokedText := w.pat(w.users[owned], time.Hour, owner...)
	w.must(w.store.DeleteToken(ctx, revoked.ID))
	_, expired := w.pat(w.users[owned], -time.Second, owner...)
	_, good := w.pat(w.users[owned], time.Hour, owner...)
	all := map[string]string{
		"token, revoked":   revokedText,
		"token, expired":   expired,
		"token, unknown":   userTokenPrefix + rand.Text() + rand.Text(),
		"token, cut off":   good[:len(good)-1],
		"token, too long":  good + "A",
		"token, recased":   userTokenPrefix + strings.ToLower(good[len(userTokenPrefix):]),
		"token, no prefix": good[len(userTokenPrefix):],
		"token, prefix":    userTokenPrefix,
		"token, its id":    userTokenPrefix + revoked.ID,
		"token, its hash":  userTokenPrefix + hex.EncodeToString(revoked.Hash[:]),
		"token, 1 MiB":     userTokenPrefix + strings.Repeat("A", 1<<20),
	}
	for name, end := range map[string]func(*point.User) error{
		"disabled": func(u *point.User) error { u.Disabled = true; return w.store.UpdateUser(ctx, u) },
		"deleted":  func(u *point.User) error { return w.store.DeleteUser(ctx, u.ID, u.Version) },
		"disabled, enabled anew": func(u *point.User) error {
			u.Disabled = true
			err := w.store.UpdateUser(ctx, u)
			u.Disabled = false
			if err == nil {
				err = w.store.UpdateUser(ctx, u)
			}
			return err
		},
	} {
		u := w.user("ended-"+strings.ReplaceAll(name, " ", ""), func(*point.User) {})
		_, all["token of a user, "+name] = w.pat(u, time.Hour, owner...)
		all["session of a user, "+name] = w.signIn(u)
		w.must(end(u))
	}
	u := w.user("another-password", func(*point.User) {})
	all["session before a new password"] = w.signIn(u)
	u.PasswordHash = "$argon2id$x"
	w.must(w.store.UpdateUser(ctx, u))
	headers := map[string][]string{"token in a cookie": {"Cookie", "access_token=" + good}, "token as basic": {"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("token:"+good))}}
	for name, token := range all {
		headers[name] = []string{"Authorization", "Bearer " + token}
	}
	return headers
}

// bySessionOnly are the routes that no personal access token opens; kept apart from the route
// table as policy is.
var bySessionOnly = []string{
	"PUT /api/auth/password", "GET /api/auth/sessions", "DELETE /api/auth/sessions/{id}", "POST /api/tokens", "POST /api/users/{id}/invitation",
}

// narrowed is a credential that gives less than it once did, or than it says.
type narrowed struct {
	name, credential string
	as               string   // what it gives is what this role does
	only             []string // or these routes, and what every user may
}

// may says whether it opens a route.
func (n narrowed) may(x target) bool {
	switch {
	case x.role == "":
		return true
	case strings.HasPrefix(n.credential, userTokenPrefix) && slices.Contains(bySessionOnly, x.name):
		return false
	case n.only != nil:
		return x.role == member || slices.Contains(n.only, x.name)
	}
	return slices.Index(ranks, n.as) >= slices.Index(ranks, x.role)
}

// customUser is a user of a role of their own with the permissions of a viewer.
func (w *world) customUser(name string) (*point.User, *point.Role) {
	w.t.Helper()
	r := &point.Role{Name: name}
	for _, p := range viewer {
		r.Permissions = append(r.Permissions, string(p))
	}
	w.must(w.store.CreateRole(w.t.Context(), r))
	return w.user(name, func(u *point.User) { u.Role = name }), r
}

// narrowings are the credentials whose user, role or scopes are not what they were.
func (w *world) narrowings() (list []narrowed) {
	ctx := w.t.Context()
	add := func(name, credential, as string, only ...string) {
		list = append(list, narrowed{name, credential, as, only})
	}
	lower := func(to string) *point.User {
		u := w.user("lowered-to-"+to, func(*point.User) {})
		_, text := w.pat(u, time.Hour, owner...)
		u.Role = to
		w.must(w.store.UpdateUser(ctx, u))
		add("token of a user who was owner", text, to)
		return u
	}
	for _, to := range []string{point.RoleAdmin, point.RoleOperator, point.RoleViewer, member} {
		lower(to)
		_, larger := w.pat(w.users[to], time.Hour, owner...)
		add("token that says more than its user's role", larger, to)
	}
	for role, scopes := range map[string][]Permission{point.RoleViewer: viewer, point.RoleOperator: operator, point.RoleAdmin: admin} {
		_, text := w.pat(w.users[owned], time.Hour, scopes...)
		add("token of an owner for less", text, role)
	}
	_, text := w.pat(w.users[owned], time.Hour, ProvidersRead)
	add("token of an owner for one thing", text, "", "GET /api/providers", "GET /api/providers/{id}", "GET /api/provider-kinds")
	_, text = w.pat(w.users[viewing], time.Hour, ProvidersWrite, ProvidersRead)
	add("token of a viewer for one thing and more", text, "", "GET /api/providers", "GET /api/providers/{id}", "GET /api/provider-kinds")
	for _, scopes := range [][]Permission{nil, {"*"}, {"*:*", "providers:*"}, {Public, SignedIn}, {"owner", ""}} {
		_, text := w.pat(w.users[owned], time.Hour, scopes...)
		add(fmt.Sprintf("token for %q", scopes), text, member)
	}
	return append(list, w.customNarrowings()...)
}

// customNarrowings are those of users of roles that people made and changed.
func (w *world) customNarrowings() (list []narrowed) {
	ctx := w.t.Context()
	for name, change := range map[string]func(*point.Role) error{
		"kept":    func(*point.Role) error { return nil },
		"emptied": func(r *point.Role) error { r.Permissions = nil; return w.store.UpdateRole(ctx, r) },
		"odd": func(r *point.Role) error {
			r.Permissions = []string{"*", "owner", "public"}
			return w.store.UpdateRole(ctx, r)
		},
		"deleted": func(r *point.Role) error { return w.store.DeleteRole(ctx, r.Name, r.Version, true) },
		"renamed": func(r *point.Role) error {
			if err := w.store.DeleteRole(ctx, r.Name, r.Version, true); err != nil {
				return err
			}
			return w.store.CreateRole(ctx, &point.Role{Name: r.Name + "-2", Permissions: r.Permissions})
		},
	} {
		u, r := w.customUser(name)
		_, text := w.pat(u, time.Hour, owner...)
		session := w.signIn(u)
		w.must(change(r))
		as := member
		if name == "kept" {
			as = point.RoleViewer
		}
		list = append(list, narrowed{"token, role " + name, text, as, nil}, narrowed{"session, role " + name, session, as, nil})
	}
	return list
}

// TestStates: a credential whose user, role or scopes became less opens what is left, on every
// route; what is refused changes nothing.
func TestStates(t *testing.T) {
	w := newWorld(t).withUsers().withMember()
	count := 0
	for _, n := range w.narrowings() {
		for _, x := range targets() {
			count++
			before := w.store.Snapshot().Version
			a := w.send(x.request("Authorization", "Bearer "+n.credential))
			may := n.may(x)
			switch {
			case x.role != "" && a.status == http.StatusUnauthorized, a.status >= http.StatusInternalServerError, (a.status == http.StatusForbidden) == may:
				t.Errorf("%s (%s) on %s: %d %s; it may: %v", n.name, n.as, x.name, a.status, a.body, may)
			case !may && w.store.Snapshot().Version != before:
				t.Errorf("%s on %s changed something", n.name, x.name)
			}
		}
	}
	t.Logf("%d requests", count)
}

// TestStatesElsewhere: no credential stands in for one of another kind.
func TestStatesElsewhere(t *testing.T) {
	w := newWorld(t).withUsers()
	_, pat := w.pat(w.users[owned], time.Hour, owner...)
	session := w.sessionOf(w.signInCookie())
	before := w.store.Snapshot().Version
	for name, value := range map[string]string{
		"access token": w.tokens[owned], "personal access token": pat, "session's id": session.ID, "session's hash": session.ID + "." + base64.RawURLEncoding.EncodeToString(session.Current[:]),
		"nothing": "", "a dot": ".", "2 cookies": "x; " + refreshCookie + "=" + pat,
		"invented secret": newRefreshToken([]byte("another installation's key, 32 b"), session.ID).String(),
	} {
		for _, path := range []string{"/api/auth/refresh", "/api/auth/logout"} {
			a := w.do("", http.MethodPost, path, "", "Cookie", refreshCookie+"="+value)
			if refreshed := a.status == http.StatusOK; refreshed || path == "/api/auth/refresh" && (a.status != http.StatusUnauthorized || a.header.Get("Set-Cookie") != "") {
				t.Errorf("%s on %s: %v", name, path, a)
			}
		}
	}
	if now := w.store.Snapshot().Version; now != before {
		t.Errorf("the configuration went from version %d to %d", before, now)
	}
	for name, token := range map[string]string{"access token": w.tokens[owned], "personal access token": pat} {
		if k, ok := w.store.Snapshot().KeyByToken(token, w.clock.Now()); ok {
			t.Errorf("the %s opens /v1 as %s", name, k.Name)
		}
	}
	if x, err := w.store.GetSession(t.Context(), session.ID); err != nil || x.RevokedAt != nil {
		t.Error("somebody ended the session", x, err)
	}
}
