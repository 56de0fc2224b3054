package provider

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"point"
	"point/internal/sse"
)

func (s openAI) Passes(path string) bool { return slices.Contains(s.passes, path) }

// passedMembers are what a document of a path has, if it is one of JSON.
var passedMembers = map[string]string{
	point.PathImageEdits: "data", point.PathTranscribe: "text", point.PathTranslate: "text", point.PathModerations: "results", point.PathRerank: "results",
}

// Pass forwards a call of a path that has nothing to translate.
func (s openAI) Pass(req *Request) (*Exchange, error) {
	path := strings.TrimPrefix(req.Call.Path, "/v1")
	d := &passed{forwarded: forwarded{member: passedMembers[req.Call.Path]}}
	switch req.Call.Path {
	case point.PathImageEdits:
		d.images = max(req.Call.Envelope.Choices, 1)
		if form := req.Call.Form; form != nil {
			d.kind = imageKind(form.Value("size"), form.Value("quality"))
		}
	case point.PathSpeech:
		d.member = ""
	case point.PathTranscribe, point.PathTranslate:
		d.text = req.Call.Form != nil && slices.Contains([]string{"text", "srt", "vtt"}, req.Call.Form.Value("response_format"))
	}
	exchange, err := s.forward(req, path, d)
	if err != nil {
		return nil, err
	}
	if env := &req.Call.Envelope; req.Call.Form == nil && env.ModelAt.End == 0 && req.Model != env.Model { // it was left to be the usual one
		if exchange.Outbound.Body, err = sjson.SetBytes(exchange.Outbound.Body, "model", req.Model); err != nil {
			return nil, invalidBody("", nil, nil, err)
		}
	}
	exchange.Whole = true
	exchange.Bytes = d.text || req.Call.Path == point.PathSpeech
	return exchange, nil
}

// forwardForm is the call's form as the provider gets it: the model's name in place, without the
// fields that only Point reads.
func forwardForm(req *Request) *point.Form {
	form := &point.Form{Parts: make([]point.Part, 0, len(req.Call.Form.Parts))}
	for _, p := range req.Call.Form.Parts {
		switch {
		case p.Own():
			continue
		case p.Name == "model" && p.Filename == "":
			p.Value = []byte(req.Model)
		}
		form.Parts = append(form.Parts, p)
	}
	return form
}

// passed decodes what is forwarded. Its streams are of events that tell their type, and end with
// one that is done or completed.
type passed struct {
	forwarded
	text bool  // a document is plain text
	ms   int64 // how long the sound was, as a document that is relayed told in its beginning
}

// Document checks a whole answer and finds its usage.
func (d *passed) Document(body []byte) (point.Block, error) {
	if d.text && first(body) != '{' {
		return point.Block{Kind: point.BlockContent, Data: body}, nil
	}
	block, err := d.forwarded.Document(body)
	if err != nil {
		return block, err
	}
	if d.member == "results" {
		if list := unflagged(body); len(list) > 0 {
			block.Data = splice(body, list)
			block.Usage, block.CostAt = usageIn(block.Data, 0)
		}
	}
	block.Usage = toldBeside(body, block.Usage)
	return block, nil
}

// unflagged tells of each moderated text whether it is flagged, where a server (Mistral's) leaves
// that to its categories.
func unflagged(body []byte) (list edits) {
	for _, result := range whole(body).get("results").elements() {
		categories := result.get("categories")
		if !categories.isObject() || result.get("flagged").exists() {
			continue
		}
		flagged := false
		for _, is := range categories.members() {
			flagged = flagged || string(is.raw) == "true"
		}
		list.set(result, "flagged", strconv.FormatBool(flagged))
	}
	return list
}

// toldBeside is the usage with what a document tells outside its usage: how long the sound was, or
// what searches were billed.
func toldBeside(body []byte, u *point.Usage) *point.Usage {
	doc := whole(body)
	length, searches := milliseconds(doc.get("duration")), doc.get("meta").get("billed_units").get("search_units")
	if length == 0 && !searches.isNumber() || u != nil && u.AudioMS+u.Searches > 0 {
		return u
	}
	if u == nil {
		u = &point.Usage{}
	}
	u.AudioMS, u.Searches = length, count(searches.int())
	return u
}

// Event classes one event of a stream by its type.
func (d *passed) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	if d.done || len(data) == 0 {
		return nil
	}
	if string(data) == "[DONE]" {
		d.done = true
		emit(point.Block{Kind: point.BlockDone, Data: doneEvent})
		return nil
	}
	if !validJSON(data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	kind := gjson.GetBytes(data, "type").Str
	if kind == "error" || e.Name == "error" || whole(data).get("error").isError() {
		return embedded(openAIComplaint(data))
	}
	d.buf = d.buf[:0]
	block := d.frame(e)
	block.Kind = point.BlockContent
	block.Usage, block.CostAt = usageIn(payload(block.Data))
	if d.finished = d.finished || strings.HasSuffix(kind, ".done") || strings.HasSuffix(kind, ".completed"); d.finished && d.images > 0 {
		block.Usage = d.counted(block.Usage)
	}
	emit(block)
	return nil
}

// Begin notes how long the sound was: transcripts tell it before their text.
func (d *passed) Begin(head []byte) {
	length := whole(head).get("duration")
	if length.at+len(length.raw) < len(head) { // else it may be cut off
		d.ms = milliseconds(length)
	}
}

// Tail finds the usage in the end of a document that is relayed in parts.
func (d *passed) Tail(tail []byte) (*point.Usage, int) {
	usage, at := d.tail(tail)
	if d.ms > 0 && usage == nil {
		usage = &point.Usage{}
	}
	if d.ms > 0 && usage.AudioMS+usage.Searches == 0 {
		usage.AudioMS = d.ms
	}
	return usage, at
}

func (d *passed) tail(tail []byte) (*point.Usage, int) {
	usage, at := relay{&d.forwarded}.Tail(tail)
	const key = `"search_units"`
	if i := bytes.LastIndex(tail, []byte(key)); i >= 0 && usage == nil {
		if rest := after(tail[i+len(key):]); len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
			return &point.Usage{Searches: count(whole(rest[:digits(rest)]).int())}, 0
		}
	}
	return usage, at
}

// digits is how many digits begin b.
func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// End accepts a stream that said that it is done; these have no [DONE].
func (d *passed) End(emit func(point.Block)) error {
	if !d.done && !d.finished {
		return truncated()
	}
	if !d.done {
		d.done = true
		emit(point.Block{Kind: point.BlockDone})
	}
	return nil
}
