package responsestest

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// partEvents are which part of which item the events of pieces belong to.
var partEvents = map[string]struct{ item, part, text string }{
	"output_text":            {"message", "output_text", "text"},
	"refusal":                {"message", "refusal", "refusal"},
	"reasoning_text":         {"reasoning", "reasoning_text", "text"},
	"reasoning_summary_text": {"reasoning", "summary_text", "text"},
}

// event checks an event of the item's, by its name without "response.".
func (it *item) event(name string, e gjson.Result) error {
	what, step, _ := strings.Cut(name, ".")
	switch what {
	case "content_part", "reasoning_summary_part":
		return it.part(step, e)
	case "function_call_arguments":
		return it.arguments("function_call", "arguments", step, e)
	case "custom_tool_call_input":
		return it.arguments("custom_tool_call", "input", step, e)
	}
	of, ok := partEvents[what]
	if !ok {
		return fmt.Errorf("nothing is known of it")
	}
	p := it.last()
	if it.kind != of.item || p == nil || p.done || p.kind != of.part || partIndex(e) != len(it.parts)-1 {
		return fmt.Errorf("no part of the kind is open")
	}
	switch {
	case step == "delta" && !p.textDone && e.Get("delta").Str != "":
		p.text.WriteString(e.Get("delta").Str)
	case step == "done" && !p.textDone && e.Get(of.text).Str == p.text.String():
		p.textDone = true
	case step == "annotation" || strings.HasPrefix(step, "annotation."):
		if e.Get("annotation_index").Int() != int64(p.citations) || p.textDone {
			return fmt.Errorf("annotations are counted from 0, and come before the text is done")
		}
		p.citations++
	default:
		return fmt.Errorf("the part's text is %q", p.text.String())
	}
	return nil
}

func (it *item) last() *part {
	if len(it.parts) == 0 {
		return nil
	}
	return it.parts[len(it.parts)-1]
}

// partIndex is which part an event belongs to, -1 if it does not say.
func partIndex(e gjson.Result) int {
	for _, name := range []string{"content_index", "summary_index"} {
		if v := e.Get(name); v.Exists() {
			return int(v.Int())
		}
	}
	return -1
}

func (it *item) part(step string, e gjson.Result) error {
	last := it.last()
	switch step {
	case "added":
		if last != nil && !last.done || partIndex(e) != len(it.parts) {
			return fmt.Errorf("parts are counted from 0, one at a time")
		}
		it.parts = append(it.parts, &part{kind: e.Get("part.type").Str})
		if !it.last().is(e.Get("part")) {
			return fmt.Errorf("a new part is empty")
		}
		return nil
	case "done":
		if last == nil || last.done || !last.textDone || partIndex(e) != len(it.parts)-1 || !last.is(e.Get("part")) {
			return fmt.Errorf("the open part is another, or its text not done")
		}
		last.done = true
		return nil
	}
	return fmt.Errorf("nothing is known of it")
}

func (it *item) arguments(kind, member, step string, e gjson.Result) error {
	if it.kind != kind || it.argsDone {
		return fmt.Errorf("there is no open call")
	}
	switch {
	case step == "delta" && e.Get("delta").Str != "":
		it.args.WriteString(e.Get("delta").Str)
		return nil
	case step == "done" && e.Get(member).Str == it.args.String():
		it.argsDone = true
		return nil
	}
	return fmt.Errorf("the arguments are %q", it.args.String())
}
