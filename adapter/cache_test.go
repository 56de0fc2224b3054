package adapter

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"point"
	"point/gateway"
)

// caching is a world whose default mapping keeps answers, and how often its provider was asked.
func caching(t *testing.T, answer http.HandlerFunc) (*world, *atomic.Int32) {
	asked := &atomic.Int32{}
	w := newWorld(t, counted(asked, answer))
	w.handler.Answers = gateway.NewAnswers(1 << 20)
	w.snapshot.Default.Cache.Mode = "exact"
	return w, asked
}

// TestEqualRequests: the second of two equal requests is answered without a provider, costs nothing,
// and reads as the first to its client.
func TestEqualRequests(t *testing.T) {
	stream := strings.Replace(priced(chat), "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)
	for name, c := range map[string]struct {
		path, body string
		answer     http.HandlerFunc
	}{
		"document": {point.PathChat, priced(chat), says(document)},
		"stream":   {point.PathChat, stream, streams(chunk(`{"role":"assistant","content":""}`), chunk(`{"content":"hel"}`), chunk(`{"content":"lo"}`), stopChunk, usageChunk, done)},
		"translated": {point.PathMessages, `{"model":"priced","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`,
			streams(chunk(`{"role":"assistant","content":""}`), chunk(`{"content":"hello"}`), stopChunk, usageChunk, done)},
		"response": {point.PathResponses, `{"model":"priced","input":"hi","store":false,"stream":true}`, streams(chunk(`{"content":"hello"}`), stopChunk, usageChunk, done)},
	} {
		t.Run(name, func(t *testing.T) {
			w, asked := caching(t, c.answer)
			w.snapshot.Providers["id-a"].Kind = "openai-compatible" // which has no /v1/responses
			ask := func() (*http.Response, string, point.Record) {
				answer, body := w.do("POST", c.path, c.body, "Authorization", "Bearer "+token)
				return answer, body, <-w.kept
			}
			first, text, r := ask()
			if first.StatusCode != 200 || first.Header.Get("X-Point-Cache") != "miss" || r.CacheHit || r.Cost == nil || *r.Cost == 0 {
				t.Fatalf("%d %v %s, %+v", first.StatusCode, first.Header, text, r)
			}
			again, said, r := ask()
			h := again.Header
			if asked.Load() != 1 || h.Get("X-Point-Cache") != "hit" || h.Get("Age") == "" || h.Get("X-Point-Provider") != "a" || h.Get("X-Point-Model") != "priced" || h.Get("X-Point-Attempts") != "0" || h.Get("Content-Type") != first.Header.Get("Content-Type") {
				t.Errorf("asked %d times, %v", asked.Load(), h)
			}
			if free := strings.ReplaceAll(text, `"cost":0.00002`, `"cost":0`); said != free {
				t.Errorf("again: %s\nfirst: %s", said, free)
			}
			if !r.CacheHit || r.Outcome != point.OutcomeComplete || r.ProviderID != "id-a" || r.UpstreamModel != "priced" || r.Usage != nil || r.Cost == nil || *r.Cost != 0 || len(r.Attempts) != 0 || r.Route.Reason == "" {
				t.Errorf("%+v", r)
			}
			if len(w.alerts) != 0 {
				t.Error(w.alerts)
			}
		})
	}
}

// TestUnequalRequests: whatever makes an answer another one is part of a request's name.
func TestUnequalRequests(t *testing.T) {
	provider := &point.Provider{ID: "p", Version: 1}
	make := func() (*point.Call, *point.Plan) {
		mapping := point.DefaultMapping()
		return &point.Call{Key: &point.Key{ID: "k"}, Path: point.PathChat, Body: []byte(chat), Header: http.Header{"X-Request-Id": {"1"}}},
			&point.Plan{Targets: []point.Target{{Provider: provider, Model: "m"}, {Provider: provider, Model: "n"}}, Mapping: &mapping}
	}
	one := requestName(make())
	if again := requestName(make()); again != one {
		t.Error("the same request has two names")
	}
	for what, change := range map[string]func(*point.Call, *point.Plan){
		"key":      func(c *point.Call, _ *point.Plan) { c.Key = &point.Key{ID: "l"} },
		"path":     func(c *point.Call, _ *point.Plan) { c.Path = point.PathCompletions },
		"body":     func(c *point.Call, _ *point.Plan) { c.Body = []byte(chat + " ") },
		"model":    func(c *point.Call, _ *point.Plan) { c.Envelope.Model = "m" },
		"dialect":  func(c *point.Call, _ *point.Plan) { c.Dialect = point.DialectGemini },
		"method":   func(c *point.Call, _ *point.Plan) { c.Method = "embedContent" },
		"stream":   func(c *point.Call, _ *point.Plan) { c.Envelope.Stream = true },
		"beta":     func(c *point.Call, _ *point.Plan) { c.Header.Set("Anthropic-Beta", "x") },
		"target":   func(_ *point.Call, p *point.Plan) { p.Targets = p.Targets[:1] },
		"provider": func(_ *point.Call, p *point.Plan) { p.Targets[0].Provider = &point.Provider{ID: "q", Version: 1} },
		"version":  func(_ *point.Call, p *point.Plan) { p.Targets[0].Provider = &point.Provider{ID: "p", Version: 2} },
		"drop":     func(_ *point.Call, p *point.Plan) { p.Mapping.Unsupported = "drop" },
	} {
		call, plan := make()
		if change(call, plan); requestName(call, plan) == one {
			t.Errorf("another %s has the same name", what)
		}
	}
	for what, change := range map[string]func(*point.Call, *point.Plan){
		"order":  func(_ *point.Call, p *point.Plan) { p.Targets[0], p.Targets[1] = p.Targets[1], p.Targets[0] },
		"header": func(c *point.Call, _ *point.Plan) { c.Header.Set("X-Request-Id", "2") },
	} {
		call, plan := make()
		if change(call, plan); requestName(call, plan) != one {
			t.Errorf("another %s has another name", what)
		}
	}
}

// TestCacheControl: what a client wishes holds.
func TestCacheControl(t *testing.T) {
	w, asked := caching(t, says(document))
	for i, c := range []struct {
		wish, state string
		asked       int32
	}{
		{"no-store", "bypass", 1}, {"", "miss", 2}, {"", "hit", 2}, {"max-age=100", "hit", 2}, {"no-cache", "miss", 3}, {"max-age=0", "miss", 4}, {"No-Cache, no-store", "bypass", 5}, {"max-age=nonsense, private", "hit", 5},
	} {
		headers := []string{}
		if c.wish != "" {
			headers = []string{"Cache-Control", c.wish}
		}
		answer, _ := w.post(chat, headers...)
		if state := answer.Header.Get("X-Point-Cache"); answer.StatusCode != 200 || state != c.state || asked.Load() != c.asked {
			t.Errorf("request %d, %q: %s, asked %d times, want %s, %d", i, c.wish, state, asked.Load(), c.state, c.asked)
		}
	}
}

// TestNotKept: what is no whole answer, or too long, or of an endpoint whose mapping says off.
func TestNotKept(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		body   string
		change func(*point.Mapping)
	}{
		"an error":       {fails(400), chat, nil},
		"a cut stream":   {streams(chunk(`{"content":"hel"}`)), strings.Replace(chat, "{", `{"stream":true,`, 1), nil},
		"a long answer":  {says(document), chat, func(m *point.Mapping) { m.Cache.MaxBytes = int64(len(document)) - 1 }},
		"a switched off": {says(document), chat, func(m *point.Mapping) { m.Cache.Mode = "off" }},
		"an old answer":  {says(document), chat, func(m *point.Mapping) { m.Cache.TTLS = 0 }},
	} {
		w, asked := caching(t, c.answer)
		if c.change != nil {
			c.change(&w.snapshot.Default)
		}
		for range 2 {
			if answer, _ := w.post(c.body); answer.Header.Get("X-Point-Cache") == "hit" {
				t.Errorf("%s was kept", name)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
		if len(w.handler.flights.open) != 0 {
			t.Errorf("%s: somebody may wait for it for ever", name)
		}
	}
}

// TestAnswersAlike: what a provider makes anew each time, and what a client may refer to, is not kept.
func TestAnswersAlike(t *testing.T) {
	key := &point.Key{ID: "k"}
	for _, c := range []struct {
		call point.Call
		want bool
	}{
		{point.Call{Key: key, Path: point.PathChat}, true},
		{point.Call{Key: &point.Key{}, Path: point.PathChat}, false},
		{point.Call{Key: key, Path: point.PathEmbeddings}, true},
		{point.Call{Key: key, Path: point.PathImages}, false},
		{point.Call{Key: key, Path: point.PathSpeech}, false},
		{point.Call{Key: key, Path: point.PathCountTokens}, false},
		{point.Call{Key: key, Path: point.PathTranscribe, Form: &point.Form{}}, false},
		{point.Call{Key: key, Path: point.PathResponses, Body: []byte(`{"store":false}`)}, true},
		{point.Call{Key: key, Path: point.PathResponses, Body: []byte(`{"store":true}`)}, false},
		{point.Call{Key: key, Path: point.PathResponses, Body: []byte(`{}`)}, false},
	} {
		if is := answersAlike(&c.call); is != c.want {
			t.Errorf("%s %s: %v", c.call.Path, c.call.Body, is)
		}
	}
}

// TestKeptForOneKey: no key gets the answer of another's request.
func TestKeptForOneKey(t *testing.T) {
	w, asked := caching(t, says(document))
	w.post(chat)
	other := *w.key
	other.ID = "key-2"
	w.snapshot.Keys[other.Hash] = &other
	if answer, _ := w.post(chat); answer.Header.Get("X-Point-Cache") != "miss" || asked.Load() != 2 {
		t.Errorf("%s, asked %d times", answer.Header.Get("X-Point-Cache"), asked.Load())
	}
}

// TestOneAsks: of equal requests at once one asks, and the others get its answer.
func TestOneAsks(t *testing.T) {
	gate := make(chan struct{})
	w, asked := caching(t, func(out http.ResponseWriter, r *http.Request) {
		<-gate
		says(document)(out, r)
	})
	const clients = 20
	var hits atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			answer, body := w.post(chat)
			if answer.StatusCode != 200 || !strings.Contains(body, "hello") {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
			if answer.Header.Get("X-Point-Cache") == "hit" {
				hits.Add(1)
			}
		})
	}
	w.until(func() bool { return w.handler.Open() == clients })
	close(gate)
	all.Wait()
	if asked.Load() != 1 || hits.Load() != clients-1 {
		t.Errorf("asked %d times, %d from the cache", asked.Load(), hits.Load())
	}
}

// TestOneFails: those that waited for an answer that failed ask for themselves.
func TestOneFails(t *testing.T) {
	gate, first := make(chan struct{}), &atomic.Bool{}
	w, asked := caching(t, func(out http.ResponseWriter, r *http.Request) {
		if !first.Swap(true) {
			<-gate
			fails(400)(out, r)
			return
		}
		says(document)(out, r)
	})
	var good atomic.Int64
	var all sync.WaitGroup
	ask := func() {
		if answer, _ := w.post(chat); answer.StatusCode == 200 {
			good.Add(1)
		}
	}
	all.Go(ask)
	w.until(func() bool { return asked.Load() == 1 })
	for range 5 {
		all.Go(ask)
	}
	w.until(func() bool { return w.handler.Open() == 6 })
	close(gate)
	all.Wait()
	if good.Load() != 5 {
		t.Errorf("%d were answered", good.Load())
	}
}

// TestWaitEnds: who waits may leave, and waits no longer than a request may take.
func TestWaitEnds(t *testing.T) {
	gate := make(chan struct{})
	w, asked := caching(t, func(out http.ResponseWriter, r *http.Request) {
		<-gate
		says(document)(out, r)
	})
	w.snapshot.Default.Timeout.TotalMS = 60_000
	var first sync.WaitGroup
	first.Go(func() { w.post(chat) })
	w.until(func() bool { return asked.Load() == 1 })

	ctx, leave := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, "POST", w.server.URL+point.PathChat, strings.NewReader(chat))
	request.Header.Set("Authorization", "Bearer "+token)
	var second sync.WaitGroup
	second.Go(func() {
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			t.Error("it was answered")
		}
	})
	w.until(func() bool { return w.handler.Open() == 2 })
	leave()
	second.Wait()
	if r := <-w.kept; r.Outcome != point.OutcomeClientCancelled {
		t.Errorf("left: %+v", r)
	}

	w.snapshot.Default.Timeout.TotalMS = 1
	if answer, body := w.post(chat); answer.StatusCode != http.StatusGatewayTimeout || !strings.Contains(body, "equal request") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	close(gate)
	first.Wait()
}

// TestTestsAsk: the test of an endpoint asks its provider each time.
func TestTestsAsk(t *testing.T) {
	w, asked := caching(t, says(document))
	for range 2 {
		if result, err := w.handler.TestEndpoint(t.Context(), point.PathChat, []byte(chat)); err != nil || !result.OK {
			t.Errorf("%+v, %v", result, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestUnrecordedIsNotKept: an answer that its client was refused is nobody's.
func TestUnrecordedIsNotKept(t *testing.T) {
	w, asked := caching(t, says(document))
	w.keepErr = errors.New("the disk is full")
	w.post(chat)
	w.keepErr = nil
	if answer, _ := w.post(chat); answer.StatusCode != 200 || answer.Header.Get("X-Point-Cache") != "miss" || asked.Load() != 2 {
		t.Errorf("%d %v, asked %d times", answer.StatusCode, answer.Header, asked.Load())
	}
}

// until waits for a condition that others bring about.
func (w *world) until(is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); {
		if time.Now().After(end) {
			w.t.Fatal("it did not happen")
		}
		<-time.After(time.Millisecond)
	}
}

func BenchmarkRequestName(b *testing.B) {
	mapping := point.DefaultMapping()
	call := &point.Call{Key: &point.Key{ID: "k"}, Path: point.PathChat, Body: []byte(strings.Repeat("x", 1<<10))}
	plan := &point.Plan{Targets: []point.Target{{Provider: &point.Provider{ID: "p"}, Model: "m"}}, Mapping: &mapping}
	var last [sha256.Size]byte
	for b.Loop() {
		last = requestName(call, plan)
	}
	if fmt.Sprint(last) == "" {
		b.Fatal()
	}
}
