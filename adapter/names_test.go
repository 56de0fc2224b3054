package adapter

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

// TestFieldsAreNamedAsSent: where a request was told as a chat, errors name the fields that its
// client sent, or none.
func TestFieldsAreNamedAsSent(t *testing.T) {
	const (
		messages  = `{"model":"m","max_tokens":9,"system":"be short","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"x"},{"type":"text","text":"and?"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`
		responses = `{"model":"m","instructions":"be short","input":[{"type":"reasoning","id":"rs_x","summary":[]},{"role":"user","content":"hi"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"x"}],"tools":[{"type":"function","name":"f"}]}`
		gemini    = `{"systemInstruction":{"parts":[{"text":"be short"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"text":"so"},{"functionResponse":{"name":"f","response":{}}}]}],"tools":[{"functionDeclarations":[{"name":"e"},{"name":"f"}]}]}`
	)
	generate := "/v1beta/models/m:generateContent"
	for _, test := range []struct{ path, body, said, want string }{
		{point.PathChat, chat, "messages[2]", "messages[2]"},
		{point.PathMessages, messages, "max_completion_tokens", "max_tokens"},
		{point.PathMessages, messages, "max_tokens", "max_tokens"},
		{point.PathMessages, messages, "stop[0]", "stop_sequences"},
		{point.PathMessages, messages, "messages[0].content", "system"},
		{point.PathMessages, messages, "messages.[1].content", "messages[0]"},
		{point.PathMessages, messages, "messages[3]", "messages[2]"},
		{point.PathMessages, messages, "messages.4.content.0", "messages[2]"},
		{point.PathMessages, messages, "messages[77]", "messages"},
		{point.PathMessages, messages, "tools[0].function.parameters", "tools[0]"},
		{point.PathMessages, messages, "logprobs", ""},
		{point.PathMessages, messages, "$.x", ""},
		{point.PathResponses, responses, "max_tokens", "max_output_tokens"},
		{point.PathResponses, responses, "response_format.json_schema", "text.format"},
		{point.PathResponses, responses, "messages[0]", "instructions"},
		{point.PathResponses, responses, "messages[1]", "input[1]"},
		{point.PathResponses, responses, "messages[3].content", "input[3]"},
		{point.PathResponses, responses, "messages", "input"},
		{generate, gemini, "max_tokens", "generationConfig.maxOutputTokens"},
		{generate, gemini, "messages[0]", "systemInstruction"},
		{generate, gemini, "messages[2]", "contents[1]"},
		{generate, gemini, "messages[3]", "contents[2].parts[1].functionResponse"},
		{generate, gemini, "tools[1].function", "tools[0].functionDeclarations[1]"},
		{generate, gemini, "tool_choice", "toolConfig"},
	} {
		t.Run(test.path+" "+test.said, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				rw.WriteHeader(http.StatusBadRequest)
				_, _ = rw.Write([]byte(`{"error":{"message":"Invalid value.","type":"invalid_request_error","param":"` + test.said + `","code":"invalid_value"}}`))
			})
			w.snapshot.Providers["id-a"].Kind = "openai-compatible"
			w.snapshot.Index()
			response, answer := w.do("POST", test.path, test.body, bearer...)
			got := gjson.Get(answer, "error.param").Str
			if test.path == generate {
				got = gjson.Get(answer, "error.details.#.fieldViolations.0.field").Array()[0].Str
			}
			if response.StatusCode != http.StatusBadRequest || got != test.want {
				t.Errorf("%q, want %q: %d %s", got, test.want, response.StatusCode, answer)
			}
		})
	}
}

// TestRefusalsNameFieldsAsSent: so do Point's own refusals, in the text too.
func TestRefusalsNameFieldsAsSent(t *testing.T) {
	w := newWorld(t, says(document))
	w.snapshot.Providers["id-a"].Kind = "cohere"
	w.snapshot.Index()
	_, answer := w.do("POST", point.PathResponses, `{"model":"m","instructions":"x","input":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"eA==","format":"wav"}}]}]}`, bearer...)
	if e := gjson.Get(answer, "error"); e.Get("param").Str != "input[0]" || !strings.Contains(e.Get("message").Str, `"input[0]"`) {
		t.Error(answer)
	}
}
