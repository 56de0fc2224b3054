package provider

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/awsframes"
	"point/internal/jsontext"
	"point/internal/sse"
)

// Google and Amazon host Claude below APIs of their own: the body is Anthropic's but for the model,
// which the URL tells (at Amazon it tells the stream too), and for what Anthropic's service alone
// can do.
//
//	https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
//	https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html

// hostedFields are what hosted models take of a message request.
var hostedFields = []string{
	"messages", "system", "max_tokens", "stop_sequences", "temperature", "top_p", "top_k", "tools", "tool_choice", "thinking",
	"output_config", "output_format", "context_management", "metadata",
}

// hostedMeaning are fields that hosted models do not take, without which the answer is another.
var hostedMeaning = []string{"container", "mcp_servers"}

// hostedBetas are the features in beta that hosted models know: a request with another is refused.
var hostedBetas = []string{
	"computer-use-2025-01-24", "computer-use-2025-11-24", "context-1m-2025-08-07", "context-management-2025-06-27", "dev-full-thinking-2025-05-14",
	"effort-2025-11-24", "fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14", "output-128k-2025-02-19",
	"token-efficient-tools-2025-02-19", "tool-examples-2025-10-29", "tool-search-tool-2025-10-19",
}

// hosted is the body of a message request as a host of Claude gets it, with the features in beta
// that were asked for. What is left out is noted.
func (x *Exchange) hosted(kind string, req *Request, version string, keepsStream bool) (body []byte, betas []string, err error) {
	body = ownThoughts(forwardBody(req, false))
	doc := whole(body)
	for _, name := range hostedMeaning {
		if v := doc.get(name); v.exists() && !v.isNull() && !req.Drop {
			return nil, nil, unsupported(kind, name, "")
		}
	}
	var list edits
	list.cut(doc, func(key []byte, v value) bool {
		name := string(key)
		if slices.Contains(hostedFields, name) || name == "stream" && keepsStream {
			return false
		}
		if name != "model" && name != "stream" && name != "anthropic_version" && !v.isNull() {
			x.drop(name)
		}
		return true
	})
	body = splice(body, list)
	list = edits{}
	list.set(whole(body), "anthropic_version", string(jsontext.AppendString(nil, version)))
	for _, beta := range strings.Split(strings.Join(req.Call.Header.Values("Anthropic-Beta"), ","), ",") {
		switch beta = strings.TrimSpace(beta); {
		case slices.Contains(hostedBetas, beta):
			betas = append(betas, beta)
		case beta != "" && printable(beta) == beta:
			x.drop("anthropic-beta." + beta)
		}
	}
	return splice(body, list), betas, nil
}

// bedrockVersion stands in the body of Claude's requests.
const bedrockVersion = "bedrock-2023-05-31"

// Speaks: Claude speaks Anthropic's dialect. What an ARN of an inference profile leads to is not
// known; it is told as a chat.
func (bedrock) Speaks(path, model string, _ *point.ProviderConfig) bool {
	return path == point.PathMessages && strings.Contains(model, "anthropic.claude")
}

// Messages sends a message request to Claude in its own dialect.
//
//	https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
func (bedrock) Messages(req *Request) (*Exchange, error) {
	x := &Exchange{Decoder: &invoked{}}
	body, betas, err := x.hosted("bedrock", req, bedrockVersion, false)
	if err != nil {
		return nil, err
	}
	if len(betas) > 0 {
		raw, _ := marshal(betas) // strings always marshal
		list := edits{}
		list.set(whole(body), "anthropic_beta", string(raw))
		body = splice(body, list)
	}
	method := "/invoke"
	if req.Call.Envelope.Stream {
		method = "/invoke-with-response-stream"
	}
	x.Outbound = &point.Outbound{Method: http.MethodPost, Path: "/model/" + awsEscape(req.Model) + method, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	return x, nil
}

// invoked relays messages whose stream's events lie in frames, in Base64.
type invoked struct {
	messageRelay
	data []byte // of the event, reused
}

// Event classes the event within a frame.
func (d *invoked) Event(e sse.Event, emit func(point.Block)) error {
	name, failed := strings.CutPrefix(e.Name, awsframes.Exception)
	if !failed {
		name, failed = strings.CutPrefix(name, awsframes.Error)
	}
	switch {
	case failed:
		return awsException(name, e.Data)
	case e.Partial:
		return truncated()
	case name != "chunk":
		return nil
	}
	text := gjson.GetBytes(e.Data, "bytes")
	data, err := base64.StdEncoding.AppendDecode(d.data[:0], []byte(text.Str))
	if err != nil || !validJSON(e.Data) || text.Type != gjson.String {
		return badEvent()
	}
	d.data = data
	return d.messageRelay.Event(sse.Event{Data: bytes.TrimSpace(data), DataAt: -1}, emit)
}
