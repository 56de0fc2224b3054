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

// TestWhereATypeIsWrong: the value at fault is named, not the first of its kind, in every dialect.
func TestWhereATypeIsWrong(t *testing.T) {
	const generate = "/v1beta/models/m:generateContent"
	for _, test := range []struct{ path, kind, conversation, want, says string }{
		{point.PathMessages, "openai-compatible", `[{"role":"user","content":"hi"},{"role":"user","content":["hello"]}]`, "messages[1].content[0]", "an object"},
		{point.PathMessages, "openai-compatible", `[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":{"type":"text"}}]`, "messages[1].content", "a string or a list of blocks"},
		{point.PathMessages, "openai-compatible", `[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[[1]]}]`, "messages[1].content[0]", "an object"},
		{point.PathMessages, "openai-compatible", `[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a"}]},{"type":"tool_result","tool_use_id":"u","content":{}}]}]`, "messages[0].content[1].content", "a string or a list of blocks"},
		{point.PathMessages, "openai-compatible", `[{"role":"user","content":[{"type":"search_result","source":"x"},{"type":"image","source":["x"]}]}]`, "messages[0].content[1].source", "an object"},
		{point.PathChat, "anthropic", `[{"role":"user","content":"hi"},{"role":"user","content":["hello"]}]`, "messages[1].content[0]", "an object"},
		{point.PathChat, "anthropic", `[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":{"type":"text"}}]`, "messages[1].content", "a string or a list of parts"},
		{point.PathChat, "anthropic", `[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"image_url","image_url":"x"}]}]`, "messages[0].content[1].image_url", "an object"},
		{point.PathChat, "anthropic", `[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"f","arguments":{}}}]}]`, "messages[0].tool_calls[1].function.arguments", "a string"},
		{point.PathResponses, "anthropic", `[{"role":"user","content":"hi"},{"role":"user","content":["hello"]}]`, "input[1].content[0]", "an object"},
		{point.PathResponses, "anthropic", `[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"role":"user","content":[{"type":"input_text","text":["a"]}]}]`, "input[1].content[0].text", "a string"},
		{point.PathResponses, "anthropic", `[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"role":"user","content":{"type":"input_text"}}]`, "input[1].content", "a string or a list of parts"},
		{generate, "anthropic", `[{"parts":[{"text":"a"}]},{"parts":"hello"}]`, "contents[1].parts", "a list of parts"},
		{generate, "anthropic", `[{"parts":[{"text":"a"}]},{"parts":["hello"]}]`, "contents[1].parts[0]", "an object"},
		{generate, "anthropic", `[{"parts":[{"text":"a"}]},{"parts":[{"text":"a"},{"text":{}}]}]`, "contents[1].parts[1].text", "a string"},
	} {
		w := newWorld(t, says(document))
		w.snapshot.Providers["id-a"].Kind = test.kind
		w.snapshot.Index()
		field := map[string]string{point.PathResponses: "input", generate: "contents"}[test.path]
		if field == "" {
			field = "messages"
		}
		_, answer := w.do("POST", test.path, `{"model":"m","max_tokens":9,"`+field+`":`+test.conversation+`}`, bearer...)
		if want := `The field \"` + test.want + `\" must be ` + test.says; !strings.Contains(answer, want) {
			t.Errorf("%s %s: %s", test.path, test.conversation, answer)
		}
	}
}
