package mock

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// bedrockVersion is the only anthropic_version there is.
const bedrockVersion = "bedrock-2023-05-31"

// invokeFields are what Claude's models take here.
//
//	https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
var invokeFields = []string{
	"anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "temperature", "top_p", "top_k", "stop_sequences",
	"tools", "tool_choice", "thinking", "output_config", "output_format", "context_management", "metadata",
}

// invokeBetas are the features in beta that may be asked for.
var invokeBetas = []string{
	"computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19", "interleaved-thinking-2025-05-14",
	"output-128k-2025-02-19", "dev-full-thinking-2025-05-14", "context-1m-2025-08-07", "context-management-2025-06-27", "effort-2025-11-24",
	"tool-search-tool-2025-10-19", "tool-examples-2025-10-29", "fine-grained-tool-streaming-2025-05-14",
}

// invocationMetrics is a member of a stream's last event.
const invocationMetrics = "amazon-bedrock-invocationMetrics"

// invoke serves InvokeModel for Claude: Anthropic's messages, with the model in the path.
func (bedrock) invoke(req *request) (*reply, *failure) {
	id := bedrockModel(req.model)
	if !req.faults.byModel && !isClaude(id) {
		return nil, bad("", "The simulated service knows InvokeModel for Claude alone; use Converse.")
	}
	m := messageRequest{}
	if f := req.decodeInvoke(&m); f != nil {
		return nil, f
	}
	m.Model = strings.TrimPrefix(id, "anthropic.")
	m.Model, _, _ = strings.Cut(m.Model, "-v1:")
	p, f := m.prompt(req.server)
	if f != nil {
		return nil, f
	}
	a := think(p)
	req.cacheByMarks(p, &a)
	e := messageEncoder{req: req, model: m.Model, answer: a, host: "bdrk_"}
	if !req.stream {
		return document(e.envelope(e.blocks(), e.stopReason(), e.usage(a.Usage.Output))), nil
	}
	frames := slices.DeleteFunc(e.frames(), func(f frame) bool { return f.event == "ping" })
	for i := range frames {
		frames[i] = asChunk(frames[i])
	}
	u := a.Usage
	last := &frames[len(frames)-1]
	last.data = encode(object{"type": "message_stop", invocationMetrics: object{
		"inputTokenCount": u.Input - u.CacheRead - u.CacheWrite, "outputTokenCount": u.Output, "invocationLatency": latency, "firstByteLatency": latency,
		"cacheReadInputTokenCount": u.CacheRead, "cacheWriteInputTokenCount": u.CacheWrite,
	}})
	return &reply{status: http.StatusOK, frames: frames, stream: true}, nil
}

func isClaude(id string) bool { return strings.Contains(id, "anthropic.claude") }

// asChunk puts one of Claude's events into a chunk.
func asChunk(f frame) frame { return frame{event: "chunk", data: f.data, last: f.last, chunk: true} }

// decodeInvoke reads the body and refuses members that do not belong there.
func (r *request) decodeInvoke(m *messageRequest) *failure {
	var body map[string]json.RawMessage
	if json.Unmarshal(r.body, &body) != nil {
		return malformed("#: the body is no JSON object")
	}
	for _, name := range []string{"anthropic_version", "max_tokens", "messages"} {
		if _, ok := body[name]; !ok {
			return malformed("#: required key [" + name + "] not found")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if !slices.Contains(invokeFields, name) {
			return malformed("#: extraneous key [" + name + "] is not permitted")
		}
	}
	var version string
	var betas []string
	_ = json.Unmarshal(body["anthropic_version"], &version) // another type is another version
	_ = json.Unmarshal(body["anthropic_beta"], &betas)      // none is none
	if version != bedrockVersion {
		return bad("", "anthropic_version: Input should be '"+bedrockVersion+"'")
	}
	for _, beta := range betas {
		if !slices.Contains(invokeBetas, beta) {
			return bad("", "invalid beta flag")
		}
	}
	return r.decode(m)
}

func malformed(what string) *failure {
	return bad("", "Malformed input request: "+what+", please reformat your input and try again.")
}
