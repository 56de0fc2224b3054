package gateway

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"point"
	"point/adapter/provider"
)

// granted is a service with access tokens, whose token server is where its settings say.
type granted struct{ provider.Service }

func init() {
	openai, _ := provider.Lookup("openai")
	provider.Register(&provider.Kind{
		Name: "granted", Title: "Granted", Dialect: point.DialectOpenAI, BaseURL: "https://granted.example", Service: granted{openai.Service},
		Fields: []provider.Field{{Name: "account", Title: "Account", Type: "secret", Help: "A key."}},
	})
}

func (s granted) Chat(req *provider.Request) (*provider.Exchange, error) {
	return s.Service.(provider.Chatter).Chat(req)
}

func (granted) Sign(r *http.Request, _ []byte, with provider.Proof) error {
	r.Header.Set("Authorization", "Bearer "+with.Token.Reveal())
	return nil
}

func (granted) ServiceAccount(c *point.ProviderConfig) (*provider.ServiceAccount, error) {
	var at string
	_ = json.Unmarshal(c.Options["token_url"], &at)
	return &provider.ServiceAccount{Email: "a@example.com", KeyID: "k1", PrivateKey: c.Secrets["account"], TokenURL: at, Scopes: []string{"all"}}, nil
}

func privateKey(t *testing.T) point.Secret {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return point.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// tokens is a token server and the service behind it.
type tokens struct {
	status  atomic.Int32 // of the token server
	given   atomic.Int32
	refuses atomic.Bool // the service takes no token
	seconds atomic.Int32
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/token" {
		s.chat(w, r)
		return
	}
	if status := s.status.Load(); status != 0 {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status))
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"`+r.FormValue("assertion")+`"}`)
		return
	}
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || strings.Count(r.FormValue("assertion"), ".") != 2 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":%d,"token_type":"Bearer"}`, s.given.Add(1), s.seconds.Load())
}

func (s *tokens) chat(w http.ResponseWriter, r *http.Request) {
	if s.refuses.Load() || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-") {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"message":"bad `+r.Header.Get("Authorization")+`"}}`)
		return
	}
	_, _ = io.WriteString(w, `{"choices":[],"seen":"`+r.Header.Get("Authorization")+`"}`)
}

func newGranted(t *testing.T) (*tokens, *Gateway, *point.Provider) {
	t.Helper()
	s := &tokens{}
	s.seconds.Store(3600)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	p := providerAt(server.URL)
	p.Kind = "granted"
	p.Config.Secrets = map[string]point.Secret{"account": privateKey(t)}
	p.Config.Options = map[string]json.RawMessage{"token_url": json.RawMessage(`"` + server.URL + `/token"`)}
	return s, newGateway(t, nil, p), p
}

func ask(t *testing.T, g *Gateway, p *point.Provider) (string, error) {
	t.Helper()
	reply, err := g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
	if err != nil {
		return "", err
	}
	defer reply.Close()
	block, err := reply.Next()
	return string(block.Data), err
}

func TestTokensAreSharedAndRenewed(t *testing.T) {
	s, g, p := newGranted(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := ask(t, g, p); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.given.Load(); n != 1 {
		t.Errorf("%d tokens for 20 calls", n)
	}
	s.refuses.Store(true)
	if _, err := ask(t, g, p); point.AsError(err).Code != point.ProviderCredentials || strings.Contains(fmt.Sprint(err, point.AsError(err).Cause), "token-1") {
		t.Errorf("refused: %v, %v", err, point.AsError(err).Cause)
	}
	s.refuses.Store(false)
	s.seconds.Store(60) // ends so soon that it is renewed for the next call
	for _, want := range []string{"token-2", "token-3"} {
		if said, err := ask(t, g, p); err != nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s, %v", want, said, err)
		}
	}
}

func TestTokensThatAreNotGiven(t *testing.T) {
	s, g, p := newGranted(t)
	for status, want := range map[int32]point.Code{400: point.ProviderCredentials, 401: point.ProviderCredentials, 302: point.ProviderCredentials, 503: point.ProviderUnavailable} {
		s.status.Store(status)
		_, err := ask(t, g, p)
		e := point.AsError(err)
		if e.Code != want || strings.Contains(fmt.Sprint(err, e.Cause), "eyJ") {
			t.Errorf("%d: %v, %v", status, err, e.Cause)
		}
		g = newGateway(t, nil, p) // keys rest after a refusal
	}
	broken := *p
	broken.Config.Secrets = map[string]point.Secret{"account": point.NewSecret("no key at all")}
	if _, err := ask(t, newGateway(t, nil, &broken), &broken); point.AsError(err).Code != point.ProviderCredentials || strings.Contains(err.Error(), "no key at all") {
		t.Errorf("broken: %v", err)
	}
}
