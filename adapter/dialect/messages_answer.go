package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

// document tells a whole chat as a message.
func (e *messagesEncoder) document(b, chat []byte, usage *point.Usage) ([]byte, error) {
	doc := gjson.ParseBytes(chat)
	choice := doc.Get("choices.0")
	if !gjson.ValidBytes(chat) || !choice.Get("message").IsObject() {
		return b, messagesBadAnswer("something else than a chat's answer")
	}
	if model := doc.Get("model").Str; model != "" {
		e.model = model
	}
	e.ended(choice)
	message := choice.Get("message")
	b = append(e.head(b), '[')
	start := len(b)
	b = e.appendThoughts(b, message)
	for _, name := range []string{"content", "refusal"} {
		if text := message.Get(name).Str; text != "" {
			b = jsontext.AppendString(append(b, `{"type":"text","text":`...), text)
			b = append(b, "},"...)
		}
	}
	b, calls, err := e.appendCalls(b, message.Get("tool_calls"))
	if err != nil {
		return b, err
	}
	if len(b) > start {
		b = b[:len(b)-1] // the last comma
	}
	b = e.appendStop(append(b, "],"...), calls)
	b = append(b, `,"usage":`...)
	if usage == nil {
		usage = &point.Usage{Input: e.input, Output: int64(len(chat)) / 4}
	}
	e.cost = len(b) + 1
	return append(appendMessagesUsage(b, usage), '}'), nil
}

// appendThoughts appends what the model thought, each block with a comma behind it.
func (e *messagesEncoder) appendThoughts(b []byte, message gjson.Result) []byte {
	list := e.details(message)
	signed := slices.ContainsFunc(list, func(p messagesPiece) bool { return p.kind == messagesWhole })
	list = append(list, e.sealed()...)
	thought := message.Get("reasoning_content").Str
	if thought == "" {
		thought = message.Get("reasoning").Str
	}
	if thought != "" && !signed {
		list = append([]messagesPiece{{kind: messagesWhole, text: thought, sign: point.ThoughtMark}}, list...)
	}
	for _, piece := range list {
		if piece.kind == messagesSealed {
			b = jsontext.AppendString(append(b, `{"type":"redacted_thinking","data":`...), piece.text)
		} else {
			b = jsontext.AppendString(append(b, `{"type":"thinking","thinking":`...), piece.text)
			b = jsontext.AppendString(append(b, `,"signature":`...), piece.sign)
		}
		b = append(b, "},"...)
	}
	return b
}

// appendCalls appends the tool calls, each with a comma behind it.
func (e *messagesEncoder) appendCalls(b []byte, list gjson.Result) (_ []byte, some bool, err error) {
	for i, call := range list.Array() {
		input := strings.TrimSpace(call.Get("function.arguments").Str)
		switch {
		case input == "" || input == "null":
			input = "{}"
		case input[0] == '{' && json.Valid([]byte(input)):
		case e.finish == "length": // cut off within its arguments
			input = "{}"
		default:
			return b, false, messagesBadAnswer("a tool call whose arguments are no JSON object")
		}
		id := call.Get("id").Str
		if id == "" {
			id = "toolu_" + e.id + "_" + strconv.Itoa(i)
		}
		b = jsontext.AppendString(append(b, `{"type":"tool_use","id":`...), id)
		b = jsontext.AppendString(append(b, `,"name":`...), call.Get("function.name").Str)
		b = append(append(append(b, `,"input":`...), input...), "},"...)
		some = true
	}
	return b, some, nil
}

// appendStop appends why the answer ended, as two members.
func (e *messagesEncoder) appendStop(b []byte, calls bool) []byte {
	reason := "end_turn"
	switch {
	case e.finish == "length":
		reason = "max_tokens"
	case e.finish == "content_filter":
		reason = "refusal"
	case calls:
		reason = "tool_use"
	case e.stop != "":
		reason = "stop_sequence"
	}
	b = jsontext.AppendString(append(b, `"stop_reason":`...), reason)
	b = append(b, `,"stop_sequence":`...)
	if reason != "stop_sequence" {
		return append(b, "null"...)
	}
	return jsontext.AppendString(b, e.stop)
}

// appendMessagesUsage appends u as Anthropic counts: the input without what was cached.
func appendMessagesUsage(b []byte, u *point.Usage) []byte {
	number := func(name string, n int64) {
		b = strconv.AppendInt(append(b, name...), max(n, 0), 10)
	}
	number(`{"input_tokens":`, u.Input-u.CacheRead-u.CacheWrite-u.CacheWrite1h)
	number(`,"cache_creation_input_tokens":`, u.CacheWrite+u.CacheWrite1h)
	number(`,"cache_read_input_tokens":`, u.CacheRead)
	number(`,"cache_creation":{"ephemeral_5m_input_tokens":`, u.CacheWrite)
	number(`,"ephemeral_1h_input_tokens":`, u.CacheWrite1h)
	number(`},"output_tokens":`, u.Output)
	return append(b, '}')
}

// messagesBadAnswer is the error for an answer that cannot be told.
func messagesBadAnswer(what string) *point.Error {
	return &point.Error{Code: point.ProviderBadResponse, Message: fmt.Sprintf("The provider sent %s.", what)}
}

// messagesArguments follows a tool call's arguments as they come, to know when they are whole.
type messagesArguments struct {
	begun   bool
	some    bool // a byte was followed
	depth   int
	quoted  bool
	escaped bool
	before  string // a beginning that may yet be null, which is none
}

// whole reports whether the arguments have come to their end.
func (a *messagesArguments) whole() bool { return a.some && a.depth == 0 }

// take gives back what of a piece is to be told. It is not ok if the arguments are no object, or
// something stands behind it.
func (a *messagesArguments) take(piece string) (text string, ok bool) {
	if !a.begun {
		piece = strings.TrimLeft(a.before+piece, " \t\r\n")
		a.before = ""
		if piece == "" {
			return "", true
		}
		if piece[0] != '{' {
			a.before = piece
			return "", strings.HasPrefix("null", strings.TrimRight(piece, " \t\r\n"))
		}
		a.begun = true
	}
	for i := range len(piece) {
		if !a.step(piece[i]) {
			return "", false
		}
	}
	return piece, true
}

// step follows one byte.
func (a *messagesArguments) step(c byte) bool {
	behind := a.some && a.depth == 0
	a.some = true
	switch {
	case behind:
		return c == ' ' || c == '\n' || c == '\r' || c == '\t'
	case a.escaped:
		a.escaped = false
	case a.quoted:
		a.escaped, a.quoted = c == '\\', c != '"'
	case c == '"':
		a.quoted = true
	case c == '{' || c == '[':
		a.depth++
	case c == '}' || c == ']':
		a.depth--
	}
	return true
}
