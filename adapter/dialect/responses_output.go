package dialect

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"point"
)

// itemPrefixes begin the ids of items.
var itemPrefixes = map[string]string{"message": "msg_", "reasoning": "rs_", "function_call": "fc_", "custom_tool_call": "ctc_", "image_generation_call": "ig_"}

// delta tells what a delta, or a whole message, brings.
func (e *responsesEncoder) delta(b []byte, d gjson.Result) []byte {
	if s := d.Get("reasoning_content").Str; s != "" {
		b = e.thought(b, s)
	}
	d.Get("reasoning_details").ForEach(func(_, detail gjson.Result) bool {
		if detail.IsObject() {
			b = e.detail(b, detail)
		}
		return true
	})
	if s := d.Get("content").Str; s != "" {
		b = e.said(b, s, false)
	}
	if s := d.Get("refusal").Str; s != "" {
		b = e.said(b, s, true)
	}
	d.Get("annotations").ForEach(func(_, a gjson.Result) bool {
		b = e.annotation(b, a.Get("url_citation"))
		return true
	})
	n := 0
	d.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		if index := call.Get("index"); index.Exists() { // of a stream
			n = int(min(max(index.Int(), 0), maxCalls))
		}
		b = e.toolCall(b, n, call)
		n++
		return true
	})
	d.Get("images").ForEach(func(_, image gjson.Result) bool {
		b = e.image(b, image.Get("image_url.url").Str)
		return true
	})
	return b
}

// maxCalls bounds the calls of an answer.
const maxCalls = 1024

// add opens an item.
func (e *responsesEncoder) add(b []byte, kind string) ([]byte, *openItem) {
	item := &openItem{kind: kind, index: len(e.items)}
	item.id = itemPrefixes[kind] + point.ItemSuffix(e.call) + "_" + strconv.Itoa(item.index)
	e.items, e.inside = append(e.items, nil), append(e.inside, nil)
	return b, item
}

// added tells of a new item.
func (e *responsesEncoder) added(b []byte, item *openItem) []byte {
	return e.itemEvent(b, "response.output_item.added", item, item.json("in_progress", e.request.Reasoning.Summary != "", false))
}

func (e *responsesEncoder) itemEvent(b []byte, kind string, item *openItem, raw []byte) []byte {
	b = append(e.event(b, kind), `,"output_index":`...)
	b = strconv.AppendInt(b, int64(item.index), 10)
	b = append(append(b, `,"item":`...), raw...)
	return endEvent(b)
}

// opened is the message or thought that is being told, after what else was has been ended.
func (e *responsesEncoder) opened(b []byte, kind string) []byte {
	if e.open != nil && e.open.kind == kind {
		return b
	}
	b = e.done(b, "completed")
	b, e.open = e.add(b, kind)
	return e.added(b, e.open)
}

// thought tells a piece of thinking.
func (e *responsesEncoder) thought(b []byte, piece string) []byte {
	b = e.opened(b, "reasoning")
	item, names := e.open, e.thoughtNames()
	if !item.begun {
		item.begun = true
		b = e.of(b, names.added, item)
		b = append(append(b, names.index...), names.part...)
		b = append(b, `,"text":""}`...)
		b = endEvent(b)
	}
	item.text.WriteString(piece)
	b = append(e.of(b, names.delta, item), names.index...)
	return endEvent(member(b, "delta", piece))
}

// thoughtNames are the words for thinking: as a summary if one was asked for, else as it is.
func (e *responsesEncoder) thoughtNames() *thoughtNames {
	if e.request.Reasoning.Summary != "" {
		return &summaryNames
	}
	return &reasoningNames
}

type thoughtNames struct{ added, delta, done, partDone, index, part string }

var (
	summaryNames = thoughtNames{
		"response.reasoning_summary_part.added", "response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "response.reasoning_summary_part.done",
		`,"summary_index":0`, `,"part":{"type":"summary_text"`,
	}
	reasoningNames = thoughtNames{
		"response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done",
		`,"content_index":0`, `,"part":{"type":"reasoning_text"`,
	}
)

// detail notes a reasoning detail.
func (e *responsesEncoder) detail(b []byte, d gjson.Result) []byte {
	b = e.opened(b, "reasoning")
	e.open.details.add(d)
	return b
}

// said tells a piece of text, or of a refusal.
func (e *responsesEncoder) said(b []byte, piece string, refusal bool) []byte {
	b = e.opened(b, "message")
	item := e.open
	if item.begun && item.refusal != refusal {
		b = e.partDone(b)
	}
	if !item.begun {
		item.begun, item.refusal, item.start = true, refusal, e.runes
		b = e.part(b, "response.content_part.added")
	}
	item.text.WriteString(piece)
	if refusal {
		b = e.of(b, "response.refusal.delta", item)
		return endEvent(member(item.at(b), "delta", piece))
	}
	e.runes += utf8.RuneCountInString(piece)
	b = e.of(b, "response.output_text.delta", item)
	b = member(item.at(b), "delta", piece)
	return endEvent(append(b, `,"logprobs":[]`...))
}

// at appends which part of a message it is.
func (o *openItem) at(b []byte) []byte {
	b = append(b, `,"content_index":`...)
	return strconv.AppendInt(b, int64(len(o.parts)), 10)
}

// part is an event with the open part as it is.
func (e *responsesEncoder) part(b []byte, kind string) []byte {
	b = e.open.at(e.of(b, kind, e.open))
	return endEvent(append(append(b, `,"part":`...), e.open.partJSON()...))
}

// partJSON is the open part.
func (o *openItem) partJSON() string {
	if o.refusal {
		return `{"type":"refusal"` + string(member(nil, "refusal", o.text.String())) + `}`
	}
	return `{"type":"output_text"` + string(member(nil, "text", o.text.String())) + `,"annotations":[` + strings.Join(o.annotations, ",") + `],"logprobs":[]}`
}

// partDone ends the open part of a message.
func (e *responsesEncoder) partDone(b []byte) []byte {
	item := e.open
	if item.refusal {
		b = item.at(e.of(b, "response.refusal.done", item))
		b = endEvent(member(b, "refusal", item.text.String()))
	} else {
		b = item.at(e.of(b, "response.output_text.done", item))
		b = endEvent(append(member(b, "text", item.text.String()), `,"logprobs":[]`...))
	}
	b = e.part(b, "response.content_part.done")
	item.parts = append(item.parts, item.partJSON())
	item.begun, item.annotations = false, nil
	item.text.Reset()
	return b
}

// annotation tells what the open text cites of the web.
func (e *responsesEncoder) annotation(b []byte, cited gjson.Result) []byte {
	if e.open == nil || e.open.kind != "message" || !e.open.begun || e.open.refusal || !cited.IsObject() {
		return b
	}
	item := e.open
	at := func(name string) string { return strconv.Itoa(max(int(cited.Get(name).Int())-item.start, 0)) }
	a := `{"type":"url_citation","start_index":` + at("start_index") + `,"end_index":` + at("end_index")
	a += string(member(member(nil, "url", cited.Get("url").Str), "title", cited.Get("title").Str)) + `}`
	b = item.at(e.of(b, "response.output_text.annotation.added", item))
	b = append(b, `,"annotation_index":`...)
	b = strconv.AppendInt(b, int64(len(item.annotations)), 10)
	item.annotations = append(item.annotations, a)
	return endEvent(append(append(b, `,"annotation":`...), a...))
}

// toolCall tells call number n, or a piece of it. Calls stay open until all are told.
func (e *responsesEncoder) toolCall(b []byte, n int, call gjson.Result) []byte {
	for len(e.calls) <= n {
		e.calls = append(e.calls, nil)
	}
	item := e.calls[n]
	if item == nil {
		b = e.done(b, "completed")
		name, kind := call.Get("function.name").Str, "function_call"
		if e.request.isCustom(name) {
			kind = "custom_tool_call"
		}
		b, item = e.add(b, kind)
		e.calls[n] = item
		item.name, item.callID = name, call.Get("id").Str
		if item.callID == "" {
			item.callID = "call_" + item.id
		}
		b = e.added(b, item)
	}
	if piece := call.Get("function.arguments").Str; piece != "" {
		item.text.WriteString(piece)
		if item.kind == "custom_tool_call" { // its text is known when all has come
			return b
		}
		b = e.of(b, "response.function_call_arguments.delta", item)
		b = endEvent(member(b, "delta", piece))
	}
	return b
}

// image tells a whole image, given as a data URL.
func (e *responsesEncoder) image(b []byte, url string) []byte {
	_, data, ok := strings.Cut(url, ";base64,")
	if !ok {
		return b
	}
	b = e.done(b, "completed")
	b, item := e.add(b, "image_generation_call")
	b = e.itemEvent(b, "response.output_item.added", item, []byte(`{"id":"`+item.id+`","type":"image_generation_call","status":"in_progress","result":null}`))
	raw := member([]byte(`{"id":"`+item.id+`","type":"image_generation_call","status":"completed"`), "result", data)
	raw = append(raw, '}')
	e.items[item.index], e.inside[item.index] = raw, raw
	return e.itemEvent(b, "response.output_item.done", item, raw)
}

// close ends all items: the chat has given its finish reason.
func (e *responsesEncoder) close(b []byte, reason string) []byte {
	e.finish = reason
	b = e.done(b, e.status())
	for _, item := range e.calls {
		if item != nil {
			b = e.callDone(b, item)
		}
	}
	return b
}

// done ends the open message or thought, if there is one.
func (e *responsesEncoder) done(b []byte, status string) []byte {
	item := e.open
	if item == nil {
		return b
	}
	switch {
	case !item.begun:
	case item.kind == "message":
		b = e.partDone(b)
	default:
		b = e.thoughtDone(b, item)
	}
	e.open = nil
	return e.itemDone(b, item, status)
}

func (e *responsesEncoder) thoughtDone(b []byte, item *openItem) []byte {
	names, said := e.thoughtNames(), item.text.String()
	b = append(e.of(b, names.done, item), names.index...)
	b = endEvent(member(b, "text", said))
	b = append(append(e.of(b, names.partDone, item), names.index...), names.part...)
	return endEvent(append(member(b, "text", said), '}'))
}

func (e *responsesEncoder) callDone(b []byte, item *openItem) []byte {
	if item.kind == "custom_tool_call" {
		return e.customDone(b, item)
	}
	if strings.TrimSpace(item.text.String()) == "" && e.status() == "completed" { // a call without arguments
		item.text.Reset()
		item.text.WriteString("{}")
		b = endEvent(member(e.of(b, "response.function_call_arguments.delta", item), "delta", "{}"))
	}
	b = member(e.of(b, "response.function_call_arguments.done", item), "name", item.name)
	b = endEvent(member(b, "arguments", item.text.String()))
	return e.itemDone(b, item, e.status())
}

// itemDone tells the whole item. What is kept of it has its thought, whoever else gets that.
func (e *responsesEncoder) itemDone(b []byte, item *openItem, status string) []byte {
	summary := e.request.Reasoning.Summary != ""
	raw := item.json(status, summary, e.sealed)
	e.items[item.index], e.inside[item.index] = raw, raw
	if e.kept && !e.sealed && item.details.some() {
		e.inside[item.index] = item.json(status, summary, true)
	}
	return e.itemEvent(b, "response.output_item.done", item, raw)
}

// json is the item as it is.
func (o *openItem) json(status string, summary, sealed bool) json.RawMessage {
	b := []byte(`{"id":"` + o.id + `","type":"` + o.kind + `"`)
	switch o.kind {
	case "message":
		b = append(b, `,"status":"`+status+`","role":"assistant","content":[`+strings.Join(o.parts, ",")+`]`...)
	case "function_call":
		b = append(b, `,"status":"`+status+`"`...)
		b = member(member(member(b, "call_id", o.callID), "name", o.name), "arguments", o.text.String())
	case "custom_tool_call":
		b = append(b, `,"status":"`+status+`"`...)
		b = member(member(member(b, "call_id", o.callID), "name", o.name), "input", o.text.String())
	case "reasoning":
		b = o.thoughtJSON(b, summary)
		if sealed && o.details.some() {
			b = member(b, "encrypted_content", carryThought(o.details.all()))
		}
	}
	return append(b, '}')
}

func (o *openItem) thoughtJSON(b []byte, summary bool) []byte {
	said := ""
	if o.begun {
		said = string(member(nil, "text", o.text.String()))
	}
	switch {
	case !o.begun:
		return append(b, `,"summary":[]`...)
	case summary:
		return append(b, `,"summary":[{"type":"summary_text"`+said+`}]`...)
	}
	return append(b, `,"summary":[],"content":[{"type":"reasoning_text"`+said+`}]`...)
}
