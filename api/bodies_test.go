package api

import (
	"errors"
	"strings"
	"testing"
	"time"

	"point"
)

// TestKeptBodies reads and replays what was kept. The stand-in of the gateway answers with what it
// was sent.
func TestKeptBodies(t *testing.T) {
	w := newWorld(t).withUsers()
	ctx := t.Context()
	keeper, err := w.store.Bodies(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	k := &point.Key{Name: "billing", Status: point.StatusActive}
	if err := errors.Join(w.store.CreateProvider(ctx, p), w.store.CreateKey(ctx, k, point.NewSecret("pt-0123456789abcdef0123"))); err != nil {
		t.Fatal(err)
	}
	keep := func(request string, response string) point.Record {
		r := w.record(p, k, time.Minute, 200)
		r.Bodies = keeper.Seal(r.ID, []byte(request), []byte(response))
		return r
	}
	full := keep(`{"model":"gpt-4o","models":["b"],"messages":[{"role":"user","content":"Hi \u00e9"}]}`, "data: {}\n\n")
	named := keep(`{"model":"main/gpt-4o","messages":[]}`, "x")
	slashed := keep(`{"provider":"main","model":"main/gpt-4o","messages":[]}`, "x")
	large, odd, none := keep(`{}`, "x"), keep(`--form`, "\xff"), w.record(p, k, time.Minute, 200)
	large.Bodies.Request, large.Bodies.RequestSize = nil, 5_000_000
	if err := w.store.InsertRecords(ctx, []point.Record{full, named, slashed, large, odd, none}); err != nil {
		t.Fatal(err)
	}
	w.run(map[string]string{"id": full.ID, "large": large.ID, "odd": odd.ID, "named": named.ID, "slashed": slashed.ID, "none": none.ID}, []apiCase{
		{"bodies", point.RoleAdmin, "GET", "/api/requests/{id}/bodies", "", nil, 200, []string{`"request_kept":true`, `\"content\":\"Hi \\u00e9\"`, `"response":"data: {}\n\n"`, `"response_size":10`}, nil},
		{"a large one", point.RoleAdmin, "GET", "/api/requests/{large}/bodies", "", nil, 200, []string{`"request":""`, `"request_kept":false`, `"request_size":5000000`, `"response":"x"`}, nil},
		{"of another encoding", point.RoleAdmin, "GET", "/api/requests/{odd}/bodies", "", nil, 200, []string{`"response":"` + "\uFFFD" + `"`}, nil},
		{"none kept", point.RoleAdmin, "GET", "/api/requests/{none}/bodies", "", nil, 404, []string{"POINT_BODIES=full"}, nil},
		{"no request", point.RoleAdmin, "GET", "/api/requests/01890000-0000-7000-8000-000000000000/bodies", "", nil, 404, []string{"no such request"}, nil},
		{"not for an operator", editing, "GET", "/api/requests/{id}/bodies", "", nil, 403, []string{"requests:bodies"}, []string{"Hi"}},

		{"replay", point.RoleAdmin, "POST", "/api/requests/{id}/replay", `{}`, nil, 200, []string{`"ok":true`, `/v1/chat/completions{\"model\":\"gpt-4o\",\"models\":[\"b\"]`}, nil},
		{"replay elsewhere", point.RoleAdmin, "POST", "/api/requests/{id}/replay", `{"provider":"main","model":"m\"2"}`, nil, 200, []string{`\"provider\":\"main\"`, `\"model\":\"m\\\"2\"`}, []string{`\"models\"`}},
		{"replay elsewhere what named its provider", point.RoleAdmin, "POST", "/api/requests/{named}/replay", `{"provider":"other"}`, nil, 200, []string{`\"model\":\"gpt-4o\"`, `\"provider\":\"other\"`}, nil},
		{"replay elsewhere of a name with a slash", point.RoleAdmin, "POST", "/api/requests/{slashed}/replay", `{"provider":"other"}`, nil, 200, []string{`\"model\":\"main/gpt-4o\"`, `\"provider\":\"other\"`}, nil},
		{"replay a large one", point.RoleAdmin, "POST", "/api/requests/{large}/replay", `{}`, nil, 409, []string{"5000000 bytes", "too large"}, nil},
		{"replay what is no object", point.RoleAdmin, "POST", "/api/requests/{odd}/replay", `{"model":"m"}`, nil, 409, []string{"not a JSON object"}, nil},
		{"replay none", point.RoleAdmin, "POST", "/api/requests/{none}/replay", `{}`, nil, 404, []string{"POINT_BODIES=full"}, nil},
		{"replay not for an operator", editing, "POST", "/api/requests/{id}/replay", `{}`, nil, 403, []string{"requests:replay"}, nil},
		{"audited", point.RoleAdmin, "GET", "/api/audit?event=request.bodies_read", "", nil, 200, []string{`"total":3`, full.ID}, nil},
		{"replays audited", point.RoleAdmin, "GET", "/api/audit?event=request.replayed", "", nil, 200, []string{`"total":4`, `"answered":true`}, nil},
	})
	if strings.Contains(w.do(viewing, "GET", "/api/requests/"+full.ID, "").body, "Hi") {
		t.Error("the record tells what was said")
	}
}
