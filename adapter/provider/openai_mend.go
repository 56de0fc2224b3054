package provider

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"point"
)

// mender puts right, chunk by chunk, what servers that imitate OpenAI get wrong in streams.
// It is given the chunks that may need it, and touches those that do.
type mender struct {
	finished bool // a finish_reason was seen
	failed   bool // and it was "error"
	choices  map[int64]*mendedChoice
}

// maxMended bounds the choices, and a choice's tool calls, that are mended in one go: each
// costs a pass over the whole.
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
	gjson.GetBytes(data, "choices").ForEach(func(at, choice gjson.Result) bool {
		path := "choices." + strconv.FormatInt(at.Int(), 10)
		data, changed = m.choice(data, changed, path, choice, emit)
		return at.Int() < maxMended
	})
	return data, changed
}

// choice mends one choice of a chunk.
func (m *mender) choice(data []byte, changed bool, path string, choice gjson.Result, emit func(point.Block)) ([]byte, bool) {
	seen := m.seen(choice.Get("index").Int())
	set := func(path string, value any) {
		if next, err := sjson.SetBytes(data, path, value); err == nil {
			data, changed = next, true
		}
	}
	reason := choice.Get("finish_reason")
	delta := choice.Get("delta")
	if !seen.role && delta.IsObject() {
		seen.role = true
		if !delta.Get("role").Exists() {
			set(path+".delta.role", "assistant")
		}
	}
	delta.Get("tool_calls").ForEach(func(at, call gjson.Result) bool {
		seen.delta(call, reason.Str != "", path+".delta.tool_calls."+strconv.FormatInt(at.Int(), 10), set)
		return at.Int() < maxMended
	})
	if reason.Type != gjson.String {
		return data, changed
	}
	if reason.Str == "" {
		set(path+".finish_reason", nil)
		return data, changed
	}
	m.finished, m.failed = true, reason.Str == "error"
	if right := finishReason(reason.Str, len(seen.calls) > 0); right != reason.Str {
		set(path+".finish_reason", right)
	}
	for i := range seen.calls {
		if !seen.calls[i].arguments {
			seen.calls[i].arguments = true
			emit(missingArguments(data, path, i))
		}
	}
	return data, changed
}

func (m *mender) seen(index int64) *mendedChoice {
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
func (c *mendedChoice) delta(call gjson.Result, last bool, path string, set func(string, any)) {
	id, index := call.Get("id").Str, call.Get("index")
	switch {
	case index.Type == gjson.Number:
		c.open = int(min(max(index.Int(), 0), maxMended))
	case len(c.calls) == 0:
		c.open = 0
	case id != "" && id != c.calls[c.open].id, id == "" && call.Get("function.name").Str != "":
		c.open = min(len(c.calls), maxMended)
	}
	for len(c.calls) <= c.open {
		c.calls = append(c.calls, mendedCall{})
	}
	seen := &c.calls[c.open]
	if index.Type != gjson.Number {
		set(path+".index", c.open)
	}
	if id != "" {
		seen.id = id
		if call.Get("type").Str == "" {
			set(path+".type", "function")
		}
	}
	arguments := call.Get("function.arguments")
	if arguments.IsObject() {
		set(path+".function.arguments", arguments.Raw)
	}
	seen.arguments = seen.arguments || arguments.IsObject() || arguments.Str != ""
	if last && !seen.arguments {
		seen.arguments = true
		set(path+".function.arguments", "{}")
	}
}

// missingArguments is a chunk that gives call number i of a choice the arguments "{}". It is
// made of the chunk that finishes the choice, to have the same id, model and index.
func missingArguments(finish []byte, path string, i int) point.Block {
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
	var edits []edit
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(key))
		if i < 0 {
			break
		}
		at += i + len(key)
		if value := after(data[at:]); len(value) > 0 && value[0] == '"' {
			edits = append(edits, edit{point.Span{Start: at - 1, End: at - 1}, []byte("_content")})
		}
	}
	return splice(data, edits), len(edits) > 0
}

// mendDocument puts a whole answer into OpenAI's form.
func mendDocument(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"reasoning_content"`)) {
		body, _ = renameReasoning(body)
	}
	set := func(path string, value any) {
		if next, err := sjson.SetBytes(body, path, value); err == nil {
			body = next
		}
	}
	gjson.GetBytes(body, "choices").ForEach(func(at, choice gjson.Result) bool {
		mendChoice(choice, "choices."+strconv.FormatInt(at.Int(), 10), set)
		return at.Int() < maxMended
	})
	return body
}

// mendChoice mends one choice of a document.
func mendChoice(choice gjson.Result, path string, set func(string, any)) {
	message := choice.Get("message")
	calls := message.Get("tool_calls")
	if message.IsObject() && !message.Get("content").Exists() {
		set(path+".message.content", nil)
	}
	calls.ForEach(func(at, call gjson.Result) bool {
		callPath := path + ".message.tool_calls." + strconv.FormatInt(at.Int(), 10)
		if call.Get("type").Str == "" {
			set(callPath+".type", "function")
		}
		switch arguments := call.Get("function.arguments"); {
		case arguments.IsObject():
			set(callPath+".function.arguments", arguments.Raw)
		case arguments.Str == "":
			set(callPath+".function.arguments", "{}")
		}
		return at.Int() < maxMended
	})
	if reason := choice.Get("finish_reason"); reason.Type == gjson.String {
		if right := finishReason(reason.Str, calls.Get("0").Exists()); right != reason.Str {
			set(path+".finish_reason", right)
		}
	}
}
