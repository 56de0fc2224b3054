package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"point"
	"point/internal/openidtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const redirect = "https://point.example/api/auth/oidc/callback"

func ada() *openidtest.Account {
	return &openidtest.Account{Subject: "ada-1", Email: "ada@example.com", Verified: true, Groups: []string{"staff", "ops"}}
}

func client(p *openidtest.Provider, change func(*Options)) *Client {
	opts := Options{
		Issuer: p.URL, ClientID: openidtest.ClientID, ClientSecret: point.NewSecret(openidtest.ClientSecret),
		Scopes: []string{"openid", "email", "profile"}, GroupsClaim: "groups", RedirectURL: redirect,
	}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

// signIn goes all the way; between may change what the browser brings back.
func signIn(t *testing.T, c *Client, p *openidtest.Provider, between func(*Flow, url.Values)) (Account, error) {
	t.Helper()
	flow, page, err := c.Begin(t.Context())
	if err != nil {
		return Account{}, err
	}
	query := p.SignIn(page, "ada-1")
	if !flow.Belongs(query, time.Now()) {
		t.Fatal("what came back is of another sign-in", query)
	}
	if between != nil {
		between(&flow, query)
	}
	return c.Finish(t.Context(), flow, query)
}

func TestSignIn(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	for name, change := range map[string]func(*Options){
		"with a secret":   nil,
		"a public client": func(o *Options) { o.ClientID, o.ClientSecret = openidtest.PublicClient, point.Secret{} },
	} {
		got, err := signIn(t, client(p, change), p, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		want := Account{Issuer: p.URL, Subject: "ada-1", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff", "ops"}}
		if got.Issuer != want.Issuer || got.Subject != want.Subject || got.Email != want.Email || !got.EmailVerified || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPage(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	c := client(p, nil)
	flow, page, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "point", "redirect_uri": redirect, "scope": "openid email profile",
		"state": flow.State, "nonce": flow.Nonce, "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if q.Get("code_challenge") == "" || strings.Contains(page, flow.Verifier) {
		t.Error(page)
	}
	other, _, err := c.Begin(t.Context())
	if err != nil || other.State == flow.State || other.Nonce == flow.Nonce || other.Verifier == flow.Verifier {
		t.Errorf("%+v follows %+v: %v", other, flow, err)
	}
	for name, query := range map[string]url.Values{
		"none": {}, "another": {"state": {other.State}}, "empty": {"state": {""}}, "two": {"state": {flow.State, flow.State}},
	} {
		if flow.Belongs(query, time.Now()) {
			t.Errorf("state %s is taken", name)
		}
	}
	if flow.Belongs(url.Values{"state": {flow.State}}, time.Now().Add(flowLife)) || (Flow{Expires: flow.Expires}).Belongs(url.Values{"state": {""}}, time.Now()) {
		t.Error("an old flow, or none, is taken")
	}
}

func TestWhatComesBack(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	c := client(p, nil)
	for name, between := range map[string]func(*Flow, url.Values){
		"no code":              func(_ *Flow, q url.Values) { q.Del("code") },
		"two codes":            func(_ *Flow, q url.Values) { q.Add("code", "x") },
		"another code":         func(_ *Flow, q url.Values) { q.Set("code", "x") },
		"another issuer":       func(_ *Flow, q url.Values) { q.Set("iss", "https://evil.example") },
		"two issuers":          func(_ *Flow, q url.Values) { q["iss"] = []string{p.URL, "https://evil.example"} },
		"another PKCE secret":  func(f *Flow, _ url.Values) { f.Verifier = strings.Repeat("x", 43) },
		"another flow's nonce": func(f *Flow, _ url.Values) { f.Nonce = "other" },
		"no nonce":             func(f *Flow, _ url.Values) { f.Nonce = "" },
	} {
		if _, err := signIn(t, c, p, between); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signIn(t, c, p, func(_ *Flow, q url.Values) { q.Set("iss", p.URL) }); err != nil {
		t.Error("its own issuer is refused:", err)
	}
	flow, page, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	query := p.SignIn(page, "ada-1")
	if _, err := c.Finish(t.Context(), flow, query); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Finish(t.Context(), flow, query); !errors.Is(err, ErrRefused) {
		t.Errorf("a code is good twice: %v", err)
	}
}

// claimsOf reads a token without a look at its signature.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// replace makes the provider's token endpoint give the ID token that forge makes of the true one.
func replace(t *testing.T, p *openidtest.Provider, forge func(token string) string) {
	p.Tamper("/oauth/token", func(body []byte) []byte {
		answer := map[string]any{}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Errorf("%v in %s", err, body)
		}
		if token, ok := answer["id_token"].(string); ok {
			answer["id_token"] = forge(token)
		}
		changed, _ := json.Marshal(answer)
		return changed
	})
}

func TestClaims(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	c := client(p, nil)
	now := time.Now().Unix()
	for name, tc := range map[string]struct {
		change map[string]any // nil removes
		good   bool
	}{
		"as it is":                          {map[string]any{}, true},
		"another issuer":                    {map[string]any{"iss": "https://evil.example"}, false},
		"no issuer":                         {map[string]any{"iss": nil}, false},
		"issuer with a slash":               {map[string]any{"iss": p.URL + "/"}, false},
		"another audience":                  {map[string]any{"aud": "other"}, false},
		"no audience":                       {map[string]any{"aud": nil}, false},
		"two audiences":                     {map[string]any{"aud": []string{"point", "other"}, "azp": nil}, false},
		"two audiences, for another":        {map[string]any{"aud": []string{"point", "other"}, "azp": "other"}, false},
		"two audiences, for Point":          {map[string]any{"aud": []string{"point", "other"}, "azp": "point"}, true},
		"one audience, for another":         {map[string]any{"azp": "other"}, false},
		"expired":                           {map[string]any{"exp": now - 90}, false},
		"expired within the leeway":         {map[string]any{"exp": now - 30}, true},
		"no expiry":                         {map[string]any{"exp": nil}, false},
		"of the future":                     {map[string]any{"iat": now + 90}, false},
		"of the future, within the leeway":  {map[string]any{"iat": now + 30}, true},
		"not yet":                           {map[string]any{"nbf": now + 900}, false},
		"no nonce":                          {map[string]any{"nonce": nil}, false},
		"another nonce":                     {map[string]any{"nonce": "other"}, false},
		"empty nonce":                       {map[string]any{"nonce": ""}, false},
		"no subject":                        {map[string]any{"sub": nil}, false},
		"subject too long":                  {map[string]any{"sub": strings.Repeat("x", 256)}, false},
		"another access token":              {map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, false},
		"subject of another than user info": {map[string]any{"sub": "eve"}, false},
	} {
		replace(t, p, func(token string) string {
			claims := claimsOf(t, token)
			maps.Copy(claims, tc.change)
			maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
			raw, _ := json.Marshal(claims)
			return p.Forge(string(raw))
		})
		_, err := signIn(t, c, p, nil)
		if (err == nil) != tc.good || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignatures(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	c := client(p, nil)
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(p.Public())
	if err != nil {
		t.Fatal(err)
	}
	payload := func(token string) string {
		raw, _ := json.Marshal(claimsOf(t, token))
		return string(raw)
	}
	unsigned := func(alg string) func(string) string {
		return func(token string) string {
			head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","typ":"JWT"}`))
			return head + "." + strings.Split(token, ".")[1] + "."
		}
	}
	for name, forge := range map[string]func(string) string{
		"alg none": unsigned("none"),
		"alg None": unsigned("None"),
		"alg nOnE": unsigned("nOnE"),
		"HS256 by the secret": func(s string) string {
			return p.ForgeBy("HS256", []byte(strings.Repeat(openidtest.ClientSecret, 3)), payload(s))
		},
		"HS256 by the public key": func(s string) string { return p.ForgeBy("HS256", public, payload(s)) },
		"a foreign key":           func(s string) string { return p.ForgeBy("RS256", foreign, payload(s)) },
		"another algorithm":       func(s string) string { return p.ForgeBy("ES256", curve, payload(s)) },
		"no signature":            func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] },
		"cut signature":           func(s string) string { return s[:len(s)-8] },
		"changed claims": func(s string) string {
			parts := strings.Split(s, ".")
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(payload(s), "ada-1", "eve-1", 1)))
			return strings.Join(parts, ".")
		},
		"no token":  func(string) string { return "" },
		"garbage":   func(string) string { return "a.b.c" },
		"many dots": func(string) string { return strings.Repeat(".", 1000) },
		"too long":  func(s string) string { return s + strings.Repeat("A", maxToken) },
	} {
		replace(t, p, forge)
		if _, err := signIn(t, c, p, nil); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.Tamper("/oauth/token", nil)
	if _, err := signIn(t, c, p, nil); err != nil {
		t.Error("a good one after them:", err)
	}
}

func TestRotatedKeys(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	c := client(p, nil)
	for range 3 {
		if _, err := signIn(t, c, p, nil); err != nil {
			t.Fatal(err)
		}
		p.Rotate()
	}
	if n := p.Calls("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the provider was looked up %d times", n)
	}
}

func TestUserInfo(t *testing.T) {
	account := ada()
	p := openidtest.New(t, redirect, account)
	c := client(p, nil)
	account.Verified, account.Groups = false, nil
	got, err := signIn(t, c, p, nil)
	if err != nil || got.EmailVerified || got.Groups != nil {
		t.Errorf("%+v, %v", got, err)
	}
	p.Tamper("/userinfo", func([]byte) []byte { return []byte(`{"sub":"eve","email":"ada@example.com","email_verified":true}`) })
	if got, err := signIn(t, c, p, nil); !errors.Is(err, ErrRefused) {
		t.Errorf("somebody else's user info is taken: %+v, %v", got, err)
	}
	p.Tamper("/userinfo", func([]byte) []byte {
		return []byte(`{"sub":"ada-1","email":"ada@example.com","email_verified":"true","groups":"staff"}`)
	})
	if got, err := signIn(t, c, p, nil); err != nil || !got.EmailVerified || !slices.Equal(got.Groups, []string{"staff"}) {
		t.Errorf("text for a boolean and for a list: %+v, %v", got, err)
	}
	p.Tamper("/userinfo", func([]byte) []byte { return []byte("<html>") })
	if _, err := signIn(t, c, p, nil); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

// TestVerifiedAddress: that an address is verified is never taken from what speaks of another.
func TestVerifiedAddress(t *testing.T) {
	claims := map[string]any{"email": "owner@example.com"}
	fill(claims, map[string]any{"email": "eve@example.com", "email_verified": true}, "owner@example.com")
	if claims["email_verified"] != nil {
		t.Error(claims)
	}
	fill(claims, map[string]any{"email": "owner@example.com", "email_verified": true}, "owner@example.com")
	if claims["email_verified"] != true {
		t.Error(claims)
	}
}

func TestProviderAway(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	now := time.Now()
	c := client(p, func(o *Options) { o.Now = func() time.Time { return now } })
	p.Down(true)
	for range 3 {
		if _, _, err := c.Begin(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := p.Calls("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("one that is away was asked %d times at once", n)
	}
	p.Down(false)
	now = now.Add(discoveryPause)
	if _, err := signIn(t, c, p, nil); err != nil {
		t.Fatal("it is back:", err)
	}
	now = now.Add(discoveryLife)
	p.Down(true)
	if _, _, err := c.Begin(t.Context()); err != nil {
		t.Error("what is known is forgotten while the provider is away:", err)
	}
	p.Down(false)
	flow, page, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	query := p.SignIn(page, "ada-1")
	p.Down(true)
	if _, err := c.Finish(t.Context(), flow, query); !errors.Is(err, ErrUnavailable) {
		t.Error("away between the two:", err)
	}
}

// document serves what a provider says of itself.
func document(t *testing.T, text string) *Client {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.ReplaceAll(text, "SELF", server.URL)))
	}))
	t.Cleanup(server.Close)
	return New(Options{Issuer: server.URL, ClientID: "point"})
}

func TestBadDiscovery(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":            "<html>",
		"empty":              "{}",
		"another issuer":     `{"issuer":"https://evil.example","authorization_endpoint":"SELF/a","token_endpoint":"SELF/t","jwks_uri":"SELF/k"}`,
		"no token endpoint":  `{"issuer":"SELF","authorization_endpoint":"SELF/a","jwks_uri":"SELF/k"}`,
		"a file":             `{"issuer":"SELF","authorization_endpoint":"SELF/a","token_endpoint":"SELF/t","jwks_uri":"file:///etc/passwd"}`,
		"a script":           `{"issuer":"SELF","authorization_endpoint":"javascript:alert(1)","token_endpoint":"SELF/t","jwks_uri":"SELF/k"}`,
		"larger than needed": `{"issuer":"SELF","x":"` + strings.Repeat("x", maxAnswer) + `"}`,
	} {
		if _, _, err := document(t, text).Begin(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := provider{Issuer: "https://id.example", Authorize: "https://id.example/a", Token: "http://id.example/t", Keys: "https://id.example/k"}
	if plain.check() == nil {
		t.Error("a secret would be sent without encryption")
	}
	for _, issuer := range []string{"http://169.254.169.254", "http://[fe80::1]:80"} {
		if _, _, err := New(Options{Issuer: issuer}).Begin(t.Context()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "never connects") {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

func TestNoRedirects(t *testing.T) {
	p := openidtest.New(t, redirect, ada())
	away := httptest.NewServer(http.RedirectHandler(p.URL+"/.well-known/openid-configuration", http.StatusFound))
	t.Cleanup(away.Close)
	if _, _, err := New(Options{Issuer: away.URL}).Begin(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	if n := p.Calls("/.well-known/openid-configuration"); n != 0 {
		t.Error("a redirect was followed")
	}
}

func TestAuthStyle(t *testing.T) {
	secret := New(Options{ClientSecret: point.NewSecret("x")})
	for want, style := range map[string]int{
		"header, unsaid": int(secret.authStyle(nil)), "header, said": int(secret.authStyle([]string{"client_secret_post", "client_secret_basic"})),
		"body, said": int(secret.authStyle([]string{"client_secret_post"})), "body, public": int(New(Options{}).authStyle([]string{"client_secret_basic"})),
	} {
		if header := strings.HasPrefix(want, "header"); header != (style == 2) {
			t.Errorf("%s: %d", want, style)
		}
	}
}
