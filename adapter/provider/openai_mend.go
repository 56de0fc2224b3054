package provider

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"point"
)

// edits collects changes to a JSON text; values are found in it by gjson.
type edits []edit

// replace puts text in the place of a value.
func (e *edits) replace(value gjson.Result, text string) {
	*e = append(*e, edit{point.Span{Start: value.Index, End: value.Index + len(value.Raw)}, []byte(text)})
}

// set gives an object a member, in place of the one it has.
func (e *edits) set(object gjson.Result, key, text string) {
	if old := object.Get(key); old.Exists() {
		e.replace(old, text)
		return
	}
	text = `"` + key + `":` + text
	if len(bytes.TrimSpace([]byte(object.Raw[1:len(object.Raw)-1]))) > 0 {
		text += ","
	}
	*e = append(*e, edit{point.Span{Start: object.Index + 1, End: object.Index + 1}, []byte(text)})
}

// mender puts right, chunk by chunk, what servers that imitate OpenAI get wrong in streams.
// It is given the chunks that may need it, and touches those that do.
type mender struct {
	finished bool // a finish_reason was seen
	failed   bool // and it was "error"
	choices  map[int64]*mendedChoice
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
	changed := false
	if keys.reasoning && !keys.known {
		data, changed = renameReasoning(data)
	}
	var list edits
	gjson.GetBytes(data, "choices").ForEach(func(at, choice gjson.Result) bool {
		if choice.IsObject() {
			m.choice(data, at.Int(), choice, &list, emit)
		}
		return at.Int() < maxMended
	})
	return splice(data, list), changed || len(list) > 0
}

// choice mends the choice at a place of a chunk.
func (m *mender) choice(data []byte, at int64, choice gjson.Result, list *edits, emit func(point.Block)) {
	seen := m.seen(choice.Get("index").Int())
	reason, delta := choice.Get("finish_reason"), choice.Get("delta")
	if delta.IsObject() {
		if !seen.role && !delta.Get("role").Exists() {
			list.set(delta, "role", `"assistant"`)
		}
		seen.role = true
	}
	delta.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		if call.IsObject() {
			seen.delta(call, reason.Str != "", list)
		}
		return true
	})
	if reason.Type != gjson.String {
		return
	}
	if reason.Str == "" {
		list.replace(reason, "null")
		return
	}
	m.finished, m.failed = true, reason.Str == "error"
	if right := finishReason(reason.Str, len(seen.calls) > 0); right != reason.Str {
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
func (c *mendedChoice) delta(call gjson.Result, last bool, list *edits) {
	id, index, function := call.Get("id").Str, call.Get("index"), call.Get("function")
	switch {
	case index.Type == gjson.Number:
		c.open = int(min(max(index.Int(), 0), maxMended))
	case len(c.calls) == 0:
		c.open = 0
	case id != "" && id != c.calls[c.open].id, id == "" && function.Get("name").Str != "":
		c.open = min(len(c.calls), maxMended)
	}
	for len(c.calls) <= c.open {
		c.calls = append(c.calls, mendedCall{arguments: len(c.calls) < c.open})
	}
	seen := &c.calls[c.open]
	if index.Type != gjson.Number {
		list.set(call, "index", strconv.Itoa(c.open))
	}
	if id != "" {
		seen.id = id
		if call.Get("type").Str == "" {
			list.set(call, "type", `"function"`)
		}
	}
	if !function.IsObject() {
		return
	}
	arguments := function.Get("arguments")
	seen.arguments = seen.arguments || arguments.IsObject() || arguments.Str != ""
	switch {
	case arguments.IsObject():
		list.replace(arguments, string(appendString(nil, arguments.Raw)))
	case last && !seen.arguments:
		seen.arguments = true
		list.set(function, "arguments", `"{}"`)
	}
}

// missingArguments is a chunk that gives call number i of a choice the arguments "{}". It is
// made of the chunk that finishes the choice, to have the same id, model and index.
func missingArguments(finish []byte, choice int64, i int) point.Block {
	path := "choices." + strconv.FormatInt(choice, 10)
	chunk, _ := sjson.DeleteBytes(bytes.Clone(finish), "usage")
	chunk, _ = sjson.DeleteBytes(chunk, "x_groq")
	chunk, _ = sjson.SetBytes(chunk, path+".finish_reason", nil)
	chunk, _ = sjson.SetRawBytes(chunk, path+".delta", []byte(`{"tool_calls":[{"index":`+strconv.Itoa(i)+`,"function":{"arguments":"{}"}}]}`))
	return (&forwarded{}).reframe(chunk)
}

// finishReason is a server's finish reason as OpenAI has it.
func finishReason(reason string, calls bool) string {
	switch reason {
	case "length", "max_tokens", "model_length":
		return "length"
	case "content_filter", "function_call":
		return reason
	}
	if calls {
		return "tool_calls"
	}
	return "stop"
}

// renameReasoning calls reasoning text reasoning_content, as most clients know it.
func renameReasoning(data []byte) ([]byte, bool) {
	const key = `"reasoning"`
	var list edits
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(key))
		if i < 0 {
			break
		}
		at += i + len(key)
		if value := after(data[at:]); len(value) > 0 && value[0] == '"' {
			list = append(list, edit{point.Span{Start: at - 1, End: at - 1}, []byte("_content")})
		}
	}
	return splice(data, list), len(list) > 0
}

// mendDocument puts a whole answer into OpenAI's form.
func mendDocument(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"reasoning_content"`)) {
		body, _ = renameReasoning(body)
	}
	var list edits
	gjson.GetBytes(body, "choices").ForEach(func(_, choice gjson.Result) bool {
		if choice.IsObject() {
			mendChoice(choice, &list)
		}
		return true
	})
	return splice(body, list)
}

// mendChoice mends one choice of a document.
func mendChoice(choice gjson.Result, list *edits) {
	message := choice.Get("message")
	calls := message.Get("tool_calls")
	if message.IsObject() && !message.Get("content").Exists() {
		list.set(message, "content", "null")
	}
	calls.ForEach(func(_, call gjson.Result) bool {
		if !call.IsObject() {
			return true
		}
		if call.Get("type").Str == "" {
			list.set(call, "type", `"function"`)
		}
		function := call.Get("function")
		switch arguments := function.Get("arguments"); {
		case arguments.IsObject():
			list.replace(arguments, string(appendString(nil, arguments.Raw)))
		case arguments.Str == "" && function.IsObject():
			list.set(function, "arguments", `"{}"`)
		}
		return true
	})
	if reason := choice.Get("finish_reason"); reason.Type == gjson.String {
		if right := finishReason(reason.Str, calls.Get("0").Exists()); right != reason.Str {
			list.replace(reason, `"`+right+`"`)
		}
	}
}
