package provider

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// cohereDecoder turns Cohere's answers into chat completions, whole or streamed.
type cohereDecoder struct {
	created    int64
	fallbackID string
	model      string // Cohere does not tell it
	oneCall    bool   // parallel calls were not wanted: only the first is for the client

	out    chunks
	cited  cited
	starts map[int64]int // of content items, in characters of the content
	usage  *point.Usage
	calls  int // for the client
	seen   int // from the model
	call   openCall
	kept   thoughtPiece // of the thinking or the plan that is being told
	think  int          // reasoning details so far
	done   bool
}

// openCall is the tool call that a stream is in.
type openCall struct {
	open bool // and for the client
	some bool // a piece of its arguments came
}

// thoughtPiece is thinking as it comes in, to be given once more as a whole.
type thoughtPiece struct {
	kind string // of the reasoning detail: reasoning.text, or reasoning.summary for a plan
	text []byte // JSON-escaped
	long bool   // too long to keep
}

// cohereUsage reads tokens, or billed_units where they are missing.
func cohereUsage(usage gjson.Result) *point.Usage {
	for _, name := range []string{"tokens", "billed_units"} {
		if u := usage.Get(name); u.Get("input_tokens").Exists() || u.Get("output_tokens").Exists() {
			return clampUsage(&point.Usage{
				Input: count(u.Get("input_tokens").Int()), Output: count(u.Get("output_tokens").Int()),
				CacheRead: count(usage.Get("cached_tokens").Int()),
			})
		}
	}
	return nil
}

// cohereFinish maps a finish reason; the error is that of an answer which the model failed to
// finish, in the provider's words if it said any.
func cohereFinish(reason, said string, calls bool) (string, error) {
	switch reason {
	case "MAX_TOKENS":
		return "length", nil
	case "ERROR_TOXIC":
		return "content_filter", nil
	case "TIMEOUT":
		return "", &point.Error{Code: point.ProviderTimeout, UpstreamCode: reason, Message: "The model did not finish its answer in the provider's time."}
	case "ERROR":
		if said != "" {
			return "", embedded(&complaint{message: said, code: reason})
		}
		return "", failedFinish(reason)
	}
	if calls {
		return "tool_calls", nil
	}
	return "stop", nil
}

// Document translates a whole answer.
func (d *cohereDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	msg := doc.Get("message")
	switch {
	case !validJSON(body):
		return point.Block{}, badDocument(body)
	case msg.Type == gjson.String || isError(doc.Get("error")):
		return point.Block{}, embedded(openAIComplaint(body))
	case !msg.IsObject():
		return point.Block{}, badDocument(body)
	}
	out := completion{id: d.id(doc.Get("id").Str), model: d.model, created: d.created}
	d.whole(&out, msg)
	finish, err := cohereFinish(doc.Get("finish_reason").Str, text(doc.Get("error")), len(out.message.ToolCalls) > 0)
	if err != nil {
		return point.Block{}, err
	}
	out.finish = finish
	out.usage = cohereUsage(doc.Get("usage"))
	return out.block()
}

// whole collects what a message holds.
func (d *cohereDecoder) whole(out *completion, msg gjson.Result) {
	var text, thought strings.Builder
	m := &out.message
	keep := func(kind, thinking string) {
		if thinking != "" {
			thought.WriteString(thinking)
			m.ReasoningDetails = append(m.ReasoningDetails, reasoningDetail{Type: kind, Text: thinking, Format: formatCohere, Index: len(m.ReasoningDetails)})
		}
	}
	at := int64(0)
	msg.Get("content").ForEach(func(_, item gjson.Result) bool {
		d.starts = started(d.starts, at, d.cited.at)
		at++
		keep("reasoning.text", item.Get("thinking").Str)
		said := item.Get("text").Str
		if item.Type == gjson.String { // the whole content
			said = item.Str
		}
		text.WriteString(said)
		d.cited.text(said)
		return true
	})
	keep("reasoning.summary", msg.Get("tool_plan").Str)
	msg.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		if c, ok := d.called(call, out.id); ok {
			c.Function.Arguments = argumentsOf(call.Get("function.arguments"))
			m.ToolCalls = append(m.ToolCalls, c)
		}
		return true
	})
	if text.Len() > 0 {
		content := text.String()
		m.Content = &content
	}
	m.ReasoningContent = thought.String()
	msg.Get("citations").ForEach(func(_, citation gjson.Result) bool {
		d.cite(citation)
		return true
	})
	m.Citations = d.cited.citations.json()
}

// argumentsOf is a call's arguments: an object, which may stand in a string, as a string.
func argumentsOf(arguments gjson.Result) string {
	if arguments.Type == gjson.String {
		if strings.TrimSpace(arguments.Str) == "" || arguments.Str == "null" {
			return "{}"
		}
		return arguments.Str
	}
	return compact(arguments)
}

// called reads a tool call but for its arguments; it is not ok if it is not for the client.
func (d *cohereDecoder) called(call gjson.Result, answer string) (toolCall, bool) {
	d.seen++
	if d.oneCall && d.calls > 0 {
		return toolCall{}, false
	}
	d.calls++
	id := call.Get("id").Str
	if id == "" {
		id = madeCallID(answer, d.seen-1)
	}
	return toolCall{ID: id, Type: "function", Function: calledName{Name: call.Get("function.name").Str}}, true
}

// madeCallID is an id for call number n of an answer that gives it none.
func madeCallID(answer string, n int) string {
	answer = strings.ReplaceAll(strings.TrimPrefix(answer, "chatcmpl-"), "-", "")
	return madeID + answer[:min(len(answer), 32)] + "_" + strconv.Itoa(n)
}

// cite notes a citation: of the characters that it tells, of the content item that it tells.
func (d *cohereDecoder) cite(citation gjson.Result) {
	if !d.cited.takes(citation) {
		return
	}
	at := d.starts[citation.Get("content_index").Int()]
	d.cited.place(citation, at+int(count(citation.Get("start").Int())), at+int(count(citation.Get("end").Int())))
}

// started notes where a content item begins, as long as there are not too many.
func started(starts map[int64]int, item int64, at int) map[int64]int {
	if starts == nil {
		starts = map[int64]int{}
	}
	if _, ok := starts[item]; !ok && len(starts) < maxItems {
		starts[item] = at
	}
	return starts
}

// maxItems bounds how many content items of an answer are told apart.
const maxItems = 1000

func (d *cohereDecoder) id(upstream string) string {
	if upstream == "" {
		upstream = d.fallbackID
	}
	return "chatcmpl-" + upstream
}
