package dialect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"point"
	"point/internal/jsonfault"
)

// messagesTurn is one message of the client's.
type messagesTurn struct {
	Role    string          `json:"role"` // user, assistant
	Content messagesContent `json:"content"`
}

// messagesContent is a string, or blocks.
type messagesContent []messagesBlock

func (c *messagesContent) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*c = messagesContent{{Type: "text"}}
		return json.Unmarshal(b, &(*c)[0].Text)
	}
	return jsonfault.Union[[]messagesBlock, messagesContent](json.Unmarshal(b, (*[]messagesBlock)(c)))
}

// Wants names the forms of a content.
func (messagesContent) Wants() string { return "a string or a list of blocks" }

// messagesBlock is a content block of any type.
type messagesBlock struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	Data         string          `json:"data"`
	Source       messagesSource  `json:"source"`
	Title        string          `json:"title"`
	Context      string          `json:"context"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Input        json.RawMessage `json:"input"`
	ToolUseID    string          `json:"tool_use_id"`
	Content      messagesContent `json:"content"`
	IsError      bool            `json:"is_error"`
	Citations    json.RawMessage `json:"citations"`
	CacheControl json.RawMessage `json:"cache_control"`
}

// messagesSource is where an image or a document is. Of a search result it is a plain string.
type messagesSource struct {
	Type      string          `json:"type"` // base64, url, text, content, file
	MediaType string          `json:"media_type"`
	Data      string          `json:"data"`
	URL       string          `json:"url"`
	Content   messagesContent `json:"content"`
}

func (s *messagesSource) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &s.URL)
	}
	type plain messagesSource
	return jsonfault.Union[plain, messagesSource](json.Unmarshal(b, (*plain)(s)))
}

// Wants names the forms of a source.
func (messagesSource) Wants() string { return "an object" }

// messagesSaid is a message of a chat.
type messagesSaid struct {
	Role       string           `json:"role"`
	Content    []messagesPart   `json:"content,omitempty"`
	Details    []messagesDetail `json:"reasoning_details,omitempty"`
	ToolCalls  []messagesCall   `json:"tool_calls,omitempty"`
	ToolCallID string           `json:"tool_call_id,omitempty"`
	IsError    bool             `json:"is_error,omitempty"`

	CacheControl json.RawMessage `json:"cache_control,omitempty"`
}

// messagesPart is a part of a chat's message.
type messagesPart struct {
	Type         string            `json:"type"` // text, image_url, file
	Text         *string           `json:"text,omitempty"`
	ImageURL     map[string]string `json:"image_url,omitempty"`
	File         map[string]string `json:"file,omitempty"`
	Citations    json.RawMessage   `json:"citations,omitempty"`
	CacheControl json.RawMessage   `json:"cache_control,omitempty"`
}

// messagesDetail is one block of thinking among a chat's reasoning_details.
type messagesDetail struct {
	Type      string `json:"type"` // reasoning.text, reasoning.encrypted, ...
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
	ID        string `json:"id,omitempty"`
	Format    string `json:"format,omitempty"`
	Index     int    `json:"index"`
}

// messagesFormatName is the format of Anthropic's own thinking among reasoning_details.
const messagesFormatName = "anthropic-claude-v1"

type messagesCall struct {
	ID           string            `json:"id"`
	Type         string            `json:"type"`
	Function     map[string]string `json:"function"`
	CacheControl json.RawMessage   `json:"cache_control,omitempty"`
}

// conversation tells the system's words and all messages.
func (t *messagesTelling) conversation() error {
	if t.at = "system"; len(t.in.System) > 0 {
		parts, err := t.parts("system", t.in.System)
		if err != nil {
			return err
		}
		t.say(messagesSaid{Role: "system", Content: parts})
	}
	for i, turn := range t.in.Messages {
		t.at = fmt.Sprintf("messages[%d]", i)
		at := t.at + ".content"
		var err error
		switch turn.Role {
		case "user":
			err = t.user(at, turn.Content)
		case "assistant":
			err = t.assistant(at, turn.Content)
		case "system":
			err = t.system(at, turn.Content)
		default:
			err = &point.Error{Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].role", i), Message: `Give "role" as user or assistant.`}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// say adds a message that says anything.
func (t *messagesTelling) say(m messagesSaid) {
	if len(m.Content)+len(m.ToolCalls)+len(m.Details) > 0 || m.Role == "tool" {
		t.out.Messages, t.from = append(t.out.Messages, m), append(t.from, t.at)
	}
}

func (t *messagesTelling) system(at string, content messagesContent) error {
	parts, err := t.parts(at, content)
	t.say(messagesSaid{Role: "system", Content: parts})
	return err
}

// user tells a user's message: the results of tools, each as a message of its own, then the rest.
func (t *messagesTelling) user(at string, content messagesContent) error {
	var rest messagesContent
	for i, block := range content {
		if block.Type != "tool_result" {
			rest = append(rest, block)
			continue
		}
		parts, err := t.parts(fmt.Sprintf("%s[%d].content", at, i), block.Content)
		if err != nil {
			return err
		}
		t.say(messagesSaid{
			Role: "tool", ToolCallID: block.ToolUseID, Content: parts, IsError: block.IsError, CacheControl: messagesGiven(block.CacheControl),
		})
	}
	parts, err := t.parts(at, rest)
	t.say(messagesSaid{Role: "user", Content: parts})
	return err
}

// assistant tells what the model said: thinking, text and calls.
func (t *messagesTelling) assistant(at string, content messagesContent) error {
	m := messagesSaid{Role: "assistant"}
	var rest messagesContent
	for _, block := range content {
		switch block.Type {
		case "thinking", "redacted_thinking":
			m.Details = appendThought(m.Details, block)
		case "tool_use":
			m.ToolCalls = append(m.ToolCalls, messagesCall{
				ID: block.ID, Type: "function", CacheControl: messagesGiven(block.CacheControl),
				Function: map[string]string{"name": block.Name, "arguments": messagesInput(block.Input)},
			})
		default:
			rest = append(rest, block)
		}
	}
	parts, err := t.parts(at, rest)
	m.Content = parts
	t.say(m)
	return err
}

// messagesInput is a call's input as a chat's arguments.
func messagesInput(input json.RawMessage) string {
	if messagesGiven(input) == nil {
		return "{}"
	}
	return string(input)
}

// appendThought takes over a block of thinking that can be read back: Anthropic's by its
// signature, those of other models by Point's mark.
func appendThought(list []messagesDetail, block messagesBlock) []messagesDetail {
	for _, sealed := range []string{block.Signature, block.Data} {
		if strings.HasPrefix(sealed, point.ThoughtMark) {
			return append(list, openThoughts(sealed)...)
		}
	}
	detail := messagesDetail{Format: messagesFormatName, Index: len(list)}
	switch {
	case block.Type == "thinking" && block.Signature != "":
		detail.Type, detail.Text, detail.Signature = "reasoning.text", block.Thinking, block.Signature
	case block.Type == "redacted_thinking" && block.Data != "":
		detail.Type, detail.Data = "reasoning.encrypted", block.Data
	default:
		return list
	}
	return append(list, detail)
}

// sealThought is what stands for a thought of another model where Anthropic has its own.
func sealThought(detail json.RawMessage) string {
	return point.ThoughtMark + base64.RawURLEncoding.EncodeToString(detail)
}

// openThoughts reads it back. What was tampered with is nothing.
func openThoughts(sealed string) []messagesDetail {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(sealed, point.ThoughtMark))
	var detail messagesDetail
	if err != nil || json.Unmarshal(raw, &detail) != nil || detail.Type == "" {
		return nil
	}
	return []messagesDetail{detail}
}

// messagesPast are blocks that tell of tools which Anthropic ran itself. The text that came of
// them stands beside them.
var messagesPast = []string{"server_tool_use", "mcp_tool_use", "mcp_tool_result", "container_upload", "compaction"}

func isPast(kind string) bool {
	for _, past := range messagesPast {
		if kind == past {
			return true
		}
	}
	return strings.HasSuffix(kind, "_tool_result")
}

// parts tells blocks as parts.
func (t *messagesTelling) parts(at string, blocks messagesContent) ([]messagesPart, error) {
	var list []messagesPart
	for i, block := range blocks {
		part, err := t.part(fmt.Sprintf("%s[%d]", at, i), block)
		if err != nil {
			return nil, err
		}
		if part.Type != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

// part tells one block; the zero part is to be left out.
func (t *messagesTelling) part(at string, block messagesBlock) (part messagesPart, err error) {
	switch {
	case block.Type == "text":
		part = messagesPart{Type: "text", Text: &block.Text}
	case block.Type == "image":
		part, err = t.image(at, block.Source)
	case block.Type == "document":
		part, err = t.document(at, block)
	case block.Type == "search_result":
		text := strings.TrimSpace(block.Title + "\n" + block.Source.URL + "\n\n" + block.Content.text())
		part = messagesPart{Type: "text", Text: &text}
	case isPast(block.Type):
		t.drop("messages." + block.Type)
	default:
		err = t.refuse(at+"."+block.Type, "use text, image, document, tool_use and tool_result blocks")
	}
	if part.Type != "" {
		part.CacheControl = messagesGiven(block.CacheControl)
	}
	return part, err
}

// text is all the text of some blocks.
func (c messagesContent) text() string {
	var list []string
	for _, block := range c {
		if block.Type == "text" {
			list = append(list, block.Text)
		}
	}
	return strings.Join(list, "\n")
}

func (t *messagesTelling) image(at string, s messagesSource) (messagesPart, error) {
	switch {
	case s.Type == "base64" && s.Data != "":
		return messagesPart{Type: "image_url", ImageURL: map[string]string{"url": "data:" + s.MediaType + ";base64," + s.Data}}, nil
	case s.Type == "url" && s.URL != "":
		return messagesPart{Type: "image_url", ImageURL: map[string]string{"url": s.URL}}, nil
	}
	return messagesPart{}, t.refuse(at+".source."+s.Type, "give an image as base64 or as a url")
}

// document tells a document as a file; one that is text already stays text where its provider
// can have it so.
func (t *messagesTelling) document(at string, block messagesBlock) (messagesPart, error) {
	file := map[string]string{}
	switch s := block.Source; {
	case s.Type == "base64" && s.Data != "":
		file["file_data"] = "data:" + s.MediaType + ";base64," + s.Data
	case s.Type == "text":
		file["file_data"] = "data:text/plain;base64," + base64.StdEncoding.EncodeToString([]byte(s.Data))
	case s.Type == "content":
		file["file_data"] = "data:text/plain;base64," + base64.StdEncoding.EncodeToString([]byte(s.Content.text()))
	case s.Type == "url" && s.URL != "":
		file["file_data"] = s.URL
	default:
		return messagesPart{}, t.refuse(at+".source."+s.Type, "give a document as base64, text or a url")
	}
	if block.Title != "" {
		file["filename"] = block.Title
	}
	if block.Context != "" {
		t.drop("messages.context")
	}
	return messagesPart{Type: "file", File: file, Citations: messagesGiven(block.Citations)}, nil
}
