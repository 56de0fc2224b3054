package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"point"
	"point/internal/openidtest"
	"point/store"
)

// fullWorld is a world in which there is something of every kind that routes are about, made
// through the routes themselves where they make things.
type fullWorld struct {
	*world
	doc  *apiDocument
	pool map[string][]string // a path up to its parameter, and the parameter -> values

	made   int                  // names that were given
	openID *openidtest.Provider // nil: people sign in by password alone
}

// seeds are bodies that make something, for routes of which the examples in the document do
// not say enough.
var seeds = map[string]string{
	"POST /api/providers":                    `{"name":"openai-main","provider":"openai","config":{"api_key":"sk-canary-0123456789abcdef"}}`,
	"PUT /api/providers/{id}":                `{"config":{"weight":3}}`,
	"POST /api/providers/{id}/test":          `{"model":"gpt-4o-mini","prompt":"Say hello."}`,
	"PUT /api/endpoints/{id}":                `{"mapping":{"strategy":"weighted","rules":[{"name":"small questions","when":{"model":["gpt-4o*"]},"targets":[{"provider":"second","model":"gpt-4o-mini","weight":80}]}]}}`,
	"POST /api/route/explain":                `{"endpoint":"/v1/chat/completions","request":{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello."}]}}`,
	"POST /api/keys":                         `{"name":"billing service","tags":["billing"],"models":["gpt-4o*"],"limits":{"rpm":60,"budget_day":"5"}}`,
	"PUT /api/keys/{id}":                     `{"limits":{"rpm":120,"budget_month":"100"}}`,
	"POST /api/keys/{id}/rotate":             `{"overlap_ms":3600000}`,
	"POST /api/roles":                        `{"name":"auditor","description":"Reads what was done","permissions":["audit:read","requests:read"]}`,
	"POST /api/configs":                      `{"name":"evening","description":"Cheaper models after work"}`,
	"PUT /api/configs/{id}":                  `{"description":"Cheaper models at night"}`,
	"POST /api/configs/export":               `{"passphrase":"correct horse battery"}`,
	"POST /api/revisions/{version}/rollback": `{"reason":"The new mapping was slow"}`,
	"PUT /api/settings":                      `{"default_key_limits":{"rpm":600}}`,
	"PUT /api/alert-rules/{id}":              `{"threshold":10}`,
	"PUT /api/notifiers/{id}":                `{"min_severity":"critical"}`,
	"PUT /api/silences/{id}":                 `{"kind":"rule:*","until":"2026-03-05T00:00:00Z","comment":"Maintenance"}`,
	"PUT /api/prices/{kind}/{model}":         `{"input":"2.5","output":"10"}`,
	"POST /api/prices/import":                `{"gpt-4o-mini":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1.5e-07,"output_cost_per_token":6e-07,"max_input_tokens":128000,"max_output_tokens":16384,"supports_function_calling":true,"supports_vision":true},"ollama/llama2":{"litellm_provider":"ollama","mode":"chat"}}`,
	"PUT /api/models/{kind}/{model}":         `{"context_window":128000,"max_output":16384,"abilities":["tools","vision"]}`,
	"POST /api/alert-rules":                  `{"name":"errors","kind":"error_rate","threshold":25,"scope":{"each":"provider"}}`,
	"POST /api/aliases":                      `{"name":"quick","target":"gpt-4o-mini"}`,
	"POST /api/notifiers":                    `{"name":"on-call","type":"webhook","config":{"url":"https://hooks.example.com/canary","secret":"canary-0123456789abcdef0123456789"}}`,
	"POST /api/silences":                     `{"kind":"rule:*","until":"2026-03-05T00:00:00Z"}`,
	"POST /api/tokens":                       `{"name":"report","scopes":["requests:read"]}`,
}

func newFullWorld(t testing.TB) *fullWorld {
	t.Helper()
	return filled(newWorld(t))
}

// filled puts something of everything into a world that is new.
func filled(empty *world) *fullWorld {
	empty.t.Helper()
	w := &fullWorld{world: empty.withUsers().withMember(), pool: map[string][]string{}}
	w.doc = readDocument(w.t, w.api)
	w.history()
	for _, op := range w.doc.operations {
		if op.creates {
			w.create(op)
		}
	}
	for _, u := range w.store.Snapshot().Users {
		w.signIn(u)
	}
	w.collect()
	return w
}

// history stores what no route makes.
func (w *fullWorld) history() {
	ctx, now := w.t.Context(), w.clock.Now().Add(-time.Minute)
	provider := &point.Provider{
		Name: "second", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive,
		Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-canary-second-1234")}},
	}
	first := w.store.CreateProvider(ctx, provider)
	record := point.Record{
		ID: store.NewID(now), Timestamp: now, Endpoint: point.PathChat, ProviderID: provider.ID, Model: "gpt-4o", Status: 200, Outcome: point.OutcomeComplete,
		Attempts: []point.Attempt{{ProviderID: provider.ID, Provider: "second", Model: "gpt-4o", Status: 200}}, Request: json.RawMessage(`{"model":"gpt-4o"}`),
	}
	keeper, err := w.store.Bodies(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	record.Bodies = keeper.Seal(record.ID, []byte(`{"model":"gpt-4o","messages":[{"role":"user","content":"Say hello."}]}`), []byte(`{"object":"chat.completion"}`))
	for _, err := range []error{
		first,
		w.store.PutAlias(ctx, &point.Alias{Name: "fast", Target: "second/gpt-4o-mini"}),
		w.store.InsertRecords(ctx, []point.Record{record}),
		w.store.InsertLogs(ctx, []point.LogEntry{{Timestamp: now, Level: "info", Component: "api", Message: "100%_sure of it"}}),
		w.store.UpsertAlert(ctx, point.Alert{Kind: "unpriced_model", Subject: "gpt-9", Severity: "warning", Message: "No price."}),
		w.store.Checkpoint(ctx),
		w.store.Heartbeat(ctx, point.Instance{ID: store.NewID(now), Components: []string{"api"}, State: "ready"}),
	} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// bodies are bodies for o that are likely to be accepted, the likeliest first.
func (w *fullWorld) bodies(o *operation) (all []any) {
	if o.body() == nil {
		return nil
	}
	if seed := seeds[o.String()]; seed != "" {
		var body any
		if err := json.Unmarshal([]byte(seed), &body); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, body)
	}
	media := o.RequestBody.Content["application/json"]
	if media.Example != nil {
		all = append(all, media.Example)
	}
	for _, x := range media.Examples {
		all = append(all, x.Value)
	}
	return append(all, w.doc.plain(o.body()))
}

// create makes something by a route that makes things.
func (w *fullWorld) create(o *operation) {
	var last answer
	for _, body := range w.bodies(o) {
		if last = w.send((&call{op: o, token: w.tokens[point.RoleOwner], body: body, path: w.fill(o)}).request()); last.status == http.StatusCreated {
			return
		}
	}
	w.t.Errorf("%s makes nothing from the examples of its schema: %d %s\nmend the examples, or add a row to seeds", o, last.status, last.body)
}

// fill puts ids of things that exist in the place of a path's parameters.
func (w *fullWorld) fill(o *operation) string {
	path := o.path
	for _, p := range pathParameter.FindAllString(o.path, -1) {
		value := w.doc.plain(w.parameter(o, strings.Trim(p, "{}.")))
		if known := w.pool[poolOf(o.path, p)]; len(known) > 0 {
			value = known[0]
		}
		path = strings.Replace(path, p, url.PathEscape(fmt.Sprint(value)), 1)
	}
	return path
}

// poolOf names the things that a path's parameter chooses from.
func poolOf(path, parameter string) string {
	before, _, _ := strings.Cut(path, parameter)
	return before + strings.Trim(parameter, "{}.")
}

func (w *fullWorld) parameter(o *operation, name string) *schema {
	for _, p := range o.Parameters {
		if p.In == "path" && p.Name == name {
			return p.Schema
		}
	}
	w.t.Fatalf("%s does not describe its parameter %s", o, name)
	return nil
}

// collect reads every list, for the ids of what is in it. A list that is empty would be tested
// with nothing.
func (w *fullWorld) collect() {
	for _, o := range w.doc.operations {
		if o.method != http.MethodGet || o.streams() || o.Permission == string(Public) {
			continue
		}
		path := w.fill(o)
		a := w.do(owned, http.MethodGet, path, "")
		var list struct {
			Data *[]map[string]any `json:"data"`
		}
		if json.Unmarshal([]byte(a.body), &list) != nil || list.Data == nil {
			continue
		}
		if a.status != http.StatusOK || len(*list.Data) == 0 {
			w.t.Errorf("%s lists nothing, so that nothing is tested with it: %d %s", o, a.status, a.body)
		}
		for _, item := range *list.Data {
			for name, value := range item {
				switch value.(type) {
				case map[string]any, []any:
					continue // nothing that a filter could be
				}
				if text := fmt.Sprint(value); text != "" && len(text) < 100 {
					key := o.path + "/" + name
					w.pool[key] = append(w.pool[key], text)
				}
			}
		}
	}
}

// call is a request that was generated.
type call struct {
	op     *operation
	path   string // filled
	query  url.Values
	header [][2]string
	token  string
	body   any    // of o's body, as JSON
	raw    string // in place of body
	note   string // what is wrong with it, or empty
}

func (c *call) text() string {
	if c.raw != "" || c.body == nil && c.op.body() == nil {
		return c.raw
	}
	text, err := json.Marshal(c.body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (c *call) target() string {
	if len(c.query) == 0 {
		return c.path
	}
	return c.path + "?" + c.query.Encode()
}

func (c *call) request() *http.Request {
	text := c.text()
	var body io.Reader
	if text != "" {
		body = strings.NewReader(text)
	}
	r := httptest.NewRequest(c.op.method, c.target(), body)
	r.Host = "localhost:8080"
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range c.header {
		r.Header.Set(h[0], h[1])
	}
	if c.op.streams() {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		r = r.WithContext(ctx)
	}
	return r
}

// String is the call as a command to repeat it.
func (c *call) String() string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	parts := []string{"curl", "-X", c.op.method, quote("http://localhost:8080" + c.target())}
	if c.token != "" {
		parts = append(parts, "-H", `"Authorization: Bearer $TOKEN"`)
	}
	for _, h := range c.header {
		parts = append(parts, "-H", quote(h[0]+": "+h[1]))
	}
	if text := c.text(); text != "" {
		parts = append(parts, "-H", quote("Content-Type: application/json"), "--data-binary", quote(text[:min(len(text), 2000)]))
	}
	return strings.Join(parts, " ")
}

// put gives the parameter of a node a value.
func (c *call) put(n *node, value any) {
	text := fmt.Sprint(value)
	if list, ok := value.([]any); ok {
		var items []string
		for _, item := range list {
			items = append(items, fmt.Sprint(item))
		}
		text = strings.Join(items, ",")
	}
	if f, ok := value.(float64); ok {
		text = strings.TrimSuffix(fmt.Sprintf("%f", f), ".000000")
	}
	name := fmt.Sprint(n.way[0])
	_, missing := value.(absent)
	switch n.in {
	case "query":
		if c.query == nil {
			c.query = url.Values{}
		}
		if missing {
			c.query.Del(name)
		} else {
			c.query.Set(name, text)
		}
	case "header":
		c.header = slices.DeleteFunc(c.header, func(h [2]string) bool { return h[0] == name })
		if !missing {
			c.header = append(c.header, [2]string{name, text})
		}
	case "cookie":
		c.header = append(c.header, [2]string{"Cookie", name + "=" + text})
	case "path":
		steps := strings.Split(c.op.path, "/")
		filled := strings.Split(c.path, "/")
		for i, step := range steps {
			if step == "{"+name+"}" {
				filled[i] = url.PathEscape(text)
			}
		}
		c.path = strings.Join(filled, "/")
	}
}
