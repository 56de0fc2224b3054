package api

import (
	"testing"

	"point"
)

// TestErrorsSayWhatToDo: mistakes that people make often are told once, in words that lead on.
func TestErrorsSayWhatToDo(t *testing.T) {
	w := newWorld(t).withUsers()
	key := w.make("/api/keys", `{"name":"first"}`)
	w.run(map[string]string{"key": key}, []apiCase{
		{"JSON that ends", owned, "POST", "/api/aliases", `{"name":"docs","target":`, nil, 400, []string{"not valid JSON, at byte 24"}, []string{"body.name", "body.target"}},
		{"another type", owned, "POST", "/api/aliases", `[1]`, nil, 422, []string{`"location":"body"`}, []string{"body.name"}},
		{"what is no time", viewing, "GET", "/api/requests?from=yesterday", "", nil, 422, []string{"query.from", "2026-01-31T12:00:00Z"}, []string{"999999"}},
		{"an owner alone may", point.RoleAdmin, "POST", "/api/secrets/rotate", `{"confirm":true}`, nil, 403, []string{"Ask an owner."}, nil},
		{"an admin may too", viewing, "GET", "/api/audit", "", nil, 403, []string{"Ask an owner or admin."}, nil},
		{"one's own would do", viewing, "POST", "/api/keys", `{"name":"x"}`, nil, 403, []string{"keys:write, or keys:own for what is one's own"}, nil},
		{"price of no kind", owned, "PUT", "/api/prices/opnai/gpt-4o", `{"input":"1"}`, nil, 422, []string{"path.kind", "/api/provider-kinds"}, nil},
		{"nothing to say", owned, "POST", "/api/keys/{key}/rotate", "", nil, 200, []string{`"token":"pt-`}, nil},
		{"revoked", owned, "PUT", "/api/keys/{key}", `{"status":"inactive"}`, nil, 200, nil, nil},
		{"token of a revoked key", owned, "POST", "/api/keys/{key}/rotate", "", nil, 409, []string{"revoked"}, []string{`"token"`}},
		{"a rotation has begun", owned, "POST", "/api/secrets/rotate", `{"confirm":true}`, nil, 200, []string{`"rotating":true`}, nil},
	})
	w.rotated()
}
