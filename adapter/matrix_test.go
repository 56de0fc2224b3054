package adapter

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

var updateMatrix = flag.Bool("update.matrix", false, "rewrite the matrix in docs/translation.md from what the code does")

const matrixDoc = "../docs/translation.md"

// matrixInbound are the ways in: each has its fields in testdata/matrix.
var matrixInbound = []struct {
	name    string
	path    string // what stands for the model is put in; empty: in the body
	heading string
	dialect point.Dialect
}{
	{"chat", point.PathChat, "`/v1/chat/completions`", point.DialectOpenAI},
	{"messages", point.PathMessages, "`/v1/messages`", point.DialectAnthropic},
	{"responses", point.PathResponses, "`/v1/responses`", point.DialectResponses},
	{"gemini", "/v1beta/models/MODEL:generateContent", "`/v1beta/models/MODEL:generateContent`", point.DialectGemini},
}

// matrixOut are the columns: a kind for each dialect of providers.
var matrixOut = []struct {
	kind, title, model, thinks string
	answer                     string
	calls                      string // the answer to who offers tools: two calls of f; empty: answer
}{
	{"openai", "OpenAI", "gpt-4o", "o3", document, ""},
	{"openai-compatible", "OpenAI-compatible", "m", "gpt-oss-120b", document, ""},
	{"mistral", "Mistral", "mistral-large-latest", "magistral-medium-latest", document, ""},
	{"anthropic", "Anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5", asMessage, ""},
	{"gemini", "Gemini", "gemini-2.5-flash", "gemini-2.5-flash", `{"candidates":[{"content":{"role":"model","parts":[{"text":"hello"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`,
		`{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`},
	{"cohere", "Cohere", "command-a-03-2025", "command-a-reasoning-08-2025", `{"id":"c","message":{"role":"assistant","content":[{"type":"text","text":"hello"}]},"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}`,
		`{"id":"c","message":{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}`},
	{"bedrock", "Bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", `{"output":{"message":{"role":"assistant","content":[{"text":"hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}`,
		`{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"f","input":{}}},{"toolUse":{"toolUseId":"2","name":"f","input":{}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":1}}`},
}

// matrixOptions are the settings that some kinds cannot do without.
var matrixOptions = map[string]json.RawMessage{"region": json.RawMessage(`"us-east-1"`)}

// matrixWorld has a provider of each kind; the last request that one got is kept.
type matrixWorld struct {
	*world
	got []byte
}

func newMatrix(t *testing.T) *matrixWorld {
	m := &matrixWorld{}
	upstreams := make([]http.HandlerFunc, len(matrixOut))
	for i, out := range matrixOut {
		upstreams[i] = func(w http.ResponseWriter, r *http.Request) {
			m.got, _ = io.ReadAll(r.Body)
			answer := out.answer
			switch {
			case strings.HasSuffix(r.URL.Path, "/responses"):
				answer = nativeResponse
			case strings.HasSuffix(r.URL.Path, "/invoke"):
				answer = asMessage
			case out.calls != "" && (gjson.GetBytes(m.got, "tools.0").Exists() || gjson.GetBytes(m.got, "toolConfig.tools.0").Exists()):
				answer = out.calls
			}
			says(answer)(w, r)
		}
	}
	m.world = newWorld(t, upstreams...)
	m.kept = make(chan point.Record, 10_000) // more than there are requests
	for i, out := range matrixOut {
		p := m.snapshot.Providers["id-"+string(rune('a'+i))]
		p.Name, p.Kind, p.Config.Models = out.kind, out.kind, []string{out.model, out.thinks}
		p.Config.Options = matrixOptions
		p.Config.BaseURL = strings.TrimSuffix(p.Config.BaseURL, "/v1")
	}
	m.snapshot.Index()
	return m
}

// became is what became of a request.
type became struct {
	status  int
	answer  string
	body    map[string]any // that the provider got; nil: none
	dropped []string
}

func (m *matrixWorld) send(path, kind, model string, body map[string]any) (s became) {
	m.t.Helper()
	m.got = nil
	body = maps.Clone(body)
	if strings.Contains(path, "MODEL") {
		path = strings.Replace(path, "MODEL", kind+"/"+model, 1)
	} else {
		body["model"] = kind + "/" + model
	}
	raw, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	response, answer := m.do(http.MethodPost, path, string(raw), "Authorization", "Bearer "+token, "Content-Type", "application/json")
	s.status, s.answer = response.StatusCode, answer
	if named := response.Header.Get("X-Point-Dropped"); named != "" {
		s.dropped = strings.Split(named, ", ")
	}
	if m.got != nil && json.Unmarshal(m.got, &s.body) != nil {
		m.t.Errorf("%s got no JSON: %s", kind, m.got)
	}
	return s
}

// row is a field, and the request that has it.
type row struct {
	label       string
	plain, with map[string]any
	thinks      bool
}

// matrixRows reads the fields of a way in. A line's third column is what the request without the
// field has too.
func matrixRows(t *testing.T, name string) (rows []row) {
	t.Helper()
	file, err := os.ReadFile("testdata/matrix/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	thinks := false
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		label, patch, ok := strings.Cut(line, "\t")
		patch, beside, _ := strings.Cut(patch, "\tbeside ")
		switch {
		case line == "" || line[0] == '#':
		case line == "thinking":
			thinks = true
		case !ok && plain == nil:
			plain = object(t, line)
		case ok:
			without := merged(plain, object(t, cmp.Or(beside, "{}")))
			rows = append(rows, row{label, without, merged(without, object(t, patch)), thinks})
		default:
			t.Fatalf("%s: %q is no row", name, line)
		}
	}
	return rows
}

func object(t *testing.T, text string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}

// merged is a document with a patch's members (RFC 7396, without removals).
func merged(into, patch map[string]any) map[string]any {
	out := maps.Clone(into)
	for k, v := range patch {
		a, isObject := out[k].(map[string]any)
		b, too := v.(map[string]any)
		if isObject && too {
			v = merged(a, b)
		}
		out[k] = v
	}
	return out
}

// differences are the places at which b differs from a; what stands in lists has one place.
func differences(at string, a, b any, note func(string)) {
	was, is := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case reflect.DeepEqual(a, b):
	case a != nil && b != nil && was.Kind() == reflect.Map && is.Kind() == reflect.Map:
		x, y := a.(map[string]any), b.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(merged(x, y))) {
			differences(strings.TrimPrefix(at+"."+k, "."), x[k], y[k], note)
		}
	case a == nil && b != nil && is.Kind() == reflect.Map && is.Len() == 1:
		for k, v := range b.(map[string]any) {
			differences(at+"."+k, nil, v, note)
		}
	default:
		note(at)
	}
}

// cell is what becomes of a row's field at a provider. It is an error if that cannot be told.
func (m *matrixWorld) cell(in int, r row, out int) (string, error) {
	way, to := matrixInbound[in], matrixOut[out]
	model := to.model
	if r.thinks {
		model = to.thinks
	}
	before := m.send(way.path, to.kind, model, r.plain)
	after := m.send(way.path, to.kind, model, r.with)
	if before.status != http.StatusOK {
		return "", fmt.Errorf("the plain request: %d %s", before.status, before.answer)
	}
	if after.status != http.StatusOK {
		return refusal(after, way.dialect)
	}
	var cells []string
	differences("", before.body, after.body, func(at string) {
		if at != "model" {
			cells = append(cells, "`"+at+"`")
		}
	})
	if same := asItCame(r.plain, r.with, before.body, after.body); same {
		cells = []string{"as it is"}
	}
	for _, name := range after.dropped {
		if !slices.Contains(before.dropped, name) {
			cells = append(cells, "dropped")
			break
		}
	}
	if len(cells) == 0 && calls(before.answer) != calls(after.answer) {
		return "in the answer", nil
	}
	if len(cells) == 0 {
		return "", fmt.Errorf("neither sent, nor refused, nor named as dropped; the provider got %v", after.body)
	}
	return strings.Join(cells, ", "), nil
}

// calls is how many calls of f an answer tells of.
func calls(answer string) int { return strings.Count(answer, `"name":"f"`) }

// asItCame reports whether the request reached the provider with the members it had.
func asItCame(plain, with, before, after map[string]any) bool {
	var in, out []string
	differences("", plain, with, func(at string) { in = append(in, at) })
	differences("", before, after, func(at string) { out = append(out, at) })
	if !slices.Equal(in, out) {
		return false
	}
	for k := range merged(plain, with) {
		if k != "model" && !reflect.DeepEqual(with[k], after[k]) {
			return false
		}
	}
	return true
}

// refusal is the cell of a request that was refused, which must name a field.
func refusal(s became, d point.Dialect) (string, error) {
	param, code := gjson.Get(s.answer, "error.param").Str, gjson.Get(s.answer, "error.code").Str
	if d == point.DialectGemini {
		code = gjson.Get(s.answer, "error.details.0.reason").Str
		param = gjson.Get(s.answer, "error.details.#.fieldViolations.0.field|0").Str
	}
	if s.status != http.StatusBadRequest || s.body != nil || code != string(point.UnsupportedField) || param == "" {
		return "", fmt.Errorf("%d, code %q, param %q: %s", s.status, code, param, s.answer)
	}
	return "refused", nil
}

// The matrix of what becomes of each field, by way in and kind, is part of the documentation: no
// field is lost without a word.
func TestMatrix(t *testing.T) {
	m := newMatrix(t)
	var doc strings.Builder
	for i, way := range matrixInbound {
		fmt.Fprintf(&doc, "\n### %s\n\n| Field |", way.heading)
		for _, to := range matrixOut {
			fmt.Fprintf(&doc, " %s |", to.title)
		}
		doc.WriteString("\n|---|" + strings.Repeat("---|", len(matrixOut)) + "\n")
		for _, r := range matrixRows(t, way.name) {
			fmt.Fprintf(&doc, "| %s |", r.label)
			for j, to := range matrixOut {
				cell, err := m.cell(i, r, j)
				if err != nil {
					t.Errorf("%s, %s at %s: %v", way.name, r.label, to.kind, err)
				}
				fmt.Fprintf(&doc, " %s |", cell)
			}
			doc.WriteString("\n")
		}
	}
	checkBlock(t, doc.String())
}

// checkBlock compares what stands between the document's marks.
func checkBlock(t *testing.T, want string) {
	t.Helper()
	const begin, end = "<!-- matrix: made by `go test ./adapter -run Matrix -update.matrix` -->\n", "\n<!-- matrix ends -->"
	file, err := os.ReadFile(matrixDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(file), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no marks of the matrix", matrixDoc)
	}
	if *updateMatrix {
		if err := os.WriteFile(matrixDoc, []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s does not tell what the code does; look at what `go test ./adapter -run Matrix -update.matrix` changes\ngot  %s\nwant %s", matrixDoc, got, want)
	}
}
