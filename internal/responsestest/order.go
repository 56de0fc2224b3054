// Package responsestest holds streams of OpenAI's Responses API to the order that its
// documentation gives. It is for tests.
//
//	https://platform.openai.com/docs/api-reference/responses-streaming
package responsestest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/tidwall/gjson"
)

// Stream is what a stream came to.
type Stream struct {
	Events   []string     // their types, in order
	Response gjson.Result // of the last event that has one
	Failed   bool         // it ended in an error event or response.failed
}

// Check reads a whole stream and tells the first thing that is out of order.
func Check(stream []byte) (*Stream, error) {
	c := &checker{out: &Stream{}}
	if rest := bytes.TrimPrefix(stream, []byte(": ping\n\n")); len(rest) > 0 && !bytes.HasSuffix(rest, []byte("\n\n")) {
		return nil, fmt.Errorf("the stream ends within an event: %q", stream[max(0, len(stream)-80):])
	}
	for i, frame := range strings.Split(strings.TrimSuffix(string(stream), "\n\n"), "\n\n") {
		if strings.HasPrefix(frame, ":") {
			continue
		}
		if err := c.frame(frame); err != nil {
			return nil, fmt.Errorf("event %d: %w: %s", i, err, frame[:min(len(frame), 400)])
		}
	}
	if !c.ended {
		return nil, fmt.Errorf("the stream has no end: its last event is %q", c.out.Events[max(0, len(c.out.Events)-1):])
	}
	return c.out, nil
}

type checker struct {
	out    *Stream
	id     string
	items  []*item
	ended  bool // by response.completed, incomplete or failed, or an error alone
	erring bool // an error was told: response.failed may follow, nothing else
}

// item is one of the output.
type item struct {
	id, kind string
	parts    []*part // of a message's content, or of a thought's content or summary
	args     strings.Builder
	argsDone bool
	done     gjson.Result
}

type part struct {
	kind      string
	text      strings.Builder
	textDone  bool
	done      bool
	citations int
}

func (c *checker) frame(frame string) error {
	head, data, ok := strings.Cut(frame, "\ndata: ")
	name, named := strings.CutPrefix(head, "event: ")
	if !ok || !named || !json.Valid([]byte(data)) {
		return fmt.Errorf("it is not an event line and one data line of JSON")
	}
	e := gjson.Parse(data)
	kind := e.Get("type").Str
	switch {
	case kind != name:
		return fmt.Errorf("it is called %q and %q", name, kind)
	case !e.Get("sequence_number").Exists() || e.Get("sequence_number").Int() != int64(len(c.out.Events)):
		return fmt.Errorf("its number is %s, not %d", e.Get("sequence_number").Raw, len(c.out.Events))
	case c.ended && !(c.erring && kind == "response.failed"):
		return fmt.Errorf("it comes after the end")
	case c.erring && kind != "response.failed":
		return fmt.Errorf("it comes after an error")
	}
	c.out.Events = append(c.out.Events, kind)
	return c.event(kind, e)
}

func (c *checker) event(kind string, e gjson.Result) error {
	n := len(c.out.Events)
	switch {
	case kind == "error":
		c.erring, c.ended, c.out.Failed = true, true, true
		if e.Get("message").Str == "" || !e.Get("code").Exists() || !e.Get("param").Exists() {
			return fmt.Errorf("an error has a message, a code and a param")
		}
		return nil
	case n == 1 && kind != "response.created", n == 2 && kind != "response.in_progress" && kind != "response.queued":
		return fmt.Errorf("streams begin with response.created and response.in_progress")
	case e.Get("response").Exists():
		return c.response(kind, e.Get("response"))
	case kind == "response.output_item.added":
		return c.add(e)
	}
	index := e.Get("output_index")
	if !index.Exists() || index.Int() < 0 || index.Int() >= int64(len(c.items)) {
		return fmt.Errorf("there is no item %s", index.Raw)
	}
	it := c.items[index.Int()]
	if it.done.Exists() {
		return fmt.Errorf("its item is done")
	}
	if kind == "response.output_item.done" {
		return it.end(e.Get("item"))
	}
	if e.Get("item_id").Str != it.id {
		return fmt.Errorf("item %d has the id %q", index.Int(), it.id)
	}
	return it.event(strings.TrimPrefix(kind, "response."), e)
}

// response checks an event that has the whole response.
func (c *checker) response(kind string, r gjson.Result) error {
	for _, name := range []string{"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model", "output", "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "usage"} {
		if !r.Get(name).Exists() {
			return fmt.Errorf("the response has no %q", name)
		}
	}
	if c.id == "" {
		c.id = r.Get("id").Str
	}
	status := strings.TrimPrefix(kind, "response.")
	if status == "created" {
		status = "in_progress"
	}
	switch {
	case r.Get("id").Str != c.id || !strings.HasPrefix(c.id, "resp_"):
		return fmt.Errorf("the response's id is %q, and was %q", r.Get("id").Str, c.id)
	case r.Get("object").Str != "response" || r.Get("status").Str != status:
		return fmt.Errorf("it is a %q that is %q", r.Get("object").Str, r.Get("status").Str)
	case (r.Get("incomplete_details").Type != gjson.Null) != (status == "incomplete"), (r.Get("error").Type != gjson.Null) != (status == "failed"):
		return fmt.Errorf("incomplete_details or error does not go with %s", status)
	}
	c.out.Response = r
	switch status {
	case "completed", "incomplete":
		c.ended = true
		return c.whole(r.Get("output"))
	case "failed":
		c.ended, c.out.Failed = true, true
	case "in_progress", "queued":
		if len(c.items) > 0 || len(r.Get("output").Array()) > 0 {
			return fmt.Errorf("there is output already")
		}
	}
	return nil
}

// whole checks that the output is what was told.
func (c *checker) whole(output gjson.Result) error {
	list := output.Array()
	if len(list) != len(c.items) {
		return fmt.Errorf("the output has %d items, %d were told", len(list), len(c.items))
	}
	for i, it := range c.items {
		if !it.done.Exists() {
			return fmt.Errorf("item %d is not done", i)
		}
		if !same(it.done, list[i]) {
			return fmt.Errorf("item %d is not as it was told: %s", i, it.done.Raw)
		}
	}
	return nil
}

func same(a, b gjson.Result) bool { return reflect.DeepEqual(a.Value(), b.Value()) }

func (c *checker) add(e gjson.Result) error {
	it := &item{id: e.Get("item.id").Str, kind: e.Get("item.type").Str}
	for _, other := range c.items {
		if other.id == it.id {
			return fmt.Errorf("two items have the id %q", it.id)
		}
	}
	if e.Get("output_index").Int() != int64(len(c.items)) || it.id == "" {
		return fmt.Errorf("items are counted from 0 and have ids")
	}
	if it.kind != "reasoning" && e.Get("item.status").Str != "in_progress" {
		return fmt.Errorf("a new item is in progress")
	}
	c.items = append(c.items, it)
	return nil
}

// end checks a whole item against its pieces.
func (it *item) end(v gjson.Result) error {
	it.done = v
	if v.Get("id").Str != it.id || v.Get("type").Str != it.kind {
		return fmt.Errorf("it is another item than the one that was added")
	}
	for _, p := range it.parts {
		if !p.done {
			return fmt.Errorf("a part is not done")
		}
	}
	switch it.kind {
	case "function_call":
		if !it.argsDone || v.Get("arguments").Str != it.args.String() || v.Get("call_id").Str == "" || v.Get("name").Type != gjson.String {
			return fmt.Errorf("the call is not as it was told: %q", it.args.String())
		}
	case "custom_tool_call":
		if !it.argsDone || v.Get("input").Str != it.args.String() || v.Get("call_id").Str == "" || v.Get("name").Str == "" {
			return fmt.Errorf("the call is not as it was told: %q", it.args.String())
		}
	case "message", "reasoning":
		list := v.Get("content").Array()
		if it.kind == "reasoning" {
			if !v.Get("summary").IsArray() {
				return fmt.Errorf("a thought has a summary")
			}
			list = append(v.Get("summary").Array(), list...)
		}
		if len(list) != len(it.parts) {
			return fmt.Errorf("%d parts were told", len(it.parts))
		}
		for i, p := range it.parts {
			if !p.is(list[i]) {
				return fmt.Errorf("part %d was told as %q", i, p.text.String())
			}
		}
	}
	return nil
}

// is reports whether v is the part that was told.
func (p *part) is(v gjson.Result) bool {
	text := v.Get("text")
	if p.kind == "refusal" {
		text = v.Get("refusal")
	}
	return v.Get("type").Str == p.kind && text.Type == gjson.String && text.Str == p.text.String() && len(v.Get("annotations").Array()) == p.citations &&
		(p.kind != "output_text" || v.Get("annotations").IsArray())
}
