package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"point"
)

// serverTool is the form of the types of Anthropic's own tools, such as web_search_20250305.
var serverTool = regexp.MustCompile(`_\d{8}$`)

// toolList translates the functions, limited to those that tool_choice allows.
func (t *anthropicTranslation) toolList() error {
	choice, err := t.chat.choice()
	if err != nil {
		return err
	}
	functions, err := t.chat.functions(func(raw json.RawMessage, kind string) error {
		if serverTool.MatchString(kind) {
			t.out.Tools = append(t.out.Tools, raw)
			return nil
		}
		return t.refuse("tools."+printable(kind), "only tools of type function can be translated")
	})
	if err != nil {
		return err
	}
	for _, f := range functions {
		if !choice.allows(f.Function.Name) {
			continue
		}
		if err := t.addTool(anthropicTool{
			Name: f.Function.Name, Description: f.Function.Description, InputSchema: inputSchema(f.Function.Parameters),
			Strict:       f.Function.Strict != nil && *f.Function.Strict && t.model.formats(),
			CacheControl: firstGiven(f.CacheControl, f.Function.CacheControl),
		}); err != nil {
			return err
		}
	}
	return t.calledTools()
}

// calledTools declares the tools of past calls if the request declares none, as it must.
func (t *anthropicTranslation) calledTools() error {
	if len(t.out.Tools) > 0 {
		return nil
	}
	for _, m := range t.chat.Messages {
		for _, call := range m.ToolCalls {
			if slices.Contains(t.tools, call.Function.Name) {
				continue
			}
			if err := t.addTool(anthropicTool{Name: call.Function.Name, InputSchema: inputSchema(nil)}); err != nil {
				return err
			}
			t.out.ToolChoice = &anthropicChoice{Type: "none"}
		}
	}
	return nil
}

func (t *anthropicTranslation) addTool(tool anthropicTool) error {
	raw, err := marshal(tool)
	if err != nil {
		return &point.Error{Code: point.InvalidRequest, Param: "tools", Message: "A tool's parameters are not valid JSON.", Cause: err}
	}
	t.out.Tools = append(t.out.Tools, raw)
	t.tools = append(t.tools, tool.Name)
	return nil
}

// inputSchema is a function's parameters, as a schema of an object.
func inputSchema(parameters json.RawMessage) json.RawMessage {
	var schema map[string]json.RawMessage
	if json.Unmarshal(parameters, &schema) != nil || schema == nil {
		return json.RawMessage(`{"type":"object","properties":{}}`)
	}
	if _, ok := schema["type"]; ok {
		return parameters
	}
	edits := []edit{{point.Span{Start: 1, End: 1}, []byte(`"type":"object"`)}}
	if len(schema) > 0 {
		edits[0].text = append(edits[0].text, ',')
	}
	return splice(parameters, edits)
}

func firstGiven(list ...json.RawMessage) json.RawMessage {
	for _, raw := range list {
		if given(raw) != nil {
			return raw
		}
	}
	return nil
}

func (t *anthropicTranslation) toolChoice() error {
	choice, err := t.chat.choice()
	if err != nil || len(t.out.Tools) == 0 || t.out.ToolChoice != nil {
		return err
	}
	out := &anthropicChoice{Type: "auto"}
	switch {
	case choice.mode == "none":
		out.Type = "none"
	case choice.mode == "required" && len(choice.names) == 1:
		if !slices.Contains(t.tools, choice.names[0]) {
			return &point.Error{Code: point.InvalidRequest, Param: "tool_choice", Message: fmt.Sprintf("The tool %q of tool_choice is not among the tools.", cut(choice.names[0], 80))}
		}
		out.Type, out.Name = "tool", choice.names[0]
	case choice.mode == "required":
		out.Type = "any"
	}
	if p := t.chat.ParallelToolCalls; p != nil && !*p && out.Type != "none" {
		out.DisableParallel = true
	} else if choice.mode == "" {
		return nil
	}
	t.out.ToolChoice = out
	return nil
}

// format asks for an answer in JSON: by output format where the model has it and there is a
// schema, else by a tool that the model must use.
func (t *anthropicTranslation) format() error {
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
	case f.Type == "json_schema" && t.model.formats():
		t.outputConfig().Format = &anthropicFormat{"json_schema", closedSchema(schema)}
		return nil
	case f.Type == "json_object":
		schema = json.RawMessage(`{"type":"object","additionalProperties":true}`)
	}
	return t.formatTool(schema)
}

// formatTool has the answer given as the input of a tool. It cannot go with a choice that
// demands one of the request's own tools.
func (t *anthropicTranslation) formatTool(schema json.RawMessage) error {
	if t.forced() {
		return t.refuse("response_format", "with this model it cannot go together with a tool_choice that demands a call")
	}
	t.jsonTool = true
	choice := &anthropicChoice{Type: "any"}
	switch asked := t.out.ToolChoice; {
	case len(t.out.Tools) == 0, asked != nil && asked.Type == "none":
		t.out.Tools = nil
		choice = &anthropicChoice{Type: "tool", Name: jsonToolName, DisableParallel: true} // two would be two answers
	case asked != nil:
		choice.DisableParallel = asked.DisableParallel
	}
	t.out.ToolChoice = choice
	return t.addTool(anthropicTool{
		Name: jsonToolName, Description: "Give your whole answer to the user as the input of this tool.", InputSchema: inputSchema(schema),
	})
}

func (t *anthropicTranslation) outputConfig() *anthropicOutputConfig {
	if t.out.OutputConfig == nil {
		t.out.OutputConfig = &anthropicOutputConfig{}
	}
	return t.out.OutputConfig
}

// thinking translates the reasoning effort. Anthropic's own field goes on as it is.
func (t *anthropicTranslation) thinking() error {
	if raw := given(t.chat.Thinking); raw != nil {
		t.out.Thinking = raw
		return nil
	}
	effort := t.chat.effort()
	budget := effortBudget[effort]
	if t.chat.Reasoning != nil && t.chat.Reasoning.MaxTokens > 0 {
		budget = t.chat.Reasoning.MaxTokens
		if effort == "" {
			effort = "medium"
		}
	}
	switch {
	case effort == "", effort == "none":
		return nil
	case budget == 0:
		return &point.Error{Code: point.InvalidRequest, Param: "reasoning_effort", Message: "Give reasoning_effort as none, minimal, low, medium, high or xhigh."}
	case t.model.adapts(): // effort counts without thinking too
		t.outputConfig().Effort = t.model.effort(effort)
		if !t.forced() && !t.unsigned() {
			t.out.Thinking = json.RawMessage(`{"type":"adaptive"}`)
		}
	case !t.model.thinks(), t.forced(), t.unsigned():
		t.dropEffort()
	default:
		t.budget(budget)
	}
	return nil
}

// effortBudget is how many tokens a model that takes a budget may think.
var effortBudget = map[string]int64{"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768, "max": 32_768}

// minBudget is the least that Anthropic takes.
const minBudget = 1024

// budget lets the model think, and leaves it at least half of its tokens for the answer.
func (t *anthropicTranslation) budget(budget int64) {
	budget = max(min(budget, t.out.MaxTokens/2), minBudget)
	if budget >= t.out.MaxTokens {
		t.dropEffort()
		return
	}
	t.out.Thinking = json.RawMessage(fmt.Sprintf(`{"type":"enabled","budget_tokens":%d}`, budget))
}

// forced reports whether a tool must be used, which rules thinking out.
func (t *anthropicTranslation) forced() bool {
	c := t.out.ToolChoice
	return c != nil && (c.Type == "any" || c.Type == "tool")
}

// unsigned reports whether a tool loop is under way whose thinking the client did not send
// back: with thinking on, Anthropic would refuse it.
func (t *anthropicTranslation) unsigned() bool {
	list := t.out.Messages
	if len(list) < 2 || list[len(list)-1].Content[0].Type != "tool_result" {
		return false
	}
	turn := list[len(list)-2]
	return turn.Role == "assistant" && !strings.HasSuffix(turn.Content[0].Type, "thinking")
}
