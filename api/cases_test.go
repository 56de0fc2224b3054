package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// apiCase is one request and what is to come back.
type apiCase struct {
	name        string
	role        string // empty: nobody
	method, url string
	body        string
	header      []string // pairs
	status      int
	contains    []string
	notContains []string
}

// run plays cases in order on one world; {name} in urls and bodies is put in from vars.
func (w *world) run(vars map[string]string, cases []apiCase) {
	w.t.Helper()
	var pairs []string
	for name, value := range vars {
		pairs = append(pairs, "{"+name+"}", value)
	}
	fill := strings.NewReplacer(pairs...)
	for _, c := range cases {
		a := w.do(c.role, c.method, fill.Replace(c.url), fill.Replace(c.body), c.header...)
		if a.status != c.status {
			w.t.Errorf("%s: %s %s: status %d, want %d: %s", c.name, c.method, c.url, a.status, c.status, a.body)
			continue
		}
		for _, part := range c.contains {
			if !strings.Contains(a.body, fill.Replace(part)) {
				w.t.Errorf("%s: %s is not in %s", c.name, part, a.body)
			}
		}
		for _, part := range c.notContains {
			if strings.Contains(a.body, part) {
				w.t.Errorf("%s: %s is in %s", c.name, part, a.body)
			}
		}
	}
}

const (
	owned   = point.RoleOwner
	viewing = point.RoleViewer
	editing = point.RoleOperator
)

func TestRoutes(t *testing.T) {
	w := newWorld(t).withUsers()
	vars := map[string]string{
		"provider": w.make("/api/providers", openAIProvider),
		"key":      w.make("/api/keys", `{"name":"first"}`),
		"endpoint": w.endpointID(point.PathChat),
	}
	w.run(vars, []apiCase{
		{"kinds", viewing, "GET", "/api/provider-kinds", "", nil, 200, []string{`"name":"openai"`, `"schema":{`, `"common":true`}, nil},
		{"providers", viewing, "GET", "/api/providers", "", nil, 200, []string{`"total":1`, `"more":false`, `"name":"main"`, `"api_key":"***cdef"`, `"managed_by":"user"`, `"state":"ok"`}, []string{"canary"}},
		{"filtered away", viewing, "GET", "/api/providers?status=inactive", "", nil, 200, []string{`"data":[]`, `"total":0`}, nil},
		{"by name", viewing, "GET", "/api/providers/main", "", nil, 200, []string{`"id":"{provider}"`}, nil},
		{"unknown id", viewing, "GET", "/api/providers/01890000-0000-7000-8000-000000000000", "", nil, 404, []string{"There is no such provider."}, nil},
		{"name taken", owned, "POST", "/api/providers", openAIProvider, nil, 409, []string{`"body.name"`}, nil},
		{"name that is an id", owned, "PUT", "/api/providers/main", `{"name":"01890000-0000-7000-8000-000000000000"}`, nil, 422, []string{`"body.name"`}, nil},
		{"every mistake at once", owned, "POST", "/api/providers", `{"name":"-x","provider":"","config":{},"extra":1}`, nil, 422, []string{"body.name", "body.provider", "body.extra"}, nil},
		{"unknown kind", owned, "POST", "/api/providers", `{"name":"x","provider":"nope","config":{}}`, nil, 422, []string{"body.provider"}, nil},
		{"every mistake of a change at once", owned, "PUT", "/api/providers/main", `{"name":"-x","config":{"weight":-1},"extra":1}`, nil, 422, []string{"body.name", "body.config.weight", "body.extra"}, nil},
		{"every mistake of a key's change at once", owned, "PUT", "/api/keys/{key}", `{"status":"gone","models":["[a"],"limits":{"rpm":0},"expires_at":"2001-01-01T00:00:00Z"}`, nil, 422, []string{"body.status", "body.models[0]", "body.limits.rpm", "body.expires_at"}, nil},
		{"tested", editing, "POST", "/api/providers/main/test", `{"prompt":"Hi","model":"gpt-4o","parameters":{"temperature":0}}`, nil, 200, []string{`"ok":true`, `"attempts":[]`, `"text":"Hello."`}, nil},
		{"test refused", editing, "POST", "/api/providers/main/test", `{"model":"refused"}`, nil, 400, []string{"body.model"}, nil},
		{"endpoints", viewing, "GET", "/api/endpoints", "", nil, 200, []string{`"/v1/chat/completions"`, `"own_mapping":false`, `"strategy":"priority"`, `"rules":[]`}, nil},
		{"endpoint by path is an id", viewing, "GET", "/api/endpoints/{endpoint}", "", nil, 200, []string{`"/v1/chat/completions"`}, nil},
		{"mapping by name", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":{"rules":[{"targets":[{"provider":"main","model":"gpt-4o"}]}]}}`, nil, 200, []string{`"own_mapping":true`, `"provider":"main"`, `"attempts":3`}, nil},
		{"mapping by id", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":{"fallbacks":[{"provider":"{provider}"}]}}`, nil, 200, []string{`"fallbacks":[{"provider":"main"}]`}, nil},
		{
			"mapping's mistakes", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":{"strategy":"best","rules":[{"targets":[]},{"targets":[{"provider":"main","weight":-1}]}],"retry":{"attempts":-1},"nope":1}}`, nil, 422,
			[]string{"body.mapping.strategy", "body.mapping.rules[0].targets", "body.mapping.rules[1].targets[0].weight", "body.mapping.retry.attempts", "body.mapping.nope"},
			nil,
		},
		{
			"mapping's sense", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":{"rules":[{"when":{"model":["[a"]},"targets":[{"provider":"gone"}]}],"fallbacks":[{"provider":"away"}],"retry":{"backoff_ms":9,"backoff_max_ms":3}}}`, nil, 422,
			[]string{"body.mapping.rules[0].when.model[0]", "body.mapping.rules[0].targets[0].provider", "body.mapping.fallbacks[0].provider", "body.mapping.retry.backoff_max_ms"},
			[]string{"gone", "away"},
		},
		{"no mapping any more", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":null,"active":false}`, nil, 200, []string{`"own_mapping":false`, `"active":false`}, nil},
		{"inactive ones", viewing, "GET", "/api/endpoints?status=inactive", "", nil, 200, []string{`"total":1`}, nil},
		{"endpoint tested", editing, "POST", "/api/endpoints/{endpoint}/test", `{"request":{"model":"x"}}`, nil, 200, []string{`/v1/chat/completions{\"model\":\"x\"}`}, nil},
		{"explained", viewing, "POST", "/api/route/explain", `{"request":{"model":"gpt-4o"}}`, nil, 200, []string{`"targets":[]`, `"skipped":[]`, `"on":[]`, `"endpoint":"/v1/chat/completions"`}, nil},
		{"keys", viewing, "GET", "/api/keys", "", nil, 200, []string{`"name":"first"`, `"owner":"owner@example.com"`, `"limits":{}`}, []string{`"token"`, "hash", "usage"}},
		{"key", viewing, "GET", "/api/keys/{key}", "", nil, 200, []string{`"name":"first"`, `"tags":[]`}, []string{`"token"`}},
		{"key changed", editing, "PUT", "/api/keys/{key}", `{"name":"second","limits":{"rpm":10,"budget_day":"1.5"},"expires_at":"2999-01-01T00:00:00+02:00"}`, nil, 200, []string{`"name":"second"`, `"rpm":10`, `"budget_day":"1.5"`, `"usage":{"day":"1.23","month":"45.6","requests_minute":12,"tokens_minute":3400,"open":6}`, `"expires_at":"2998-12-31T22:00:00Z"`}, nil},
		{"key never expires", editing, "PUT", "/api/keys/{key}", `{"expires_at":null}`, nil, 200, []string{`"name":"second"`, `"rpm":10`, `"expires_at":null`}, nil},
		{"key's mistakes", editing, "PUT", "/api/keys/{key}", `{"limits":{"rpm":0,"budget_day":"-1"},"status":"gone"}`, nil, 422, []string{"body.limits.rpm", "body.limits.budget_day", "body.status"}, nil},
		{"key's sense", editing, "POST", "/api/keys", `{"name":"x","models":["[a"],"endpoints":["/v2"],"expires_at":"2001-01-01T00:00:00Z"}`, nil, 422, []string{"body.models[0]", "body.endpoints[0]", "body.expires_at"}, nil},
		{"key deleted", editing, "DELETE", "/api/keys/{key}", "", nil, 204, nil, nil},
		{"key is gone", editing, "DELETE", "/api/keys/{key}", "", nil, 404, nil, nil},
		{"alias", editing, "PUT", "/api/aliases/fast", `{"target":"main/gpt-4o-mini"}`, nil, 200, []string{`"version":1`}, nil},
		{"alias to itself", editing, "PUT", "/api/aliases/a", `{"target":"a"}`, nil, 422, []string{"body.target"}, nil},
		{"alias with a slash", editing, "PUT", "/api/aliases/team%2Ffast", `{"target":"fast"}`, nil, 200, []string{`"name":"team/fast"`}, nil},
		{"alias must be there", editing, "PUT", "/api/aliases/other", `{"target":"fast"}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"aliases", viewing, "GET", "/api/aliases", "", nil, 200, []string{`"total":2`}, nil},
		{"alias deleted", editing, "DELETE", "/api/aliases/fast?force=true", "", nil, 204, nil, nil},
		{"alias is gone", editing, "DELETE", "/api/aliases/fast", "", nil, 404, nil, nil},
		{"models", viewing, "GET", "/api/models", "", nil, 200, []string{`"id":"gpt-4o"`, `"context_window":128000`, `"max_output":null`}, nil},
		{"status", viewing, "GET", "/api/status", "", nil, 200, []string{`"engine":"sqlite"`, `"providers":1`, `"users":4`, `"instances":[]`}, nil},
		{"health", viewing, "GET", "/api/status/health", "", nil, 200, []string{`"state":"ok"`}, nil},
		{"alerts", viewing, "GET", "/api/alerts?status=open", "", nil, 200, []string{`"data":[]`}, nil},
		{"logs", editing, "GET", "/api/logs?level=error&search=abc", "", nil, 200, []string{`"data":[]`}, nil},
		{"logs are not for viewers", viewing, "GET", "/api/logs", "", nil, 403, []string{"logs:read"}, nil},
		{"requests", viewing, "GET", "/api/requests?status=4xx&provider=main", "", nil, 200, []string{`"data":[]`}, nil},
		{"requests' mistakes", viewing, "GET", "/api/requests?status=9xx&limit=0&page=x&from=yesterday&nope=1", "", nil, 422, nil, nil},
		{"span that ends before it begins", viewing, "GET", "/api/requests?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", nil, 422, []string{"query.to"}, nil},
		{"bad cursor", viewing, "GET", "/api/requests?cursor=x", "", nil, 422, []string{"query.cursor"}, nil},
		{"no such request", viewing, "GET", "/api/requests/01890000-0000-7000-8000-000000000000", "", nil, 404, nil, nil},
		{"stats", viewing, "GET", "/api/requests/stats?groupBy=day&by=provider,model&tz=Europe/Berlin", "", nil, 200, []string{`"data":[`}, nil},
		{"stats' mistakes", viewing, "GET", "/api/requests/stats?tz=Mars/Olympus&groupBy=minute&from=2020-01-01T00:00:00Z", "", nil, 422, []string{"query.tz", "query.groupBy"}, nil},
		{"stats of too many minutes", viewing, "GET", "/api/requests/stats?groupBy=minute&from=2026-02-20T00:00:00Z&to=2026-03-01T00:00:00Z", "", nil, 422, []string{"query.groupBy", "10000 spans"}, nil},
		{"stats of the minutes of five days", viewing, "GET", "/api/requests/stats?groupBy=minute&from=2026-02-20T00:00:00Z&to=2026-02-25T00:00:00Z", "", nil, 200, []string{`"2026-02-24T23:59:00Z"`}, nil},
		{"stats of the hours of 309 days", viewing, "GET", "/api/requests/stats?groupBy=hour&from=2025-04-01T00:00:00Z&to=2026-02-04T00:00:00Z", "", nil, 200, []string{`"data":[`}, nil},
		{"stats of a key and more by the minute", viewing, "GET", "/api/requests/stats?groupBy=minute&by=key,provider", "", nil, 422, []string{"query.groupBy", "Group by hour"}, nil},
		{"stats of the future", viewing, "GET", "/api/requests/stats?from=2099-01-01T00:00:00Z", "", nil, 422, []string{"query.from"}, nil},
		{"stats backwards", viewing, "GET", "/api/requests/stats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z&tz=Mars/Olympus", "", nil, 422, []string{"query.to", "query.tz"}, nil},
		{"stats where midnight is skipped", viewing, "GET", "/api/requests/stats?groupBy=day&tz=America/Santiago&from=2025-09-05T00:00:00Z&to=2025-09-09T00:00:00Z", "", nil, 200, []string{`"2025-09-07T01:00:00-03:00"`}, nil},
		{"requests behind what pages reach", viewing, "GET", "/api/requests?page=201", "", nil, 422, []string{"query.page", "cursor"}, nil},
		{"keys behind what pages reach", viewing, "GET", "/api/keys?page=1000000&limit=500", "", nil, 422, []string{"query.page"}, nil},
		{"me", viewing, "GET", "/api/auth/me", "", nil, 200, []string{`"role":"viewer"`, `"providers:read"`, `"requests:own"`}, []string{"signed-in", "password"}},
		{"sessions", viewing, "GET", "/api/auth/sessions", "", nil, 200, []string{`"current":true`, `"total":1`}, nil},
		{"document", "", "GET", "/api/openapi.json", "", nil, 200, []string{`"openapi": "3.1.0"`}, nil},
		{"key set", "", "GET", "/.well-known/jwks.json", "", nil, 200, []string{`"crv":"Ed25519"`}, []string{`"d"`}},
		{"nothing there", "", "GET", "/api/nothing", "", nil, 404, nil, nil},
		{"provider deleted", editing, "DELETE", "/api/providers/{provider}", "", nil, 204, nil, nil},
		{"provider is gone", viewing, "GET", "/api/providers/{provider}", "", nil, 404, nil, nil},
	})
}

func (w *world) endpointID(path string) string {
	e, err := w.store.GetEndpoint(w.t.Context(), path)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func TestETags(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", openAIProvider)
	first := w.do(owned, http.MethodGet, "/api/providers/main", "").header.Get("ETag")
	w.run(nil, []apiCase{
		{"changed", owned, "PUT", "/api/providers/main", `{"status":"inactive"}`, []string{"If-Match", first}, 200, []string{`"version":2`, `"status":"inactive"`}, nil},
		{"lost", owned, "PUT", "/api/providers/main", `{"status":"active"}`, []string{"If-Match", first}, 412, nil, nil},
		{"not deleted", owned, "DELETE", "/api/providers/main", "", []string{"If-Match", first}, 412, nil, nil},
		{"any", owned, "PUT", "/api/providers/main", `{"status":"active"}`, []string{"If-Match", "*"}, 200, nil, nil},
		{"alias", owned, "PUT", "/api/aliases/fast", `{"target":"a"}`, nil, 200, nil, nil},
		{"alias changed", owned, "PUT", "/api/aliases/fast", `{"target":"b"}`, nil, 200, []string{`"version":2`}, nil},
		{"alias not deleted", owned, "DELETE", "/api/aliases/fast", "", []string{"If-Match", `"1"`}, 412, nil, nil},
		{"alias deleted", owned, "DELETE", "/api/aliases/fast", "", []string{"If-Match", `"2"`}, 204, nil, nil},
	})
}

func TestLockedObjects(t *testing.T) {
	w := newWorld(t).withUsers()
	for by, want := range map[string]string{
		point.ManagedByFile: "Change it there: Point takes it within seconds.", point.ManagedByEnv: "change it there and restart Point.",
	} {
		p := &point.Provider{Name: by, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: by}
		if err := w.store.CreateProvider(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		k := &point.Key{Name: by, Status: point.StatusActive, ManagedBy: by}
		if err := w.store.CreateKey(t.Context(), k, point.NewSecret("pt-"+by+"-0123456789abcdef")); err != nil {
			t.Fatal(err)
		}
		if err := w.store.PutAlias(t.Context(), &point.Alias{Name: by, Target: "x", ManagedBy: by}); err != nil {
			t.Fatal(err)
		}
		w.run(map[string]string{"key": k.ID, "by": by}, []apiCase{
			{"provider", owned, "PUT", "/api/providers/{by}", `{"status":"inactive"}`, nil, 409, []string{want}, nil},
			{"provider", owned, "DELETE", "/api/providers/{by}", "", nil, 409, nil, nil},
			{"key", owned, "PUT", "/api/keys/{key}", `{"name":"x"}`, nil, 409, nil, nil},
			{"key", owned, "DELETE", "/api/keys/{key}", "", nil, 409, nil, nil},
			{"alias", owned, "PUT", "/api/aliases/{by}", `{"target":"y"}`, nil, 409, nil, nil},
			{"alias", owned, "DELETE", "/api/aliases/{by}", "", nil, 409, nil, nil},
		})
	}
}

// TestSchemaAndCheckAgree: a bound in the document of a mapping is the bound that everybody who
// gives one is held to.
func TestSchemaAndCheckAgree(t *testing.T) {
	w := newWorld(t)
	type number struct {
		way   []string
		value float64
	}
	var beyond []number
	var visit func(way []string, s *huma.Schema)
	visit = func(way []string, s *huma.Schema) {
		if s.Ref != "" {
			s = w.api.spec.Components.Schemas.SchemaFromRef(s.Ref)
		}
		if s.Minimum != nil {
			beyond = append(beyond, number{way, *s.Minimum - 1})
		}
		if s.Maximum != nil {
			beyond = append(beyond, number{way, *s.Maximum + 1})
		}
		for name, p := range s.Properties {
			visit(append(slices.Clone(way), name), p)
		}
	}
	visit(nil, w.api.spec.Components.Schemas.Schema(reflect.TypeFor[Mapping](), true, ""))
	for _, n := range beyond {
		text := strconv.FormatFloat(n.value, 'f', -1, 64)
		for _, name := range slices.Backward(n.way) {
			text = fmt.Sprintf("{%q:%s}", name, text)
		}
		m := point.DefaultMapping()
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		var f faults
		m.Check(f.add)
		if at := strings.Join(n.way, "."); !slices.ContainsFunc(f, func(p ProblemField) bool { return p.Location == at }) {
			t.Errorf("the document refuses %s, a check of the same does not", text)
		}
	}
	if len(beyond) < 20 {
		t.Error("too few bounds were found:", len(beyond))
	}
}
