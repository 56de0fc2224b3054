package adapter

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"point"
)

const streamedChat = `{"model":"m","stream":true,"messages":[]}`

// counted counts the calls of a provider.
func counted(calls *atomic.Int32, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		answer(w, r)
	}
}

// labelled answers with a body under a content type of its own.
func labelled(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

// TestTextIsNotHeldBackBehindAHiddenUsage: both came in one read, and nothing follows before
// the client has seen the text.
func TestTextIsNotHeldBackBehindAHiddenUsage(t *testing.T) {
	seen := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		streams(chunk(`{"content":"a"}`), chunk(`{"content":"b"}`)+usageChunk)(rw, r)
		select {
		case <-seen:
			_, _ = io.WriteString(rw, done)
		case <-r.Context().Done():
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(streamedChat))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the text was held back: %v", err)
		}
		if strings.Contains(line, `"b"`) {
			break
		}
	}
	close(seen)
	if rest, _ := io.ReadAll(lines); !strings.HasSuffix(string(rest), done) {
		t.Errorf("the rest is %q", rest)
	}
}

// TestTheEndpointAndTheAnswerDecideTheForm: neither "stream" where there is no stream, nor a
// server that takes no notice of it, is paid for twice.
func TestTheEndpointAndTheAnswerDecideTheForm(t *testing.T) {
	const vectors = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`
	limited := `{"error":{"message":"slow down","type":"rate_limit_error"}}`
	spoken := chunk(`{"content":"a"}`) + stopChunk + done
	html := "<html>" + strings.Repeat("x", 300<<10) + "</html>"
	tests := map[string]struct {
		path, body string
		first      http.HandlerFunc
		code       point.Code // of the first attempt; empty: it answers
	}{
		"stream of embeddings":       {point.PathEmbeddings, `{"model":"m","input":"x","stream":true}`, says(vectors), ""},
		"document for a stream":      {point.PathChat, streamedChat, says(document), ""},
		"error document":             {point.PathChat, streamedChat, says(limited), point.ProviderRateLimited},
		"stream that says it is one": {point.PathChat, streamedChat, labelled("application/json", spoken), ""},
		"stream without a type":      {point.PathChat, streamedChat, labelled("", spoken), ""},
		"long page":                  {point.PathChat, chat, labelled("text/html; charset=utf-8", html), point.ProviderBadResponse},
		"long page in disguise":      {point.PathChat, chat, labelled("application/json", "\n "+html), point.ProviderBadResponse},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			second := says(document)
			if strings.Contains(test.body, "stream") {
				second = streams(chunk(`{"content":"b"}`), stopChunk, done)
			}
			w := newWorld(t, counted(&calls, test.first), second)
			response, answer := w.do(http.MethodPost, test.path, test.body, "Authorization", "Bearer "+token)
			r := w.record()
			if response.StatusCode != 200 || calls.Load() != 1 || r.Attempts[0].Error != test.code {
				t.Errorf("%d after %d calls, attempts %+v: %.200s", response.StatusCode, calls.Load(), r.Attempts, answer)
			}
			if from := response.Header.Get("X-Point-Provider"); (from == "a") != (test.code == "") {
				t.Errorf("answer from %s", from)
			}
		})
	}
	// What cannot be told as a stream is not asked for again where there is no other target.
	var calls atomic.Int32
	w := newClaude(t, 1, counted(&calls, says(asMessage)))
	if response, answer := w.messages(point.PathMessages, strings.Replace(message, "{", `{"stream":true,`, 1)); response.StatusCode != 502 || calls.Load() != 1 || !strings.Contains(answer, "a JSON document instead of an event stream") {
		t.Errorf("%d after %d calls: %s", response.StatusCode, calls.Load(), answer)
	}
}

// TestSilenceBeforeTheFirstContentMovesOn: a role is a sign of life and ends the wait for the
// first bytes, but it commits nothing.
func TestSilenceBeforeTheFirstContentMovesOn(t *testing.T) {
	w := newWorld(t, hangs(chunk(`{"role":"assistant","content":""}`)), streams(chunk(`{"content":"b"}`), stopChunk, done))
	w.snapshot.Default.Timeout.IdleMS = 30
	response, answer := w.post(streamedChat)
	if r := w.record(); response.StatusCode != 200 || !strings.Contains(answer, `"b"`) || !strings.Contains(r.Attempts[0].Message, "silent") {
		t.Errorf("%d %s, attempts %+v", response.StatusCode, answer, r.Attempts)
	}
}

// TestAnAnswerThatBreaksOffIsNoSuccess of its provider.
func TestAnAnswerThatBreaksOffIsNoSuccess(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		code   point.Code
	}{
		"cut":       {streams(chunk(`{"content":"a"}`)), point.StreamTruncated},
		"idle":      {hangs(chunk(`{"content":"a"}`)), point.ProviderTimeout},
		"bad event": {streams(chunk(`{"content":"a"}`), "data: {]\n\n"), point.ProviderBadResponse},
		"error":     {streams(chunk(`{"content":"a"}`), "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"), point.ProviderUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.answer)
			w.snapshot.Default.Timeout.IdleMS = 50
			w.post(streamedChat)
			if r := w.record(); len(r.Attempts) != 1 || r.Attempts[0].Error != test.code || r.Attempts[0].Message == "" || r.Outcome != point.OutcomeTruncated {
				t.Errorf("outcome %s, attempts %+v", r.Outcome, r.Attempts)
			}
			if h := w.gateway.ProviderHealth("id-a"); h.State != point.HealthDegraded || h.LastError != test.code {
				t.Errorf("health %+v", h)
			}
		})
	}
}

// TestWhatAProviderSaidIsInTheLog, without the key and the headers that it was sent: neither
// the client, nor the record, nor the log gets to see them.
func TestWhatAProviderSaidIsInTheLog(t *testing.T) {
	echo := `{"error":{"message":"no such key: odd:key of mine, odd header","type":"t odd header","code":"c odd:key","param":"p odd header"}}`
	said := "no such key: ***"
	tests := map[string]struct {
		answer http.HandlerFunc
		body   string
	}{
		"refused":      {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(400); _, _ = io.WriteString(rw, echo) }, chat},
		"credentials":  {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(401); _, _ = io.WriteString(rw, echo) }, chat},
		"document":     {says(echo), chat},
		"event":        {streams("data: " + echo + "\n\n"), streamedChat},
		"in an answer": {streams(chunk(`{"content":"a"}`), "data: "+echo+"\n\n"), streamedChat},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := newWorld(t, test.answer)
			w.handler.Log = slog.New(slog.NewJSONHandler(&log, nil))
			w.snapshot.Providers["id-a"].Config.Secrets = map[string]point.Secret{"api_key": point.NewSecret("odd:key of mine"), "headers.X-Odd": point.NewSecret("odd header")}
			_, answer := w.post(test.body)
			r := w.record()
			for where, text := range map[string]string{"answer": answer, "log": log.String(), "record": r.ErrorMessage + r.Attempts[0].Message} {
				if strings.Contains(text, "odd:key of mine") || strings.Contains(text, "odd header") {
					t.Errorf("a secret is in the %s: %s", where, text)
				}
			}
			for _, want := range []string{"attempt failed", "request failed", said, r.ID, `"provider":"a"`, `"model":"m"`} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %s: %s", want, log.String())
				}
			}
		})
	}
}

// torn is a client whose connection panics when it is written to.
type torn struct{ http.ResponseWriter }

func (torn) Header() http.Header       { return http.Header{} }
func (torn) WriteHeader(int)           {}
func (torn) Write([]byte) (int, error) { panic("torn") }

func TestAPingThatPanicsEndsOnlyItsAnswer(t *testing.T) {
	a := &answer{w: torn{}}
	a.startPings(time.Hour)
	defer a.stopPings()
	a.ping()
	if a.write([]byte("x"), true) {
		t.Error("the client counts as there")
	}
}

// TestDocumentAfterWhiteSpace: what a service sends to keep a connection open before its document is
// no sign of a stream.
func TestDocumentAfterWhiteSpace(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.Header().Set("Content-Type", "application/json")
		for range 3 {
			_, _ = io.WriteString(rw, "\n")
			rw.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(rw, document)
	})
	response, answer := w.post(strings.Replace(chat, "{", `{"stream":true,`, 1))
	if response.StatusCode != 200 || !strings.Contains(answer, `"content":"hello"`) || !strings.HasSuffix(answer, done) {
		t.Errorf("%d %s", response.StatusCode, answer)
	}
}
