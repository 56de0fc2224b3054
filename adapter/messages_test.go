package adapter

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

const (
	message    = `{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`
	asMessage  = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":5}}`
	startEvent = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n"
	openEvent  = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	textEvent  = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n"
	endEvents  = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n"
	stopEvent  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

// newClaude is a world whose first upstreams speak Anthropic's dialect.
func newClaude(t *testing.T, n int, upstreams ...http.HandlerFunc) *world {
	w := newWorld(t, upstreams...)
	for i := range n {
		p := w.snapshot.Providers["id-"+string(rune('a'+i))]
		p.Kind, p.Config.BaseURL = "anthropic", strings.TrimSuffix(p.Config.BaseURL, "/v1")
	}
	return w
}

// messages sends a message with the key where Anthropic's clients have it.
func (w *world) messages(path, body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	return w.do(http.MethodPost, path, body, append([]string{"X-Api-Key", token, "Anthropic-Version", "2023-06-01"}, headers...)...)
}

func TestMessagesInTheirOwnDialect(t *testing.T) {
	var got, url string
	var header http.Header
	w := newClaude(t, 1, func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, url, header = string(b), r.URL.String(), r.Header
		says(asMessage)(rw, r)
	})
	body := `{ "model" :"m","max_tokens":1,"unknown": {"x":1.50} , "messages":[{"role":"user","content":"\u00e9"}]}`
	response, answer := w.messages(point.PathMessages+"?beta=true", body, "Anthropic-Beta", "some-thing-2030")
	if got != body || answer != asMessage || url != "/v1/messages" {
		t.Errorf("the provider got %s at %s, the client %s", got, url, answer)
	}
	if header.Get("X-Api-Key") != "upstream-key-a" || header.Get("Authorization") != "" || header.Get("Anthropic-Beta") != "some-thing-2030" {
		t.Errorf("headers %v", header)
	}
	r := w.record()
	if id := response.Header.Get("Request-Id"); id != r.ID || id != response.Header.Get("X-Request-Id") {
		t.Errorf("request-id %q", id)
	}
	if want := (point.Usage{Input: 100, Output: 5, CacheRead: 90}); *r.Usage != want || r.Outcome != point.OutcomeComplete || r.Endpoint != point.PathMessages {
		t.Errorf("record %+v", r)
	}
}

func TestMessagesStreamInTheirOwnDialect(t *testing.T) {
	stream := startEvent + openEvent + textEvent + endEvents + stopEvent
	w := newClaude(t, 1, streams(startEvent, openEvent, textEvent, endEvents, stopEvent))
	_, answer := w.messages(point.PathMessages, strings.Replace(message, `{`, `{"stream":true,`, 1))
	if answer != stream {
		t.Errorf("answer %s", answer)
	}
	if r := w.record(); r.Usage.Input != 10 || r.Usage.Output != 5 || r.Outcome != point.OutcomeComplete {
		t.Errorf("record %+v", r)
	}
}

func TestMessagesStreamThatBreaksOffIsAnError(t *testing.T) {
	for _, native := range []int{0, 1} {
		w := newClaude(t, native, map[int]http.HandlerFunc{0: streams(chunk(`{"content":"a"}`)), 1: streams(startEvent, openEvent, textEvent)}[native])
		_, answer := w.messages(point.PathMessages, strings.Replace(message, `{`, `{"stream":true,`, 1))
		r := w.record()
		last := answer[strings.LastIndex(answer, "event: "):]
		if !strings.HasPrefix(last, "event: error\n") || !strings.Contains(last, `"request_id":"`+r.ID+`"`) || strings.Contains(answer, "message_stop") || r.Outcome != point.OutcomeTruncated {
			t.Errorf("%d: %s: %s", native, r.Outcome, answer)
		}
	}
}

func TestMessagesMoveOnToAnotherDialect(t *testing.T) {
	var got string
	w := newClaude(t, 1, fails(529), func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		says(document)(rw, r)
	})
	response, answer := w.messages(point.PathMessages, strings.Replace(message, `{`, `{"service_tier":"auto",`, 1))
	m := gjson.Parse(answer)
	if m.Get("content.0.text").Str != "hello" || m.Get("stop_reason").Str != "end_turn" || m.Get("usage.input_tokens").Int() != 10 || m.Get("type").Str != "message" {
		t.Errorf("answer %s", answer)
	}
	if gjson.Get(got, "messages.0.content").Str != "hi" || response.Header.Get("X-Point-Dropped") != "service_tier" {
		t.Errorf("the provider got %s; dropped %q", got, response.Header.Get("X-Point-Dropped"))
	}
	if r := w.record(); len(r.Attempts) != 2 || r.Usage.Total() != 15 {
		t.Errorf("record %+v", r)
	}
}

func TestMessagesStreamOfAnotherDialect(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"role":"assistant","content":""}`), chunk(`{"content":"a"}`), stopChunk, usageChunk, done))
	_, answer := w.messages(point.PathMessages, `{"model":"priced","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`)
	for _, want := range []string{"event: message_start\n", `"text_delta","text":"a"`, `"input_tokens":10,`, `"output_tokens":5}`, "event: message_stop\n"} {
		if !strings.Contains(answer, want) {
			t.Errorf("%q is missing in %s", want, answer)
		}
	}
	if r := w.record(); r.Usage.Total() != 15 || *r.Cost != 20_000 {
		t.Errorf("record %+v", r)
	}
}

func TestCountTokens(t *testing.T) {
	for native, test := range map[int]struct {
		upstream        http.HandlerFunc
		tokens          int64
		estimated, path string
	}{
		0: {func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }, 7, "true", "a"},
		1: {says(`{"input_tokens":14}`), 14, "", "a"},
	} {
		w := newClaude(t, native, test.upstream)
		response, answer := w.messages(point.PathCountTokens, message)
		if gjson.Get(answer, "input_tokens").Int() != test.tokens || response.Header.Get("X-Point-Estimated") != test.estimated || response.Header.Get("X-Point-Provider") != "a" {
			t.Errorf("%d: %s %v", native, answer, response.Header)
		}
		if r := w.record(); r.Outcome != point.OutcomeComplete || r.Usage != nil || r.Cost != nil || r.ProviderID != "id-a" || len(w.alerts) != 0 {
			t.Errorf("%d: record %+v, alerts %v", native, r, w.alerts)
		}
	}
}

// TestEstimatesAgree: a prompt is counted by the vocabulary when that is asked, and by its length
// when an answer begins, which waits for nothing; the two are about the same.
func TestEstimatesAgree(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"a"}`), stopChunk, done))
	const prompt = `"model":"m","system":"Answer in verse.","messages":[{"role":"user","content":"What is a gateway?"}],"tools":[{"name":"f","description":"It does this and that.","input_schema":{"type":"object"}}]`
	_, counted := w.messages(point.PathCountTokens, "{"+prompt+"}")
	_, stream := w.messages(point.PathMessages, `{"max_tokens":1000,"stream":true,"temperature":0.5,"metadata":{"user_id":"somebody"},`+prompt+"}")
	_, start, _ := strings.Cut(stream, "event: message_start\ndata: ")
	want := gjson.Get(counted, "input_tokens").Int()
	if got := gjson.Get(start, "message.usage.input_tokens").Int(); want < 20 || got < want*3/4 || got > want*5/4 {
		t.Errorf("%d tokens are counted, the answer begins with %d", want, got)
	}
}

func TestMessagesRefusals(t *testing.T) {
	w := newWorld(t, says(document))
	tests := map[string]struct {
		method, path, body, key string
		status                  int
		kind, says              string
	}{
		"no key":       {"POST", point.PathMessages, message, "", 401, "authentication_error", "client key"},
		"wrong key":    {"POST", point.PathMessages, message, "pt-wrong", 401, "authentication_error", "client keys"},
		"method":       {"GET", point.PathMessages, "", token, 405, "invalid_request_error", "takes POST"},
		"below":        {"POST", point.PathMessages + "/batches", "{}", token, 404, "not_found_error", "There is no"},
		"no messages":  {"POST", point.PathMessages, `{"model":"m"}`, token, 400, "invalid_request_error", "messages"},
		"no model":     {"POST", point.PathMessages, `{"messages":[]}`, token, 400, "invalid_request_error", "names no model"},
		"which model":  {"POST", point.PathMessages, `{"model":"zzz","messages":[{}]}`, token, 404, "not_found_error", "zzz"},
		"server tools": {"POST", point.PathMessages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]}`, token, 400, "invalid_request_error", "web_search_20250305"},
		"length":       {"POST", point.PathMessages, `{"model":"m","max_tokens":-1,"messages":[{"role":"user","content":"x"}]}`, token, 400, "invalid_request_error", "max_tokens"},
		"absurd":       {"POST", point.PathMessages, `{"model":"m","max_tokens":99999999999999999999,"messages":[{"role":"user","content":"x"}]}`, token, 400, "invalid_request_error", "max_tokens"},
		"count":        {"POST", point.PathCountTokens, `{"model":"zzz","messages":[{}]}`, token, 404, "not_found_error", "zzz"},
	}
	for name, test := range tests {
		response, answer := w.do(test.method, test.path, test.body, "X-Api-Key", test.key)
		e := gjson.Parse(answer)
		if response.StatusCode != test.status || e.Get("type").Str != "error" || e.Get("error.type").Str != test.kind || !strings.Contains(e.Get("error.message").Str, test.says) {
			t.Errorf("%s: %d %s", name, response.StatusCode, answer)
		}
		if id := response.Header.Get("Request-Id"); id == "" || e.Get("request_id").Str != id {
			t.Errorf("%s: request-id %q, %s", name, id, answer)
		}
	}
}

func TestAbortedMessagesCancelTheProvider(t *testing.T) {
	for _, native := range []int{0, 1} {
		gone := make(chan struct{})
		w := newClaude(t, native, func(rw http.ResponseWriter, r *http.Request) {
			map[int]http.HandlerFunc{0: streams(chunk(`{"content":"a"}`)), 1: streams(startEvent, openEvent, textEvent)}[native](rw, r)
			<-r.Context().Done()
			close(gone)
		})
		ctx, cancel := context.WithCancel(context.Background())
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathMessages, strings.NewReader(strings.Replace(message, `{`, `{"stream":true,`, 1)))
		request.Header.Set("X-Api-Key", token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadFull(response.Body, make([]byte, 20))
		cancel()
		response.Body.Close()
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Fatal("the provider's call goes on")
		}
		if r := w.record(); r.Outcome != point.OutcomeClientCancelled {
			t.Errorf("outcome %s", r.Outcome)
		}
	}
}

func TestSilentMessagesArePinged(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-release
		streams(chunk(`{"content":"a"}`), stopChunk, done)(rw, r)
	})
	w.handler.silence = 5 * time.Millisecond
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	response, answer := w.messages(point.PathMessages, strings.Replace(message, `{`, `{"stream":true,`, 1))
	if !strings.HasPrefix(answer, "event: ping\ndata: {\"type\":\"ping\"}\n\n") || !strings.Contains(answer, "message_stop") || response.Header.Get("Request-Id") == "" {
		t.Errorf("answer %s", answer)
	}
}
