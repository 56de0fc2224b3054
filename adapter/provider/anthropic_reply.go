package provider

import (
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// anthropicDecoder turns messages into chat completions, whole or streamed.
type anthropicDecoder struct {
	created       int64
	jsonTool      bool // the answer's text comes as the input of jsonToolName
	fallbackID    string
	fallbackModel string

	out    chunks
	usage  anthropicUsage
	block  openBlock
	cited  cited
	calls  int    // tool calls so far
	think  int    // reasoning details so far
	finish string // finish reason, once told
	done   bool
}

// anthropicUsage adds up what message_start and message_delta tell; the latter corrects the
// former, field by field.
type anthropicUsage struct {
	input, output, read, write, write1h, searches int64
	told                                          bool
}

func (u *anthropicUsage) add(v gjson.Result) {
	if !v.IsObject() {
		return
	}
	u.told = true
	set := func(to *int64, name string) {
		if n := v.Get(name); n.Type == gjson.Number {
			*to = count(n.Int())
		}
	}
	set(&u.input, "input_tokens")
	set(&u.output, "output_tokens")
	set(&u.read, "cache_read_input_tokens")
	set(&u.write, "cache_creation_input_tokens")
	set(&u.write1h, "cache_creation.ephemeral_1h_input_tokens")
	set(&u.searches, "server_tool_use.web_search_requests")
}

// usage counts as OpenAI does: cached tokens are part of the input.
func (u *anthropicUsage) usage() *point.Usage {
	if !u.told {
		return nil
	}
	return clampUsage(&point.Usage{
		Input: u.input + u.read + u.write, Output: u.output,
		CacheRead: u.read, CacheWrite: u.write - min(u.write, u.write1h), CacheWrite1h: min(u.write, u.write1h), Searches: u.searches,
	})
}

// anthropicFinish maps a stop reason; calls tells whether the client got tool calls. A turn
// that was paused is not over: Anthropic's own tools came to their limit, and the client
// should not take what there is for the whole answer.
func anthropicFinish(reason string, calls bool) string {
	switch reason {
	case "max_tokens", "model_context_window_exceeded", "pause_turn":
		return "length"
	case "refusal":
		return "content_filter"
	}
	if calls {
		return "tool_calls"
	}
	return "stop"
}

// Document translates a whole message.
func (d *anthropicDecoder) Document(body []byte) (point.Block, error) {
	msg := gjson.ParseBytes(body)
	switch {
	case !validJSON(body) || !msg.IsObject():
		return point.Block{}, badDocument(body)
	case isError(msg.Get("error")):
		return point.Block{}, embedded(openAIComplaint(body))
	case !msg.Get("content").IsArray():
		return point.Block{}, badDocument(body)
	}
	out := completion{id: d.id(msg.Get("id").Str), model: d.model(msg.Get("model").Str), created: d.created}
	var text, thought strings.Builder
	some := false
	msg.Get("content").ForEach(func(_, block gjson.Result) bool {
		switch block.Get("type").Str {
		case "text":
			some = true
			start := d.cited.at
			d.cited.text(block.Get("text").Str)
			text.WriteString(block.Get("text").Str)
			block.Get("citations").ForEach(func(_, citation gjson.Result) bool {
				if d.cited.takes(citation) {
					d.cited.add(citation, start)
				}
				return true
			})
		case "thinking":
			thought.WriteString(block.Get("thinking").Str)
			d.keep(&out, reasoningDetail{Type: "reasoning.text", Text: block.Get("thinking").Str, Signature: block.Get("signature").Str})
		case "redacted_thinking":
			d.keep(&out, reasoningDetail{Type: "reasoning.encrypted", Data: block.Get("data").Str})
		case "tool_use":
			input := compact(block.Get("input"))
			if d.jsonTool && block.Get("name").Str == jsonToolName {
				some = true
				d.cited.text(input)
				text.WriteString(input)
				break
			}
			out.message.ToolCalls = append(out.message.ToolCalls, toolCall{
				ID: block.Get("id").Str, Type: "function", Function: calledName{block.Get("name").Str, input},
			})
		}
		return true
	})
	if some {
		content := text.String()
		out.message.Content = &content
	}
	out.message.ReasoningContent = thought.String()
	out.message.Annotations, out.message.Citations = d.cited.annotations.json(), d.cited.citations.json()
	out.finish = anthropicFinish(msg.Get("stop_reason").Str, len(out.message.ToolCalls) > 0)
	d.usage.add(msg.Get("usage"))
	out.usage = d.usage.usage()
	return out.block()
}

// keep adds a reasoning detail to a document.
func (d *anthropicDecoder) keep(out *completion, detail reasoningDetail) {
	detail.Format, detail.Index = formatAnthropic, len(out.message.ReasoningDetails)
	out.message.ReasoningDetails = append(out.message.ReasoningDetails, detail)
}

func (d *anthropicDecoder) id(upstream string) string {
	if upstream == "" {
		upstream = d.fallbackID
	}
	return "chatcmpl-" + upstream
}

func (d *anthropicDecoder) model(upstream string) string {
	if upstream == "" {
		return d.fallbackModel
	}
	return upstream
}
