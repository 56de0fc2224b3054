package dialect

import (
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"

	"point"
)

// Tools of type custom take free text, such as a patch. Other providers have functions alone, so
// they get a function of one string, and what it is called with is told as the text.
//
//	https://platform.openai.com/docs/guides/function-calling#custom-tools

// customInput is the name of the function's one argument.
const customInput = "input"

// customParameters is the schema of such a function.
const customParameters = `{"type":"object","properties":{"` + customInput + `":{"type":"string","description":"The tool's input, as it is: plain text, not JSON."}},"required":["` + customInput + `"],"additionalProperties":false}`

// customFormat is what a custom tool's text must look like.
type customFormat struct {
	Type       string `json:"type"`
	Syntax     string `json:"syntax"`
	Definition string `json:"definition"`
}

// custom is a custom tool as a function. A grammar can only be told, not kept to.
func (tool *responsesTool) custom() responsesChatTool {
	description := tool.Description
	if f := tool.Format; f.Definition != "" {
		if description != "" {
			description += "\n\n"
		}
		description += fmt.Sprintf("The input must match this grammar (%s):\n%s", f.Syntax, f.Definition)
	}
	return responsesChatTool{"function", responsesFunction{tool.Name, description, json.RawMessage(customParameters), nil}}
}

// isCustom reports whether the request has a custom tool of a name.
func (r *responsesRequest) isCustom(name string) bool {
	for _, raw := range r.Tools {
		if tool := gjson.ParseBytes(raw); tool.Get("type").Str == "custom" && tool.Get("name").Str == name {
			return true
		}
	}
	return false
}

// customCall is an earlier call of a custom tool as a function's.
func (t *responsesTranslation) customCall(item *responsesItem) error {
	arguments, err := encodeJSON(map[string]string{customInput: item.Input})
	if err != nil {
		return &point.Error{Code: point.Internal, Message: "The call cannot be told.", Cause: err}
	}
	item.Arguments = string(arguments)
	t.call(item)
	return nil
}

// freeText is the text that a custom tool was called with. A model that gave no such object meant
// all of it.
func freeText(arguments string) string {
	if input := gjson.Get(arguments, customInput); gjson.Valid(arguments) && input.Type == gjson.String {
		return input.Str
	}
	return arguments
}

// customDone tells what a custom tool is called with, and ends the call.
func (e *responsesEncoder) customDone(b []byte, item *openItem) []byte {
	input := freeText(item.text.String())
	item.text.Reset()
	item.text.WriteString(input)
	if input != "" {
		b = endEvent(member(e.of(b, "response.custom_tool_call_input.delta", item), "delta", input))
	}
	b = endEvent(member(e.of(b, "response.custom_tool_call_input.done", item), "input", input))
	return e.itemDone(b, item, e.status())
}
