package provider

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"point"
)

// What a usage object may stand in, by what a kind speaks: a document, and streams that tell it in
// the ways that are seen. %s is the usage.
var tellings = map[point.Dialect]struct {
	usage    func(t *rapid.T) string
	document string
	streams  []string
}{
	point.DialectOpenAI: {drawOpenAI,
		`{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":%s}`,
		[]string{
			said("hi") + ended + event(`"choices":[],"usage":%s`) + "data: [DONE]\n\n",
			said("hi") + event(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":%s`) + "data: [DONE]\n\n",
			said("hi") + ended + event(`"choices":[{"index":0,"delta":{}}],"usage":%s`) + "data: [DONE]\n\n",
			event(`"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}`) + ended + event(`"choices":[],"usage":%s`) + "data: [DONE]\n\n",
			event(`"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":null`) + ended + event(`"usage":%s,"choices":[]`) + "data: [DONE]\n\n",
		},
	},
	point.DialectAnthropic: {drawAnthropic,
		`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":%s}`,
		[]string{
			`data: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":%s}}` + "\n\n" + anthropicText + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":%s}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n",
			`data: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":3,"output_tokens":1}}}` + "\n\n" + anthropicText + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":%s}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n",
		},
	},
	point.DialectGemini: {drawGemini,
		`{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":%s}`,
		[]string{
			`data: {"candidates":[{"content":{"parts":[{"text":"hi"}]}}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}` + "\n\n" + `data: {"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":%s}` + "\n\n",
			`data: {"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":%s}` + "\n\n",
		},
	},
	point.DialectCohere: {drawCohere,
		`{"id":"1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"hi"}]},"usage":%s}`,
		[]string{`data: {"type":"message-start","id":"1"}` + "\n\n" + `data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":"hi"}}}}` + "\n\n" + `data: {"type":"content-end","index":0}` + "\n\n" + `data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":%s}}` + "\n\n"},
	},
	point.DialectBedrock: {drawConverse,
		`{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":%s}`,
		[]string{string(awsEvents(
			"messageStart", `{"role":"assistant"}`, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"hi"}}`, "contentBlockStop", `{"contentBlockIndex":0}`,
			"messageStop", `{"stopReason":"end_turn"}`, "metadata", `{"usage":%s}`))},
	},
}

const (
	anthropicText = `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
		`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}` + "\n\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n"
	ended = `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
)

func event(members string) string {
	return `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",` + members + "}\n\n"
}

func said(text string) string {
	return event(`"choices":[{"index":0,"delta":{"role":"assistant","content":"` + text + `"},"finish_reason":null}]`)
}

// awsEvents is a stream as the gateway hands it on: frames have become events.
func awsEvents(pairs ...string) []byte {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", pairs[i], pairs[i+1])
	}
	return []byte(b.String())
}

func tokensOf(t *rapid.T, name string) int64 { return rapid.Int64Range(0, 100_000).Draw(t, name) }

func drawOpenAI(t *rapid.T) string {
	prompt, completion := tokensOf(t, "prompt")+1, tokensOf(t, "completion")+1
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":%d},"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":%d}}`,
		prompt, completion, prompt+completion, tokensOf(t, "cached")%prompt, tokensOf(t, "heard")%prompt, tokensOf(t, "reasoning")%completion, tokensOf(t, "spoken")%completion)
}

func drawAnthropic(t *rapid.T) string {
	return fmt.Sprintf(`{"input_tokens":%d,"output_tokens":%d,"cache_read_input_tokens":%d,"cache_creation_input_tokens":%d,"cache_creation":{"ephemeral_1h_input_tokens":%d},"server_tool_use":{"web_search_requests":%d}}`,
		tokensOf(t, "input"), tokensOf(t, "output"), tokensOf(t, "read"), tokensOf(t, "write"), tokensOf(t, "hour"), tokensOf(t, "searches")%10)
}

func drawGemini(t *rapid.T) string {
	return fmt.Sprintf(`{"promptTokenCount":%d,"candidatesTokenCount":%d,"thoughtsTokenCount":%d,"cachedContentTokenCount":%d,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":%d},{"modality":"IMAGE","tokenCount":%d}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":%d}]}`,
		tokensOf(t, "prompt"), tokensOf(t, "answer"), tokensOf(t, "thoughts"), tokensOf(t, "cached"), tokensOf(t, "heard"), tokensOf(t, "seen"), tokensOf(t, "painted"))
}

func drawCohere(t *rapid.T) string {
	return fmt.Sprintf(`{"billed_units":{"input_tokens":1,"output_tokens":1},"tokens":{"input_tokens":%d,"output_tokens":%d},"cached_tokens":%d}`, tokensOf(t, "input"), tokensOf(t, "output"), tokensOf(t, "cached"))
}

func drawConverse(t *rapid.T) string {
	return fmt.Sprintf(`{"inputTokens":%d,"outputTokens":%d,"totalTokens":1,"cacheReadInputTokens":%d,"cacheWriteInputTokens":%d}`, tokensOf(t, "input"), tokensOf(t, "output"), tokensOf(t, "read"), tokensOf(t, "write"))
}

// TestStreamCostsWhatItsDocumentCosts: the same usage, told by a document or in a stream in
// whatever chunk, is the same to Point: every kind that has both.
func TestStreamCostsWhatItsDocumentCosts(t *testing.T) {
	for _, kind := range Kinds() {
		telling, ok := tellings[kind.Dialect]
		if !ok {
			t.Errorf("%s speaks %s, of which no usage is known", kind.Name, kind.Dialect)
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				usage := telling.usage(t)
				block, err := exchange(t, kind, false).Decoder.Document([]byte(strings.ReplaceAll(telling.document, "%s", usage)))
				if err != nil || block.Usage == nil {
					t.Fatalf("document: %+v, %v", block.Usage, err)
				}
				for _, stream := range telling.streams {
					got := decode(exchange(t, kind, true).Decoder, strings.NewReader(strings.ReplaceAll(stream, "%s", usage)))
					if got.err != nil || got.usage == nil || *got.usage != *block.Usage {
						t.Errorf("usage %s\nstream   %+v, %v\ndocument %+v", usage, got.usage, got.err, block.Usage)
					}
				}
			})
		})
	}
}

// exchange is a chat of a kind.
func exchange(t *rapid.T, kind *Kind, stream bool) *Exchange {
	body := fmt.Sprintf(`{"model":"m","stream":%v,"messages":[{"role":"user","content":"hi"}]}`, stream)
	env, err := point.ScanEnvelope([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	x, err := kind.Exchange(&Request{
		Model: "m", Provider: &point.Provider{Name: "test", Kind: kind.Name},
		Call: &point.Call{ID: "0190b3c4-0000-7000-8000-000000000001", Path: point.PathChat, Dialect: point.DialectOpenAI, Envelope: env, Body: []byte(body), Start: start},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
