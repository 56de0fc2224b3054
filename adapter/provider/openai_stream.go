package provider

import (
	"bytes"
	"encoding/json"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
	"point/internal/sse"
)

// forwarded decodes answers in OpenAI's dialect, which are relayed as they came. Events are
// classed by searching their bytes; only the few that tell something (usage, an error, what
// comes before the first content) are parsed.
type forwarded struct {
	member string  // a document must have it: choices, data
	images int64   // images that were asked for
	kind   string  // of image, as point.ImageKind writes it
	mend   *mender // nil: the provider's bytes are right as they are

	mold     jsontext.Mold // of the last event that was text alone
	begun    bool          // content was seen
	finished bool          // a finish_reason was seen
	done     bool          // [DONE] was seen
	framer
}

// framer makes blocks of events that are relayed.
type framer struct{ buf []byte }

var doneEvent = []byte("data: [DONE]\n\n")

// Document checks a whole answer and finds its usage, in one pass over its members.
func (d *forwarded) Document(body []byte) (point.Block, error) {
	doc := whole(body)
	if !validJSON(body) || !doc.isObject() {
		return point.Block{}, badDocument(body)
	}
	block := point.Block{Kind: point.BlockContent, Data: body}
	var choices, usage value
	failed, found, named := false, false, false
	for key, v := range doc.members() {
		found = found || string(key) == d.member
		switch string(key) {
		case "error":
			failed = v.isError()
		case "choices":
			choices = v
		case "object":
			named = true
		case "usage":
			usage = v
			if block.Usage = openAIUsage(v); block.Usage != nil {
				block.CostAt = costAt(v, 0)
			}
		}
	}
	switch {
	case failed:
		return point.Block{}, embedded(openAIComplaint(body))
	case !found:
		return point.Block{}, badDocument(body)
	}
	if d.mend != nil {
		var mended bool
		if block.Data, mended = d.mend.document(body, named, choices, usage); mended || block.Usage == nil {
			block.Usage, block.CostAt = usageIn(block.Data, 0)
		}
		if d.mend.broken != "" {
			return point.Block{}, embedded(brokenOff(d.mend.broken))
		}
	}
	block.Usage = d.counted(block.Usage)
	return block, nil
}

// counted adds the images that were asked for to the usage. What a model of images says that it
// wrote is images, if it does not tell more.
func (d *forwarded) counted(u *point.Usage) *point.Usage {
	if d.images == 0 {
		return u
	}
	if u == nil {
		u = &point.Usage{}
	}
	u.Images, u.ImageKind = d.images, d.kind
	if u.ImageOutput == 0 {
		u.ImageOutput = u.Output
	}
	return u
}

// Event classes one event of a stream.
func (d *forwarded) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	if d.done || len(data) == 0 {
		return nil
	}
	if string(data) == "[DONE]" {
		d.done = true
		emit(point.Block{Kind: point.BlockDone, Data: doneEvent})
		return nil
	}
	if data[0] != '{' || data[len(data)-1] != '}' || e.Partial && !validJSON(data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	plain := d.begun && e.DataAt >= 0 && !e.Partial && e.Name == "" && (d.mend == nil || d.mend.soFar == nil)
	if plain && d.like(data) {
		emit(point.Block{Kind: point.BlockContent, Data: e.Raw})
		return nil
	}
	keys := findKeys(data)
	if keys.err && whole(data).get("error").isError() || e.Name == "error" {
		return embedded(openAIComplaint(data))
	}
	block, err := d.mended(e, data, keys, emit)
	if err != nil {
		return err
	}
	d.class(&block, keys)
	if plain && !keys.usage && !keys.odd() && !keys.err {
		d.cast(data)
	}
	if d.mend != nil && d.mend.soFar != nil {
		block.Usage = d.mend.soFar
	}
	emit(block)
	return nil
}

// mended is the block of an event, with what its kind of server says otherwise put right.
func (d *forwarded) mended(e sse.Event, data []byte, keys keys, emit func(point.Block)) (point.Block, error) {
	d.buf = d.buf[:0]
	block := d.frame(e)
	if d.mend == nil || !keys.odd() && !keys.usage && d.begun {
		return block, nil
	}
	if !validJSON(data) { // what is spliced must be sound
		return block, badEvent()
	}
	if mended, changed := d.mend.chunk(data, keys, emit); changed {
		block = d.reframe(mended)
	}
	if d.finished = d.mend.finished; d.mend.broken == "" {
		return block, nil
	}
	if usage, _ := usageIn(data, 0); usage != nil {
		emit(point.Block{Kind: point.BlockUsage, Usage: usage})
	}
	return block, embedded(brokenOff(d.mend.broken))
}

// like reports whether an event is text that is written as the one before.
func (d *forwarded) like(data []byte) bool {
	_, n := d.mold.Fit(data)
	return n > 0 && n == len(data)
}

// cast notes how an event of text is written, if this is one: the next ones may be known by it.
func (d *forwarded) cast(data []byte) {
	const key = `"content":"`
	if start := bytes.Index(data, []byte(key)) + len(key); start >= len(key) {
		d.mold.Cast(data, start, start+jsontext.StringEnd(data[start:]))
	}
}

// class sets a block's kind and usage.
func (d *forwarded) class(block *point.Block, keys keys) {
	if keys.usage {
		block.Usage, block.CostAt = usageIn(payload(block.Data))
	}
	switch {
	case block.Usage != nil && !keys.choices:
		block.Kind = point.BlockUsage
	case d.begun:
		block.Kind = point.BlockContent
	default:
		data, _ := payload(block.Data)
		if d.begun = hasContent(data); d.begun {
			block.Kind = point.BlockContent
		} else {
			block.Kind = point.BlockLead
		}
	}
}

// End says [DONE] for a server that finished its answer and left it out, if its kind is
// known to; any other stream without it is cut.
func (d *forwarded) End(emit func(point.Block)) error {
	switch {
	case d.done:
		return nil
	case d.mend != nil && d.finished:
		d.done = true
		emit(point.Block{Kind: point.BlockDone, Data: doneEvent})
		return nil
	}
	return truncated()
}

// frame is the block of an event's own bytes, put in order if they are not one data line
// with a blank line behind.
func (d *framer) frame(e sse.Event) point.Block {
	if e.DataAt < 0 || e.Partial {
		return d.reframe(e.Data)
	}
	return point.Block{Data: e.Raw}
}

// reframe makes an event of JSON, in the framer's buffer.
func (d *framer) reframe(data []byte) point.Block {
	at := len(d.buf)
	d.buf = append(d.buf, "data: "...)
	for _, c := range data {
		if c == '\n' || c == '\r' { // between tokens: JSON's strings hold none
			c = ' '
		}
		d.buf = append(d.buf, c)
	}
	d.buf = append(d.buf, '\n', '\n')
	return point.Block{Data: d.buf[at:len(d.buf):len(d.buf)]}
}

// payload finds the JSON in an event's bytes, which hold one data line.
func payload(raw []byte) (data []byte, at int) {
	for at < len(raw) {
		line := raw[at:]
		if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
			line = line[:i]
		}
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return rest, at + len("data:")
		}
		at += len(line) + 1
	}
	return nil, 0
}

// usageIn reads the usage of a document or chunk that stands at offset at, and where in it a
// cost may be spliced in. Groq hides it one level down, and Moonshot in the choice; then there
// is no such place.
func usageIn(doc []byte, at int) (*point.Usage, int) {
	v := whole(doc)
	u := v.get("usage")
	if usage := openAIUsage(u); usage != nil {
		return usage, costAt(u, at)
	}
	if usage := openAIUsage(v.get("x_groq").get("usage")); usage != nil {
		return usage, 0
	}
	for _, choice := range v.get("choices").elements() {
		return openAIUsage(choice.get("usage")), 0
	}
	return nil, 0
}

// validJSON reports whether body is JSON. The quick check recurses, so it is not given what
// may nest deep enough to exhaust the stack.
func validJSON(body []byte) bool {
	if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > 10_000 {
		return json.Valid(body)
	}
	return gjson.ValidBytes(body)
}

// after is what follows a colon and white space, nil if there is no colon.
func after(data []byte) []byte {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 || data[0] != ':' {
		return nil
	}
	return bytes.TrimLeft(data[1:], " \t\r\n")
}

// hasContent reports whether a chunk brings anything that a client would see: text,
// reasoning, a refusal, a tool call, audio, or something unknown that is not empty.
func hasContent(chunk []byte) bool {
	for _, choice := range whole(chunk).get("choices").elements() {
		if text := choice.get("text"); text.isString() && text.shows() {
			return true
		}
		for key, v := range choice.get("delta").members() {
			if string(key) != "role" && v.shows() {
				return true
			}
		}
	}
	return false
}

// relay is a forwarded answer whose documents need not be held whole.
type relay struct{ *forwarded }

// Tail finds the last usage object in a document's last bytes.
func (r relay) Tail(tail []byte) (*point.Usage, int) {
	const key = `"usage"`
	for end := len(tail); ; {
		i := bytes.LastIndex(tail[:end], []byte(key))
		if i < 0 {
			return r.counted(nil), 0
		}
		if rest := after(tail[i+len(key):]); len(rest) > 0 && rest[0] == '{' {
			if usage := openAIUsage(whole(rest)); usage != nil {
				return r.counted(usage), len(tail) - len(rest) + 1
			}
		}
		end = i
	}
}
