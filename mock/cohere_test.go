package mock_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"point/mock"
)

const cohereWeather = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}`

func TestGoldenCohere(t *testing.T) {
	for _, tt := range []struct{ name, path, body string }{
		{"cohere_chat", "/cohere/v2/chat", `{"model":"command-a-03-2025","messages":[{"role":"user","content":"Say hi there"}]}`},
		{"cohere_stream", "/cohere/v2/chat", `{"model":"command-a-03-2025","stream":true,"max_tokens":1,"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"cohere_tools", "/cohere/v2/chat", `{"model":"command-a-03-2025","tools":[` + cohereWeather + `],"messages":[{"role":"user","content":"Weather in Paris?"}]}`},
		{"cohere_tool_stream", "/cohere/v2/chat", `{"model":"command-a-03-2025","stream":true,"tools":[` + cohereWeather + `],"messages":[{"role":"user","content":"Weather in Paris?"}]}`},
		{"cohere_thinking_stream", "/cohere/v2/chat", `{"model":"command-a-reasoning-08-2025","stream":true,"messages":[{"role":"user","content":"Say hi"}]}`},
		{"cohere_citations", "/cohere/v2/chat", cohereLoop(false)},
		{"cohere_citation_stream", "/cohere/v2/chat", cohereLoop(true)},
		{"cohere_embed", "/cohere/v2/embed", `{"model":"embed-v4.0","texts":["one"],"input_type":"clustering","embedding_types":["ubinary","binary"],"output_dimension":256}`},
		{"cohere_rerank", "/cohere/v2/rerank", `{"model":"rerank-v3.5","query":"a river","documents":["a hill","a river"],"top_n":1}`},
	} {
		w := start(t, mock.Options{})
		golden(t, tt.name, w.post(tt.path, tt.body))
	}
	w := start(t, mock.Options{})
	golden(t, "cohere_models", w.get("/cohere/v1/models?endpoint=chat&page_size=2"))
}

// cohereLoop is the second turn of a loop with a tool.
func cohereLoop(stream bool) string {
	body := `{"model":"command-a-03-2025","tools":[` + cohereWeather + `],"messages":[{"role":"user","content":"Weather in Paris?"},` +
		`{"role":"assistant","tool_plan":"I will look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},` +
		`{"role":"tool","tool_call_id":"c1","content":[{"type":"document","document":{"data":"18 °C"}}]}]`
	if stream {
		body += `,"stream":true`
	}
	return body + "}"
}

// TestCohereRefusals are the checks that gateways run into.
func TestCohereRefusals(t *testing.T) {
	w := start(t, mock.Options{})
	const (
		hi     = `{"role":"user","content":"hi"}`
		call   = `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		result = `{"role":"tool","tool_call_id":"c1","content":"1"}`
		chat   = "/cohere/v2/chat"
	)
	say := func(messages, more string) string { return `{"model":"m","messages":[` + messages + `]` + more + `}` }
	for _, tt := range []struct{ path, body, want string }{
		{chat, `{"messages":[` + hi + `]}`, "a model parameter is required"},
		{chat, say("", ""), "list of messages"},
		{chat, say(`{"role":"robot","content":"x"}`, ""), "role must be one of"},
		{chat, say(`{"role":"user","content":7}`, ""), "content must be"},
		{chat, say(`{"role":"user","content":""}`, ""), "must not be empty in a turn"},
		{chat, say(`{"role":"user","content":[{"type":"file"}]}`, ""), "content of the types text, image_url"},
		{chat, say(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}`, ""), "image_url must be"},
		{chat, say(hi+`,{"role":"assistant","content":""}`, ""), "must not be empty in a turn"},
		{chat, say(hi+","+call+","+hi, ""), "must be followed by tool messages with their tool_call_id: c1"},
		{chat, say(hi+","+call, ""), "must be followed by tool messages"},
		{chat, say(hi+","+result, ""), "answers no tool call"},
		{chat, say(hi+","+call+","+result+","+result, ""), "answers no tool call"},
		{chat, say(hi+","+strings.Replace(call, `"{}"`, `"x"`, 1), ""), "must be a JSON object"},
		{chat, say(hi, `,"tool_choice":"REQUIRED"`), "without tools"},
		{chat, say(hi, `,"tool_choice":"auto"`), "one of REQUIRED, NONE"},
		{chat, say(hi, `,"tools":[{"type":"function","function":{}}]`), "name must not be empty"},
		{chat, say(hi, `,"tools":[`+cohereWeather+`],"response_format":{"type":"json_object"}`), "not supported with tools"},
		{chat, say(hi, `,"response_format":{"type":"json_schema"}`), "one of text, json_object"},
		{chat, say(hi, `,"response_format":{"type":"json_object","json_schema":{"type":"array"}}`), "of type object"},
		{chat, say(hi, `,"temperature":1.5`), "temperature must be between 0 and 1 inclusive"},
		{chat, say(hi, `,"p":1`), "p must be between 0.01 and 0.99"},
		{chat, say(hi, `,"presence_penalty":-1`), "presence_penalty"},
		{chat, say(hi, `,"max_tokens":0`), "max_tokens"},
		{chat, say(hi, `,"stop_sequences":["a","b","c","d","e","f"]`), "at most 5"},
		{chat, say(hi, `,"thinking":{"type":"on"}`), "thinking type"},
		{"/cohere/v2/embed", `{"model":"m","texts":["a"]}`, "valid input_type"},
		{"/cohere/v2/embed", `{"model":"m","input_type":"clustering"}`, "at least one of texts"},
		{"/cohere/v2/embed", `{"model":"m","input_type":"clustering","texts":["a"` + strings.Repeat(`,"a"`, 96) + `]}`, "at most 96 - received 97"},
		{"/cohere/v2/embed", `{"model":"m","input_type":"clustering","texts":["a"],"output_dimension":3}`, "output_dimension"},
		{"/cohere/v2/embed", `{"model":"m","input_type":"clustering","texts":["a"],"embedding_types":["double"]}`, "embedding_types"},
		{"/cohere/v2/rerank", `{"model":"m","query":" ","documents":["a"]}`, "query must not be empty"},
		{"/cohere/v2/rerank", `{"model":"m","query":"q","documents":[]}`, "list of documents must not be empty"},
		{"/cohere/v2/rerank", `{"model":"m","query":"q","documents":["a"],"top_n":0}`, "top_n"},
	} {
		a := w.post(tt.path, tt.body)
		if message, _ := a.field(t, "message").(string); a.status != http.StatusBadRequest || !strings.Contains(message, tt.want) || a.field(t, "id") == nil {
			t.Errorf("%s\n%s\n%d %s", tt.body, tt.want, a.status, a.body)
		}
	}
}

func TestCohereVectors(t *testing.T) {
	w := start(t, mock.Options{Seed: 7})
	a := w.post("/cohere/v2/embed", `{"model":"embed-v4.0","texts":["one","two"],"input_type":"search_query","embedding_types":["float","base64","int8","uint8"]}`)
	coded, err := base64.StdEncoding.DecodeString(a.field(t, "embeddings.base64.1").(string))
	if err != nil || len(coded) != 4*1536 {
		t.Errorf("%d bytes, %v", len(coded), err)
	}
	for _, kind := range []string{"float", "int8", "uint8"} {
		if list, _ := a.field(t, "embeddings."+kind+".1").([]any); len(list) != 1536 {
			t.Errorf("%s: %d numbers", kind, len(list))
		}
	}
	if a := w.post("/cohere/v2/embed", `{"model":"embed-v4.0","texts":["one"],"input_type":"search_query"}`); a.field(t, "embeddings.float.0") == nil || a.field(t, "meta.billed_units.input_tokens") != "1" {
		t.Errorf("%.200s", a.body)
	}
}

func TestCohereCacheAndModels(t *testing.T) {
	w := start(t, mock.Options{StrictModels: true})
	long := strings.Repeat("word ", 1100) + "Say hi"
	for _, want := range []string{"0", "1024"} {
		if a := w.chat("cohere", "command-a-03-2025", long, false); a.field(t, "usage.cached_tokens") != want {
			t.Errorf("%s", a.body)
		}
	}
	for path, status := range map[string]int{"/cohere/v1/models/embed-v4.0": 200, "/cohere/v1/models/none": 404, "/cohere/v1/models?page_token=5": 200} {
		if a := w.get(path); a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := w.chat("cohere", "nothing", "hi", false); a.status != http.StatusNotFound || !strings.HasPrefix(a.field(t, "message").(string), "model 'nothing' not found") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
