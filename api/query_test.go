package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// namesThings are parameters whose values are names and ids of things, times, or parts of texts: of
// these whatever is not there meets nothing. All others are closed lists, or numbers.
var namesThings = []string{
	"provider", "key", "model", "owner_id", "user_id", "tag", "role", "actor", "target", "subject", "component", "search",
	"GET /api/alerts kind", // a rule's name, too
	"next", "state", "code", "iss", "error", "with",
}

// TestUnknownFilters gives every parameter of every route a value that does not exist, and every
// route a parameter that it does not know.
func TestUnknownFilters(t *testing.T) {
	w := newFullWorld(t)
	for _, o := range w.doc.operations {
		ask := func(query string) answer {
			c := call{op: o, token: w.tokens[owned], path: w.fill(o) + "?" + query}
			if list := w.bodies(o); len(list) > 0 {
				c.body = list[0]
			}
			return w.send(c.request())
		}
		var known []string
		for _, p := range o.Parameters {
			if p.In != "query" {
				continue
			}
			known = append(known, p.Name)
			a := ask(url.Values{p.Name: {"nosuch"}}.Encode())
			switch {
			case slices.Contains(namesThings, p.Name) || slices.Contains(namesThings, o.String()+" "+p.Name):
				if strings.HasPrefix(o.path, "/api/auth/") || p.Name == "with" {
					continue
				}
				if a.status != http.StatusOK || p.Name != "search" && !strings.Contains(a.body, `"data":[`) {
					t.Errorf("%s?%s=nosuch: %d %s", o, p.Name, a.status, a.body)
				}
			case a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"query.`+p.Name):
				t.Errorf("%s?%s=nosuch: %d %s", o, p.Name, a.status, a.body)
			}
		}
		if o.path == "/api/auth/oidc/callback" {
			continue // anything may come there
		}
		want := "This route takes no parameters."
		if len(known) > 0 {
			want = "There is no such parameter here; there are " + strings.Join(known, ", ") + "."
		}
		if a := ask("nosuch=1"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%s?nosuch=1: %d %s", o, a.status, a.body)
		}
	}
}

func TestFiltersNameWhatThereIs(t *testing.T) {
	w := newFullWorld(t)
	w.run(nil, []apiCase{
		{"status", viewing, "GET", "/api/requests?status=foo", "", nil, 422, []string{"a status such as 404 or a class such as 4xx"}, nil},
		{"outcome", viewing, "GET", "/api/requests?outcome=foo", "", nil, 422, []string{"one or several of complete, client_cancelled"}, nil},
		{"severity", viewing, "GET", "/api/alerts?severity=foo", "", nil, 422, []string{`one of \"info, warning, critical\"`}, nil},
		{"endpoint", viewing, "GET", "/api/requests?endpoint=/v9", "", nil, 422, []string{"there are /v1/chat/completions, "}, []string{"/v9"}},
		{"endpoint of statistics", viewing, "GET", "/api/requests/stats?endpoint=/v9", "", nil, 422, []string{"there are /v1/chat/completions, "}, []string{"/v9"}},
		{"event", owned, "GET", "/api/audit?event=nosuch", "", nil, 422, []string{"signin.failed, ", "provider.updated"}, nil},
		{"event that is", owned, "GET", "/api/audit?event=provider.created", "", nil, 200, []string{`"event":"provider.created"`}, nil},
		{"kind", viewing, "GET", "/api/prices?kind=nosuch", "", nil, 422, []string{"openai"}, nil},
		{"both mistakes", viewing, "GET", "/api/requests?endpoint=/v9&from=2026-03-04T00:00:00Z&to=2026-03-03T00:00:00Z", "", nil, 422, []string{"query.endpoint", "query.to"}, nil},
		{"twice", viewing, "GET", "/api/requests?status=404&status=500", "", nil, 422, []string{"query.status", "Give this once."}, nil},
		{"a list may be", viewing, "GET", "/api/requests?outcome=rejected&outcome=truncated", "", nil, 200, nil, nil},
		{"no provider", viewing, "GET", "/api/requests?provider=nosuch", "", nil, 200, []string{`"data":[]`, `"total":0`}, nil},
	})
}
