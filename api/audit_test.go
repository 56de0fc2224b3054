package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"point"
)

// countOf is how many rows of the audit trail tell of an event.
func (w *world) countOf(event string) int64 {
	w.t.Helper()
	var list List[AuditEntry]
	w.do(owned, http.MethodGet, "/api/audit?event="+event, "").into(w.t, &list)
	return *list.Total
}

// signTriggers are those of events of sign-ins, providers, keys and what else the API writes by
// itself.
func (w *world) signTriggers() []auditTrigger {
	w.make("/api/providers", openAIProvider)
	key := w.make("/api/keys", `{"name":"first"}`)
	endpoint := w.endpointID(point.PathChat)
	login := func(email, pass string) *http.Request {
		r := request(http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, email, pass))
		r.RemoteAddr = "192.0.2.7:1"
		return r
	}
	cookie := func() string {
		set := w.send(login("owner@example.com", password)).header.Get("Set-Cookie")
		value, _, _ := strings.Cut(set, ";")
		return value
	}
	return []auditTrigger{
		{point.AuditSignIn, func() { w.send(login("owner@example.com", password)) }},
		{point.AuditSignInFailed, func() { w.send(login("owner@example.com", "wrong")) }},
		{point.AuditSignInBlocked, func() {
			for range maxFailures + 5 {
				w.send(login("nobody@example.com", "wrong"))
			}
		}},
		{point.AuditSignOut, func() {
			w.send(request(http.MethodPost, "/api/auth/logout", "", "", "Cookie", cookie()))
		}},
		{point.AuditRefreshReused, func() {
			old := cookie()
			for range 2 {
				w.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", old))
				w.clock.add(2 * sameSuccessor)
			}
		}},
		{point.AuditSessionEnded, func() {
			x := w.signIn(w.users[owned])
			c, err := w.api.tokens.verify(w.t.Context(), x)
			if err != nil {
				w.t.Fatal(err)
			}
			w.asked(http.MethodDelete, "/api/auth/sessions/"+c.SessionID, "")()
		}},
		{point.AuditSessionEnded, w.asked(http.MethodDelete, "/api/users/"+w.users[editing].ID+"/sessions", "")},
		{point.AuditInvited, w.asked(http.MethodPost, "/api/users/"+w.users[editing].ID+"/invitation", "")},
		{point.AuditPasswordFailed, func() {
			w.do(owned, http.MethodPut, "/api/auth/password", `{"current":"wrong","new":"0123456789abc"}`)
		}},
		{point.AuditDeniedAccess, func() {
			for range 5 {
				w.do(viewing, http.MethodDelete, "/api/providers/main", "")
			}
		}},
		{point.AuditProviderTest, w.asked(http.MethodPost, "/api/providers/main/test", `{}`)},
		{point.AuditEndpointTest, w.asked(http.MethodPost, "/api/endpoints/"+endpoint+"/test", `{"request":{}}`)},
		{"provider.created", w.asked(http.MethodPost, "/api/providers", strings.Replace(openAIProvider, "main", "second", 1))},
		{"provider.updated", w.asked(http.MethodPut, "/api/providers/second", `{"status":"inactive"}`)},
		{"provider.deleted", w.asked(http.MethodDelete, "/api/providers/second", "")},
		{"key.created", w.asked(http.MethodPost, "/api/keys", `{"name":"second"}`)},
		{"key.updated", w.asked(http.MethodPut, "/api/keys/"+key, `{"name":"third"}`)},
		{point.AuditKeyRotated, w.asked(http.MethodPost, "/api/keys/"+key+"/rotate", `{}`)},
		{point.AuditKeyRevoked, w.asked(http.MethodPut, "/api/keys/"+key, `{"status":"inactive"}`)},
		{"key.deleted", w.asked(http.MethodDelete, "/api/keys/"+key, "")},
		{"alias.created", w.asked(http.MethodPut, "/api/aliases/fast", `{"target":"main/gpt-4o"}`)},
		{"alias.updated", w.asked(http.MethodPut, "/api/aliases/fast", `{"target":"main/gpt-4o-mini"}`)},
		{"alias.deleted", w.asked(http.MethodDelete, "/api/aliases/fast", "")},
		{"endpoint.updated", w.asked(http.MethodPut, "/api/endpoints/"+endpoint, `{"active":false}`)},
		{point.AuditSecrets, w.rotate},
		{point.AuditSigningKey, w.asked(http.MethodPost, "/api/auth/keys/rotate", `{"at_once":false}`)},
		{point.AuditExport, w.asked(http.MethodGet, "/api/configs/export", "")},
		{point.AuditExportSecrets, w.asked(http.MethodPost, "/api/configs/export", `{"passphrase":"correct horse battery"}`)},
	}
}

// TestAuditEvents: rows tell who did what, and from where.
func TestAuditEvents(t *testing.T) {
	w := newWorld(t).withUsers()
	for _, c := range w.signTriggers() {
		c.do()
		w.tokens[owned] = w.signIn(w.users[owned]) // time may have gone on
	}
	var list List[AuditEntry]
	w.do(owned, http.MethodGet, "/api/audit?event=signin.ok&limit=1", "").into(t, &list)
	if e := list.Data[0]; e.ActorName != "owner@example.com" || e.Address != "192.0.2.7" || e.Result != "ok" || e.ActorKind != "user" {
		t.Errorf("%+v", e)
	}
	w.do(owned, http.MethodGet, "/api/audit?event=access.denied", "").into(t, &list)
	if e := list.Data[0]; e.ActorName != "viewer@example.com" || e.TargetName != "DELETE /api/providers/{id}" || e.Detail["permission"] != "providers:write" {
		t.Errorf("%+v", e)
	}
	w.do(owned, http.MethodGet, "/api/audit?event=secrets.rotated", "").into(t, &list)
	if e := list.Data[0]; e.ActorName != "owner@example.com" || e.ActorKind != "user" {
		t.Errorf("%+v", e)
	}
	w.do(owned, http.MethodGet, "/api/audit?target=main", "").into(t, &list)
	if len(list.Data) != 2 {
		t.Errorf("%d rows of a provider", len(list.Data))
	}
	var report AuditReport
	w.do(owned, http.MethodGet, "/api/audit/verify", "").into(t, &report)
	if !report.OK || report.Rows == 0 {
		t.Errorf("%+v", report)
	}
}

// rotate rotates the encryption keys, and waits for the end.
func (w *world) rotate() {
	w.t.Helper()
	w.api.rotation.Store(nil)
	w.asked(http.MethodPost, "/api/secrets/rotate", `{"confirm":true}`)()
	w.rotated()
}

// rotated waits for the end of the first rotation since the last call of rotate: what the route
// tells is a moment early, for another one cannot begin yet.
func (w *world) rotated() {
	w.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for w.api.rotation.Load() == nil {
		<-ticker.C
	}
	var s Secrets
	w.do(owned, http.MethodGet, "/api/secrets", "").into(w.t, &s)
	if s.Rotating || s.Error != "" || s.Lost != 0 || len(s.Keys) != 1 || !s.Keys[0].Seals {
		w.t.Fatalf("%+v", s)
	}
}

// TestSetUpIsAudited: the first user, and who tries with a wrong token.
func TestSetUpIsAudited(t *testing.T) {
	w := newWorld(t)
	token, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	body := `{"token":%q,"email":"me@example.com","password":"` + password + `"}`
	w.do("", http.MethodPost, "/api/setup", fmt.Sprintf(body, "wrong"))
	var out AccessToken
	w.do("", http.MethodPost, "/api/setup", fmt.Sprintf(body, token.Reveal())).into(t, &out)
	w.tokens[owned] = out.AccessToken
	for _, event := range []string{point.AuditSetUp, point.AuditSetUpFailed, "user.created"} {
		if n := w.countOf(event); n != 1 {
			t.Errorf("%s: %d rows", event, n)
		}
	}
	if a := w.do(owned, http.MethodGet, "/api/audit", ""); bytes.Contains([]byte(a.body), []byte(token.Reveal())) || strings.Contains(a.body, password) {
		t.Error("the trail holds a secret")
	}
}

// TestAuditRoutes: filters, pages and checkpoints.
func TestAuditRoutes(t *testing.T) {
	w := newWorld(t).withUsers()
	for i := range 5 {
		w.make("/api/keys", fmt.Sprintf(`{"name":"k%d"}`, i))
	}
	if err := w.store.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	var page List[AuditEntry]
	w.do(owned, http.MethodGet, "/api/audit?event=key.created&limit=2", "").into(t, &page)
	w.run(map[string]string{"cursor": page.Cursor}, []apiCase{
		{"next page", owned, "GET", "/api/audit?event=key.created&limit=2&cursor={cursor}", "", nil, 200, []string{`"target_name":"k2"`, `"target_name":"k1"`}, []string{`"k3"`, `"k0"`}},
		{"bad cursor", owned, "GET", "/api/audit?cursor=x", "", nil, 422, []string{"query.cursor"}, nil},
		{"span", owned, "GET", "/api/audit?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "", nil, 422, []string{"query.to"}, nil},
		{"result", owned, "GET", "/api/audit?result=denied", "", nil, 200, []string{`"total":0`}, nil},
		{"no result", owned, "GET", "/api/audit?result=good", "", nil, 422, []string{"query.result"}, nil},
		{"actor", owned, "GET", "/api/audit?actor=owner@example.com", "", nil, 200, []string{`"total":5`}, nil},
		{"actor by id", owned, "GET", "/api/audit?actor=" + w.users[owned].ID, "", nil, 200, []string{`"total":5`}, nil},
		{"checkpoints", owned, "GET", "/api/audit/checkpoints", "", nil, 200, []string{`"signature":"`, `"key":"`}, nil},
		{"behind all", owned, "GET", "/api/audit/checkpoints?after=1000", "", nil, 200, []string{`"data":[]`}, nil},
		{"verified", owned, "GET", "/api/audit/verify", "", nil, 200, []string{`"ok":true`, `"checkpoints":1`, `"published":1`, `"findings":[]`}, nil},
		{"secrets", point.RoleAdmin, "GET", "/api/secrets", "", nil, 200, []string{`"rotating":false`, `"lost":0`, `"seals":true`}, nil},
		{"not confirmed", owned, "POST", "/api/secrets/rotate", `{"confirm":false}`, nil, 422, []string{"body.confirm"}, nil},
	})
}

// TestBurstOfDenials raises one alert.
func TestBurstOfDenials(t *testing.T) {
	w := newWorld(t).withUsers()
	for range 3 * denialBurst {
		w.do(viewing, http.MethodDelete, "/api/providers/main", "")
	}
	if n := w.alerts.count(AlertDenials); n != 1 {
		t.Errorf("%d alerts", n)
	}
	bare := w.withRole("bare", ConfigsWrite, ConfigsActivate)
	id := w.imported(bare, `{"name":"x","config":{"aliases":[{"name":"fast","target":"m"}]}}`)
	for range denialBurst {
		w.do(bare, http.MethodPost, "/api/configs/"+id+"/activate", "")
	}
	if n := w.alerts.count(AlertDenials); n != 2 {
		t.Errorf("%d alerts after activations that were refused", n)
	}
}
