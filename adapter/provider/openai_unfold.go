package provider

import (
	"bytes"
	"strconv"
)

// Unfolder is a Decoder that can tell a whole answer as the stream that was asked for.
type Unfolder interface {
	// Unfold is the document as the events that Event reads, to the last. A document that is no
	// answer is an error, as for Document.
	Unfold(body []byte) ([]byte, error)
}

// Unfold tells a completion in a chunk of all that is said, one of how it ended, and the usage.
func (d *forwarded) Unfold(body []byte) ([]byte, error) {
	if _, err := d.Document(body); err != nil {
		return nil, err
	}
	if d.mend != nil { // the chunks are mended, not what they are made of
		d.mend = &mender{usage: d.mend.usage}
	}
	doc := whole(body)
	var said, ended []byte
	object := chunkObject
	for i, choice := range doc.get("choices").elements() {
		if choice.get("text").exists() {
			object = `"text_completion"`
		}
		if i > 0 {
			said, ended = append(said, ','), append(ended, ',')
		}
		said, ended = appendUnfolded(said, ended, i, choice)
	}
	if said == nil {
		return nil, badDocument(body)
	}
	head := []byte(`{"object":` + object)
	for key, v := range doc.members() {
		switch string(key) {
		case "object", "choices", "usage":
		default:
			head = append(append(append(append(head, `,"`...), key...), `":`...), v.raw...)
		}
	}
	var out framer
	event := func(choices, rest []byte) {
		out.reframe(bytes.Join([][]byte{head, []byte(`,"choices":[`), choices, []byte("]"), rest, []byte("}")}, nil))
	}
	event(said, nil)
	event(ended, nil)
	if usage := doc.get("usage"); usage.isObject() {
		event(nil, append([]byte(`,"usage":`), usage.raw...))
	}
	return append(out.buf, doneEvent...), nil
}

// appendUnfolded appends a choice of a document as a chunk has it that says all, and as the one has it
// that ends it.
func appendUnfolded(said, ended []byte, i int, choice value) (all, end []byte) {
	open := func(b []byte) []byte { return strconv.AppendInt(append(b, `{"index":`...), int64(i), 10) }
	said, ended = open(said), open(ended)
	if text := choice.get("text"); text.exists() {
		said = append(append(said, `,"text":`...), text.raw...)
		ended = append(ended, `,"text":""`...)
	} else {
		said = append(append(said, `,"delta":`...), unfoldedMessage(choice.get("message"))...)
		ended = append(ended, `,"delta":{}`...)
	}
	if odds := choice.get("logprobs"); odds.exists() {
		said = append(append(said, `,"logprobs":`...), odds.raw...)
	}
	reason := []byte(`"stop"`)
	if told := choice.get("finish_reason"); told.isString() {
		reason = told.raw
	}
	said = append(said, `,"finish_reason":null}`...)
	return said, append(append(append(ended, `,"finish_reason":`...), reason...), '}')
}

// unfoldedMessage is a message as a delta: its tool calls are numbered.
func unfoldedMessage(message value) []byte {
	if !message.isObject() {
		return []byte("{}")
	}
	var list edits
	alone := whole(message.raw)
	for i, call := range alone.get("tool_calls").elements() {
		if call.isObject() {
			list.set(call, "index", strconv.Itoa(i))
		}
	}
	return splice(message.raw, list)
}
