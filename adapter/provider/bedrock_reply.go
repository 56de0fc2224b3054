package provider

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/awsframes"
	"point/internal/sse"
)

// bedrockDecoder turns answers of Converse into chat completions, whole or streamed. Their
// blocks are those of Claude's messages under other names.
type bedrockDecoder struct {
	anthropicDecoder
	oneCall bool // parallel calls were not wanted: only the first is for the client
}

// converseUsage counts as Claude's messages do: cached tokens beside the input.
func converseUsage(u *anthropicUsage, v gjson.Result) {
	if !v.IsObject() {
		return
	}
	*u = anthropicUsage{
		input: count(v.Get("inputTokens").Int()), output: count(v.Get("outputTokens").Int()),
		read: count(v.Get("cacheReadInputTokens").Int()), write: count(v.Get("cacheWriteInputTokens").Int()), told: true,
	}
	v.Get("cacheDetails").ForEach(func(_, d gjson.Result) bool {
		if d.Get("ttl").Str == "1h" {
			u.write1h = count(u.write1h + count(d.Get("inputTokens").Int()))
		}
		return true
	})
}

// converseFinish maps a stop reason; the error is that of an answer that the model failed to
// finish.
func converseFinish(reason string, calls bool) (string, error) {
	switch reason {
	case "max_tokens", "model_context_window_exceeded":
		return "length", nil
	case "guardrail_intervened", "content_filtered":
		return "content_filter", nil
	case "malformed_model_output", "malformed_tool_use":
		return "", failedFinish(reason)
	}
	if calls {
		return "tool_calls", nil
	}
	return "stop", nil
}

// Document translates a whole answer.
func (d *bedrockDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	content := doc.Get("output.message.content")
	switch {
	case !validJSON(body):
		return point.Block{}, badDocument(body)
	case !content.IsArray():
		if c := awsComplaint(body); c != nil {
			return point.Block{}, embedded(c)
		}
		return point.Block{}, badDocument(body)
	}
	out := completion{id: d.id(""), model: d.fallbackModel, created: d.created}
	d.whole(&out, content)
	finish, err := converseFinish(doc.Get("stopReason").Str, len(out.message.ToolCalls) > 0)
	if err != nil {
		return point.Block{}, err
	}
	out.finish = finish
	converseUsage(&d.usage, doc.Get("usage"))
	out.usage = d.usage.usage()
	return out.block()
}

// whole collects the blocks of a message.
func (d *bedrockDecoder) whole(out *completion, content gjson.Result) {
	var text, thought strings.Builder
	some := false
	say := func(words string) {
		some = true
		d.cited.text(words)
		text.WriteString(words)
	}
	content.ForEach(func(_, block gjson.Result) bool {
		if words := block.Get("text"); words.Exists() {
			say(words.Str)
		}
		if cited := block.Get("citationsContent"); cited.IsObject() {
			start := d.cited.at
			cited.Get("content").ForEach(func(_, piece gjson.Result) bool {
				say(piece.Get("text").Str)
				return true
			})
			cited.Get("citations").ForEach(func(_, citation gjson.Result) bool {
				if d.cited.takes(citation) {
					d.cited.add(citation, start)
				}
				return true
			})
		}
		d.thoughts(out, block.Get("reasoningContent"), &thought)
		if call := block.Get("toolUse"); call.IsObject() {
			input := compact(call.Get("input"))
			switch {
			case d.jsonTool && call.Get("name").Str == jsonToolName:
				say(input)
			case !d.oneCall || len(out.message.ToolCalls) == 0:
				out.message.ToolCalls = append(out.message.ToolCalls, toolCall{ID: call.Get("toolUseId").Str, Type: "function", Function: calledName{call.Get("name").Str, input}})
			}
		}
		return true
	})
	if some {
		words := text.String()
		out.message.Content = &words
	}
	out.message.ReasoningContent = thought.String()
	out.message.Annotations, out.message.Citations = d.cited.annotations.json(), d.cited.citations.json()
}

// thoughts collects a block of reasoning; what is signed is kept to be sent back.
func (d *bedrockDecoder) thoughts(out *completion, reasoning gjson.Result, thought *strings.Builder) {
	if said := reasoning.Get("reasoningText"); said.IsObject() {
		thought.WriteString(said.Get("text").Str)
		if signature := said.Get("signature").Str; signature != "" {
			d.keep(out, reasoningDetail{Type: "reasoning.text", Text: said.Get("text").Str, Signature: signature})
		}
	}
	if data, ok := redacted(reasoning); ok {
		d.keep(out, reasoningDetail{Type: "reasoning.encrypted", Data: data})
	}
}

// redacted is encrypted reasoning, as Claude's own API has it.
func redacted(reasoning gjson.Result) (string, bool) {
	data, err := base64.StdEncoding.DecodeString(reasoning.Get("redactedContent").Str)
	return string(data), err == nil && len(data) > 0 && utf8.Valid(data)
}

// Event translates one event of a stream: a frame's type is its name.
func (d *bedrockDecoder) Event(e sse.Event, emit func(point.Block)) error {
	if d.done {
		return nil
	}
	d.out.reset(emit)
	name, failed := strings.CutPrefix(e.Name, awsframes.Exception)
	if !failed {
		name, failed = strings.CutPrefix(name, awsframes.Error)
	}
	switch {
	case failed:
		d.out.tell()
		return awsException(name, e.Data)
	case !validJSON(e.Data) && e.Partial:
		return truncated()
	case !validJSON(e.Data):
		return badEvent()
	}
	d.identify(gjson.Result{})
	data := gjson.ParseBytes(e.Data)
	switch name {
	case "contentBlockStart":
		d.callBegin(data.Get("start.toolUse"))
	case "contentBlockDelta":
		d.delta(data.Get("delta"))
	case "contentBlockStop":
		d.blockStop()
	case "messageStop":
		d.blockStop()
		finish, err := converseFinish(data.Get("stopReason").Str, d.calls > 0)
		if err != nil {
			d.out.tell()
			return err
		}
		d.finish = finish
	case "metadata":
		converseUsage(&d.usage, data.Get("usage"))
		d.out.told = d.usage.usage()
		if d.finish != "" {
			return d.stop()
		}
	}
	return nil
}

// End finds out whether the stream was whole; the usage may be missing.
func (d *bedrockDecoder) End(emit func(point.Block)) error {
	if d.done {
		return nil
	}
	d.out.reset(emit)
	if d.finish != "" {
		return d.stop()
	}
	d.out.tell()
	return truncated()
}

// awsException is the error that came in place of an event.
func awsException(name string, body []byte) *point.Error {
	c := awsComplaint(body)
	if c == nil {
		c = &complaint{message: "The provider broke off its answer (" + name + ")."}
	}
	c.kind = name
	c.status = map[string]int{
		"throttlingException": http.StatusTooManyRequests, "validationException": http.StatusBadRequest, "modelTimeoutException": http.StatusRequestTimeout,
		"internalServerException": http.StatusInternalServerError, "modelStreamErrorException": http.StatusBadGateway,
	}[name]
	if c.status == 0 {
		c.status = http.StatusServiceUnavailable
	}
	return embedded(c)
}

func (d *bedrockDecoder) callBegin(call gjson.Result) {
	d.blockStop()
	switch {
	case !call.IsObject():
	case d.jsonTool && call.Get("name").Str == jsonToolName:
		d.block.kind = blockJSON
	case !d.oneCall || d.calls == 0:
		d.block.kind, d.block.call = blockCall, d.calls
		d.calls++
		d.out.call(d.block.call, toolCall{ID: call.Get("toolUseId").Str, Function: calledName{Name: call.Get("name").Str}})
	}
}

// delta is a piece of a block. Blocks of text and reasoning begin with their first piece.
func (d *bedrockDecoder) delta(delta gjson.Result) {
	if words := delta.Get("text"); words.Type == gjson.String {
		d.within(blockText)
		d.say(words)
	}
	if citation := delta.Get("citation"); citation.IsObject() {
		d.within(blockText)
		d.cite(citation)
	}
	if reasoning := delta.Get("reasoningContent"); reasoning.IsObject() {
		d.within(blockThinking)
		if words := reasoning.Get("text"); words.Type == gjson.String {
			d.ponder(words)
		}
		d.sign(reasoning.Get("signature").Str)
		if data, ok := redacted(reasoning); ok {
			d.detail(reasoningDetail{Type: "reasoning.encrypted", Data: data})
		}
	}
	if piece := delta.Get("toolUse.input"); piece.Type == gjson.String && (d.block.kind == blockCall || d.block.kind == blockJSON) {
		d.input(piece)
	}
}

// within sees to it that the stream is in a block of a kind.
func (d *bedrockDecoder) within(kind blockKind) {
	if d.block.kind != kind {
		d.blockStop()
		d.block = openBlock{kind: kind, start: d.cited.at}
	}
}
