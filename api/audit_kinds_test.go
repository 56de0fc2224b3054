package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"point"
	"point/store"
)

// auditTrigger is what makes one row of an event.
type auditTrigger struct {
	event string
	do    func()
}

// asked sends a request as the owner, which must succeed.
func (w *world) asked(method, url, body string) func() {
	return func() {
		if a := w.do(owned, method, url, body); a.status >= 300 {
			w.t.Errorf("%s %s: %d %s", method, url, a.status, a.body)
		}
	}
}

// made is asked for what is then found in ids under a name.
func (w *world) made(ids map[string]string, name, url, body string) func() {
	return func() { ids[name] = w.make(url, body) }
}

// life are the triggers of a row that is made, changed and deleted.
func (w *world) life(ids map[string]string, entity, url, body, change string) []auditTrigger {
	at := func(method, body string) func() {
		return func() { w.asked(method, url+"/"+ids[entity], body)() }
	}
	return []auditTrigger{
		{entity + ".created", w.made(ids, entity, url, body)},
		{entity + ".updated", at(http.MethodPut, change)},
		{entity + ".deleted", at(http.MethodDelete, "")},
	}
}

// rowTriggers are those of rows whose kinds have no other story.
func (w *world) rowTriggers() []auditTrigger {
	ids := map[string]string{}
	list := slices.Concat(
		w.life(ids, point.EntityAlertRule, "/api/alert-rules", `{"name":"errors","kind":"error_rate","threshold":25}`, `{"threshold":30}`),
		w.life(ids, point.EntityNotifier, "/api/notifiers", `{"name":"n","type":"webhook","config":{"url":"https://hooks.example.com/canary","secret":"canary-0123456789abcdef0123456789"}}`, `{"enabled":false}`),
		w.life(ids, point.EntitySilence, "/api/silences", `{"kind":"rule:*","until":"2026-05-05T00:00:00Z"}`, `{"kind":"rule:*","until":"2026-06-05T00:00:00Z"}`),
		w.life(ids, point.EntityConfiguration, "/api/configs", `{"name":"saved"}`, `{"description":"other"}`),
		w.life(ids, point.EntityUser, "/api/users", `{"email":"new@example.com","role":"viewer","password":"0123456789abc"}`, `{"disabled":true}`),
	)
	list = append(list,
		auditTrigger{"role.created", w.asked(http.MethodPost, "/api/roles", `{"name":"less","permissions":["keys:own"]}`)},
		auditTrigger{"role.updated", w.asked(http.MethodPut, "/api/roles/less", `{"permissions":[]}`)},
		auditTrigger{"role.deleted", w.asked(http.MethodDelete, "/api/roles/less", "")},
		auditTrigger{"price.created", w.asked(http.MethodPut, "/api/prices/openai/gpt-4o", `{"input":"1"}`)},
		auditTrigger{"price.updated", w.asked(http.MethodPut, "/api/prices/openai/gpt-4o", `{"input":"2"}`)},
		auditTrigger{"price.deleted", w.asked(http.MethodDelete, "/api/prices/openai/gpt-4o", "")},
		auditTrigger{"model.created", w.asked(http.MethodPut, "/api/models/openai/gpt-4o", `{"max_output":1}`)},
		auditTrigger{"model.updated", w.asked(http.MethodPut, "/api/models/openai/gpt-4o", `{"max_output":2}`)},
		auditTrigger{"model.deleted", w.asked(http.MethodDelete, "/api/models/openai/gpt-4o", "")},
		auditTrigger{"setting.created", w.asked(http.MethodPut, "/api/settings", `{"default_key_limits":{"rpm":5}}`)},
		auditTrigger{"setting.updated", w.asked(http.MethodPut, "/api/settings", `{"default_key_limits":{"rpm":6}}`)},
		auditTrigger{"token.created", w.made(ids, "token", "/api/tokens", `{"name":"t","scopes":["keys:read"]}`)},
		auditTrigger{"token.deleted", func() { w.asked(http.MethodDelete, "/api/tokens/"+ids["token"], "")() }},
	)
	return list
}

// otherTriggers are those of events that change much at once, or that no route but a command or
// the start makes: then what they call.
func (w *world) otherTriggers() []auditTrigger {
	ids := map[string]string{}
	second := w.make("/api/users", `{"email":"second@example.com","role":"viewer","password":"0123456789abc"}`)
	w.make("/api/notifiers", `{"name":"on-call","type":"webhook","config":{"url":"https://hooks.example.com/canary","secret":"canary-0123456789abcdef0123456789"}}`)
	ids["config"] = w.make("/api/configs", `{"name":"kept"}`)
	return []auditTrigger{
		{point.AuditNotifierTest, func() {
			var list List[Notifier]
			w.do(owned, http.MethodGet, "/api/notifiers", "").into(w.t, &list)
			w.asked(http.MethodPost, "/api/notifiers/"+list.Data[0].ID+"/test", "")()
		}},
		{point.AuditUserRole, w.asked(http.MethodPut, "/api/users/"+second, `{"role":"operator"}`)},
		{point.AuditPassword, w.asked(http.MethodPut, "/api/users/"+second, `{"password":"another 0123456789"}`)},
		{point.AuditBackup, w.asked(http.MethodGet, "/api/backup", "")},
		{point.AuditSecretsBegun, w.rotate},
		{point.AuditActivate, func() { w.asked(http.MethodPost, "/api/configs/"+ids["config"]+"/activate", `{}`)() }},
		{point.AuditRollback, func() {
			version := w.store.Snapshot().Version
			w.make("/api/aliases", `{"name":"undone","target":"gpt-4o"}`)
			w.asked(http.MethodPost, fmt.Sprintf("/api/revisions/%d/rollback", version), `{}`)()
		}},
		{point.AuditDeclare, func() {
			alias := point.Alias{Name: "declared", Target: "gpt-4o"}
			if err := w.store.Apply(w.starting(), &store.Batch{Action: point.RevisionDeclare, Subject: "point.yaml", PutAliases: []point.Alias{alias}}); err != nil {
				w.t.Error(err)
			}
		}},
		{point.AuditMasterKey, func() {
			if err := w.store.ChangeMasterKey(w.starting(), point.NewSecret(strings.Repeat("next master key ", 4))); err != nil {
				w.t.Error(err)
			}
		}},
	}
}

// starting is the context of what Point does without a request.
func (w *world) starting() context.Context {
	return point.WithActor(w.t.Context(), point.Actor{Kind: point.ActorSystem, Name: "configuration file"})
}

// ownWorlds are the events that take a world of their own, and the tests that count their rows.
var ownWorlds = map[string]string{
	point.AuditSetUp: "TestSetUpIsAudited", point.AuditSetUpFailed: "TestSetUpIsAudited", point.AuditIdentity: "TestLinkIsAudited",
	point.AuditBodies: "TestKeptBodies", point.AuditReplay: "TestKeptBodies",
}

// TestEveryAuditKindHasATrigger: each kind of event is written, once, with who, what, from where
// and how it ended; and nothing is written that is no kind.
func TestEveryAuditKindHasATrigger(t *testing.T) {
	w := newWorld(t).withUsers()
	seen := map[string]bool{}
	for _, c := range slices.Concat(w.signTriggers(), w.rowTriggers(), w.otherTriggers()) {
		before := w.countOf(c.event)
		c.do()
		w.tokens[owned] = w.signIn(w.users[owned]) // time may have gone on
		if n := w.countOf(c.event) - before; n != 1 {
			t.Errorf("%s: %d rows", c.event, n)
			continue
		}
		seen[c.event] = true
		w.checkEntry(c.event)
	}
	kinds := map[string]bool{}
	for _, k := range point.AuditKinds() {
		kinds[k.Event] = true
		if !seen[k.Event] && ownWorlds[k.Event] == "" {
			t.Errorf("nothing writes %s", k.Event)
		}
	}
	var list List[AuditEntry]
	for page := 1; page == 1 || list.Cursor != ""; page++ {
		w.do(owned, http.MethodGet, fmt.Sprintf("/api/audit?limit=500&cursor=%s", list.Cursor), "").into(t, &list)
		for _, e := range list.Data {
			if !kinds[e.Event] {
				t.Errorf("%s is written and no kind", e.Event)
			}
		}
		if page > 20 {
			t.Fatal("the list has no end")
		}
	}
	t.Logf("%d of %d kinds", len(seen), len(kinds))
}

// checkEntry looks whether the last row of an event tells who, what, from where and how it ended.
func (w *world) checkEntry(event string) {
	w.t.Helper()
	var list List[AuditEntry]
	w.do(owned, http.MethodGet, "/api/audit?limit=1&event="+event, "").into(w.t, &list)
	e := list.Data[0]
	if e.ActorKind == "" || e.Result == "" || e.TargetKind == "" {
		w.t.Errorf("%+v", e)
	}
	if e.ActorKind == point.ActorUser && (e.ActorName == "" || e.ActorID == "" || e.Address == "") || e.ActorKind == point.ActorNobody && e.Address == "" || e.ActorKind == point.ActorSystem && e.ActorName == "" {
		w.t.Errorf("who, or from where? %+v", e)
	}
	raw, err := json.Marshal(e)
	if err != nil || strings.Contains(string(raw), canary) || strings.Contains(string(raw), password) {
		w.t.Errorf("a secret, %v: %s", err, raw)
	}
}

// TestLinkIsAudited: an invited user who comes from the identity provider is linked, once.
func TestLinkIsAudited(t *testing.T) {
	o := newOIDCWorld(t)
	invited := o.user("invited", func(u *point.User) { u.Role = point.RoleOperator })
	o.tokens[owned] = o.signIn(o.users[owned])
	o.ada.Email, o.ada.Groups = "INVITED@example.com", []string{"admins"}
	for range 2 {
		o.wantIn(o.enter("ada-1"))
	}
	if n := o.countOf(point.AuditIdentity); n != 1 {
		t.Errorf("%d rows", n)
	}
	var list List[AuditEntry]
	o.do(owned, http.MethodGet, "/api/audit?event="+point.AuditIdentity, "").into(t, &list)
	if len(list.Data) == 1 && list.Data[0].TargetID != invited.ID {
		t.Errorf("%+v", list.Data[0])
	}
	o.checkEntry(point.AuditIdentity)
}
