package provider

import (
	"encoding/json"
	"fmt"
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
	translation
	model    claude
	out      anthropicRequest
	tools    []string // names
	jsonTool bool
}

func (t *anthropicTranslation) translate() error {
	dropped, err := fields(t.req, t.kind, anthropicSaid)
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

func (t *anthropicTranslation) messages() error {
	system, list, err := turns(&t.translation, t)
	if err != nil {
		return err
	}
	t.out.System = system
	t.out.Messages = make([]anthropicMessage, len(list))
	for i, turn := range list {
		t.out.Messages[i] = anthropicMessage{turn.role, turn.parts}
	}
	t.trimLast()
	return nil
}

// trimLast takes white space from the end of a last assistant message: it would be refused.
func (t *anthropicTranslation) trimLast() {
	m := &t.out.Messages[len(t.out.Messages)-1]
	if m.Role != "assistant" {
		return
	}
	last := &m.Content[len(m.Content)-1]
	if trimmed := strings.TrimRight(last.Text, " \t\r\n"); trimmed != "" {
		last.Text = trimmed
	}
}

func (t *anthropicTranslation) said(i int, m chatMessage) ([]anthropicBlock, error) {
	blocks, err := t.parts(i, m.Content)
	return marked(blocks, m), err
}

// marked gives a message's own cache mark to its last block.
func marked(blocks []anthropicBlock, m chatMessage) []anthropicBlock {
	if cache := given(m.CacheControl); cache != nil && len(blocks) > 0 {
		blocks[len(blocks)-1].CacheControl = cache
	}
	return blocks
}

// result is a tool's: the block that stands in the message carries the mark of its last part.
func (t *anthropicTranslation) result(i int, m chatMessage) ([]anthropicBlock, error) {
	blocks, err := t.parts(i, m.Content)
	result := anthropicBlock{Type: "tool_result", ToolUseID: toolID(m.ToolCallID), Content: blocks, IsError: m.IsError}
	if len(blocks) > 0 {
		last := &blocks[len(blocks)-1]
		result.CacheControl, last.CacheControl = last.CacheControl, nil
	}
	return marked([]anthropicBlock{result}, m), err
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
	for j, call := range m.ToolCalls {
		input, err := call.arguments(i, j)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, anthropicBlock{Type: "tool_use", ID: toolID(call.ID), Name: call.Function.Name, Input: input, CacheControl: given(call.CacheControl)})
	}
	return marked(blocks, m), nil
}

// parts translates a message's content. Text of white space alone is left out: it would be refused.
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
			block = anthropicBlock{Type: "document", Source: source, Title: p.File.Filename, Citations: given(p.Citations)}
		default:
			if err := t.refuse(at+"."+printable(p.Type), "use text, image_url or file parts"); err != nil {
				return nil, err
			}
			continue
		}
		if block.Type == "text" && strings.TrimSpace(block.Text) == "" {
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
