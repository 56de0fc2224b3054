package provider

import (
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/sse"
)

// geminiDecoder turns answers of generateContent into chat completions, whole or streamed.
type geminiDecoder struct {
	created       int64
	fallbackID    string
	fallbackModel string
	oneCall       bool // parallel calls were not wanted: only the first is for the client

	out    chunks
	cited  cited
	usage  *point.Usage
	calls  int // for the client
	seen   int // from the model
	think  int // reasoning details so far
	finish string
	done   bool
}

// geminiUsage counts as OpenAI does: thoughts are output, and prompts of tools are input.
func geminiUsage(metadata gjson.Result) *point.Usage {
	if !metadata.IsObject() {
		return nil
	}
	u := &point.Usage{}
	metadata.ForEach(func(key, value gjson.Result) bool {
		switch n := count(value.Int()); key.Str {
		case "promptTokenCount", "toolUsePromptTokenCount":
			u.Input += n
		case "candidatesTokenCount":
			u.Output += n
		case "thoughtsTokenCount":
			u.Output += n
			u.Reasoning = n
		case "cachedContentTokenCount":
			u.CacheRead = n
		case "promptTokensDetails":
			u.AudioInput += modality(value, "AUDIO")
			u.ImageInput += modality(value, "IMAGE")
		case "cacheTokensDetails":
			u.AudioInput -= modality(value, "AUDIO")
			u.ImageInput -= modality(value, "IMAGE")
		case "candidatesTokensDetails":
			u.AudioOutput, u.ImageOutput = modality(value, "AUDIO"), modality(value, "IMAGE")
		}
		return true
	})
	return clampUsage(u)
}

// modality is the count of one modality in a list of details.
func modality(details gjson.Result, name string) (n int64) {
	details.ForEach(func(_, d gjson.Result) bool {
		if d.Get("modality").Str == name {
			n = count(n + count(d.Get("tokenCount").Int()))
		}
		return true
	})
	return n
}

// geminiFinish maps a finish reason; failed tells of one that is no end but a failure.
func geminiFinish(reason string, calls bool) (finish string, failed bool) {
	switch reason {
	case "MAX_TOKENS":
		return "length", false
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		return "content_filter", false
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return "", true
	}
	if calls {
		return "tool_calls", false
	}
	return "stop", false
}

// failedFinish is the error for an answer that the model failed to finish.
func failedFinish(reason string) *point.Error {
	return &point.Error{
		Code: point.ProviderBadResponse, UpstreamCode: reason,
		Message: "The model failed to finish its answer (" + reason + "); try again, or simplify the tools.",
	}
}

// blocked is the refusal for a prompt that was not answered.
func blocked(reason string) string {
	if reason == "" {
		return "The provider gave no answer to the prompt."
	}
	return "The provider blocked the prompt (" + repeatable(reason) + ")."
}

// Document translates a whole answer.
func (d *geminiDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	if !validJSON(body) {
		return point.Block{}, badDocument(body)
	}
	if doc.IsArray() { // the form of a stream that was not asked for as events
		doc = doc.Get("0")
	}
	candidate, block := doc.Get("candidates.0"), doc.Get("promptFeedback.blockReason").Str
	switch {
	case isError(doc.Get("error")):
		return point.Block{}, embedded(googleComplaint(body))
	case !candidate.IsObject() && block == "" && !doc.Get("usageMetadata").IsObject():
		return point.Block{}, badDocument(body)
	}
	out := completion{id: d.id(doc), model: d.model(doc), created: d.created}
	d.whole(&out, candidate)
	finish, failed := geminiFinish(candidate.Get("finishReason").Str, d.calls > 0)
	if failed {
		return point.Block{}, failedFinish(candidate.Get("finishReason").Str)
	}
	out.finish = finish
	if !candidate.IsObject() {
		refusal := blocked(block)
		out.finish, out.message.Refusal = "content_filter", &refusal
	}
	out.usage = geminiUsage(doc.Get("usageMetadata"))
	return out.block()
}

// whole collects a candidate's parts into a message.
func (d *geminiDecoder) whole(out *completion, candidate gjson.Result) {
	var text, thought strings.Builder
	m := &out.message
	id := strings.TrimPrefix(out.id, "chatcmpl-")
	keep := func(signature, call string) {
		if signature != "" {
			m.ReasoningDetails = append(m.ReasoningDetails, d.signature(signature, call))
		}
	}
	candidate.Get("content.parts").ForEach(func(_, part gjson.Result) bool {
		signature := part.Get("thoughtSignature").Str
		switch call, blob := part.Get("functionCall"), part.Get("inlineData"); {
		case call.IsObject():
			if c, ok := d.call(call, id); ok {
				c.Extra = extra(signature)
				m.ToolCalls = append(m.ToolCalls, c)
				keep(signature, c.ID)
			}
		case blob.IsObject():
			m.Images = append(m.Images, image(blob))
		case part.Get("thought").Bool():
			thought.WriteString(part.Get("text").Str)
		default:
			text.WriteString(part.Get("text").Str)
			keep(signature, "")
		}
		return true
	})
	if text.Len() > 0 {
		content := text.String()
		m.Content = &content
	}
	m.ReasoningContent = thought.String()
	d.cite(candidate)
	m.Citations = d.cited.citations.json()
}

// cite takes over which sources a candidate quotes, as it tells them; it may do so again with
// more.
func (d *geminiDecoder) cite(candidate gjson.Result) {
	sources := candidate.Get("citationMetadata.citationSources")
	if !sources.IsArray() {
		return
	}
	d.cited = cited{numbered: d.cited.numbered}
	sources.ForEach(func(_, source gjson.Result) bool {
		if d.cited.takes(source) {
			d.cited.tell(source)
		}
		return true
	})
}

// call reads a function call; it is not ok if it is not for the client.
func (d *geminiDecoder) call(call gjson.Result, answer string) (toolCall, bool) {
	d.seen++
	if d.oneCall && d.calls > 0 {
		return toolCall{}, false
	}
	id := call.Get("id").Str
	if id == "" {
		id = madeCallID(answer, d.seen-1)
	}
	d.calls++
	return toolCall{ID: id, Type: "function", Function: calledName{call.Get("name").Str, compact(call.Get("args"))}}, true
}

func (d *geminiDecoder) signature(data, call string) reasoningDetail {
	d.think++
	return reasoningDetail{Type: "reasoning.encrypted", Data: data, ID: call, Format: formatGemini, Index: d.think - 1}
}

func extra(signature string) *extraContent {
	if signature == "" {
		return nil
	}
	e := &extraContent{}
	e.Google.ThoughtSignature = signature
	return e
}

func image(blob gjson.Result) imagePart {
	p := imagePart{Type: "image_url"}
	p.ImageURL.URL = "data:" + blob.Get("mimeType").Str + ";base64," + blob.Get("data").Str
	return p
}

func (d *geminiDecoder) id(doc gjson.Result) string {
	if id := doc.Get("responseId").Str; id != "" {
		return "chatcmpl-" + id
	}
	return "chatcmpl-" + d.fallbackID
}

func (d *geminiDecoder) model(doc gjson.Result) string {
	if model := doc.Get("modelVersion").Str; model != "" {
		return model
	}
	return d.fallbackModel
}

// Event translates one piece of a streamed answer.
func (d *geminiDecoder) Event(e sse.Event, emit func(point.Block)) error {
	if !validJSON(e.Data) {
		if e.Partial {
			return truncated()
		}
		return badEvent()
	}
	doc := gjson.ParseBytes(e.Data)
	var candidate, block gjson.Result
	failed := false
	doc.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "candidates":
			candidate = value.Get("0")
		case "usageMetadata":
			if usage := geminiUsage(value); usage != nil {
				d.usage, d.out.told = usage, usage
			}
		case "promptFeedback":
			block = value.Get("blockReason")
		case "error":
			failed = isError(value)
		}
		return true
	})
	if failed {
		return embedded(googleComplaint(e.Data))
	}
	d.out.reset(emit)
	if d.out.id == "" {
		d.out.id, d.out.model, d.out.created = d.id(doc), d.model(doc), d.created
	}
	return d.piece(candidate, block.Str)
}

// piece emits what a streamed candidate brings.
func (d *geminiDecoder) piece(candidate gjson.Result, block string) error {
	candidate.Get("content.parts").ForEach(func(_, part gjson.Result) bool {
		d.part(part)
		return true
	})
	d.cited.numbered = true
	d.cite(candidate)
	if reason := candidate.Get("finishReason").Str; reason != "" {
		finish, failed := geminiFinish(reason, d.calls > 0)
		if failed {
			d.out.tell()
			return failedFinish(reason)
		}
		d.finish = finish
	}
	if block != "" && !d.out.begun {
		d.finish = "content_filter"
		d.out.refusal(blocked(block))
	}
	return nil
}

// part emits one part of a streamed answer.
func (d *geminiDecoder) part(part gjson.Result) {
	signature := part.Get("thoughtSignature").Str
	text := part.Get("text")
	switch call, blob := part.Get("functionCall"), part.Get("inlineData"); {
	case call.IsObject():
		c, ok := d.call(call, strings.TrimPrefix(d.out.id, "chatcmpl-"))
		if !ok {
			return
		}
		c.Extra = extra(signature)
		d.out.call(d.calls-1, c)
		if signature != "" {
			d.out.detail(d.signature(signature, c.ID))
		}
	case blob.IsObject():
		d.out.image(image(blob))
	case part.Get("thought").Bool():
		if text.Str != "" {
			d.out.reasoning(text.Raw)
		}
	default:
		if text.Str != "" {
			d.out.text(text.Raw)
		}
		if signature != "" {
			d.out.detail(d.signature(signature, ""))
		}
	}
}

// End says how the answer ended: Gemini's streams have no last event of their own, but one
// without a finish reason is cut.
func (d *geminiDecoder) End(emit func(point.Block)) error {
	if d.done {
		return nil
	}
	d.out.reset(emit)
	if d.finish == "" {
		d.out.tell()
		return truncated()
	}
	d.done = true
	if d.calls > 0 && d.finish == "stop" { // calls may come behind the finish reason
		d.finish = "tool_calls"
	}
	d.out.cited(&d.cited)
	d.out.finish(d.finish)
	d.out.end(d.usage)
	return nil
}
