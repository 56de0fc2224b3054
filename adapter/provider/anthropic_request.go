package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"point"
)

// anthropicSaid are the fields that are translated.
var anthropicSaid = []string{
	"tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "reasoning", "thinking",
	"cache_control", "stop", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "user", "safety_identifier",
}

// jsonToolName is the tool that stands in for an output format on models without one. What
// the model gives it is the answer's text.
const jsonToolName = "json_response"

// anthropicTranslation is one chat request on its way into the Messages API.
type anthropicTranslation struct {
	req      *Request
	chat     *chatRequest
	model    claude
	out      anthropicRequest
	dropped  []string
	tools    []string // names
	jsonTool bool
}

func (t *anthropicTranslation) translate() error {
	dropped, err := fields(t.req, "anthropic", anthropicSaid)
	if err != nil {
		return err
	}
	t.dropped = dropped
	c := t.chat
	t.out = anthropicRequest{
		Model: t.req.Model, MaxTokens: c.maxTokens(), StopSequences: c.Stop, TopK: c.TopK,
		CacheControl: given(c.CacheControl), Stream: c.Stream,
	}
	if t.out.MaxTokens <= 0 {
		t.out.MaxTokens = t.model.maxTokens()
	}
	for _, step := range []func() error{t.messages, t.toolList, t.toolChoice, t.format, t.thinking} {
		if err := step(); err != nil {
			return err
		}
	}
	t.sampling()
	t.user()
	return nil
}

// drop notes that a field was left out.
func (t *anthropicTranslation) drop(name string) {
	if !slices.Contains(t.dropped, name) {
		t.dropped = append(t.dropped, name)
	}
}

// refuse refuses a part of the request, or drops it if the request says so.
func (t *anthropicTranslation) refuse(param, hint string) error {
	if t.req.Drop {
		t.drop(param)
		return nil
	}
	return unsupported("anthropic", param, hint)
}

// messages turns the conversation into system blocks and alternating turns: neighbours of
// one role become one message, and so all results of a turn's tools stand together.
func (t *anthropicTranslation) messages() error {
	for i, m := range t.chat.Messages {
		if m.Name != "" {
			t.drop("messages.name")
		}
		blocks, role, err := t.message(i, m)
		if err != nil {
			return err
		}
		if cache := given(m.CacheControl); cache != nil && len(blocks) > 0 {
			blocks[len(blocks)-1].CacheControl = cache
		}
		switch last := len(t.out.Messages) - 1; {
		case len(blocks) == 0:
		case role == "system":
			t.out.System = append(t.out.System, blocks...)
		case last >= 0 && t.out.Messages[last].Role == role:
			t.out.Messages[last].Content = append(t.out.Messages[last].Content, blocks...)
		default:
			t.out.Messages = append(t.out.Messages, anthropicMessage{role, blocks})
		}
	}
	if len(t.out.Messages) == 0 { // OpenAI answers system messages alone
		t.out.Messages = []anthropicMessage{{"user", t.out.System}}
		t.out.System = nil
	}
	t.trimLast()
	return nil
}

// trimLast takes white space from the end of a last assistant message: it would be refused.
func (t *anthropicTranslation) trimLast() {
	m := &t.out.Messages[len(t.out.Messages)-1]
	if m.Role != "assistant" || len(m.Content) == 0 {
		return
	}
	last := &m.Content[len(m.Content)-1]
	if trimmed := strings.TrimRight(last.Text, " \t\r\n"); trimmed != "" {
		last.Text = trimmed
	}
}

func (t *anthropicTranslation) message(i int, m chatMessage) ([]anthropicBlock, string, error) {
	switch m.Role {
	case "system", "developer":
		blocks, err := t.parts(i, m.Content)
		return blocks, "system", err
	case "user":
		blocks, err := t.parts(i, m.Content)
		return blocks, "user", err
	case "assistant":
		blocks, err := t.assistant(i, m)
		return blocks, "assistant", err
	case "tool":
		blocks, err := t.parts(i, m.Content)
		result := anthropicBlock{Type: "tool_result", ToolUseID: toolID(m.ToolCallID), Content: blocks}
		if len(blocks) > 0 { // the block that stands in the message carries the mark
			last := &blocks[len(blocks)-1]
			result.CacheControl, last.CacheControl = last.CacheControl, nil
		}
		return []anthropicBlock{result}, "user", err
	}
	return nil, "", &point.Error{
		Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].role", i),
		Message: fmt.Sprintf("The role %q is none of system, developer, user, assistant and tool.", cut(m.Role, 40)),
	}
}

// assistant puts signed thinking first, then text, then tool calls.
func (t *anthropicTranslation) assistant(i int, m chatMessage) ([]anthropicBlock, error) {
	var blocks []anthropicBlock
	for _, d := range m.ReasoningDetails {
		switch {
		case d.Format != formatAnthropic && d.Format != "":
		case d.Type == "reasoning.text" && d.Signature != "":
			blocks = append(blocks, anthropicBlock{Type: "thinking", Thinking: &d.Text, Signature: d.Signature})
		case d.Type == "reasoning.encrypted" && d.Data != "":
			blocks = append(blocks, anthropicBlock{Type: "redacted_thinking", Data: d.Data})
		}
	}
	parts, err := t.parts(i, m.Content)
	if err != nil {
		return nil, err
	}
	blocks = append(blocks, parts...)
	if m.Refusal != "" {
		blocks = append(blocks, anthropicBlock{Type: "text", Text: m.Refusal})
	}
	if given(m.FunctionCall) != nil {
		if err := t.refuse(fmt.Sprintf("messages[%d].function_call", i), "use tool_calls"); err != nil {
			return nil, err
		}
	}
	for j, call := range m.ToolCalls {
		input, ok := arguments(call.Function.Arguments)
		if !ok {
			return nil, &point.Error{
				Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].tool_calls[%d].function.arguments", i, j),
				Message: "A tool call's arguments must be a JSON object in a string.",
			}
		}
		blocks = append(blocks, anthropicBlock{Type: "tool_use", ID: toolID(call.ID), Name: call.Function.Name, Input: input})
	}
	return blocks, nil
}

// parts translates a message's content. Empty text is left out: it would be refused.
func (t *anthropicTranslation) parts(i int, parts content) ([]anthropicBlock, error) {
	blocks := make([]anthropicBlock, 0, len(parts))
	for j, p := range parts {
		var block anthropicBlock
		at := fmt.Sprintf("messages[%d].content[%d]", i, j)
		switch p.Type {
		case "text":
			block = anthropicBlock{Type: "text", Text: p.Text}
		case "refusal":
			block = anthropicBlock{Type: "text", Text: p.Refusal}
		case "image_url":
			source, err := anthropicImage(p.ImageURL.URL, at)
			if err != nil {
				return nil, err
			}
			block = anthropicBlock{Type: "image", Source: source}
			if p.ImageURL.Detail != "" && p.ImageURL.Detail != "auto" {
				t.drop("image_url.detail")
			}
		case "file":
			source := anthropicFile(p)
			if source == nil {
				if err := t.refuse(at+".file", "give file_data as a data URL of a PDF or of text"); err != nil {
					return nil, err
				}
				continue
			}
			block = anthropicBlock{Type: "document", Source: source, Title: p.File.Filename}
		default:
			if err := t.refuse(at+"."+printable(p.Type), "use text, image_url or file parts"); err != nil {
				return nil, err
			}
			continue
		}
		if block.Type == "text" && block.Text == "" {
			continue
		}
		block.CacheControl = given(p.CacheControl)
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func anthropicImage(url, at string) (*anthropicSource, error) {
	if media, data, ok := splitDataURL(url); ok {
		return &anthropicSource{Type: "base64", MediaType: media, Data: data}, nil
	}
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return &anthropicSource{Type: "url", URL: url}, nil
	}
	return nil, &point.Error{Code: point.InvalidRequest, Param: at + ".image_url.url", Message: "Give an image as an http(s) URL or as a data URL of base64."}
}

// anthropicFile is a document's source, nil if the file is of another sort.
func anthropicFile(p contentPart) *anthropicSource {
	media, data, ok := splitDataURL(p.File.Data)
	switch {
	case ok && media == "application/pdf":
		return &anthropicSource{Type: "base64", MediaType: media, Data: data}
	case strings.HasPrefix(p.File.Data, "https://"):
		return &anthropicSource{Type: "url", URL: p.File.Data}
	case ok && media == "text/plain":
		if text, err := decodeBase64(data); err == nil {
			return &anthropicSource{Type: "text", MediaType: media, Data: string(text)}
		}
	}
	return nil
}

// toolID is a tool call's id in the alphabet that Anthropic takes; ids of other providers
// may come in a conversation that moved here.
func toolID(id string) string {
	id = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, id)
	if id == "" {
		return "call"
	}
	return id
}

// sampling carries temperature, top_p and top_k, as far as the model takes them: the newest
// none, those before them one of the first two, and while thinking hardly any.
func (t *anthropicTranslation) sampling() {
	thinks := t.out.Thinking != nil && !strings.Contains(string(t.out.Thinking), `"disabled"`)
	fixed := thinks || !t.model.samples()
	if v := t.chat.Temperature; v != nil && *v != 1 {
		if fixed {
			t.drop("temperature")
		} else {
			capped := min(*v, 1)
			t.out.Temperature = &capped
		}
	}
	if v := t.chat.TopP; v != nil && *v != 1 {
		if fixed && (*v < 0.95 || !thinks) || t.out.Temperature != nil && t.model.version >= 41 {
			t.drop("top_p")
		} else {
			t.out.TopP = v
		}
	}
	if fixed && t.out.TopK != nil {
		t.out.TopK = nil
		t.drop("top_k")
	}
}

// user tells who asks, unless it looks like an address: Anthropic wants no personal data.
func (t *anthropicTranslation) user() {
	switch user := t.chat.User; {
	case t.chat.SafetyIdentifier != "":
		t.out.Metadata = &anthropicMetadata{t.chat.SafetyIdentifier}
		if user != "" && user != t.chat.SafetyIdentifier {
			t.drop("user")
		}
	case user != "" && strings.Contains(user, "@"):
		t.drop("user")
	case user != "":
		t.out.Metadata = &anthropicMetadata{user}
	}
}

// given is raw, or nil if it is null.
func given(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}
