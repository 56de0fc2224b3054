package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point/store"
)

// TestExamplesAreCurrent: what examples.json says of each operation is what it answers.
func TestExamplesAreCurrent(t *testing.T) {
	have := recordExamples(t)
	raw, err := json.MarshalIndent(have, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	if *update {
		if err := os.WriteFile("examples.json", raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if bytes.Equal(raw, examplesFile) {
		return
	}
	var want map[string]any
	if err := json.Unmarshal(examplesFile, &want); err != nil {
		t.Fatal(err)
	}
	for id, x := range have {
		now, _ := json.Marshal(x)
		then, _ := json.Marshal(want[id])
		var a, b any
		_ = json.Unmarshal(now, &a)
		_ = json.Unmarshal(then, &b)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("the example of %s is no longer what it answers: run make generate\nis   %.900s\nsays %.900s", id, now, then)
		}
	}
	if !t.Failed() {
		t.Error("examples.json is not as it is written: run make generate")
	}
}

// recordExamples sends a likely request to each operation and keeps what is said: reads first,
// then what makes things, then what takes them away, and what changes everything last.
func recordExamples(t *testing.T) map[string]example {
	// The clock ticks, so that all lists have one order.
	w := filled(newWorldAt(t, store.Options{}, &clock{now: time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC), tick: time.Millisecond})).withProvider(t)
	examples := map[string]example{"setUp": setUpExample(t)}
	order := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, "rollBack", "activateConfig", "deleteConfig"}
	rank := func(o *operation) int { return max(slices.Index(order, o.method), slices.Index(order, o.ID)) }
	list := slices.SortedStableFunc(slices.Values(w.doc.operations), func(a, b *operation) int { return rank(a) - rank(b) })
	for _, o := range list {
		if o.ID == "setUp" {
			continue
		}
		w.tokens[owned] = w.signIn(w.users[owned]) // whatever an operation before did to it
		c := w.likely(o)
		a := w.answerTo(c)
		if a.status >= http.StatusBadRequest {
			t.Errorf("%s has no example, for it fails: %d %s\n%s\nmend its row in seeds or preparations", o, a.status, a.body, c)
		}
		x := example{Request: moulded(c.body), Response: w.said(o, a)}
		if x.Request != nil || x.Response != nil {
			examples[o.ID] = x
		}
	}
	return examples
}

func setUpExample(t *testing.T) example {
	w, token := emptyWorld(t)
	body := map[string]any{"token": token, "email": "you@example.com", "password": password}
	raw, _ := json.Marshal(body)
	a := w.send(request(http.MethodPost, "/api/setup", "", string(raw)))
	if a.status != http.StatusOK {
		t.Error(a)
	}
	return example{moulded(body), (&fullWorld{}).said(&operation{}, a)}
}

// answerTo sends c; of an answer without an end it takes what is there at once.
func (w *fullWorld) answerTo(c *call) answer {
	rec := httptest.NewRecorder()
	r := c.request()
	w.handler.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.String()}
	w.checkSchema(r, a)
	return a
}

// said is the example of what o answered.
func (w *fullWorld) said(o *operation, a answer) any {
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	var body any
	switch {
	case o.streams():
		var list struct{ Data []any }
		w.do(owned, http.MethodGet, "/api/requests", "").into(w.t, &list)
		return moulded(list.Data[0])
	case o.ID == "getBackup":
		return "manifest.json"
	case o.ID == "getOpenAPI":
		return map[string]any{"openapi": "3.1.0"}
	case kind == "application/json" && json.Unmarshal([]byte(a.body), &body) == nil:
		return moulded(body)
	case a.body != "":
		first, _, _ := strings.Cut(a.body, "\n")
		return first
	}
	return nil
}

// Values that are other ones each time, and what stands for them.
var (
	anyID       = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	seconds     = regexp.MustCompile(`^(20\d\d-\d\d-\d\d[T ]\d\d:\d\d:)[0-9.]+(Z$| |$)`)
	canaries    = regexp.MustCompile(`-?canary-?`)
	imported    = regexp.MustCompile(`^imported .*`)
	endings     = regexp.MustCompile(`-zq\d+`)
	hexadecimal = regexp.MustCompile(`^([0-9a-f]{8}){1,16}$`)
	clientToken = regexp.MustCompile(`^(ptp?[-_])[A-Z2-7]{4,}$`)
	fixedText   = map[string]string{
		"access_token": "eyJraWQiOiIxIn0.eyJpc3MiOiJwb2ludCJ9.c2lnbmF0dXJl",
		"x":            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		"data":         "Y2lwaGVydGV4dA==", "nonce": "bm9uY2Vub25jZW5v", "salt": "c2FsdHNhbHRzYWx0c2FsdA==",
	}
	fixedNumbers = []string{"goroutines", "memory"}
)

// mould makes a value that is the same each time out of one that was answered, and short.
type mould struct{ ids map[string]string }

func moulded(v any) any {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var copied any
	_ = json.Unmarshal(raw, &copied)
	m := mould{ids: map[string]string{}}
	return m.value("", copied)
}

func (m *mould) value(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return m.object(v)
	case []any:
		list := []any{}
		for _, item := range v[:min(len(v), mostItems)] {
			list = append(list, m.value(name, item))
		}
		return list
	case string:
		return m.text(name, v)
	case float64:
		if slices.Contains(fixedNumbers, name) {
			return 1
		}
	}
	return v
}

// mostItems is how many items of a list an example has.
const mostItems = 2

func (m *mould) object(v map[string]any) any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		key, _ := m.text("", name).(string)
		out[key] = m.value(name, v[name])
	}
	if out["engine"] != nil && out["latency"] != nil { // of the database, as it was measured
		out["latency"] = 0
	}
	if list, ok := out["data"].([]any); ok && out["total"] != nil {
		if out["limit"] == out["total"] { // the whole list, on one page
			out["limit"] = len(list)
		}
		out["total"] = len(list)
	}
	return out
}

func (m *mould) text(name, text string) any {
	if fixed, ok := fixedText[name]; ok && text != "" {
		return fixed
	}
	switch {
	case name == "token" && len(text) == 43:
		return strings.Repeat("setup-or-invitation-", 3)[:43]
	case hexadecimal.MatchString(text):
		return strings.Repeat("0", len(text))
	case imported.MatchString(text):
		return "imported 2026-03-04 12:30:00 ABCD"
	}
	text = seconds.ReplaceAllString(text, "${1}00$2")
	text = clientToken.ReplaceAllStringFunc(text, func(t string) string {
		return t[:min(4, strings.LastIndexAny(t, "-_")+1)] + strings.Repeat("A", len(t)-4)
	})
	text = endings.ReplaceAllString(text, "")
	text = canaries.ReplaceAllString(text, "-example-")
	return anyID.ReplaceAllStringFunc(text, func(id string) string {
		if m.ids[id] == "" {
			m.ids[id] = fmt.Sprintf("01990000-0000-7000-8000-%012d", len(m.ids)+1)
		}
		return m.ids[id]
	})
}

// TestExamplesFitTheirSchemas: every operation that takes or answers JSON has an example of it,
// and it is valid.
func TestExamplesFitTheirSchemas(t *testing.T) {
	w := newWorld(t)
	count := 0
	check := func(what string, media *huma.MediaType, value any, mode huma.ValidateMode) {
		if value == nil {
			t.Errorf("%s has no example", what)
			return
		}
		count++
		raw, _ := json.Marshal(value)
		var plain any
		_ = json.Unmarshal(raw, &plain)
		var result huma.ValidateResult
		huma.Validate(w.api.spec.Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), mode, plain, &result)
		for _, err := range result.Errors {
			t.Errorf("the example of %s is against its schema: %v", what, err)
		}
	}
	for op := range operationsOf(w.api.spec) {
		if op.RequestBody != nil {
			media := op.RequestBody.Content["application/json"]
			check("the body of "+op.OperationID, media, media.Example, huma.ModeWriteToServer)
		}
		for status, response := range op.Responses {
			for _, media := range response.Content {
				if status < "3" {
					check("the answer of "+op.OperationID, media, media.Example, huma.ModeReadFromServer)
				}
				for name := range media.Examples {
					check(op.OperationID+" "+status, media, w.api.spec.Components.Examples[name].Value, huma.ModeReadFromServer)
				}
			}
		}
	}
	for name, response := range w.api.spec.Components.Responses {
		for _, media := range response.Content {
			for code := range media.Examples {
				check(name, media, w.api.spec.Components.Examples[code].Value, huma.ModeReadFromServer)
			}
		}
	}
	t.Logf("%d examples", count)
}
