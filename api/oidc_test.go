package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"point"
	"point/internal/openid"
	"point/internal/openidtest"
	"point/store"
)

const callback = "https://console.example/api/auth/oidc/callback"

// oidcWorld is a world whose people may sign in at a real OpenID provider.
type oidcWorld struct {
	*world
	provider *openidtest.Provider
	ada      *openidtest.Account
}

func newOIDCWorld(t *testing.T) *oidcWorld {
	t.Helper()
	w := newWorld(t).withUsers()
	w.clock.add(time.Since(w.clock.Now())) // the provider's clock is the machine's
	ada := &openidtest.Account{Subject: "ada-1", Email: "Ada@example.com", Verified: true, Groups: []string{"staff"}}
	eve := &openidtest.Account{Subject: "eve-1", Email: "eve@example.com", Verified: true, Groups: []string{"staff"}}
	o := &oidcWorld{w, openidtest.New(t, callback, ada, eve), ada}
	w.api.OpenID = &OpenID{
		Name: "Example",
		Client: openid.New(openid.Options{
			Issuer: o.provider.URL, ClientID: openidtest.ClientID, ClientSecret: point.NewSecret(openidtest.ClientSecret),
			Scopes: []string{"openid", "email"}, GroupsClaim: "groups", RedirectURL: callback, Now: w.clock.Now,
		}),
		Roles: []GroupRole{{"staff", point.RoleViewer}, {"ops", point.RoleOperator}, {"bosses", point.RoleOwner}, {"admins", point.RoleAdmin}, {"ghosts", "ghost"}},
	}
	return o
}

// begin goes to the provider: its page, and what the browser keeps.
func (o *oidcWorld) begin(query string) (page, cookie string) {
	o.t.Helper()
	a := o.send(request(http.MethodGet, "/api/auth/oidc/start"+query, "", ""))
	if a.status != http.StatusSeeOther {
		o.t.Fatalf("%d %s", a.status, a.body)
	}
	c := o.cookieOf(a, flowCookie)
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != flowPath || c.MaxAge <= 0 || c.MaxAge > 600 {
		o.t.Errorf("%+v", c)
	}
	return a.header.Get("Location"), c.Value
}

// cookieOf is a cookie that an answer sets.
func (o *oidcWorld) cookieOf(a answer, name string) *http.Cookie {
	o.t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	o.t.Fatalf("no cookie %s in %v", name, a.header)
	return nil
}

func (o *oidcWorld) finish(cookie string, query url.Values) answer {
	o.t.Helper()
	return o.send(request(http.MethodGet, "/api/auth/oidc/callback?"+query.Encode(), "", "", "Cookie", flowCookie+"="+cookie))
}

// enter signs subject in, all the way.
func (o *oidcWorld) enter(subject string) answer {
	o.t.Helper()
	page, cookie := o.begin("")
	return o.finish(cookie, o.provider.SignIn(page, subject))
}

// wantIn fails if an answer signs nobody in, and returns whom it did.
func (o *oidcWorld) wantIn(a answer) Me {
	o.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
		o.t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
	}
	c := o.cookieOf(a, refreshCookie)
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.MaxAge != int(providerSessionLife/time.Second) {
		o.t.Errorf("%+v", c)
	}
	if c := o.cookieOf(a, flowCookie); c.MaxAge != -1 {
		o.t.Errorf("%+v", c)
	}
	var token AccessToken
	o.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", refreshCookie+"="+c.Value)).into(o.t, &token)
	var me Me
	o.send(request(http.MethodGet, "/api/auth/me", token.AccessToken, "")).into(o.t, &me)
	return me
}

// wantOut fails if an answer does not end on the sign-in page with this code.
func (o *oidcWorld) wantOut(name string, a answer, code string) {
	o.t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/sign-in?error="+code {
		o.t.Errorf("%s: %d to %q, not %s", name, a.status, got, code)
	}
	if strings.Contains(strings.Join(a.header.Values("Set-Cookie"), " "), refreshCookie) {
		o.t.Errorf("%s: it signs somebody in", name)
	}
}

func TestSignInAtProvider(t *testing.T) {
	o := newOIDCWorld(t)
	me := o.wantIn(o.enter("ada-1"))
	if me.Email != "ada@example.com" || me.Role != point.RoleViewer {
		t.Errorf("%+v", me)
	}
	o.provider.Rotate()
	o.ada.Email, o.ada.Verified = "renamed@example.com", false
	if again := o.wantIn(o.enter("ada-1")); again.ID != me.ID || again.Email != me.Email || again.SessionID == me.SessionID {
		t.Errorf("%+v is not %+v", again, me)
	}
	page, cookie := o.begin("?next=/providers?status=active")
	if a := o.finish(cookie, o.provider.SignIn(page, "ada-1")); a.header.Get("Location") != "/providers?status=active" {
		t.Error(a)
	}
	c := o.cookieOf(o.enter("ada-1"), refreshCookie)
	o.clock.add(providerSessionLife)
	if a := o.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", refreshCookie+"="+c.Value)); a.status != http.StatusUnauthorized {
		t.Error("the session outlives its day:", a)
	}
}

func TestMethods(t *testing.T) {
	o := newOIDCWorld(t)
	o.run(nil, []apiCase{{"both", "", "GET", "/api/auth/methods", "", nil, 200, []string{`"password":true`, `"name":"Example"`, `"start":"https://console.example/api/auth/oidc/start"`}, []string{"secret"}}})
	o.api.OpenID = nil
	o.run(nil, []apiCase{
		{"password", "", "GET", "/api/auth/methods", "", nil, 200, []string{`"password":true`}, []string{"oidc"}},
		{"start", "", "GET", "/api/auth/oidc/start", "", nil, 404, []string{"POINT_OIDC_ISSUER"}, nil},
		{"callback", "", "GET", "/api/auth/oidc/callback?code=x&state=y&session_state=z", "", nil, 404, nil, nil},
	})
}

// TestForeignSignIns: what another browser began, or what comes back changed, late or twice,
// signs nobody in.
func TestForeignSignIns(t *testing.T) {
	o := newOIDCWorld(t)
	page, cookie := o.begin("")
	query := o.provider.SignIn(page, "ada-1")
	otherPage, other := o.begin("")
	changed := cookie[:len(cookie)-2] + "AA"
	if changed == cookie {
		changed = cookie[:len(cookie)-2] + "BB"
	}
	for name, c := range map[string]string{"no cookie": "", "another's cookie": other, "a changed cookie": changed, "garbage": "x", "too long": strings.Repeat("A", 5000)} {
		o.wantOut(name, o.finish(c, query), failExpired)
	}
	for name, q := range map[string]url.Values{
		"no state": {"code": query["code"]}, "another state": {"code": query["code"], "state": {"x"}}, "nothing": {},
		"two states": {"code": query["code"], "state": {"x", query.Get("state")}},
	} {
		o.wantOut(name, o.finish(cookie, q), failExpired)
	}
	mixed := url.Values{"code": query["code"], "state": query["state"], "iss": {"https://evil.example"}}
	o.wantOut("another issuer", o.finish(cookie, mixed), failRefused)
	o.wantOut("its state was used up", o.finish(cookie, query), failExpired)

	// The code of one sign-in under the state of another.
	state, err := url.Parse(otherPage)
	if err != nil {
		t.Fatal(err)
	}
	o.wantOut("a code that was stolen", o.finish(other, url.Values{"code": query["code"], "state": {state.Query().Get("state")}}), failRefused)

	page, cookie = o.begin("")
	query = o.provider.SignIn(page, "ada-1")
	o.wantIn(o.finish(cookie, query))
	o.wantOut("the second time", o.finish(cookie, query), failExpired)

	page, cookie = o.begin("")
	query = o.provider.SignIn(page, "ada-1")
	o.clock.add(11 * time.Minute)
	o.wantOut("too late", o.finish(cookie, query), failExpired)
}

func TestProvidersOwnWords(t *testing.T) {
	o := newOIDCWorld(t)
	for word, code := range map[string]string{
		"access_denied": failCancelled, "server_error": failUnavailable, "temporarily_unavailable": failUnavailable, "invalid_scope": failRefused, "<script>": failRefused,
	} {
		page, cookie := o.begin("")
		u, err := url.Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		a := o.finish(cookie, url.Values{"state": {u.Query().Get("state")}, "error": {word}, "error_description": {"mirror"}})
		o.wantOut(word, a, code)
		if strings.Contains(a.body+a.header.Get("Location"), "mirror") {
			t.Error("the provider's text is shown:", a)
		}
	}
}

func TestProviderIsAway(t *testing.T) {
	o := newOIDCWorld(t)
	o.provider.Down(true)
	a := o.send(request(http.MethodGet, "/api/auth/oidc/start", "", ""))
	o.wantOut("at the start", a, failUnavailable)
	o.provider.Down(false)
	o.clock.add(time.Minute)
	page, cookie := o.begin("")
	query := o.provider.SignIn(page, "ada-1")
	o.provider.Down(true)
	o.wantOut("at the end", o.finish(cookie, query), failUnavailable)
	o.provider.Down(false)
	o.provider.Tamper("/oauth/token", func(body []byte) []byte { return []byte(strings.Replace(string(body), `"id_token"`, `"other"`, 1)) })
	o.wantOut("no ID token", o.enter("ada-1"), failRefused)
	for range maxFailures {
		a = o.enter("ada-1")
	}
	o.wantOut("too many of them", a, failBusy)
	if o.alerts.count(AlertGuessing) != 1 {
		t.Error("nobody is told")
	}
	o.provider.Tamper("/oauth/token", nil)
	o.wantOut("a good one too", o.enter("ada-1"), failBusy)
	o.clock.add(failureWindow)
	o.wantIn(o.enter("ada-1"))
}

func TestRolesOfGroups(t *testing.T) {
	o := newOIDCWorld(t)
	me := o.wantIn(o.enter("ada-1"))
	for _, c := range []struct {
		groups []string
		role   string
	}{
		{[]string{"staff", "ops"}, point.RoleOperator},
		{[]string{"admins", "ops", "staff"}, point.RoleAdmin},
		{[]string{"admins", "bosses"}, point.RoleOwner},
		{[]string{"bosses", "admins"}, point.RoleOwner},
		{[]string{"ghosts", "staff", "others"}, point.RoleViewer},
	} {
		o.ada.Groups = c.groups
		if got := o.wantIn(o.enter("ada-1")); got.ID != me.ID || got.Role != c.role {
			t.Errorf("%v: %+v", c.groups, got)
		}
	}
}

// TestChangedRoleEndsSessions: what was open under the old role is over.
func TestChangedRoleEndsSessions(t *testing.T) {
	o := newOIDCWorld(t)
	o.ada.Groups = []string{"admins"}
	before := o.cookieOf(o.enter("ada-1"), refreshCookie).Value
	o.ada.Groups = []string{"staff"}
	o.wantIn(o.enter("ada-1"))
	if a := o.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", refreshCookie+"="+before)); a.status != http.StatusUnauthorized {
		t.Error(a)
	}
}

func TestLostRole(t *testing.T) {
	o := newOIDCWorld(t)
	a := o.enter("ada-1")
	me, open := o.wantIn(a), o.cookieOf(a, refreshCookie).Value
	for _, groups := range [][]string{{"others"}, {"ghosts"}, nil} {
		o.ada.Groups = groups
		o.wantOut("no group gives a role", o.enter("ada-1"), failRole)
	}
	if u, err := o.store.GetUser(t.Context(), me.ID); err != nil || !u.Disabled {
		t.Errorf("%+v, %v", u, err)
	}
	if a := o.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", refreshCookie+"="+open)); a.status != http.StatusUnauthorized {
		t.Error("a session goes on:", a)
	}
	o.ada.Groups = []string{"ops"}
	if back := o.wantIn(o.enter("ada-1")); back.ID != me.ID || back.Role != point.RoleOperator {
		t.Errorf("%+v", back)
	}
	o.ada.Groups = nil
	o.api.OpenID.DefaultRole = point.RoleViewer
	if rest := o.wantIn(o.enter("ada-1")); rest.Role != point.RoleViewer {
		t.Errorf("%+v", rest)
	}
	u, err := o.store.GetUser(t.Context(), me.ID)
	if err != nil {
		t.Fatal(err)
	}
	u.Disabled = true
	if err := o.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	o.wantOut("disabled by hand", o.enter("ada-1"), failDisabled)
}

// TestRolesGivenInPoint: without a mapping the provider decides who, and Point what.
func TestRolesGivenInPoint(t *testing.T) {
	o := newOIDCWorld(t)
	o.api.OpenID.Roles, o.api.OpenID.DefaultRole = nil, point.RoleViewer
	me := o.wantIn(o.enter("ada-1"))
	u, err := o.store.GetUser(t.Context(), me.ID)
	if err != nil {
		t.Fatal(err)
	}
	u.Role = point.RoleAdmin
	if err := o.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if again := o.wantIn(o.enter("ada-1")); again.Role != point.RoleAdmin {
		t.Errorf("%+v", again)
	}
	o.api.OpenID.DefaultRole = "ghost"
	o.wantOut("a default that does not exist", o.enter("eve-1"), failRole)
}

// TestTakeOver: an account with somebody's address is not that user.
func TestTakeOver(t *testing.T) {
	o := newOIDCWorld(t)
	o.ada.Groups = []string{"bosses"}
	o.ada.Email = "owner@example.com"
	o.wantOut("one with a password", o.enter("ada-1"), failTaken)
	o.ada.Email = "new@example.com"
	o.ada.Verified = false
	o.wantOut("an address that is not verified", o.enter("ada-1"), failEmail)
	o.ada.Verified = true
	for _, address := range []string{"", "no address", "two@example.com, three@example.com", "Name <new@example.com>", strings.Repeat("x", 250) + "@example.com"} {
		o.ada.Email = address
		o.wantOut("address "+address, o.enter("ada-1"), failEmail)
	}
	if _, err := o.store.GetIdentity(t.Context(), o.provider.URL, "ada-1"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	o.ada.Email = "eve@example.com"
	o.wantIn(o.enter("eve-1"))
	o.wantOut("one who comes from another account", o.enter("ada-1"), failTaken)

	disabled := o.user("gone", func(u *point.User) { u.Disabled = true })
	o.ada.Email = disabled.Email
	o.wantOut("one who is disabled", o.enter("ada-1"), failDisabled)
}

func TestInvited(t *testing.T) {
	o := newOIDCWorld(t)
	invited := o.user("invited", func(u *point.User) { u.Role = point.RoleOperator })
	o.ada.Email, o.ada.Groups = "INVITED@example.com", nil
	o.wantOut("without a role", o.enter("ada-1"), failRole)
	if _, err := o.store.IdentityOf(t.Context(), invited.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error("linked all the same:", err)
	}
	o.ada.Groups = []string{"admins"}
	if me := o.wantIn(o.enter("ada-1")); me.ID != invited.ID || me.Role != point.RoleAdmin {
		t.Errorf("%+v is not %+v", me, invited)
	}
	o.ada.Email = "other@example.com"
	if me := o.wantIn(o.enter("ada-1")); me.ID != invited.ID {
		t.Errorf("%+v is not %+v", me, invited)
	}
}

// TestFirstUser: set-up comes first, unless who comes is an owner.
func TestFirstUser(t *testing.T) {
	o := newOIDCWorld(t)
	for _, u := range o.users {
		u.PasswordHash = "" // an owner who can sign in stays
		if err := o.store.UpdateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if err := o.store.DeleteUser(t.Context(), u.ID, u.Version); err != nil {
			t.Fatal(err)
		}
	}
	o.wantOut("no owner yet", o.enter("ada-1"), failSetup)
	o.ada.Groups = []string{"bosses"}
	if me := o.wantIn(o.enter("ada-1")); me.Role != point.RoleOwner {
		t.Errorf("%+v", me)
	}
}

// TestLastOwner: the groups cannot leave Point without an owner.
func TestLastOwner(t *testing.T) {
	o := newOIDCWorld(t)
	o.ada.Groups = []string{"bosses"}
	me := o.wantIn(o.enter("ada-1"))
	u := o.users[point.RoleOwner]
	if err := o.store.DeleteUser(t.Context(), u.ID, u.Version); err != nil {
		t.Fatal(err)
	}
	o.ada.Groups = []string{"staff"}
	if still := o.wantIn(o.enter("ada-1")); still.ID != me.ID || still.Role != point.RoleOwner {
		t.Errorf("%+v", still)
	}
	o.ada.Groups = nil
	o.wantOut("no group gives a role", o.enter("ada-1"), failRole)
	if u, err := o.store.GetUser(t.Context(), me.ID); err != nil || u.Disabled {
		t.Errorf("%+v, %v", u, err)
	}
	if x, err := o.store.GetIdentity(t.Context(), o.provider.URL, "ada-1"); err != nil || x.SuspendedVersion != 0 {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestOwnPage(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/": "/", "/providers": "/providers", "/requests?status=4xx#x": "/requests?status=4xx#x",
		"//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "javascript:alert(1)": "/",
		"providers": "/", "/\t/evil.example": "/", "/api/auth/oidc/start": "/", "/%0d%0aSet-Cookie:x": "/%0d%0aSet-Cookie:x", "/a\r\nb": "/", "/é": "/", "/%zz": "/",
	} {
		if got := ownPage(next); got != want {
			t.Errorf("%q: %q", next, got)
		}
	}
}

// TestSecretsOfSignIn: what the browser keeps shows nothing, and its state is not in the store.
func TestSecretsOfSignIn(t *testing.T) {
	o := newOIDCWorld(t)
	page, cookie := o.begin("")
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if value := u.Query().Get(name); value == "" || strings.Contains(cookie, value) {
			t.Errorf("%s: %q in %q", name, value, cookie)
		}
	}
}
