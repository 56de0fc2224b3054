package provider

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/sse"
)

// Messages forwards a call of Anthropic's own dialect.
func (anthropic) Messages(req *Request) (*Exchange, error) {
	return forwardMessages(req, "/v1/messages", &messageRelay{}), nil
}

// CountTokens forwards a count. It costs nothing.
func (anthropic) CountTokens(req *Request) (*Exchange, error) {
	return forwardMessages(req, "/v1/messages/count_tokens", countRelay{}), nil
}

// countedMembers are those of a message request that a count takes.
var countedMembers = []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control"}

// CountChat has a chat's prompt counted.
func (s anthropic) CountChat(req *Request) (*Exchange, error) {
	x, err := s.Chat(req)
	if err != nil {
		return nil, err
	}
	var list edits
	list.cut(whole(x.Outbound.Body), func(key []byte, _ value) bool { return !slices.Contains(countedMembers, string(key)) })
	x.Outbound.Path, x.Outbound.Body, x.Decoder = "/v1/messages/count_tokens", splice(x.Outbound.Body, list), countRelay{}
	return x, nil
}

func forwardMessages(req *Request, path string, decoder Decoder) *Exchange {
	out := &point.Outbound{Method: http.MethodPost, Path: path, Header: messageHeader(req.Call.Header), Body: ownThoughts(forwardBody(req, false))}
	return &Exchange{Outbound: out, Decoder: decoder}
}

// maxClientHeader bounds what is passed on of one of a client's headers.
const maxClientHeader = 4 << 10

// messageHeader is what goes on of a client's headers: Anthropic's own, such as anthropic-beta,
// known or not. The version is the client's, or the one that everybody uses.
func messageHeader(client http.Header) http.Header {
	header := http.Header{"Content-Type": {"application/json"}, "Anthropic-Version": {anthropicVersion}}
	for name, values := range client {
		joined := strings.Join(values, ",")
		if !strings.HasPrefix(name, "Anthropic-") || strings.HasPrefix(name, "Anthropic-Dangerous-") || joined == "" || len(joined) > maxClientHeader {
			continue
		}
		header[name] = []string{joined}
	}
	return header
}

// ownThoughts takes out of a conversation the thinking that Point told in another model's name:
// its marks stand where Anthropic looks for its own signature, and it would refuse them.
func ownThoughts(body []byte) []byte {
	if !bytes.Contains(body, []byte(point.ThoughtMark)) {
		return body
	}
	var list []edit
	for _, message := range whole(body).get("messages").elements() {
		content := message.get("content")
		var kept [][]byte
		all := 0
		for _, block := range content.elements() {
			if all++; !foreignThought(block) {
				kept = append(kept, block.raw)
			}
		}
		if len(kept) == all {
			continue
		}
		text := append(append([]byte{'['}, bytes.Join(kept, []byte{','})...), ']')
		if len(kept) == 0 {
			text = []byte(`[{"type":"text","text":"..."}]`) // a message must say something
		}
		list = append(list, edit{point.Span{Start: content.at, End: content.at + len(content.raw)}, text})
	}
	return splice(body, list)
}

func foreignThought(block value) bool {
	return block.get("type").is("thinking") && strings.HasPrefix(block.get("signature").str(), point.ThoughtMark) ||
		block.get("type").is("redacted_thinking") && strings.HasPrefix(block.get("data").str(), point.ThoughtMark)
}

// messageRelay relays messages as they come. It reads what they used and where they end: Claude
// speaks so whatever envelope its requests come in.
//
//	https://platform.claude.com/docs/en/build-with-claude/streaming
type messageRelay struct {
	usage anthropicUsage
	begun bool // content was seen
	done  bool
	buf   []byte
}

// Document checks a whole message and finds its usage.
func (d *messageRelay) Document(body []byte) (point.Block, error) {
	doc := whole(body)
	switch {
	case !validJSON(body) || !doc.isObject():
		return point.Block{}, badDocument(body)
	case doc.get("error").isError():
		return point.Block{}, embedded(openAIComplaint(body))
	case !doc.get("content").isList():
		return point.Block{}, badDocument(body)
	}
	block := point.Block{Data: body}
	block.Usage, block.CostAt = d.count(doc.get("usage"), 0)
	return block, nil
}

// count takes over a usage object of a text that stands at an offset.
func (d *messageRelay) count(usage value, at int) (*point.Usage, int) {
	if !usage.isObject() {
		return nil, 0
	}
	d.usage.add(gjson.ParseBytes(usage.raw))
	return d.usage.usage(), at + usage.at + 1
}

// Tail finds the usage in a long message's last bytes.
func (d *messageRelay) Tail(tail []byte) (*point.Usage, int) {
	const key = `"usage"`
	i := bytes.LastIndex(tail, []byte(key))
	if i < 0 {
		return nil, 0
	}
	rest := after(tail[i+len(key):])
	if len(rest) == 0 || rest[0] != '{' {
		return nil, 0
	}
	return d.count(whole(rest), len(tail)-len(rest))
}

// Event classes one event of a stream.
func (d *messageRelay) Event(e sse.Event, emit func(point.Block)) error {
	data := bytes.TrimSpace(e.Data)
	if d.done || len(data) == 0 {
		return nil
	}
	if data[0] != '{' || data[len(data)-1] != '}' || e.Partial && !validJSON(data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	doc := whole(data)
	kind := doc.get("type").str()
	if kind == "" {
		kind = e.Name
	}
	if kind == "error" || kind == "" && doc.get("error").isError() {
		return embedded(openAIComplaint(data))
	}
	block := d.frame(e, kind)
	payload, at := payload(block.Data)
	switch kind {
	case "message_start":
		block.Usage, _ = d.count(whole(payload).get("message").get("usage"), at)
	case "message_delta":
		block.Usage, block.CostAt = d.count(whole(payload).get("usage"), at)
	case "message_stop":
		d.done = true
		block.Kind = point.BlockDone
	}
	if d.begun = d.begun || showsMessage(kind, doc); !d.begun && !d.done {
		block.Kind = point.BlockLead
	}
	emit(block)
	return nil
}

// showsMessage reports whether an event brings anything that a client would see.
func showsMessage(kind string, event value) bool {
	switch kind {
	case "content_block_start":
		block := event.get("content_block")
		switch block.get("type").str() {
		case "text", "thinking":
			return block.get("text").shows() || block.get("thinking").shows()
		}
		return true
	case "content_block_delta":
		for key, v := range event.get("delta").members() {
			if string(key) != "type" && v.shows() {
				return true
			}
		}
		return false
	}
	return kind != "message_start" && kind != "ping" && kind != "content_block_stop"
}

// frame is the block of an event's own bytes, put in order if they are not one data line with a
// name: the SDKs go by the name.
func (d *messageRelay) frame(e sse.Event, kind string) point.Block {
	if e.DataAt >= 0 && !e.Partial && e.Name == kind {
		return point.Block{Data: e.Raw}
	}
	d.buf = append(append(d.buf[:0], "event: "...), kind...)
	d.buf = append(d.buf, "\ndata: "...)
	for _, c := range e.Data {
		if c == '\n' || c == '\r' { // between tokens: JSON's strings hold none
			c = ' '
		}
		d.buf = append(d.buf, c)
	}
	d.buf = append(d.buf, '\n', '\n')
	return point.Block{Data: d.buf}
}

// End finds out whether the stream was whole.
func (d *messageRelay) End(func(point.Block)) error {
	if d.done {
		return nil
	}
	return truncated()
}

// countRelay relays a count of tokens.
type countRelay struct{}

func (countRelay) Document(body []byte) (point.Block, error) {
	switch doc := whole(body); {
	case !validJSON(body) || !doc.isObject():
		return point.Block{}, badDocument(body)
	case doc.get("error").isError():
		return point.Block{}, embedded(openAIComplaint(body))
	case !doc.get("input_tokens").isNumber():
		return point.Block{}, badDocument(body)
	}
	return point.Block{Data: body}, nil
}

func (countRelay) Event(sse.Event, func(point.Block)) error { return badEvent() }
func (countRelay) End(func(point.Block)) error              { return truncated() }
