package provider

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// complaint is what a provider says is wrong, whatever dialect it says it in.
type complaint struct {
	message, kind, code, param string
	status                     int // HTTP status, if the object has it: 0 if not
	retry                      time.Duration
}

// failure turns a provider's error answer into an error with a code. status is its HTTP
// status. c is nil if the body is no error object; then nothing of it is repeated.
func failure(status int, header http.Header, body []byte, c *complaint) *point.Error {
	e := &point.Error{UpstreamStatus: status}
	if c == nil {
		e.Message, e.Place = strange(status, body), true
		c = &complaint{}
	} else {
		e.Message = repeatable(c.message)
		e.UpstreamType, e.UpstreamCode, e.Param = repeatable(c.kind), repeatable(c.code), repeatable(c.param)
		if e.Message == "" {
			e.Message = fmt.Sprintf("The provider answered %d without a message.", status)
		}
	}
	e.RetryAfter = max(retryAfter(header), c.retry)
	classify(e, status, c)
	return e
}

// classify sets the code of e, and what else depends on it.
func classify(e *point.Error, status int, c *complaint) {
	switch {
	case c.outOfQuota(status):
		hide(e, point.ProviderQuota, "The provider refuses this account's calls for want of credit or quota; its operator must see to the bill.")
	case status == http.StatusUnauthorized, status == http.StatusForbidden, c.badKey(status):
		hide(e, point.ProviderCredentials, "The provider refused Point's credentials; the operator must check this provider's API key.")
	case status == http.StatusTooManyRequests:
		e.Code, e.Status = point.ProviderRateLimited, status
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		e.Code = point.ProviderTimeout
	case status >= 500:
		e.Code, e.Status = point.ProviderUnavailable, status
	case status == http.StatusConflict && c.says("overloaded"):
		e.Code = point.ProviderUnavailable
	case status < 400 || c.message == "":
		e.Code = point.ProviderBadResponse
	case c.tooLong():
		e.Code, e.Status = point.ContextLength, status
	case c.noModel(status):
		e.Code, e.Status = point.ModelNotFound, status
	default:
		e.Code, e.Status = point.ProviderRejected, status
		if status == http.StatusNotFound && c.says("unknown request url", "invalid url") {
			e.Message, e.Place = strings.TrimSuffix(e.Message, ".")+": check base_url.", true
		}
		if c.code == "previous_response_not_found" || c.param == "previous_response_id" && c.says("not found") {
			e.Message = strings.TrimSuffix(e.Message, ".") + ": only a response that Point keeps, or the provider that made it, can be gone on from. Send the whole input instead."
		}
	}
}

// hide replaces what is the operator's matter by a sentence of Point's own. What the
// provider said stays for the log.
func hide(e *point.Error, code point.Code, message string) {
	e.Cause = fmt.Errorf("HTTP %d: %s", e.UpstreamStatus, e.Message)
	e.Code, e.Message, e.Place = code, message, false
	e.Param, e.UpstreamType, e.UpstreamCode = "", "", ""
}

// strange describes an answer that is no error object, without repeating it.
func strange(status int, body []byte) string {
	if status >= 300 && status < 400 {
		return fmt.Sprintf("The provider answered with a redirect (%d); check base_url.", status)
	}
	if bytes.Contains(bytes.ToLower(body[:min(len(body), 512)]), []byte("http request")) && bytes.Contains(bytes.ToUpper(body[:min(len(body), 512)]), []byte("HTTPS")) {
		return fmt.Sprintf("The provider answered %d: it speaks https there; check whether base_url must begin with https instead of http.", status)
	}
	return fmt.Sprintf("The provider answered %d with %s; check base_url.", status, describe(body))
}

// describe says what a body is that should have been JSON.
func describe(body []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	switch {
	case len(head) == 0:
		return "an empty body"
	case bytes.HasPrefix(head, []byte("<!doctype")), bytes.HasPrefix(head, []byte("<html")), head[0] == '<':
		return "HTML instead of JSON"
	case head[0] == '{', head[0] == '[':
		return "JSON of an unknown form"
	}
	return "something that is not JSON"
}

// badDocument is the error for an answer of status 200 that is not what it should be.
func badDocument(body []byte) *point.Error {
	return &point.Error{
		Code:           point.ProviderBadResponse,
		Message:        fmt.Sprintf("The provider answered with %s; check base_url.", describe(body)),
		UpstreamStatus: http.StatusOK,
		Place:          true,
	}
}

// badEvent is the error for an event in a stream that cannot be read.
func badEvent() *point.Error {
	return &point.Error{Code: point.ProviderBadResponse, Message: "The provider sent an event in its stream that is not JSON."}
}

// truncated is the error for a stream that ended before its answer did.
func truncated() *point.Error {
	return &point.Error{Code: point.StreamTruncated, Message: "The provider's stream ended before the answer was complete."}
}

func (c *complaint) says(words ...string) bool {
	text := strings.ToLower(c.message + " " + c.kind + " " + c.code)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// outOfQuota: OpenAI and DeepSeek say it by code or 402, Moonshot and Alibaba by type or code,
// Anthropic in a 400's message.
func (c *complaint) outOfQuota(status int) bool {
	return status == http.StatusPaymentRequired || status >= 400 && status < 500 &&
		c.says("insufficient_quota", "exceeded_current_quota", "billing_error", "credit balance is too low", "billing_hard_limit", "arrearage", "monthly spending limit")
}

// badKey: Google answers 400 to a wrong key.
func (c *complaint) badKey(status int) bool {
	return status == http.StatusBadRequest && c.says("api_key_invalid", "api key not valid", "invalid_api_key")
}

func (c *complaint) tooLong() bool {
	return c.says("context_length_exceeded", "maximum context length", "prompt is too long", "context window",
		"exceed context limit", "exceed_context_size", "exceeds the maximum number of tokens", "context_window_exceeded",
		"input is too long for requested model", "number of input tokens exceeds", "number of tokens in the prompt cannot exceed")
}

func (c *complaint) noModel(status int) bool {
	if c.says("model_not_found", "invalid_model", "model_decommissioned") {
		return true
	}
	return status == http.StatusNotFound && c.says("model")
}

// retryAfter reads how long a provider asks to wait: retry-after-ms, or Retry-After in
// seconds or as a date, counted from the answer's own Date.
func retryAfter(header http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil {
		return seconds(ms / 1000)
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if s, err := strconv.ParseFloat(value, 64); err == nil {
		return seconds(s)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return seconds(at.Sub(now).Seconds())
}

// seconds is s as a duration between 0 and a day; NaN is 0.
func seconds(s float64) time.Duration {
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, 86_400) * float64(time.Second))
}

// openAIComplaint reads an error in the shapes that OpenAI and its imitators use: an error
// object or string, the same in a list, a bare message, FastAPI's detail. It is nil if the
// body is none of them.
func openAIComplaint(body []byte) *complaint {
	if !validJSON(body) {
		return nil
	}
	doc := gjson.ParseBytes(body)
	if doc.IsArray() {
		doc = doc.Get("0")
	}
	for _, at := range []gjson.Result{doc.Get("error"), doc} {
		if at.Type == gjson.String {
			return &complaint{message: at.Str, kind: text(doc.Get("type")), code: text(doc.Get("code"))}
		}
		c := &complaint{kind: text(at.Get("type")), code: text(at.Get("code")), param: text(at.Get("param")), status: httpStatus(at.Get("code"))}
		for _, name := range []string{"message", "detail", "detail.0.msg", "message.detail.0.msg", "error_description"} {
			if c.message == "" {
				c.message = text(at.Get(name))
			}
		}
		if c.param == "" {
			c.param = paramAt(at)
		}
		if c.message != "" {
			return c
		}
	}
	return nil
}

// paramAt is where in a body the first mistake is, as FastAPI and Mistral tell it: a list that
// begins with "body".
func paramAt(at gjson.Result) string {
	where := at.Get("detail.0.loc")
	if !where.Exists() {
		where = at.Get("message.detail.0.loc")
	}
	var steps []string
	for _, step := range where.Array() {
		steps = append(steps, step.String())
	}
	return strings.Join(steps[min(len(steps), 1):], ".")
}

// httpStatus is a number that is the HTTP status of an error, else 0.
func httpStatus(r gjson.Result) int {
	if r.Type == gjson.Number && r.Num >= 400 && r.Num <= 599 {
		return int(r.Num)
	}
	return 0
}

// text is a string or number as a string; anything else is empty.
func text(r gjson.Result) string {
	if r.Type == gjson.String || r.Type == gjson.Number {
		return r.String()
	}
	return ""
}

// isError reports whether an "error" member tells of one.
func isError(r gjson.Result) bool {
	return r.IsObject() || r.Type == gjson.String && r.Str != ""
}

// embedded turns an error object that came with status 200, as a document or in a stream,
// into an error. Its code may be an HTTP status; else its type tells.
func embedded(c *complaint) *point.Error {
	if c == nil {
		c = &complaint{message: "The provider reported an error without a message."}
	}
	status := c.status
	if status == 0 {
		status = c.guess()
	}
	e := failure(status, nil, nil, c)
	e.UpstreamStatus = http.StatusOK
	return e
}

// guess is the HTTP status that an error would have had.
func (c *complaint) guess() int {
	for _, guess := range []struct {
		status int
		words  []string
	}{
		{http.StatusTooManyRequests, []string{"rate_limit", "rate limit", "resource_exhausted"}},
		{529, []string{"overloaded"}},
		{http.StatusUnauthorized, []string{"authentication", "unauthenticated", "permission"}},
		{http.StatusGatewayTimeout, []string{"timeout", "deadline_exceeded"}},
		{http.StatusNotFound, []string{"not_found"}},
		{http.StatusBadRequest, []string{"invalid_request", "invalid_argument", "failed_precondition", "context_length"}},
	} {
		if c.says(guess.words...) {
			return guess.status
		}
	}
	return http.StatusServiceUnavailable
}
