package dialect

import (
	"encoding/json"
	"fmt"

	"point"
)

// messagesTool is a tool of the client's own, if its type is empty or custom.
type messagesTool struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"input_schema"`
	Strict       *bool           `json:"strict"`
	CacheControl json.RawMessage `json:"cache_control"`
}

// messagesFunc is a tool of a chat.
type messagesFunc struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters,omitempty"`
		Strict      *bool           `json:"strict,omitempty"`
	} `json:"function"`
	CacheControl json.RawMessage `json:"cache_control,omitempty"`
}

type messagesChoice struct {
	Type            string `json:"type"` // auto, any, tool, none
	Name            string `json:"name"`
	DisableParallel bool   `json:"disable_parallel_tool_use"`
}

type messagesThinking struct {
	Type   string `json:"type"` // enabled, adaptive, disabled
	Budget int64  `json:"budget_tokens"`
}

type messagesOutput struct {
	Effort string          `json:"effort"`
	Format *messagesFormat `json:"format"`
}

type messagesFormat struct {
	Type   string          `json:"type"` // json_schema
	Schema json.RawMessage `json:"schema"`
}

// messagesReason is how much a chat's model thinks.
type messagesReason struct {
	Effort    string `json:"effort,omitempty"`
	MaxTokens int64  `json:"max_tokens,omitempty"`
	Enabled   *bool  `json:"enabled,omitempty"`
}

// tools tells the client's own tools as functions.
func (t *messagesTelling) tools() error {
	for i, raw := range t.in.Tools {
		var tool messagesTool
		if err := json.Unmarshal(raw, &tool); err != nil {
			return badType(fmt.Sprintf("tools[%d]", i), raw, &tool, err)
		}
		if tool.Type != "" && tool.Type != "custom" {
			if err := t.refuse("tools."+tool.Type, "only tools with an input_schema of your own can be told to other providers"); err != nil {
				return err
			}
			continue
		}
		if tool.Name == "" {
			return &point.Error{Code: point.MissingField, Param: fmt.Sprintf("tools[%d].name", i), Message: "Each tool needs a name."}
		}
		f := messagesFunc{Type: "function", CacheControl: messagesGiven(tool.CacheControl)}
		f.Function.Name, f.Function.Description, f.Function.Strict = tool.Name, tool.Description, tool.Strict
		f.Function.Parameters = messagesGiven(tool.InputSchema)
		t.out.Tools, t.made = append(t.out.Tools, f), append(t.made, fmt.Sprintf("tools[%d]", i))
	}
	return nil
}

// toolChoice says how the tools may be used, if there are any.
func (t *messagesTelling) toolChoice() {
	choice := t.in.ToolChoice
	if len(t.out.Tools) == 0 {
		return
	}
	switch choice.Type {
	case "auto", "none":
		t.out.ToolChoice = choice.Type
	case "any":
		t.out.ToolChoice = "required"
	case "tool":
		t.out.ToolChoice = map[string]any{"type": "function", "function": map[string]string{"name": choice.Name}}
	}
	if choice.DisableParallel {
		t.out.Parallel = new(bool)
	}
}

// reasoning says how much to think. Effort counts without thinking too.
func (t *messagesTelling) reasoning() {
	r := messagesReason{Effort: t.in.OutputConfig.Effort}
	switch on := t.in.Thinking.Type; on {
	case "enabled":
		r.MaxTokens = max(t.in.Thinking.Budget, 0)
	case "adaptive", "disabled":
		enabled := on == "adaptive"
		r.Enabled = &enabled
	}
	if r != (messagesReason{}) {
		t.out.Reasoning = &r
	}
}

// format asks for an answer in JSON.
func (t *messagesTelling) format() error {
	f, at := t.in.OutputConfig.Format, "output_config.format"
	if f == nil {
		f, at = t.in.OutputFormat, "output_format"
	}
	switch {
	case f == nil:
		return nil
	case f.Type != "json_schema":
		return t.refuse(at+"."+f.Type, "use the type json_schema")
	case messagesGiven(f.Schema) == nil:
		return &point.Error{Code: point.MissingField, Param: at + ".schema", Message: "Give the schema of the answer."}
	}
	t.out.Format = map[string]any{
		"type": "json_schema", "json_schema": map[string]any{"name": "answer", "strict": true, "schema": f.Schema},
	}
	return nil
}
