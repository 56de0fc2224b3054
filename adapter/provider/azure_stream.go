package provider

import (
	"bytes"

	"point"
	"point/internal/sse"
)

// azureDecoder mends what Azure's content filter says in streams. It begins with a chunk without
// a choice, which many clients cannot read: what it tells goes into the next one. What it finds
// later comes in chunks without an id or a delta.
type azureDecoder struct {
	*forwarded

	id, created, model []byte // of the stream's chunks, as JSON
	prompt             []byte // prompt_filter_results that no chunk has taken along yet
}

func (d *azureDecoder) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	settled := d.id != nil && d.prompt == nil
	if settled && !bytes.Contains(data, []byte(`"id":""`)) || !validJSON(data) || !whole(data).isObject() {
		return d.forwarded.Event(e, emit)
	}
	doc := whole(data)
	var list edits
	switch id := doc.get("id"); {
	case id.shows():
		d.begin(doc, &list)
	case doc.get("choices").isList() && !doc.get("choices").shows() && !doc.get("usage").isObject():
		if results := doc.get("prompt_filter_results"); results.exists() {
			d.prompt = bytes.Clone(results.raw)
		}
		return nil
	case id.exists() && d.id != nil:
		d.complete(doc, &list)
	}
	if len(list) > 0 {
		e = sse.Event{Name: e.Name, Data: splice(data, list), DataAt: -1}
	}
	return d.forwarded.Event(e, emit)
}

// begin learns from a chunk what all have in common, and gives it what the filter said before.
func (d *azureDecoder) begin(doc value, list *edits) {
	if d.id == nil {
		d.id, d.created, d.model = bytes.Clone(doc.get("id").raw), bytes.Clone(doc.get("created").raw), bytes.Clone(doc.get("model").raw)
	}
	if d.prompt != nil && !doc.get("prompt_filter_results").exists() {
		list.set(doc, "prompt_filter_results", string(d.prompt))
	}
	d.prompt = nil
}

// complete gives a chunk of the filter's what every chunk has.
func (d *azureDecoder) complete(doc value, list *edits) {
	for _, member := range []struct{ name, text string }{
		{"id", string(d.id)}, {"created", string(d.created)}, {"model", string(d.model)}, {"object", chunkObject},
	} {
		if old := doc.get(member.name); old.exists() && member.text != "" {
			list.replace(old, member.text)
		}
	}
	for _, choice := range doc.get("choices").elements() {
		if choice.isObject() && !choice.get("delta").exists() {
			list.set(choice, "delta", "{}")
		}
	}
}
