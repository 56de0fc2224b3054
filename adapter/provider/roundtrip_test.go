package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"point"
)

// What a model answered comes back to it unchanged when a client sends the answer along with
// its next request: dialect -> inner vocabulary -> dialect, as a document and as a stream.

func TestAnthropicRoundTrip(t *testing.T) {
	k, _ := Lookup("anthropic")
	rapid.Check(t, func(r *rapid.T) {
		blocks := anthropicBlocks(r)
		content, _ := marshal(blocks)
		reply := fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":%s,"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, content)
		want := normalize(t, content)
		for name, message := range map[string]string{
			"document": fromDocument(t, k, reply),
			"stream":   fromStream(t, k, anthropicEvents(blocks)),
		} {
			out := sendBack(t, k, message)
			if diff := cmp.Diff(want, normalize(t, []byte(gjson.GetBytes(out, "messages.1.content").Raw))); diff != "" {
				r.Fatalf("%s: %s\n%s", name, diff, message)
			}
		}
	})
}

// anthropicBlocks are thinking, then text, then calls: the order in which they may come.
func anthropicBlocks(r *rapid.T) []map[string]any {
	some := rapid.StringN(1, 20, -1).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	var blocks []map[string]any
	for range rapid.IntRange(0, 2).Draw(r, "thinking") {
		if rapid.Bool().Draw(r, "redacted") {
			blocks = append(blocks, map[string]any{"type": "redacted_thinking", "data": some.Draw(r, "data")})
		} else {
			blocks = append(blocks, map[string]any{"type": "thinking", "thinking": rapid.String().Draw(r, "thought"), "signature": some.Draw(r, "signature")})
		}
	}
	if rapid.Bool().Draw(r, "text") {
		blocks = append(blocks, map[string]any{"type": "text", "text": some.Draw(r, "words")})
	}
	for i := range rapid.IntRange(0, 2).Draw(r, "calls") {
		blocks = append(blocks, map[string]any{"type": "tool_use", "id": fmt.Sprintf("toolu_%d", i), "name": "f", "input": map[string]any{"a": some.Draw(r, "argument")}})
	}
	if len(blocks) == 0 || strings.HasSuffix(blocks[len(blocks)-1]["type"].(string), "thinking") {
		blocks = append(blocks, map[string]any{"type": "text", "text": "end"})
	}
	return blocks
}

// anthropicEvents streams blocks, each delta in two pieces.
func anthropicEvents(blocks []map[string]any) string {
	var b strings.Builder
	event := func(kind string, v map[string]any) {
		v["type"] = kind
		raw, _ := marshal(v)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, raw)
	}
	event("message_start", map[string]any{"message": map[string]any{"id": "msg_1", "model": "claude", "usage": map[string]any{"input_tokens": 1, "output_tokens": 1}}})
	for i, block := range blocks {
		first := map[string]any{"type": block["type"], "id": block["id"], "name": block["name"], "data": block["data"], "input": map[string]any{}, "text": "", "thinking": ""}
		event("content_block_start", map[string]any{"index": i, "content_block": first})
		pieces := func(kind, field, text string) {
			half := len([]rune(text)) / 2
			for _, piece := range []string{string([]rune(text)[:half]), string([]rune(text)[half:])} {
				event("content_block_delta", map[string]any{"index": i, "delta": map[string]any{"type": kind, field: piece}})
			}
		}
		switch block["type"] {
		case "text":
			pieces("text_delta", "text", block["text"].(string))
		case "thinking":
			pieces("thinking_delta", "thinking", block["thinking"].(string))
			pieces("signature_delta", "signature", block["signature"].(string))
		case "tool_use":
			raw, _ := marshal(block["input"])
			pieces("input_json_delta", "partial_json", string(raw))
		}
		event("content_block_stop", map[string]any{"index": i})
	}
	event("message_delta", map[string]any{"delta": map[string]any{"stop_reason": "end_turn"}, "usage": map[string]any{"output_tokens": 5}})
	event("message_stop", map[string]any{})
	return b.String()
}

func TestGeminiRoundTrip(t *testing.T) {
	k, _ := Lookup("gemini")
	rapid.Check(t, func(r *rapid.T) {
		some := rapid.StringN(1, 20, -1)
		var parts []map[string]any
		if rapid.Bool().Draw(r, "text") {
			part := map[string]any{"text": some.Draw(r, "words")}
			if rapid.Bool().Draw(r, "signed text") {
				part["thoughtSignature"] = some.Draw(r, "text signature")
			}
			parts = append(parts, part)
		}
		for i := range rapid.IntRange(0, 3).Draw(r, "calls") {
			part := map[string]any{"functionCall": map[string]any{"id": fmt.Sprintf("fc-%d", i), "name": "f", "args": map[string]any{"a": some.Draw(r, "argument")}}}
			if rapid.Bool().Draw(r, "signed") {
				part["thoughtSignature"] = some.Draw(r, "signature")
			}
			parts = append(parts, part)
		}
		if len(parts) == 0 {
			return
		}
		content, _ := marshal(parts)
		reply := fmt.Sprintf(`{"candidates":[{"content":{"parts":%s,"role":"model"},"finishReason":"STOP"}],"responseId":"r","modelVersion":"gemini"}`, content)
		want := normalize(t, content)
		for name, message := range map[string]string{
			"document": fromDocument(t, k, reply),
			"stream":   fromStream(t, k, "data: "+reply+"\n\n"),
		} {
			out := sendBack(t, k, message)
			if diff := cmp.Diff(want, normalize(t, []byte(gjson.GetBytes(out, "contents.1.parts").Raw))); diff != "" {
				r.Fatalf("%s: %s\n%s", name, diff, message)
			}
		}
	})
}

func fromDocument(t *testing.T, k *Kind, reply string) string {
	t.Helper()
	x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"gemini-2.5-x","messages":[{"role":"user","content":"?"}]}`, ""))
	if err != nil {
		t.Fatal(err)
	}
	block, err := x.Decoder.Document([]byte(reply))
	if err != nil {
		t.Fatal(err)
	}
	return gjson.GetBytes(block.Data, "choices.0.message").Raw
}

// fromStream gathers a stream's deltas into a message, as SDKs do.
func fromStream(t *testing.T, k *Kind, stream string) string {
	t.Helper()
	req := newRequest(t, k, point.PathChat, `{"model":"gemini-2.5-x","stream":true,"messages":[{"role":"user","content":"?"}]}`, "")
	x, err := k.Exchange(req)
	if err != nil {
		t.Fatal(err)
	}
	got := decode(x.Decoder, strings.NewReader(stream))
	if got.err != nil {
		t.Fatal(got.err)
	}
	checkStream(t, req, got)
	message := map[string]any{}
	for _, part := range got.parts {
		var chunk struct {
			Choices []struct {
				Delta map[string]any `json:"delta"`
			} `json:"choices"`
		}
		if json.Unmarshal([]byte(payloadOf(t, part)), &chunk) == nil && len(chunk.Choices) > 0 {
			gather(message, chunk.Choices[0].Delta)
		}
	}
	raw, _ := marshal(message)
	return string(raw)
}

// gather adds a delta to what was gathered: text is appended, lists are merged by index.
func gather(to, delta map[string]any) {
	for key, value := range delta {
		old, there := to[key]
		switch v := value.(type) {
		case string:
			if s, ok := old.(string); ok && key != "type" {
				v = s + v
			}
			to[key] = v
		case map[string]any:
			if m, ok := old.(map[string]any); ok {
				gather(m, v)
			} else {
				to[key] = v
			}
		case []any:
			list, _ := old.([]any)
			for _, item := range v {
				list = merge(list, item.(map[string]any))
			}
			to[key] = list
		default:
			if !there || value != nil {
				to[key] = value
			}
		}
	}
}

func merge(list []any, item map[string]any) []any {
	for _, old := range list {
		if m := old.(map[string]any); m["index"] == item["index"] {
			gather(m, item)
			return list
		}
	}
	return append(list, item)
}

// sendBack asks again with message in the history, and returns the provider's request.
func sendBack(t *testing.T, k *Kind, message string) []byte {
	t.Helper()
	body := `{"model":"gemini-2.5-x","messages":[{"role":"user","content":"?"},` + message + `,{"role":"user","content":"And?"}]}`
	x, err := k.Exchange(newRequest(t, k, point.PathChat, body, ""))
	if err != nil {
		t.Fatal(err, body)
	}
	return x.Outbound.Body
}

func normalize(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}
