package mock_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"image/png"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"point/mock"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden shows every kind of answer in full: testdata/*.golden are what the services say.
func TestGolden(t *testing.T) {
	const weather = `{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city","unit"]}`
	const person = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}`
	tests := []struct{ name, path, body string }{
		{"openai_chat", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hi there"}]}`},
		{"openai_chat_stream", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"openai_stream_no_usage", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"openai_tool_stream", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"What is the weather in Paris, in fahrenheit?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":` + weather + `}}]}`},
		{"openai_two", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","n":2,"logprobs":true,"messages":[{"role":"user","content":"Say hi"}]}`},
		{"openai_schema", "/openai/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"A person named Ada Lovelace, 36 years old"}],"response_format":{"type":"json_schema","json_schema":{"name":"person","schema":` + person + `}}}`},
		{"openai_reasoning", "/openai/v1/chat/completions", `{"model":"o4-mini","messages":[{"role":"user","content":"Say hi"}]}`},
		{"openai_reasoner_stream", "/openai/v1/chat/completions", `{"model":"demo-reasoner","stream":true,"messages":[{"role":"user","content":"Say hi"}]}`},
		{"openai_completion_stream", "/openai/v1/completions", `{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"prompt":"Say hi there"}`},
		{"openai_embedding", "/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":["one","two"],"dimensions":3}`},
		{"openai_image", "/openai/v1/images/generations", `{"model":"gpt-image-1","prompt":"a river","size":"1024x1024"}`},
		{"anthropic_message", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"anthropic_stream", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":2000,"stream":true,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"anthropic_tool_stream", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":100,"stream":true,"tools":[{"name":"get_weather","input_schema":` + weather + `}],"messages":[{"role":"user","content":"Weather in Paris?"}]}`},
		{"anthropic_schema", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":100,"output_format":{"type":"json_schema","schema":` + person + `},"messages":[{"role":"user","content":"A person called Ada, 36"}]}`},
		{"anthropic_length", "/anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":3,"messages":[{"role":"user","content":"Count to 10"}]}`},
		{"anthropic_count", "/anthropic/v1/messages/count_tokens", `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Say hi there"}]}`},
		{"gemini_generate", "/gemini/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[{"parts":[{"text":"Say hi there"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`},
		{"gemini_stream", "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"Count to 9"}]}]}`},
		{"gemini_list", "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent", `{"contents":[{"parts":[{"text":"Say hi"}]}]}`},
		{"gemini_tool_stream", "/gemini/v1beta/models/gemini-3-pro-preview:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"Weather in Paris?"}]}],"tools":[{"functionDeclarations":[{"name":"get_weather","parameters":` + weather + `}]}]}`},
		{"gemini_embed", "/gemini/v1beta/models/gemini-embedding-001:embedContent", `{"content":{"parts":[{"text":"one"}]},"outputDimensionality":3}`},
		{"gemini_batch", "/gemini/v1beta/models/gemini-embedding-001:batchEmbedContents", `{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"one"}]},"outputDimensionality":2}]}`},
		{"gemini_count", "/gemini/v1beta/models/gemini-2.5-flash:countTokens", `{"contents":[{"parts":[{"text":"Say hi there"}]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, mock.Options{})
			golden(t, tt.name, w.post(tt.path, tt.body))
		})
	}
	w := start(t, mock.Options{})
	golden(t, "openai_models", w.get("/openai/v1/models"))
	golden(t, "anthropic_models", w.get("/anthropic/v1/models?limit=1"))
	golden(t, "gemini_models", w.get("/gemini/v1beta/models?pageSize=2"))
	for _, service := range services {
		golden(t, service+"_error", w.chat(service, "fault-429=2", "hi", false))
	}
}

func golden(t *testing.T, name string, a answer) {
	t.Helper()
	got := bytes.ReplaceAll(a.body, []byte("\r\n"), []byte("\n"))
	if !bytes.HasSuffix(got, []byte("\n")) {
		got = append(got, '\n')
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if a.err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %v, got\n%s\nwant\n%s", name, a.err, got, want)
	}
}

// TestToolLoop calls a tool and answers it, in each dialect, as a client would that hands
// back what it got.
func TestToolLoop(t *testing.T) {
	w := start(t, mock.Options{})
	const want = "The tool get_weather answered: sunny."
	const schema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`

	head := `{"model":"gpt-4o","tools":[{"type":"function","function":{"name":"get_weather","parameters":` + schema + `}}],"messages":[{"role":"user","content":"Weather in Oslo?"}`
	first := w.post(chatPath("openai", "", false), head+"]}")
	id, _ := first.field(t, "choices.0.message.tool_calls.0.id").(string)
	if args := first.field(t, "choices.0.message.tool_calls.0.function.arguments"); args != `{"city":"Oslo"}` {
		t.Errorf("arguments %v", args)
	}
	second := w.post(chatPath("openai", "", false), head+","+raw(t, first, "choices.0.message")+`,{"role":"tool","tool_call_id":"`+id+`","content":"sunny"}]}`)
	if got := second.field(t, textAt["openai"]); got != want {
		t.Errorf("openai: %s", second.body)
	}

	head = `{"model":"claude-sonnet-4-5","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"tools":[{"name":"get_weather","input_schema":` + schema + `}],"messages":[{"role":"user","content":"Weather in Oslo?"}`
	first = w.post(chatPath("anthropic", "", false), head+"]}")
	id, _ = first.field(t, "content.1.id").(string)
	second = w.post(chatPath("anthropic", "", false), head+`,{"role":"assistant","content":`+raw(t, first, "content")+`},{"role":"user","content":[{"type":"tool_result","tool_use_id":"`+id+`","content":[{"type":"text","text":"sunny"}]}]}]}`)
	if got := second.field(t, "content.1.text"); got != want {
		t.Errorf("anthropic: %s", second.body)
	}

	head = `{"tools":[{"functionDeclarations":[{"name":"get_weather","parameters":` + schema + `}]}],"contents":[{"role":"user","parts":[{"text":"Weather in Oslo?"}]}`
	first = w.post(chatPath("gemini", "gemini-3-pro-preview", false), head+"]}")
	second = w.post(chatPath("gemini", "gemini-3-pro-preview", false), head+","+raw(t, first, "candidates.0.content")+`,{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"result":"sunny"}}}]}]}`)
	if got, _ := second.field(t, textAt["gemini"]).(string); !strings.Contains(got, "sunny") {
		t.Errorf("gemini: %s", second.body)
	}
}

// raw is a member of a JSON body, as JSON.
func raw(t *testing.T, a answer, path string) string {
	t.Helper()
	b, err := json.Marshal(a.field(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRefusals are the checks that gateways run into.
func TestRefusals(t *testing.T) {
	w := start(t, mock.Options{})
	const call = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	const use = `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}`
	tests := []struct{ name, path, body, want string }{
		{"openai no result", chatPath("openai", "", false), `{"model":"m","messages":[` + call + `,{"role":"user","content":"hi"}]}`, "must be followed by tool messages"},
		{"openai result at the end", chatPath("openai", "", false), `{"model":"m","messages":[` + call + `]}`, "must be followed by tool messages"},
		{"openai stray result", chatPath("openai", "", false), `{"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"1"}]}`, "must be a response to a preceding message"},
		{"openai role", chatPath("openai", "", false), `{"model":"m","messages":[{"role":"robot","content":"1"}]}`, "Invalid value: 'robot'"},
		{"openai content", chatPath("openai", "", false), `{"model":"m","messages":[{"role":"user","content":7}]}`, "expected a string"},
		{"openai choice", chatPath("openai", "", false), `{"model":"m","messages":[{"role":"user","content":"1"}],"tool_choice":"auto"}`, "only allowed when 'tools'"},
		{"openai n", chatPath("openai", "", false), `{"model":"m","n":0,"messages":[{"role":"user","content":"1"}]}`, "Invalid 'n'"},
		{"openai dimensions", "/openai/v1/embeddings", `{"model":"m","input":"x","dimensions":0}`, "dimensions"},
		{"openai input", "/openai/v1/embeddings", `{"model":"m","input":[]}`, "$.input"},
		{"openai prompt", "/openai/v1/images/generations", `{"model":"m"}`, "prompt"},
		{"anthropic max_tokens", chatPath("anthropic", "", false), `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, "max_tokens: Field required"},
		{"anthropic budget", chatPath("anthropic", "", false), `{"model":"m","max_tokens":1024,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"hi"}]}`, "must be greater than `thinking.budget_tokens`"},
		{"anthropic no result", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[` + use + `,{"role":"user","content":"hi"}]}`, "without `tool_result` blocks immediately after: t1"},
		{"anthropic result split", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t9"}]}]}`, "unexpected `tool_use_id`"},
		{"anthropic signature", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"y"}]}]}`, "Invalid `signature`"},
		{"anthropic thinking first", chatPath("anthropic", "", false), `{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[` + use + `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]}]}`, "must start with a thinking block"},
		{"anthropic empty text", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, "must be non-empty"},
		{"anthropic blank text", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":" "}]}`, "non-whitespace"},
		{"anthropic late result", chatPath("anthropic", "", false), `{"model":"m","max_tokens":9,"messages":[` + use + `,{"role":"user","content":[{"type":"text","text":"wait"},{"type":"tool_result","tool_use_id":"t1"}]}]}`, "without `tool_result` blocks immediately after: t1"},
		{"gemini keyword", chatPath("gemini", "g", false), `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}}}}}`, `Unknown name "additionalProperties"`},
		{"gemini property of that name is fine, mode is not", chatPath("gemini", "g", false), `{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"SOME"}},"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"object","properties":{"const":{"type":"string"}}}}}`, "mode"},
		{"gemini responses", chatPath("gemini", "g", false), `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"text":"x"}]}]}`, "number of function response parts"},
		{"gemini name", chatPath("gemini", "g", false), `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"g"}}]}]}`, "answers no function call"},
		{"gemini signature", chatPath("gemini", "gemini-3-pro-preview", false), `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f"}}]}]}`, "thought_signature"},
		{"gemini batch model", "/gemini/v1beta/models/a:batchEmbedContents", `{"requests":[{"model":"models/b","content":{"parts":[{"text":"x"}]}}]}`, "must be models/a"},
	}
	for _, tt := range tests {
		a := w.post(tt.path, tt.body)
		if message, _ := a.field(t, "error.message").(string); a.status != http.StatusBadRequest || !strings.Contains(message, tt.want) {
			t.Errorf("%s: %d %s", tt.name, a.status, a.body)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	w := start(t, mock.Options{Seed: 7})
	floats := w.post("/openai/v1/embeddings", `{"model":"m","input":"a river","dimensions":64}`)
	coded := w.post("/openai/v1/embeddings", `{"model":"m","input":"a river","dimensions":64,"encoding_format":"base64"}`)
	text, _ := coded.field(t, "data.0.embedding").(string)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != 4*64 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var doc struct {
		Data []struct{ Embedding []float32 }
	}
	if err := json.Unmarshal(floats.body, &doc); err != nil {
		t.Fatal(err)
	}
	var norm float64
	for i, v := range doc.Data[0].Embedding {
		if coded := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])); coded != v {
			t.Fatalf("value %d: %v and %v", i, coded, v)
		}
		norm += float64(v) * float64(v)
	}
	if math.Abs(norm-1) > 1e-5 {
		t.Errorf("length² %v", norm)
	}
	for _, input := range []string{`[1,2]`, `[[1],[2,3]]`, `["a","b"]`} {
		if a := w.post("/openai/v1/embeddings", `{"model":"m","input":`+input+`}`); a.status != http.StatusOK {
			t.Errorf("%s: %s", input, a.body)
		}
	}
}

func TestImages(t *testing.T) {
	w := start(t, mock.Options{})
	a := w.post("/openai/v1/images/generations", `{"model":"gpt-image-1","prompt":"a river","n":2}`)
	text, _ := a.field(t, "data.1.b64_json").(string)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(b)); err != nil || img.Bounds().Dx() != 32 {
		t.Errorf("%v", err)
	}
	if u, _ := w.post("/openai/v1/images/generations", `{"prompt":"x","response_format":"url"}`).field(t, "data.0.url").(string); !strings.HasPrefix(u, "data:image/png") {
		t.Errorf("url %.40q", u)
	}
}

func TestCachedTokens(t *testing.T) {
	w := start(t, mock.Options{})
	long := strings.Repeat("word ", 1100) + "Say hi"
	tests := []struct{ service, body, at, first, second string }{
		{"openai", chatBody("openai", "gpt-4o", long, false), "usage.prompt_tokens_details.cached_tokens", "0", "1024"},
		{"anthropic", `{"model":"m","max_tokens":9,"system":[{"type":"text","text":"be brief now","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Say hi"}]}`, "usage.cache_read_input_tokens", "0", "3"},
		{"gemini", `{"cachedContent":"cachedContents/1","contents":[{"parts":[{"text":"Say hi"}]}]}`, "usageMetadata.cachedContentTokenCount", "1024", "1024"},
	}
	for _, tt := range tests {
		for _, want := range []string{tt.first, tt.second} {
			a := w.post(chatPath(tt.service, "g", false), tt.body)
			if got := a.field(t, tt.at); got != want {
				t.Errorf("%s: %v cached, want %s: %s", tt.service, got, want, a.body)
			}
		}
	}
}

func TestModelLists(t *testing.T) {
	w := start(t, mock.Options{})
	for path, want := range map[string]string{
		"/openai/v1/models/gpt-4o":                        "gpt-4o",
		"/anthropic/v1/models/claude-haiku-4-5":           "claude-haiku-4-5",
		"/gemini/v1beta/models/gemini-2.5-pro":            "models/gemini-2.5-pro",
		"/anthropic/v1/models?limit=1":                    "claude-sonnet-4-5",
		"/gemini/v1beta/models?pageToken=3":               "models/gemini-embedding-001",
		"/anthropic/v1/models?after_id=claude-sonnet-4-5": "claude-haiku-4-5",
	} {
		if a := w.get(path); a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`"`+want+`"`)) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/openai/v1/models/none", "/anthropic/v1/models/none", "/gemini/v1beta/models/none"} {
		if a := w.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// Responses are remembered, and go on from each other.
func TestResponsesGoOn(t *testing.T) {
	w := start(t, mock.Options{})
	first := w.post("/openai/v1/responses", `{"model":"gpt-4o-mini","input":"Reply with exactly: pong","instructions":"Be short."}`)
	id, _ := first.field(t, "id").(string)
	second := w.post("/openai/v1/responses", `{"model":"gpt-4o-mini","input":"What is 2 * 3?","previous_response_id":"`+id+`"}`)
	alone := w.post("/openai/v1/responses", `{"model":"gpt-4o-mini","store":false,"input":"What is 2 * 3?"}`)
	if second.field(t, "previous_response_id") != id || second.field(t, "usage.input_tokens") == alone.field(t, "usage.input_tokens") {
		t.Errorf("it does not go on from %s: %s", id, second.body)
	}
	lost, _ := alone.field(t, "id").(string)
	refused := w.post("/openai/v1/responses", `{"model":"gpt-4o-mini","input":"?","previous_response_id":"`+lost+`"}`)
	if refused.status != http.StatusBadRequest || refused.field(t, "error.param") != "previous_response_id" {
		t.Errorf("not kept: %d %s", refused.status, refused.body)
	}
}

// Mistakes are told without a word of the program's own types.
func TestWrongTypes(t *testing.T) {
	w := start(t, mock.Options{})
	for _, body := range []string{`{"model":7,"messages":[]}`, `{"model":"m","messages":[`} {
		if a := w.post("/openai/v1/chat/completions", body); a.status != http.StatusBadRequest || bytes.Contains(a.body, []byte("Go ")) || bytes.Contains(a.body, []byte("struct")) {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}
