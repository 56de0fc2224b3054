package provider

import (
	"bytes"
	"strings"

	"point"
	"point/internal/sse"
)

// openAIOwn is OpenAI itself: what its imitators do not have stands here.
type openAIOwn struct{ openAI }

// Respond forwards a request to the Responses API and relays the answer.
func (s openAIOwn) Respond(req *Request) (*Exchange, error) {
	exchange, err := s.forward(req, "/responses", &responded{})
	if err == nil {
		exchange.Outbound.Body = withoutThought(exchange.Outbound.Body)
	}
	return exchange, err
}

// withoutThought takes reasoning items out of a body's input that Point made of another
// dialect's thought: OpenAI refuses what it cannot decipher.
func withoutThought(body []byte) []byte {
	if !bytes.Contains(body, []byte(point.ThoughtMark)) {
		return body
	}
	input := whole(body).get("input")
	var kept [][]byte
	all := true
	for _, item := range input.elements() {
		if item.get("type").is("reasoning") && strings.HasPrefix(item.get("encrypted_content").str(), point.ThoughtMark) {
			all = false
			continue
		}
		kept = append(kept, item.raw)
	}
	if all {
		return body
	}
	list := append(append([]byte{'['}, bytes.Join(kept, []byte{','})...), ']')
	return splice(body, []edit{{point.Span{Start: input.at, End: input.at + len(input.raw)}, list}})
}

// responded decodes answers of the Responses API, which are relayed as they came.
//
//	https://platform.openai.com/docs/api-reference/responses-streaming
type responded struct {
	begun bool // content was seen
	done  bool // the response is whole
	buf   []byte
}

// Document checks a whole response and finds its usage.
func (d *responded) Document(body []byte) (point.Block, error) {
	doc := whole(body)
	if !validJSON(body) || !doc.isObject() {
		return point.Block{}, badDocument(body)
	}
	if doc.get("error").isError() {
		return point.Block{}, respondedFailure(doc)
	}
	if !doc.get("output").isList() {
		return point.Block{}, badDocument(body)
	}
	block := point.Block{Kind: point.BlockContent, Data: body}
	usage := doc.get("usage")
	if block.Usage = openAIUsage(usage); block.Usage != nil {
		block.Usage.Searches = webSearches(doc)
		block.CostAt = usage.at + 1
	}
	return block, nil
}

// leads are the events that come before anything that a client would see.
var leads = map[string]bool{
	"response.created": true, "response.queued": true, "response.in_progress": true, "response.output_item.added": true,
	"response.content_part.added": true, "response.reasoning_summary_part.added": true, "keepalive": true,
}

// Event classes one event of a stream.
func (d *responded) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	if d.done || len(data) == 0 || string(data) == "[DONE]" {
		return nil
	}
	event := whole(data)
	if !event.isObject() || data[len(data)-1] != '}' || e.Partial && !validJSON(data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	kind := event.get("type").str()
	if kind == "error" || event.get("error").isError() {
		return respondedFailure(event)
	}
	switch kind {
	case "response.failed", "response.cancelled":
		return respondedFailure(event.get("response"))
	case "response.completed", "response.incomplete":
		d.done = true
	}
	block := d.frame(e, kind)
	switch {
	case d.done:
		block.Kind = point.BlockDone
		text, at := payload(block.Data)
		response := whole(text).get("response")
		usage := response.get("usage")
		if block.Usage = openAIUsage(usage); block.Usage != nil {
			block.Usage.Searches = webSearches(response)
			// usage.at is an offset within the response's own text, which is that of the payload.
			block.CostAt = at + usage.at + 1
		}
	case !d.begun && leads[kind]:
		block.Kind = point.BlockLead
	default:
		d.begun, block.Kind = true, point.BlockContent
	}
	emit(block)
	return nil
}

// webSearches is how often a response searched the web: to open a page or find something in it is
// no search.
func webSearches(response value) (n int64) {
	for _, item := range response.get("output").elements() {
		action := item.get("action").get("type")
		if item.get("type").is("web_search_call") && !item.get("status").is("failed") && (!action.exists() || action.is("search")) {
			n++
		}
	}
	return n
}

// frame is the block of an event's own bytes, put in order if they are not one data line with a
// blank line behind.
func (d *responded) frame(e sse.Event, kind string) point.Block {
	if e.DataAt >= 0 && !e.Partial {
		return point.Block{Data: e.Raw}
	}
	d.buf = append(d.buf[:0], "event: "...)
	d.buf = append(append(d.buf, kind...), "\ndata: "...)
	for _, c := range e.Data {
		if c == '\n' || c == '\r' { // between tokens: JSON's strings hold none
			c = ' '
		}
		d.buf = append(d.buf, c)
	}
	d.buf = append(d.buf, '\n', '\n')
	return point.Block{Data: d.buf}
}

// End tells that a stream was cut which had not come to its end.
func (d *responded) End(func(point.Block)) error {
	if !d.done {
		return truncated()
	}
	return nil
}

// respondedFailure reads the error of a response, or of an error event, whose members stand in it
// or in an error object.
func respondedFailure(v value) *point.Error {
	c := openAIComplaint(v.raw)
	if c != nil && c.status == 0 && (strings.HasPrefix(c.code, "invalid_") || strings.Contains(c.code, "image")) {
		c.status = 400
	}
	return embedded(c)
}
