package wiretest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	head    = `"id":"c","created":1,"model":"m",`
	whole   = `{` + head + `"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"hi","refusal":null}}]}`
	oneStep = `{` + head + `"object":"chat.completion.chunk","choices":[{"index":0,"finish_reason":null,"delta":{"content":"hi"}}]}`
)

// TestFinds: what is right passes, and what is wrong is told by where it is.
func TestFinds(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"document":           {Chat.Document([]byte(whole)), ""},
		"missing":            {Chat.Document([]byte(strings.Replace(whole, `"logprobs":null,`, "", 1))), `chat.choices[0] has no "logprobs"`},
		"null":               {Chat.Document([]byte(strings.Replace(whole, `"m"`, "null", 1))), `chat.model is null, not a string`},
		"type":               {Chat.Document([]byte(strings.Replace(whole, `"created":1`, `"created":1.5`, 1))), `chat.created is 1.5`},
		"word":               {Chat.Document([]byte(strings.Replace(whole, `"stop"`, `"end"`, 1))), `chat.choices[0].finish_reason is "end", not one of`},
		"unknown":            {Chat.Document([]byte(strings.Replace(whole, head, head+`"x":1,`, 1))), `chat has a "x"`},
		"relayed":            {Chat.Relayed().Document([]byte(strings.Replace(whole, `"logprobs":null,`, `"x":1,`, 1))), ""},
		"relayed and wrong":  {Chat.Relayed().Document([]byte(strings.Replace(whole, `"id":"c",`, "", 1))), `chat has no "id"`},
		"no JSON":            {Chat.Document([]byte(`{`)), "unexpected EOF"},
		"no list":            {Models.Document([]byte(`{"object":"list","data":{}}`)), "models.data is {}, not a list"},
		"no object":          {Models.Document([]byte(`[]`)), "models is [], not an object"},
		"stream":             {Chat.Stream([]byte(": ping\n\ndata: " + oneStep + "\n\ndata: [DONE]\n\n")), ""},
		"chunk":              {Chat.Stream([]byte("data: " + strings.Replace(oneStep, ".chunk", "", 1) + "\n\n")), "event 0: chat.object is"},
		"broken chunk":       {Chat.Stream([]byte("data: {\n\n")), "event 0: unexpected end"},
		"error in a stream":  {Chat.Stream([]byte(`data: {"error":{"message":"m","type":"t","param":null,"code":null}}` + "\n\n")), ""},
		"error without code": {Chat.Stream([]byte(`data: {"error":{"message":"m","type":"t","param":null}}` + "\n\n")), `chat.error has no "code"`},
		"event's name":       {Messages.Stream([]byte("event: ping\ndata: {\"type\":\"message_stop\"}\n\n")), `it is called "ping" and "message_stop"`},
		"event of no type":   {Messages.Stream([]byte("event: x\ndata: {\"type\":\"x\"}\n\n")), `of the type "x" that nobody documents`},
		"list of Gemini":     {Gemini.Document([]byte(`[{"candidates":[]},{"error":{"code":502,"message":"m","status":"UNAVAILABLE"}}]`)), ""},
	} {
		if (test.err == nil) != (test.want == "") || test.err != nil && !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
}

// TestAnswer finds the shape by the request.
func TestAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		path, header string
		status       int
		body         string
		right        bool
	}{
		"chat":               {"/v1/chat/completions", "", 200, whole, true},
		"refused":            {"/v1/chat/completions", "", 400, `{"error":{"message":"m","type":"t","param":null,"code":"c"}}`, true},
		"refused as a chat":  {"/v1/messages", "", 400, `{"error":{"message":"m","type":"t","param":null,"code":"c"}}`, false},
		"models":             {"/v1/models", "", 200, `{"object":"list","data":[]}`, true},
		"Anthropic's models": {"/v1/models", "Anthropic-Version", 200, `{"object":"list","data":[]}`, false},
		"Gemini's models":    {"/v1beta/models", "", 200, `{"models":[]}`, true},
		"Gemini":             {"/v1beta/models/m:generateContent", "", 200, `{"candidates":[{"finishReason":"stop"}]}`, false},
		"no shape":           {"/v1/audio/speech", "", 200, `RIFF`, true},
	} {
		asked := httptest.NewRequest(http.MethodPost, test.path, nil)
		if test.header != "" {
			asked.Header.Set(test.header, "x")
		}
		got := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {"application/json"}}}
		if err := Answer(asked, got, []byte(test.body)); (err == nil) != test.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}
