package dialect

import (
	"encoding/json"
	"strconv"

	"point"
	"point/internal/jsontext"
)

// response is a chat's answer told as a response, which may be kept.
type response struct{ *translated }

// Kept is what a client may go on from, nil if it does not want that or the answer is not whole.
func (r *response) Kept() *point.KeptResponse {
	e, ok := r.to.(*responsesEncoder)
	if !ok || !r.done || !e.kept || e.whole == nil {
		return nil
	}
	items, err := e.request.items()
	if err != nil { // it was read before
		return nil
	}
	said, err := encodeJSON(append(items, e.inside...))
	if err != nil {
		return nil
	}
	return &point.KeptResponse{ID: e.call, Items: said, Response: e.whole}
}

// newEcho makes the members of a response that repeat what was asked for, once for all the times
// that it is told.
func newEcho(r *responsesRequest, previous string, stored bool) (echo []byte) {
	add := func(name string, v any) {
		raw, err := encodeJSON(v)
		if err != nil || len(raw) == 0 {
			raw = []byte("null")
		}
		echo = append(append(append(append(echo, `,"`...), name...), `":`...), raw...)
	}
	add("instructions", r.Instructions)
	add("max_output_tokens", r.MaxOutputTokens)
	add("max_tool_calls", nil)
	add("metadata", orRaw(r.Metadata, "{}"))
	add("parallel_tool_calls", r.ParallelToolCalls == nil || *r.ParallelToolCalls)
	add("previous_response_id", orNull(previous))
	add("prompt_cache_key", orRaw(r.PromptCacheKey, "null"))
	add("reasoning", map[string]any{"effort": orNull(r.Reasoning.Effort), "summary": orNull(r.Reasoning.Summary)})
	add("safety_identifier", orNull(r.SafetyIdentifier))
	add("service_tier", "default")
	add("store", stored)
	add("temperature", r.Temperature)
	add("text", echoText(r.Text))
	add("tool_choice", orRaw(r.ToolChoice, `"auto"`))
	add("tools", append([]json.RawMessage{}, r.Tools...))
	add("top_logprobs", 0)
	add("top_p", r.TopP)
	add("truncation", orRaw(r.Truncation, `"disabled"`))
	add("user", orNull(r.User))
	return echo
}

func echoText(t responsesText) map[string]any {
	text := map[string]any{"format": t.Format}
	if t.Format == nil {
		text["format"] = responsesFormat{Type: "text"}
	}
	if t.Verbosity != "" {
		text["verbosity"] = t.Verbosity
	}
	return text
}

func orRaw(raw json.RawMessage, absent string) json.RawMessage {
	if given(raw) == nil {
		return json.RawMessage(absent)
	}
	return raw
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// object appends the response as it is now: with the items that are whole, and with usage or an
// error if there is one. A cost may be spliced into the usage at e.cost.
func (e *responsesEncoder) object(b []byte, status string, usage *point.Usage, failed *point.Error) []byte {
	b = append(b, `{"id":`...)
	b = jsontext.AppendString(b, point.ResponseID(e.call))
	b = append(b, `,"object":"response","created_at":`...)
	b = strconv.AppendInt(b, e.created, 10)
	b = append(b, `,"status":"`...)
	b = append(append(b, status...), `","background":false,"error":`...)
	b = appendFailed(b, failed)
	b = append(b, `,"incomplete_details":`...)
	if reason := incomplete[e.finish]; status == "incomplete" {
		b = append(append(append(b, `{"reason":"`...), reason...), `"}`...)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"model":`...)
	b = jsontext.AppendString(b, e.model)
	b = append(b, `,"output":[`...)
	n := 0
	for _, item := range e.items {
		if item == nil { // of an answer that broke off
			continue
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	b = append(b, ']')
	b = append(b, e.echo...)
	b = append(b, `,"usage":`...)
	e.cost = 0
	if usage == nil {
		return append(b, "null}"...)
	}
	e.cost = len(b) + 1
	return append(appendResponsesUsage(b, usage), '}')
}

// incomplete are the reasons why an answer is not whole, by the chat's finish reason.
var incomplete = map[string]string{"length": "max_output_tokens", "content_filter": "content_filter"}

// status is the response's at its end.
func (e *responsesEncoder) status() string {
	if incomplete[e.finish] != "" {
		return "incomplete"
	}
	return "completed"
}

func appendFailed(b []byte, failed *point.Error) []byte {
	if failed == nil {
		return append(b, "null"...)
	}
	code := failed.UpstreamCode
	if code == "" {
		code = string(failed.Code)
	}
	b = append(b, `{"code":`...)
	b = jsontext.AppendString(b, code)
	b = append(b, `,"message":`...)
	return append(jsontext.AppendString(b, failed.Message), '}')
}

// appendResponsesUsage appends u as a response's usage object.
func appendResponsesUsage(b []byte, u *point.Usage) []byte {
	for _, m := range []struct {
		name string
		n    int64
	}{
		{`{"input_tokens":`, u.Input},
		{`,"input_tokens_details":{"cached_tokens":`, u.CacheRead},
		{`,"cache_write_tokens":`, u.CacheWrite + u.CacheWrite1h},
		{`},"output_tokens":`, u.Output},
		{`,"output_tokens_details":{"reasoning_tokens":`, u.Reasoning},
		{`},"total_tokens":`, u.Total()},
	} {
		b = strconv.AppendInt(append(b, m.name...), m.n, 10)
	}
	return append(b, '}')
}
