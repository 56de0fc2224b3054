package mock_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sigv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"point/internal/awsframes"
	"point/mock"
)

const (
	novaPath    = "/bedrock/model/amazon.nova-lite-v1%3A0/"
	claudePath  = "/bedrock/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/"
	weatherSpec = `{"toolSpec":{"name":"get_weather","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}`
	thinkMore   = `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`
)

func TestGoldenBedrock(t *testing.T) {
	const claude = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":2000,`
	for _, tt := range []struct{ name, path, body string }{
		{"bedrock_converse", novaPath + "converse", `{"messages":[{"role":"user","content":[{"text":"Say hi there"}]}]}`},
		{"bedrock_stream", novaPath + "converse-stream", `{"messages":[{"role":"user","content":[{"text":"Say hi there"}]}],"inferenceConfig":{"maxTokens":1}}`},
		{"bedrock_tool_stream", novaPath + "converse-stream", `{"messages":[{"role":"user","content":[{"text":"Weather in Paris?"}]}],"toolConfig":{"tools":[` + weatherSpec + `]}}`},
		{"bedrock_thinking", claudePath + "converse", `{"messages":[{"role":"user","content":[{"text":"Say hi"}]}],` + thinkMore + `}`},
		{"bedrock_thinking_stream", claudePath + "converse-stream", `{"messages":[{"role":"user","content":[{"text":"Say hi"}]}],` + thinkMore + `}`},
		{"bedrock_gpt_oss", "/bedrock/model/openai.gpt-oss-120b-1%3A0/converse", `{"messages":[{"role":"user","content":[{"text":"Say hi"}]}]}`},
		{"bedrock_format", novaPath + "converse", `{"messages":[{"role":"user","content":[{"text":"A person named Ada"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"}}}}}`},
		{"bedrock_invoke", claudePath + "invoke", claude + `"messages":[{"role":"user","content":"Say hi there"}]}`},
		{"bedrock_invoke_stream", claudePath + "invoke-with-response-stream", claude + `"messages":[{"role":"user","content":"Say hi there"}]}`},
	} {
		w := start(t, mock.Options{})
		golden(t, tt.name, w.post(tt.path, tt.body))
	}
	w := start(t, mock.Options{})
	golden(t, "bedrock_models", w.get("/bedrock/foundation-models?byOutputModality=EMBEDDING"))
	golden(t, "bedrock_profiles", w.get("/bedrock/inference-profiles?maxResults=1"))
}

// The chunks of InvokeModel hold Claude's own events.
func TestInvokedEvents(t *testing.T) {
	w := start(t, mock.Options{})
	a := w.post(claudePath+"invoke-with-response-stream", `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Say hi"}]}`)
	var kinds []string
	for _, ev := range a.events() {
		data, err := base64.StdEncoding.DecodeString(lookup(t, []byte(ev), "bytes").(string))
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, lookup(t, data, "type").(string))
	}
	if got := strings.Join(kinds, " "); got != "message_start content_block_start content_block_delta content_block_stop message_delta message_stop" {
		t.Error(got)
	}
}

// TestConverseLoop calls a tool and answers it with the thoughts that came.
func TestConverseLoop(t *testing.T) {
	w := start(t, mock.Options{})
	for _, model := range []string{novaPath, claudePath} {
		tail := `],"toolConfig":{"tools":[` + weatherSpec + `]}`
		if model == claudePath {
			tail += "," + thinkMore
		}
		head := `{"messages":[{"role":"user","content":[{"text":"Weather in Oslo?"}]}`
		first := w.post(model+"converse", head+tail+"}")
		at := "output.message.content.0.toolUse."
		if model == claudePath {
			at = "output.message.content.1.toolUse."
		}
		id, _ := first.field(t, at+"toolUseId").(string)
		if first.field(t, at+"input.city") != "Oslo" || first.field(t, "stopReason") != "tool_use" {
			t.Fatalf("%s: %s", model, first.body)
		}
		second := w.post(model+"converse", head+","+raw(t, first, "output.message")+`,{"role":"user","content":[{"toolResult":{"toolUseId":"`+id+`","status":"success","content":[{"text":"sunny"}]}}]}`+tail+"}")
		if !bytes.Contains(second.body, []byte("The tool get_weather answered: sunny.")) {
			t.Errorf("%s: %s", model, second.body)
		}
	}
}

// TestBedrockRefusals are the checks that gateways run into.
func TestBedrockRefusals(t *testing.T) {
	w := start(t, mock.Options{})
	const (
		hi     = `{"role":"user","content":[{"text":"hi"}]}`
		use    = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"f","input":{}}}]}`
		config = `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`
		file   = `{"role":"user","content":[{"text":"x"},{"document":{"format":"pdf","name":"a","source":{"bytes":"AA=="}}}`
	)
	result := func(content string) string {
		return `{"messages":[` + hi + "," + use + `,{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[` + content + `]}}]}]` + config + `}`
	}
	claude := strings.NewReplacer("BODY", `"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]`)
	tests := []struct{ path, body, want string }{
		{novaPath + "converse", `{"messages":[]}`, "at 'messages' failed"},
		{novaPath + "converse", `{"messages":[{"role":"assistant","content":[{"text":"hi"}]}]}`, "must start with a user message"},
		{novaPath + "converse", `{"messages":[` + hi + `,` + hi + `]}`, "must alternate between user and assistant"},
		{novaPath + "converse", `{"messages":[{"role":"tool","content":[{"text":"hi"}]}]}`, "enum value set: [user, assistant]"},
		{novaPath + "converse", `{"messages":[{"role":"user","content":[]}]}`, "is empty. Add a ContentBlock"},
		{novaPath + "converse", `{"messages":[{"role":"user","content":[{"text":" "}]}]}`, "messages.0.content.0 is blank"},
		{novaPath + "converse", `{"messages":[{"role":"user","content":[{"type":"text"}]}]}`, "must set one of the following keys"},
		{novaPath + "converse", `{"system":[{"text":""}],"messages":[` + hi + `]}`, "system.1.member.text"},
		{novaPath + "converse", `{"messages":[` + hi + `,` + use + `,` + hi + `]}`, "toolConfig field must be defined"},
		{novaPath + "converse", `{"messages":[` + hi + `,` + use + `,` + hi + `]` + config + `}`, "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
		{novaPath + "converse", `{"messages":[` + hi + `,` + use + `]` + config + `}`, "Expected toolResult blocks at messages.2.content"},
		{novaPath + "converse", `{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"t9","content":[{"text":"1"}]}}]}]` + config + `}`, "exceeds the number of toolUse blocks of previous turn"},
		{novaPath + "converse", strings.ReplaceAll(result(`{"text":"1"}`), "t1", strings.Repeat("t", 65)), "toolUse.toolUseId"},
		{novaPath + "converse", result(`{"text":""}`), "ToolResultContentBlock object at messages.2.content.0.toolResult.content.0 is blank"},
		{novaPath + "converse", result(`{"json":[1]}`), "Provide a json object"},
		{novaPath + "converse", strings.Replace(result(`{"text":"1"}`), `"input":{}`, `"input":"{}"`, 1), "toolUse.input is invalid"},
		{"/bedrock/model/meta.llama3-1-8b-instruct-v1%3A0/converse", strings.Replace(result(`{"text":"1"}`), `"content":[{"text":"1"}]`, `"status":"error","content":[{"text":"1"}]`, 1), "doesn't support the status field"},
		{novaPath + "converse", `{"messages":[` + hi + `],"toolConfig":{"tools":[]}}`, "toolConfig.tools"},
		{novaPath + "converse", `{"messages":[` + hi + `],"toolConfig":{"tools":[{"toolSpec":{"name":"a.b","inputSchema":{"json":{"type":"object"}}}}]}}`, "[a-zA-Z0-9_-]+"},
		{novaPath + "converse", `{"messages":[` + hi + `],"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"","inputSchema":{"json":{"type":"object"}}}}]}}`, "toolSpec.description"},
		{novaPath + "converse", `{"messages":[` + hi + `],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]}}`, "inputSchema.json.type"},
		{novaPath + "converse", `{"messages":[` + hi + `],"inferenceConfig":{"maxTokens":0}}`, "greater than or equal to 1"},
		{novaPath + "converse", `{"messages":[` + hi + `],"inferenceConfig":{"temperature":1.5}}`, "less than or equal to 1"},
		{novaPath + "converse", `{"messages":[` + hi + `],"inferenceConfig":{"topP":-1}}`, "greater than or equal to 0"},
		{novaPath + "converse", `{"messages":[` + hi + `],"inferenceConfig":{"stopSequences":[""]}}`, "stopSequences.1.member"},
		{novaPath + "converse", `{"messages":[` + hi + `],"additionalModelRequestFields":{"thinking":{"type":"enabled"}}}`, "extraneous key [thinking]"},
		{novaPath + "converse", `{"messages":[` + file + `,{"document":{"format":"pdf","name":"a","source":{"bytes":"AA=="}}}]}]}`, "duplicate document names"},
		{novaPath + "converse", strings.Replace(`{"messages":[`+file+`]}]}`, `"a"`, `"a_b.pdf"`, 1), "document file name can only contain"},
		{novaPath + "converse", `{"messages":[{"role":"user","content":[{"image":{"format":"jpg","source":{"bytes":"AA=="}}}]}]}`, "enum value set: [png, jpeg"},
		{"/bedrock/model/meta.llama3-1-8b-instruct-v1%3A0/converse", `{"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}]}`, "did not allow prompt caching"},
		{claudePath + "converse", `{"messages":[` + hi + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"x","signature":"y"}}},{"text":"z"}]},` + hi + `]}`, "messages.1.content.0: Invalid `signature`"},
		{claudePath + "converse", `{"messages":[` + hi + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"x"}}},{"text":"z"}]},` + hi + `]}`, "thinking.signature: Field required"},
		{claudePath + "converse", `{"inferenceConfig":{"maxTokens":1024},"messages":[` + hi + `],` + thinkMore + `}`, "must be greater than `thinking.budget_tokens`"},
		{claudePath + "converse", strings.TrimSuffix(result(`{"text":"1"}`), "}") + "," + thinkMore + `}`, "must start with a thinking block"},
		{"/bedrock/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse", `{"messages":[` + hi + `]}`, "with on-demand throughput isn’t supported"},
		{claudePath + "invoke", claude.Replace(`{"model":"x",BODY}`), "extraneous key [model]"},
		{claudePath + "invoke", claude.Replace(`{"stream":true,BODY}`), "extraneous key [stream]"},
		{claudePath + "invoke", `{"max_tokens":1,"messages":[]}`, "required key [anthropic_version] not found"},
		{claudePath + "invoke", claude.Replace(`{"anthropic_beta":["new-2031-01-01"],BODY}`), "invalid beta flag"},
		{claudePath + "invoke", `{"anthropic_version":"2023-06-01","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`, "anthropic_version"},
		{novaPath + "invoke", claude.Replace(`{BODY}`), "InvokeModel for Claude alone"},
	}
	for _, tt := range tests {
		a := w.post(tt.path, tt.body)
		name, _, _ := strings.Cut(a.header.Get("X-Amzn-Errortype"), ":")
		want := "ValidationException 400"
		if strings.Contains(tt.want, "caching") {
			want = "AccessDeniedException 403"
		}
		if message, _ := a.field(t, "message").(string); name+" "+itoa(a.status) != want || !strings.Contains(message, tt.want) {
			t.Errorf("%s\n%s\n%s %d %s", tt.body, tt.want, name, a.status, a.body)
		}
	}
}

// Signatures are made by AWS's own signer and then spoiled.
func TestSignatures(t *testing.T) {
	w := start(t, mock.Options{})
	body := chatBody("bedrock", "", "Say hi", false)
	sum := sha256.Sum256([]byte(body))
	tests := []struct {
		name, id, secret, region, service string
		at                                time.Time
		spoil                             func(r *http.Request)
		want                              string // exception, empty: none
	}{
		{name: "right", want: ""},
		{name: "another id, another secret", id: "AKIAOTHER", secret: "x", want: ""},
		{name: "wrong secret", secret: "x", want: "InvalidSignatureException"},
		{name: "unknown id", id: "invalid", want: "UnrecognizedClientException"},
		{name: "another service", service: "s3", want: "InvalidSignatureException"},
		{name: "old", at: fixedTime().Add(-time.Hour), want: "InvalidSignatureException"},
		{name: "early", at: fixedTime().Add(time.Hour), want: "InvalidSignatureException"},
		{name: "path", spoil: func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/bedrock/model/other/converse", "" }, want: "InvalidSignatureException"},
		{name: "date", spoil: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260131T120001Z") }, want: "InvalidSignatureException"},
		{name: "no date", spoil: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, want: "IncompleteSignatureException"},
		{name: "unsigned token", spoil: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t") }, want: "InvalidSignatureException"},
		{name: "no scope", spoil: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/aws4_request", "", 1))
		}, want: "IncompleteSignatureException"},
		{name: "no header", spoil: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 ") }, want: "IncompleteSignatureException"},
		{name: "another scheme", spoil: func(r *http.Request) { r.Header.Set("Authorization", "Basic x") }, want: "IncompleteSignatureException"},
	}
	for _, tt := range tests {
		r := w.newRequest(http.MethodPost, novaPath+"converse?a=b%20c", body)
		r.Header.Del("Authorization")
		keys := aws.Credentials{AccessKeyID: or(tt.id, mock.AccessKeyID), SecretAccessKey: or(tt.secret, mock.SecretAccessKey)}
		if tt.at.IsZero() {
			tt.at = fixedTime()
		}
		if err := sigv4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(sum[:]), or(tt.service, "bedrock"), "us-east-1", tt.at); err != nil {
			t.Fatal(err)
		}
		if tt.spoil != nil {
			tt.spoil(r)
		}
		a := w.do(r)
		name, _, _ := strings.Cut(a.header.Get("X-Amzn-Errortype"), ":")
		if name != tt.want || (a.status == http.StatusOK) != (tt.want == "") || a.status != http.StatusOK && a.status != http.StatusForbidden {
			t.Errorf("%s: %s %d %s", tt.name, name, a.status, a.body)
		}
	}
	if key := w.mock.Recent()[0].Key; key != "***MPLE" {
		t.Errorf("key %q", key)
	}
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

func TestBedrockCache(t *testing.T) {
	w := start(t, mock.Options{})
	body := `{"system":[{"text":"be brief now"},{"cachePoint":{"type":"default","ttl":"1h"}}],"messages":[{"role":"user","content":[{"text":"Say hi"}]}]}`
	first, second := w.post(claudePath+"converse", body), w.post(claudePath+"converse", body)
	if first.field(t, "usage.cacheWriteInputTokens") != "3" || first.field(t, "usage.cacheDetails.0.ttl") != "1h" || second.field(t, "usage.cacheReadInputTokens") != "3" {
		t.Errorf("%s %s", first.body, second.body)
	}
}

func TestBedrockNames(t *testing.T) {
	w := start(t, mock.Options{StrictModels: true})
	for _, id := range []string{"us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0"} {
		if a := w.chat("bedrock", id, "hi", false); a.status != http.StatusOK {
			t.Errorf("%s: %s", id, a.body)
		}
	}
	if a := w.post("/bedrock/model/arn:aws:bedrock:x:1:inference-profile/us.y/converse", "{}"); a.status != http.StatusNotFound {
		t.Errorf("an id in two parts: %s", a.body)
	}
	for path, status := range map[string]int{"/bedrock/foundation-models/amazon.nova-lite-v1%3A0": 200, "/bedrock/foundation-models/x": 404} {
		if a := w.get(path); a.status != status {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

// What faults do to frames, which have no lines.
func TestFaultsOfFrames(t *testing.T) {
	w := start(t, mock.Options{})
	ask := func(fault string) answer {
		return w.chat("bedrock", goodModel("bedrock"), "Say one two", true, mock.FaultHeader+": "+fault)
	}
	if a := ask("sse-comment"); !bytes.Contains(a.body, []byte("event: somethingNew")) {
		t.Errorf("%s", a.body)
	}
	if a := ask("error-midstream=1"); !bytes.Contains(a.body, []byte("event: "+awsframes.Exception+"serviceUnavailableException")) {
		t.Errorf("%s", a.body)
	}
	if a := ask("429"); a.header.Get("X-Amzn-Errortype") == "" || a.header.Get("Retry-After") != "1" {
		t.Error(a.header)
	}
}
