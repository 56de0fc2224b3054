package provider

import (
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/sse"
)

// Event translates one event of a streamed answer.
func (d *cohereDecoder) Event(e sse.Event, emit func(point.Block)) error {
	if d.done || string(e.Data) == "[DONE]" {
		return nil
	}
	if !validJSON(e.Data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	d.out.reset(emit)
	doc := gjson.ParseBytes(e.Data)
	name := doc.Get("type").Str
	if name == "message-start" || d.out.id == "" {
		d.identify(doc.Get("id").Str)
	}
	msg := doc.Get("delta.message")
	switch name {
	case "content-delta":
		d.content(msg.Get("content"))
	case "content-start":
		d.begin(doc.Get("index").Int(), msg.Get("content"))
	case "content-end":
		d.tell()
	case "tool-plan-delta":
		d.ponder("reasoning.summary", msg.Get("tool_plan"))
	case "tool-call-start":
		d.callStart(only(msg.Get("tool_calls")))
	case "tool-call-delta":
		d.input(only(msg.Get("tool_calls")).Get("function.arguments"))
	case "tool-call-end":
		d.callEnd()
	case "citation-start":
		d.cite(only(msg.Get("citations")))
	case "message-end":
		return d.end(doc.Get("delta"))
	case "":
		if c := openAIComplaint(e.Data); c != nil {
			d.out.tell()
			return embedded(c)
		}
	}
	return nil
}

// End finds out whether the stream was whole.
func (d *cohereDecoder) End(emit func(point.Block)) error {
	if d.done {
		return nil
	}
	d.out.reset(emit)
	d.out.tell()
	return truncated()
}

// only is an object, or the first of a list of them.
func only(v gjson.Result) gjson.Result {
	if v.IsArray() {
		return v.Get("0")
	}
	return v
}

// identify fixes the stream's id, model and time, once.
func (d *cohereDecoder) identify(id string) {
	if d.out.id == "" {
		d.out.id, d.out.model, d.out.created = d.id(strings.Clone(id)), d.model, d.created
		d.cited.numbered = true
	}
}

func (d *cohereDecoder) begin(item int64, content gjson.Result) {
	d.starts = started(d.starts, item, d.cited.at)
	d.content(content)
}

func (d *cohereDecoder) content(content gjson.Result) {
	d.ponder("reasoning.text", content.Get("thinking"))
	if text := content.Get("text"); text.Type == gjson.String && text.Str != "" {
		d.cited.text(text.Str)
		d.out.text(text.Raw)
	}
}

// ponder tells a piece of thinking or of a plan, and keeps it.
func (d *cohereDecoder) ponder(kind string, text gjson.Result) {
	if text.Type != gjson.String || text.Str == "" {
		return
	}
	if d.kept.kind != kind {
		d.tell()
		d.kept.kind = kind
	}
	piece := text.Raw[1 : len(text.Raw)-1]
	if d.kept.long = d.kept.long || len(d.kept.text)+len(piece) > maxThinking; !d.kept.long {
		d.kept.text = append(d.kept.text, piece...)
	}
	d.out.reasoning(text.Raw)
}

// tell gives what was thought once more, as a whole, for the client to send back.
func (d *cohereDecoder) tell() {
	kept := d.kept
	d.kept = thoughtPiece{}
	if len(kept.text) == 0 || kept.long {
		return
	}
	d.think++
	d.out.detail(reasoningDetail{Type: kept.kind, Text: gjson.Parse(`"` + string(kept.text) + `"`).Str, Format: formatCohere, Index: d.think - 1})
}

func (d *cohereDecoder) callStart(call gjson.Result) {
	d.callEnd()
	d.tell()
	c, ok := d.called(call, d.out.id)
	if !ok {
		return
	}
	d.call.open = true
	d.out.call(d.calls-1, c)
	d.input(call.Get("function.arguments"))
}

func (d *cohereDecoder) input(piece gjson.Result) {
	if !d.call.open || piece.Type != gjson.String || piece.Str == "" {
		return
	}
	d.call.some = true
	d.out.arguments(d.calls-1, piece.Raw)
}

// callEnd ends the open call, if there is one: without arguments it gets "{}".
func (d *cohereDecoder) callEnd() {
	if d.call.open && !d.call.some {
		d.out.arguments(d.calls-1, `"{}"`)
	}
	d.call = openCall{}
}

func (d *cohereDecoder) end(delta gjson.Result) error {
	d.callEnd()
	d.tell()
	d.usage = cohereUsage(delta.Get("usage"))
	d.out.told = d.usage
	reason := delta.Get("finish_reason").Str
	if reason == "" {
		d.out.tell()
		return truncated()
	}
	finish, err := cohereFinish(reason, text(delta.Get("error")), d.calls > 0)
	if err != nil {
		d.out.tell()
		return err
	}
	d.done = true
	d.out.cited(&d.cited)
	d.out.finish(finish)
	d.out.end(d.usage)
	return nil
}
