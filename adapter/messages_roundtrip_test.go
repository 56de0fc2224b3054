package adapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"point"
	"point/adapter/dialect"
	"point/adapter/provider"
	"point/internal/sse"
)

// told is a message request as Anthropic gets it after it was told as a chat.
func told(t *rapid.T, body []byte) []byte {
	env, err := point.ScanEnvelope(body)
	if err != nil {
		t.Fatal(err)
	}
	call := &point.Call{
		ID: "0190b3c4-0000-7000-8000-000000000001", Path: point.PathMessages, Dialect: point.DialectAnthropic,
		Snapshot: &point.Snapshot{Default: point.DefaultMapping()}, Envelope: env, Body: body, Start: time.Unix(1_700_000_000, 0),
	}
	inner, err := dialect.Messages.Inner(call)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	kind, _ := provider.Lookup("anthropic")
	x, err := kind.Exchange(&provider.Request{Model: env.Model, Call: inner, Provider: &point.Provider{Name: "a", Kind: "anthropic"}, Told: true})
	if err != nil {
		t.Fatalf("%v: %s", err, inner.Body)
	}
	return x.Outbound.Body
}

// A conversation in Anthropic's dialect is the same after it was told as a chat and back.
func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		request := map[string]any{
			"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": conversation(r), "stop_sequences": []any{"END"},
			"system":      []any{textBlock(r)},
			"tools":       []any{map[string]any{"name": "f", "description": "d", "input_schema": map[string]any{"type": "object"}, "cache_control": map[string]any{"type": "ephemeral"}}},
			"tool_choice": map[string]any{"type": rapid.SampledFrom([]string{"auto", "any"}).Draw(r, "choice"), "disable_parallel_tool_use": true},
			"metadata":    map[string]any{"user_id": "u"}, "top_k": 5,
		}
		body, _ := json.Marshal(request)
		var want, got map[string]any
		if json.Unmarshal(body, &want) != nil || json.Unmarshal(told(r, body), &got) != nil {
			r.Fatal("not JSON")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("(-want +got) %s", diff)
		}
	})
}

var someText = rapid.StringN(1, 20, -1).Filter(func(s string) bool { return strings.TrimSpace(s) == s && s != "" })

// marked may mark a block for the cache.
func marked(r *rapid.T, block map[string]any) map[string]any {
	if rapid.Bool().Draw(r, "marked") {
		block["cache_control"] = map[string]any{"type": "ephemeral", "ttl": "1h"}
	}
	return block
}

func textBlock(r *rapid.T) map[string]any {
	return marked(r, map[string]any{"type": "text", "text": someText.Draw(r, "text")})
}

func imageBlock(r *rapid.T) map[string]any {
	source := map[string]any{"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
	if rapid.Bool().Draw(r, "by url") {
		source = map[string]any{"type": "url", "url": "https://example.com/a.png"}
	}
	return map[string]any{"type": "image", "source": source}
}

func documentBlock(r *rapid.T) map[string]any {
	source := rapid.SampledFrom([]map[string]any{
		{"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
		{"type": "text", "media_type": "text/plain", "data": "plain"},
		{"type": "url", "url": "https://example.com/a.pdf"},
	}).Draw(r, "source")
	return marked(r, map[string]any{"type": "document", "source": source, "title": "t", "citations": map[string]any{"enabled": true}})
}

// conversation is a few turns, the results of tools right behind their calls.
func conversation(r *rapid.T) []any {
	list := []any{map[string]any{"role": "user", "content": []any{textBlock(r), imageBlock(r), documentBlock(r)}}}
	for turn := range rapid.IntRange(0, 3).Draw(r, "turns") {
		content := thoughts(r)
		if rapid.Bool().Draw(r, "words") {
			content = append(content, textBlock(r))
		}
		var results []any
		for i := range rapid.IntRange(0, 2).Draw(r, "calls") {
			id := fmt.Sprintf("toolu_%d_%d", turn, i)
			content = append(content, marked(r, map[string]any{"type": "tool_use", "id": id, "name": "f", "input": map[string]any{"a": someText.Draw(r, "input")}}))
			result := marked(r, map[string]any{"type": "tool_result", "tool_use_id": id, "content": []any{map[string]any{"type": "text", "text": "r"}, imageBlock(r)}})
			if rapid.Bool().Draw(r, "failed") {
				result["is_error"] = true
			}
			results = append(results, result)
		}
		if len(content) == 0 || len(results) == 0 {
			content = append(content, textBlock(r))
		}
		list = append(list, map[string]any{"role": "assistant", "content": content}, map[string]any{"role": "user", "content": append(results, textBlock(r))})
	}
	return list
}

func thoughts(r *rapid.T) (list []any) {
	for range rapid.IntRange(0, 2).Draw(r, "thoughts") {
		if rapid.Bool().Draw(r, "redacted") {
			list = append(list, map[string]any{"type": "redacted_thinking", "data": "ZGF0YQ"})
		} else {
			list = append(list, map[string]any{"type": "thinking", "thinking": rapid.String().Draw(r, "thought"), "signature": "c2ln"})
		}
	}
	return list
}

// An answer in Anthropic's dialect is the same after it was told as a chat and back, as a
// document and as a stream.
func TestMessageAnswersRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		content := thoughts(r)
		if rapid.Bool().Draw(r, "words") {
			content = append(content, map[string]any{"type": "text", "text": someText.Draw(r, "text")})
		}
		for i := range rapid.IntRange(0, 2).Draw(r, "calls") {
			content = append(content, map[string]any{"type": "tool_use", "id": fmt.Sprint("toolu_", i), "name": "f", "input": map[string]any{"a": someText.Draw(r, "input")}})
		}
		if content == nil {
			content = []any{}
		}
		reply := map[string]any{
			"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content, "stop_reason": "end_turn",
			"usage": map[string]any{"input_tokens": 7, "output_tokens": 5},
		}
		want, _ := json.Marshal(content)
		raw, _ := json.Marshal(reply)
		document := answered(r, raw, false)
		if diff := cmp.Diff(decoded(want), decoded([]byte(gjson.GetBytes(document, "content").Raw))); diff != "" {
			r.Fatalf("document: %s", diff)
		}
		stream := answered(r, raw, true)
		if diff := cmp.Diff(decoded(want), decoded(gathered(r, stream))); diff != "" {
			r.Fatalf("stream: %s\n%s", diff, stream)
		}
	})
}

func decoded(raw []byte) (v any) {
	_ = json.Unmarshal(raw, &v)
	return v
}

// answered is a message of Anthropic's after it was told as a chat and back.
func answered(r *rapid.T, reply []byte, stream bool) []byte {
	body := []byte(`{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`)
	if stream {
		body = []byte(strings.Replace(string(body), `{`, `{"stream":true,`, 1))
	}
	env, _ := point.ScanEnvelope(body)
	call := &point.Call{ID: "0190b3c4-0000-7000-8000-000000000001", Path: point.PathChat, Dialect: point.DialectOpenAI, Envelope: env, Body: body}
	kind, _ := provider.Lookup("anthropic")
	x, err := kind.Exchange(&provider.Request{Model: "claude", Call: call, Provider: &point.Provider{Kind: "anthropic"}})
	if err != nil {
		r.Fatal(err)
	}
	var blocks pieces
	emit := func(b point.Block) {
		b.Data = append([]byte(nil), b.Data...)
		blocks = append(blocks, b)
	}
	if !stream {
		block, err := x.Decoder.Document(reply)
		if err != nil {
			r.Fatal(err)
		}
		block.Kind = point.BlockDone
		emit(block)
	} else {
		reader := sse.NewReader(strings.NewReader(messageEvents(reply)), 1<<20)
		defer reader.Release()
		for {
			event, err := reader.Next()
			if err != nil {
				break
			}
			if err := x.Decoder.Event(event, emit); err != nil {
				r.Fatal(err)
			}
		}
	}
	answer := dialect.Messages.Answer(call, &point.Reply{Stream: stream, Blocks: &blocks})
	defer answer.Close()
	var out []byte
	for {
		block, err := answer.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			r.Fatal(err)
		}
		out = append(out, block.Data...)
	}
}

// pieces are blocks that are known.
type pieces []point.Block

func (p *pieces) Next() (point.Block, error) {
	if len(*p) == 0 {
		return point.Block{}, io.EOF
	}
	block := (*p)[0]
	*p = (*p)[1:]
	return block, nil
}

func (p *pieces) Close() error { return nil }

// messageEvents streams a message.
func messageEvents(reply []byte) string {
	var b strings.Builder
	event := func(kind string, v map[string]any) {
		v["type"] = kind
		raw, _ := json.Marshal(v)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, raw)
	}
	event("message_start", map[string]any{"message": map[string]any{"id": "msg_1", "model": "claude", "usage": map[string]any{"input_tokens": 7, "output_tokens": 1}}})
	gjson.GetBytes(reply, "content").ForEach(func(i, block gjson.Result) bool {
		event("content_block_start", map[string]any{"index": i.Int(), "content_block": map[string]any{
			"type": block.Get("type").Str, "id": block.Get("id").Str, "name": block.Get("name").Str, "data": block.Get("data").Str, "text": "", "thinking": "", "input": map[string]any{},
		}})
		delta := func(kind, field, text string) {
			event("content_block_delta", map[string]any{"index": i.Int(), "delta": map[string]any{"type": kind, field: text}})
		}
		switch block.Get("type").Str {
		case "text":
			delta("text_delta", "text", block.Get("text").Str)
		case "thinking":
			delta("thinking_delta", "thinking", block.Get("thinking").Str)
			delta("signature_delta", "signature", block.Get("signature").Str)
		case "tool_use":
			delta("input_json_delta", "partial_json", block.Get("input").Raw)
		}
		event("content_block_stop", map[string]any{"index": i.Int()})
		return true
	})
	event("message_delta", map[string]any{"delta": map[string]any{"stop_reason": "end_turn"}, "usage": map[string]any{"output_tokens": 5}})
	event("message_stop", map[string]any{})
	return b.String()
}

// gathered is the content of a streamed message, as a client gathers it.
func gathered(r *rapid.T, stream []byte) []byte {
	list := []map[string]any{}
	input := ""
	for part := range strings.SplitSeq(string(stream), "\n\n") {
		_, data, _ := strings.Cut(part, "\ndata: ")
		e := gjson.Parse(data)
		if e.Get("type").Str == "content_block_start" {
			list = append(list, e.Get("content_block").Value().(map[string]any))
			input = ""
			continue
		}
		if len(list) == 0 {
			continue
		}
		last := list[len(list)-1]
		for _, field := range []string{"text", "thinking", "signature"} {
			if piece := e.Get("delta." + field); piece.Exists() {
				last[field] = last[field].(string) + piece.Str
			}
		}
		if input += e.Get("delta.partial_json").Str; e.Get("type").Str == "content_block_stop" && last["type"] == "tool_use" {
			last["input"] = decoded([]byte(input))
		}
	}
	raw, err := json.Marshal(list)
	if err != nil {
		r.Fatal(err)
	}
	return raw
}
