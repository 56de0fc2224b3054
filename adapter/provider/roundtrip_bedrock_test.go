package provider

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"point"
	"point/internal/awsframes"
)

// Converse's blocks are Claude's under other names, so the same answers go round.
func TestBedrockRoundTrip(t *testing.T) {
	k, _ := Lookup("bedrock")
	model := "anthropic.claude-x"
	rapid.Check(t, func(r *rapid.T) {
		blocks := converseBlocks(anthropicBlocks(r))
		content, _ := marshal(blocks)
		reply := fmt.Sprintf(`{"output":{"message":{"role":"assistant","content":%s}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}`, content)
		want := normalize(t, content)
		for name, message := range map[string]string{
			"document": fromDocument(t, k, reply),
			"stream":   fromStream(t, k, unframedText(t, converseEvents(blocks))),
		} {
			body := `{"model":"m","messages":[{"role":"user","content":"?"},` + message + `,{"role":"user","content":"And?"}]}`
			x, err := k.Exchange(newRequest(t, k, point.PathChat, body, model))
			if err != nil {
				t.Fatal(err, body)
			}
			if diff := cmp.Diff(want, normalize(t, []byte(gjson.GetBytes(x.Outbound.Body, "messages.1.content").Raw))); diff != "" {
				r.Fatalf("%s: %s\n%s", name, diff, message)
			}
		}
	})
}

// unframedText frames events and reads the frames again.
func unframedText(t *testing.T, events string) string {
	t.Helper()
	text, err := io.ReadAll(awsframes.NewReader(bytes.NewReader(awsframes.Encode([]byte(events))), 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func converseBlocks(list []map[string]any) (blocks []map[string]any) {
	for _, b := range list {
		switch b["type"] {
		case "text":
			blocks = append(blocks, map[string]any{"text": b["text"]})
		case "thinking":
			blocks = append(blocks, map[string]any{"reasoningContent": map[string]any{"reasoningText": map[string]any{"text": b["thinking"], "signature": b["signature"]}}})
		case "redacted_thinking":
			data := base64.StdEncoding.EncodeToString([]byte(b["data"].(string)))
			blocks = append(blocks, map[string]any{"reasoningContent": map[string]any{"redactedContent": data}})
		case "tool_use":
			blocks = append(blocks, map[string]any{"toolUse": map[string]any{"toolUseId": b["id"], "name": b["name"], "input": b["input"]}})
		}
	}
	return blocks
}

// converseEvents streams blocks, each text in two pieces.
func converseEvents(blocks []map[string]any) string {
	var b strings.Builder
	event := func(kind string, v map[string]any) {
		raw, _ := marshal(v)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, raw)
	}
	delta := func(i int, v map[string]any) {
		event("contentBlockDelta", map[string]any{"contentBlockIndex": i, "delta": v})
	}
	halves := func(text string) []string {
		half := len([]rune(text)) / 2
		return []string{string([]rune(text)[:half]), string([]rune(text)[half:])}
	}
	event("messageStart", map[string]any{"role": "assistant"})
	for i, block := range blocks {
		if words, ok := block["text"].(string); ok {
			for _, piece := range halves(words) {
				delta(i, map[string]any{"text": piece})
			}
		}
		if reasoning, ok := block["reasoningContent"].(map[string]any); ok {
			if said, ok := reasoning["reasoningText"].(map[string]any); ok {
				for _, piece := range halves(said["text"].(string)) {
					delta(i, map[string]any{"reasoningContent": map[string]any{"text": piece}})
				}
				for _, piece := range halves(said["signature"].(string)) {
					delta(i, map[string]any{"reasoningContent": map[string]any{"signature": piece}})
				}
			} else {
				delta(i, map[string]any{"reasoningContent": reasoning})
			}
		}
		if call, ok := block["toolUse"].(map[string]any); ok {
			event("contentBlockStart", map[string]any{"contentBlockIndex": i, "start": map[string]any{"toolUse": map[string]any{"toolUseId": call["toolUseId"], "name": call["name"]}}})
			raw, _ := marshal(call["input"])
			for _, piece := range halves(string(raw)) {
				delta(i, map[string]any{"toolUse": map[string]any{"input": piece}})
			}
		}
		event("contentBlockStop", map[string]any{"contentBlockIndex": i})
	}
	event("messageStop", map[string]any{"stopReason": "end_turn"})
	event("metadata", map[string]any{"usage": map[string]any{"inputTokens": 1, "outputTokens": 1}})
	return b.String()
}
