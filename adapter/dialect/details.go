package dialect

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"point/internal/jsontext"
)

// details gathers the reasoning details of an answer. Streams bring some in pieces, which are put
// together.
type details struct {
	list []json.RawMessage
	last pieces // nothing yet, or the last one, which may go on
}

// pieces is a detail that comes in pieces.
type pieces struct {
	raw    json.RawMessage // the first, as it came
	kind   string
	index  string
	signed bool

	joined int
	text   []byte                     // of all pieces
	rest   map[string]json.RawMessage // further members, the last one of a name
}

// pieceTexts are the members that come in pieces, by the kind of detail. What is encrypted comes
// whole: two of them under one index belong to two calls.
var pieceTexts = map[string]string{"reasoning.text": "text", "reasoning.summary": "summary"}

// add takes one detail, or a piece of one.
func (d *details) add(detail gjson.Result) {
	if !detail.IsObject() {
		return
	}
	if d.last.goesOn(detail) {
		d.last.join(detail)
		return
	}
	if d.some() {
		d.list = append(d.list, d.last.whole())
	}
	d.last = pieces{
		raw: json.RawMessage(strings.Clone(detail.Raw)), kind: strings.Clone(detail.Get("type").Str),
		index: strings.Clone(detail.Get("index").Raw), signed: detail.Get("signature").Str != "",
	}
}

// some reports whether there are any.
func (d *details) some() bool { return d.last.raw != nil }

// all are those that have come.
func (d *details) all() []json.RawMessage {
	if !d.some() {
		return d.list
	}
	return append(d.list[:len(d.list):len(d.list)], d.last.whole())
}

// goesOn reports whether a detail is a further piece of p.
func (p *pieces) goesOn(detail gjson.Result) bool {
	return p.raw != nil && pieceTexts[p.kind] != "" && !p.signed && p.index != "" && detail.Get("type").Str == p.kind && detail.Get("index").Raw == p.index
}

// join adds a piece: its text is appended, the rest taken over.
func (p *pieces) join(detail gjson.Result) {
	if p.joined == 0 {
		p.rest = map[string]json.RawMessage{}
		p.take(gjson.ParseBytes(p.raw))
	}
	p.joined++
	p.take(detail)
}

func (p *pieces) take(detail gjson.Result) {
	detail.ForEach(func(key, v gjson.Result) bool {
		switch {
		case v.Type == gjson.Null:
		case key.Str == pieceTexts[p.kind]:
			p.text = append(p.text, v.Str...)
		default:
			p.rest[strings.Clone(key.Str)] = json.RawMessage(strings.Clone(v.Raw))
			p.signed = p.signed || key.Str == "signature" && v.Str != ""
		}
		return true
	})
}

// whole is the detail as far as it has come.
func (p *pieces) whole() json.RawMessage {
	if p.joined == 0 {
		return p.raw
	}
	p.rest[pieceTexts[p.kind]] = jsontext.AppendString(nil, string(p.text))
	raw, err := encodeJSON(p.rest)
	if err != nil { // each of them has been JSON
		return p.raw
	}
	return raw
}
