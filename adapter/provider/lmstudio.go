package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "lmstudio",
		Title:   "LM Studio",
		Dialect: point.DialectOpenAI,
		BaseURL: "http://127.0.0.1:1234/v1",
		Keyless: true,
		Service: struct {
			chats
			completes
			floats
		}{chats: chats{saying: saying{
			names:   maxTokens,
			values:  map[string]says{"tool_choice": onlyTool},
			message: []says{asSystem},
		}}},
	})
}

// onlyTool: a tool cannot be chosen by its name, but some tool can be demanded; of one tool, that
// is the same.
func onlyTool(in *sent, choice value, list *edits) {
	tools := 0
	for range in.body.get("tools").elements() {
		tools++
	}
	if choice.get("type").is("function") && tools == 1 {
		list.replace(choice, `"required"`)
	}
}
