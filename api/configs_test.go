package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"point"
)

// activation is the answer of activate and rollback.
type activation struct {
	Version  int64
	Changes  []struct{ Entity, Name, Action, Path string }
	Findings []struct{ Path, Name, Message string }
}

func (w *world) activate(role, url, body string, status int) (out activation) {
	w.t.Helper()
	a := w.do(role, http.MethodPost, url, body)
	if a.status != status {
		w.t.Fatalf("POST %s: %d %s", url, a.status, a.body)
	}
	if status == http.StatusOK {
		a.into(w.t, &out)
		if last := w.lastRevision(); out.Version != last {
			w.t.Errorf("POST %s: version %d, and the newest revision is %d", url, out.Version, last)
		}
	}
	return out
}

// lastRevision is the version of the newest revision in the list, 0 if that is empty.
func (w *world) lastRevision() int64 {
	w.t.Helper()
	var list struct{ Data []struct{ Version int64 } }
	w.do(viewing, http.MethodGet, "/api/revisions?limit=1", "").into(w.t, &list)
	if len(list.Data) == 0 {
		return 0
	}
	return list.Data[0].Version
}

// TestConfigurations: what was saved becomes live again as it was, and a secret is never the one
// that it was then.
func TestConfigurations(t *testing.T) {
	w := newWorld(t).withUsers()
	main := w.make("/api/providers", openAIProvider)
	key := w.make("/api/keys", `{"name":"app","models":["gpt-*"]}`)
	vars := map[string]string{"main": main, "key": key, "chat": w.endpointID(point.PathChat)}
	w.run(vars, []apiCase{
		{"map", editing, put, "/api/endpoints/{chat}", `{"mapping":{"rules":[{"targets":[{"provider":"main","model":"gpt-4o"}]}]}}`, nil, 200, nil, nil},
		{"alias", editing, put, "/api/aliases/fast", `{"target":"main/gpt-4o"}`, nil, 200, nil, nil},
	})
	vars["a"] = w.make("/api/configs", `{"name":"morning","description":"as it is","is_default":true}`)
	w.run(vars, []apiCase{
		{"same name", editing, post, "/api/configs", `{"name":"morning"}`, nil, 409, []string{"body.name"}, nil},
		{"read", viewing, get, "/api/configs/{a}", "", nil, 200, []string{`"config":{`, `"provider":"main"`, `"secrets":["api_key"]`, `"created_by":"owner@example.com"`}, []string{"sk-"}},
		{"list", viewing, get, "/api/configs?limit=1", "", nil, 200, []string{`"name":"morning"`, `"total":1`}, []string{`"config":{`}},
		{"no difference", viewing, get, "/api/configs/{a}/diff", "", nil, 200, []string{`"data":[]`}, nil},
		{"missing", viewing, get, "/api/configs/{main}", "", nil, 404, nil, nil},
		{"diff with missing", viewing, get, "/api/configs/{a}/diff?with={main}", "", nil, 404, nil, nil},

		{"rotate", editing, put, "/api/providers/{main}", `{"config":{"api_key":"sk-canary-rotated-0123456"}}`, nil, 200, nil, nil},
		{"other", editing, post, "/api/providers", `{"name":"other","provider":"anthropic","config":{"api_key":"sk-canary-other-0123456789"}}`, nil, 201, nil, nil},
		{"alias", editing, put, "/api/aliases/fast", `{"target":"other/claude"}`, nil, 200, nil, nil},
		{"alias", editing, put, "/api/aliases/slow", `{"target":"main/gpt-4"}`, nil, 200, nil, nil},
		{"unmap", editing, put, "/api/endpoints/{chat}", `{"active":false,"mapping":null}`, nil, 200, nil, nil},
		{"limit", editing, put, "/api/keys/{key}", `{"limits":{"rpm":3},"status":"inactive"}`, nil, 200, nil, nil},
		{"difference", viewing, get, "/api/configs/{a}/diff", "", nil, 200, []string{`"name":"other","action":"delete"`, `"path":"target","before":"other/claude","after":"main/gpt-4o"`, `"path":"limits.rpm","before":3,"after":null`}, nil},
	})
	vars["b"] = w.make("/api/configs", `{"name":"evening"}`)
	before := w.store.Snapshot()

	dry := w.activate(editing, "/api/configs/"+vars["a"]+"/activate", `{"dry_run":true}`, 200)
	if w.store.Snapshot() != before || len(dry.Changes) == 0 {
		t.Fatalf("a dry run: %+v", dry)
	}
	done := w.activate(editing, "/api/configs/"+vars["a"]+"/activate", "", 200)
	after := w.store.Snapshot()
	if done.Version != before.Version+1 || after.Version != done.Version || len(done.Findings) != 0 || fmt.Sprint(done.Changes) != fmt.Sprint(dry.Changes) {
		t.Fatalf("activated: %+v", done)
	}
	if len(after.Providers) != 1 || after.Aliases["fast"] != "main/gpt-4o" || len(after.Aliases) != 1 || after.Endpoints[point.PathChat].Mapping.Rules[0].Targets[0].Provider != main || !after.Endpoints[point.PathChat].Active {
		t.Fatalf("what is live is not what was saved: %+v", after)
	}
	if got := after.Providers[main].Config.Secrets[point.SecretAPIKey].Reveal(); got != "sk-canary-rotated-0123456" {
		t.Fatal("activating brought back the secret", got)
	}
	for _, k := range after.Keys {
		if k.ID == key && (k.Limits.RPM != nil || k.Status != point.StatusInactive) {
			t.Fatalf("key %+v", k)
		}
	}
	if again := w.activate(editing, "/api/configs/"+vars["a"]+"/activate", "", 200); again.Version != done.Version || len(again.Changes) != 0 {
		t.Fatalf("activating what is live: %+v", again)
	}
	w.activate(editing, "/api/configs/"+vars["b"]+"/activate", "", 200)
	other, ok := w.store.Snapshot().Provider("other")
	if old, _ := before.Provider("other"); !ok || other.ID != old.ID || other.Status != point.StatusActive || other.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-canary-other-0123456789" {
		t.Fatalf("a provider that came back: %+v", other)
	}

	w.run(vars, []apiCase{
		{"delete by hand", editing, del, "/api/providers/" + other.ID + "?force=true", "", nil, 204, nil, nil},
		{"without its secret", editing, post, "/api/configs/{b}/activate", "", nil, 200, []string{`"findings":[{"path":"providers[1].secrets","name":"other"`}, nil},
		{"is inactive", viewing, get, "/api/providers/" + other.ID, "", nil, 200, []string{`"status":"inactive"`, `"secrets":[]`}, nil},
		{"rename", editing, put, "/api/configs/{b}", `{"name":"night","description":""}`, []string{"If-Match", `"1"`}, 200, []string{`"name":"night"`}, nil},
		{"stale", editing, put, "/api/configs/{b}", `{"name":"noon"}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"replace", editing, put, "/api/configs/{b}", `{"config":{"aliases":[{"name":"x","target":"y"}]},"is_default":true}`, nil, 200, []string{`"target":"y"`, `"is_default":true`}, nil},
		{"one default", viewing, get, "/api/configs/{a}", "", nil, 200, []string{`"is_default":false`}, nil},
		{"replace wrongly", editing, put, "/api/configs/{b}", `{"config":{"aliases":[{"name":"x"}],"no":1}}`, nil, 422, []string{"body.config.no"}, nil},
		{"delete", editing, del, "/api/configs/{b}", "", nil, 204, nil, nil},
		{"deleted", editing, post, "/api/configs/{b}/activate", "", nil, 404, nil, nil},
	})
}

// TestActivationRefused: what is wrong is told whole, with its place, and nothing changes.
func TestActivationRefused(t *testing.T) {
	w := newWorld(t).withUsers()
	if err := w.store.CreateProvider(t.Context(), &point.Provider{Name: "declared", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: point.ManagedByFile}); err != nil {
		t.Fatal(err)
	}
	bad := w.imported(editing, `{"name":"bad","config":{
		"providers":[{"name":"declared","provider":"openai","config":{"api_key_env":"OPENAI_API_KEY"}},
			{"name":"near","provider":"openai-compatible","config":{"base_url":"http://10.0.0.1/v1"}},
			{"name":"env","provider":"openai","config":{"api_key_env":"HOME"}},
			{"name":"odd","provider":"openai","config":{"weight":-1,"nonsense":true,"api_key":"sk-canary-0123456789"}}],
		"endpoints":[{"path":"/v1/chat/completions","mapping":{"rules":[{"targets":[{"provider":"nobody"}]}]}}]}}`)
	before := w.store.Snapshot()
	w.run(map[string]string{"bad": bad}, []apiCase{
		{"viewer", viewing, post, "/api/configs/{bad}/activate", "", nil, 403, nil, nil},
		{"operator", editing, post, "/api/configs/{bad}/activate", "", nil, 422, []string{
			"providers[0].name", "providers[1].config.api_key_env", "providers[2].config.base_url", "providers[3].config.weight", "providers[3].config.nonsense",
			"providers[3].config.api_key", "endpoints[0].mapping.rules[0].targets[0].provider",
		}, nil},
		{"owner", owned, post, "/api/configs/{bad}/activate", `{"dry_run":true}`, nil, 422, []string{"providers[0].name"}, []string{"providers[2].config.base_url"}},
	})
	if w.store.Snapshot() != before {
		t.Fatal("a refused activation changed something")
	}
	w.run(nil, []apiCase{
		{"nothing", editing, post, "/api/configs/import", `{"config":null}`, nil, 422, []string{"body.config"}, nil},
		{"no YAML", editing, post, "/api/configs/import", `{"config":"a: [1"}`, nil, 422, []string{"neither YAML nor JSON"}, nil},
		{"every mistake", editing, post, "/api/configs/import", `{"config":"format: 2\nnonsense: 1\nproviders:\n- name: a b\n  provider: none\n  config: []\nkeys: [{id: x, limits: {rpm: many}}]\n"}`, nil, 422,
			[]string{"body.config.nonsense", "body.config.providers[0].config", "body.config.keys[0].limits.rpm"}, nil},
		{"every invalid value", editing, post, "/api/configs/import", `{"config":{"format":2,"providers":[{"name":"a b","provider":"none","config":{}}],"aliases":[{"name":"x","target":"x"}],"keys":[{"id":"x","name":"k"}],
			"endpoints":[{"path":"/v1/none"}],"settings":{"default_key_limits":{"rpm":0}}}}`, nil, 422,
			[]string{"body.config.format", "providers[0].name", "providers[0].provider", "aliases[0].target", "keys[0].id", "endpoints[0].path", "settings.default_key_limits.rpm"}, nil},
		{"lines of a text", editing, post, "/api/configs/import", `{"config":"aliases:\n- name: a\n  target: 3\n"}`, nil, 422, []string{`"location":"body.config.aliases[0].target"`, `"line":3`}, nil},
		{"no lines of an object", editing, post, "/api/configs/import", `{"config":{"aliases":[{"name":"a","target":3}]}}`, nil, 422, []string{`"location":"body.config.aliases[0].target"`}, []string{`"line"`}},
		{"dry run", editing, post, "/api/configs/import", `{"config":"aliases: [{name: x, target: y}]","dry_run":true}`, nil, 200, []string{`{"findings":[]}`}, nil},
		{"dry run, name taken", editing, post, "/api/configs/import", `{"name":"bad","config":{},"dry_run":true}`, nil, 409, []string{"body.name"}, nil},
	})
}

// imported imports a configuration and returns its id.
func (w *world) imported(role, body string) string {
	w.t.Helper()
	a := w.do(role, http.MethodPost, "/api/configs/import", body)
	if a.status != http.StatusCreated {
		w.t.Fatalf("import: %d %s", a.status, a.body)
	}
	var out struct{ Configuration struct{ ID string } }
	a.into(w.t, &out)
	return out.Configuration.ID
}

// TestTransfer: an export is imported elsewhere; with the passphrase its secrets come along, for
// those that have none.
func TestTransfer(t *testing.T) {
	const passphrase = "correct horse battery staple"
	from, to := newWorld(t).withUsers(), newWorld(t).withUsers()
	from.make("/api/providers", openAIProvider)
	from.make("/api/providers", `{"name":"second","provider":"anthropic","config":{"api_keys":["sk-canary-aaaaaaaaaa","sk-canary-bbbbbbbbbb"]}}`)
	from.run(nil, []apiCase{
		{"alias", editing, put, "/api/aliases/fast", `{"target":"main/gpt-4o"}`, nil, 200, nil, nil},
		{"yaml", viewing, get, "/api/configs/export?format=yaml", "", nil, 200, []string{"format: 1", "- name: fast", "target: main/gpt-4o"}, []string{"sk-", "sealed"}},
		{"operator", editing, post, "/api/configs/export", `{"passphrase":"` + passphrase + `"}`, nil, 403, nil, nil},
		{"short", owned, post, "/api/configs/export", `{"passphrase":"short"}`, nil, 422, []string{"body.passphrase"}, nil},
	})
	text := from.do(viewing, http.MethodGet, "/api/configs/export?format=yaml", "").body
	sealed := from.do(owned, http.MethodPost, "/api/configs/export", `{"passphrase":"`+passphrase+`"}`)
	if sealed.status != http.StatusOK || !strings.Contains(sealed.body, `"sealed":{"format":2,"kdf"`) {
		t.Fatal(sealed)
	}

	quoted, _ := json.Marshal(text)
	plain := to.imported(editing, `{"name":"plain","config":`+string(quoted)+`}`)
	if len(to.store.Snapshot().Providers) != 0 {
		t.Fatal("an import made something live")
	}
	without := to.activate(editing, "/api/configs/"+plain+"/activate", "", 200)
	if p, _ := to.store.Snapshot().Provider("main"); len(without.Findings) != 2 || p.Status != point.StatusInactive {
		t.Fatalf("without secrets: %+v %+v", without, p)
	}
	to.run(nil, []apiCase{
		{"a key of its own", editing, put, "/api/providers/" + providerID(to, "main"), `{"config":{"api_key":"sk-canary-own-0123456789"},"status":"active"}`, nil, 200, nil, nil},
		{"wrong passphrase", editing, post, "/api/configs/import", `{"name":"x","passphrase":"another horse battery","config":` + sealed.body + `}`, nil, 422, []string{"body.passphrase"}, nil},
		{"wrong passphrase, dry run", editing, post, "/api/configs/import", `{"name":"x","dry_run":true,"passphrase":"another horse battery","config":` + sealed.body + `}`, nil, 422, []string{"body.passphrase"}, nil},
		{"passphrase, dry run", editing, post, "/api/configs/import", `{"name":"x","dry_run":true,"passphrase":"` + passphrase + `","config":` + sealed.body + `}`, nil, 200, []string{"has these secrets already"}, []string{`"configuration"`}},
		{"without passphrase", editing, post, "/api/configs/import", `{"name":"y","config":` + sealed.body + `}`, nil, 422, []string{"body.passphrase", "without_secrets"}, nil},
		{"without secrets", editing, post, "/api/configs/import", `{"name":"y","without_secrets":true,"config":` + sealed.body + `}`, nil, 201, []string{`"path":"sealed"`}, nil},
		{"same name", editing, post, "/api/configs/import", `{"name":"y","without_secrets":true,"config":` + sealed.body + `}`, nil, 409, nil, nil},
		{"of before", editing, post, "/api/configs/import", `{"name":"x","passphrase":"` + passphrase + `","config":` + strings.Replace(sealed.body, `"format":2,`, "", 1) + `}`, nil, 422, []string{"body.config.sealed.format", "Export it again"}, nil},
	})
	whole := to.imported(editing, `{"name":"whole","passphrase":"`+passphrase+`","config":`+sealed.body+`}`)
	to.activate(editing, "/api/configs/"+whole+"/activate", "", 200)
	mine, _ := to.store.Snapshot().Provider("main")
	second, _ := to.store.Snapshot().Provider("second")
	if mine.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-canary-own-0123456789" {
		t.Fatal("an import replaced a live secret")
	}
	if pool := second.Config.KeyPool(); len(pool) != 2 || pool[1].Reveal() != "sk-canary-bbbbbbbbbb" || second.Status != point.StatusActive {
		t.Fatalf("sealed secrets: %+v", second)
	}
	if got := to.do(viewing, http.MethodGet, "/api/configs/export", "").body; !strings.Contains(got, `"target": "main/gpt-4o"`) {
		t.Fatal(got)
	}

	elsewhere := newWorld(t).withUsers()
	fresh := elsewhere.imported(editing, `{"name":"whole","passphrase":"`+passphrase+`","config":`+sealed.body+`}`)
	if got := elsewhere.activate(editing, "/api/configs/"+fresh+"/activate", "", 200); len(got.Findings) != 0 {
		t.Fatalf("parked secrets were not there: %+v", got)
	}
}

// TestImportTakesNoPassword: only what opens something waits for those who sign in.
func TestImportTakesNoPassword(t *testing.T) {
	w := newWorld(t).withUsers()
	for range passwordsAtOnce {
		leave, err := w.api.gate.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	w.imported(editing, `{"name":"plain","passphrase":"correct horse battery","config":{}}`)
}

func providerID(w *world, name string) string {
	p, _ := w.store.Snapshot().Provider(name)
	return p.ID
}

// TestRevisions: each change is one, with who and why, and each can be gone back to.
func TestRevisions(t *testing.T) {
	w := newWorld(t).withUsers()
	main := w.make("/api/providers", openAIProvider)
	w.do(editing, http.MethodPut, "/api/aliases/fast", `{"target":"main/a"}`, "X-Point-Reason", "the first")
	first := w.store.Snapshot().Version
	w.do(editing, http.MethodPut, "/api/providers/"+main, `{"name":"renamed"}`)
	w.do(editing, http.MethodPut, "/api/endpoints/"+w.endpointID(point.PathChat), `{"mapping":{"fallbacks":[{"provider":"renamed"}]}}`)
	w.do(owned, http.MethodPut, "/api/settings", `{"default_key_limits":{"rpm":30}}`)
	w.do(editing, http.MethodDelete, "/api/aliases/fast", "")
	v := map[string]string{"first": fmt.Sprint(first), "last": fmt.Sprint(w.store.Snapshot().Version)}
	w.run(v, []apiCase{
		{"list", viewing, get, "/api/revisions", "", nil, 200, []string{`"total":6`, `"summary":"alias fast deleted"`, `"name":"operator@example.com"`, `"reason":"the first"`, `"address":"192.0.2.1"`}, nil},
		{"of one entity", viewing, get, "/api/revisions?entity=setting&actor=owner@example.com", "", nil, 200, []string{`"total":1`}, nil},
		{"in a time", viewing, get, "/api/revisions?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", "", nil, 200, []string{`"total":0`}, nil},
		{"read", viewing, get, "/api/revisions/{first}", "", nil, 200, []string{`"entity":"alias","id":"fast","name":"fast","action":"create"`}, []string{"sk-"}},
		{"none", viewing, get, "/api/revisions/1", "", nil, 404, []string{"not every version is one"}, nil},
		{"no number", viewing, get, "/api/revisions/x", "", nil, 422, nil, nil},
		{"what going back changes", viewing, get, "/api/revisions/{first}/diff", "", nil, 200, []string{`"before":"renamed","after":"main"`, `"name":"fast","action":"create"`, `"path":"default_key_limits","before":{"rpm":30},"after":null`}, nil},
		{"before all", viewing, get, "/api/revisions/1/diff", "", nil, 404, nil, nil},
		{"viewer", viewing, post, "/api/revisions/{first}/rollback", "", nil, 403, nil, nil},
		{"settings are the owner's", editing, post, "/api/revisions/{first}/rollback", "", nil, 403, []string{"This changes providers, endpoints, aliases, settings. You lack: settings:write."}, nil},
		{"dry run", owned, post, "/api/revisions/{first}/rollback", `{"dry_run":true}`, nil, 200, []string{`"version":{last}`, `"dry_run":true`}, nil},
		{"none to go back to", editing, post, "/api/revisions/1/rollback", "", nil, 404, nil, nil},
	})
	w.activate(owned, "/api/revisions/"+v["first"]+"/rollback", `{"reason":"it was better"}`, 200)
	s := w.store.Snapshot()
	if p, ok := s.Provider("main"); !ok || p.ID != main || p.Config.Secrets[point.SecretAPIKey].IsZero() || s.Aliases["fast"] != "main/a" || s.Settings.DefaultKeyLimits.RPM != nil || s.Endpoints[point.PathChat].Mapping != nil {
		t.Fatalf("after going back: %+v", s)
	}
	back := fmt.Sprint(s.Version)
	w.run(map[string]string{"back": back}, []apiCase{
		{"a revision of its own", viewing, get, "/api/revisions/{back}", "", nil, 200, []string{`"action":"rollback"`, `"subject":"` + v["first"] + `"`, `"reason":"it was better"`}, nil},
	})
	// And forward again: the mapping leads to the provider under the name that it had then.
	w.activate(owned, "/api/revisions/"+v["last"]+"/rollback", "", 200)
	s = w.store.Snapshot()
	if p, ok := s.Provider("renamed"); !ok || s.Endpoints[point.PathChat].Mapping.Fallbacks[0].Provider != p.ID || len(s.Aliases) != 0 || *s.Settings.DefaultKeyLimits.RPM != 30 {
		t.Fatalf("after going forward: %+v", s)
	}
}

func TestSettings(t *testing.T) {
	w := newWorld(t).withUsers()
	main := w.make("/api/providers", openAIProvider)
	w.run(map[string]string{"main": main}, []apiCase{
		{"at first", viewing, get, "/api/settings", "", nil, 200, []string{`"default_key_limits":{}`, `"strategy":"priority"`}, nil},
		{"operator", editing, put, "/api/settings", `{}`, nil, 403, nil, nil},
		{"set", owned, put, "/api/settings", `{"default_mapping":{"fallbacks":[{"provider":"main"}]},"default_key_limits":{"rpm":60}}`, nil, 200, []string{`"provider":"main"`, `"rpm":60`}, nil},
		{"stale", owned, put, "/api/settings", `{"default_key_limits":{}}`, []string{"If-Match", `"0"`}, 412, nil, nil},
		{"wrong", owned, put, "/api/settings", `{"default_mapping":{"fallbacks":[{"provider":"nobody"}]},"default_key_limits":{"rpm":0}}`, nil, 422, []string{"body.default_mapping.fallbacks[0].provider", "body.default_key_limits.rpm"}, nil},
		{"a new key", editing, post, "/api/keys", `{"name":"a"}`, nil, 201, []string{`"rpm":60`}, nil},
		{"a key with limits", editing, post, "/api/keys", `{"name":"b","limits":{}}`, nil, 201, []string{`"limits":{}`}, nil},
		{"reset", owned, put, "/api/settings", `{"default_mapping":null,"default_key_limits":{}}`, nil, 200, []string{`"fallbacks":[]`, `"default_key_limits":{}`}, nil},
		{"age of a secret", viewing, get, "/api/providers", "", nil, 200, []string{`"secrets":[{"name":"api_key","set_at":"2026-03-04T12:30:00Z"}]`}, nil},
	})
}
