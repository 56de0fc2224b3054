package provider

import (
	"bytes"
	"strings"
	"testing"

	"point"
	"point/internal/sse"
)

// benchStream decodes an endless stream: head once, then event over and over. A figure is
// the cost of one event.
func benchStream(b *testing.B, kind, head, event string) {
	k, _ := Lookup(kind)
	req := newRequest(b, k, point.PathChat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`, "")
	x, err := k.Exchange(req)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	emit := func(block point.Block) { n += len(block.Data) }
	feed := func(text string) {
		r := sse.NewReader(strings.NewReader(text), 8<<20)
		for {
			e, err := r.Next()
			if err != nil {
				return
			}
			if err := x.Decoder.Event(e, emit); err != nil {
				b.Fatal(err)
			}
		}
	}
	feed(head)
	raw := []byte(event)
	data := bytes.Index(raw, []byte("data: ")) + len("data: ")
	e := sse.Event{Raw: raw, Data: bytes.TrimSpace(raw[data:]), DataAt: data}
	if name, ok := strings.CutPrefix(event, "event: "); ok {
		e.Name, _, _ = strings.Cut(name, "\n")
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Decoder.Event(e, emit); err != nil {
			b.Fatal(err)
		}
	}
	if n == 0 {
		b.Fatal("nothing was emitted")
	}
}

const openAIEvent = `data: {"id":"chatcmpl-AbCdEf0123456789","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abc"}` + "\n\n"

func BenchmarkOpenAIEvent(b *testing.B) {
	benchStream(b, "openai", openAIEvent, openAIEvent)
}

func BenchmarkOpenAICompatibleEvent(b *testing.B) {
	benchStream(b, "openai-compatible", openAIEvent, openAIEvent)
}

func BenchmarkForwardBody(b *testing.B) {
	k, _ := Lookup("openai")
	body := `{"provider":"x","model":"x/gpt-4o","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}]}`
	req := newRequest(b, k, point.PathChat, body, "gpt-4o")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Exchange(req); err != nil {
			b.Fatal(err)
		}
	}
}

// benchDocument decodes one answer of about 1 KB over and over.
func benchDocument(b *testing.B, kind string) {
	k, _ := Lookup(kind)
	body := []byte(`{"id":"chatcmpl-AbCdEf0123456789","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("All that a model writes is text. ", 16) + `","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":120,"total_tokens":332,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}`)
	req := newRequest(b, k, point.PathChat, `{"model":"m","messages":[]}`, "")
	b.ReportAllocs()
	for b.Loop() {
		x, err := k.Exchange(req)
		if err != nil {
			b.Fatal(err)
		}
		block, err := x.Decoder.Document(body)
		if err != nil || block.CostAt == 0 {
			b.Fatal(err, block.CostAt)
		}
	}
}

func BenchmarkOpenAIDocument(b *testing.B)           { benchDocument(b, "openai") }
func BenchmarkOpenAICompatibleDocument(b *testing.B) { benchDocument(b, "openai-compatible") }

const anthropicStart = "event: message_start\n" + `data: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"usage":{"input_tokens":25,"output_tokens":1}}}` + "\n\n" +
	"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n"

func BenchmarkAnthropicEvent(b *testing.B) {
	benchStream(b, "anthropic", anthropicStart, "event: content_block_delta\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" hello there"}}`+"\n\n")
}

func BenchmarkGeminiEvent(b *testing.B) {
	event := `data: {"candidates":[{"content":{"parts":[{"text":" hello there, how are you"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":10,"totalTokenCount":15,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5}]},"modelVersion":"gemini-2.5-flash","responseId":"mAitaLmk"}` + "\n\n"
	benchStream(b, "gemini", event, event)
}

func BenchmarkAnthropicRequest(b *testing.B) {
	k, _ := Lookup("anthropic")
	body := `{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}]}`
	req := newRequest(b, k, point.PathChat, body, "")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Exchange(req); err != nil {
			b.Fatal(err)
		}
	}
}
