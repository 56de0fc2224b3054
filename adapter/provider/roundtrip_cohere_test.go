package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"
)

func TestCohereRoundTrip(t *testing.T) {
	k, _ := Lookup("cohere")
	rapid.Check(t, func(r *rapid.T) {
		message := cohereAnswer(r)
		raw, _ := marshal(message)
		reply := fmt.Sprintf(`{"id":"c1","finish_reason":"COMPLETE","message":%s,"usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}`, raw)
		want := normalize(t, raw)
		for name, answer := range map[string]string{
			"document": fromDocument(t, k, reply),
			"stream":   fromStream(t, k, cohereEvents(message)),
		} {
			out := sendBack(t, k, answer)
			if diff := cmp.Diff(want, normalize(t, []byte(gjson.GetBytes(out, "messages.1").Raw))); diff != "" {
				r.Fatalf("%s: %s\n%s", name, diff, answer)
			}
		}
	})
}

// cohereAnswer is thinking and text, or a plan and calls.
func cohereAnswer(r *rapid.T) cohereMessage {
	some := rapid.StringN(1, 20, -1)
	m := cohereMessage{Role: "assistant"}
	if rapid.Bool().Draw(r, "thinks") {
		m.Content = append(m.Content, coherePart{Type: "thinking", Thinking: some.Draw(r, "thought")})
	}
	if rapid.Bool().Draw(r, "calls") {
		m.ToolPlan = rapid.StringN(0, 20, -1).Draw(r, "plan")
		for i := range rapid.IntRange(1, 3).Draw(r, "how many") {
			arguments, _ := marshal(map[string]string{"a": some.Draw(r, "argument")})
			m.ToolCalls = append(m.ToolCalls, toolCall{ID: fmt.Sprintf("f_%d", i), Type: "function", Function: calledName{"f", string(arguments)}})
		}
	} else {
		m.Content = append(m.Content, coherePart{Type: "text", Text: some.Draw(r, "words")})
	}
	return m
}

// cohereEvents streams an answer, each text in two pieces.
func cohereEvents(m cohereMessage) string {
	var b strings.Builder
	event := func(kind string, index int, message map[string]any) {
		raw, _ := marshal(map[string]any{"type": kind, "index": index, "delta": map[string]any{"message": message}})
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, raw)
	}
	halves := func(text string) [2]string {
		half := len([]rune(text)) / 2
		return [2]string{string([]rune(text)[:half]), string([]rune(text)[half:])}
	}
	event("message-start", 0, map[string]any{"role": "assistant"})
	for i, part := range m.Content {
		event("content-start", i, map[string]any{"content": map[string]any{"type": part.Type, part.Type: ""}})
		for _, piece := range halves(part.Text + part.Thinking) {
			event("content-delta", i, map[string]any{"content": map[string]any{part.Type: piece}})
		}
		event("content-end", i, nil)
	}
	for _, piece := range halves(m.ToolPlan) {
		event("tool-plan-delta", 0, map[string]any{"tool_plan": piece})
	}
	for i, call := range m.ToolCalls {
		event("tool-call-start", i, map[string]any{"tool_calls": map[string]any{"id": call.ID, "type": "function", "function": map[string]any{"name": call.Function.Name, "arguments": ""}}})
		for _, piece := range halves(call.Function.Arguments) {
			event("tool-call-delta", i, map[string]any{"tool_calls": map[string]any{"function": map[string]any{"arguments": piece}}})
		}
		event("tool-call-end", i, nil)
	}
	b.WriteString(`data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}` + "\n\n")
	return b.String()
}
