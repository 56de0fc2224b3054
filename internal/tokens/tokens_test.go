package tokens

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"point"
)

// TestCount holds the counts to those of OpenAI's own tokenizer.
func TestCount(t *testing.T) {
	for _, c := range []struct {
		model, text string
		want        int64
	}{
		{"gpt-4o-mini", "", 0},
		{"gpt-4o-mini", "hello world", 2},
		{"gpt-4o-mini", "tiktoken is great!", 6},
		{"gpt-4", "tiktoken is great!", 6},
		{"gpt-4", "antidisestablishmentarianism", 6},
		{"gpt-4o", "お誕生日おめでとう", 8},
		{"gpt-4", "お誕生日おめでとう", 9},
		{"claude-sonnet-4-5", "2 + 2 = 4", 7},
	} {
		if got := Count(c.model, c.text); got != c.want {
			t.Errorf("%s %q: %d tokens, want %d", c.model, c.text, got, c.want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	for model, want := range map[string]string{
		"gpt-4": "cl100k_base", "gpt-4-turbo-2024-04-09": "cl100k_base", "gpt-3.5-turbo": "cl100k_base", "openai/GPT-4-0613": "cl100k_base", "text-embedding-3-small": "cl100k_base",
		"gpt-4o": "o200k_base", "gpt-4.1-mini": "o200k_base", "gpt-5": "o200k_base", "o3": "o200k_base", "gpt-oss-120b": "o200k_base", "claude-opus-4-1": "o200k_base", "": "o200k_base",
	} {
		if got := Vocabulary(model); got != want {
			t.Errorf("%q: %s", model, got)
		}
	}
}

// TestWorkIsBounded: however long and odd a text is, what is looked at is a little of it, in
// pieces that are small.
func TestWorkIsBounded(t *testing.T) {
	const size = 192 << 10
	for name, unit := range map[string]string{"no spaces": "abcdefgh", "one letter": "a", "spaces": " ", "marks": "!?", "wide": "中", "not UTF-8": "\x80"} {
		text := strings.Repeat(unit, size/len(unit))
		c := NewCounter("gpt-4o")
		c.Add(text)
		if c.seen != int64(len(text)) || c.sample.bytes > size/every+2*window || c.sample.of < c.seen-exact-window {
			t.Errorf("%s: %+v", name, c)
		}
		if n := c.Tokens(); n < size/10_000 || n > 3*size {
			t.Errorf("%s: %d tokens", name, n)
		}
	}
}

// TestWhiteSpaceIsCounted: white space, which the vocabulary's rules take long for, is looked at
// in its beginning alone, and its count is near the true one.
func TestWhiteSpaceIsCounted(t *testing.T) {
	for _, unit := range []string{" \n", "\n \n", " ", "\t", "\n", "\r\n", "\u00a0"} {
		for _, model := range []string{"gpt-4", "gpt-4o"} {
			text := "func main() {" + strings.Repeat(unit, 3000/len(unit)) + "return"
			c := NewCounter(model)
			c.Add(text)
			if c.looked > blank+32 {
				t.Errorf("%s %q: %d bytes were looked at", model, unit, c.looked)
			}
			n, err := c.codec.Count(text)
			if err != nil {
				t.Fatal(err)
			}
			if off := float64(c.Tokens()-int64(n)) / float64(n); off > 0.1 || off < -0.1 {
				t.Errorf("%s %q: %d tokens, in truth %d", model, unit, c.Tokens(), n)
			}
		}
	}
	for _, text := range []string{strings.Repeat(" ", blank) + "x", "\x80" + strings.Repeat("\u3000", 100) + "\uFFFD", strings.Repeat(" ", 200)} {
		if from, to := longBlank(text); to-from > blank != (len(text) > blank+1) || strings.TrimSpace(text[from:to]) != "" {
			t.Errorf("%q: %d to %d", text, from, to)
		}
	}
}

// TestLongTexts: the count of a text that is looked at in part is near the true one.
func TestLongTexts(t *testing.T) {
	words := strings.Fields("the gateway sends a request to one of several providers; when it fails, it moves on { \"json\": [1, 2, 3] } Übergröße 日本語 naïve co-operation func main() {")
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for text.Len() < 128<<10 {
		text.WriteString(words[random.IntN(len(words))] + " ")
	}
	sampled := Count("gpt-4o", text.String())
	n, err := NewCounter("gpt-4o").codec.Count(text.String())
	if err != nil {
		t.Fatal(err)
	}
	if off := float64(sampled)/float64(n) - 1; off > 0.02 || off < -0.02 {
		t.Errorf("%d tokens, in truth %d", sampled, n)
	}
}

func TestPrompt(t *testing.T) {
	image := `"data:image/png;base64,` + strings.Repeat("iVBORw0KGgoA", 10_000) + `"`
	for _, c := range []struct {
		path, body string
		speaks     point.Dialect
		want       int64
	}{
		{point.PathChat, `{"model":"m","messages":[{"role":"user","content":"hello world"}],"user":"nobody"}`, point.DialectOpenAI, 2 + 3 + 3},
		{point.PathChat, `{"messages":[{"role":"system","content":"hello world"},{"role":"user","content":[{"type":"text","text":"hello world"}]}]}`, point.DialectOpenAI, 2 + 2 + 6 + 3},
		{point.PathChat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":` + image + `}}]}]}`, point.DialectOpenAI, 765 + 6},
		{point.PathChat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":` + image + `,"detail":"low"}}]}]}`, point.DialectOpenAI, 85 + 6},
		{point.PathChat, `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`, point.DialectOpenAI, 300 + 6},
		{point.PathChat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}]}`, point.DialectAnthropic, 1400 + 6},
		{point.PathMessages, `{"system":"hello world","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}},{"type":"document","source":{"type":"text","data":"hello world"}}]}]}`, point.DialectGemini, 2 + 258 + 6},
		{point.PathMessages, `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}]}]}`, point.DialectOpenAI, 6 + 1 + 5},
		{point.PathGemini, `{"contents":[{"role":"user","parts":[{"text":"hello world"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`, point.DialectGemini, 2 + 258 + 6},
		{point.PathResponses, `{"instructions":"hello world","input":[{"role":"user","content":[{"type":"input_text","text":"hello world"},{"type":"input_file","file_id":"x"}]}]}`, point.DialectOpenAI, 4 + 765 + 6},
		{point.PathEmbeddings, `{"input":["hello world","hello world"]}`, point.DialectOpenAI, 4},
		{point.PathEmbeddings, `{"input":[1,2,3]}`, point.DialectOpenAI, 3},
		{point.PathRerank, `{"query":"hello world","documents":["hello world",{"text":"hello world"}]}`, point.DialectCohere, 6},
		{point.PathChat, `{"messages":null}`, point.DialectOpenAI, 0},
	} {
		env, err := point.ScanEnvelope([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if got := Prompt(&point.Call{Path: c.path, Body: []byte(c.body), Envelope: env}, "m", c.speaks); got != c.want {
			t.Errorf("%.100s: %d tokens, want %d", c.body, got, c.want)
		}
	}
}

func TestHeard(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		stream bool
		pieces []string
		text   string
	}{
		"chat": {point.PathChat, true, []string{
			`data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n",
			`data: {"choices":[{"delta":{"content":"say \"`, `content\":\"no\" "}}]}` + "\n\n" + `data: {"choices":[{"delta": {"content": "\u00e9\ud83d\ude00"}}]}` + "\n\n",
			`data: {"choices":[{"delta":{"content":null,"reasoning_content":"think","reasoning_details":[{"text":"think"}]}}]}` + "\n\n",
			`data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}` + "\n\n",
		}, `say "content":"no" é😀think{"a":1}`},
		"document":  {point.PathChat, false, []string{`{"choices":[{"message":{"content":"hello"}}]}`}, "hello"},
		"messages":  {point.PathMessages, true, []string{`data: {"delta":{"type":"text_delta","text":"hi"}}` + "\n\n" + `data: {"delta":{"type":"input_json_delta","partial_json":"{}"}}` + "\n\n"}, "hi{}"},
		"message":   {point.PathMessages, false, []string{`{"content":[{"type":"tool_use","input":{"a":"\"b"}}]}`}, `{"a":"\"b"}`},
		"responses": {point.PathResponses, true, []string{`data: {"type":"response.output_text.delta","delta":"hi"}` + "\n\n" + `data: {"type":"response.output_text.done","text":"hi"}` + "\n\n"}, "hi"},
		"response": {point.PathResponses, false, []string{`{"id":"resp_1","object":"response","instructions":null,"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"hi"}]},` +
			`{"type":"function_call","name":"f","arguments":"{\"a\":1}"}],"text":{"format":{"type":"json_schema","name":"long","schema":{"type":"object","properties":{"text":{"type":"string"}}}},"verbosity":"medium"},"usage":null}`}, `hi{"a":1}`},
		"gemini":  {point.PathGemini, true, []string{`data: {"candidates":[{"content":{"parts":[{"text":"hi"},{"functionCall":{"args":{"a":1}}}]}}]}` + "\n\n"}, `hi{"a":1}`},
		"nothing": {point.PathModerations, false, []string{`{"text":"hi"}`}, ""},
		"no end":  {point.PathChat, true, []string{`{"content":"a\`}, `a`},
	} {
		t.Run(name, func(t *testing.T) {
			var h Heard
			for _, piece := range c.pieces {
				h.Listen(c.path, c.stream, []byte(piece))
			}
			if got := plain(h.texts); got != c.text {
				t.Errorf("heard %q, want %q", got, c.text)
			}
			if got := h.Tokens("gpt-4o"); got != Count("gpt-4o", c.text) {
				t.Errorf("%d tokens", got)
			}
		})
	}
}

// TestHeardIsBounded: of a long answer its beginning is held, and the rest taken to be like it.
func TestHeardIsBounded(t *testing.T) {
	var h Heard
	event := []byte(`data: {"choices":[{"delta":{"content":"hello world "}}]}` + "\n\n")
	const events = 10_000
	for range events {
		h.Listen(point.PathChat, true, event)
	}
	if len(h.texts) > kept || h.bytes != events*12 {
		t.Errorf("%d bytes held of %d", len(h.texts), h.bytes)
	}
	if n := h.Tokens("gpt-4o"); n < 1.9*events || n > 2.1*events {
		t.Errorf("%d tokens", n)
	}
}

func FuzzHeard(f *testing.F) {
	f.Add(`{"content":"a\u00e9"}`, 5)
	f.Add(`{"content":{"a":"b"},"arguments":{"`, 12)
	f.Fuzz(func(t *testing.T, answer string, at int) {
		at = min(max(at, 0), len(answer))
		var h Heard
		for _, piece := range []string{answer[:at], answer[at:]} {
			h.Listen(point.PathChat, true, []byte(piece))
		}
		if len(h.texts) > kept || h.Tokens("m") < 0 || utf8.ValidString(answer) && json.Valid([]byte(answer)) && at == 0 && !utf8.ValidString(plain(h.texts)) {
			t.Errorf("%+v", h)
		}
	})
}

// BenchmarkListen is a stream whose events come a hundred at a time.
func BenchmarkListen(b *testing.B) {
	event := `data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"obfuscation":"Wq"}` + "\n\n"
	piece := []byte(strings.Repeat(event, 100))
	b.ReportAllocs()
	for b.Loop() {
		var h Heard
		h.Listen(point.PathChat, true, piece)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}

func BenchmarkPrompt(b *testing.B) {
	body := []byte(`{"messages":[{"role":"user","content":"` + strings.Repeat("abcdefgh", 1<<20) + `"}]}`)
	call := &point.Call{Path: point.PathChat, Body: body}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Prompt(call, "gpt-4o", point.DialectOpenAI)
	}
}
