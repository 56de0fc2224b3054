package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

// checkCost makes sure that a cost can be spliced into a block.
func checkCost(t testing.TB, b point.Block) {
	t.Helper()
	if b.CostAt == 0 {
		return
	}
	doc := string(b.Data[:b.CostAt]) + `"cost":0.5,` + string(b.Data[b.CostAt:])
	if !json.Valid([]byte(doc)) || gjson.Get(doc, "usage.cost").Num != 0.5 {
		t.Errorf("a cost spliced in at %d makes %s", b.CostAt, doc)
	}
}

// checkStream checks what holds for every stream that a chat client gets: whole events of
// JSON; [DONE] once and last, or an error; one id and created; the role first; OpenAI's
// finish reasons.
func checkStream(t testing.TB, req *Request, got decoded) {
	t.Helper()
	if got.err == nil && (len(got.kinds) == 0 || got.kinds[len(got.kinds)-1] != "done") {
		t.Errorf("a whole stream without [DONE]: %q", got.parts)
	}
	if i := slices.Index(got.kinds, "done"); i >= 0 && i < len(got.kinds)-1 {
		t.Errorf("[DONE] is not last: %q", got.parts)
	}
	if i := slices.Index(got.kinds, "content"); i >= 0 && slices.Contains(got.kinds[i:], "lead") {
		t.Errorf("lead behind content: %v", got.kinds)
	}
	if req.Call.Path == point.PathResponses { // no chat: its end is an event of its own
		return
	}
	ids := map[string]bool{}
	roles := map[int64]bool{}
	for i, part := range got.parts {
		data := payloadOf(t, part)
		if got.kinds[i] == "done" {
			if part != "data: [DONE]\n\n" {
				t.Errorf("the last event is %q", part)
			}
			continue
		}
		if !json.Valid([]byte(data)) {
			t.Errorf("not JSON: %q", part)
			continue
		}
		checkChunk(t, req, data, got.kinds[i], ids, roles)
	}
	if len(ids) > 1 {
		t.Errorf("several ids: %v", ids)
	}
}

func checkChunk(t testing.TB, req *Request, data, kind string, ids map[string]bool, roles map[int64]bool) {
	t.Helper()
	of, _ := Lookup(req.Provider.Kind)
	translated := of.Dialect != req.Call.Dialect
	ids[gjson.Get(data, "id").Raw+gjson.Get(data, "created").Raw] = true
	if kind == "usage" && len(gjson.Get(data, "choices").Array()) > 0 {
		t.Errorf("usage with choices: %s", data)
	}
	if !translated {
		return
	}
	if gjson.Get(data, "object").Str != "chat.completion.chunk" || gjson.Get(data, "created").Int() != start.Unix() || gjson.Get(data, "model").Str == "" {
		t.Errorf("object, created or model: %s", data)
	}
	gjson.Get(data, "choices").ForEach(func(_, c gjson.Result) bool {
		if at := c.Get("index").Int(); !roles[at] {
			roles[at] = true
			if c.Get("delta.role").Str != "assistant" {
				t.Errorf("no role in the first delta: %s", data)
			}
		}
		if reason := c.Get("finish_reason"); reason.Type != gjson.Null &&
			!slices.Contains([]string{"stop", "length", "tool_calls", "content_filter"}, reason.Str) {
			t.Errorf("finish_reason %s", reason.Raw)
		}
		return true
	})
}

// payloadOf is the data of one event.
func payloadOf(t testing.TB, event string) string {
	t.Helper()
	for line := range strings.Lines(event) {
		if data, ok := strings.CutPrefix(line, "data:"); ok {
			return strings.TrimSpace(data)
		}
	}
	t.Errorf("no data in %q", event)
	return ""
}
