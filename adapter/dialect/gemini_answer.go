package dialect

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

// geminiEncoder tells a chat's answer as generateContent does.
type geminiEncoder struct {
	thoughts bool // they are shown

	id, model string
	choices   []geminiChoice // by index
}

// maxGeminiChoices bounds how many answers are told; more than one is seldom asked for.
const maxGeminiChoices = 128

// geminiChoice is what of one answer is not told yet.
type geminiChoice struct {
	parts   []byte // of the event or document in hand
	calls   []geminiAnswered
	details details // for the next part
	text    string  // Gemini's own signature of the text
	finish  string
	closed  bool // all was read: finish may be told
	refused bool
}

// geminiAnswered is a call, as far as it has come.
type geminiAnswered struct {
	index     int64
	id, name  string
	args      []byte
	signature string
}

// document tells a whole answer.
func (e *geminiEncoder) document(b, chat []byte, usage *point.Usage) ([]byte, error) {
	doc, err := chatAnswer(chat)
	if err != nil {
		return b, err
	}
	e.identify(doc)
	doc.Get("choices").ForEach(func(_, choice gjson.Result) bool {
		c := e.choice(choice)
		c.read(choice.Get("message"), e.thoughts)
		c.ended(choice.Get("finish_reason").Str)
		return true
	})
	return e.last(b, usage), nil
}

// chunk tells one chunk of a stream.
func (e *geminiEncoder) chunk(b, chunk []byte) ([]byte, error) {
	doc, err := chatAnswer(chunk)
	if err != nil {
		return b, err
	}
	e.identify(doc)
	doc.Get("choices").ForEach(func(_, choice gjson.Result) bool {
		c := e.choice(choice)
		c.read(choice.Get("delta"), e.thoughts)
		c.ended(choice.Get("finish_reason").Str)
		return true
	})
	if !slices.ContainsFunc(e.choices, func(c geminiChoice) bool { return len(c.parts) > 0 }) {
		return b, nil
	}
	b = append(b, "data: "...)
	b = e.candidates(b)
	return append(b, "}\n\n"...), nil
}

// end tells what was held back: calls, how the answer ended, and what it used.
func (e *geminiEncoder) end(b []byte, usage *point.Usage) []byte {
	b = append(b, "data: "...)
	b = e.last(b, usage)
	return append(b, "\n\n"...)
}

// chatAnswer reads a chat's document or chunk.
func chatAnswer(raw []byte) (gjson.Result, error) {
	if !json.Valid(raw) {
		return gjson.Result{}, &point.Error{Code: point.ProviderBadResponse, Message: "The provider's answer is not valid JSON."}
	}
	return gjson.ParseBytes(raw), nil
}

func (e *geminiEncoder) identify(doc gjson.Result) {
	if e.id == "" {
		e.id = strings.Clone(doc.Get("id").Str)
	}
	if e.model == "" {
		e.model = strings.Clone(doc.Get("model").Str)
	}
}

// choice is where the answer with a choice's index is gathered.
func (e *geminiEncoder) choice(of gjson.Result) *geminiChoice {
	i := int(min(max(of.Get("index").Int(), 0), maxGeminiChoices-1))
	for len(e.choices) <= i {
		e.choices = append(e.choices, geminiChoice{})
	}
	return &e.choices[i]
}

// read takes a message or a delta over.
func (c *geminiChoice) read(m gjson.Result, thoughts bool) {
	if thought := m.Get("reasoning_content").Str; thought != "" && thoughts {
		c.part(`"text":`, jsontext.AppendString(nil, thought), `,"thought":true`)
	}
	m.Get("tool_calls").ForEach(func(at, call gjson.Result) bool {
		c.call(at.Int(), call)
		return true
	})
	m.Get("reasoning_details").ForEach(func(_, d gjson.Result) bool {
		c.detail(d)
		return true
	})
	for _, text := range []string{saidText(m.Get("content")), m.Get("refusal").Str} {
		if text != "" {
			c.part(`"text":`, jsontext.AppendString(nil, text), c.signature())
		}
	}
	c.refused = c.refused || m.Get("refusal").Str != ""
	m.Get("images").ForEach(func(_, image gjson.Result) bool {
		c.image(image.Get("image_url.url").Str)
		return true
	})
}

// saidText is a message's content, a string or a list of parts.
func saidText(content gjson.Result) string {
	if !content.IsArray() {
		return content.Str
	}
	var b strings.Builder
	for _, part := range content.Array() {
		b.WriteString(part.Get("text").Str)
	}
	return b.String()
}

// part appends one part: a member, and what further members it has.
func (c *geminiChoice) part(name string, value []byte, rest string) {
	if len(c.parts) > 0 {
		c.parts = append(c.parts, ',')
	}
	c.parts = append(append(append(append(append(c.parts, '{'), name...), value...), rest...), '}')
}

// signature is a part's thoughtSignature member with all that waits for one.
func (c *geminiChoice) signature() string {
	if !c.details.some() {
		return ""
	}
	member := `,"thoughtSignature":` + string(jsontext.AppendString(nil, wrapDetails(c.details.all())))
	c.details = details{}
	return member
}

func (c *geminiChoice) image(url string) {
	media, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
	if !ok {
		return
	}
	value := jsontext.AppendString([]byte(`{"mimeType":`), media)
	value = jsontext.AppendString(append(value, `,"data":`...), data)
	c.part(`"inlineData":`, append(value, '}'), "")
}

// detail keeps a reasoning detail for the part that it goes with.
func (c *geminiChoice) detail(d gjson.Result) {
	if d.Get("format").Str == geminiThinking && d.Get("data").Str != "" {
		c.sign(d.Get("id").Str, strings.Clone(d.Get("data").Str))
		return
	}
	c.details.add(d)
}

// sign keeps a signature of Gemini's own: of a call, or of the text.
func (c *geminiChoice) sign(call, signature string) {
	for i := range c.calls {
		if call != "" && c.calls[i].id == call {
			c.calls[i].signature = signature
			return
		}
	}
	c.text = signature
}

// call gathers a call: Gemini's are whole.
func (c *geminiChoice) call(at int64, call gjson.Result) {
	if index := call.Get("index"); index.Exists() {
		at = index.Int()
	}
	i := slices.IndexFunc(c.calls, func(a geminiAnswered) bool { return a.index == at })
	if i < 0 {
		i = len(c.calls)
		c.calls = append(c.calls, geminiAnswered{index: at})
	}
	a := &c.calls[i]
	if id := call.Get("id").Str; id != "" {
		a.id = strings.Clone(id)
	}
	if name := call.Get("function.name").Str; name != "" {
		a.name = strings.Clone(name)
	}
	if signature := call.Get("extra_content.google.thought_signature").Str; signature != "" {
		a.signature = strings.Clone(signature)
	}
	a.args = append(a.args, call.Get("function.arguments").Str...)
}

// ended notes why the answer ended.
func (c *geminiChoice) ended(reason string) {
	switch reason {
	case "":
	case "stop", "tool_calls", "function_call":
		c.finish = "STOP"
	case "length":
		c.finish = "MAX_TOKENS"
	case "content_filter":
		c.finish = "SAFETY"
	default:
		c.finish = "OTHER"
	}
	if c.refused && c.finish == "STOP" {
		c.finish = "SAFETY"
	}
}

// last appends the answer's last part, the reasons of its ends, and what it used.
func (e *geminiEncoder) last(b []byte, usage *point.Usage) []byte {
	if len(e.choices) == 0 {
		e.choices = make([]geminiChoice, 1)
	}
	for i := range e.choices {
		e.choices[i].close()
	}
	b = e.candidates(b)
	if usage != nil {
		b = append(b, `,"usageMetadata":`...)
		b = appendGeminiUsage(b, usage)
	}
	return append(b, '}')
}

// close tells what waits: the text's signature, calls, and what no part carried.
func (c *geminiChoice) close() {
	c.closed = true
	if c.text != "" {
		c.part(`"text":""`, nil, `,"thoughtSignature":`+string(jsontext.AppendString(nil, c.text)))
	}
	for _, call := range c.calls {
		c.answer(call)
	}
	if c.details.some() || len(c.parts) == 0 {
		c.part(`"text":""`, nil, c.signature())
	}
	if c.finish == "" {
		c.finish = "STOP"
	}
}

// answer tells a whole call. One without a name, or whose arguments are no object, was cut off, or
// is a mistake of the model's, which Gemini has a reason for.
func (c *geminiChoice) answer(call geminiAnswered) {
	args := call.args
	if text := strings.TrimSpace(string(args)); text == "" || text == "null" {
		args = []byte("{}")
	}
	if call.name == "" || !json.Valid(args) || !gjson.ParseBytes(args).IsObject() {
		if c.finish != "MAX_TOKENS" {
			c.finish = "MALFORMED_FUNCTION_CALL"
		}
		return
	}
	value := []byte{'{'}
	if call.id != "" {
		value = append(jsontext.AppendString(append(value, `"id":`...), call.id), ',')
	}
	value = jsontext.AppendString(append(value, `"name":`...), call.name)
	value = append(append(append(value, `,"args":`...), args...), '}')
	rest := c.signature()
	if call.signature != "" {
		rest = `,"thoughtSignature":` + string(jsontext.AppendString(nil, call.signature))
	}
	c.part(`"functionCall":`, value, rest)
}

// candidates appends an answer, still open, with the parts in hand.
func (e *geminiEncoder) candidates(b []byte) []byte {
	b = append(b, `{"candidates":[`...)
	first := true
	for i := range e.choices {
		c := &e.choices[i]
		if len(c.parts) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, `{"content":{"parts":[`...), c.parts...), `],"role":"model"}`...)
		c.parts = c.parts[:0]
		if c.closed {
			b = jsontext.AppendString(append(b, `,"finishReason":`...), c.finish)
		}
		b = append(strconv.AppendInt(append(b, `,"index":`...), int64(i), 10), '}')
	}
	b = append(b, `],"modelVersion":`...)
	b = jsontext.AppendString(b, e.model)
	b = append(b, `,"responseId":`...)
	return jsontext.AppendString(b, e.id)
}

// appendGeminiUsage appends u as usageMetadata: there thoughts are no part of the candidates.
func appendGeminiUsage(b []byte, u *point.Usage) []byte {
	num := func(name string, n int64) {
		b = strconv.AppendInt(append(b, name...), n, 10)
	}
	num(`{"promptTokenCount":`, u.Input)
	num(`,"candidatesTokenCount":`, max(u.Output-u.Reasoning, 0))
	num(`,"totalTokenCount":`, u.Total())
	if u.Reasoning > 0 {
		num(`,"thoughtsTokenCount":`, u.Reasoning)
	}
	if u.CacheRead > 0 {
		num(`,"cachedContentTokenCount":`, u.CacheRead)
	}
	return append(b, '}')
}
