package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// anthropic is the service at /anthropic.
type anthropic struct{}

func (anthropic) name() string { return "anthropic" }

func (anthropic) route(req *request) {
	switch req.path {
	case "/v1/messages":
		req.op = opChat
	case "/v1/messages/count_tokens":
		req.op = opCountTokens
	case "/v1/models":
		req.op = opModels
	default:
		if id, ok := strings.CutPrefix(req.path, "/v1/models/"); ok && id != "" {
			req.op, req.model = opModel, id
		}
	}
}

func (anthropic) key(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func (anthropic) admit(req *request) *failure {
	switch {
	case req.key == "":
		return &failure{status: http.StatusUnauthorized, message: "x-api-key header is required"}
	case req.key == invalidKey:
		return &failure{status: http.StatusUnauthorized, message: "invalid x-api-key"}
	case req.Header.Get("Anthropic-Version") == "":
		return bad("", "anthropic-version: header is required")
	}
	return nil
}

func (a anthropic) answer(req *request) (*reply, *failure) {
	switch req.op {
	case opModels:
		return anthropicModels(req), nil
	case opModel:
		return anthropicModel(req)
	case opCountTokens:
		return a.countTokens(req)
	}
	return a.message(req)
}

// messageRequest is the body of /v1/messages as far as it changes the answer.
type messageRequest struct {
	Model     string          `json:"model"`
	MaxTokens *int            `json:"max_tokens"`
	System    json.RawMessage `json:"system"`
	Messages  []message       `json:"messages"`
	Stream    bool            `json:"stream"`
	Stop      []string        `json:"stop_sequences"`
	Tools     []messageTool   `json:"tools"`
	Choice    struct {
		Type     string `json:"type"`
		Name     string `json:"name"`
		Parallel bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	Thinking struct {
		Type   string `json:"type"`
		Budget int    `json:"budget_tokens"`
	} `json:"thinking"`
	OutputFormat outputFormat `json:"output_format"`
	OutputConfig struct {
		Format outputFormat `json:"format"`
	} `json:"output_config"`
}

type outputFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type messageTool struct {
	Type         string          `json:"type"` // empty or custom: a function; else a server tool
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	Schema       json.RawMessage `json:"input_schema"`
	CacheControl json.RawMessage `json:"cache_control"`
}

// block is one content block of a message.
type block struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Input        json.RawMessage `json:"input"`
	ToolUseID    string          `json:"tool_use_id"`
	Content      json.RawMessage `json:"content"`
	CacheControl json.RawMessage `json:"cache_control"`
}

// blocks reads content that is a string or a list of blocks.
func blocks(raw json.RawMessage) ([]block, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []block{{Type: "text", Text: text}}, true
	}
	var list []block
	return list, json.Unmarshal(raw, &list) == nil
}

// minThinking is the smallest thinking budget that the service takes.
const minThinking = 1024

// prompt checks the request as the service does and tells what it asks.
func (m *messageRequest) prompt(s *Server) (*prompt, *failure) {
	switch {
	case m.Model == "":
		return nil, bad("", "model: Field required")
	case m.MaxTokens == nil:
		return nil, bad("", "max_tokens: Field required")
	case *m.MaxTokens < 1:
		return nil, bad("", "max_tokens: Input should be greater than or equal to 1")
	case len(m.Messages) == 0:
		return nil, bad("", "messages: at least one message is required")
	}
	p := &prompt{Model: m.Model, MaxTokens: *m.MaxTokens, Stop: m.Stop, Parallel: !m.Choice.Parallel}
	for _, check := range []func(*prompt) *failure{m.readThinking, m.readTools, m.readSystem} {
		if f := check(p); f != nil {
			return nil, f
		}
	}
	format := m.OutputConfig.Format
	if format.Type == "" {
		format = m.OutputFormat
	}
	if format.Type == "json_schema" {
		p.Format, p.Schema = "schema", format.Schema
	}
	return p, m.readMessages(p, s)
}

func (m *messageRequest) readThinking(p *prompt) *failure {
	switch m.Thinking.Type {
	case "", "disabled":
	case "adaptive":
		p.Think = true
	case "enabled":
		p.Think = true
		if m.Thinking.Budget < minThinking {
			return bad("", fmt.Sprintf("thinking.enabled.budget_tokens: Input should be greater than or equal to %d", minThinking))
		}
		if m.Thinking.Budget >= *m.MaxTokens {
			return bad("", "`max_tokens` must be greater than `thinking.budget_tokens`.")
		}
		if m.Choice.Type == "any" || m.Choice.Type == "tool" {
			return bad("", "Thinking may not be enabled when tool_choice forces tool use.")
		}
	default:
		return bad("", fmt.Sprintf("thinking: Input tag '%s' found using 'type' does not match any of the expected tags: 'disabled', 'enabled', 'adaptive'", m.Thinking.Type))
	}
	return nil
}

// readTools leaves out server tools: the simulation never uses them.
func (m *messageRequest) readTools(p *prompt) *failure {
	for i, t := range m.Tools {
		if t.Name == "" {
			return bad("", fmt.Sprintf("tools.%d.custom.name: Field required", i))
		}
		if t.Type != "" && t.Type != "custom" {
			continue
		}
		if len(t.Schema) == 0 || string(t.Schema) == "null" {
			return bad("", fmt.Sprintf("tools.%d.custom.input_schema: Field required", i))
		}
		p.Tools = append(p.Tools, tool{t.Name, t.Description, t.Schema})
		p.Tokens += countTokens(t.Name) + countTokens(string(t.Schema))
		p.mark(t.CacheControl, t.Name)
	}
	switch m.Choice.Type {
	case "", "auto":
		p.Choice = "auto"
	case "any":
		p.Choice = "required"
	case "none":
		p.Choice = "none"
	case "tool":
		p.Choice = m.Choice.Name
		if !slices.ContainsFunc(m.Tools, func(t messageTool) bool { return t.Name == p.Choice }) {
			return bad("", fmt.Sprintf("tool_choice: Tool '%s' not found in provided tools", p.Choice))
		}
	default:
		return bad("", fmt.Sprintf("tool_choice: Input tag '%s' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'", m.Choice.Type))
	}
	return nil
}

// mark notes that the input up to here may be cached, if the mark is there.
func (p *prompt) mark(control json.RawMessage, text string) {
	p.CacheKey += text + "\x00"
	if len(control) > 0 && string(control) != "null" {
		p.CacheMarked = p.Tokens
	}
}

func (m *messageRequest) readSystem(p *prompt) *failure {
	if len(m.System) == 0 {
		return nil
	}
	list, ok := blocks(m.System)
	if !ok {
		return bad("", "system: Input should be a valid list")
	}
	for _, b := range list {
		p.System += b.Text + "\n"
		p.Tokens += countTokens(b.Text)
		p.mark(b.CacheControl, b.Text)
	}
	return nil
}

// readMessages checks roles, that tool results answer the calls of the turn before them, all
// and at once, and that thinking comes back as it was given.
func (m *messageRequest) readMessages(p *prompt, s *Server) *failure {
	open := map[string]string{} // calls of the last assistant turn: id -> name
	for i, msg := range m.Messages {
		list, ok := blocks(msg.Content)
		switch {
		case !ok || len(list) == 0:
			return bad("", fmt.Sprintf("messages.%d.content: Input should be a valid list", i))
		case msg.Role != "user" && msg.Role != "assistant":
			return bad("", fmt.Sprintf("messages.%d.role: Input should be 'user' or 'assistant'", i))
		}
		p.Tokens += 4
		turn := turnReader{prompt: p, server: s, at: i, open: open}
		if f := turn.read(msg.Role, list, p.Think); f != nil {
			return f
		}
	}
	if len(open) > 0 {
		return missingResults(len(m.Messages)-1, open)
	}
	return nil
}

func missingResults(at int, open map[string]string) *failure {
	ids := make([]string, 0, len(open))
	for id := range open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return bad("", fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at, strings.Join(ids, ", ")))
}

// turnReader reads the blocks of one message.
type turnReader struct {
	prompt *prompt
	server *Server
	at     int
	open   map[string]string
}

func (t *turnReader) read(role string, list []block, thinking bool) *failure {
	p := t.prompt
	p.Results = nil
	if role == "user" {
		return t.readUser(list)
	}
	if len(t.open) > 0 {
		return missingResults(t.at-1, t.open)
	}
	for i, b := range list {
		p.Tokens += countTokens(b.Text) + countTokens(b.Thinking) + countTokens(string(b.Input))
		p.mark(b.CacheControl, b.Text)
		switch b.Type {
		case "thinking":
			if !t.server.signed(b.Thinking, b.Signature) {
				return bad("", fmt.Sprintf("messages.%d.content.%d: Invalid `signature` in `thinking` block", t.at, i))
			}
		case "text":
			if f := blank(b.Text); f != nil {
				return f
			}
		case "tool_use":
			t.open[b.ID] = b.Name
		}
	}
	if thinking && len(t.open) > 0 && list[0].Type != "thinking" && list[0].Type != "redacted_thinking" {
		return bad("", fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.", t.at, list[0].Type))
	}
	return nil
}

// blank refuses text that says nothing.
func blank(text string) *failure {
	switch {
	case text == "":
		return bad("", "messages: text content blocks must be non-empty")
	case strings.TrimSpace(text) == "":
		return bad("", "messages: text content blocks must contain non-whitespace text")
	}
	return nil
}

func (t *turnReader) readUser(list []block) *failure {
	p := t.prompt
	var text []string
	p.Images = 0
	for i, b := range list {
		inner, images, _ := contentText(b.Content)
		p.Tokens += countTokens(b.Text) + countTokens(inner) + images*imageTokens
		p.mark(b.CacheControl, b.Text+inner)
		switch b.Type {
		case "text":
			if f := blank(b.Text); f != nil {
				return f
			}
			text = append(text, b.Text)
		case "image", "document":
			p.Images++
			p.Tokens += imageTokens
		case "tool_result":
			name, ok := t.open[b.ToolUseID]
			if ok && len(text) > 0 { // results come first
				return missingResults(t.at-1, t.open)
			}
			if !ok {
				return bad("", fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", t.at, i, b.ToolUseID))
			}
			delete(t.open, b.ToolUseID)
			p.Results = append(p.Results, toolResult{name, inner})
		}
	}
	if len(t.open) > 0 {
		return missingResults(t.at-1, t.open)
	}
	if len(text) > 0 {
		p.User = strings.Join(text, "\n")
	}
	return nil
}

// anthropicKinds are the error types by status.
var anthropicKinds = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
	404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}

func (anthropic) errorObject(f *failure) object {
	kind, ok := anthropicKinds[f.status]
	if !ok {
		kind = "api_error"
		if f.status < 500 {
			kind = "invalid_request_error"
		}
	}
	return object{"type": kind, "message": f.message}
}

func (a anthropic) fail(req *request, f *failure) *reply {
	body := object{"type": "error", "error": a.errorObject(f), "request_id": req.id("req_", 0)}
	return &reply{status: f.status, header: f.header, body: encode(body)}
}

func (a anthropic) failFrame(f *failure) frame {
	return frame{event: "error", data: encode(object{"type": "error", "error": a.errorObject(f)})}
}
