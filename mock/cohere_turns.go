package mock

import (
	"encoding/json"
	"slices"
	"strings"
)

// cohereTurns reads a conversation: each call of an assistant turn is answered by a message of its
// own, behind it, before anybody else speaks.
type cohereTurns struct {
	prompt *prompt
	open   map[string]string // calls that wait for results: id -> name
}

func (c *cohereRequest) readMessages(p *prompt) *failure {
	t := cohereTurns{prompt: p, open: map[string]string{}}
	for i := range c.Messages {
		if f := t.read(i, &c.Messages[i]); f != nil {
			return f
		}
	}
	if len(t.open) > 0 {
		return t.unanswered()
	}
	return nil
}

func (t *cohereTurns) unanswered() *failure {
	ids := []string{}
	for id := range t.open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return wrong("tool calls must be followed by tool messages with their tool_call_id: %s", strings.Join(ids, ", "))
}

func (t *cohereTurns) read(i int, m *cohereMessage) *failure {
	parts, ok := cohereParts(m.Content)
	if !ok {
		return wrong("messages[%d].content must be a string or a list of content items.", i)
	}
	if m.Role != "tool" {
		if len(t.open) > 0 {
			return t.unanswered()
		}
		t.prompt.Results = nil
	}
	switch m.Role {
	case "system", "user":
		return t.said(i, m.Role, parts)
	case "assistant":
		return t.assistant(i, m, parts)
	case "tool":
		return t.result(i, m, parts)
	}
	return wrong("messages[%d].role must be one of user, assistant, system, tool.", i)
}

// cohereParts reads content that is a string or a list of items.
func cohereParts(raw json.RawMessage) ([]coherePart, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []coherePart{{Type: "text", Text: text}}, true
	}
	var list []coherePart
	return list, json.Unmarshal(raw, &list) == nil
}

// knownParts tells whether the items are of those types.
func knownParts(parts []coherePart, types ...string) bool {
	return !slices.ContainsFunc(parts, func(p coherePart) bool { return !slices.Contains(types, p.Type) })
}

func (t *cohereTurns) said(i int, role string, parts []coherePart) *failure {
	types := []string{"text", "image_url"}
	if role == "system" {
		types = types[:1]
	}
	var b strings.Builder
	images := 0
	for _, p := range parts {
		b.WriteString(p.Text)
		if p.Type == "image_url" {
			images++
			if !strings.HasPrefix(p.ImageURL.URL, "data:image/") && !strings.HasPrefix(p.ImageURL.URL, "http") {
				return wrong("messages[%d]: image_url must be an HTTP(S) URL or a data URI.", i)
			}
		}
	}
	text := b.String()
	switch {
	case !knownParts(parts, types...):
		return wrong("messages[%d].content: %s messages hold content of the types %s.", i, role, strings.Join(types, ", "))
	case text == "" && images == 0:
		return bad("", "message must not be empty in a turn")
	}
	t.prompt.Tokens += countTokens(text) + images*imageTokens
	if role == "system" {
		t.prompt.System += text + "\n"
	} else {
		t.prompt.User, t.prompt.Images = text, images
	}
	return nil
}

func (t *cohereTurns) assistant(i int, m *cohereMessage, parts []coherePart) *failure {
	said := m.ToolPlan
	for _, p := range parts {
		said += p.Text + p.Thinking
	}
	t.prompt.Tokens += countTokens(said)
	switch {
	case !knownParts(parts, "text", "thinking"):
		return wrong("messages[%d].content: assistant messages hold content of the types text, thinking.", i)
	case said == "" && len(m.ToolCalls) == 0:
		return bad("", "message must not be empty in a turn")
	}
	for k, call := range m.ToolCalls {
		var args map[string]json.RawMessage
		switch {
		case call.ID == "" || call.Function.Name == "" || call.Type != "function":
			return wrong("messages[%d].tool_calls[%d] must have an id, the type function and a name.", i, k)
		case t.open[call.ID] != "":
			return wrong("messages[%d].tool_calls[%d]: the id %s is there already.", i, k, call.ID)
		case json.Unmarshal([]byte(call.Function.Arguments), &args) != nil:
			return wrong("messages[%d].tool_calls[%d].function.arguments must be a JSON object.", i, k)
		}
		t.open[call.ID] = call.Function.Name
		t.prompt.Tokens += countTokens(call.Function.Name) + countTokens(call.Function.Arguments)
	}
	return nil
}

func (t *cohereTurns) result(i int, m *cohereMessage, parts []coherePart) *failure {
	name, known := t.open[m.ToolCallID]
	switch {
	case !known:
		return wrong("messages[%d].tool_call_id %q answers no tool call of the assistant message before it.", i, m.ToolCallID)
	case m.Content == nil || !knownParts(parts, "text", "document"):
		return wrong("messages[%d].content: tool messages hold content of the types text, document.", i)
	}
	delete(t.open, m.ToolCallID)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
		b.Write(p.Document.Data)
	}
	t.prompt.Results = append(t.prompt.Results, toolResult{name, b.String()})
	t.prompt.Tokens += countTokens(b.String())
	return nil
}
