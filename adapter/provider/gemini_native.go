package provider

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"point"
	"point/internal/sse"
)

// Generate sends a generateContent request on as it came.
func (gemini) Generate(req *Request) (*Exchange, error) {
	body, err := googlesBody(req)
	if err != nil {
		return nil, err
	}
	method := "generateContent"
	if req.Call.Envelope.Stream {
		method = "streamGenerateContent?alt=sse"
	}
	return &Exchange{
		Outbound: &point.Outbound{
			Method: http.MethodPost,
			Path:   "/v1beta/" + geminiResource(req.Model) + ":" + method,
			Header: http.Header{"Content-Type": {"application/json"}},
			Body:   body,
		},
		Decoder: &generated{},
	}, nil
}

// googlesBody is the call's body without what its URL says and what only Point reads.
func googlesBody(req *Request) ([]byte, error) {
	env := &req.Call.Envelope
	edits := make([]edit, 0, len(env.OwnFields))
	for _, own := range env.OwnFields {
		edits = append(edits, edit{Span: own})
	}
	body := withoutForeignSignatures(splice(req.Call.Body, edits))
	if env.ModelAt.End == 0 {
		return body, nil
	}
	for _, name := range []string{"model", "stream"} {
		var err error
		if body, err = sjson.DeleteBytes(body, name); err != nil {
			return nil, &point.Error{Code: point.InvalidJSON, Message: "The request body is not valid JSON.", Cause: err}
		}
	}
	return body, nil
}

// foreignSignature begins a thought signature in which Point carries the thought of another model: the
// base64 of its mark and a list.
var foreignSignature = base64.StdEncoding.EncodeToString([]byte(point.ThoughtMark + "["))

// withoutForeignSignatures puts what Google documents for calls of other models in the place of such
// signatures, which it cannot decipher.
func withoutForeignSignatures(body []byte) []byte {
	if !bytes.Contains(body, []byte(foreignSignature)) {
		return body
	}
	var list []edit
	for _, content := range whole(body).get("contents").elements() {
		for _, part := range content.get("parts").elements() {
			for _, name := range []string{"thoughtSignature", "thought_signature"} {
				if v := part.get(name); strings.HasPrefix(v.str(), foreignSignature) {
					list = append(list, edit{point.Span{Start: v.at, End: v.at + len(v.raw)}, []byte(`"` + unsignedCall + `"`)})
				}
			}
		}
	}
	return splice(body, list)
}

// generated decodes answers in Gemini's dialect, which are relayed as they came. Its streams have
// no last event of their own: the one that says why the answer ended is kept back until the stream
// has ended too.
type generated struct {
	framer
	begun bool   // content was seen
	ended bool   // a reason for the end was seen
	held  []byte // the event kept back
	usage *point.Usage
	done  bool
}

// Document checks a whole answer and finds its usage.
func (d *generated) Document(body []byte) (point.Block, error) {
	doc := whole(body)
	if !validJSON(body) || !doc.isObject() {
		return point.Block{}, badDocument(body)
	}
	block := point.Block{Kind: point.BlockContent, Data: body}
	found := false
	for key, v := range doc.members() {
		switch string(key) {
		case "error":
			if v.isError() {
				return point.Block{}, embedded(googleComplaint(body))
			}
		case "usageMetadata":
			block.Usage = geminiUsage(gjson.ParseBytes(v.raw))
			found = true
		case "candidates", "promptFeedback":
			found = true
		}
	}
	if !found {
		return point.Block{}, badDocument(body)
	}
	return block, nil
}

// Tail finds the last usage in a document's last bytes.
func (*generated) Tail(tail []byte) (*point.Usage, int) {
	const key = `"usageMetadata"`
	for end := len(tail); ; {
		i := bytes.LastIndex(tail[:end], []byte(key))
		if i < 0 {
			return nil, 0
		}
		if rest := after(tail[i+len(key):]); len(rest) > 0 && rest[0] == '{' {
			return geminiUsage(gjson.ParseBytes(whole(rest).raw)), 0
		}
		end = i
	}
}

// Event classes one event of a stream.
func (d *generated) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	if len(data) == 0 {
		return nil
	}
	if data[0] != '{' || data[len(data)-1] != '}' || e.Partial && !validJSON(data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	d.release(emit) // more came behind what was to be the last
	for key, v := range whole(data).members() {
		switch string(key) {
		case "candidates":
			d.candidates(v)
		case "promptFeedback":
			if v.get("blockReason").shows() {
				d.begun, d.ended = true, true
			}
		case "usageMetadata":
			if usage := geminiUsage(gjson.ParseBytes(v.raw)); usage != nil {
				d.usage = usage
			}
		case "error":
			if v.isError() {
				d.tell(point.Block{Kind: point.BlockContent}, emit)
				return embedded(googleComplaint(data))
			}
		}
	}
	d.buf = d.buf[:0]
	block := d.frame(e)
	if d.ended {
		d.held = bytes.Clone(block.Data)
		return nil
	}
	block.Kind = d.kind()
	d.tell(block, emit)
	return nil
}

// candidates notes what the candidates of an event bring.
func (d *generated) candidates(list value) {
	for _, candidate := range list.elements() {
		for key, v := range candidate.members() {
			switch string(key) {
			case "finishReason":
				d.ended = d.ended || v.shows()
			case "content":
				d.begun = d.begun || hasParts(v.get("parts"))
			}
		}
	}
}

// hasParts reports whether a part brings anything that a client would see.
func hasParts(parts value) bool {
	for _, part := range parts.elements() {
		for key, v := range part.members() {
			if string(key) != "thoughtSignature" && v.shows() {
				return true
			}
		}
	}
	return false
}

func (d *generated) kind() point.BlockKind {
	if d.begun {
		return point.BlockContent
	}
	return point.BlockLead
}

// tell emits a block with what was counted since the last one.
func (d *generated) tell(block point.Block, emit func(point.Block)) {
	block.Usage, d.usage = d.usage, nil
	emit(block)
}

// release emits the event that was kept back, if one was.
func (d *generated) release(emit func(point.Block)) {
	if len(d.held) > 0 {
		emit(point.Block{Kind: d.kind(), Data: d.held})
		d.held = nil
	}
}

// End gives the last event out, if the answer has ended.
func (d *generated) End(emit func(point.Block)) error {
	switch {
	case d.done:
		return nil
	case !d.ended:
		return truncated()
	}
	d.done = true
	d.tell(point.Block{Kind: point.BlockDone, Data: d.held}, emit)
	return nil
}
