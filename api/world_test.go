package api

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // as the binary has it

	"go.uber.org/goleak"

	"point"
	"point/internal/pgtest"
	"point/store"
)

func TestMain(m *testing.M) {
	passwordCost.Memory, passwordCost.Iterations = 64, 1 // KiB: what is tested is not how slow it is
	code := pgtest.Main(m)
	if code == 0 && everyTest() {
		for _, wrong := range announcedUnseen() {
			fmt.Fprintln(os.Stderr, wrong)
			code = 1
		}
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const password = "correct horse battery"

// full makes those tests that CI runs in short run at full length.
var full = flag.Bool("api.full", false, "run races, guesses and accesses to what others own at full length")

// times is how often something is done: all times at full length, few in CI.
func times(few, all int) int {
	if *full {
		return all
	}
	return few
}

// world is an API over a real store, with a user of every role.
type world struct {
	t       testing.TB
	api     *API
	handler http.Handler
	store   *store.Store
	clock   *clock
	alerts  *alertList
	users   map[string]*point.User
	tokens  map[string]string
	ports   *fakePorts
	opts    store.Options
	quiet   bool // answers are not looked at
}

// clock is a time that tests move on.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	tick time.Duration // by which it moves on itself whenever it is read
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.tick)
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// alertList keeps the kinds and subjects that were raised.
type alertList struct {
	mu       sync.Mutex
	kinds    []string
	subjects map[string]bool
}

func (a *alertList) Raise(kind, subject, _ string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kinds = append(a.kinds, kind)
	a.subjects[subject] = true
}

func (a *alertList) count(kind string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.kinds {
		if k == kind {
			n++
		}
	}
	return n
}

// fakePorts stands in for the gateway.
type fakePorts struct {
	events chan point.Record
	tested *point.Provider
	health map[string]point.ProviderHealth // by provider; absent: ok

	refusal error // of a test or an explanation
	noMail  bool  // no mail server is set
}

func (f *fakePorts) TestProvider(_ context.Context, p *point.Provider, r point.TestRequest) (point.TestResult, error) {
	f.tested = p
	if f.refusal != nil {
		return point.TestResult{}, f.refusal
	}
	if r.Model == "refused" {
		return point.TestResult{}, &point.Error{Code: point.MissingField, Param: "model", Message: "Name a model."}
	}
	return point.TestResult{OK: true, Status: 200, LatencyMS: 12, Text: "Hello.", Model: r.Model}, nil
}

func (f *fakePorts) TestEndpoint(_ context.Context, path string, request json.RawMessage) (point.TestResult, error) {
	return point.TestResult{OK: true, Status: 200, Text: path + string(request)}, nil
}

func (f *fakePorts) Explain(_ context.Context, path string, _ []byte, _ string) (point.Explanation, error) {
	return point.Explanation{Endpoint: path, Model: "gpt-4o", Strategy: point.StrategyPriority}, f.refusal
}

func (f *fakePorts) Models(context.Context) ([]point.ModelInfo, error) {
	return []point.ModelInfo{{ID: "gpt-4o", Kind: "chat", ContextWindow: 128_000}}, nil
}

func (f *fakePorts) Checks(context.Context) []point.HealthCheck {
	return []point.HealthCheck{{Name: "database", State: point.HealthOK}}
}

func (f *fakePorts) ProviderHealth(id string) point.ProviderHealth {
	if known, ok := f.health[id]; ok {
		return known
	}
	return point.ProviderHealth{State: point.HealthOK}
}

func (f *fakePorts) KeyUsage(k *point.Key) point.KeyUsage {
	return point.KeyUsage{Day: 1_230_000_000, Month: 45_600_000_000, RequestsMinute: 12, TokensMinute: 3400, Open: int64(len(k.Name))}
}

func (f *fakePorts) Test(_ context.Context, n *point.Notifier) point.NotifierResult {
	return point.NotifierResult{OK: true, Status: 200, LatencyMS: 7, Message: "Taken by " + n.Name}
}

func (f *fakePorts) Mails() bool { return !f.noMail }

func (f *fakePorts) All(time.Time) []point.ModelPrice {
	rate := 2500.0
	return []point.ModelPrice{
		{Kind: "gemini", Model: "gemini-2.5-pro", Price: point.Price{Input: &rate, Tiers: []point.PriceTier{{Above: 200_000}}}},
		{Kind: "openai", Model: "gpt-4o", Price: point.Price{Input: &rate, Output: &rate}},
	}
}

func (f *fakePorts) Subscribe(ctx context.Context) <-chan point.Record {
	out := make(chan point.Record)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-f.events:
				select {
				case out <- r:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, store.Options{})
}

// newWorldOn is a world on a database of its own.
func newWorldOn(t testing.TB, opts store.Options) *world {
	t.Helper()
	return newWorldAt(t, opts, &clock{now: time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)})
}

// newWorldAt is newWorldOn by another clock.
func newWorldAt(t testing.TB, opts store.Options, c *clock) *world {
	t.Helper()
	w := &world{
		t: t, clock: c, alerts: &alertList{subjects: map[string]bool{}}, ports: &fakePorts{events: make(chan point.Record)},
		users: map[string]*point.User{}, tokens: map[string]string{}, opts: opts,
	}
	w.opts.DataDir, w.opts.Now = t.TempDir(), w.clock.Now
	w.open()
	return w
}

// twin is another process on the same database, with the same users and clock.
func (w *world) twin() *world {
	w.t.Helper()
	other := *w
	other.open()
	return &other
}

// open opens the store, and builds the API on it.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.t.Context(), w.opts); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.store.Close() })
	deps := Deps{
		Store: w.store, Tester: w.ports, Explainer: w.ports, Models: w.ports, Usage: w.ports, Health: w.ports, Events: w.ports, Alerts: w.alerts, Notify: w.ports, Prices: w.ports,
		Now: w.clock.Now, Version: "test", PublicURL: "https://console.example", Hosts: []string{"point.example"},
		EnvAllow: []string{"OPENAI_API_KEY"}, AllowPrivate: true,
	}
	if w.api, err = build(deps); err != nil {
		w.t.Fatal(err)
	}
	if _, err = w.api.describe(); err != nil {
		w.t.Fatal(err)
	}
	w.handler = w.api.secure(w.api.mux)
}

// withUsers adds a user of every role and an access token for each.
func (w *world) withUsers() *world {
	w.t.Helper()
	hash, err := HashPassword(point.NewSecret(password))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, role := range []string{point.RoleOwner, point.RoleAdmin, point.RoleOperator, point.RoleViewer} {
		u := &point.User{Email: role + "@example.com", PasswordHash: hash, Role: role}
		if err := w.store.CreateUser(w.t.Context(), u); err != nil {
			w.t.Fatal(err)
		}
		w.users[role] = u
		w.tokens[role] = w.signIn(u)
	}
	return w
}

// signIn starts a session and returns its access token.
func (w *world) signIn(u *point.User) string {
	w.t.Helper()
	out, err := w.api.startSession(w.t.Context(), u, caller{address: "127.0.0.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Body.AccessToken
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// request builds a request as a client sends it; header holds pairs.
func request(method, url, token, body string, header ...string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, url, reader)
	r.Host = "localhost:8080"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	return r
}

// do sends a request as the role's user, or as nobody.
func (w *world) do(role, method, url, body string, header ...string) answer {
	w.t.Helper()
	return w.send(request(method, url, w.tokens[role], body, header...))
}

func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.String()}
	if w.quiet {
		return a
	}
	w.checkSchema(r, a)
	if strings.Contains(a.body, canary) || strings.Contains(fmt.Sprint(a.header), canary) {
		w.t.Errorf("%s %s answers with a secret: %s", r.Method, r.URL, a.body)
	}
	return a
}

// make creates something as the owner and returns its id.
func (w *world) make(url, body string) string {
	w.t.Helper()
	a := w.do(point.RoleOwner, http.MethodPost, url, body)
	if a.status != http.StatusCreated {
		w.t.Fatalf("POST %s: %d %s", url, a.status, a.body)
	}
	var created struct{ ID string }
	a.into(w.t, &created)
	return created.ID
}

// canary is in every secret that tests store; no answer may hold it.
const canary = "canary"

const openAIProvider = `{"type":"api","name":"main","provider":"openai","config":{"api_key":"sk-canary-0123456789abcdef"}}`
