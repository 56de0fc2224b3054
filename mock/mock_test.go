package mock_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"point/internal/awsframes"
	"point/mock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixedTime is the clock of all tests.
func fixedTime() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// world is a running server and a client for it.
type world struct {
	*testing.T
	mock   *mock.Server
	url    string
	client *http.Client
}

func start(t *testing.T, o mock.Options) *world {
	t.Helper()
	if o.Now == nil {
		o.Now = fixedTime
	}
	s := mock.New(o)
	url, stop, err := s.Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		stop() // may be called twice
	})
	return &world{t, s, url, client}
}

// paths of a chat by service; the model goes into Gemini's.
func chatPath(service, model string, stream bool) string {
	switch service {
	case "anthropic":
		return "/anthropic/v1/messages"
	case "gemini":
		if stream {
			return "/gemini/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
		}
		return "/gemini/v1beta/models/" + model + ":generateContent"
	}
	switch {
	case service == "cohere":
		return "/cohere/v2/chat"
	case service == "bedrock" && stream:
		return "/bedrock/model/" + url.PathEscape(model) + "/converse-stream"
	case service == "bedrock":
		return "/bedrock/model/" + url.PathEscape(model) + "/converse"
	}
	return "/openai/v1/chat/completions"
}

// chatBody asks for the same in each dialect.
func chatBody(service, model, text string, stream bool) string {
	quoted, _ := json.Marshal(text)
	switch service {
	case "anthropic":
		body := `{"model":"` + model + `","max_tokens":4096,"messages":[{"role":"user","content":` + string(quoted) + `}]`
		if stream {
			body += `,"stream":true`
		}
		return body + "}"
	case "gemini":
		return `{"contents":[{"role":"user","parts":[{"text":` + string(quoted) + `}]}]}`
	case "bedrock":
		return `{"messages":[{"role":"user","content":[{"text":` + string(quoted) + `}]}],"inferenceConfig":{"maxTokens":4096}}`
	}
	body := `{"model":"` + model + `","messages":[{"role":"user","content":` + string(quoted) + `}]`
	if stream {
		body += `,"stream":true`
	}
	if stream && service == "openai" {
		body += `,"stream_options":{"include_usage":true}`
	}
	return body + "}"
}

// newRequest asks with a good key and headers, "Name: value".
func (w *world) newRequest(method, path, body string, headers ...string) *http.Request {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(path, "/anthropic"):
		req.Header.Set("X-Api-Key", "sk-ant-1234567890")
		req.Header.Set("Anthropic-Version", "2023-06-01")
	case strings.HasPrefix(path, "/gemini"):
		req.Header.Set("X-Goog-Api-Key", "AIza1234567890")
	default:
		req.Header.Set("Authorization", "Bearer sk-1234567890")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return req
}

// answer is a response read to its end; err is what ended it. AWS's frames are told as server-sent
// events.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (w *world) do(req *http.Request) answer {
	w.Helper()
	res, err := w.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.Header.Get("Content-Type") == awsframes.MediaType && res.Header.Get("Content-Encoding") == "" && err == nil {
		body, err = io.ReadAll(awsframes.NewReader(bytes.NewReader(body), 8<<20))
	}
	return answer{res.StatusCode, res.Header, body, err}
}

func (w *world) post(path, body string, headers ...string) answer {
	w.Helper()
	return w.do(w.newRequest(http.MethodPost, path, body, headers...))
}

func (w *world) get(path string, headers ...string) answer {
	w.Helper()
	return w.do(w.newRequest(http.MethodGet, path, "", headers...))
}

// chat asks a service for text.
func (w *world) chat(service, model, text string, stream bool, headers ...string) answer {
	w.Helper()
	return w.post(chatPath(service, model, stream), chatBody(service, model, text, stream), headers...)
}

// field reads a member of the JSON body by a path such as choices.0.message.
func (a answer) field(t *testing.T, path string) any {
	t.Helper()
	return lookup(t, a.body, path)
}

func lookup(t *testing.T, body []byte, path string) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %.300q", err, body)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i := int(name[0] - '0')
			if i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

// events splits a stream of plain framing into the data of its events.
func (a answer) events() []string {
	text := strings.ReplaceAll(string(a.body), "\r\n", "\n")
	var list []string
	for ev := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		_, data, _ := strings.Cut("\n"+ev, "\ndata: ")
		list = append(list, data)
	}
	return list
}

// services is all of them.
var services = []string{"openai", "anthropic", "gemini", "bedrock", "cohere"}

func goodModel(service string) string {
	return map[string]string{
		"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "bedrock": "amazon.nova-lite-v1:0", "cohere": "command-a-03-2025",
	}[service]
}

// textAt is where a document has its text, deltaAt where a stream's event has it; errorAt and
// endedAt are where they have the message of an error.
var (
	textAt = map[string]string{
		"openai": "choices.0.message.content", "anthropic": "content.0.text", "gemini": "candidates.0.content.parts.0.text",
		"bedrock": "output.message.content.0.text", "cohere": "message.content.0.text",
	}
	deltaAt = map[string]string{
		"openai": "choices.0.delta.content", "anthropic": "delta.text", "gemini": "candidates.0.content.parts.0.text",
		"bedrock": "delta.text", "cohere": "delta.message.content.text",
	}
	errorAt = map[string]string{"openai": "error.message", "anthropic": "error.message", "gemini": "error.message", "bedrock": "message", "cohere": "message"}
	endedAt = map[string]string{"openai": "error.message", "anthropic": "error.message", "gemini": "error.message", "bedrock": "message", "cohere": "delta.error"}
)

// streamText joins the text of a stream.
func (a answer) streamText(t *testing.T, service string) string {
	t.Helper()
	var b strings.Builder
	for _, ev := range a.events() {
		if ev == "[DONE]" {
			continue
		}
		if s, ok := lookup(t, []byte(ev), deltaAt[service]).(string); ok {
			b.WriteString(s)
		}
	}
	return b.String()
}

func TestAnswers(t *testing.T) {
	w := start(t, mock.Options{})
	tests := []struct{ ask, want string }{
		{"Say hello world", "hello world"},
		{"Please reply with exactly: “pong”.", "pong"},
		{"This is a test. Just say “pong”!", "pong"},
		{"What is 12 * 12?", "12 * 12 = 144"},
		{"count to 5", "1, 2, 3, 4, 5"},
		{"Write 4 words", "a river finds its"},
	}
	for _, service := range services {
		for _, tt := range tests {
			doc := w.chat(service, goodModel(service), tt.ask, false)
			if got := doc.field(t, textAt[service]); got != tt.want {
				t.Errorf("%s %q: %v, want %q: %s", service, tt.ask, got, tt.want, doc.body)
			}
			stream := w.chat(service, goodModel(service), tt.ask, true)
			if got := stream.streamText(t, service); got != tt.want {
				t.Errorf("%s streamed %q: %q, want %q", service, tt.ask, got, tt.want)
			}
		}
	}
}

// TestDemoAnswer is what a newcomer sees.
func TestDemoAnswer(t *testing.T) {
	w := start(t, mock.Options{})
	for ask, want := range map[string]string{
		"Hello":                          "Hello! You are talking to a simulated gpt-4o-mini.",
		"What did they say about tides?": "You asked: “What did they say about tides?” This is a demo answer",
	} {
		if got, _ := w.chat("openai", "gpt-4o-mini", ask, false).field(t, textAt["openai"]).(string); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q", ask, got)
		}
	}
}

func TestUnknownPathAndMethod(t *testing.T) {
	w := start(t, mock.Options{})
	for _, service := range services {
		if a := w.get("/" + service + "/v1/nothing"); a.status != http.StatusNotFound || a.field(t, errorAt[service]) == nil {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
		if a := w.get(chatPath(service, "m", false)); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
	}
}

func TestBadBodies(t *testing.T) {
	w := start(t, mock.Options{})
	for _, service := range services {
		for _, body := range []string{"", "{", "[]", `{"messages":7}`, `{"model":"m"}`, `{"model":"m","messages":[],"max_tokens":1,"contents":[]}`} {
			a := w.post(chatPath(service, "m", false), body)
			if message, _ := a.field(t, errorAt[service]).(string); a.status != http.StatusBadRequest || message == "" {
				t.Errorf("%s %q: %d %s", service, body, a.status, a.body)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	w := start(t, mock.Options{})
	tests := []struct {
		service, header string
		status          int
		at, want        string
	}{
		{"openai", "Authorization: Bearer invalid", 401, "error.code", "invalid_api_key"},
		{"openai", "Authorization: ", 200, "object", "chat.completion"},
		{"anthropic", "X-Api-Key: invalid", 401, "error.type", "authentication_error"},
		{"anthropic", "X-Api-Key: ", 401, "error.type", "authentication_error"},
		{"anthropic", "Anthropic-Version: ", 400, "error.type", "invalid_request_error"},
		{"gemini", "X-Goog-Api-Key: invalid", 400, "error.details.0.reason", "API_KEY_INVALID"},
		{"gemini", "X-Goog-Api-Key: ", 403, "error.status", "PERMISSION_DENIED"},
		{"openai", "Authorization: Bearer fault-429", 429, "error.code", "rate_limit_exceeded"},
		{"bedrock", "Authorization: Bearer invalid", 403, "Message", "Authentication failed: Please make sure your API Key is valid."},
		{"bedrock", "Authorization: ", 403, "message", "Missing Authentication Token"},
		{"bedrock", "Authorization: Bearer fault-429", 429, "message", "Too many requests, please wait before trying again."},
		{"cohere", "Authorization: Bearer invalid", 401, "message", "invalid api token"},
		{"cohere", "Authorization: Basic x", 401, "message", "no api key supplied"},
		{"cohere", "Authorization: bearer x", 200, "finish_reason", "COMPLETE"},
	}
	for _, tt := range tests {
		a := w.chat(tt.service, goodModel(tt.service), "hi", false, tt.header)
		if a.status != tt.status || a.field(t, tt.at) != tt.want {
			t.Errorf("%s %s: %d %s", tt.service, tt.header, a.status, a.body)
		}
	}
}

func TestStrictModels(t *testing.T) {
	w := start(t, mock.Options{StrictModels: true})
	for _, service := range services {
		want := http.StatusNotFound
		if service == "bedrock" {
			want = http.StatusBadRequest
		}
		if a := w.chat(service, "nothing", "hi", false); a.status != want {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
		if a := w.chat(service, goodModel(service), "hi", false); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
	}
	if a := w.chat("openai", "gpt-4o-2024-08-06", "hi", false); a.status != http.StatusOK {
		t.Errorf("dated: %d %s", a.status, a.body)
	}
}

func TestHandlerAlone(t *testing.T) {
	s := mock.New(mock.Options{Now: fixedTime})
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, chatPath("openai", "", false), strings.NewReader(chatBody("openai", "m", "Say hi", false)))
	s.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"content":"hi"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
