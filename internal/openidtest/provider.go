// Package openidtest is a real OpenID provider for tests, which can be made to lie.
package openidtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What Point is at the provider.
const (
	ClientID     = "point"
	ClientSecret = "only-for-tests"
	PublicClient = "point-public"
)

// Account is somebody who has an account at the provider. Its members are what the provider
// says from the next sign-in on.
type Account struct {
	Subject  string
	Email    string
	Verified bool
	Groups   []string
}

// Provider is the provider. Its answers may be changed on their way by Tamper.
type Provider struct {
	*storage.Storage
	URL string // the issuer

	t        testing.TB
	handler  http.Handler
	accounts map[string]*Account

	mu     sync.Mutex
	key    signingKey
	tamper map[string]func([]byte) []byte // by path
	down   bool
	calls  map[string]int // by path
}

// New starts a provider that sends people back to redirect. It ends with the test.
func New(t testing.TB, redirect string, accounts ...*Account) *Provider {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	p, err := Make("http://"+server.Listener.Addr().String(), redirect, accounts...)
	if err != nil {
		t.Fatal(err)
	}
	p.t, server.Config.Handler = t, p
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// Make makes the provider that is served at issuer, and sends people back to redirect.
func Make(issuer, redirect string, accounts ...*Account) (*Provider, error) {
	p := &Provider{URL: issuer, accounts: map[string]*Account{}, tamper: map[string]func([]byte) []byte{}, calls: map[string]int{}}
	for _, a := range accounts {
		p.accounts[a.Subject] = a
	}
	p.Storage = storage.NewStorageWithClients(p, map[string]*storage.Client{
		ClientID:     storage.WebClient(ClientID, ClientSecret, redirect),
		PublicClient: storage.NativeClient(PublicClient, redirect),
	})
	if err := p.rotate(); err != nil {
		return nil, err
	}
	config := &op.Config{CryptoKey: sha256.Sum256([]byte("only for tests")), CodeMethodS256: true}
	provider, err := op.NewProvider(config, p, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.Handle(loginPath, &login{p, provider})
	p.handler = mux
	return p, nil
}

// ServeHTTP answers as the provider does, changed by what Tamper said.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	change, down := p.tamper[r.URL.Path], p.down
	p.calls[r.URL.Path]++
	p.mu.Unlock()
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if change == nil {
		p.handler.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, r)
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(change(rec.Body.Bytes()))
}

// Tamper changes the body of every later answer at path; nil ends that.
func (p *Provider) Tamper(path string, change func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper[path] = change
}

// Down makes the provider answer nothing but errors, or no longer.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Calls counts the requests to path.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// Rotate replaces the signing key. The old one is published no more.
func (p *Provider) Rotate() {
	if err := p.rotate(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Provider) rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = signingKey{id: rand.Text(), key: key}
	return nil
}

// SignIn does what a browser does at page for the account of subject, and returns what the
// browser brings back.
func (p *Provider) SignIn(page, subject string) url.Values {
	p.t.Helper()
	login := p.follow(page)
	if err := p.CheckUsernamePassword(subject, password, login.Query().Get("authRequestID")); err != nil {
		p.t.Fatal(err)
	}
	back := p.follow(p.URL + "/authorize/callback?id=" + url.QueryEscape(login.Query().Get("authRequestID")))
	return back.Query()
}

// follow is where a page redirects to.
func (p *Provider) follow(page string) *url.URL {
	p.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Get(page)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		body, _ := io.ReadAll(answer.Body)
		p.t.Fatalf("%s: %s: %s", page, answer.Status, body)
	}
	return to
}

const password = "only for tests"

// GetUserByID and GetUserByUsername are the accounts, as the storage asks for them.
func (p *Provider) GetUserByID(id string) *storage.User {
	a := p.accounts[id]
	if a == nil {
		return nil
	}
	return &storage.User{ID: a.Subject, Username: a.Subject, Password: password, Email: a.Email, EmailVerified: a.Verified}
}

func (p *Provider) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

func (*Provider) ExampleClientID() string { return storage.ServiceUserID }

// SetUserinfoFromRequest fills what the ID token says; SetUserinfoFromToken what UserInfo says.
func (p *Provider) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	return p.groups(info, r.GetSubject(), p.Storage.SetUserinfoFromRequest(ctx, info, r, scopes))
}

func (p *Provider) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	return p.groups(info, subject, p.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin))
}

func (p *Provider) groups(info *oidc.UserInfo, subject string, err error) error {
	a := p.accounts[subject]
	if a == nil {
		return errors.Join(err, errors.New("there is no such account"))
	}
	if a.Groups != nil {
		info.AppendClaims("groups", a.Groups)
	}
	return err
}

// signingKey is one key of the provider.
type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// publicKey is its published half.
type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return &k.key.PublicKey }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }

func (p *Provider) current() signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

func (p *Provider) SigningKey(context.Context) (op.SigningKey, error) { return p.current(), nil }

func (p *Provider) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{p.current()}}, nil
}

func (p *Provider) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// Public is the current public key, for those who take it for another kind of key.
func (p *Provider) Public() *rsa.PublicKey { return &p.current().key.PublicKey }

// Forge signs claims with the provider's own key.
func (p *Provider) Forge(claims string) string {
	p.t.Helper()
	return p.ForgeBy(string(jose.RS256), p.current().key, claims)
}

// ForgeBy signs claims with another key, under an algorithm of its own and the key id of the
// provider's.
func (p *Provider) ForgeBy(algorithm string, key any, claims string) string {
	p.t.Helper()
	header := (&jose.SignerOptions{}).WithHeader("kid", p.current().id)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, header)
	if err != nil {
		p.t.Fatal(err)
	}
	object, err := signer.Sign([]byte(claims))
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}
