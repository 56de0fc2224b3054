package mock

import "strings"

// responsesEncoder writes one answer as a response.
type responsesEncoder struct {
	req    *request
	answer answer
	asked  object
	frames []frame
}

func (e *responsesEncoder) status() string {
	if e.answer.Finish == "length" {
		return "incomplete"
	}
	return "completed"
}

// object is the response with some of its output.
func (e *responsesEncoder) object(status string, output []object) object {
	o := object{
		"id": e.req.id("resp_", 0), "object": "response", "created_at": e.req.server.opts.Now().Unix(), "status": status, "background": false, "error": nil,
		"incomplete_details": nil, "model": e.asked["model"], "output": output, "metadata": object{}, "parallel_tool_calls": true, "tool_choice": "auto", "tools": []object{},
		"temperature": 1.0, "top_p": 1.0, "usage": nil, "store": true, "truncation": "disabled", "service_tier": "default", "text": object{"format": object{"type": "text"}},
		"instructions": nil, "max_output_tokens": nil, "previous_response_id": nil, "reasoning": object{"effort": nil, "summary": nil}, "user": nil,
	}
	for _, name := range []string{"instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "tool_choice", "tools", "temperature", "top_p", "store", "previous_response_id", "text", "reasoning", "user"} {
		if v := e.asked[name]; v != nil {
			o[name] = v
		}
	}
	if status == "in_progress" {
		return o
	}
	if status == "incomplete" {
		o["incomplete_details"] = object{"reason": "max_output_tokens"}
	}
	u := e.answer.Usage
	o["usage"] = object{
		"input_tokens": u.Input, "input_tokens_details": object{"cached_tokens": u.CacheRead}, "output_tokens": u.Output,
		"output_tokens_details": object{"reasoning_tokens": u.Reasoning}, "total_tokens": u.Input + u.Output,
	}
	return o
}

// items is the output, and the deltas that it is streamed in.
func (e *responsesEncoder) items() (items []object, deltas [][]string) {
	if e.answer.Reasoning != "" {
		item := object{"id": e.req.id("rs_", 0), "type": "reasoning", "summary": []object{}}
		if include, _ := e.asked["include"].([]any); len(include) > 0 {
			sealed := e.req.id("", 9)
			item["encrypted_content"] = sealed + "." + e.req.server.sign(sealed)
		}
		items, deltas = append(items, item), append(deltas, nil)
	}
	if len(e.answer.Calls) == 0 {
		items = append(items, object{"id": e.req.id("msg_", 1), "type": "message", "status": e.status(), "role": "assistant", "content": []object{e.part(e.answer.Text)}})
		deltas = append(deltas, pieces(e.answer.Text))
	}
	for i, c := range e.answer.Calls {
		items = append(items, object{"id": e.req.id("fc_", i), "type": "function_call", "status": "completed", "call_id": e.req.id("call_", i), "name": c.Name, "arguments": c.Args})
		deltas = append(deltas, pieces(c.Args))
	}
	return items, deltas
}

func (e *responsesEncoder) part(text string) object {
	return object{"type": "output_text", "text": text, "annotations": []object{}, "logprobs": []object{}}
}

// event adds an event.
func (e *responsesEncoder) event(kind string, members object) {
	members["type"], members["sequence_number"] = kind, len(e.frames)
	e.frames = append(e.frames, frame{event: kind, data: encode(members)})
}

// stream writes all events of a response.
func (e *responsesEncoder) stream() []frame {
	items, deltas := e.items()
	e.event("response.created", object{"response": e.object("in_progress", []object{})})
	e.event("response.in_progress", object{"response": e.object("in_progress", []object{})})
	for i, item := range items {
		e.item(i, item, deltas[i])
	}
	e.event("response."+e.status(), object{"response": e.object(e.status(), items)})
	e.frames[len(e.frames)-1].last = true
	return e.frames
}

func (e *responsesEncoder) item(i int, item object, deltas []string) {
	at := func(more object) object {
		more["item_id"], more["output_index"] = item["id"], i
		return more
	}
	started := object{}
	for k, v := range item {
		started[k] = v
	}
	switch item["type"] {
	case "message":
		started["status"], started["content"] = "in_progress", []object{}
	case "function_call":
		started["status"], started["arguments"] = "in_progress", ""
	}
	e.event("response.output_item.added", object{"output_index": i, "item": started})
	whole := strings.Join(deltas, "")
	switch item["type"] {
	case "message":
		e.event("response.content_part.added", at(object{"content_index": 0, "part": e.part("")}))
		for _, d := range deltas {
			e.event("response.output_text.delta", at(object{"content_index": 0, "delta": d, "logprobs": []object{}}))
		}
		e.event("response.output_text.done", at(object{"content_index": 0, "text": whole, "logprobs": []object{}}))
		e.event("response.content_part.done", at(object{"content_index": 0, "part": e.part(whole)}))
	case "function_call":
		for _, d := range deltas {
			e.event("response.function_call_arguments.delta", at(object{"delta": d}))
		}
		e.event("response.function_call_arguments.done", at(object{"name": item["name"], "arguments": whole}))
	}
	e.event("response.output_item.done", object{"output_index": i, "item": item})
}
