package provider

import (
	"encoding/json"
	"strconv"

	"point"
	"point/internal/jsontext"
)

// chunks writes the stream of a translated chat answer: chat.completion.chunk events with
// one id, created and model, the role in the first delta, a usage event and [DONE] at the
// end. The bytes of blocks are valid until reset.
type chunks struct {
	id      string
	model   string
	created int64

	head  []byte // up to the delta
	buf   []byte
	begun bool         // the role was sent
	told  *point.Usage // what the provider counted so far, to go with the next block
	emit  func(point.Block)
}

// reset makes room for the next event's chunks, which go to emit.
func (c *chunks) reset(emit func(point.Block)) {
	c.buf, c.emit = c.buf[:0], emit
}

// open appends a chunk up to its delta, and returns where it starts.
func (c *chunks) open() int {
	if c.head == nil {
		h := append([]byte(nil), `data: {"id":`...)
		h = jsontext.AppendString(h, c.id)
		h = append(h, `,"object":"chat.completion.chunk","created":`...)
		h = strconv.AppendInt(h, c.created, 10)
		h = append(h, `,"model":`...)
		h = jsontext.AppendString(h, c.model)
		c.head = append(h, `,"choices":[`...)
	}
	at := len(c.buf)
	c.buf = append(c.buf, c.head...)
	return at
}

// delta starts a chunk with a delta. The role goes with the first one, and content as null,
// unless the delta is itself content.
func (c *chunks) delta(isContent bool) int {
	at := c.open()
	c.buf = append(c.buf, `{"index":0,"delta":{`...)
	if !c.begun {
		c.begun = true
		c.buf = append(c.buf, `"role":"assistant",`...)
		if !isContent {
			c.buf = append(c.buf, `"content":null,`...)
		}
	}
	return at
}

// close ends a chunk with a delta and emits it.
func (c *chunks) close(at int) {
	c.buf = append(c.buf, `},"finish_reason":null}]}`+"\n\n"...)
	c.send(point.Block{Kind: point.BlockContent}, at)
}

func (c *chunks) send(b point.Block, at int) {
	b.Data = c.buf[at:len(c.buf):len(c.buf)]
	if c.told != nil {
		b.Usage, c.told = c.told, nil
	}
	c.emit(b)
}

// tell emits what the provider counted, if no block has yet: an answer that fails was paid for
// too.
func (c *chunks) tell() {
	if c.told != nil {
		c.send(point.Block{Kind: point.BlockContent}, len(c.buf))
	}
}

// text emits a delta of content, given as a JSON string.
func (c *chunks) text(raw string) {
	at := c.delta(true)
	c.buf = append(c.buf, `"content":`...)
	c.buf = append(c.buf, raw...)
	c.close(at)
}

// reasoning emits a delta of reasoning_content, given as a JSON string.
func (c *chunks) reasoning(raw string) {
	at := c.delta(false)
	c.buf = append(c.buf, `"reasoning_content":`...)
	c.buf = append(c.buf, raw...)
	c.close(at)
}

// detail emits one whole reasoning detail.
func (c *chunks) detail(d reasoningDetail) {
	at := c.delta(false)
	c.buf = append(c.buf, `"reasoning_details":[`...)
	raw, _ := marshal(d) // strings and numbers always marshal
	c.buf = append(c.buf, raw...)
	c.buf = append(c.buf, ']')
	c.close(at)
}

// cited emits the citations that are new.
func (c *chunks) cited(of *cited) {
	c.list(`"annotations":`, &of.annotations)
	c.list(`"citations":`, &of.citations)
}

func (c *chunks) list(member string, l *jsonList) {
	if len(l.raw) == 0 {
		return
	}
	at := c.delta(false)
	c.buf = append(append(append(append(c.buf, member...), '['), l.raw...), ']')
	l.raw = l.raw[:0]
	c.close(at)
}

// image emits an image that the model made.
func (c *chunks) image(p imagePart) {
	at := c.delta(false)
	c.buf = append(c.buf, `"images":[{"index":0,"type":"image_url","image_url":{"url":`...)
	c.buf = jsontext.AppendString(c.buf, p.ImageURL.URL)
	c.buf = append(c.buf, '}', '}', ']')
	c.close(at)
}

// refusal emits a whole refusal.
func (c *chunks) refusal(text string) {
	at := c.delta(false)
	c.buf = append(c.buf, `"refusal":`...)
	c.buf = jsontext.AppendString(c.buf, text)
	c.close(at)
}

// call emits tool call number i, or its start.
func (c *chunks) call(i int, call toolCall) {
	at := c.delta(false)
	call.Index, call.Type = &i, "function"
	c.buf = append(c.buf, `"tool_calls":[`...)
	raw, _ := marshal(call) // strings and numbers always marshal
	c.buf = append(c.buf, raw...)
	c.buf = append(c.buf, ']')
	c.close(at)
}

// arguments emits a piece of tool call number i's arguments, given as a JSON string.
func (c *chunks) arguments(i int, raw string) {
	at := c.delta(false)
	c.buf = append(c.buf, `"tool_calls":[{"index":`...)
	c.buf = strconv.AppendInt(c.buf, int64(i), 10)
	c.buf = append(c.buf, `,"function":{"arguments":`...)
	c.buf = append(c.buf, raw...)
	c.buf = append(c.buf, '}', '}', ']')
	c.close(at)
}

// finish emits the last chunk of the choice.
func (c *chunks) finish(reason string) {
	kind := point.BlockContent
	at := c.open()
	c.buf = append(c.buf, `{"index":0,"delta":{`...)
	if !c.begun { // an empty answer
		c.begun, kind = true, point.BlockLead
		c.buf = append(c.buf, `"role":"assistant","content":""`...)
	}
	c.buf = append(c.buf, `},"finish_reason":`...)
	c.buf = jsontext.AppendString(c.buf, reason)
	c.buf = append(c.buf, '}', ']', '}', '\n', '\n')
	c.send(point.Block{Kind: kind}, at)
}

// end emits the usage, if there is one, and [DONE].
func (c *chunks) end(usage *point.Usage) {
	if usage != nil {
		at := c.open()
		c.buf = append(c.buf, `],"usage":`...)
		cost := len(c.buf) - at + 1
		c.buf = appendUsage(c.buf, usage)
		c.buf = append(c.buf, '}', '\n', '\n')
		c.told = usage
		c.send(point.Block{Kind: point.BlockUsage, CostAt: cost}, at)
	}
	c.emit(point.Block{Kind: point.BlockDone, Data: doneEvent})
}

// completion is a translated chat answer that is not streamed.
type completion struct {
	id      string
	model   string
	created int64
	message completionMessage
	finish  string
	usage   *point.Usage
}

type completionMessage struct {
	Role             string            `json:"role"`
	Content          *string           `json:"content"` // null beside tool calls, unless there is text
	Refusal          *string           `json:"refusal"`
	ReasoningContent string            `json:"reasoning_content,omitempty"`
	ReasoningDetails []reasoningDetail `json:"reasoning_details,omitempty"`
	ToolCalls        []toolCall        `json:"tool_calls,omitempty"`
	Images           []imagePart       `json:"images,omitempty"`
	Annotations      json.RawMessage   `json:"annotations,omitempty"` // see cited
	Citations        json.RawMessage   `json:"citations,omitempty"`
}

// imagePart is an image that a model made, as OpenRouter shows it.
type imagePart struct {
	Type     string `json:"type"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
}

// block is the answer as a chat.completion document.
func (c *completion) block() (point.Block, error) {
	c.message.Role = "assistant"
	if c.message.Content == nil && c.message.Refusal == nil && len(c.message.ToolCalls) == 0 {
		c.message.Content = new(string)
	}
	message, err := marshal(c.message)
	if err != nil {
		return point.Block{}, err
	}
	b := append(make([]byte, 0, len(message)+512), `{"id":`...)
	b = jsontext.AppendString(b, c.id)
	b = append(b, `,"object":"chat.completion","created":`...)
	b = strconv.AppendInt(b, c.created, 10)
	b = append(b, `,"model":`...)
	b = jsontext.AppendString(b, c.model)
	b = append(b, `,"choices":[{"index":0,"message":`...)
	b = append(b, message...)
	b = append(b, `,"logprobs":null,"finish_reason":`...)
	b = jsontext.AppendString(b, c.finish)
	b = append(b, `}]`...)
	cost := 0
	if c.usage != nil {
		b = append(b, `,"usage":`...)
		cost = len(b) + 1
		b = appendUsage(b, c.usage)
	}
	b = append(b, '}')
	return point.Block{Kind: point.BlockContent, Data: b, Usage: c.usage, CostAt: cost}, nil
}
