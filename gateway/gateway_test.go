package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"point"
	"point/adapter/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type alerts struct{ raised atomic.Int32 }

func (a *alerts) Raise(string, string, string) { a.raised.Add(1) }

type fixed struct{ snapshot *point.Snapshot }

func (f fixed) Snapshot() *point.Snapshot { return f.snapshot }

// live is a configuration that tests change.
type live struct{ atomic.Pointer[point.Snapshot] }

func (l *live) Snapshot() *point.Snapshot { return l.Load() }

func (l *live) set(providers ...*point.Provider) {
	s := &point.Snapshot{Providers: map[string]*point.Provider{}}
	for _, p := range providers {
		s.Providers[p.ID] = p
	}
	l.Store(s)
}

func newGateway(t *testing.T, env map[string]string, providers ...*point.Provider) *Gateway {
	t.Helper()
	config := &live{}
	config.set(providers...)
	g := New(Options{Config: config, Alerts: &alerts{}, Log: slog.New(slog.DiscardHandler), Getenv: func(name string) string { return env[name] }, AllowPrivate: true})
	t.Cleanup(g.Close)
	return g
}

func providerAt(url string) *point.Provider {
	return &point.Provider{
		ID: "id", Name: "p", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive,
		Config: point.ProviderConfig{BaseURL: url + "/v1/", AllowPrivate: true, Secrets: map[string]point.Secret{
			point.SecretAPIKey: point.NewSecret("key"), "headers.X-Extra": point.NewSecret("extra"),
		}},
	}
}

func callOf(t *testing.T, body string) *point.Call {
	t.Helper()
	env, err := point.ScanEnvelope([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return &point.Call{
		Path: point.PathChat, Dialect: point.DialectOpenAI, Envelope: env, Body: []byte(body),
		Snapshot: &point.Snapshot{Default: point.DefaultMapping()}, Key: &point.Key{}, Start: time.Now(),
	}
}

const chat = `{"model":"m","messages":[]}`

func TestRequestIsTheProvidersOwn(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got = r
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer server.Close()
	p := providerAt(server.URL)
	reply, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Close()
	if got.URL.Path != "/v1/chat/completions" || got.ContentLength != int64(len(chat)) {
		t.Errorf("asked for %s with %d bytes", got.URL, got.ContentLength)
	}
	for name, want := range map[string]string{"Authorization": "Bearer key", "X-Extra": "extra", "Accept-Encoding": "identity", "Content-Type": "application/json", "User-Agent": "point"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q", name, got.Header.Get(name))
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Bool
	aim := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer aim.Close()
	server := httptest.NewServer(http.RedirectHandler(aim.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	_, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: providerAt(server.URL), Model: "m"}, callOf(t, chat))
	if err == nil || reached.Load() {
		t.Errorf("error %v, redirect followed: %v", err, reached.Load())
	}
}

func TestAddressesAreGuarded(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	p := providerAt(server.URL)
	p.Config.AllowPrivate = false
	_, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
	if e := point.AsError(err); e.Code != point.UnsafeAddress || !strings.Contains(e.Message, "127.0.0.1") {
		t.Errorf("got %v", err)
	}
	p = providerAt("http://169.254.169.254")
	_, err = newGateway(t, nil).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
	if e := point.AsError(err); e.Code != point.UnsafeAddress {
		t.Errorf("got %v", err)
	}
}

func TestProvidersThatCannotBeAsked(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here
	secure.StartTLS()
	defer secure.Close()
	at := func(scheme, url string) func(*point.Provider) {
		_, rest, _ := strings.Cut(url, "://")
		return func(p *point.Provider) { p.Config.BaseURL = scheme + "://" + rest }
	}
	tests := map[string]struct {
		change func(*point.Provider)
		code   point.Code
		says   string
	}{
		"no key":       {func(p *point.Provider) { p.Config.Secrets = nil }, point.ProviderCredentials, "has no API key"},
		"empty env":    {func(p *point.Provider) { p.Config.APIKeyEnv = "NOPE_KEY" }, point.ProviderCredentials, "NOPE_KEY, which is not set"},
		"no base url":  {func(p *point.Provider) { p.Config.BaseURL = "nonsense" }, point.ProviderUnavailable, "base_url"},
		"unknown kind": {func(p *point.Provider) { p.Kind = "zzz" }, point.ProviderUnavailable, "zzz"},
		"nobody there": {func(*point.Provider) {}, point.ProviderUnavailable, "the connection was refused; check that it runs"},
		"no TLS there": {at("https", plain.URL), point.ProviderUnavailable, "must begin with http instead of https"},
		"TLS there":    {at("http", secure.URL), point.ProviderBadResponse, "must begin with https instead of http"},
		"untrusted":    {at("https", secure.URL), point.ProviderUnavailable, "certificate is not trusted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := providerAt(closed.URL)
			test.change(p)
			_, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
			if e := point.AsError(err); e.Code != test.code || !strings.Contains(e.Message, test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNameThatDoesNotResolve(t *testing.T) {
	known, _ := provider.Lookup("openai")
	a := &attempt{backend: &backend{provider: providerAt("http://host"), kind: known}, ctx: t.Context()}
	e := point.AsError(a.failure(&net.DNSError{Name: "nothing.invalid", IsNotFound: true}))
	if e.Code != point.ProviderUnavailable || !strings.Contains(e.Message, "nothing.invalid does not resolve") {
		t.Errorf("got %v", e)
	}
}

// TestWhereToLook: errors name the setting that the provider's place comes from.
func TestWhereToLook(t *testing.T) {
	for kind, setting := range map[string]string{"bedrock": "region", "azure": "resource_name", "vertex": "location", "openai": "base_url"} {
		p := &point.Provider{Name: "there", Kind: kind}
		known, _ := provider.Lookup(kind)
		a := &attempt{backend: &backend{provider: p, kind: known}, key: &key{}, call: callOf(t, chat), ctx: t.Context()}
		e := a.told(a.failure(&net.DNSError{Name: "nothing.invalid", IsNotFound: true}))
		if !strings.HasSuffix(e.Message, "check its "+setting+".") {
			t.Errorf("%s: %v", kind, e)
		}
		if e := a.told(known.Failure(404, nil, []byte("<html>"))); !strings.HasSuffix(e.Message, "check "+setting+".") {
			t.Errorf("%s: %v", kind, e)
		}
		if e := a.told(known.Failure(400, nil, []byte(`{"message":"no base_url here","error":{"message":"no base_url here"}}`))); !strings.Contains(e.Message, "no base_url here") {
			t.Errorf("%s: the provider's own words are %v", kind, e)
		}
		if p.Config.BaseURL = "https://elsewhere"; !strings.HasSuffix(a.told(a.strange("HTML")).Message, "check its base_url.") {
			t.Errorf("%s at another place: %v", kind, a.told(a.strange("HTML")))
		}
	}
}

// TestHealthWithoutCredentials: a provider that cannot prove itself is down before it is asked, and
// says what to give it.
func TestHealthWithoutCredentials(t *testing.T) {
	p := &point.Provider{ID: "aws", Name: "aws", Kind: "bedrock", Config: point.ProviderConfig{Options: map[string]json.RawMessage{"region": json.RawMessage(`"us-east-1"`)}}}
	env := map[string]string{}
	g := newGateway(t, env, p)
	if h := g.ProviderHealth("aws"); h.State != point.HealthDown || h.LastError != point.ProviderCredentials || !strings.Contains(h.Message, "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("without any: %+v", h)
	}
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "id", "secret"
	if h := g.ProviderHealth("aws"); h.State != point.HealthUnknown {
		t.Errorf("with those of the environment: %+v", h)
	}
}

func TestKeyFromTheEnvironment(t *testing.T) {
	var auth string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer server.Close()
	p := providerAt(server.URL)
	p.Config.APIKeyEnv, p.Config.Secrets = "SOME_KEY", nil
	reply, err := newGateway(t, map[string]string{"SOME_KEY": "from-env"}).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat))
	if err != nil {
		t.Fatal(err)
	}
	reply.Close()
	if auth != "Bearer from-env" {
		t.Errorf("sent %q", auth)
	}
}

func TestHealthFollowsAttempts(t *testing.T) {
	var fail atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fail.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer server.Close()
	p := providerAt(server.URL)
	g := newGateway(t, nil, p)
	send := func() {
		if reply, err := g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, chat)); err == nil {
			reply.Close()
		}
	}
	expect := func(state string) {
		t.Helper()
		if h := g.ProviderHealth("id"); h.State != state {
			t.Errorf("state %s, want %s", h.State, state)
		}
	}
	expect(point.HealthUnknown)
	if g.Latency("id") != 0 {
		t.Error("a provider that was never tried has a latency")
	}
	fail.Store(true)
	send()
	if g.Latency("id") != math.MaxInt64 {
		t.Error("one that only failed passes for a quick one")
	}
	fail.Store(false)
	send()
	if d := g.Latency("id"); d <= 0 || d > time.Minute {
		t.Errorf("latency %s", d)
	}
	expect(point.HealthOK)
	fail.Store(true)
	send()
	expect(point.HealthDegraded)
	send()
	send()
	expect(point.HealthDown)
	changed := *p // a saved change keeps what is known
	p = &changed
	g.options.Config.(*live).set(p)
	fail.Store(false)
	send()
	expect(point.HealthOK)
	if g.Busy("id") != 0 {
		t.Errorf("%d calls under way", g.Busy("id"))
	}
}

// TestFinishedStreamsShareAConnection: a stream that was read to its last event leaves its
// connection to the next.
func TestFinishedStreamsShareAConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	g, p := newGateway(t, nil), providerAt(server.URL)
	for range 5 {
		reply, err := g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, `{"model":"m","stream":true,"messages":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		for {
			if block, err := reply.Next(); err != nil || block.Kind == point.BlockDone {
				break
			}
		}
		reply.Close()
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestKeyIsProbedWithGrowingPauses(t *testing.T) {
	k, now := &key{cooled: map[string]time.Time{}}, time.Now()
	k.refuse(now)
	if k.refuse(now) {
		t.Fatal("suspended after two refusals")
	}
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if !k.refuse(now) {
			t.Fatal("not suspended")
		}
		until, err := k.usable("m", now)
		if err == nil || until.Sub(now) != want {
			t.Fatalf("suspended for %s, want %s", until.Sub(now), want)
		}
		now = until
		if _, err := k.usable("m", now); err != nil {
			t.Fatal("no probe after the pause")
		}
	}
	k.accept()
	if k.refuse(now) {
		t.Error("a success does not start the count anew")
	}
}

func TestCoolDownIsPerModelAndBounded(t *testing.T) {
	k, now := &key{cooled: map[string]time.Time{}}, time.Now()
	k.cool("m", time.Hour, now)
	if until, err := k.usable("m", now); err == nil || until.Sub(now) != maxCooldown {
		t.Errorf("cooled for %s", until.Sub(now))
	}
	if _, err := k.usable("other", now); err != nil {
		t.Error("another model is cooled too")
	}
}

func TestRetryBudget(t *testing.T) {
	var b Budgets
	for range budgetBurst {
		if !b.Repeat("p") {
			t.Fatal("the first repeats are refused")
		}
	}
	if b.Repeat("p") {
		t.Error("a repeat without budget")
	}
	for range 5 {
		b.First("p", 20)
	}
	if !b.Repeat("p") || b.Repeat("p") {
		t.Error("five first attempts at 20% earn one repeat")
	}
}

func TestDiscovery(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() || r.URL.Path != "/v1/models" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"m1"},{"id":"m2"}]}`)
	}))
	defer server.Close()
	p := providerAt(server.URL)
	s := &point.Snapshot{Providers: map[string]*point.Provider{p.ID: p}}
	models := NewModels(newGateway(t, nil), fixed{s}, func(string) []string { return []string{"known"} })
	if !slices.Equal(models.List(p), []string{"known"}) || !models.Has(p, "known") {
		t.Errorf("before: %v", models.List(p))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	models.refresh(ctx)
	if !slices.Equal(models.List(p), []string{"m1", "m2"}) || models.Has(p, "known") || !models.Has(p, "m2") {
		t.Errorf("after: %v", models.List(p))
	}
	broken.Store(true)
	changed := *p
	s.Providers[p.ID] = &changed // asks again, and fails
	models.refresh(ctx)
	if !models.Has(&changed, "m1") {
		t.Error("a failure forgot the list")
	}
	changed.Config.Models = []string{"only"}
	if models.Has(&changed, "m1") || !models.Has(&changed, "only") {
		t.Error("the explicit list does not win")
	}
	if !models.Serves(p, point.PathEmbeddings) || models.Serves(&point.Provider{Kind: "zzz"}, point.PathChat) {
		t.Error("abilities")
	}
}

// holder counts the holds on a body.
type holder struct{ holds atomic.Int32 }

func (h *holder) Retain()  { h.holds.Add(1) }
func (h *holder) Release() { h.holds.Add(-1) }

// TestEachReaderHoldsTheBody: a request that HTTP/2 sends again reads the body a second time,
// after the first was written whole.
func TestEachReaderHoldsTheBody(t *testing.T) {
	call, h := callOf(t, chat), &holder{}
	call.Buffer = h
	b, err := newBackend(providerAt("http://host"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{backend: b, key: b.keys[0], call: call, ctx: t.Context()}
	a.exchange = &provider.Exchange{Outbound: &point.Outbound{Method: http.MethodPost, Path: "/x", Body: call.Body}}
	request := a.request()
	if first, _ := io.ReadAll(request.Body); string(first) != chat {
		t.Errorf("read %q", first)
	}
	again, _ := request.GetBody()
	for range 2 {
		_ = request.Body.Close()
	}
	if h.holds.Load() != 1 {
		t.Errorf("%d holds while the second reader is open, want 1", h.holds.Load())
	}
	if second, _ := io.ReadAll(again); string(second) != chat {
		t.Errorf("read %q", second)
	}
	_ = again.Close()
	if n, err := again.Read(make([]byte, 8)); n != 0 || err != io.EOF || h.holds.Load() != 0 {
		t.Errorf("after the end: %d bytes, %v, %d holds", n, err, h.holds.Load())
	}
}

// TestABodyIsHeldUntilItWasSent over real connections, and no longer.
func TestABodyIsHeldUntilItWasSent(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _ = io.Copy(io.Discard, r.Body); r.ProtoMajor != 2 {
			t.Errorf("spoken to in %s", r.Proto)
		}
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, url := range []string{server.URL, closed.URL} {
		p := providerAt(url)
		g := newGateway(t, nil, p)
		g.private.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		call, h := callOf(t, `{"model":"m","messages":["`+strings.Repeat("x", 200_000)+`"]}`), &holder{}
		call.Buffer = h
		if reply, err := g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, call); err == nil {
			reply.Close()
		} else if url == server.URL {
			t.Error(err)
		}
		for h.holds.Load() != 0 { // the transport may close it a moment later
			runtime.Gosched()
		}
	}
}

func TestAListThatBreaksItsReaderIsOnlyMissing(t *testing.T) {
	p := providerAt("http://host")
	p.Config.APIKeyEnv = "BOOM"
	g := newGateway(t, nil, p)
	g.options.Getenv = func(string) string { panic("boom") }
	models := NewModels(g, g.options.Config, func(string) []string { return []string{"known"} })
	models.refresh(t.Context())
	if d := models.discovered(p); d == nil || d.err == nil || !models.Has(p, "known") {
		t.Errorf("discovered %+v", d)
	}
}

func TestTheCatalogueIsReadOncePerKind(t *testing.T) {
	reads := 0
	p := providerAt("http://host")
	models := NewModels(newGateway(t, nil, p), nil, func(string) []string { reads++; return []string{"known"} })
	for range 3 {
		if !models.Has(p, "known") || models.Has(p, "other") {
			t.Error("wrong")
		}
	}
	if reads != 1 {
		t.Errorf("%d reads, want 1", reads)
	}
}

// TestAnswerBeyondAllBounds has a provider that never stops talking.
func TestAnswerBeyondAllBounds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"content":"`)
		for _, err := io.WriteString(w, strings.Repeat("a", 1<<20)); err == nil; {
			_, err = io.WriteString(w, strings.Repeat("a", 1<<20))
		}
	}))
	defer server.Close()
	p := providerAt(server.URL)
	p.Kind = "anthropic" // its answers are translated, so they are held whole
	_, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: p, Model: "m"}, callOf(t, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`))
	if e := point.AsError(err); e.Code != point.ProviderBadResponse || !strings.Contains(e.Message, "more than 64 MiB") {
		t.Errorf("got %v", err)
	}
}
