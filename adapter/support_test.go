package adapter

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"point"
	"point/gateway"
	"point/internal/wiretest"
	"point/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "pt-test-key-0123456789"

// world is a Handler over scripted providers, served over real HTTP.
type world struct {
	t        *testing.T
	handler  *Handler
	server   *httptest.Server
	snapshot *point.Snapshot
	gateway  *gateway.Gateway
	key      *point.Key
	limits   *gateway.Limits

	mu      sync.Mutex
	records []point.Record
	kept    chan point.Record
	refused []point.Code
	alerts  []string
	details []string // of the alerts
	keepErr error
	full    error                    // of the journal
	passed  time.Duration            // that the clock of limits is ahead
	costs   map[string]point.NanoUSD // of the history
}

func (w *world) Snapshot() *point.Snapshot { return w.snapshot }

func (w *world) Available() error { return w.full }

func (w *world) Keep(r *point.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, *r)
	w.kept <- *r
	return w.keepErr
}

func (w *world) Reject(_ string, code point.Code) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, code)
}

func (w *world) Raise(kind, subject, detail string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alerts, w.details = append(w.alerts, kind+" "+subject), append(w.details, detail)
}

func (*world) Facts(string, string) point.ModelFacts {
	return point.ModelFacts{ContextWindow: 128_000, MaxOutput: 4096}
}

// Price knows the models that start with "priced": 1 USD a million tokens in, 2 out.
func (*world) Price(_, model string, _ time.Time) *point.Price {
	if !strings.HasPrefix(model, "priced") {
		return nil
	}
	in, out := 1000.0, 2000.0
	return &point.Price{Input: &in, Output: &out}
}

// newWorld serves a configuration in which each upstream is an openai provider
// named a, b, c... with the models "m" and "priced".
func newWorld(t *testing.T, upstreams ...http.HandlerFunc) *world {
	t.Helper()
	w := &world{t: t, kept: make(chan point.Record, 1000)}
	secret := bytes.Repeat([]byte{7}, 32)
	key := &point.Key{ID: "key-1", Name: "test", Status: point.StatusActive, Hash: point.HashToken(secret, token)}
	w.key = key
	w.snapshot = &point.Snapshot{
		Providers: map[string]*point.Provider{}, Endpoints: map[string]*point.Endpoint{}, Default: point.DefaultMapping(),
		Aliases: map[string]string{"fast": "a/m"}, Keys: map[[32]byte]*point.Key{key.Hash: key}, KeySecret: secret, Prices: w, Models: w,
	}
	w.snapshot.Default.Retry.BackoffMS = 1
	for i, upstream := range upstreams {
		server := httptest.NewServer(upstream)
		t.Cleanup(server.Close)
		name := string(rune('a' + i))
		w.snapshot.Providers["id-"+name] = &point.Provider{
			ID: "id-" + name, Name: name, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive,
			Config: point.ProviderConfig{
				BaseURL: server.URL + "/v1", Models: []string{"m", "priced"}, Priority: i + 1, AllowPrivate: true,
				Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("upstream-key-" + name)},
			},
		}
	}
	w.snapshot.Index()
	log := slog.New(slog.DiscardHandler)
	w.gateway = gateway.New(gateway.Options{Config: w, Alerts: w, Log: log, Getenv: func(string) string { return "" }, AllowPrivate: true})
	models := gateway.NewModels(w.gateway, w, func(string) []string { return nil })
	w.limits = gateway.NewLimits(gateway.LimitOptions{Config: w, History: w, Log: log, Now: w.clock})
	w.handler = New(Deps{
		Config: w, Routes: routing.New(w.gateway, models), Senders: map[string]point.Sender{point.TypeAPI: w.gateway},
		Records: w, Budget: &gateway.Budgets{}, Limits: w.limits, Lists: models, Alerts: w, Log: log,
		MaxBody: 1 << 20, MaxBodies: 64 << 20, CORSOrigins: []string{"https://app.example"},
	})
	w.server = httptest.NewServer(w.handler)
	t.Cleanup(func() {
		w.server.Close()
		w.gateway.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

// post sends a chat request and returns the answer, read whole.
func (w *world) post(body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	return w.do(http.MethodPost, point.PathChat, body, append([]string{"Authorization", "Bearer " + token}, headers...)...)
}

func (w *world) do(method, path, body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		w.t.Fatal(err)
	}
	if err == nil {
		w.checkShape(request, response, data)
	}
	return response, string(data)
}

// checkShape checks an answer against what is documented of its endpoint.
func (w *world) checkShape(request *http.Request, response *http.Response, body []byte) {
	w.t.Helper()
	if err := wiretest.Answer(request, response, body); err != nil {
		w.t.Error(err)
	}
}

// record is the one record of the one request that was made.
func (w *world) record() point.Record {
	w.t.Helper()
	r := <-w.kept
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) != 1 {
		w.t.Errorf("%d records, want 1", len(w.records))
	}
	return r
}

const chat = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`

// says answers with a document.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

// fails answers with an error.
func fails(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		code := "some_code"
		if status == http.StatusNotFound {
			code = "model_not_found"
		}
		_, _ = io.WriteString(w, `{"error":{"message":"it says no","type":"some_type","code":"`+code+`"}}`)
	}
}

// streams answers with events, flushed one by one.
func streams(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			_, _ = io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
	}
}

func chunk(delta string) string {
	return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}` + "\n\n"
}

const (
	usageChunk = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}` + "\n\n"
	stopChunk  = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	done       = "data: [DONE]\n\n"
	document   = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
)
