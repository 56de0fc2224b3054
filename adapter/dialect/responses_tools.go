package dialect

import (
	"encoding/json"
	"fmt"

	"point"
)

// responsesTool is a tool as a request has it: a function's members stand in it.
type responsesTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
	Format      customFormat    `json:"format"`
}

type responsesChatTool struct {
	Type     string            `json:"type"`
	Function responsesFunction `json:"function"`
}

type responsesFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// tools translates functions and custom tools. The tools that OpenAI runs itself are refused by name.
func (t *responsesTranslation) tools() error {
	for i, raw := range t.request.Tools {
		at := fmt.Sprintf("tools[%d]", i)
		var tool responsesTool
		if err := json.Unmarshal(raw, &tool); err != nil {
			return badType(at, raw, &tool, err)
		}
		switch {
		case tool.Type != "function" && tool.Type != "custom":
			if err := t.refuse(at+".type", fmt.Sprintf("the tool type %q is OpenAI's own, other providers have functions alone", short(tool.Type))); err != nil {
				return err
			}
		case tool.Name == "":
			return &point.Error{Code: point.MissingField, Param: at + ".name", Message: "Each function needs a name."}
		case tool.Type == "custom":
			t.made = append(t.made, at)
			t.out.Tools = append(t.out.Tools, tool.custom())
		default:
			t.made = append(t.made, at)
			t.out.Tools = append(t.out.Tools, responsesChatTool{"function", responsesFunction{tool.Name, tool.Description, given(tool.Parameters), tool.Strict}})
		}
	}
	return nil
}

// responsesChoice is a tool_choice that is an object.
type responsesChoice struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Mode  string `json:"mode"`
	Tools []struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tools"`
}

type chosenFunction struct {
	Type     string     `json:"type"`
	Function chosenName `json:"function"`
}

type chosenName struct {
	Name string `json:"name"`
}

type chosenTools struct {
	Type    string `json:"type"`
	Allowed struct {
		Mode  string           `json:"mode"`
		Tools []chosenFunction `json:"tools"`
	} `json:"allowed_tools"`
}

// choice translates tool_choice. Without tools there is none to make.
func (t *responsesTranslation) choice() error {
	raw := given(t.request.ToolChoice)
	if raw == nil || len(t.out.Tools) == 0 {
		return nil
	}
	if raw[0] == '"' {
		t.out.ToolChoice = raw
		return nil
	}
	var c responsesChoice
	if err := json.Unmarshal(raw, &c); err != nil {
		return &point.Error{Code: point.InvalidRequest, Param: "tool_choice", Message: `Give "tool_choice" as "auto", "none", "required", or {"type": "function", "name": ...}.`}
	}
	switch c.Type {
	case "function", "custom":
		t.out.ToolChoice = chosenFunction{"function", chosenName{c.Name}}
		return nil
	case "allowed_tools":
		return t.allowed(&c)
	}
	return t.refuse("tool_choice", fmt.Sprintf("a choice of type %q is OpenAI's own", short(c.Type)))
}

// allowed translates a list of tools that may be called.
func (t *responsesTranslation) allowed(c *responsesChoice) error {
	out := &chosenTools{Type: c.Type}
	out.Allowed.Mode = c.Mode
	for i, tool := range c.Tools {
		if tool.Type != "function" && tool.Type != "custom" {
			if err := t.refuse(fmt.Sprintf("tool_choice.tools[%d]", i), fmt.Sprintf("the tool type %q is OpenAI's own", short(tool.Type))); err != nil {
				return err
			}
			continue
		}
		out.Allowed.Tools = append(out.Allowed.Tools, chosenFunction{"function", chosenName{tool.Name}})
	}
	t.out.ToolChoice = out
	return nil
}

// short bounds what is repeated of a client's text.
func short(s string) string { return s[:min(len(s), 40)] }
