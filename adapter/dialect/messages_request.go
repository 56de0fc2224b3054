package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"point"
)

// messagesFate is what becomes of a field of a message request that is told as a chat.
type messagesFate struct {
	as      string // where it goes, for people
	weighty bool   // it changes what the answer is: refused, unless as says where it goes
}

// messagesFields are the fields of POST /v1/messages. Others are dropped.
var messagesFields = map[string]messagesFate{
	"model":              {as: "`model`"},
	"messages":           {as: "`messages`"},
	"system":             {as: "a `system` message"},
	"max_tokens":         {as: "`max_tokens`"},
	"stream":             {as: "`stream`, with usage"},
	"tools":              {as: "functions; Anthropic's own tools are refused by name"},
	"tool_choice":        {as: "`tool_choice`, `parallel_tool_calls`"},
	"thinking":           {as: "`reasoning`: its budget, or whether to think at all"},
	"output_config":      {as: "`reasoning` (effort), `response_format` (format)"},
	"output_format":      {as: "`response_format`"},
	"stop_sequences":     {as: "`stop`"},
	"temperature":        {as: "`temperature`"},
	"top_p":              {as: "`top_p`"},
	"top_k":              {as: "`top_k`"},
	"metadata":           {as: "`user`: its `user_id`"},
	"cache_control":      {as: "`cache_control`"},
	"mcp_servers":        {weighty: true},
	"container":          {weighty: true},
	"inference_geo":      {weighty: true},
	"context_management": {},
	"service_tier":       {},
	"speed":              {},
	"betas":              {},
}

// messagesTelling is one message request on its way into a chat.
type messagesTelling struct {
	dropping
	call *point.Call
	in   messagesRequest
	out  messagesChat
	at   string // where the message in hand stands
	from []string
	made []string // tools, by where they stand
}

// messagesRequest is the body of POST /v1/messages, as far as it can be told.
type messagesRequest struct {
	Messages      []messagesTurn    `json:"messages"`
	System        messagesContent   `json:"system"`
	MaxTokens     *int64            `json:"max_tokens"`
	Tools         []json.RawMessage `json:"tools"`
	ToolChoice    messagesChoice    `json:"tool_choice"`
	Thinking      messagesThinking  `json:"thinking"`
	OutputConfig  messagesOutput    `json:"output_config"`
	OutputFormat  *messagesFormat   `json:"output_format"`
	StopSequences []string          `json:"stop_sequences"`
	Temperature   *float64          `json:"temperature"`
	TopP          *float64          `json:"top_p"`
	TopK          *int64            `json:"top_k"`
	CacheControl  json.RawMessage   `json:"cache_control"`
	Metadata      struct {
		UserID string `json:"user_id"`
	} `json:"metadata"`
	Stream bool `json:"stream"`
}

// messagesChat is the chat.
type messagesChat struct {
	Model         string          `json:"model"`
	Messages      []messagesSaid  `json:"messages"`
	MaxTokens     *int64          `json:"max_tokens,omitempty"`
	Tools         []messagesFunc  `json:"tools,omitempty"`
	ToolChoice    any             `json:"tool_choice,omitempty"`
	Parallel      *bool           `json:"parallel_tool_calls,omitempty"`
	Reasoning     *messagesReason `json:"reasoning,omitempty"`
	Format        any             `json:"response_format,omitempty"`
	Stop          []string        `json:"stop,omitempty"`
	Temperature   *float64        `json:"temperature,omitempty"`
	TopP          *float64        `json:"top_p,omitempty"`
	TopK          *int64          `json:"top_k,omitempty"`
	CacheControl  json.RawMessage `json:"cache_control,omitempty"`
	User          string          `json:"user,omitempty"`
	Stream        bool            `json:"stream,omitempty"`
	StreamOptions map[string]bool `json:"stream_options,omitempty"`
}

// tell makes the chat's body.
func (t *messagesTelling) tell() ([]byte, error) {
	if err := json.Unmarshal(t.call.Body, &t.in); err != nil {
		return nil, badType("", t.call.Body, &t.in, err)
	}
	if len(t.in.Messages) == 0 {
		return nil, &point.Error{Code: point.MissingField, Param: "messages", Message: "Give at least one message."}
	}
	for _, step := range []func() error{t.sort, t.conversation, t.tools, t.format} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if most := t.in.MaxTokens; most != nil && *most == 0 { // the prompt is only to be cached
		return nil, &point.Error{Code: point.UnsupportedField, Param: "max_tokens", Message: "A max_tokens of 0, which fills the cache and answers nothing, has a meaning at Anthropic alone; this model's provider is another."}
	}
	t.toolChoice()
	t.reasoning()
	in, out := &t.in, &t.out
	out.Model, out.MaxTokens, out.Stop, out.Stream = t.call.Envelope.Model, in.MaxTokens, in.StopSequences, t.call.Envelope.Stream
	out.Temperature, out.TopP, out.TopK = in.Temperature, in.TopP, in.TopK
	out.CacheControl, out.User = messagesGiven(in.CacheControl), in.Metadata.UserID
	if out.Stream {
		out.StreamOptions = map[string]bool{"include_usage": true}
	}
	return messagesJSON(out)
}

// names are the client's of what the chat says.
func (t *messagesTelling) names() *names {
	thinking, format := "thinking", "output_config.format"
	if t.in.Thinking.Type == "" {
		thinking = "output_config.effort"
	}
	if t.in.OutputConfig.Format == nil {
		format = "output_format"
	}
	return &names{messages: t.from, tools: t.made, members: map[string]string{
		"model": "model", "messages": "messages", "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens", "stream": "stream",
		"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences", "user": "metadata.user_id",
		"tools": "tools", "tool_choice": "tool_choice", "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
		"reasoning": thinking, "reasoning_effort": thinking, "response_format": format, "cache_control": "cache_control",
	}}
}

// sort looks at every field: those that cannot be told are refused or dropped.
func (t *messagesTelling) sort() (err error) {
	gjson.ParseBytes(t.call.Body).ForEach(func(key, value gjson.Result) bool {
		fate := messagesFields[key.Str]
		switch {
		case fate.as != "", slices.Contains(ownFields, key.Str), messagesNothing(value):
		case fate.weighty:
			err = t.refuse(key.Str, "")
		default:
			t.drop(key.Str)
		}
		return err == nil
	})
	return err
}

// messagesNothing reports whether a value says nothing.
func messagesNothing(v gjson.Result) bool {
	return v.Type == gjson.Null || v.Raw == "[]" || v.Raw == "{}"
}

// messagesGiven is raw, or nil if it is null.
func messagesGiven(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// messagesJSON is json.Marshal without the escapes that only HTML needs.
func messagesJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
