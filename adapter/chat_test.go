package adapter

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"point"
)

func TestSameDialectForwardsTheOriginalBytes(t *testing.T) {
	var got string
	var auth, clientKey string
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, auth, clientKey = string(b), r.Header.Get("Authorization"), r.Header.Get("X-Api-Key")
		says(document)(rw, r)
	})
	body := `{ "model" :"m","unknown_field": {"x":1.50} , "messages":[{"role":"user","content":"ünïcödé \u00e9"}]}`
	response, answer := w.post(body)
	if got != body {
		t.Errorf("the provider got %s", got)
	}
	if auth != "Bearer upstream-key-a" || clientKey != "" {
		t.Errorf("credentials at the provider: %q, %q", auth, clientKey)
	}
	if response.StatusCode != 200 || answer != document {
		t.Errorf("answer %d %s", response.StatusCode, answer)
	}
	for name, want := range map[string]string{"X-Point-Provider": "a", "X-Point-Model": "m", "X-Point-Attempts": "1", "X-Point-Cache": "off", "Content-Type": "application/json"} {
		if response.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, response.Header.Get(name), want)
		}
	}
	r := w.record()
	if r.ID != response.Header.Get("X-Request-Id") || r.Outcome != point.OutcomeComplete || r.Status != 200 ||
		r.Usage.Input != 10 || r.Usage.Output != 5 || r.Cost != nil || r.KeyID != "key-1" || r.ProviderID != "id-a" {
		t.Errorf("record %+v", r)
	}
	if len(w.alerts) != 1 || w.alerts[0] != "unpriced_model m" {
		t.Errorf("alerts %v", w.alerts)
	}
}

func TestCostIsSpliced(t *testing.T) {
	w := newWorld(t, says(document))
	response, answer := w.post(strings.Replace(chat, `"m"`, `"a/priced"`, 1))
	if want := strings.Replace(document, `"usage":{`, `"usage":{"cost":0.00002,`, 1); answer != want {
		t.Errorf("got %s", answer)
	}
	if response.Header.Get("X-Point-Cost") != "0.00002" {
		t.Errorf("header %q", response.Header.Get("X-Point-Cost"))
	}
	if r := w.record(); r.Cost == nil || *r.Cost != 20_000 || r.Model != "a/priced" || r.UpstreamModel != "priced" {
		t.Errorf("record %+v", r)
	}
}

func TestStreamRelaysAndHidesUsage(t *testing.T) {
	var got string
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		streams(chunk(`{"role":"assistant","content":""}`), chunk(`{"content":"a"}`), chunk(`{"content":"b"}`), stopChunk, usageChunk, done)(rw, r)
	})
	_, answer := w.post(`{"model":"priced","stream":true,"messages":[]}`)
	if !strings.Contains(got, `"include_usage":true`) {
		t.Errorf("usage was not asked for: %s", got)
	}
	if want := chunk(`{"role":"assistant","content":""}`) + chunk(`{"content":"a"}`) + chunk(`{"content":"b"}`) + stopChunk + done; answer != want {
		t.Errorf("got %s", answer)
	}
	r := w.record()
	if r.Usage == nil || r.Usage.Total() != 15 || r.Usage.Estimated || *r.Cost != 20_000 || r.TTFT == nil || !r.Stream {
		t.Errorf("record %+v", r)
	}
}

func TestStreamGivesUsageWithCostWhenAsked(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"a"}`), stopChunk, usageChunk, done))
	_, answer := w.post(`{"model":"priced","stream":true,"stream_options":{"include_usage":true},"messages":[]}`)
	if want := chunk(`{"content":"a"}`) + stopChunk + strings.Replace(usageChunk, `"usage":{`, `"usage":{"cost":0.00002,`, 1) + done; answer != want {
		t.Errorf("got %s", answer)
	}
}

func TestUsageIsEstimatedWhenMissing(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"a"}`), chunk(`{"content":"b"}`), stopChunk, done))
	w.post(`{"model":"m","stream":true,"messages":[]}`)
	if r := w.record(); r.Usage == nil || !r.Usage.Estimated || r.Usage.Output == 0 {
		t.Errorf("usage %+v", r.Usage)
	}
}

// A stream that broke off is counted by what the provider told before, as far as it told.
func TestCutStreamKeepsWhatWasTold(t *testing.T) {
	told := strings.Replace(chunk(`{"content":"one"}`), `"choices"`, `"usage":{"prompt_tokens":1600,"completion_tokens":1,"total_tokens":1601,"prompt_tokens_details":{"cached_tokens":1500}},"choices"`, 1)
	w := newWorld(t, streams(told, chunk(`{"content":" two"}`), chunk(`{"content":" three"}`)))
	w.post(`{"model":"m","stream":true,"messages":[]}`)
	r := w.record()
	if want := (point.Usage{Input: 1600, CacheRead: 1500, Output: 3, Estimated: true}); r.Usage == nil || *r.Usage != want {
		t.Errorf("usage %+v", r.Usage)
	}
}

// An image counts by the figure of its service's documentation, whatever its size.
func TestEstimateOfImages(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"a"}`)))
	w.post(`{"model":"m","stream":true,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("iVBORw0KGgoA", 10_000) + `"}}]}]}`)
	if r := w.record(); r.Usage == nil || r.Usage.Input != 765+3+3 {
		t.Errorf("usage %+v", r.Usage)
	}
}

// TestFailover sends to a provider that fails and one that works.
func TestFailover(t *testing.T) {
	htmlPage := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>welcome</html>")
	}
	const document1, stream1, both = 1, 2, 3 // the forms in which the fault makes sense
	tests := map[string]struct {
		first http.HandlerFunc
		forms int
		code  point.Code
	}{
		"500":               {fails(500), both, point.ProviderUnavailable},
		"529":               {fails(529), both, point.ProviderUnavailable},
		"429":               {fails(429, "Retry-After", "20"), both, point.ProviderRateLimited},
		"401":               {fails(401), both, point.ProviderCredentials},
		"404":               {fails(404), both, point.ModelNotFound},
		"html":              {htmlPage, both, point.ProviderBadResponse},
		"malformed":         {says(`{"choices":`), document1, point.ProviderBadResponse},
		"cut before start":  {streams(), stream1, point.StreamTruncated},
		"cut after role":    {streams(chunk(`{"role":"assistant","content":""}`)), stream1, point.StreamTruncated},
		"error event first": {streams("data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n"), stream1, point.ProviderUnavailable},
	}
	for name, test := range tests {
		if test.forms&document1 != 0 {
			t.Run(name+" document", func(t *testing.T) { failover(t, test.first, says(document), chat, test.code) })
		}
		if test.forms&stream1 != 0 {
			second := streams(chunk(`{"content":"a"}`), stopChunk, done)
			t.Run(name+" stream", func(t *testing.T) {
				failover(t, test.first, second, `{"model":"m","stream":true,"messages":[]}`, test.code)
			})
		}
	}
}

func failover(t *testing.T, first, second http.HandlerFunc, body string, code point.Code) {
	w := newWorld(t, first, second)
	response, answer := w.post(body)
	if response.StatusCode != 200 || response.Header.Get("X-Point-Provider") != "b" {
		t.Fatalf("answer %d from %q: %s", response.StatusCode, response.Header.Get("X-Point-Provider"), answer)
	}
	r := w.record()
	if len(r.Attempts) != 2 || r.Attempts[0].Error != code || r.Attempts[1].Error != "" || r.Outcome != point.OutcomeComplete {
		t.Errorf("attempts %+v, outcome %s", r.Attempts, r.Outcome)
	}
}

func TestCallerErrorsDoNotMoveOn(t *testing.T) {
	for _, status := range []int{400, 413, 422} {
		var second atomic.Bool
		w := newWorld(t, fails(status), func(http.ResponseWriter, *http.Request) { second.Store(true) })
		response, answer := w.post(chat)
		if response.StatusCode != status || !strings.Contains(answer, "it says no") || second.Load() {
			t.Errorf("%d: answer %d %s, moved on: %v", status, response.StatusCode, answer, second.Load())
		}
		if r := w.record(); r.Outcome != point.OutcomeUpstreamError || r.Status != status {
			t.Errorf("record %+v", r)
		}
	}
}

func TestRepeatsOnTheOnlyTarget(t *testing.T) {
	var calls atomic.Int32
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			fails(503)(rw, r)
			return
		}
		says(document)(rw, r)
	})
	response, _ := w.post(chat)
	if response.StatusCode != 200 || response.Header.Get("X-Point-Attempts") != "3" {
		t.Errorf("answer %d after %s attempts", response.StatusCode, response.Header.Get("X-Point-Attempts"))
	}
}

func TestExhausted(t *testing.T) {
	w := newWorld(t, fails(500), fails(429, "Retry-After", "30"))
	response, answer := w.post(chat)
	if response.StatusCode != 500 || response.Header.Get("X-Should-Retry") != "false" || !strings.Contains(answer, `"code":"provider_unavailable"`) {
		t.Errorf("answer %d %s %v", response.StatusCode, answer, response.Header)
	}
	if r := w.record(); r.Outcome != point.OutcomeUpstreamError || len(r.Attempts) < 2 {
		t.Errorf("record %+v", r)
	}
}

func TestAllRateLimitedTellsTheShortestWait(t *testing.T) {
	w := newWorld(t, fails(429, "Retry-After", "30"), fails(429, "Retry-After", "12"))
	response, _ := w.post(chat)
	if response.StatusCode != 429 || response.Header.Get("Retry-After") != "12" {
		t.Errorf("answer %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
	w.record()
	// Both are cooled now: nothing more is sent to them, and the record says why.
	w.records = nil
	response, _ = w.post(chat)
	r := w.record()
	if response.StatusCode != 429 || response.Header.Get("X-Point-Attempts") != "0" || len(r.Attempts) != 0 {
		t.Errorf("answer %d, attempts %+v", response.StatusCode, r.Attempts)
	}
	if r.Outcome != point.OutcomeUpstreamError || len(r.Route.Skipped) != 2 || !strings.Contains(r.Route.Skipped[0].Reason, "limited the rate") {
		t.Errorf("outcome %s, skipped %+v", r.Outcome, r.Route.Skipped)
	}
}

func TestAnotherKeyOfTheSameProvider(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer good" {
			says(document)(rw, r)
			return
		}
		fails(429, "Retry-After", "60")(rw, r)
	})
	p := w.snapshot.Providers["id-a"]
	p.Config.Secrets = map[string]point.Secret{"api_keys.0": point.NewSecret("bad-1"), "api_keys.1": point.NewSecret("bad-2"), "api_keys.2": point.NewSecret("good")}
	for range 3 {
		if response, answer := w.post(chat); response.StatusCode != 200 {
			t.Fatalf("answer %d %s", response.StatusCode, answer)
		}
	}
}

func TestKeySuspendedAfterThreeRefusals(t *testing.T) {
	var calls atomic.Int32
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		fails(401)(rw, r)
	})
	for range 5 {
		response, answer := w.post(chat)
		if response.StatusCode != 502 || !strings.Contains(answer, "provider_credentials") {
			t.Fatalf("answer %d %s", response.StatusCode, answer)
		}
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls with a refused key, want 3", calls.Load())
	}
	if len(w.alerts) == 0 || w.alerts[0] != "provider_key_suspended a" {
		t.Errorf("alerts %v", w.alerts)
	}
}

func TestCutStreamEndsWithAnError(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"a"}`)), says(document))
	_, answer := w.post(`{"model":"m","stream":true,"messages":[]}`)
	if !strings.HasPrefix(answer, chunk(`{"content":"a"}`)) || !strings.Contains(answer, `"code":"stream_truncated"`) || strings.Contains(answer, "[DONE]") {
		t.Errorf("got %s", answer)
	}
	if r := w.record(); r.Outcome != point.OutcomeTruncated || r.Status != 200 || r.Usage == nil || !r.Usage.Estimated || len(r.Attempts) != 1 {
		t.Errorf("record %+v", r)
	}
}

func TestClientThatLeavesCancelsTheProvider(t *testing.T) {
	left := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		streams(chunk(`{"content":"a"}`))(rw, r)
		<-r.Context().Done()
		close(left)
	})
	ctx, cancel := context.WithCancel(context.Background())
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(`{"model":"m","stream":true,"messages":[]}`))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || !strings.Contains(line, `"a"`) {
		t.Fatalf("first line %q, %v", line, err)
	}
	cancel()
	response.Body.Close()
	<-left
	if r := w.record(); r.Outcome != point.OutcomeClientCancelled || r.Status != 499 {
		t.Errorf("record %+v", r)
	}
}

func TestClientThatLeavesBeforeTheAnswer(t *testing.T) {
	asked, left := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(asked)
		<-r.Context().Done()
		close(left)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(chat))
	request.Header.Set("Authorization", "Bearer "+token)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Fatal("the answer came")
	}
	<-left
	if r := w.record(); r.Outcome != point.OutcomeClientCancelled || len(r.Attempts) != 1 {
		t.Errorf("record %+v", r)
	}
}

func TestFirstByteLimitMovesOn(t *testing.T) {
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}, says(document))
	w.snapshot.Providers["id-a"].Config.TimeoutMS = 20
	response, _ := w.post(chat)
	if r := w.record(); response.StatusCode != 200 || r.Attempts[0].Error != point.ProviderTimeout {
		t.Errorf("answer %d, attempts %+v", response.StatusCode, r.Attempts)
	}
}

func TestIdleStreamEndsWithAnError(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		streams(chunk(`{"content":"a"}`))(rw, r)
		<-r.Context().Done()
	})
	w.snapshot.Default.Timeout.IdleMS = 30
	_, answer := w.post(`{"model":"m","stream":true,"messages":[]}`)
	if !strings.Contains(answer, "silent") || strings.Contains(answer, "[DONE]") {
		t.Errorf("got %s", answer)
	}
}

func TestPingsCommitAndFailoverGoesOn(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-release
		fails(500)(rw, r)
	}, streams(chunk(`{"content":"a"}`), stopChunk, done))
	w.handler.silence = 5 * time.Millisecond
	request, _ := http.NewRequest(http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(`{"model":"m","stream":true,"messages":[]}`))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request) // headers come with the first ping
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	close(release)
	answer, _ := io.ReadAll(response.Body)
	if !strings.HasPrefix(string(answer), ": ping\n\n") || !strings.HasSuffix(string(answer), chunk(`{"content":"a"}`)+stopChunk+done) {
		t.Errorf("got %s", answer)
	}
}

func TestPingThenFailureIsAnErrorEvent(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-release
		fails(400)(rw, r)
	})
	w.handler.silence = 5 * time.Millisecond
	request, _ := http.NewRequest(http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(`{"model":"m","stream":true,"messages":[]}`))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	close(release)
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 || !strings.Contains(string(answer), `data: {"error":{"message":"`) || strings.Contains(string(answer), "[DONE]") {
		t.Errorf("got %d %s", response.StatusCode, answer)
	}
}

func TestUnkeptRecordIsNoAnswer(t *testing.T) {
	w := newWorld(t, says(document))
	w.keepErr = &point.Error{Code: point.RecordingUnavailable, Message: "The disk is full."}
	if response, answer := w.post(chat); response.StatusCode != 503 || strings.Contains(answer, "hello") {
		t.Errorf("answer %d %s", response.StatusCode, answer)
	}
	w = newWorld(t, streams(chunk(`{"content":"a"}`), stopChunk, done))
	w.keepErr = &point.Error{Code: point.RecordingUnavailable, Message: "The disk is full."}
	if _, answer := w.post(`{"model":"m","stream":true,"messages":[]}`); strings.Contains(answer, "[DONE]") || !strings.Contains(answer, "disk is full") {
		t.Errorf("got %s", answer)
	}
}

// TestNothingIsAskedThatCouldNotBeRecorded: an answer that must be refused is not paid for.
func TestNothingIsAskedThatCouldNotBeRecorded(t *testing.T) {
	var asked atomic.Bool
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { asked.Store(true) })
	w.full = &point.Error{Code: point.RecordingUnavailable, Message: "The disk is full.", RetryAfter: 5 * time.Second}
	response, answer := w.post(chat)
	if response.StatusCode != 503 || !strings.Contains(answer, "recording_unavailable") || response.Header.Get("Retry-After") != "5" || asked.Load() {
		t.Errorf("answer %d %s, asked: %v", response.StatusCode, answer, asked.Load())
	}
}

func TestLargeAnswerIsRelayed(t *testing.T) {
	big := strings.Replace(document, "hello", strings.Repeat("x", 3<<20), 1)
	w := newWorld(t, says(big))
	_, answer := w.post(strings.Replace(chat, `"m"`, `"priced"`, 1))
	if want := strings.Replace(big, `"usage":{`, `"usage":{"cost":0.00002,`, 1); answer != want {
		t.Errorf("%d bytes came, want %d", len(answer), len(want))
	}
	if r := w.record(); r.Usage == nil || r.Usage.Total() != 15 {
		t.Errorf("usage %+v", r.Usage)
	}
}

func TestLargeAnswerThatBreaksOffIsNoShortAnswer(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", "9000000")
		_, _ = io.WriteString(rw, `{"choices":[`+strings.Repeat(" ", 3<<20))
		panic(http.ErrAbortHandler)
	})
	request, _ := http.NewRequest(http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(chat))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading ended with %v", err)
	}
	if r := w.record(); r.Outcome != point.OutcomeTruncated {
		t.Errorf("record %+v", r)
	}
}

// hangs says what it is given, then nothing until its caller leaves.
func hangs(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		streams(events...)(w, r)
		<-r.Context().Done()
	}
}

func TestTotalTimeBoundsTheWholeCall(t *testing.T) {
	for name, test := range map[string]struct {
		first   http.HandlerFunc
		body    string
		status  int
		outcome point.Outcome
	}{
		"before the headers": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, chat, http.StatusGatewayTimeout, point.OutcomeUpstreamError},
		"within a stream": {hangs(chunk(`{"content":"hel"}`)), strings.Replace(chat, "{", `{"stream":true,`, 1), http.StatusOK, point.OutcomeTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.first, says(document))
			w.snapshot.Default.Timeout.TotalMS = 50
			response, body := w.post(test.body)
			r := w.record()
			if response.StatusCode != test.status || !strings.Contains(body, "total time is used up") || strings.Contains(body, "[DONE]") {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			if r.Outcome != test.outcome || len(r.Attempts) != 1 {
				t.Errorf("%s after %d attempts", r.Outcome, len(r.Attempts))
			}
		})
	}
}

// TestPreferencesOfOthersAreNamed: what OpenRouter's clients say of providers and Point does not know
// stops nothing, reaches no provider and is told.
func TestPreferencesOfOthersAreNamed(t *testing.T) {
	var got string
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		says(document)(rw, r)
	})
	response, answer := w.post(strings.Replace(chat, "{", `{"provider":{"zdr":true,"sort":"price","odd, name":1},`, 1))
	if response.StatusCode != 200 || response.Header.Get("X-Point-Dropped") != "provider.odd??name, provider.zdr" || got != chat {
		t.Errorf("%d %s, dropped %q, sent %s", response.StatusCode, answer, response.Header.Get("X-Point-Dropped"), got)
	}
	response, answer = w.post(strings.Replace(chat, "{", `{"provider":{"order":"a"},`, 1))
	if response.StatusCode != 400 || !strings.Contains(answer, `"param":"provider.order"`) {
		t.Errorf("%d %s", response.StatusCode, answer)
	}
}

// TestDocumentsInPlaceOfStreams: a service that takes no notice of the wish for a stream answers all
// the same: its document is told as one, in the client's dialect.
func TestDocumentsInPlaceOfStreams(t *testing.T) {
	const call = `{"id":"c","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"y","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],` + "\n" + `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
	const text = `{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"hello","logprobs":null,"finish_reason":"length"}]}`
	long := strings.Replace(document, "hello", strings.Repeat("hello ", 200_000), 1)
	prompt := strings.Replace(strings.Replace(chat, "{", `{"stream":true,`, 1), `"messages"`, `"prompt":"x","messages"`, 1)
	for name, test := range map[string]struct {
		kind, path, answer, body string
		want                     []string
	}{
		"text":        {"openai", point.PathChat, document, prompt, []string{`"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}`, `"delta":{},"finish_reason":"stop"}]}`, "data: [DONE]\n\n"}},
		"usage asked": {"openai", point.PathChat, document, strings.Replace(prompt, "{", `{"stream_options":{"include_usage":true},`, 1), []string{`"choices":[],"usage":{"prompt_tokens":10`, "data: [DONE]\n\n"}},
		"imitator":    {"openai-compatible", point.PathChat, call, prompt, []string{`"index":0`, `"index":1`, `"id":"y"`, `"delta":{},"finish_reason":"tool_calls"}]}`, "data: [DONE]\n\n"}},
		"completion":  {"openai", point.PathCompletions, text, prompt, []string{`"text":"hello","logprobs":null,"finish_reason":null}]}`, `"text":"","finish_reason":"length"}]}`, "data: [DONE]\n\n"}},
		"message":     {"openai", point.PathMessages, document, strings.Replace(message, "{", `{"stream":true,`, 1), []string{"event: message_start", `"text_delta","text":"hello"`, `"stop_reason":"end_turn"`, "event: message_stop"}},
		"long":        {"openai-compatible", point.PathChat, long, prompt, []string{"hello hello ", `"finish_reason":"stop"`, "data: [DONE]\n\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(test.answer))
			w.snapshot.Providers["id-a"].Kind = test.kind
			response, answer := w.do(http.MethodPost, test.path, test.body, bearer...)
			rest := answer
			for _, want := range test.want {
				_, after, found := strings.Cut(rest, want)
				if rest = after; !found || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
					t.Fatalf("%d: no %q in %.2000s", response.StatusCode, want, answer)
				}
			}
			r := w.record()
			if r.Outcome != point.OutcomeComplete || !r.Stream || r.Usage == nil || !r.Usage.Estimated && r.Usage.Total() != 15 {
				t.Errorf("record %+v, usage %+v", r, r.Usage)
			}
		})
	}
	for name, answer := range map[string]string{"no choices": `{"choices":[]}`, "an error": `{"error":{"message":"no"}}`, "cut": document[:100], "too long": strings.Replace(document, "hello", strings.Repeat("x", 9<<20), 1)} {
		w := newWorld(t, says(answer))
		if response, body := w.post(prompt); response.StatusCode < 500 || strings.Contains(body, "data:") {
			t.Errorf("%s: %d %.300s", name, response.StatusCode, body)
		}
	}
}
