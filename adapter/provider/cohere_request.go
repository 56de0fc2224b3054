package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"point"
)

// cohereSaid are the fields that are translated.
var cohereSaid = []string{
	"tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "reasoning",
	"stop", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty",
}

// cohereTranslation is one chat request on its way into Cohere's chat.
type cohereTranslation struct {
	translation
	out cohereRequest
}

func (t *cohereTranslation) translate() error {
	dropped, err := fields(t.req, t.kind, cohereSaid)
	if err != nil {
		return err
	}
	t.dropped = dropped
	c := t.chat
	t.out = cohereRequest{
		Model: t.req.Model, MaxTokens: max(c.maxTokens(), 0), StopSequences: c.Stop, K: c.TopK, Seed: c.Seed, Stream: c.Stream,
		PresencePenalty: t.penalty("presence_penalty", c.PresencePenalty), FrequencyPenalty: t.penalty("frequency_penalty", c.FrequencyPenalty),
	}
	if c.Temperature != nil {
		v := min(*c.Temperature, 1)
		t.out.Temperature = &v
	}
	if c.TopP != nil {
		p := min(max(*c.TopP, 0.01), 0.99) // its own bounds
		t.out.P = &p
	}
	for _, step := range []func() error{t.messages, t.tools, t.format, t.thinking} {
		if err := step(); err != nil {
			return err
		}
	}
	t.uncached()
	return nil
}

// penalty fits a penalty of OpenAI's range, -2 to 2, into Cohere's, 0 to 1.
func (t *cohereTranslation) penalty(name string, p *float64) *float64 {
	switch {
	case p == nil || *p == 0:
		return nil
	case *p < 0:
		t.drop(name)
		return nil
	}
	v := min(*p, 1)
	return &v
}

func (t *cohereTranslation) messages() error {
	system, list, err := turns(&t.translation, t)
	if err != nil {
		return err
	}
	t.out.Messages = system
	if list[0].role == "user" && list[0].parts[0].Role == "system" { // there is nothing else
		t.out.Messages = nil
		for i := range list[0].parts {
			list[0].parts[i].Role = "user"
		}
	}
	for _, turn := range list {
		t.out.Messages = append(t.out.Messages, turn.parts...)
	}
	return nil
}

func (t *cohereTranslation) said(i int, m chatMessage) ([]cohereMessage, error) {
	role := m.Role
	if role == "developer" {
		role = "system"
	}
	parts, err := t.parts(i, m.Content, role == "user")
	if len(parts) == 0 {
		return nil, err
	}
	return []cohereMessage{{Role: role, Content: parts}}, err
}

func (t *cohereTranslation) result(i int, m chatMessage) ([]cohereMessage, error) {
	parts, err := t.parts(i, m.Content, false)
	if m.IsError { // it has no word for it
		parts = append(cohereContent{{Type: "text", Text: "Error:"}}, parts...)
	}
	if len(parts) == 0 {
		parts = cohereContent{{Type: "text"}}
	}
	return []cohereMessage{{Role: "tool", ToolCallID: m.ToolCallID, Content: parts}}, err
}

// assistant puts thinking first, or the plan where it led to calls.
func (t *cohereTranslation) assistant(i int, m chatMessage) ([]cohereMessage, error) {
	out := cohereMessage{Role: "assistant"}
	for _, d := range m.ReasoningDetails {
		switch {
		case d.Format != formatCohere || d.Text == "":
		case d.Type == "reasoning.summary":
			out.ToolPlan += d.Text
		default:
			out.Content = append(out.Content, coherePart{Type: "thinking", Thinking: d.Text})
		}
	}
	parts, err := t.parts(i, m.Content, false)
	if err != nil {
		return nil, err
	}
	out.Content = append(out.Content, parts...)
	if m.Refusal != "" {
		out.Content = append(out.Content, coherePart{Type: "text", Text: m.Refusal})
	}
	for j, call := range m.ToolCalls {
		arguments, err := call.arguments(i, j)
		if err != nil {
			return nil, err
		}
		out.ToolCalls = append(out.ToolCalls, toolCall{ID: call.ID, Type: "function", Function: calledName{call.Function.Name, string(arguments)}})
	}
	if len(out.Content) == 0 && len(out.ToolCalls) == 0 {
		return nil, nil
	}
	return []cohereMessage{out}, nil
}

// parts translates a message's content; empty text is left out.
func (t *cohereTranslation) parts(i int, list content, images bool) (cohereContent, error) {
	var parts cohereContent
	for j, p := range list {
		at := fmt.Sprintf("messages[%d].content[%d]", i, j)
		switch {
		case p.Type == "text" && p.Text != "":
			parts = append(parts, coherePart{Type: "text", Text: p.Text})
		case p.Type == "refusal" && p.Refusal != "":
			parts = append(parts, coherePart{Type: "text", Text: p.Refusal})
		case p.Type == "text", p.Type == "refusal":
		case p.Type == "image_url" && images:
			image, err := cohereImageOf(p, at)
			if err != nil {
				return nil, err
			}
			parts = append(parts, coherePart{Type: "image_url", ImageURL: image})
		default:
			if err := t.refuse(at+"."+printable(p.Type), "use text parts, and image_url parts in messages of the user"); err != nil {
				return nil, err
			}
		}
	}
	return parts, nil
}

func cohereImageOf(p contentPart, at string) (*cohereImage, error) {
	address := p.ImageURL.URL
	_, _, data := splitDataURL(address)
	if !data && !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return nil, &point.Error{Code: point.InvalidRequest, Param: at + ".image_url.url", Message: "Give an image as an http(s) URL or as a data URL of base64."}
	}
	return &cohereImage{address, p.ImageURL.Detail}, nil
}

// tools declares the functions. Cohere knows no choice by name: a choice that names functions
// leaves the others out.
func (t *cohereTranslation) tools() error {
	choice, err := t.chat.choice()
	if err != nil {
		return err
	}
	functions, err := t.chat.functions(func(_ json.RawMessage, kind string) error {
		return t.refuse("tools."+printable(kind), "only tools of type function can be translated")
	})
	if err != nil {
		return err
	}
	strict := len(functions) > 0
	for _, f := range functions {
		if len(choice.names) > 0 && !slices.Contains(choice.names, f.Function.Name) {
			continue
		}
		strict = strict && f.Function.Strict != nil && *f.Function.Strict
		t.out.Tools = append(t.out.Tools, cohereTool{"function", cohereFunction{f.Function.Name, f.Function.Description, inputSchema(f.Function.Parameters)}})
	}
	t.out.StrictTools = strict && len(t.out.Tools) > 0
	switch {
	case len(functions) == 0:
	case len(t.out.Tools) == 0:
		return &point.Error{Code: point.InvalidRequest, Param: "tool_choice", Message: fmt.Sprintf("The tool %q of tool_choice is not among the tools.", cut(choice.names[0], 80))}
	case choice.mode == "required":
		t.out.ToolChoice = "REQUIRED"
	case choice.mode == "none":
		t.out.ToolChoice = "NONE"
	}
	return nil
}

// format asks for an answer in JSON. Cohere takes no format beside tools; where none may be
// called they are left out.
func (t *cohereTranslation) format() error {
	f := t.chat.ResponseFormat
	if f == nil || f.Type == "text" || f.Type == "" {
		return nil
	}
	schema := given(f.JSONSchema.Schema)
	switch {
	case f.Type != "json_object" && f.Type != "json_schema":
		return t.refuse("response_format", "use the type text, json_object or json_schema")
	case f.Type == "json_schema" && schema == nil:
		return &point.Error{Code: point.MissingField, Param: "response_format.json_schema.schema", Message: "Give the schema of the answer."}
	case len(t.out.Tools) > 0 && t.out.ToolChoice != "NONE":
		return t.refuse("response_format", "it cannot go together with tools")
	case f.Type == "json_object":
		schema = nil
	}
	t.out.Tools, t.out.ToolChoice, t.out.StrictTools = nil, "", false
	t.out.ResponseFormat = &cohereFormat{"json_object", schema}
	return nil
}

// thinking translates the reasoning effort into a budget.
func (t *cohereTranslation) thinking() error {
	effort := t.chat.effort()
	budget, known := effortBudget[effort]
	if t.chat.Reasoning != nil && t.chat.Reasoning.MaxTokens > 0 {
		budget, known = t.chat.Reasoning.MaxTokens, true
	}
	switch {
	case effort != "none" && effort != "" && !known:
		return &point.Error{Code: point.InvalidRequest, Param: "reasoning_effort", Message: "Give reasoning_effort as none, minimal, low, medium, high or xhigh."}
	case effort == "" && !known:
		return nil
	case !cohereThinks(t.req.Model):
		if effort != "none" {
			t.dropEffort()
		}
	case effort == "none":
		t.out.Thinking = &cohereThinking{Type: "disabled"}
	default:
		t.out.Thinking = &cohereThinking{"enabled", budget}
	}
	return nil
}
