package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// openAI is the service at /openai.
type openAI struct{}

func (openAI) name() string { return "openai" }

func (openAI) route(req *request) {
	switch req.path {
	case "/v1/chat/completions":
		req.op = opChat
	case "/v1/responses":
		req.op = opResponses
	case "/v1/completions":
		req.op = opCompletions
	case "/v1/embeddings":
		req.op = opEmbeddings
	case "/v1/images/generations":
		req.op = opImages
	case "/v1/models":
		req.op = opModels
	default:
		req.op = mediaOps[req.path]
		if id, ok := strings.CutPrefix(req.path, "/v1/models/"); ok && id != "" {
			req.op, req.model = opModel, id
		}
	}
}

func (openAI) key(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// admit takes a missing key too: many services of this shape need none.
func (openAI) admit(req *request) *failure {
	if req.key == invalidKey {
		return &failure{status: http.StatusUnauthorized}
	}
	return nil
}

func (o openAI) answer(req *request) (*reply, *failure) {
	switch req.op {
	case opModels:
		return openAIModels(req), nil
	case opModel:
		return openAIModel(req)
	case opCompletions:
		return o.complete(req)
	case opEmbeddings:
		return openAIEmbed(req)
	case opImages:
		return openAIImage(req)
	case opResponses:
		return o.respond(req)
	case opChat:
		return o.chat(req)
	}
	return openAIMedia(req)
}

// chatRequest is the body of /chat/completions as far as it changes the answer.
type chatRequest struct {
	Model               string          `json:"model"`
	Messages            []chatMessage   `json:"messages"`
	Stream              bool            `json:"stream"`
	StreamOptions       streamOptions   `json:"stream_options"`
	Tools               []chatTool      `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ParallelToolCalls   *bool           `json:"parallel_tool_calls"`
	ResponseFormat      responseFormat  `json:"response_format"`
	MaxTokens           int             `json:"max_tokens"`
	MaxCompletionTokens int             `json:"max_completion_tokens"`
	Stop                oneOrMany       `json:"stop"`
	N                   *int            `json:"n"`
	Logprobs            bool            `json:"logprobs"`
	ReasoningEffort     string          `json:"reasoning_effort"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type chatMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCalls  []chatToolCall  `json:"tool_calls"`
	ToolCallID string          `json:"tool_call_id"`
}

type chatToolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

type responseFormat struct {
	Type       string `json:"type"`
	JSONSchema struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = nil
		if string(b) != "null" {
			*o = oneOrMany{one}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// part is one piece of a message's content.
type part struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// contentText reads content that is a string or a list of parts.
func contentText(raw json.RawMessage) (text string, images int, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", 0, true
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, 0, true
	}
	var parts []part
	if json.Unmarshal(raw, &parts) != nil {
		return "", 0, false
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
		if p.Type == "image_url" || p.Type == "image" {
			images++
		}
	}
	return b.String(), images, true
}

// imageTokens is what one image counts.
const imageTokens = 85

// prompt checks the request as the service does and tells what it asks.
func (c *chatRequest) prompt() (*prompt, *failure) {
	if c.Model == "" {
		return nil, bad("model", "you must provide a model parameter")
	}
	if len(c.Messages) == 0 {
		return nil, bad("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	if c.N != nil && (*c.N < 1 || *c.N > 128) {
		return nil, bad("n", fmt.Sprintf("Invalid 'n': %d must be between 1 and 128.", *c.N))
	}
	p := &prompt{
		Model:     c.Model,
		Parallel:  c.ParallelToolCalls == nil || *c.ParallelToolCalls,
		MaxTokens: max(c.MaxTokens, c.MaxCompletionTokens),
		Stop:      c.Stop,
		Tokens:    3,
	}
	if f := c.readTools(p); f != nil {
		return nil, f
	}
	if f := c.readFormat(p); f != nil {
		return nil, f
	}
	return p, c.readMessages(p)
}

func (c *chatRequest) readTools(p *prompt) *failure {
	for i, t := range c.Tools {
		if t.Type != "function" || t.Function.Name == "" {
			return bad(fmt.Sprintf("tools[%d].function.name", i), fmt.Sprintf("Missing required parameter: 'tools[%d].function.name'.", i))
		}
		p.Tools = append(p.Tools, tool{t.Function.Name, t.Function.Description, t.Function.Parameters})
		p.Tokens += countTokens(t.Function.Name) + countTokens(string(t.Function.Parameters))
	}
	p.Choice = "auto"
	if len(c.ToolChoice) == 0 || string(c.ToolChoice) == "null" {
		return nil
	}
	if len(c.Tools) == 0 {
		return bad("tool_choice", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	}
	if json.Unmarshal(c.ToolChoice, &p.Choice) == nil {
		return nil
	}
	var named chatTool
	_ = json.Unmarshal(c.ToolChoice, &named) // an unreadable one names no tool
	p.Choice = named.Function.Name
	if !slices.ContainsFunc(p.Tools, func(t tool) bool { return t.Name == p.Choice }) {
		return bad("tool_choice", fmt.Sprintf("Tool choice function %q not found in 'tools' parameter.", p.Choice))
	}
	return nil
}

func (c *chatRequest) readFormat(p *prompt) *failure {
	switch c.ResponseFormat.Type {
	case "", "text":
	case "json_object":
		p.Format = "json"
	case "json_schema":
		if c.ResponseFormat.JSONSchema.Name == "" {
			return bad("response_format.json_schema.name", "Missing required parameter: 'response_format.json_schema.name'.")
		}
		p.Format, p.Schema = "schema", c.ResponseFormat.JSONSchema.Schema
	default:
		return bad("response_format.type", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", c.ResponseFormat.Type))
	}
	return nil
}

// readMessages checks that tool messages answer the calls before them, each once.
func (c *chatRequest) readMessages(p *prompt) *failure {
	open := map[string]string{} // calls that wait for their result: id -> name
	for i, m := range c.Messages {
		text, images, ok := contentText(m.Content)
		if !ok {
			return bad(fmt.Sprintf("messages[%d].content", i), fmt.Sprintf("Invalid type for 'messages[%d].content': expected a string or an array of objects.", i))
		}
		p.Tokens += 4 + countTokens(text) + images*imageTokens
		if m.Role != "tool" {
			p.Results = nil
			if len(open) > 0 {
				return bad("messages", fmt.Sprintf("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. (%d missing before messages[%d])", len(open), i))
			}
		}
		switch m.Role {
		case "system", "developer":
			p.System += text + "\n"
		case "user":
			p.User, p.Images = text, images
		case "assistant":
			for _, call := range m.ToolCalls {
				open[call.ID] = call.Function.Name
				p.Tokens += countTokens(call.Function.Name) + countTokens(call.Function.Arguments)
			}
		case "tool":
			name, ok := open[m.ToolCallID]
			if !ok {
				return bad(fmt.Sprintf("messages[%d].tool_call_id", i), fmt.Sprintf("Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls' (tool_call_id %q).", m.ToolCallID))
			}
			delete(open, m.ToolCallID)
			p.Results = append(p.Results, toolResult{name, text})
		default:
			return bad(fmt.Sprintf("messages[%d].role", i), fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'developer', 'assistant', 'user', and 'tool'.", m.Role))
		}
	}
	if len(open) > 0 {
		return bad("messages", "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.")
	}
	return nil
}

// errorKinds are the words that go with a status.
var openAIKinds = map[int][2]string{ // type, code
	400: {"invalid_request_error", ""},
	401: {"invalid_request_error", "invalid_api_key"},
	402: {"insufficient_quota", "insufficient_quota"},
	403: {"invalid_request_error", "unsupported_country_region_territory"},
	404: {"invalid_request_error", ""},
	408: {"timeout", "timeout"},
	422: {"invalid_request_error", ""},
	429: {"requests", "rate_limit_exceeded"},
	503: {"service_unavailable_error", "service_unavailable"},
	529: {"overloaded_error", "overloaded"},
}

// errorObject is the member error of an error answer.
func (openAI) errorObject(f *failure) object {
	words, ok := openAIKinds[f.status]
	if !ok {
		words = [2]string{"server_error", ""}
		if f.status < 500 {
			words[0] = "invalid_request_error"
		}
	}
	switch f.kind {
	case kindModel:
		words[1] = "model_not_found"
	case kindContext:
		words[1] = "context_length_exceeded"
	case kindQuota:
		words = [2]string{"insufficient_quota", "insufficient_quota"}
	}
	return object{"message": f.message, "type": words[0], "param": orNull(f.param), "code": orNull(words[1])}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (o openAI) fail(_ *request, f *failure) *reply {
	return &reply{status: f.status, header: f.header, body: encode(object{"error": o.errorObject(f)})}
}

func (o openAI) failFrame(f *failure) frame {
	return frame{data: encode(object{"error": o.errorObject(f)})}
}
