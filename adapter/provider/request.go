package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"point"
	"point/internal/jsonfault"
)

// chatRequest is the inner vocabulary's chat request, as far as translated dialects read it.
type chatRequest struct {
	Messages            []chatMessage     `json:"messages"`
	Tools               []json.RawMessage `json:"tools"`
	ToolChoice          json.RawMessage   `json:"tool_choice"`
	ParallelToolCalls   *bool             `json:"parallel_tool_calls"`
	ResponseFormat      *responseFormat   `json:"response_format"`
	ReasoningEffort     string            `json:"reasoning_effort"`
	Reasoning           *reasoning        `json:"reasoning"` // OpenRouter's form
	Thinking            json.RawMessage   `json:"thinking"`  // Anthropic's own, passed on to it
	CacheControl        json.RawMessage   `json:"cache_control"`
	Modalities          []string          `json:"modalities"`
	Stop                stopList          `json:"stop"`
	MaxTokens           *int64            `json:"max_tokens"`
	MaxCompletionTokens *int64            `json:"max_completion_tokens"`
	Temperature         *float64          `json:"temperature"`
	TopP                *float64          `json:"top_p"`
	TopK                *int64            `json:"top_k"`
	PresencePenalty     *float64          `json:"presence_penalty"`
	FrequencyPenalty    *float64          `json:"frequency_penalty"`
	Seed                *int64            `json:"seed"`
	User                string            `json:"user"`
	SafetyIdentifier    string            `json:"safety_identifier"`
	Stream              bool              `json:"stream"`
}

type reasoning struct {
	Effort    string `json:"effort"`
	MaxTokens int64  `json:"max_tokens"`
	Enabled   *bool  `json:"enabled"`
}

type responseFormat struct {
	Type       string `json:"type"` // text, json_object, json_schema
	JSONSchema struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

type chatMessage struct {
	Role             string            `json:"role"`
	Content          content           `json:"content"`
	Refusal          string            `json:"refusal"`
	Name             string            `json:"name"`
	ToolCalls        []toolCall        `json:"tool_calls"`
	ToolCallID       string            `json:"tool_call_id"`
	IsError          bool              `json:"is_error"` // of a tool: its result tells of a failure
	FunctionCall     json.RawMessage   `json:"function_call"`
	ReasoningDetails []reasoningDetail `json:"reasoning_details"`
	CacheControl     json.RawMessage   `json:"cache_control"`
}

// content is a message's content: parts, one text part if it was a string.
type content []contentPart

type contentPart struct {
	Type     string `json:"type"` // text, image_url, file, refusal; the rest is refused
	Text     string `json:"text"`
	Refusal  string `json:"refusal"`
	ImageURL struct {
		URL    string `json:"url"`
		Detail string `json:"detail"`
	} `json:"image_url"`
	File struct {
		Data     string `json:"file_data"`
		ID       string `json:"file_id"`
		Filename string `json:"filename"`
	} `json:"file"`
	InputAudio struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	CacheControl json.RawMessage `json:"cache_control"`
	Citations    json.RawMessage `json:"citations"` // of a file: Anthropic's {"enabled": true}
}

func (c *content) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		part := contentPart{Type: "text"}
		*c = content{part}
		return json.Unmarshal(b, &(*c)[0].Text)
	}
	return jsonfault.Union[[]contentPart, content](json.Unmarshal(b, (*[]contentPart)(c)))
}

// Wants names the forms of a content.
func (content) Wants() string { return "a string or a list of parts" }

type toolCall struct {
	CacheControl json.RawMessage `json:"cache_control,omitempty"`

	Index    *int          `json:"index,omitempty"`
	ID       string        `json:"id"`
	Type     string        `json:"type"`
	Function calledName    `json:"function"`
	Extra    *extraContent `json:"extra_content,omitempty"`
}

type calledName struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// extraContent is where Google's OpenAI endpoint keeps a call's thought signature; clients
// that send tool calls back as they came carry it.
type extraContent struct {
	Google struct {
		ThoughtSignature string `json:"thought_signature,omitempty"`
	} `json:"google"`
}

// reasoningDetail is one block of signed or encrypted thinking, in OpenRouter's form. A
// client that sends it back unchanged lets the model go on with its thought.
type reasoningDetail struct {
	Type      string `json:"type"` // reasoning.text, reasoning.encrypted, reasoning.summary
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
	ID        string `json:"id,omitempty"` // of the tool call it belongs to, if it does
	Format    string `json:"format"`
	Index     int    `json:"index"`
}

// Formats of reasoning details: whose they are, so that no provider gets another's.
const (
	formatAnthropic = "anthropic-claude-v1"
	formatGemini    = "google-gemini-v1"
	formatCohere    = "cohere-chat-v2"
)

// functionTool is a tool of type function.
type functionTool struct {
	Type         string          `json:"type"`
	CacheControl json.RawMessage `json:"cache_control"`
	Function     struct {
		Name         string          `json:"name"`
		Description  string          `json:"description"`
		Parameters   json.RawMessage `json:"parameters"`
		Strict       *bool           `json:"strict"`
		CacheControl json.RawMessage `json:"cache_control"`
	} `json:"function"`
}

// stopList is stop: null, a string, or a list.
type stopList []string

func (s *stopList) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*s = stopList{""}
		return json.Unmarshal(b, &(*s)[0])
	}
	return jsonfault.Union[[]string, stopList](json.Unmarshal(b, (*[]string)(s)))
}

// Wants names the forms of a stop.
func (stopList) Wants() string { return "a string or a list of strings" }

// readChat decodes a call's body.
func readChat(req *Request) (*chatRequest, error) {
	var chat chatRequest
	body, aside := lift(req.Call.Body, req.Call.Envelope.MessagesAt)
	if err := json.Unmarshal(body, &chat); err != nil {
		return nil, invalidBody("", req.Call.Body, &chat, err)
	}
	if err := aside.messages(chat.Messages); err != nil {
		return nil, invalidBody("", nil, nil, err)
	}
	if err := cmp.Or(tooShort("max_tokens", chat.MaxTokens), tooShort("max_completion_tokens", chat.MaxCompletionTokens)); err != nil {
		return nil, err
	}
	if len(chat.Messages) == 0 {
		return nil, &point.Error{Code: point.MissingField, Param: "messages", Message: "Give at least one message."}
	}
	return &chat, nil
}

// tooShort refuses a limit that no answer keeps, nil if it is none.
func tooShort(name string, limit *int64) *point.Error {
	if limit == nil || *limit > 0 {
		return nil
	}
	return &point.Error{Code: point.InvalidRequest, Param: name, Message: fmt.Sprintf("The field %q must be a whole number from 1 on; leave it out for the longest answer.", name)}
}

// invalidBody tells which field has the wrong type, and what it must be, of a part of the body: at is
// its place, empty for all of it, into what it was decoded into.
func invalidBody(at string, part []byte, into any, err error) *point.Error {
	if place, want, ok := jsonfault.Find(at, part, into, err); ok {
		return &point.Error{Code: point.InvalidRequest, Param: place, Message: fmt.Sprintf("The field %q must be %s.", place, want)}
	}
	return &point.Error{Code: point.InvalidJSON, Message: "The request body is not valid JSON.", Cause: err}
}

// maxTokens is the answer's limit, 0 for none.
func (c *chatRequest) maxTokens() int64 {
	switch {
	case c.MaxCompletionTokens != nil:
		return *c.MaxCompletionTokens
	case c.MaxTokens != nil:
		return *c.MaxTokens
	}
	return 0
}

// effort is the wanted reasoning effort, in lower case, empty if none was named.
func (c *chatRequest) effort() string {
	effort := c.ReasoningEffort
	if effort == "" && c.Reasoning != nil {
		effort = c.Reasoning.Effort
		switch {
		case c.Reasoning.Enabled != nil && !*c.Reasoning.Enabled:
			effort = "none"
		case effort == "" && c.Reasoning.Enabled != nil:
			effort = "medium"
		}
	}
	return strings.ToLower(effort)
}

// functions decodes the tools, those of other types left out: they are given to other.
func (c *chatRequest) functions(other func(raw json.RawMessage, kind string) error) ([]functionTool, error) {
	tools := make([]functionTool, 0, len(c.Tools))
	for i, raw := range c.Tools {
		var tool functionTool
		if err := json.Unmarshal(raw, &tool); err != nil {
			return nil, invalidBody(fmt.Sprintf("tools[%d]", i), raw, &tool, err)
		}
		if tool.Type != "function" {
			if err := other(raw, tool.Type); err != nil {
				return nil, err
			}
			continue
		}
		if tool.Function.Name == "" {
			return nil, &point.Error{Code: point.MissingField, Param: fmt.Sprintf("tools[%d].function.name", i), Message: "Each function needs a name."}
		}
		tools = append(tools, tool)
	}
	return tools, nil
}

// choice is a tool_choice read: mode is auto, none, required or empty for absent; names are
// the functions it limits the choice to.
type choice struct {
	mode  string
	names []string
}

// allows reports whether a function may be offered. A named choice leaves the others in the
// request, as OpenAI does; a list of allowed tools does not.
func (c choice) allows(name string) bool {
	limits := len(c.names) > 1 || len(c.names) == 1 && c.mode == "auto"
	return !limits || slices.Contains(c.names, name)
}

func (c *chatRequest) choice() (choice, error) {
	raw := bytes.TrimSpace(c.ToolChoice)
	if len(raw) == 0 || string(raw) == "null" {
		return choice{}, nil
	}
	if raw[0] == '"' {
		var mode string
		err := json.Unmarshal(raw, &mode)
		if err == nil && mode != "auto" && mode != "none" && mode != "required" {
			err = errors.New("unknown mode")
		}
		return choice{mode: mode}, badChoice(err)
	}
	type named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	var v struct {
		Type string `json:"type"`
		named
		Allowed struct {
			Mode  string  `json:"mode"`
			Tools []named `json:"tools"`
		} `json:"allowed_tools"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return choice{}, badChoice(err)
	}
	switch {
	case v.Type == "function" && v.Function.Name != "":
		return choice{"required", []string{v.Function.Name}}, nil
	case v.Type == "allowed_tools" && len(v.Allowed.Tools) > 0 && (v.Allowed.Mode == "auto" || v.Allowed.Mode == "required"):
		allowed := choice{mode: v.Allowed.Mode}
		for _, t := range v.Allowed.Tools {
			allowed.names = append(allowed.names, t.Function.Name)
		}
		return allowed, nil
	}
	return choice{}, badChoice(errors.New("unknown form"))
}

func badChoice(err error) error {
	if err == nil {
		return nil
	}
	return &point.Error{
		Code: point.InvalidRequest, Param: "tool_choice", Cause: err,
		Message: `Give "tool_choice" as "auto", "none", "required", or {"type": "function", "function": {"name": ...}}.`,
	}
}

// splitDataURL splits a data URL of base64 into its media type and data.
func splitDataURL(url string) (media, data string, ok bool) {
	rest, ok := strings.CutPrefix(url, "data:")
	if !ok {
		return "", "", false
	}
	head, data, ok := strings.Cut(rest, ",")
	media, encoded := strings.CutSuffix(head, ";base64")
	media, _, _ = strings.Cut(media, ";")
	return media, data, ok && encoded && media != ""
}

// arguments is what tool call j of message i gives its function, a JSON object: "" and null
// are {}.
func (c *toolCall) arguments(i, j int) (json.RawMessage, error) {
	trimmed := bytes.TrimSpace([]byte(c.Function.Arguments))
	switch {
	case len(trimmed) == 0 || string(trimmed) == "null":
		return json.RawMessage("{}"), nil
	case trimmed[0] == '{' && json.Valid(trimmed):
		return trimmed, nil
	}
	return nil, &point.Error{
		Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].tool_calls[%d].function.arguments", i, j),
		Message: "A tool call's arguments must be a JSON object in a string.",
	}
}
