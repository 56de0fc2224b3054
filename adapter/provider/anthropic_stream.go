package provider

import (
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
	"point/internal/sse"
)

// openBlock is the content block that a stream is in.
type openBlock struct {
	kind     blockKind
	call     int            // index of its tool call
	input    string         // what it started with, as JSON
	some     bool           // a piece of its input came
	start    int            // of its text, in characters of the content
	cited    []gjson.Result // what its text cites
	thinking []byte         // JSON-escaped
	sign     []byte
	long     bool // thinking or signature was too long to keep
}

type blockKind uint8

const (
	blockOther blockKind = iota // server tools and their results, and what is not known: not for the client
	blockText
	blockThinking
	blockCall
	blockJSON
)

// maxThinking bounds, in bytes, the thinking that is kept to go with its signature, and the
// signature: what is longer cannot be sent back.
const maxThinking = 8 << 20

// Event translates one event of a streamed message.
func (d *anthropicDecoder) Event(e sse.Event, emit func(point.Block)) error {
	if d.done {
		return nil
	}
	if !validJSON(e.Data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	d.out.reset(emit)
	data := gjson.ParseBytes(e.Data)
	name := e.Name
	if name == "" || name == "message" {
		name = data.Get("type").Str
	}
	switch name {
	case "content_block_delta":
		d.blockDelta(data.Get("delta"))
	case "message_start":
		d.start(data.Get("message"))
	case "content_block_start":
		d.blockStart(data.Get("content_block"))
	case "content_block_stop":
		d.blockStop()
	case "message_delta":
		d.count(data.Get("usage"))
		if reason := data.Get("delta.stop_reason").Str; reason != "" {
			d.blockStop()
			d.finish = anthropicFinish(reason, d.calls > 0)
		}
	case "message_stop":
		return d.stop()
	case "error":
		d.out.tell()
		return embedded(openAIComplaint(e.Data))
	}
	return nil
}

// End finds out whether the stream was whole.
func (d *anthropicDecoder) End(emit func(point.Block)) error {
	if d.done {
		return nil
	}
	d.out.reset(emit)
	d.out.tell()
	return truncated()
}

func (d *anthropicDecoder) start(msg gjson.Result) {
	d.identify(msg)
	d.count(msg.Get("usage"))
}

// count takes over what was counted so far. It goes with the next block: a stream that is cut
// or left has been counted too.
func (d *anthropicDecoder) count(usage gjson.Result) {
	d.usage.add(usage)
	d.out.told = d.usage.usage()
}

// identify fixes the stream's id, model and time, once.
func (d *anthropicDecoder) identify(msg gjson.Result) {
	if d.out.id == "" {
		d.out.id, d.out.model, d.out.created = d.id(msg.Get("id").Str), d.model(msg.Get("model").Str), d.created
	}
}

func (d *anthropicDecoder) stop() error {
	if d.finish == "" {
		return truncated()
	}
	d.identify(gjson.Result{})
	d.done = true
	d.out.finish(d.finish)
	d.out.end(d.usage.usage())
	return nil
}

func (d *anthropicDecoder) blockStart(block gjson.Result) {
	d.blockStop()
	d.identify(gjson.Result{})
	d.block = openBlock{start: d.cited.at}
	switch block.Get("type").Str {
	case "text":
		d.block.kind = blockText
		d.say(block.Get("text"))
		block.Get("citations").ForEach(func(_, citation gjson.Result) bool {
			d.cite(citation)
			return true
		})
	case "thinking":
		d.block.kind = blockThinking
		d.ponder(block.Get("thinking"))
		d.sign(block.Get("signature").Str)
	case "redacted_thinking":
		d.detail(reasoningDetail{Type: "reasoning.encrypted", Data: block.Get("data").Str})
	case "tool_use":
		d.callStart(block)
	}
}

func (d *anthropicDecoder) callStart(block gjson.Result) {
	if input := block.Get("input"); input.IsObject() && len(input.Map()) > 0 {
		d.block.input = input.Raw
	}
	if d.jsonTool && block.Get("name").Str == jsonToolName {
		d.block.kind = blockJSON
		return
	}
	d.block.kind, d.block.call = blockCall, d.calls
	d.calls++
	d.out.call(d.block.call, toolCall{ID: block.Get("id").Str, Function: calledName{Name: block.Get("name").Str}})
}

func (d *anthropicDecoder) blockDelta(delta gjson.Result) {
	d.identify(gjson.Result{})
	switch d.block.kind {
	case blockText:
		d.say(delta.Get("text"))
		d.cite(delta.Get("citation"))
	case blockThinking:
		d.ponder(delta.Get("thinking"))
		d.sign(delta.Get("signature").Str)
	case blockCall, blockJSON:
		d.input(delta.Get("partial_json"))
	}
}

// blockStop ends the open block, if there is one: a call that had no arguments gets "{}",
// thinking is given once more, whole, with its signature, and text what it cites.
func (d *anthropicDecoder) blockStop() {
	block := d.block
	d.block = openBlock{}
	switch block.kind {
	case blockCall, blockJSON:
		if block.some {
			return
		}
		if block.input == "" {
			block.input = "{}"
		}
		raw := string(jsontext.AppendString(nil, block.input))
		if block.kind == blockJSON {
			d.say(gjson.Parse(raw))
		} else {
			d.out.arguments(block.call, raw)
		}
	case blockText:
		d.cited.numbered = true
		for _, citation := range block.cited {
			d.cited.add(citation, block.start)
		}
		d.out.cited(&d.cited)
	case blockThinking:
		if len(block.sign) > 0 && !block.long {
			text := gjson.Parse(`"` + string(block.thinking) + `"`).Str
			d.detail(reasoningDetail{Type: "reasoning.text", Text: text, Signature: string(block.sign)})
		}
	}
}

func (d *anthropicDecoder) say(text gjson.Result) {
	if text.Str != "" {
		d.cited.text(text.Str)
		d.out.text(text.Raw)
	}
}

// cite keeps a citation until its text is whole.
func (d *anthropicDecoder) cite(citation gjson.Result) {
	if d.cited.takes(citation) {
		d.block.cited = append(d.block.cited, gjson.Parse(strings.Clone(citation.Raw)))
	}
}

func (d *anthropicDecoder) ponder(text gjson.Result) {
	if text.Str == "" {
		return
	}
	d.block.thinking = d.keepPiece(d.block.thinking, text.Raw[1:len(text.Raw)-1])
	d.out.reasoning(text.Raw)
}

// sign keeps a piece of a signature.
func (d *anthropicDecoder) sign(piece string) { d.block.sign = d.keepPiece(d.block.sign, piece) }

// keepPiece appends a piece of what is kept of thinking, unless it gets too long.
func (d *anthropicDecoder) keepPiece(kept []byte, piece string) []byte {
	if d.block.long = d.block.long || len(kept)+len(piece) > maxThinking; d.block.long {
		return nil
	}
	return append(kept, piece...)
}

func (d *anthropicDecoder) input(piece gjson.Result) {
	if piece.Str == "" {
		return
	}
	d.block.some = true
	if d.block.kind == blockJSON {
		d.say(piece)
	} else {
		d.out.arguments(d.block.call, piece.Raw)
	}
}

func (d *anthropicDecoder) detail(detail reasoningDetail) {
	detail.Format, detail.Index = formatAnthropic, d.think
	d.think++
	d.out.detail(detail)
}
