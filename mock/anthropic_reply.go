package mock

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// message serves /v1/messages.
func (anthropic) message(req *request) (*reply, *failure) {
	var m messageRequest
	if f := req.decode(&m); f != nil {
		return nil, f
	}
	p, f := m.prompt(req.server)
	if f != nil {
		return nil, f
	}
	a := think(p)
	req.cacheByMarks(p, &a)
	e := messageEncoder{req: req, model: m.Model, answer: a}
	if m.Stream {
		return &reply{status: http.StatusOK, frames: e.frames(), stream: true}, nil
	}
	return document(e.envelope(e.blocks(), e.stopReason(), e.usage(a.Usage.Output))), nil
}

// countTokens serves /v1/messages/count_tokens.
func (anthropic) countTokens(req *request) (*reply, *failure) {
	m := messageRequest{MaxTokens: new(int)}
	*m.MaxTokens = 1 << 20
	if f := req.decode(&m); f != nil {
		return nil, f
	}
	p, f := m.prompt(req.server)
	if f != nil {
		return nil, f
	}
	return document(object{"input_tokens": p.Tokens}), nil
}

// cacheByMarks counts the tokens up to the last cache mark as written the first time and as
// read from then on.
func (r *request) cacheByMarks(p *prompt, a *answer) {
	if p.CacheMarked == 0 {
		return
	}
	if r.server.prefix.add(p.Model + "\n" + strconv.Itoa(p.CacheMarked) + "\n" + p.System) {
		a.Usage.CacheRead = p.CacheMarked
	} else {
		a.Usage.CacheWrite = p.CacheMarked
	}
}

// messageEncoder writes one answer.
type messageEncoder struct {
	req    *request
	model  string
	answer answer
	host   string // goes into ids: bdrk_ at Bedrock
}

type messageEnvelope struct {
	ID           string `json:"id"`
	Type         string `json:"type"`
	Role         string `json:"role"`
	Model        string `json:"model"`
	Content      []any  `json:"content"`
	StopReason   any    `json:"stop_reason"`
	StopSequence any    `json:"stop_sequence"`
	Usage        object `json:"usage"`
}

func (e *messageEncoder) envelope(content []any, reason any, usage object) messageEnvelope {
	m := messageEnvelope{
		ID: e.req.id("msg_"+e.host, 0), Type: "message", Role: "assistant", Model: e.model,
		Content: content, StopReason: reason, Usage: usage,
	}
	if reason != nil {
		m.StopSequence = orNull(e.answer.StopAt)
	}
	return m
}

// usage in Anthropic's way: input without what was cached.
func (e *messageEncoder) usage(output int) object {
	u := e.answer.Usage
	return object{
		"input_tokens":                u.Input - u.CacheRead - u.CacheWrite,
		"cache_creation_input_tokens": u.CacheWrite,
		"cache_read_input_tokens":     u.CacheRead,
		"cache_creation":              object{"ephemeral_5m_input_tokens": u.CacheWrite, "ephemeral_1h_input_tokens": 0},
		"output_tokens":               output,
		"service_tier":                "standard",
	}
}

func (e *messageEncoder) stopReason() string {
	switch {
	case e.answer.StopAt != "":
		return "stop_sequence"
	case e.answer.Finish == "length":
		return "max_tokens"
	case e.answer.Finish == "tool_calls":
		return "tool_use"
	case e.answer.Finish == "content_filter":
		return "refusal"
	}
	return "end_turn"
}

type thinkingBlock struct {
	Type      string `json:"type"`
	Thinking  string `json:"thinking"`
	Signature string `json:"signature"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type toolUseBlock struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

func (e *messageEncoder) blocks() []any {
	list := []any{}
	if e.answer.Reasoning != "" {
		list = append(list, thinkingBlock{"thinking", e.answer.Reasoning, e.req.server.sign(e.answer.Reasoning)})
	}
	if e.answer.Text != "" {
		list = append(list, textBlock{"text", e.answer.Text})
	}
	for i, c := range e.answer.Calls {
		list = append(list, toolUseBlock{"tool_use", e.req.id("toolu_"+e.host, 1+i), c.Name, json.RawMessage(c.Args)})
	}
	return list
}

// frames streams the answer: message_start, each block opened, filled and closed, a ping
// after the first opening, message_delta, message_stop.
func (e *messageEncoder) frames() []frame {
	list := []frame{named("message_start", object{"message": e.envelope([]any{}, nil, e.usage(1))})}
	index := 0
	open := func(b any) {
		list = append(list, named("content_block_start", object{"index": index, "content_block": b}))
		if index == 0 {
			list = append(list, named("ping", object{}))
		}
	}
	delta := func(kind, field, value string) {
		list = append(list, named("content_block_delta", object{"index": index, "delta": json.RawMessage(`{"type":"` + kind + `","` + field + `":` + string(appendString(nil, value)) + `}`)}))
	}
	end := func() {
		list = append(list, named("content_block_stop", object{"index": index}))
		index++
	}
	for _, b := range e.blocks() {
		switch b := b.(type) {
		case thinkingBlock:
			open(thinkingBlock{Type: "thinking"})
			for _, t := range pieces(b.Thinking) {
				delta("thinking_delta", "thinking", t)
			}
			delta("signature_delta", "signature", b.Signature)
		case textBlock:
			open(textBlock{Type: "text"})
			for _, t := range pieces(b.Text) {
				delta("text_delta", "text", t)
			}
		case toolUseBlock:
			open(toolUseBlock{b.Type, b.ID, b.Name, json.RawMessage("{}")})
			delta("input_json_delta", "partial_json", "")
			if string(b.Input) != "{}" {
				for _, t := range pieces(string(b.Input)) {
					delta("input_json_delta", "partial_json", t)
				}
			}
		}
		end()
	}
	last := object{"stop_reason": e.stopReason(), "stop_sequence": orNull(e.answer.StopAt)}
	stop := named("message_stop", object{})
	stop.last = true
	return append(list, named("message_delta", object{"delta": last, "usage": e.usage(e.answer.Usage.Output)}), stop)
}

// named is an event whose data repeats its name as the type, first.
func named(event string, data object) frame {
	rest := bytes.TrimPrefix(encode(data), []byte("{"))
	head := `{"type":"` + event + `"`
	if len(data) > 0 {
		head += ","
	}
	return frame{event: event, data: append([]byte(head), rest...)}
}

func (anthropic) delta(_ *request, text []byte) frame {
	head := `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`
	return frame{event: "content_block_delta", data: slices.Concat([]byte(head), text, []byte(`}}`))}
}

// anthropicModels lists models a page at a time: limit (20), after_id.
func anthropicModels(req *request) *reply {
	query := req.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		limit = 20
	}
	list := anthropicList
	if i := slices.IndexFunc(list, func(m model) bool { return m.id == query.Get("after_id") }); i >= 0 {
		list = list[i+1:]
	}
	more := len(list) > limit
	list = list[:min(limit, len(list))]
	page := object{"data": []object{}, "has_more": more, "first_id": nil, "last_id": nil}
	for i, m := range list {
		page["data"] = append(page["data"].([]object), anthropicEntry(m))
		if i == 0 {
			page["first_id"] = m.id
		}
		page["last_id"] = m.id
	}
	return document(page)
}

func anthropicEntry(m model) object {
	return object{"type": "model", "id": m.id, "display_name": m.title, "created_at": "2026-01-01T00:00:00Z"}
}

func anthropicModel(req *request) (*reply, *failure) {
	for _, m := range anthropicList {
		if m.id == req.model {
			return document(anthropicEntry(m)), nil
		}
	}
	return nil, &failure{status: http.StatusNotFound, kind: kindModel, message: "model: " + req.model}
}
