package dialect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"point"
)

// responsesItem is an item of an input, of any type.
type responsesItem struct {
	Type             string          `json:"type"` // absent: message
	ID               string          `json:"id"`
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	CallID           string          `json:"call_id"`
	Name             string          `json:"name"`
	Arguments        string          `json:"arguments"`
	Input            string          `json:"input"`
	Output           json.RawMessage `json:"output"`
	EncryptedContent string          `json:"encrypted_content"`
}

// responsesMessage is a message of a chat.
type responsesMessage struct {
	Role             string              `json:"role"`
	Content          any                 `json:"content"` // a string, responsesPart elements, or null beside tool calls
	ToolCalls        []responsesChatCall `json:"tool_calls,omitempty"`
	ToolCallID       string              `json:"tool_call_id,omitempty"`
	ReasoningDetails []json.RawMessage   `json:"reasoning_details,omitempty"`

	parts []responsesPart
	at    string // where it stands in the request
}

type responsesChatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// responsesPart is a part of a chat message's content.
type responsesPart struct {
	Type       string          `json:"type"`
	Text       string          `json:"text,omitempty"`
	Refusal    string          `json:"refusal,omitempty"`
	ImageURL   *responsesImage `json:"image_url,omitempty"`
	File       *responsesFile  `json:"file,omitempty"`
	InputAudio json.RawMessage `json:"input_audio,omitempty"`
}

type responsesImage struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type responsesFile struct {
	Data     string `json:"file_data,omitempty"` // a data URL, or a URL
	ID       string `json:"file_id,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// messages translates instructions and input.
func (t *responsesTranslation) messages() error {
	t.at = "instructions"
	if s := t.request.Instructions; s != nil && *s != "" {
		t.add(&responsesMessage{Role: "system", parts: []responsesPart{{Type: "text", Text: *s}}})
	}
	if id := t.request.Previous; id != "" {
		return &point.Error{Code: point.ResponseNotFound, Param: "previous_response_id", Message: fmt.Sprintf("Point keeps no response %q for this key, and this provider knows none: send the whole input.", short(id))}
	}
	items, err := t.request.items()
	if err != nil {
		return err
	}
	for i, raw := range items {
		t.at = fmt.Sprintf("input[%d]", i)
		if err := t.item(t.at, raw); err != nil {
			return err
		}
	}
	t.out.Messages = slices.DeleteFunc(t.out.Messages, func(m responsesMessage) bool { return len(m.parts) == 0 && len(m.ToolCalls) == 0 })
	for i := range t.out.Messages {
		m := &t.out.Messages[i]
		m.Content = contentOf(m.parts)
	}
	if len(t.out.Messages) == 0 {
		return &point.Error{Code: point.MissingField, Param: "input", Message: "Give an input of at least one item."}
	}
	return nil
}

// items are the input's; a string is what the user says.
func (r *responsesRequest) items() ([]json.RawMessage, error) {
	raw := given(r.Input)
	switch {
	case raw == nil:
		return nil, &point.Error{Code: point.MissingField, Param: "input", Message: `The request has no "input".`}
	case raw[0] == '"':
		return []json.RawMessage{json.RawMessage(`{"type":"message","role":"user","content":` + string(raw) + `}`)}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, &point.Error{Code: point.InvalidRequest, Param: "input", Message: `Give "input" as a string or a list of items.`}
	}
	return items, nil
}

// contentOf is a string if there is one text and nothing else. Empty texts say nothing.
func contentOf(parts []responsesPart) any {
	if len(parts) > 1 {
		parts = slices.DeleteFunc(parts, func(p responsesPart) bool { return p.Type == "text" && p.Text == "" })
	}
	switch {
	case len(parts) == 0:
		return nil
	case len(parts) == 1 && parts[0].Type == "text":
		return parts[0].Text
	}
	return parts
}

// add appends a message.
func (t *responsesTranslation) add(m *responsesMessage) {
	m.at = t.at
	t.out.Messages = append(t.out.Messages, *m)
}

// assistant is the message that the assistant is saying: what follows one another of its items is
// one.
func (t *responsesTranslation) assistant() *responsesMessage {
	if n := len(t.out.Messages); n == 0 || t.out.Messages[n-1].Role != "assistant" {
		t.add(&responsesMessage{Role: "assistant"})
	}
	return &t.out.Messages[len(t.out.Messages)-1]
}

// item translates one item of the input.
func (t *responsesTranslation) item(at string, raw json.RawMessage) error {
	var item responsesItem
	if err := json.Unmarshal(raw, &item); err != nil {
		return badType(at, raw, &item, err)
	}
	switch item.Type {
	case "message", "":
		return t.message(at, &item)
	case "function_call":
		t.call(&item)
		return nil
	case "custom_tool_call":
		return t.customCall(&item)
	case "function_call_output", "custom_tool_call_output":
		parts, err := t.content(at+".output", item.Output)
		if len(parts) == 0 {
			parts = []responsesPart{{Type: "text"}}
		}
		t.add(&responsesMessage{Role: "tool", ToolCallID: item.CallID, parts: parts})
		return err
	case "reasoning":
		t.thought(&item)
		return nil
	case "item_reference":
		return &point.Error{Code: point.InvalidRequest, Param: at + ".id", Message: fmt.Sprintf("Point keeps no item %q for this key: send the item itself.", short(item.ID))}
	}
	return t.refuse(at+".type", fmt.Sprintf("an item of type %q is OpenAI's own", short(item.Type)))
}

func (t *responsesTranslation) message(at string, item *responsesItem) error {
	parts, err := t.content(at+".content", item.Content)
	if err != nil {
		return err
	}
	switch item.Role {
	case "user", "system", "developer":
		role := item.Role
		if role == "developer" { // which not all servers know
			role = "system"
		}
		t.add(&responsesMessage{Role: role, parts: parts})
	case "assistant":
		m := t.assistant()
		m.parts = append(m.parts, parts...)
	default:
		return &point.Error{Code: point.InvalidRequest, Param: at + ".role", Message: fmt.Sprintf("The role %q is none of user, assistant, system and developer.", short(item.Role))}
	}
	return nil
}

func (t *responsesTranslation) call(item *responsesItem) {
	call := responsesChatCall{ID: item.CallID, Type: "function"}
	call.Function.Name, call.Function.Arguments = item.Name, item.Arguments
	if strings.TrimSpace(item.Arguments) == "" {
		call.Function.Arguments = "{}"
	}
	m := t.assistant()
	m.ToolCalls = append(m.ToolCalls, call)
}

// thought gives a reasoning item that Point made back to the provider whose thought it is.
func (t *responsesTranslation) thought(item *responsesItem) {
	details := openThought(item.EncryptedContent)
	if details == nil {
		if item.EncryptedContent != "" {
			t.drop("input.encrypted_content")
		}
		return
	}
	m := t.assistant()
	m.ReasoningDetails = append(m.ReasoningDetails, details...)
}

// carryThought is what carries reasoning details through a client.
func carryThought(details []json.RawMessage) string {
	raw, err := encodeJSON(details)
	if err != nil { // they have been JSON when they came
		return ""
	}
	return point.ThoughtMark + base64.RawURLEncoding.EncodeToString(raw)
}

// openThought is nil for what Point has not made.
func openThought(sealed string) []json.RawMessage {
	coded, ok := strings.CutPrefix(sealed, point.ThoughtMark)
	if !ok {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	var details []json.RawMessage
	if err != nil || json.Unmarshal(raw, &details) != nil {
		return nil
	}
	return details
}

// responsesContents is an item's content where it is no string.
type responsesContents []responsesContent

// Wants names the forms of a content.
func (responsesContents) Wants() string { return "a string or a list of parts" }

// responsesContent is a part of an item's content, of any type.
type responsesContent struct {
	Type       string          `json:"type"`
	Text       string          `json:"text"`
	Refusal    string          `json:"refusal"`
	ImageURL   string          `json:"image_url"`
	Detail     string          `json:"detail"`
	FileData   string          `json:"file_data"`
	FileURL    string          `json:"file_url"`
	FileID     string          `json:"file_id"`
	Filename   string          `json:"filename"`
	InputAudio json.RawMessage `json:"input_audio"`
}

// content translates content that is a string or a list of parts.
func (t *responsesTranslation) content(at string, raw json.RawMessage) ([]responsesPart, error) {
	raw = given(raw)
	if raw == nil {
		return nil, nil
	}
	if raw[0] == '"' {
		parts := []responsesPart{{Type: "text"}}
		return parts, json.Unmarshal(raw, &parts[0].Text)
	}
	var list responsesContents
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, badType(at, raw, &list, err)
	}
	parts := make([]responsesPart, 0, len(list))
	for i := range list {
		part, err := t.part(fmt.Sprintf("%s[%d]", at, i), &list[i])
		if err != nil {
			return nil, err
		}
		if part.Type != "" {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// part translates one part; its type is empty if it is left out.
func (t *responsesTranslation) part(at string, c *responsesContent) (part responsesPart, err error) {
	switch c.Type {
	case "input_text", "output_text", "text":
		return responsesPart{Type: "text", Text: c.Text}, nil
	case "refusal":
		return responsesPart{Type: "refusal", Refusal: c.Refusal}, nil
	case "input_image":
		if c.ImageURL == "" {
			return part, t.refuse(at+".file_id", "files that lie at OpenAI cannot be read by others")
		}
		return responsesPart{Type: "image_url", ImageURL: &responsesImage{c.ImageURL, c.Detail}}, nil
	case "input_file":
		file := &responsesFile{Data: c.FileData, ID: c.FileID, Filename: c.Filename}
		if file.Data == "" {
			file.Data = c.FileURL
		}
		return responsesPart{Type: "file", File: file}, nil
	case "input_audio":
		return responsesPart{Type: "input_audio", InputAudio: c.InputAudio}, nil
	}
	return part, t.refuse(at+".type", fmt.Sprintf("content of type %q is OpenAI's own", short(c.Type)))
}
