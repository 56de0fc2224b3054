package adapter

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"point"
	"point/gateway"
)

// clock is the time of the limits.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.passed)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passed += d
}

func (w *world) KeyCosts(context.Context, []string, time.Time, time.Time) (map[string]point.NanoUSD, error) {
	return maps.Clone(w.costs), nil
}

// limit changes the limits of the key, as a change of the live configuration does.
func (w *world) limit(l point.KeyLimits) {
	key, next := *w.key, *w.snapshot
	key.Limits = l
	next.Keys = map[[32]byte]*point.Key{key.Hash: &key}
	next.Index()
	w.key, w.snapshot = &key, &next
}

// last is the record of the last request.
func (w *world) last() point.Record {
	w.t.Helper()
	return <-w.kept
}

const pricedChat = `{"model":"priced","messages":[{"role":"user","content":"hi"}],"max_tokens":5}`

func priced(body string) string { return strings.ReplaceAll(body, `"m"`, `"priced"`) }

func TestRequestsOfAKey(t *testing.T) {
	w := newWorld(t, says(document))
	w.limit(point.KeyLimits{RPM: new(int64(2))})
	for _, remaining := range []string{"1", "0"} {
		answer, _ := w.post(chat)
		h := answer.Header
		if answer.StatusCode != 200 || h.Get("X-Ratelimit-Limit-Requests") != "2" || h.Get("X-Ratelimit-Remaining-Requests") != remaining || h.Get("X-Ratelimit-Limit-Tokens") != "" {
			t.Errorf("status %d, headers %v", answer.StatusCode, h)
		}
		if reset, err := time.ParseDuration(h.Get("X-Ratelimit-Reset-Requests")); err != nil || reset < 59*time.Second || reset > 61*time.Second {
			t.Errorf("reset %q", h.Get("X-Ratelimit-Reset-Requests"))
		}
		w.last()
	}
	answer, body := w.post(chat)
	if answer.StatusCode != 429 || answer.Header.Get("Retry-After") == "" || answer.Header.Get("X-Should-Retry") != "" || answer.Header.Get("X-Ratelimit-Remaining-Requests") != "0" {
		t.Errorf("status %d, headers %v", answer.StatusCode, answer.Header)
	}
	if !strings.Contains(body, `"code":"rate_limited"`) || !strings.Contains(body, `"type":"rate_limit_error"`) || !strings.Contains(body, "limit of 2 requests a minute") {
		t.Error(body)
	}
	if r := w.last(); r.Outcome != point.OutcomeRejected || r.Status != 429 || r.ErrorCode != point.RateLimited || len(r.Attempts) != 0 {
		t.Errorf("record %+v", r)
	}
	w.limit(point.KeyLimits{RPM: new(int64(3))})
	if answer, _ := w.post(chat); answer.StatusCode != 200 {
		t.Errorf("after the limit was raised: %d", answer.StatusCode)
	}
	w.pass(time.Minute + time.Second)
	w.limit(point.KeyLimits{RPM: new(int64(1))})
	if answer, _ := w.post(chat); answer.StatusCode != 200 {
		t.Errorf("in the next minute: %d", answer.StatusCode)
	}
}

func TestTokensOfAKey(t *testing.T) {
	w := newWorld(t, says(document)) // 15 tokens
	w.limit(point.KeyLimits{TPM: new(int64(40))})
	for _, remaining := range []string{"0", "0"} { // what is usual is more than there is: all is taken
		answer, _ := w.post(chat)
		if answer.StatusCode != 200 && answer.StatusCode != 429 || answer.Header.Get("X-Ratelimit-Limit-Tokens") != "40" {
			t.Errorf("status %d, headers %v, want %s", answer.StatusCode, answer.Header, remaining)
		}
	}
	if u := w.limits.KeyUsage(w.key); u.TokensMinute != 15 {
		t.Errorf("the true figure is 15 tokens, %+v are counted", u)
	}
	sure := strings.Replace(chat, `"m",`, `"m","max_tokens":5,`, 1)
	if answer, body := w.post(sure); answer.StatusCode != 200 {
		t.Error(body)
	}
	answer, body := w.post(strings.Replace(sure, ":5", ":50", 1))
	if answer.StatusCode != 429 || answer.Header.Get("X-Should-Retry") != "false" || answer.Header.Get("Retry-After") != "" || !strings.Contains(body, "Request too large") {
		t.Errorf("status %d, headers %v: %s", answer.StatusCode, answer.Header, body)
	}
	if n := w.limits.KeyUsage(w.key).TokensMinute; n != 30 {
		t.Errorf("%d tokens are counted, want 30", n)
	}
}

// A place is freed whatever ends the request.
func TestPlacesOfAKey(t *testing.T) {
	arrived, blocked := make(chan struct{}), make(chan struct{})
	var hold atomic.Bool
	hold.Store(true)
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if hold.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
			arrived <- struct{}{}
			select {
			case <-r.Context().Done():
			case <-blocked:
			}
			return
		}
		says(document)(rw, r)
	})
	defer close(blocked)
	w.limit(point.KeyLimits{Concurrency: new(int64(1))})
	ctx, cancel := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(chat))
	request.Header.Set("Authorization", "Bearer "+token)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-arrived
	if u := w.limits.KeyUsage(w.key); u.Open != 1 {
		t.Errorf("usage %+v", u)
	}
	if answer, body := w.post(chat); answer.StatusCode != 429 || !strings.Contains(body, "1 requests at once") {
		t.Errorf("status %d: %s", answer.StatusCode, body)
	}
	w.last()
	cancel()
	<-gone
	if r := w.last(); r.Outcome != point.OutcomeClientCancelled {
		t.Errorf("outcome %s", r.Outcome)
	}
	hold.Store(false)
	for range 2 {
		if answer, body := w.post(chat); answer.StatusCode != 200 {
			t.Errorf("status %d: %s", answer.StatusCode, body)
		}
	}
}

// panicky panics once it is asked.
type panicky struct{}

func (panicky) Send(context.Context, point.Target, *point.Call) (*point.Reply, error) { panic("send") }

func TestPlaceIsFreedByAPanic(t *testing.T) {
	w := newWorld(t, says(document))
	w.limit(point.KeyLimits{Concurrency: new(int64(1))})
	senders := w.handler.Senders
	w.handler.Senders = map[string]point.Sender{point.TypeAPI: panicky{}}
	func() {
		defer func() { _ = recover() }()
		request, _ := http.NewRequest(http.MethodPost, point.PathChat, strings.NewReader(chat))
		request.Header.Set("Authorization", "Bearer "+token)
		w.handler.ServeHTTP(&capture{header: http.Header{}}, request)
	}()
	w.handler.Senders = senders
	if u := w.limits.KeyUsage(w.key); u.Open != 0 || u.RequestsMinute != 1 {
		t.Errorf("usage %+v", u)
	}
	if answer, _ := w.post(chat); answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestBudgetOfAKey(t *testing.T) {
	w := newWorld(t, says(priced(document))) // 10 in, 5 out: 20,000 nano-USD
	w.limit(point.KeyLimits{BudgetDay: new(point.NanoUSD(60_000)), BudgetMonth: new(50 * point.USD)})
	for range 2 {
		if answer, body := w.post(pricedChat); answer.StatusCode != 200 {
			t.Fatal(body)
		}
	}
	answer, body := w.post(pricedChat)
	if answer.StatusCode != 429 || answer.Header.Get("X-Should-Retry") != "false" || answer.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, headers %v", answer.StatusCode, answer.Header)
	}
	if !strings.Contains(body, `"code":"key_budget_exceeded"`) || !strings.Contains(body, "0.00006 USD a day is used up: 0.00004 USD are spent") {
		t.Error(body)
	}
	if answer, _ := w.post(chat); answer.StatusCode != 200 { // of no known price
		t.Errorf("a model without a price: %d", answer.StatusCode)
	}
	w.pass(24 * time.Hour)
	if answer, body := w.post(pricedChat); answer.StatusCode != 200 {
		t.Error("on the next day: " + body)
	}
	// Another process goes on from the history.
	w.costs = map[string]point.NanoUSD{w.key.ID: 40_000}
	w.limits = gateway.NewLimits(gateway.LimitOptions{Config: w, History: w, Log: w.handler.Log, Now: w.clock})
	w.handler.Limits = w.limits
	if err := w.limits.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answer, _ := w.post(pricedChat); answer.StatusCode != 429 {
		t.Errorf("after a restart: %d", answer.StatusCode)
	}
}

// Of many requests at once on a budget for one, one is admitted.
func TestBudgetForOne(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-release
		says(priced(document))(rw, r)
	})
	w.limit(point.KeyLimits{BudgetMonth: new(point.NanoUSD(39_000))})
	status := make(chan int)
	for range 20 {
		go func() {
			answer, _ := w.post(pricedChat)
			status <- answer.StatusCode
		}()
	}
	for range 19 {
		if s := <-status; s != 429 {
			t.Errorf("status %d, want 429", s)
		}
	}
	close(release)
	if s := <-status; s != 200 {
		t.Errorf("status %d, want 200", s)
	}
}

// What no answer came of costs nothing; what broke off costs what came.
func TestSettledAsItEnded(t *testing.T) {
	for name, c := range map[string]struct {
		upstream http.HandlerFunc
		body     string
		tokens   int64
		cost     point.NanoUSD
	}{
		"failed":    {fails(http.StatusBadRequest), pricedChat, 0, 0},
		"cut":       {streams(chunk(`{"content":"a"}`), chunk(`{"content":"b"}`)), strings.Replace(pricedChat, `"max`, `"stream":true,"max`, 1), 0, 0},
		"streamed":  {streams(chunk(`{"content":"a"}`), stopChunk, usageChunk, done), strings.Replace(pricedChat, `"max`, `"stream":true,"max`, 1), 15, 20_000},
		"not asked": {says(document), strings.Replace(pricedChat, "priced", "b/none", 1), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.upstream)
			w.limit(point.KeyLimits{TPM: new(int64(1000)), BudgetDay: new(point.USD), Concurrency: new(int64(1))})
			w.post(c.body)
			r, u := w.last(), w.limits.KeyUsage(w.key)
			if name == "cut" {
				c.tokens, c.cost = r.Usage.Total(), *r.Cost
				if r.Outcome != point.OutcomeTruncated || c.tokens == 0 {
					t.Errorf("record %+v", r)
				}
			}
			if u.TokensMinute != c.tokens || u.Day != c.cost || u.Month != c.cost || u.Open != 0 {
				t.Errorf("usage %+v, want %d tokens and %s USD", u, c.tokens, c.cost)
			}
		})
	}
}

func TestNeed(t *testing.T) {
	w := newWorld(t)
	target := point.Target{Provider: &point.Provider{Kind: "openai"}, Model: "priced"}
	w.handler.usual.learn("priced", 100)
	usual := int64(firstGuess + (100-firstGuess)/inertia)
	for name, c := range map[string]struct {
		path               string
		maxTokens, choices int64
		want               point.Need
	}{
		"told":       {point.PathChat, 20, 0, point.Need{Least: point.Spend{Tokens: 120, Cost: 140_000}, Likely: point.Spend{Tokens: 120, Cost: 140_000}}},
		"not told":   {point.PathChat, 0, 0, point.Need{Least: point.Spend{Tokens: 100, Cost: 100_000}, Likely: point.Spend{Tokens: 100 + usual, Cost: point.NanoUSD(100_000 + 2000*usual)}}},
		"negative":   {point.PathCompletions, -5, 0, point.Need{Least: point.Spend{Tokens: 100, Cost: 100_000}, Likely: point.Spend{Tokens: 100 + usual, Cost: point.NanoUSD(100_000 + 2000*usual)}}},
		"absurd":     {point.PathChat, 1 << 62, 0, point.Need{Least: point.Spend{Tokens: 100 + point.MaxCount, Cost: maxEstimate}, Likely: point.Spend{Tokens: 100 + point.MaxCount, Cost: maxEstimate}}},
		"choices":    {point.PathChat, 20, 3, point.Need{Least: point.Spend{Tokens: 160, Cost: 220_000}, Likely: point.Spend{Tokens: 160, Cost: 220_000}}},
		"some":       {point.PathChat, 0, 2, point.Need{Least: point.Spend{Tokens: 100, Cost: 100_000}, Likely: point.Spend{Tokens: 100 + 2*usual, Cost: point.NanoUSD(100_000 + 2*2000*usual)}}},
		"best of":    {point.PathCompletions, 20, -3, point.Need{Least: point.Spend{Tokens: 160, Cost: 220_000}, Likely: point.Spend{Tokens: 160, Cost: 220_000}}},
		"absurd n":   {point.PathChat, 1, 1 << 62, point.Need{Least: point.Spend{Tokens: 100 + maxChoices, Cost: 100_000 + 2000*point.NanoUSD(maxChoices)}, Likely: point.Spend{Tokens: 100 + maxChoices, Cost: 100_000 + 2000*point.NanoUSD(maxChoices)}}},
		"embeddings": {point.PathEmbeddings, 9, 0, point.Need{Least: point.Spend{Tokens: 100, Cost: 100_000}, Likely: point.Spend{Tokens: 100, Cost: 100_000}}},
		"images":     {point.PathImages, 9, 0, point.Need{}},
	} {
		t.Run(name, func(t *testing.T) {
			call := &point.Call{Path: c.path, Body: []byte(strings.Repeat("x", 400)), Snapshot: w.snapshot}
			call.Envelope.MaxTokens, call.Envelope.Choices, call.Envelope.BestOf = c.maxTokens, c.choices, -c.choices
			if got := w.handler.need(call, target); got != c.want {
				t.Errorf("need %+v, want %+v", got, c.want)
			}
		})
	}
	for i := range 2 * usualModels {
		w.handler.usual.learn(time.Duration(i).String(), 1)
	}
	if n := len(w.handler.usual.tokens); n != usualModels {
		t.Errorf("%d models are kept", n)
	}
}
