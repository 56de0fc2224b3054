package provider

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"point"
	"point/internal/jsontext"
)

// edit replaces a span of a body by text; an empty span inserts.
type edit struct {
	point.Span
	text []byte
}

// splice applies edits to body in one copy of exact size. Spans must not overlap; the body
// itself is returned if there is nothing to edit.
func splice(body []byte, edits []edit) []byte {
	if len(edits) == 0 {
		return body
	}
	slices.SortFunc(edits, func(a, b edit) int { // an insertion goes before a cut at its place
		return cmp.Or(a.Start-b.Start, a.End-b.End)
	})
	size := len(body)
	for _, e := range edits {
		size += len(e.text) - (e.End - e.Start)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range edits {
		out = append(out, body[at:e.Start]...)
		out = append(out, e.text...)
		at = e.End
	}
	return append(out, body[at:]...)
}

// forwardBody is the call's body as an OpenAI-shaped provider gets it: the original bytes
// but for the model's name, the members that only Point reads, and, if askUsage is set and
// the call streams, stream_options.include_usage.
func forwardBody(req *Request, askUsage bool) []byte {
	env, body := &req.Call.Envelope, req.Call.Body
	edits := make([]edit, 0, len(env.OwnFields)+2)
	if req.Model != env.Model && env.ModelAt.End > 0 {
		edits = append(edits, edit{env.ModelAt, jsontext.AppendString(nil, req.Model)})
	}
	for _, own := range env.OwnFields {
		edits = append(edits, edit{Span: own})
	}
	if askUsage && env.Stream && !env.IncludeUsage {
		edits = append(edits, usageEdit(body, env.StreamOptionsAt))
	}
	return splice(body, edits)
}

// usageEdit switches include_usage on in the stream_options at span, or adds them.
func usageEdit(body []byte, at point.Span) edit {
	if at.End == 0 {
		brace := bytes.IndexByte(body, '{') + 1
		return edit{point.Span{Start: brace, End: brace}, []byte(`"stream_options":{"include_usage":true},`)}
	}
	options := body[at.Start:at.End]
	if gjson.ParseBytes(options).IsObject() {
		if set, err := sjson.SetBytes(options, "include_usage", true); err == nil {
			return edit{at, set}
		}
	}
	return edit{at, []byte(`{"include_usage":true}`)}
}
