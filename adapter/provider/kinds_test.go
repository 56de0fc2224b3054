package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"point"
)

func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if k.Title == "" || k.Dialect == "" || k.needsBase() && k.Name != "openai-compatible" {
			t.Errorf("kind %+v", k)
		}
		for _, f := range k.Fields {
			if f.Name == "" || f.Title == "" || f.Type == "" || f.Help == "" {
				t.Errorf("%s: field %+v", k.Name, f)
			}
			if f.Required && k.Place(&point.ProviderConfig{}) != "" {
				t.Errorf("%s: %s is required, but has no part in Place: a key's variable alone would make a provider that cannot work", k.Name, f.Name)
			}
		}
		if !k.Serves(point.PathChat) {
			t.Errorf("%s serves no chat", k.Name)
		}
	}
}

// TestDialectsAreFuzzed: what is translated meets any answer there could be.
func TestDialectsAreFuzzed(t *testing.T) {
	targets, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		for _, target := range []string{"fuzzStream", "fuzzReply"} {
			if call := target + `(f, "` + k.Name + `")`; k.Dialect != point.DialectOpenAI && !strings.Contains(string(targets), call) {
				t.Errorf("fuzz_test.go has no target that calls %s", call)
			}
		}
	}
}

func TestUnserved(t *testing.T) {
	k, _ := Lookup("anthropic")
	_, err := k.Exchange(newRequest(t, k, point.PathEmbeddings, `{"model":"m","input":"a"}`, ""))
	if e := point.AsError(err); e.Code != point.ModelNotFound || k.Serves(point.PathEmbeddings) {
		t.Errorf("%v", err)
	}
}

func TestAuthorize(t *testing.T) {
	for _, k := range Kinds() {
		got := http.Header{}
		if k.Authorize(got, point.Secret{}); len(got) > 0 {
			t.Errorf("%s: a zero secret sets %v", k.Name, got)
		}
		k.Authorize(got, point.NewSecret("the-key"))
		for _, values := range got {
			if len(got) != 1 || !strings.HasSuffix(values[0], "the-key") {
				t.Errorf("%s: a key sets %v, and not one header to it", k.Name, got)
			}
		}
		if len(got) == 0 {
			t.Errorf("%s: a key sets no header", k.Name)
		}
	}
	for kind, want := range map[string]http.Header{
		"openai":            {"Authorization": {"Bearer k"}},
		"openai-compatible": {"Authorization": {"Bearer k"}},
		"anthropic":         {"X-Api-Key": {"k"}},
		"gemini":            {"X-Goog-Api-Key": {"k"}},
		"cohere":            {"Authorization": {"Bearer k"}},
		"bedrock":           {"Authorization": {"Bearer k"}},
		"azure":             {"Api-Key": {"k"}},
		"groq":              {"Authorization": {"Bearer k"}},
		"perplexity":        {"Authorization": {"Bearer k"}},
		"vertex":            {"X-Goog-Api-Key": {"k"}},
	} {
		k, _ := Lookup(kind)
		got := http.Header{}
		k.Authorize(got, point.NewSecret("k"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestListModels(t *testing.T) {
	tests := []struct {
		kind, path, body string
		want             []string
	}{
		{"openai", "/models", `{"object":"list","data":[{"id":"gpt-4o","object":"model"},{"id":"o3"},{"id":"o3"},{}]}`, []string{"gpt-4o", "o3"}},
		{"openai-compatible", "/models", `[{"id":"a"}]`, []string{"a"}},
		{"openai-compatible", "/models", `{"data":[]}`, []string{}},
		{"azure", "/openai/v1/models", `{"data":[{"id":"gpt-4o-2024-11-20","status":"succeeded"}],"object":"list"}`, []string{"gpt-4o-2024-11-20"}},
		{"mistral", "/models", `{"object":"list","data":[{"id":"mistral-small-latest","capabilities":{}}]}`, []string{"mistral-small-latest"}},
		{"ollama", "/api/tags", `{"models":[{"name":"qwen3:8b","model":"qwen3:8b","size":1,"details":{"family":"qwen3"}}]}`, []string{"qwen3:8b"}},
		{"together", "/models", `[{"id":"openai/gpt-oss-20b","type":"chat"}]`, []string{"openai/gpt-oss-20b"}},
		{"anthropic", "/v1/models?limit=1000", `{"data":[{"type":"model","id":"claude-opus-4-6"}],"has_more":false}`, []string{"claude-opus-4-6"}},
		{"gemini", "/v1beta/models?pageSize=1000", `{"models":[{"name":"models/gemini-2.5-flash"}]}`, []string{"gemini-2.5-flash"}},
		{"cohere", "/v1/models?page_size=1000", `{"models":[{"name":"command-a-03-2025","endpoints":["chat"]}]}`, []string{"command-a-03-2025"}},
	}
	for _, tt := range tests {
		k, _ := Lookup(tt.kind)
		out, read := k.Service.(Lister).ListModels()
		got, err := read([]byte(tt.body))
		if err != nil || out.Path != tt.path || out.Method != http.MethodGet || out.Header == nil {
			t.Errorf("%s: %+v, %v", tt.kind, out, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.kind, diff)
		}
		for _, bad := range []string{"", "<html>", "{}", "1", `{"data":{}}`} {
			if _, err := read([]byte(bad)); err == nil {
				t.Errorf("%s: %q is taken for a list of models", tt.kind, bad)
			}
		}
	}
}

// TestModelLists: kinds whose lists are several, or lie at another host.
func TestModelLists(t *testing.T) {
	tests := map[string]struct {
		kind    string
		options map[string]string
		base    string
		lists   []string // path, answer and ids, in turn
	}{
		"bedrock": {"bedrock", map[string]string{"region": "eu-west-1"}, "https://bedrock.eu-west-1.amazonaws.com", []string{
			"/foundation-models?byOutputModality=TEXT", `{"modelSummaries":[{"modelArn":"arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-micro-v1:0","modelId":"amazon.nova-micro-v1:0","modelName":"Nova Micro","providerName":"Amazon","inputModalities":["TEXT"],"outputModalities":["TEXT"],"responseStreamingSupported":true,"customizationsSupported":[],"inferenceTypesSupported":["ON_DEMAND","PROVISIONED"],"modelLifecycle":{"status":"ACTIVE"}},{"modelId":"anthropic.claude-sonnet-4-5-20250929-v1:0","inferenceTypesSupported":["INFERENCE_PROFILE"]}]}`,
			"amazon.nova-micro-v1:0",
			"/inference-profiles?maxResults=1000", `{"inferenceProfileSummaries":[{"inferenceProfileName":"EU Claude Sonnet 4.5","inferenceProfileArn":"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0","models":[],"inferenceProfileId":"eu.anthropic.claude-sonnet-4-5-20250929-v1:0","status":"ACTIVE","type":"SYSTEM_DEFINED"}]}`,
			"eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
		}},
		"bedrock in China": {"bedrock", map[string]string{"region": "cn-north-1"}, "https://bedrock.cn-north-1.amazonaws.com.cn", nil},
		"vertex": {"vertex", map[string]string{"location": "us-east5"}, "", []string{
			"/v1beta1/publishers/google/models?pageSize=1000", `{"publisherModels":[{"name":"publishers/google/models/gemini-2.5-flash","versionId":"default","launchStage":"GA"},{"name":"publishers/google/models/imagen-4.0-generate-001"},{"name":"publishers/google/models/gemini-embedding-001"}]}`,
			"gemini-2.5-flash",
			"/v1beta1/publishers/anthropic/models?pageSize=1000", `{"publisherModels":[{"name":"publishers/anthropic/models/claude-sonnet-4-5"}]}`,
			"claude-sonnet-4-5",
		}},
		"one":  {"openai", nil, "", []string{"/models", `{"data":[{"id":"gpt-4o"}]}`, "gpt-4o"}},
		"none": {"perplexity", nil, "", nil},
	}
	for name, tt := range tests {
		k, _ := Lookup(tt.kind)
		config := point.ProviderConfig{Options: map[string]json.RawMessage{}}
		for option, value := range tt.options {
			config.Options[option] = json.RawMessage(strconv.Quote(value))
		}
		lists := k.ModelLists(&config)
		if len(tt.lists) > 0 && len(lists) != len(tt.lists)/3 {
			t.Fatalf("%s: %d lists", name, len(lists))
		}
		for i, list := range lists {
			if list.Base != tt.base {
				t.Errorf("%s: at %s", name, list.Base)
			}
			if len(tt.lists) == 0 {
				continue
			}
			ids, err := list.Read([]byte(tt.lists[i*3+1]))
			if err != nil || list.Outbound.Path != tt.lists[i*3] || strings.Join(ids, " ") != tt.lists[i*3+2] {
				t.Errorf("%s: %s: %v, %v", name, list.Outbound.Path, ids, err)
			}
			for _, bad := range []string{"", "<html>", "{}", "1"} {
				if _, err := list.Read([]byte(bad)); err == nil {
					t.Errorf("%s: %q is taken for a list of models", name, bad)
				}
			}
		}
	}
}

func TestFailureCodes(t *testing.T) {
	body := `{"error":{"message":"said","type":"t","code":"c","param":"p"}}`
	tests := []struct {
		status int
		body   string
		code   point.Code
		shown  int
	}{
		{301, body, point.ProviderBadResponse, 502},
		{400, body, point.ProviderRejected, 400},
		{400, `{"error":{"message":"Invalid model: x","code":"invalid_model"}}`, point.ModelNotFound, 400},
		{401, body, point.ProviderCredentials, 502},
		{401, "", point.ProviderCredentials, 502},
		{402, body, point.ProviderQuota, 502},
		{403, "<html>", point.ProviderCredentials, 502},
		{404, body, point.ProviderRejected, 404},
		{404, `{"error":{"message":"The model is gone"}}`, point.ModelNotFound, 404},
		{404, "", point.ProviderBadResponse, 502},
		{405, `{"detail":"Method Not Allowed"}`, point.ProviderRejected, 405},
		{408, body, point.ProviderTimeout, 504},
		{409, body, point.ProviderRejected, 409},
		{409, `{"error":{"message":"Engine is overloaded"}}`, point.ProviderUnavailable, 503},
		{413, body, point.ProviderRejected, 413},
		{413, "", point.ProviderBadResponse, 502},
		{422, body, point.ProviderRejected, 422},
		{429, body, point.ProviderRateLimited, 429},
		{429, "", point.ProviderRateLimited, 429},
		{500, body, point.ProviderUnavailable, 500},
		{503, "", point.ProviderUnavailable, 503},
		{504, body, point.ProviderTimeout, 504},
		{529, body, point.ProviderUnavailable, 529},
	}
	for _, k := range Kinds() {
		for _, tt := range tests {
			e := k.Failure(tt.status, http.Header{}, []byte(tt.body))
			if e.Code != tt.code || e.HTTPStatus() != tt.shown || e.UpstreamStatus != tt.status || e.Message == "" {
				t.Errorf("%s: %d %s: %v, shown as %d, want %s, %d; what is no error of its own form is read by openAIComplaint", k.Name, tt.status, tt.body, e, e.HTTPStatus(), tt.code, tt.shown)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	date := "Wed, 15 Nov 2023 08:00:00 GMT"
	tests := []struct {
		header http.Header
		want   time.Duration
	}{
		{nil, 0},
		{http.Header{"Retry-After": {"20"}}, 20 * time.Second},
		{http.Header{"Retry-After": {"0.5"}}, 500 * time.Millisecond},
		{http.Header{"Retry-After": {"-5"}}, 0},
		{http.Header{"Retry-After": {"NaN"}}, 0},
		{http.Header{"Retry-After": {"soon"}}, 0},
		{http.Header{"Retry-After": {"1e300"}}, 24 * time.Hour},
		{http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"20"}}, 1500 * time.Millisecond},
		{http.Header{"Date": {date}, "Retry-After": {"Wed, 15 Nov 2023 08:01:00 GMT"}}, time.Minute},
		{http.Header{"Date": {date}, "Retry-After": {"Wed, 15 Nov 2023 07:00:00 GMT"}}, 0},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.header); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestRepeatable(t *testing.T) {
	secrets := []string{
		"sk-proj-abcDEF123456", "sk-ant-api03-xyz_abc-123", "AIzaSyA1234567890abcdefghijklmnopqrstu", "gsk_1234567890abcdef", "xai-abcdef1234567890",
		"0123456789abcdef0123456789abcdef", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "hf_abcdefghijklmnop", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
	}
	for _, s := range secrets {
		for _, text := range []string{"Incorrect API key provided: " + s + ".", `{"key":"` + s + `"}`, "url?key=" + s + "&x=1", "(" + s + ")"} {
			if got := repeatable(text); strings.Contains(got, s) || strings.Contains(got, s[len(s)-8:]) {
				t.Errorf("%q keeps the key: %q", text, got)
			}
		}
	}
	for text, want := range map[string]string{
		"Authorization: Bearer abcdefgh":                                                                       "Authorization: ***",
		"postgres://user:hunter2@host/db":                                                                      "postgres://***@host/db",
		"The model `accounts/fireworks/models/llama-v3p1-405b` is gone":                                        "The model `accounts/fireworks/models/llama-v3p1-405b` is gone",
		"max_tokens: 200000 > 128000, see https://x.example/docs/errors#":                                      "max_tokens: 200000 > 128000, see https://x.example/docs/errors#",
		"a\x00b\x1b[31mc\nd\xff":                                                                               "a b [31mc d",
		"Previous response with id 'resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b' not found.":         "Previous response with id 'resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b' not found.",
		"Item 'msg_0190b3c4000070008000000000000001_12', rs_0190b3c40000700080000000000000010190b3c400007000.": "Item 'msg_0190b3c4000070008000000000000001_12', rs_0190b3c40000700080000000000000010190b3c400007000.",
		"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcTCh6J8K4Xc2A and toolu_01A09q90qw90lq917835lq9NN":                "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcTCh6J8K4Xc2A and toolu_01A09q90qw90lq917835lq9NN",
		"key_0190b3c40000700080000000000000010190, resp_sk_0190b3c4000070008000000000000001":                   "***, ***",
		"context_length_exceeded":                                                                              "context_length_exceeded",
	} {
		if got := repeatable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if long := repeatable(strings.Repeat("é ", 5000)); len(long) > maxMessage || !strings.HasSuffix(long, "…") {
		t.Errorf("%d bytes, ends in %q", len(long), long[len(long)-8:])
	}
}

func TestClaude(t *testing.T) {
	tests := []struct {
		model                    string
		version                  int
		thinks, adapts, formats  bool
		max                      int64
		effortXHigh, effortMinim string
	}{
		{"claude-3-haiku-20240307", 30, false, false, false, 4096, "high", "low"},
		{"claude-3-5-sonnet-latest", 35, false, false, false, 8192, "high", "low"},
		{"claude-3-7-sonnet-20250219", 37, true, false, false, 64_000, "high", "low"},
		{"claude-opus-4-20250514", 40, true, false, false, 32_000, "max", "low"},
		{"claude-opus-4-1", 41, true, false, true, 32_000, "max", "low"},
		{"claude-sonnet-4-5-20250929", 45, true, false, true, 64_000, "high", "low"},
		{"anthropic/claude-haiku-4.5", 45, true, false, true, 64_000, "high", "low"},
		{"claude-opus-4-6", 46, true, true, true, 128_000, "max", "low"},
		{"claude-opus-4-7@20260401", 47, true, true, true, 128_000, "xhigh", "low"},
		{"claude-opus-5", 50, true, true, true, 128_000, "xhigh", "low"},
		{"claude-next", 999, true, true, true, 64_000, "xhigh", "low"},
	}
	for _, tt := range tests {
		c := parseClaude(tt.model)
		if c.version != tt.version || c.thinks() != tt.thinks || c.adapts() != tt.adapts || c.formats() != tt.formats ||
			c.maxTokens() != tt.max || c.effort("xhigh") != tt.effortXHigh || c.effort("minimal") != tt.effortMinim {
			t.Errorf("%s: %+v thinks %t, adapts %t, formats %t, max %d, %s, %s", tt.model, c, c.thinks(), c.adapts(), c.formats(), c.maxTokens(), c.effort("xhigh"), c.effort("minimal"))
		}
	}
}

func TestGeminiThinking(t *testing.T) {
	budget := func(n int64) *geminiThinking { return &geminiThinking{n > 128, &n, ""} }
	level := func(l string) *geminiThinking { return &geminiThinking{true, nil, l} }
	tests := []struct {
		model, effort string
		want          *geminiThinking
	}{
		{"gemini-2.5-flash", "none", budget(0)},
		{"gemini-2.5-pro", "none", budget(128)},
		{"gemini-2.5-flash-lite", "medium", budget(8192)},
		{"gemini-3-pro-preview", "medium", level("high")},
		{"gemini-3.1-pro-preview", "medium", level("medium")},
		{"gemini-3-flash-preview", "minimal", level("minimal")},
		{"gemini-3.1-pro-preview", "minimal", level("low")},
		{"gemini-flash-latest", "xhigh", level("high")},
		{"gemini-2.5-flash", "most", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, parseGemini(tt.model).thinking(tt.effort)); diff != "" {
			t.Errorf("%s, %s: %s", tt.model, tt.effort, diff)
		}
	}
}

func TestInvalidRequests(t *testing.T) {
	for body, want := range map[string]struct {
		code  point.Code
		param string
	}{
		`{"model":"m"}`: {point.MissingField, "messages"},
		`{"model":"m","messages":[{"role":"system","content":""},{"role":"user","content":[{"type":"text","text":""}]}]}`: {point.InvalidRequest, "messages"},
		`{"model":"m","messages":"hi"}`:                                                                                                                                     {point.InvalidRequest, "messages"},
		`{"model":"m","messages":[{"role":"robot","content":"x"}]}`:                                                                                                         {point.InvalidRequest, "messages[0].role"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"}`:                                                                                      {point.InvalidRequest, "temperature"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"tool_choice":"maybe"}`:                                                                                    {point.InvalidRequest, "tool_choice"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"reasoning_effort":"huge"}`:                                                                                {point.InvalidRequest, "reasoning_effort"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"custom","custom":{"name":"x"}}]}`:                                                        {point.UnsupportedField, "tools.custom"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{}}]}`:                                                              {point.MissingField, "tools[0].function.name"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"}]}`:                                                                               {point.UnsupportedField, "functions"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema"}}`:                                                                 {point.MissingField, "response_format.json_schema.schema"},
		`{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"grammar"}}`:                                                                     {point.UnsupportedField, "response_format"},
		`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}`:                                              {point.InvalidRequest, "messages[0].content[0].image_url.url"},
		`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}]}`: {point.InvalidRequest, "messages[1].tool_calls[0].function.arguments"},
	} {
		for _, kind := range []string{"anthropic", "gemini", "cohere", "bedrock", "vertex"} {
			k, _ := Lookup(kind)
			_, err := k.Exchange(newRequest(t, k, point.PathChat, body, ""))
			if err == nil {
				t.Errorf("%s takes %s", kind, body)
				continue
			}
			if e := point.AsError(err); e.Code != want.code || e.Param != want.param {
				t.Errorf("%s: %s: %v (%s), want %v", kind, body, e, e.Param, want)
			}
		}
	}
}

// TestListsAreSigned: the environment's keys of AWS serve for lists of models too.
func TestListsAreSigned(t *testing.T) {
	k, _ := Lookup("bedrock")
	for _, region := range []string{"us-east-1", "cn-north-1"} {
		config := point.ProviderConfig{Options: map[string]json.RawMessage{"region": json.RawMessage(strconv.Quote(region))}}
		env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret"}
		for _, list := range k.ModelLists(&config) {
			r, err := http.NewRequestWithContext(t.Context(), list.Outbound.Method, list.Base+list.Outbound.Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = k.Service.(Signer).Sign(r, nil, Proof{Config: &config, Getenv: func(name string) string { return env[name] }, Now: time.Now()})
			if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDENV/") {
				t.Errorf("%s: %v, %v", r.URL, r.Header, err)
			}
		}
	}
}

// TestListsOfModelsAreBounded: each id once, in the list's order, and no more than MaxModels.
func TestListsOfModelsAreBounded(t *testing.T) {
	var list []string
	for i := range MaxModels + 5 {
		list = append(list, fmt.Sprintf(`{"id":"m-%d","modelId":"m-%d","inferenceTypesSupported":["ON_DEMAND"]},{"id":"m-0"}`, i, i))
	}
	all := "[" + strings.Join(list, ",") + "]"
	openai, err := modelIDs([]byte(all), "data", "id")
	bedrock, fault := bedrockModels([]byte(`{"modelSummaries":` + all + `}`))
	for _, ids := range [][]string{openai, bedrock} {
		if len(ids) != MaxModels || ids[1] != "m-1" || ids[MaxModels-1] != fmt.Sprintf("m-%d", MaxModels-1) {
			t.Errorf("%d ids, %v %v", len(ids), err, fault)
		}
	}
}
