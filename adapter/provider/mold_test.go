package provider

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"point"
	"point/internal/jsontext"
	"point/internal/sse"
)

// odds are events that must be looked at, with texts in them as in those that need not be.
var odds = []string{
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":"stop"}]}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}],"error":{"message":"TEXT"}}`,
	`{"id":"1","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}]}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT","reasoning":"TEXT"},"finish_reason":null}]}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"TEXT"}]},"finish_reason":null}]}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"TEXT"}}]},"finish_reason":null}]}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}],"usage":{}}`,
	`{"id":"1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
}

// TestLikeness: a decoder that knows events by those before says of each what one says that looks
// at all of them.
func TestLikeness(t *testing.T) {
	plain := []string{
		`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}]}`,
		`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}],"obfuscation":"TEXT"}`,
	}
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{``, `"error":{"message":"no"}`, `\`, `"usage":{}`, `{"choices":[]}`}))
	rapid.Check(t, func(r *rapid.T) {
		kind := rapid.SampledFrom([]string{"openai", "openai-compatible", "deepseek", "mistral", "perplexity", "moonshot"}).Draw(r, "kind")
		events := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(plain), rapid.SampledFrom(plain), rapid.SampledFrom(odds)), 2, 6).Draw(r, "events")
		quick, slow := streamDecoder(t, kind), streamDecoder(t, kind)
		for i := range 2 * len(events) { // each twice: the second is like the first
			event := events[i/2]
			event = strings.ReplaceAll(event, "TEXT", quotedInside(texts.Draw(r, "text")))
			e := eventOf(event)
			slow.mold = jsontext.Mold{}
			if is, want := blocksOf(quick, e), blocksOf(slow, e); is != want {
				r.Fatalf("%s: %s\nis   %s\nwant %s", kind, event, is, want)
			}
		}
	})
}

// TestMendedAgain: what had to be mended, or tells usage, is looked at each time it comes, whatever came between.
func TestMendedAgain(t *testing.T) {
	text, call := odds[1], odds[6]
	for name, events := range map[string][]string{
		"perplexity":        {odds[0], text, call, text, text},
		"openai-compatible": {odds[3], odds[3], odds[3], odds[8], odds[8]},
		"openai":            {text, text, odds[8], odds[8]},
	} {
		quick, slow := streamDecoder(t, name), streamDecoder(t, name)
		for i, event := range append([]string{`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}`}, events...) {
			slow.mold = jsontext.Mold{}
			if is, want := blocksOf(quick, eventOf(event)), blocksOf(slow, eventOf(event)); is != want {
				t.Errorf("%s, event %d\nis   %s\nwant %s", name, i, is, want)
			}
		}
	}
}

// TestLikenessIsSeen: events of text are known by those before, or the test above proves nothing.
func TestLikenessIsSeen(t *testing.T) {
	d := streamDecoder(t, "openai")
	for i, want := range []bool{false, false, true, true} {
		e := eventOf(`{"object":"chat.completion.chunk","choices":[{"delta":{"content":"` + strings.Repeat("a", i+1) + `"}}]}`)
		if is := d.like(e.Data); is != want {
			t.Errorf("event %d: %v", i, is)
		}
		blocksOf(d, e)
	}
}

func quotedInside(s string) string {
	quoted := jsontext.AppendString(nil, s)
	return string(quoted[1 : len(quoted)-1])
}

func streamDecoder(t testing.TB, kind string) *forwarded {
	k, _ := Lookup(kind)
	x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`, ""))
	if err != nil {
		t.Fatal(err)
	}
	if whole, ok := x.Decoder.(relay); ok {
		return whole.forwarded
	}
	return x.Decoder.(*forwarded)
}

func eventOf(data string) sse.Event {
	raw := []byte("data: " + data + "\n\n")
	return sse.Event{Raw: raw, Data: raw[6 : len(raw)-2], DataAt: 6}
}

// blocksOf is what a decoder makes of an event.
func blocksOf(d Decoder, e sse.Event) string {
	var out strings.Builder
	err := d.Event(e, func(b point.Block) { fmt.Fprintf(&out, "%v %q %+v %d; ", b.Kind, b.Data, b.Usage, b.CostAt) })
	fmt.Fprint(&out, err)
	return out.String()
}
