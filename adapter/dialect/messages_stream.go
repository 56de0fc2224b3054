package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

// messagesEncoder tells a chat's answer as a message. Its stream is a row of content blocks, one
// open at a time: what belongs into another one waits while a tool call is only half told.
//
//	https://platform.claude.com/docs/en/build-with-claude/streaming
type messagesEncoder struct {
	id    string
	model string // the one asked for, until the answer names its own
	input int64  // tokens of the prompt, as far as they are known before the answer

	begun  bool
	open   messagesOpen
	index  int // of the block that is open, or comes next
	called map[int64]bool
	args   messagesArguments
	others details // thought of models of others, that no block tells yet
	held   []*messagesHeld
	waits  int // bytes of held

	finish string
	stop   string // the stop sequence that ended the answer, if it was told
	chunks int64
	cost   int
}

// messagesOpen is the block that is open.
type messagesOpen struct {
	kind messagesKind
	call int64 // of a tool call
}

type messagesKind uint8

const (
	messagesNone messagesKind = iota
	messagesText
	messagesThought // thinking that is streamed
	messagesWhole   // a thought that comes whole
	messagesSealed  // one that cannot be read
	messagesUse
)

// messagesPiece is a piece of an answer.
type messagesPiece struct {
	kind messagesKind
	call int64
	id   string
	name string
	text string
	sign string // of a thought
}

// messagesHeld is a piece that waits, with the text of those that went on with it.
type messagesHeld struct {
	messagesPiece
	text strings.Builder
}

// maxHeld bounds, in bytes, what waits for a half told tool call.
const maxHeld = 8 << 20

func newMessagesEncoder(call *point.Call) *messagesEncoder {
	return &messagesEncoder{
		id: strings.ReplaceAll(call.ID, "-", ""), model: call.Envelope.Model, input: max(call.PromptTokens(), 1),
		called: map[int64]bool{},
	}
}

// costAt is where in what was told last a cost may be spliced in, 0: nowhere.
func (e *messagesEncoder) costAt() int { return e.cost }

// chunk tells one chunk of a chat's stream.
func (e *messagesEncoder) chunk(b, chunk []byte) ([]byte, error) {
	doc := gjson.ParseBytes(chunk)
	if !gjson.ValidBytes(chunk) || !doc.IsObject() {
		return b, messagesBadAnswer("an event that is no JSON object")
	}
	e.chunks++
	b = e.begin(b, doc.Get("model").Str)
	choice := doc.Get("choices.0")
	e.ended(choice)
	var err error
	for _, piece := range e.pieces(choice.Get("delta")) {
		if b, err = e.tell(b, piece); err != nil {
			return b, err
		}
	}
	return b, nil
}

// ended notes why the answer ended.
func (e *messagesEncoder) ended(choice gjson.Result) {
	if reason := choice.Get("finish_reason").Str; reason != "" {
		e.finish = reason
	}
	if stop := choice.Get("stop_reason"); stop.Type == gjson.String { // vLLM's
		e.stop = stop.Str
	}
}

// begin tells message_start, once.
func (e *messagesEncoder) begin(b []byte, model string) []byte {
	if e.begun {
		return b
	}
	e.begun = true
	if model != "" {
		e.model = model
	}
	b = append(b, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	b = e.head(b)
	b = append(b, `[],"stop_reason":null,"stop_sequence":null,"usage":`...)
	b = appendMessagesUsage(b, &point.Usage{Input: e.input, Output: 1})
	return append(b, "}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"...)
}

// head appends a message up to its content.
func (e *messagesEncoder) head(b []byte) []byte {
	b = jsontext.AppendString(append(b, `{"id":`...), "msg_"+e.id)
	b = jsontext.AppendString(append(b, `,"type":"message","role":"assistant","model":`...), e.model)
	return append(b, `,"content":`...)
}

// pieces are what a delta brings, in the order in which it is told.
func (e *messagesEncoder) pieces(delta gjson.Result) (list []messagesPiece) {
	thought := delta.Get("reasoning_content").Str
	if thought == "" {
		thought = delta.Get("reasoning").Str
	}
	if thought != "" {
		list = append(list, messagesPiece{kind: messagesThought, text: thought})
	}
	list = append(list, e.details(delta)...)
	thoughts := len(list)
	for _, name := range []string{"content", "refusal"} {
		if text := delta.Get(name).Str; text != "" {
			list = append(list, messagesPiece{kind: messagesText, text: text})
		}
	}
	delta.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		list = append(list, messagesPiece{
			kind: messagesUse, call: call.Get("index").Int(), id: call.Get("id").Str,
			name: call.Get("function.name").Str, text: call.Get("function.arguments").Str,
		})
		return true
	})
	if len(list) > thoughts {
		list = slices.Insert(list, thoughts, e.sealed()...)
	}
	return list
}

// details are thoughts that their model can read back: those that Anthropic signed. Those of other
// models, which may come in pieces, wait until the answer goes on.
func (e *messagesEncoder) details(delta gjson.Result) (list []messagesPiece) {
	delta.Get("reasoning_details").ForEach(func(_, detail gjson.Result) bool {
		format, data, sign := detail.Get("format").Str, detail.Get("data").Str, detail.Get("signature").Str
		switch own := format == messagesFormatName || format == ""; {
		case !own:
			e.others.add(detail)
		case data != "":
			list = append(list, messagesPiece{kind: messagesSealed, text: data})
		case sign != "":
			list = append(list, messagesPiece{kind: messagesWhole, text: detail.Get("text").Str, sign: sign})
		}
		return true
	})
	return list
}

// sealed are the thoughts of other models that have come, as far as their models need them back.
func (e *messagesEncoder) sealed() (list []messagesPiece) {
	for _, raw := range e.others.all() {
		if d := gjson.ParseBytes(raw); d.Get("data").Str != "" || d.Get("signature").Str != "" {
			list = append(list, messagesPiece{kind: messagesSealed, text: sealThought(raw)})
		}
	}
	e.others = details{}
	return list
}

// tell tells a piece, or has it wait until the open call is whole.
func (e *messagesEncoder) tell(b []byte, p messagesPiece) ([]byte, error) {
	if e.open.kind == messagesUse && !e.args.whole() && (p.kind != messagesUse || p.call != e.open.call) {
		return b, e.hold(p)
	}
	b, err := e.write(b, p)
	if err != nil || len(e.held) == 0 || e.open.kind == messagesUse && !e.args.whole() {
		return b, err
	}
	return e.release(b)
}

// release tells what waited.
func (e *messagesEncoder) release(b []byte) (_ []byte, err error) {
	held := e.held
	e.held, e.waits = nil, 0
	for _, p := range held {
		p.messagesPiece.text = p.text.String()
		if b, err = e.tell(b, p.messagesPiece); err != nil {
			return b, err
		}
	}
	return b, nil
}

// hold keeps a piece; one that goes on with the one before it becomes part of it.
func (e *messagesEncoder) hold(p messagesPiece) error {
	if e.waits += len(p.text) + len(p.sign) + 64; e.waits > maxHeld {
		return messagesBadAnswer("tool calls that are mixed up and too long to be put in order")
	}
	if n := len(e.held); n > 0 && p.kind != messagesSealed && p.kind != messagesWhole && e.held[n-1].kind == p.kind && e.held[n-1].call == p.call {
		e.held[n-1].text.WriteString(p.text)
		return nil
	}
	held := &messagesHeld{messagesPiece: p}
	held.text.WriteString(p.text)
	e.held = append(e.held, held)
	return nil
}

// write tells a piece that may be told now.
func (e *messagesEncoder) write(b []byte, p messagesPiece) ([]byte, error) {
	switch p.kind {
	case messagesText:
		return e.delta(e.enter(b, p.kind, `"type":"text","text":""`), `"text_delta","text":`, p.text), nil
	case messagesThought:
		return e.delta(e.enter(b, p.kind, messagesEmptyThought), `"thinking_delta","thinking":`, p.text), nil
	case messagesWhole:
		if e.open.kind != messagesThought { // else its text was streamed before
			b = e.enter(b, messagesThought, messagesEmptyThought)
			if p.text != "" {
				b = e.delta(b, `"thinking_delta","thinking":`, p.text)
			}
		}
		b = e.delta(b, `"signature_delta","signature":`, p.sign)
		e.open.kind = messagesWhole
		return e.leave(b), nil
	case messagesSealed:
		b = e.enter(b, p.kind, string(jsontext.AppendString([]byte(`"type":"redacted_thinking","data":`), p.text)))
		return e.leave(b), nil
	}
	return e.call(b, p)
}

const messagesEmptyThought = `"type":"thinking","thinking":"","signature":""`

// call tells a piece of a tool call.
func (e *messagesEncoder) call(b []byte, p messagesPiece) ([]byte, error) {
	if e.open != (messagesOpen{messagesUse, p.call}) {
		if e.called[p.call] {
			if strings.TrimSpace(p.text) != "" {
				return b, messagesBadAnswer("a tool call that goes on behind its end")
			}
			return b, nil
		}
		e.called[p.call] = true
		if p.id == "" {
			p.id = "toolu_" + e.id + "_" + strconv.FormatInt(p.call, 10)
		}
		head := jsontext.AppendString([]byte(`"type":"tool_use","id":`), p.id)
		head = jsontext.AppendString(append(head, `,"name":`...), p.name)
		b = e.enter(b, messagesUse, string(append(head, `,"input":{}`...)))
		e.open.call, e.args = p.call, messagesArguments{}
	}
	text, ok := e.args.take(p.text)
	if !ok {
		return b, messagesBadAnswer("a tool call whose arguments are no JSON object")
	}
	if text != "" {
		b = e.delta(b, `"input_json_delta","partial_json":`, text)
	}
	return b, nil
}

// enter opens a block, unless one of its kind is open that it goes on with.
func (e *messagesEncoder) enter(b []byte, kind messagesKind, block string) []byte {
	if e.open.kind == kind && kind != messagesUse && kind != messagesSealed {
		return b
	}
	b = e.leave(b)
	e.open = messagesOpen{kind: kind}
	b = append(b, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	b = strconv.AppendInt(b, int64(e.index), 10)
	b = append(append(b, `,"content_block":{`...), block...)
	return append(b, "}}\n\n"...)
}

// delta tells a piece of the open block; head is its type and the name of its text.
func (e *messagesEncoder) delta(b []byte, head, text string) []byte {
	b = append(b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	b = strconv.AppendInt(b, int64(e.index), 10)
	b = append(append(b, `,"delta":{"type":`...), head...)
	b = jsontext.AppendString(b, text)
	return append(b, "}}\n\n"...)
}

// leave closes the open block: a call without arguments gets none, and thinking that nobody
// signed gets Point's mark.
func (e *messagesEncoder) leave(b []byte) []byte {
	switch e.open.kind {
	case messagesNone:
		return b
	case messagesUse:
		if !e.args.begun {
			b = e.delta(b, `"input_json_delta","partial_json":`, "{}")
		}
	case messagesThought:
		b = e.delta(b, `"signature_delta","signature":`, point.ThoughtMark)
	}
	b = append(b, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	b = strconv.AppendInt(b, int64(e.index), 10)
	e.open = messagesOpen{}
	e.index++
	return append(b, "}\n\n"...)
}

// end closes what is open and tells why the answer ended, and what it used.
func (e *messagesEncoder) end(b []byte, usage *point.Usage) []byte {
	b = e.begin(b, "")
	for _, p := range e.sealed() {
		if told, err := e.tell(b, p); err == nil { // else too much waits already
			b = told
		}
	}
	b = e.leave(b)
	for len(e.held) > 0 { // behind a call that never became whole
		b, _ = e.release(b)
		b = e.leave(b)
	}
	if usage == nil {
		usage = &point.Usage{Input: e.input, Output: e.chunks}
	}
	b = append(b, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	b = e.appendStop(b, len(e.called) > 0)
	b = append(b, `},"usage":`...)
	e.cost = len(b) + 1
	b = appendMessagesUsage(b, usage)
	return append(b, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
