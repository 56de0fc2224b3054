package dialect

import (
	"encoding/json"
	"fmt"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"point"
	"point/adapter/provider"
)

// TestGeminiKeepsConversations: a conversation told as a chat and then in Gemini's dialect again, as
// for a provider behind it, is the same.
func TestGeminiKeepsConversations(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		contents := geminiConversation(r)
		body, _ := json.Marshal(map[string]any{"contents": contents})
		out := sendOn(t, "gemini", body)
		if d := diff.Diff(normal(t, body, "contents"), normal(t, out, "contents")); d != "" {
			r.Fatalf("%s\n%s", d, body)
		}
	})
}

// geminiConversation asks, answers with text and calls, and gives their results.
func geminiConversation(r *rapid.T) (contents []any) {
	some := rapid.StringN(1, 20, -1)
	say := func(role string, parts ...any) {
		contents = append(contents, map[string]any{"role": role, "parts": parts})
	}
	say("user", map[string]any{"text": some.Draw(r, "question")})
	for turn := range rapid.IntRange(1, 3).Draw(r, "turns") {
		var said, results []any
		if rapid.Bool().Draw(r, "text") {
			said = append(said, signed(r, map[string]any{"text": some.Draw(r, "answer")}))
		}
		for i := range rapid.IntRange(0, 3).Draw(r, "calls") {
			call := map[string]any{"name": fmt.Sprintf("f%d", i%2), "args": map[string]any{"a": some.Draw(r, "argument")}}
			result := map[string]any{"name": call["name"], "response": map[string]any{"b": some.Draw(r, "result")}}
			if rapid.Bool().Draw(r, "with id") {
				call["id"] = fmt.Sprintf("fc-%d-%d", turn, i)
				result["id"] = call["id"]
			}
			said = append(said, signed(r, map[string]any{"functionCall": call}))
			results = append(results, map[string]any{"functionResponse": result})
		}
		if len(said) == 0 {
			said = append(said, map[string]any{"text": "end"})
		}
		say("model", said...)
		say("user", append(results, map[string]any{"text": some.Draw(r, "next")})...)
	}
	return contents
}

// signed gives a part a signature, perhaps.
func signed(r *rapid.T, part map[string]any) map[string]any {
	if rapid.Bool().Draw(r, "signed") {
		part["thoughtSignature"] = rapid.SampledFrom([]string{"QQ==", "Qg==", "Qw=="}).Draw(r, "signature")
	}
	return part
}

// TestGeminiKeepsOthersThoughts: signed thinking of Anthropic's, told to a client of Gemini's that
// sends the parts back as they came, reaches Anthropic as it was; in a stream too.
func TestGeminiKeepsOthersThoughts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		some := rapid.StringN(1, 20, -1)
		details := []any{map[string]any{"type": "reasoning.text", "text": some.Draw(r, "thought"), "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}}
		if rapid.Bool().Draw(r, "more") {
			details = append(details, map[string]any{"type": "reasoning.encrypted", "data": "ZGF0YQ==", "format": "anthropic-claude-v1", "index": 1})
		}
		message := map[string]any{"role": "assistant", "content": nil, "reasoning_details": details}
		if rapid.Bool().Draw(r, "text") {
			message["content"] = some.Draw(r, "words")
		}
		if rapid.Bool().Draw(r, "call") {
			message["tool_calls"] = []any{map[string]any{"index": 0, "id": "toolu_1", "type": "function", "function": map[string]any{"name": "f", "arguments": `{"a":1}`}}}
		}
		for _, stream := range []bool{false, true} {
			back := tellBack(t, message, stream)
			if d := diff.Diff(plain(t, details), plain(t, back)); d != "" {
				r.Fatalf("stream %v: %s", stream, d)
			}
		}
	})
}

// tellBack tells a message to a client, which sends it back; it returns the details that then reach
// the provider.
func tellBack(t *testing.T, message map[string]any, stream bool) json.RawMessage {
	t.Helper()
	call := newCall(Gemini, point.PathGemini, []byte(`{"contents":[{"parts":[{"text":"?"}]}]}`), stream)
	where, event := "message", "%s"
	if stream {
		where, event = "delta", "data: %s\n\ndata: [DONE]\n\n"
	}
	chat, _ := json.Marshal(map[string]any{"id": "c", "model": "m", "choices": []any{map[string]any{"index": 0, where: message, "finish_reason": "stop"}}})
	told, err := tell(t, Gemini, call, fmt.Appendf(nil, event, chat))
	if err != nil {
		t.Fatal(err)
	}
	contents := []any{map[string]any{"role": "user", "parts": []any{map[string]any{"text": "?"}}}}
	answers := [][]byte{told}
	if stream {
		answers = events(t, told)
	}
	for _, answer := range answers {
		contents = append(contents, json.RawMessage(gjson.GetBytes(answer, "candidates.0.content").Raw))
	}
	body, _ := json.Marshal(map[string]any{"contents": contents})
	inner, err := Gemini.Inner(newCall(Gemini, point.PathGemini, body, false))
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(gjson.GetBytes(inner.Body, "messages.1.reasoning_details").Raw)
}

// sendOn tells a request as a chat, and gives what a kind of provider would send.
func sendOn(t *testing.T, kind string, body []byte) []byte {
	t.Helper()
	inner, err := Gemini.Inner(newCall(Gemini, point.PathGemini, body, false))
	if err != nil {
		t.Fatal(err)
	}
	k, _ := provider.Lookup(kind)
	x, err := k.Exchange(&provider.Request{Model: "gemini-2.5-x", Call: inner, Provider: &point.Provider{Name: "test", Kind: kind}})
	if err != nil {
		t.Fatal(err, string(inner.Body))
	}
	return x.Outbound.Body
}

func normal(t *testing.T, body []byte, member string) any {
	t.Helper()
	return plain(t, json.RawMessage(gjson.GetBytes(body, member).Raw))
}

// plain is a value as JSON has it.
func plain(t *testing.T, v any) (out any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
