package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"point"
)

// responsesRequest is a request to PathResponses, as far as Point reads it. What the answer only
// repeats stays as it is.
type responsesRequest struct {
	Model             string            `json:"model"`
	Input             json.RawMessage   `json:"input"`
	Instructions      *string           `json:"instructions"`
	Tools             []json.RawMessage `json:"tools"`
	ToolChoice        json.RawMessage   `json:"tool_choice"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls"`
	Text              responsesText     `json:"text"`
	Reasoning         struct {
		Effort  string `json:"effort"`
		Summary string `json:"summary"`
	} `json:"reasoning"`
	MaxOutputTokens  *int64          `json:"max_output_tokens"`
	Temperature      *float64        `json:"temperature"`
	TopP             *float64        `json:"top_p"`
	User             string          `json:"user"`
	SafetyIdentifier string          `json:"safety_identifier"`
	Include          []string        `json:"include"`
	Store            *bool           `json:"store"`
	Previous         string          `json:"previous_response_id"`
	Stream           bool            `json:"stream"`
	Metadata         json.RawMessage `json:"metadata"`
	PromptCacheKey   json.RawMessage `json:"prompt_cache_key"`
	Truncation       json.RawMessage `json:"truncation"`
}

type responsesText struct {
	Format    *responsesFormat `json:"format"`
	Verbosity string           `json:"verbosity"`
}

type responsesFormat struct {
	Type        string          `json:"type"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// readResponses decodes a body.
func readResponses(body []byte) (*responsesRequest, error) {
	r := &responsesRequest{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, badType("", body, r, err)
	}
	return r, nil
}

// includes reports whether the client asked for a part of the answer.
func (r *responsesRequest) includes(what string) bool { return slices.Contains(r.Include, what) }

// thoughtWanted is what of a reasoning item goes on with the client.
const thoughtWanted = "reasoning.encrypted_content"

// responsesChat is the chat that a request is told as.
type responsesChat struct {
	Model             string               `json:"model"`
	Messages          []responsesMessage   `json:"messages"`
	Stream            bool                 `json:"stream,omitempty"`
	StreamOptions     map[string]bool      `json:"stream_options,omitempty"`
	Tools             []responsesChatTool  `json:"tools,omitempty"`
	ToolChoice        any                  `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool                `json:"parallel_tool_calls,omitempty"`
	ResponseFormat    *responsesChatFormat `json:"response_format,omitempty"`
	Verbosity         string               `json:"verbosity,omitempty"`
	ReasoningEffort   string               `json:"reasoning_effort,omitempty"`
	MaxTokens         *int64               `json:"max_tokens,omitempty"`
	Temperature       *float64             `json:"temperature,omitempty"`
	TopP              *float64             `json:"top_p,omitempty"`
	User              string               `json:"user,omitempty"`
}

type responsesChatFormat struct {
	Type       string           `json:"type"`
	JSONSchema *responsesSchema `json:"json_schema,omitempty"`
}

type responsesSchema struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// responsesTranslation is one request on its way into a chat.
type responsesTranslation struct {
	dropping
	request *responsesRequest
	out     responsesChat
	at      string   // where the item in hand stands
	made    []string // tools, by where they stand
}

// names are the client's of what the chat says.
func (t *responsesTranslation) names() *names {
	user := "user"
	if t.request.User == "" {
		user = "safety_identifier"
	}
	n := &names{tools: t.made, members: map[string]string{
		"model": "model", "messages": "input", "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens", "stream": "stream",
		"temperature": "temperature", "top_p": "top_p", "user": user, "tools": "tools", "tool_choice": "tool_choice", "parallel_tool_calls": "parallel_tool_calls",
		"reasoning": "reasoning.effort", "reasoning_effort": "reasoning.effort", "verbosity": "text.verbosity", "response_format": "text.format",
	}}
	for i := range t.out.Messages {
		n.messages = append(n.messages, t.out.Messages[i].at)
	}
	return n
}

// chat is the body of the chat.
func (t *responsesTranslation) chat(call *point.Call) ([]byte, error) {
	r := t.request
	if err := t.sortOut(call.Body, responsesFields); err != nil {
		return nil, err
	}
	t.out = responsesChat{
		Model: call.Envelope.Model, Stream: call.Envelope.Stream, ParallelToolCalls: r.ParallelToolCalls, Verbosity: r.Text.Verbosity,
		ReasoningEffort: r.Reasoning.Effort, MaxTokens: r.MaxOutputTokens, Temperature: r.Temperature, TopP: r.TopP, User: r.User,
	}
	if t.out.Stream {
		t.out.StreamOptions = map[string]bool{"include_usage": true}
	}
	if t.out.User == "" {
		t.out.User = r.SafetyIdentifier
	}
	for _, step := range []func() error{t.included, t.messages, t.tools, t.choice, t.format} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(t.out.Tools) == 0 {
		t.out.ParallelToolCalls = nil // OpenAI's imitators refuse it without tools
	}
	return encodeJSON(&t.out)
}

// included refuses what is asked for of the answer and cannot be given.
func (t *responsesTranslation) included() error {
	if t.request.includes("message.output_text.logprobs") {
		return t.refuse("include", "log probabilities cannot be told")
	}
	return nil
}

func (t *responsesTranslation) format() error {
	f := t.request.Text.Format
	if f == nil {
		return nil
	}
	switch f.Type {
	case "text", "":
	case "json_object":
		t.out.ResponseFormat = &responsesChatFormat{Type: f.Type}
	case "json_schema":
		t.out.ResponseFormat = &responsesChatFormat{f.Type, &responsesSchema{f.Name, f.Description, f.Schema, f.Strict}}
	default:
		return t.refuse("text.format", fmt.Sprintf("the format %q is none of text, json_object and json_schema", f.Type))
	}
	return nil
}

// encodeJSON is json.Marshal without the escapes that only HTML needs.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// given is raw, nil if it is absent or null.
func given(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return raw
}
