package mock

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// preamble is how many tokens the model reads beside what is billed.
const preamble = 64

// chat serves /v2/chat.
func (cohere) chat(req *request) (*reply, *failure) {
	var c cohereRequest
	if f := req.decode(&c); f != nil {
		return nil, f
	}
	p, f := c.prompt()
	if f != nil {
		return nil, f
	}
	a := think(p)
	req.cacheByLength(p, &a)
	e := cohereEncoder{req: req, answer: a, cited: len(p.Results) > 0 && c.CitationOptions.Mode != "OFF"}
	if len(a.Calls) > 0 && a.Reasoning == "" {
		e.plan = "I will use the " + callNames(a.Calls) + " tool."
		e.answer.Usage.Output += countTokens(e.plan)
	}
	e.sources(p)
	if c.Stream {
		return &reply{status: http.StatusOK, frames: e.frames(), stream: true}, nil
	}
	return document(object{"id": req.uuid(), "message": e.message(), "finish_reason": e.finish(), "usage": e.usage()}), nil
}

func callNames(calls []toolCall) string {
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = c.Name
	}
	return strings.Join(names, " and ")
}

// cohereEncoder writes one answer.
type cohereEncoder struct {
	req       *request
	answer    answer
	plan      string // instead of thoughts, before calls
	cited     bool   // say where the text is from
	citations []object
}

func (e *cohereEncoder) finish() string {
	switch {
	case e.answer.StopAt != "":
		return "STOP_SEQUENCE"
	case e.answer.Finish == "length":
		return "MAX_TOKENS"
	case e.answer.Finish == "tool_calls":
		return "TOOL_CALL"
	}
	return "COMPLETE"
}

func (e *cohereEncoder) usage() object {
	u := e.answer.Usage
	return object{
		"billed_units":  object{"input_tokens": u.Input, "output_tokens": u.Output},
		"tokens":        object{"input_tokens": u.Input + preamble, "output_tokens": u.Output},
		"cached_tokens": u.CacheRead,
	}
}

// sources cites what the tools said, where the answer repeats it. Places are in characters of the
// text item, which is behind that of the thoughts.
func (e *cohereEncoder) sources(p *prompt) {
	if !e.cited {
		return
	}
	item := 0
	if e.answer.Reasoning != "" {
		item = 1
	}
	for i, r := range p.Results {
		said := excerpt(r.Text, 400)
		at := strings.Index(e.answer.Text, said)
		if said == "" || at < 0 {
			continue
		}
		start := utf8.RuneCountInString(e.answer.Text[:at])
		e.citations = append(e.citations, object{
			"start": start, "end": start + utf8.RuneCountInString(said), "text": said, "content_index": item, "type": "TEXT_CONTENT",
			"sources": []object{{"type": "tool", "id": r.Name + ":" + string(idAlphabet[i%10]), "tool_output": object{"content": r.Text}}},
		})
	}
}

func (e *cohereEncoder) call(i int) object {
	c := e.answer.Calls[i]
	return object{"id": e.req.id(c.Name+"_", 1+i), "type": "function", "function": object{"name": c.Name, "arguments": c.Args}}
}

func (e *cohereEncoder) message() object {
	m := object{"role": "assistant"}
	content := []object{}
	if e.answer.Reasoning != "" {
		content = append(content, object{"type": "thinking", "thinking": e.answer.Reasoning})
	}
	if e.answer.Text != "" || len(e.answer.Calls) == 0 {
		content = append(content, object{"type": "text", "text": e.answer.Text})
	}
	if len(content) > 0 {
		m["content"] = content
	}
	if e.plan != "" {
		m["tool_plan"] = e.plan
	}
	calls := []object{}
	for i := range e.answer.Calls {
		calls = append(calls, e.call(i))
	}
	if len(calls) > 0 {
		m["tool_calls"] = calls
	}
	if len(e.citations) > 0 {
		m["citations"] = e.citations
	}
	return m
}

// cohereFrame is an event whose data begins with its name; an index below 0 is left out.
func cohereFrame(name string, index int, delta any) frame {
	data := struct {
		Type  string `json:"type"`
		Index *int   `json:"index,omitempty"`
		Delta any    `json:"delta,omitempty"`
	}{Type: name, Delta: delta}
	if index >= 0 {
		data.Index = &index
	}
	return frame{event: name, data: encode(data)}
}

// frames streams the answer: message-start, the items of content, citations behind the text, the
// plan and the calls, message-end.
func (e *cohereEncoder) frames() []frame {
	message := func(member string, v any) object { return object{"message": object{member: v}} }
	start, _ := json.Marshal(e.req.uuid()) // a string always marshals
	list := []frame{{event: "message-start", data: []byte(`{"id":` + string(start) + `,"type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`)}}
	add := func(name string, index int, delta any) { list = append(list, cohereFrame(name, index, delta)) }
	item := 0
	say := func(kind, text string) {
		add("content-start", item, message("content", object{"type": kind, kind: ""}))
		for _, t := range pieces(text) {
			add("content-delta", item, message("content", object{kind: t}))
		}
		if kind == "text" {
			for i, c := range e.citations {
				add("citation-start", i, message("citations", c))
				add("citation-end", i, nil)
			}
		}
		add("content-end", item, nil)
		item++
	}
	if e.answer.Reasoning != "" {
		say("thinking", e.answer.Reasoning)
	}
	if e.answer.Text != "" {
		say("text", e.answer.Text)
	}
	for _, t := range pieces(e.plan) {
		add("tool-plan-delta", -1, message("tool_plan", t))
	}
	for i, c := range e.answer.Calls {
		call := e.call(i)
		call["function"] = object{"name": c.Name, "arguments": ""}
		add("tool-call-start", i, message("tool_calls", call))
		for _, t := range pieces(c.Args) {
			add("tool-call-delta", i, message("tool_calls", object{"function": object{"arguments": t}}))
		}
		add("tool-call-end", i, nil)
	}
	end := cohereFrame("message-end", -1, object{"finish_reason": e.finish(), "usage": e.usage()})
	end.last = true
	return append(list, end, frame{data: []byte("[DONE]"), last: true})
}
