package provider

import (
	"encoding/json"
	"fmt"
	"slices"

	"point"
)

// translation is what every way of a chat request into another dialect has.
type translation struct {
	kind    string // of the provider
	req     *Request
	chat    *chatRequest
	dropped []string
}

// drop notes that a field was left out.
func (t *translation) drop(name string) {
	if !slices.Contains(t.dropped, name) {
		t.dropped = append(t.dropped, name)
	}
}

// refuse refuses a part of the request, or drops it if the request says so.
func (t *translation) refuse(param, hint string) error {
	if t.req.Drop {
		t.drop(param)
		return nil
	}
	return unsupported(t.kind, param, hint)
}

// dropEffort notes that the model does not think as was asked.
func (t *translation) dropEffort() {
	if t.chat.ReasoningEffort != "" {
		t.drop("reasoning_effort")
	} else {
		t.drop("reasoning")
	}
}

// uncached notes that cache marks, wherever they stand, are left out.
func (t *translation) uncached() {
	marked := slices.ContainsFunc(t.chat.Messages, func(m chatMessage) bool {
		return given(m.CacheControl) != nil ||
			slices.ContainsFunc(m.Content, func(p contentPart) bool { return given(p.CacheControl) != nil }) ||
			slices.ContainsFunc(m.ToolCalls, func(c toolCall) bool { return given(c.CacheControl) != nil })
	}) || slices.ContainsFunc(t.chat.Tools, func(raw json.RawMessage) bool {
		var tool functionTool
		return json.Unmarshal(raw, &tool) == nil && firstGiven(tool.CacheControl, tool.Function.CacheControl) != nil
	})
	if marked {
		t.drop("cache_control")
	}
}

// dialect translates message i of a conversation, by its role.
type dialect[Part any] interface {
	said(i int, m chatMessage) ([]Part, error) // by the system or the user
	assistant(i int, m chatMessage) ([]Part, error)
	result(i int, m chatMessage) ([]Part, error) // of a tool
}

// turn is what one side says until the other does.
type turn[Part any] struct {
	role    string // user or assistant
	parts   []Part
	results int // how many of the parts, the first ones, are of tools
}

// turns turns a conversation into what the system says and alternating turns: neighbours of
// one role become one, and so all results of a turn's tools stand together, before what the user
// says beside them: they answer the turn before.
func turns[Part any](t *translation, in dialect[Part]) (system []Part, list []turn[Part], err error) {
	for i, m := range t.chat.Messages {
		if m.Name != "" && m.Role != "tool" {
			t.drop("messages.name")
		}
		if given(m.FunctionCall) != nil {
			if err := t.refuse(fmt.Sprintf("messages[%d].function_call", i), "use tool_calls"); err != nil {
				return nil, nil, err
			}
		}
		role, parts, err := translateMessage(in, i, m)
		if err != nil {
			return nil, nil, err
		}
		switch last := len(list) - 1; {
		case len(parts) == 0:
		case role == "system":
			system = append(system, parts...)
		case last >= 0 && list[last].role == role:
			list[last].add(m.Role, parts)
		default:
			list = append(list, turn[Part]{role: role})
			list[last+1].add(m.Role, parts)
		}
	}
	switch {
	case len(list) > 0:
		return system, list, nil
	case len(system) > 0: // OpenAI answers system messages alone
		return nil, []turn[Part]{{role: "user", parts: system}}, nil
	}
	return nil, nil, &point.Error{Code: point.InvalidRequest, Param: "messages", Message: "Give at least one message with content."}
}

// add adds a message's parts.
func (t *turn[Part]) add(role string, parts []Part) {
	if role != "tool" {
		t.parts = append(t.parts, parts...)
		return
	}
	t.parts = slices.Insert(t.parts, t.results, parts...)
	t.results += len(parts)
}

func translateMessage[Part any](in dialect[Part], i int, m chatMessage) (role string, parts []Part, err error) {
	switch m.Role {
	case "system", "developer":
		parts, err = in.said(i, m)
		return "system", parts, err
	case "user":
		parts, err = in.said(i, m)
		return "user", parts, err
	case "assistant":
		parts, err = in.assistant(i, m)
		return "assistant", parts, err
	case "tool":
		parts, err = in.result(i, m)
		return "user", parts, err
	}
	return "", nil, &point.Error{
		Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].role", i),
		Message: fmt.Sprintf("The role %q is none of system, developer, user, assistant and tool.", cut(m.Role, 40)),
	}
}
