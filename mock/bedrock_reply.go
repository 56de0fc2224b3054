package mock

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// latency is what the service tells that it took, in milliseconds.
const latency = 42

// converse serves Converse and ConverseStream.
func (bedrock) converse(req *request) (*reply, *failure) {
	c := converseRequest{model: bedrockModel(req.model)}
	if f := req.decode(&c); f != nil {
		return nil, f
	}
	p, f := c.prompt(req.server)
	if f != nil {
		return nil, f
	}
	a := think(p)
	req.cacheByMarks(p, &a)
	e := converseEncoder{req: req, request: &c, answer: a}
	if req.stream {
		return &reply{status: http.StatusOK, frames: e.frames(), stream: true}, nil
	}
	return document(object{
		"output": object{"message": object{"role": "assistant", "content": e.blocks()}}, "stopReason": e.stopReason(),
		"usage": e.usage(), "metrics": object{"latencyMs": latency},
	}), nil
}

// converseEncoder writes one answer.
type converseEncoder struct {
	req     *request
	request *converseRequest
	answer  answer
}

func (e *converseEncoder) stopReason() string {
	switch {
	case e.answer.StopAt != "":
		return "stop_sequence"
	case e.answer.Finish == "length":
		return "max_tokens"
	case e.answer.Finish == "tool_calls":
		return "tool_use"
	case e.answer.Finish == "content_filter":
		return "content_filtered"
	}
	return "end_turn"
}

// usage counts cached tokens beside the input, of models that have a cache.
func (e *converseEncoder) usage() object {
	u := e.answer.Usage
	usage := object{"inputTokens": u.Input - u.CacheRead - u.CacheWrite, "outputTokens": u.Output, "totalTokens": u.Input + u.Output}
	if !e.request.caches() {
		return usage
	}
	usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"] = u.CacheRead, u.CacheWrite
	if u.CacheWrite > 0 {
		ttl := "5m"
		if e.request.ttl != "" {
			ttl = e.request.ttl
		}
		usage["cacheDetails"] = []object{{"ttl": ttl, "inputTokens": u.CacheWrite}}
	}
	return usage
}

// signature is Claude's; the thoughts of other models have none.
func (e *converseEncoder) signature() string {
	if isClaude(e.request.model) {
		return e.req.server.sign(e.answer.Reasoning)
	}
	return ""
}

func (e *converseEncoder) use(i int) object {
	return object{"toolUseId": e.req.id("tooluse_", 1+i), "name": e.answer.Calls[i].Name}
}

func (e *converseEncoder) blocks() []object {
	list := []object{}
	if e.answer.Reasoning != "" {
		list = append(list, object{"reasoningContent": converseThinking{Text: &reasoningText{e.answer.Reasoning, e.signature()}}})
	}
	if e.answer.Text != "" {
		list = append(list, object{"text": e.answer.Text})
	}
	for i, call := range e.answer.Calls {
		use := e.use(i)
		use["input"] = json.RawMessage(call.Args)
		list = append(list, object{"toolUse": use})
	}
	return list
}

// frames streams the answer: messageStart, the deltas of each block and its end, messageStop,
// metadata. A block of a call alone has a beginning.
func (e *converseEncoder) frames() []frame {
	list := []frame{{event: "messageStart", data: []byte(`{"role":"assistant"}`)}}
	index := 0
	add := func(event, member string, value any) {
		list = append(list, frame{event: event, data: encode(object{"contentBlockIndex": index, member: value})})
	}
	stop := func() {
		list = append(list, frame{event: "contentBlockStop", data: []byte(`{"contentBlockIndex":` + strconv.Itoa(index) + `}`)})
		index++
	}
	if e.answer.Reasoning != "" {
		for _, t := range pieces(e.answer.Reasoning) {
			add("contentBlockDelta", "delta", object{"reasoningContent": object{"text": t}})
		}
		if signature := e.signature(); signature != "" {
			add("contentBlockDelta", "delta", object{"reasoningContent": object{"signature": signature}})
		}
		stop()
	}
	if e.answer.Text != "" {
		for _, t := range pieces(e.answer.Text) {
			add("contentBlockDelta", "delta", object{"text": t})
		}
		stop()
	}
	for i, call := range e.answer.Calls {
		add("contentBlockStart", "start", object{"toolUse": e.use(i)})
		for _, t := range pieces(call.Args) {
			add("contentBlockDelta", "delta", object{"toolUse": object{"input": t}})
		}
		stop()
	}
	return append(list,
		frame{event: "messageStop", data: encode(object{"stopReason": e.stopReason()}), last: true},
		frame{event: "metadata", data: encode(object{"usage": e.usage(), "metrics": object{"latencyMs": latency}}), last: true})
}
