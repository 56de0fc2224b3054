package provider

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/sjson"

	"point"
	"point/internal/jsontext"
)

// edits collects changes to a JSON text.
type edits []edit

// replace puts text in the place of a value.
func (e *edits) replace(v value, text string) {
	*e = append(*e, edit{point.Span{Start: v.at, End: v.at + len(v.raw)}, []byte(text)})
}

// set gives an object a member, in place of the one it has.
func (e *edits) set(object value, key, text string) {
	if old := object.get(key); old.exists() {
		e.replace(old, text)
		return
	}
	text = `"` + key + `":` + text
	if first(object.raw[1:]) != '}' {
		text += ","
	}
	*e = append(*e, edit{point.Span{Start: object.at + 1, End: object.at + 1}, []byte(text)})
}

// mender puts right, chunk by chunk, what servers that imitate OpenAI get wrong in streams.
// It is given the chunks that may need it, and touches those that do.
type mender struct {
	finished bool   // a finish_reason was seen
	broken   string // and it was this, which tells of a failure
	choices  map[int64]*mendedChoice

	usage usageForm
	soFar *point.Usage // of the last chunk, if it was kept from the client
}

// maxMended bounds the choices, and a choice's tool calls, that are followed.
const maxMended = 256

// mendedChoice is what was seen of one choice.
type mendedChoice struct {
	role  bool // its first delta was seen
	calls []mendedCall
	open  int // the call that a delta without an index belongs to
}

type mendedCall struct {
	id        string
	arguments bool // some were sent
}

// chunk returns the chunk in OpenAI's form and whether it differs. Before the chunk that
// finishes a choice it emits what the choice's tool calls still lack.
func (m *mender) chunk(data []byte, keys keys, emit func(point.Block)) ([]byte, bool) {
	var list edits
	doc := whole(data)
	if object := doc.get("object"); keys.object && object.isString() && strings.HasPrefix(object.str(), "chat.completion") { // Perplexity's last is "chat.completion.done"
		list.replace(object, chunkObject)
	}
	if m.soFar = nil; keys.usage {
		m.chunkUsage(data, doc, &list)
	}
	for at, choice := range doc.get("choices").elements() {
		if choice.isObject() && at < maxMended {
			if !keys.named && at == 0 && choice.get("delta").isObject() { // Zhipu's
				list.set(doc, "object", chunkObject)
			}
			m.choice(data, at, choice, &list, emit)
		}
	}
	return splice(data, list), len(list) > 0
}

// choice mends the choice at a place of a chunk.
func (m *mender) choice(data []byte, at int, choice value, list *edits, emit func(point.Block)) {
	seen := m.seen(choice.get("index").int())
	reason, delta := choice.get("finish_reason"), choice.get("delta")
	if delta.isObject() {
		renameReasoning(delta, list)
		joinContent(delta, list)
		if !seen.role && !delta.get("role").exists() {
			list.set(delta, "role", `"assistant"`)
		}
		seen.role = true
	}
	for _, call := range delta.get("tool_calls").elements() {
		if call.isObject() {
			seen.delta(call, reason.str() != "", list)
		}
	}
	if !reason.isString() {
		return
	}
	told := reason.str()
	if told == "" {
		list.replace(reason, "null")
		return
	}
	if m.finished = true; failing(told) {
		m.broken = told
	}
	if right := finishReason(told, len(seen.calls) > 0); right != told {
		list.replace(reason, `"`+right+`"`)
	}
	for i := range seen.calls {
		if !seen.calls[i].arguments {
			seen.calls[i].arguments = true
			emit(missingArguments(data, at, i))
		}
	}
}

func (m *mender) seen(index int64) *mendedChoice {
	index = min(max(index, 0), maxMended)
	if m.choices == nil {
		m.choices = map[int64]*mendedChoice{}
	}
	if m.choices[index] == nil {
		m.choices[index] = &mendedChoice{}
	}
	return m.choices[index]
}

// delta mends one tool call delta: its index, its type, arguments that are no string, or that
// are not there and, the chunk being the last one, will not come.
func (c *mendedChoice) delta(call value, last bool, list *edits) {
	id, index, function := call.get("id").str(), call.get("index"), call.get("function")
	switch {
	case index.isNumber():
		c.open = int(min(max(index.int(), 0), maxMended))
	case len(c.calls) == 0:
		c.open = 0
	case id != "" && id != c.calls[c.open].id, id == "" && function.get("name").str() != "":
		c.open = min(len(c.calls), maxMended)
	}
	for len(c.calls) <= c.open {
		c.calls = append(c.calls, mendedCall{arguments: len(c.calls) < c.open})
	}
	seen := &c.calls[c.open]
	if !index.isNumber() {
		list.set(call, "index", strconv.Itoa(c.open))
	}
	if id != "" {
		seen.id = id
		if call.get("type").str() == "" {
			list.set(call, "type", `"function"`)
		}
	}
	if !function.isObject() {
		return
	}
	arguments := function.get("arguments")
	seen.arguments = seen.arguments || arguments.isObject() || arguments.str() != ""
	switch {
	case arguments.isObject():
		list.replace(arguments, string(jsontext.AppendString(nil, arguments.raw)))
	case last && !seen.arguments:
		seen.arguments = true
		list.set(function, "arguments", `"{}"`)
	}
}

// missingArguments is a chunk that gives call number i of a choice the arguments "{}". It is
// made of the chunk that finishes the choice, to have the same id, model and index.
func missingArguments(finish []byte, choice, i int) point.Block {
	path := "choices." + strconv.Itoa(choice)
	chunk, _ := sjson.DeleteBytes(bytes.Clone(finish), "usage")
	chunk, _ = sjson.DeleteBytes(chunk, "x_groq")
	chunk, _ = sjson.SetBytes(chunk, path+".finish_reason", nil)
	chunk, _ = sjson.SetRawBytes(chunk, path+".delta", []byte(`{"tool_calls":[{"index":`+strconv.Itoa(i)+`,"function":{"arguments":"{}"}}]}`))
	return (&forwarded{}).reframe(chunk)
}

// failing reports whether a finish reason tells that the answer failed, as OpenRouter, DeepSeek
// and Zhipu do it.
func failing(reason string) bool {
	return reason == "error" || reason == "insufficient_system_resource" || reason == "network_error"
}

// brokenOff is what a server says that ends its answer with such a reason.
func brokenOff(reason string) *complaint {
	if reason == "error" {
		return nil
	}
	return &complaint{message: "The provider broke its answer off: " + reason + ".", code: reason}
}

// finishReason is a server's finish reason as OpenAI has it.
func finishReason(reason string, calls bool) string {
	switch reason {
	case "length", "max_tokens", "model_length", "model_context_window_exceeded":
		return "length"
	case "content_filter", "sensitive":
		return "content_filter"
	case "function_call":
		return reason
	}
	if calls {
		return "tool_calls"
	}
	return "stop"
}

// renameReasoning calls a message's or delta's reasoning text reasoning_content, as most
// clients know it, unless it has both.
func renameReasoning(message value, list *edits) {
	var text value
	for name, v := range message.members() {
		switch {
		case string(name) == "reasoning_content":
			return
		case string(name) == "reasoning" && v.isString():
			text = v
		}
	}
	if text.exists() {
		key := bytes.TrimRight(message.raw[:text.at-message.at], ": \t\r\n")
		quote := message.at + len(key) - 1
		*list = append(*list, edit{point.Span{Start: quote, End: quote}, []byte("_content")})
	}
}

// joinContent makes content that is a list of parts, as Mistral's thinking models answer, one
// text; the parts that are thinking become the reasoning text. A list with parts that no text
// can stand for, such as images, is left as it is.
func joinContent(message value, list *edits) {
	content := message.get("content")
	if !content.isList() {
		return
	}
	var text, thought []byte
	for _, part := range content.elements() {
		switch kind := part.get("type"); {
		case kind.is("thinking"):
			thinking := part.get("thinking")
			thought = append(thought, thinking.str()...)
			for _, piece := range thinking.elements() {
				thought = append(thought, piece.get("text").str()...)
			}
		case kind.is("text"), kind.is("reference"):
			text = append(text, part.get("text").str()...)
		default:
			return
		}
	}
	if len(text) == 0 && len(thought) > 0 {
		list.replace(content, "null")
	} else {
		list.replace(content, string(jsontext.AppendString(nil, text)))
	}
	if len(thought) > 0 && !message.get("reasoning_content").exists() && !message.get("reasoning").exists() {
		list.set(message, "reasoning_content", string(jsontext.AppendString(nil, thought)))
	}
}

// document puts a whole answer, whose choices and usage are given, into OpenAI's form and tells
// whether it differs; named is whether it says what it is.
func (m *mender) document(body []byte, named bool, choices, usage value) ([]byte, bool) {
	var list edits
	m.mendUsage(usage, &list)
	for at, choice := range choices.elements() {
		if !choice.isObject() {
			continue
		}
		if !named && at == 0 && choice.get("message").isObject() {
			list.set(whole(body), "object", `"chat.completion"`)
		}
		if reason := choice.get("finish_reason").str(); failing(reason) {
			m.broken = reason
		}
		mendChoice(choice, &list)
	}
	return splice(body, list), len(list) > 0
}

// mendChoice mends one choice of a document.
func mendChoice(choice value, list *edits) {
	message := choice.get("message")
	renameReasoning(message, list)
	joinContent(message, list)
	if message.isObject() && !message.get("content").exists() {
		list.set(message, "content", "null")
	}
	calls := false
	for _, call := range message.get("tool_calls").elements() {
		calls = true
		if call.isObject() {
			mendCall(call, list)
		}
	}
	reason := choice.get("finish_reason")
	if !reason.isString() || reason.is("stop") && !calls {
		return
	}
	told := reason.str()
	if right := finishReason(told, calls); right != told {
		list.replace(reason, `"`+right+`"`)
	}
}

// mendCall mends one tool call of a document.
func mendCall(call value, list *edits) {
	if call.get("type").str() == "" {
		list.set(call, "type", `"function"`)
	}
	function := call.get("function")
	switch arguments := function.get("arguments"); {
	case arguments.isObject():
		list.replace(arguments, string(jsontext.AppendString(nil, arguments.raw)))
	case arguments.str() == "" && function.isObject():
		list.set(function, "arguments", `"{}"`)
	}
}
