package mock

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"point/internal/awsframes"
)

// catalog is every fault there is. It is filled by init because its functions read it.
var catalog []Fault

func init() {
	for _, status := range []int{400, 401, 402, 403, 404, 408, 409, 413, 422, 500, 502, 504} {
		catalog = append(catalog, Fault{
			Name: strconv.Itoa(status), Effect: fmt.Sprintf("Status %d, error in the service's shape.", status),
			instead: func(*spoiler, string) *failure { return &failure{status: status} },
		})
	}
	for _, status := range []int{429, 503, 529} {
		catalog = append(catalog, Fault{
			Name: strconv.Itoa(status), Arg: "seconds of Retry-After (1); date:SECONDS as an HTTP date; none",
			Effect: fmt.Sprintf("Status %d with Retry-After.", status),
			instead: func(x *spoiler, arg string) *failure {
				return &failure{status: status, header: retryAfter(arg, x.req.server.opts.Now())}
			},
		})
	}
	catalog = append(catalog, answers...)
	catalog = append(catalog, endings...)
	catalog = append(catalog, contents...)
	catalog = append(catalog, framings...)
	catalog = append(catalog,
		Fault{Name: failFirst, Arg: "N, or N:FAULT (503)", Effect: "The first N requests with this model, key and X-Mock-Counter fail, later ones are right."},
		Fault{Name: every, Arg: "N, or N:FAULT (503)", Effect: "Each N-th request with this model, key and X-Mock-Counter fails."},
	)
}

// retryAfter reads the argument of 429.
func retryAfter(arg string, now time.Time) http.Header {
	value := arg
	switch seconds, date := strings.CutPrefix(arg, "date:"); {
	case arg == "none":
		return nil
	case date:
		value = now.Add(time.Duration(argument(seconds, 1)) * time.Second).UTC().Format(http.TimeFormat)
	case arg == "":
		value = "1"
	}
	return http.Header{"Retry-After": {value}}
}

// argument is arg as a number that is not negative, or the default.
func argument(arg string, otherwise int) int {
	n, err := strconv.Atoi(arg)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// answers are faults that take the service's place.
var answers = []Fault{
	{Name: "404-model", Effect: "Status 404: no such model.", instead: func(x *spoiler, _ string) *failure { return noModel(x.req.model) }},
	{Name: "quota", Effect: "Status 429 without Retry-After: the account has nothing left to spend.", instead: func(*spoiler, string) *failure {
		return &failure{status: http.StatusTooManyRequests, kind: kindQuota, message: "You exceeded your current quota, please check your plan and billing details."}
	}},
	{Name: "context", Effect: "Status 400: the prompt is too long for the model.", instead: func(x *spoiler, _ string) *failure {
		return &failure{status: http.StatusBadRequest, kind: kindContext, param: "messages", message: contextMessage(x.service)}
	}},
	{Name: "echo-key", Effect: "Status 401 whose message repeats the key that was sent.", instead: func(x *spoiler, _ string) *failure {
		return &failure{status: http.StatusUnauthorized, message: "Incorrect API key provided: " + x.req.key + "."}
	}},
	{Name: "html-200", Effect: "Status 200 with an HTML page.", instead: htmlPage(http.StatusOK)},
	{Name: "html-502", Effect: "Status 502 with an HTML page, as a proxy before the service gives.", instead: htmlPage(http.StatusBadGateway)},
	{Name: "empty-200", Effect: "Status 200 with the right content type and no body.", instead: func(x *spoiler, _ string) *failure {
		x.written = true
		x.req.server.deliver(x.w, x.req, &reply{status: http.StatusOK, stream: x.req.stream})
		return nil
	}},
	{Name: "redirect", Arg: "URL (http://127.0.0.1:9/)", Effect: "Status 302 to the URL.", instead: func(x *spoiler, arg string) *failure {
		if u, err := url.Parse(arg); err != nil || u.Host == "" {
			arg = "http://127.0.0.1:9/"
		}
		return &failure{status: http.StatusFound, header: http.Header{"Location": {arg}}}
	}},
	{Name: "delay", Arg: "milliseconds (1000)", Effect: "The right answer, later.", instead: func(x *spoiler, arg string) *failure {
		x.written = !x.req.pause(time.Duration(argument(arg, 1000)) * time.Millisecond)
		return nil
	}},
	{Name: "hang-headers", Effect: "No answer; the connection stays open until the client leaves.", instead: func(x *spoiler, _ string) *failure {
		x.written = true
		x.req.hang()
		return nil
	}},
	{Name: "reset-headers", Effect: "TCP reset instead of an answer.", instead: hangUpFirst(endReset)},
	{Name: "eof-headers", Effect: "The connection is closed instead of an answer.", instead: hangUpFirst(endFIN)},
}

func contextMessage(svc service) string {
	switch svc.(type) {
	case anthropic:
		return "prompt is too long: 200001 tokens > 200000 maximum"
	case gemini:
		return "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
	case bedrock:
		return "Input is too long for requested model."
	case cohere:
		return "too many tokens: total number of tokens in the prompt cannot exceed 256000 - received 256001."
	}
	return "This model's maximum context length is 128000 tokens. However, your messages resulted in 128001 tokens. Please reduce the length of the messages."
}

func htmlPage(status int) func(*spoiler, string) *failure {
	return func(x *spoiler, _ string) *failure {
		x.written = true
		x.req.stream = false
		page := "<!DOCTYPE html>\n<html><head><title>Simulated page</title></head><body><h1>Not what you asked for</h1></body></html>\n"
		x.req.server.deliver(x.w, x.req, &reply{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(page)})
		return nil
	}
}

func hangUpFirst(how ending) func(*spoiler, string) *failure {
	return func(x *spoiler, _ string) *failure {
		x.written, x.req.done = true, true
		hangUp(x.w, how)
		return nil
	}
}

const cutArg = "events before it (half of them); a document is cut in its middle, or at 0 before its first byte"

// endings cut a right answer short.
var endings = []Fault{
	{Name: "hang-midstream", Arg: cutArg, Effect: "The answer stops; the connection stays open until the client leaves.", wire: cutting(endHang)},
	{Name: "reset-midstream", Arg: cutArg, Effect: "TCP reset in the middle.", wire: cutting(endReset)},
	{Name: "eof-midstream", Arg: cutArg, Effect: "The connection is closed in the middle, without HTTP's end of the body.", wire: cutting(endFIN)},
	{Name: "end-midstream", Arg: cutArg, Effect: "The body ends in the middle, properly for HTTP.", wire: cutting(endEarly)},
	{Name: "infinite", Effect: "Content that never ends.", change: func(x *spoiler, rep *reply, _ string) {
		w := &x.req.faults.wire
		w.cut, w.endless = endNever, bytes.Repeat([]byte(" "), 32<<10)
		if rep.stream {
			w.endless = w.framing.append(nil, x.service.delta(x.req, []byte(`" and so on"`)), 1, false)
		}
	}},
	{Name: "infinite-line", Effect: "A line that never ends; at Bedrock a frame that says it is as long as one can be.", wire: func(w *wire, _ string) {
		w.cut, w.endless = endNever, bytes.Repeat([]byte("x"), 32<<10)
		if w.framing.binary {
			w.first = awsframes.Endless()
		}
	}},
	{Name: "slow", Arg: "bytes a second (1)", Effect: "The answer trickles in.", wire: func(w *wire, arg string) { w.slow = max(argument(arg, 1), 1) }},
	{Name: "gzip", Effect: "The answer is compressed, whether the client takes that or not.", wire: func(w *wire, _ string) { w.gzip = true }},
}

func cutting(how ending) func(*wire, string) {
	return func(w *wire, arg string) { w.cut, w.cutAt = how, argument(arg, -1) }
}

// contents change what the answer says.
var contents = []Fault{
	{Name: "malformed-json", Effect: "Half a JSON document; in a stream, one event's data breaks off.", change: func(_ *spoiler, rep *reply, _ string) {
		if !rep.stream {
			rep.body = rep.body[:len(rep.body)/2]
			return
		}
		f := &rep.frames[len(rep.frames)/2]
		f.data = f.data[:len(f.data)/2]
	}},
	{Name: "error-first-event", Effect: "Status 200, and an error as the first event, or as the document.", change: func(x *spoiler, rep *reply, _ string) {
		f := overloaded()
		rep.body = x.service.fail(x.req, f).body
		rep.frames = []frame{x.service.failFrame(f)}
	}},
	{Name: "error-midstream", Arg: "events before it (half of them)", Effect: "An error event ends the stream.", change: func(x *spoiler, rep *reply, arg string) {
		at := min(argument(arg, len(rep.frames)/2), len(rep.frames))
		rep.frames = append(slices.Clone(rep.frames[:at]), x.service.failFrame(overloaded()))
	}},
	{Name: "no-done", Effect: "The stream ends without its last event: [DONE], message_stop, messageStop, message-end, or Gemini's finish.", change: func(_ *spoiler, rep *reply, _ string) {
		rep.frames = slices.DeleteFunc(rep.frames, func(f frame) bool { return f.last })
	}},
	{Name: "no-usage", Effect: "No token counts in a document or stream.", change: func(_ *spoiler, rep *reply, _ string) { dropUsage(rep) }},
	{Name: "leak-headers", Effect: "Answer headers repeat the key and set a cookie.", change: func(x *spoiler, rep *reply, _ string) {
		rep.header = http.Header{"X-Goog-Api-Key": {x.req.key}, "Authorization": {"Bearer " + x.req.key}, "Set-Cookie": {"session=secret"}, "X-Internal-Host": {"10.0.0.1"}}
	}},
	{Name: "huge-line", Arg: "MiB (1)", Effect: "One event, or the document, of that size.", change: func(x *spoiler, rep *reply, arg string) {
		filler := bytes.Repeat([]byte("x"), min(argument(arg, 1), maxHuge)<<20)
		if !rep.stream {
			rep.body = slices.Concat([]byte(`{"padding":"`), filler, []byte(`",`), bytes.TrimPrefix(rep.body, []byte("{")))
			return
		}
		x.insert(rep, slices.Concat([]byte(`"`), filler, []byte(`"`)))
	}},
	{Name: "bad-utf8", Effect: "Bytes that are no UTF-8 within an event's text.", change: func(x *spoiler, rep *reply, _ string) {
		x.insert(rep, []byte("\"bad \xff\xfe\xc3 bytes\""))
	}},
}

// maxHuge bounds huge-line, in MiB.
const maxHuge = 256

func overloaded() *failure {
	return (&failure{status: 529, message: "The simulated service is overloaded."}).complete()
}

// insert adds an event of text, a JSON string, in the middle of a stream.
func (x *spoiler) insert(rep *reply, text []byte) {
	if rep.stream {
		rep.frames = slices.Insert(rep.frames, len(rep.frames)/2, x.service.delta(x.req, text))
	}
}

// framings change the form of server-sent events; all are valid by the standard but the
// missing last blank line. Of AWS's frames they can change less: sse-comment sends events of
// types that nobody knows, sse-multiline breaks the payload's line, sse-split splits.
var framings = []Fault{
	{Name: "sse-crlf", Effect: "Lines end in CR LF.", wire: func(w *wire, _ string) { w.framing.eol = "\r\n" }},
	{Name: "sse-cr", Effect: "Lines end in CR.", wire: func(w *wire, _ string) { w.framing.eol = "\r" }},
	{Name: "sse-lf", Effect: "Lines end in LF, for Gemini too.", wire: func(w *wire, _ string) { w.framing.eol = "\n" }},
	{Name: "sse-bom", Effect: "A byte order mark comes first.", wire: func(w *wire, _ string) { w.framing.bom = true }},
	{Name: "sse-no-space", Effect: "No space behind the colon.", wire: func(w *wire, _ string) { w.framing.noSpace = true }},
	{Name: "sse-comment", Effect: "Comments, id and retry fields and spare blank lines.", wire: func(w *wire, _ string) { w.framing.comments = true }},
	{Name: "sse-multiline", Effect: "Data in two lines.", wire: func(w *wire, _ string) { w.framing.multiline = true }},
	{Name: "sse-no-blank", Effect: "No blank line behind the last event.", wire: func(w *wire, _ string) { w.framing.noBlank = true }},
	{
		Name: "sse-split", Effect: "Every byte is sent by itself; the text holds runes of several bytes.",
		wire:   func(w *wire, _ string) { w.split = true },
		change: func(x *spoiler, rep *reply, _ string) { x.insert(rep, []byte(`" Grüße, 世界 🌍 "`)) },
	},
}
