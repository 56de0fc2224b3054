package api

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"point"
	"point/store"
)

// cookieOf is the refresh cookie that an answer sets, as a Cookie header.
func cookieOf(t testing.TB, a answer) string {
	t.Helper()
	c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/api/auth" || c.Domain != "" {
		t.Errorf("a weak cookie: %+v", c)
	}
	return refreshCookie + "=" + c.Value
}

func TestSetup(t *testing.T) {
	w := newWorld(t)
	old, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	token, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"token": token.Reveal(), "old": old.Reveal()}
	w.run(vars, []apiCase{
		{"needed", "", "GET", "/api/setup", "", nil, 200, []string{`"required":true`}, nil},
		{"wrong token", "", "POST", "/api/setup", `{"token":"guess","email":"a@example.com","password":"` + password + `"}`, nil, 403, []string{"Start Point again"}, nil},
		{"replaced token", "", "POST", "/api/setup", `{"token":"{old}","email":"a@example.com","password":"` + password + `"}`, nil, 403, nil, nil},
		{"short password", "", "POST", "/api/setup", `{"token":"{token}","email":"a@example.com","password":"elevenchars"}`, nil, 422, []string{"body.password"}, []string{"elevenchars", "{token}"}},
		{"no address", "", "POST", "/api/setup", `{"token":"{token}","email":"nobody@@","password":"` + password + `"}`, nil, 422, []string{"body.email"}, []string{"nobody@@"}},
		{"extra role", "", "POST", "/api/setup", `{"token":"{token}","email":"a@example.com","password":"` + password + `","role":"owner"}`, nil, 422, []string{"body.role"}, nil},
		{"done", "", "POST", "/api/setup", `{"token":"{token}","email":"A@Example.com","password":"` + password + `"}`, nil, 200, []string{"access_token", `"token_type":"Bearer"`, `"expires_in":900`}, nil},
		{"not needed", "", "GET", "/api/setup", "", nil, 200, []string{`"required":false`}, nil},
		{"only once", "", "POST", "/api/setup", `{"token":"{token}","email":"b@example.com","password":"` + password + `"}`, nil, 409, []string{"/api/auth/login"}, nil},
		{"signs in", "", "POST", "/api/auth/login", `{"email":" a@example.COM ","password":"` + password + `"}`, nil, 200, []string{"access_token"}, nil},
	})
	if u, err := w.store.UserByEmail(t.Context(), "a@example.com"); err != nil || u.Role != point.RoleOwner {
		t.Error(u, err)
	}
}

// TestPasswordsAreAsLong: the document asks for what the command line and the variables do.
func TestPasswordsAreAsLong(t *testing.T) {
	w := newWorld(t)
	schema := w.api.spec.Components.Schemas.Map()["Setup"]
	if got := schema.Properties["password"].MinLength; got == nil || *got != point.MinPassword {
		t.Error(got)
	}
}

func TestSetupTokenGrowsOld(t *testing.T) {
	w := newWorld(t)
	token, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(SetupLife + time.Second)
	body := fmt.Sprintf(`{"token":%q,"email":"a@example.com","password":%q}`, token.Reveal(), password)
	if a := w.do("", http.MethodPost, "/api/setup", body); a.status != http.StatusForbidden {
		t.Error(a)
	}
}

// TestSetupRace sets up twice at once with the same token.
func TestSetupRace(t *testing.T) {
	w := newWorld(t)
	token, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	statuses := parallel(5, func(i int) int {
		return w.do("", http.MethodPost, "/api/setup", fmt.Sprintf(`{"token":%q,"email":"u%d@example.com","password":%q}`, token.Reveal(), i, password)).status
	})
	if n, err := w.store.CountUsers(t.Context()); n != 1 || err != nil || statuses[http.StatusOK] != 1 {
		t.Error(n, err, statuses)
	}
}

// parallel calls f n times at once and counts the results.
func parallel(n int, f func(i int) int) map[int]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	results := map[int]int{}
	for i := range n {
		wg.Go(func() {
			r := f(i)
			mu.Lock()
			defer mu.Unlock()
			results[r]++
		})
	}
	wg.Wait()
	return results
}

func TestLogin(t *testing.T) {
	w := newWorld(t).withUsers()
	w.user("locked", func(u *point.User) { u.Disabled, u.PasswordHash = true, w.users[owned].PasswordHash })
	w.user("oidc", func(*point.User) {}) // has no password
	var bodies []string
	for _, email := range []string{"owner@example.com", "nobody@example.com", "locked@example.com", "oidc@example.com"} {
		pass := "wrong password here"
		if email == "locked@example.com" {
			pass = password
		}
		a := w.do("", http.MethodPost, "/api/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, pass))
		bodies = append(bodies, fmt.Sprint(a.status, a.header, a.body))
	}
	for _, body := range bodies {
		if body != bodies[0] || !strings.HasPrefix(body, "401") {
			t.Errorf("users can be told apart: %s and %s", bodies[0], body)
		}
	}
	a := w.do("", http.MethodPost, "/api/auth/login", `{"email":"owner@example.com","password":"`+password+`"}`)
	var token AccessToken
	a.into(t, &token)
	if cookieOf(t, a) == "" || token.ExpiresIn != 900 {
		t.Error(a)
	}
	parsed, _, err := jwt.NewParser().ParseUnverified(token.AccessToken, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	got := parsed.Claims.(jwt.MapClaims)
	for _, claim := range []string{"iss", "aud", "sub", "iat", "exp", "sid", "uid", "uv", "role"} {
		if got[claim] == nil {
			t.Errorf("the token says nothing of %s", claim)
		}
	}
	if parsed.Header["typ"] != "at+jwt" || parsed.Header["kid"] == "" || parsed.Header["alg"] != "EdDSA" {
		t.Error(parsed.Header)
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t).withUsers()
	a := w.do("", http.MethodPost, "/api/auth/login", `{"email":"owner@example.com","password":"`+password+`"}`)
	var token AccessToken
	a.into(t, &token)
	cookie := cookieOf(t, a)
	forged := cookie[:len(cookie)-4] + "AAAA"
	for _, c := range []string{forged, "", refreshCookie + "=x"} {
		if a := w.do("", http.MethodPost, "/api/auth/logout", "", "Cookie", c); a.status != http.StatusNoContent {
			t.Error(a)
		}
	}
	me := func() int { return w.send(request(http.MethodGet, "/api/auth/me", token.AccessToken, "")).status }
	if me() != http.StatusOK {
		t.Error("somebody else's logout ended the session")
	}
	a = w.do("", http.MethodPost, "/api/auth/logout", "", "Cookie", cookie)
	if c, err := http.ParseSetCookie(a.header.Get("Set-Cookie")); err != nil || c.MaxAge >= 0 || c.Value != "" {
		t.Error(c, err)
	}
	if me() != http.StatusUnauthorized {
		t.Error("the access token outlives the logout")
	}
	if a := w.refresh(cookie); a.status != http.StatusUnauthorized {
		t.Error(a)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t).withUsers()
	other := w.signIn(w.users[viewing])
	var list List[Session]
	w.do(viewing, http.MethodGet, "/api/auth/sessions", "").into(t, &list)
	if len(list.Data) != 2 {
		t.Fatal(list)
	}
	for _, s := range list.Data {
		if a := w.do(owned, http.MethodDelete, "/api/auth/sessions/"+s.ID, ""); a.status != http.StatusNotFound {
			t.Error("an owner ended somebody else's session by the route for one's own", a)
		}
		if s.Current {
			continue
		}
		if a := w.do(viewing, http.MethodDelete, "/api/auth/sessions/"+s.ID, ""); a.status != http.StatusNoContent {
			t.Error(a)
		}
	}
	if a := w.send(request(http.MethodGet, "/api/auth/me", other, "")); a.status != http.StatusUnauthorized {
		t.Error(a)
	}
	if a := w.do(viewing, http.MethodGet, "/api/auth/me", ""); a.status != http.StatusOK {
		t.Error(a)
	}
}

// TestTokensOfAnotherProcess verifies a token that was signed by a key made elsewhere.
func TestTokensOfAnotherProcess(t *testing.T) {
	w := newWorld(t).withUsers()
	if _, err := w.store.CreateSigningKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	twin, err := build(w.api.Deps)
	if err != nil {
		t.Fatal(err)
	}
	out, err := twin.startSession(t.Context(), w.users[owned], caller{})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(reloadPause)
	if a := w.send(request(http.MethodGet, "/api/auth/me", out.Body.AccessToken, "")); a.status != http.StatusOK {
		t.Error(a)
	}
}

// slowKeys counts the reads of the store, and holds them up until go is closed.
type slowKeys struct {
	signingKeys
	reads atomic.Int64
	began chan struct{}
	end   chan struct{}
	err   error
}

func (s *slowKeys) SigningKeys(ctx context.Context) ([]store.SigningKey, error) {
	s.reads.Add(1)
	s.began <- struct{}{}
	<-s.end
	if s.err != nil {
		return nil, s.err
	}
	return s.signingKeys.SigningKeys(ctx)
}

// TestUnknownKeysHoldNobodyUp: tokens of invented keys make one read of the store in a while,
// answered or not, and nobody with a good token waits for it.
func TestUnknownKeysHoldNobodyUp(t *testing.T) {
	for _, broken := range []error{nil, errors.New("away")} {
		w := newWorld(t).withUsers()
		slow := &slowKeys{signingKeys: w.api.tokens.store, began: make(chan struct{}, 100), end: make(chan struct{}), err: broken}
		w.api.tokens.store = slow
		w.clock.add(reloadPause)
		var invented sync.WaitGroup
		for i := range 20 {
			token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{})
			token.Header["kid"], token.Header["typ"] = fmt.Sprint("nobody's", i), tokenType
			_, private, _ := ed25519.GenerateKey(nil)
			text, err := token.SignedString(private)
			if err != nil {
				t.Fatal(err)
			}
			invented.Go(func() {
				if a := w.send(request(http.MethodGet, "/api/auth/me", text, "")); a.status != http.StatusUnauthorized {
					t.Error(a)
				}
			})
		}
		<-slow.began
		if a := w.do(viewing, http.MethodGet, "/api/auth/me", ""); a.status != http.StatusOK {
			t.Error(a)
		}
		close(slow.end)
		invented.Wait()
		if n := slow.reads.Load(); n != 1 {
			t.Errorf("the store was read %d times", n)
		}
	}
}

func TestCaller(t *testing.T) {
	a := &API{Deps: Deps{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for _, c := range []struct {
		remote, forwarded, proto string
		address                  string
		secure                   bool
	}{
		{"192.0.2.1:1", "198.51.100.1", "https", "192.0.2.1", false},
		{"10.0.0.1:1", "198.51.100.1", "https", "198.51.100.1", true},
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "", "198.51.100.1", false},
		{"10.0.0.1:1", "spoofed, 198.51.100.1", "", "198.51.100.1", false},
		{"10.0.0.1:1", "", "", "10.0.0.1", false},
		{"[::ffff:10.0.0.1]:1", "2001:db8::1", "", "2001:db8::1", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if got := a.caller(r); got.address != c.address || got.secure != c.secure {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	if c := (&API{Deps: Deps{Now: time.Now}}).cookie("x", time.Now().Add(time.Hour), caller{secure: true}); !strings.Contains(c, "Secure") {
		t.Error(c)
	}
}

func TestKeySetVerifies(t *testing.T) {
	w := newWorld(t).withUsers()
	var set KeySet
	w.do("", http.MethodGet, "/api/auth/jwks", "").into(t, &set)
	if len(set.Keys) != 1 || set.Keys[0].KeyType != "OKP" {
		t.Fatal(set)
	}
	head, _, _ := strings.Cut(w.tokens[owned], ".")
	raw, err := jwt.NewParser().DecodeSegment(head)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(raw, &header); err != nil || header.Kid != set.Keys[0].ID {
		t.Error(header, err)
	}
}

// TestClientKeysAreNotForHere: who sends one is told what to send.
func TestClientKeysAreNotForHere(t *testing.T) {
	w := newWorld(t).withUsers()
	chosen := "chosen by the operator"
	if err := w.store.CreateKey(t.Context(), &point.Key{Name: "ci", Status: point.StatusActive}, point.NewSecret(chosen)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pt-ABCDEFGHIJKLMNOPQRSTUVWXYZ", chosen} {
		for _, header := range [][]string{{"Authorization", "Bearer " + key}, {"X-Api-Key", key}} {
			w.run(nil, []apiCase{{"key", "", "GET", "/api/providers", "", header, 401, []string{"client key, which is for /v1", "/api/auth/login", "/api/tokens"}, []string{key}}})
		}
	}
	w.run(nil, []apiCase{{"no key", "", "GET", "/api/providers", "", []string{"Authorization", "Bearer nothing"}, 401, []string{"not valid, or no longer"}, nil}})
}
