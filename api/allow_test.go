package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"point"
)

// withRole adds a user of a role of their own, of the permissions given.
func (w *world) withRole(name string, permissions ...Permission) string {
	w.t.Helper()
	list := make([]string, len(permissions))
	for i, p := range permissions {
		list[i] = string(p)
	}
	if err := w.store.CreateRole(w.t.Context(), &point.Role{Name: name, Permissions: list}); err != nil {
		w.t.Fatal(err)
	}
	u := &point.User{Email: name + "@example.com", Role: name}
	if err := w.store.CreateUser(w.t.Context(), u); err != nil {
		w.t.Fatal(err)
	}
	w.users[name], w.tokens[name] = u, w.signIn(u)
	return name
}

// TestActivationIsNoWayAround: who may activate may not therefore do what they could not do by
// hand, nor by going back, nor by the secrets of an import, nor by the default configuration.
func TestActivationIsNoWayAround(t *testing.T) {
	w := newWorld(t).withUsers()
	main := w.make("/api/providers", openAIProvider)
	key := w.make("/api/keys", `{"name":"app"}`)
	base := w.make("/api/configs", `{"name":"base"}`)
	sections := map[string]struct{ permission, config string }{
		"providers":   {"providers:write", `"providers":[{"id":"` + main + `","name":"main","provider":"openai","config":{"weight":3},"secrets":["api_key"]}]`},
		"endpoints":   {"endpoints:write", `"endpoints":[{"path":"/v1/embeddings","active":false}]`},
		"aliases":     {"aliases:write", `"aliases":[{"name":"fast","target":"main/m"}]`},
		"keys":        {"keys:write", `"keys":[{"name":"app","limits":{"rpm":1}}]`},
		"alert rules": {"alert-rules:write", `"alert_rules":[{"name":"x","kind":"disk","threshold":1}]`},
		"settings":    {"settings:write", `"settings":{"default_key_limits":{"rpm":1}}`},
	}
	const providers = `"providers":[{"name":"main","provider":"openai","config":{},"secrets":["api_key"]}]`
	bare := w.withRole("bare", ConfigsRead, ConfigsWrite, ConfigsActivate, RevisionsRead, RevisionsRollback)
	for section, x := range sections {
		t.Run(section, func(t *testing.T) {
			w.t = t
			config := x.config
			if section != "providers" {
				config += "," + providers
			}
			id := w.imported(bare, `{"name":"`+section+`","config":{`+config+`}}`)
			able := w.withRole("able-"+strings.ReplaceAll(section, " ", "-"), ConfigsActivate, Permission(x.permission))
			before := w.store.Snapshot()
			vars := map[string]string{"id": id}
			w.run(vars, []apiCase{
				{"refused", bare, post, "/api/configs/{id}/activate", "", nil, 403, []string{"This changes " + section + ". You lack: " + x.permission}, nil},
				{"dry run", bare, post, "/api/configs/{id}/activate", `{"dry_run":true}`, nil, 403, []string{x.permission}, nil},
			})
			if w.store.Snapshot() != before {
				t.Fatal("a refused activation changed something")
			}
			w.run(vars, []apiCase{
				{"allowed", able, post, "/api/configs/{id}/activate", "", nil, 200, []string{`"action":`}, nil},
			})
			w.activate(owned, "/api/configs/"+base+"/activate", "", 200)
		})
	}
	w.t = t
	settings := w.store.Snapshot().Version
	w.do(owned, http.MethodPut, "/api/settings", `{"default_key_limits":{"rpm":7}}`)
	w.run(map[string]string{"back": fmt.Sprint(settings), "key": key}, []apiCase{
		{"going back", bare, post, "/api/revisions/{back}/rollback", "", nil, 403, []string{"settings:write"}, nil},
		{"audited", owned, get, "/api/audit?event=" + point.AuditDeniedAccess, "", nil, 200, []string{`"detail":{"permission":`, `"target_kind":"configuration"`}, nil},
	})
}

// TestPrivateByActivation: an address that a user may not give is not reached by a configuration
// either, unless the provider leads there already.
func TestPrivateByActivation(t *testing.T) {
	w := newWorld(t).withUsers()
	near := w.make("/api/providers", `{"name":"near","provider":"openai-compatible","config":{"base_url":"http://10.0.0.1/v1"}}`)
	vars := map[string]string{"live": w.make("/api/configs", `{"name":"live"}`), "near": near}
	vars["other"] = w.imported(editing, `{"name":"other","config":{"providers":[{"id":"`+near+`","name":"near","provider":"openai-compatible","private":true,"config":{"base_url":"http://10.0.0.2/v1"}}]}}`)
	vars["none"] = w.imported(editing, `{"name":"none","config":{}}`)
	w.run(vars, []apiCase{
		{"stays", editing, post, "/api/configs/{live}/activate", "", nil, 200, nil, nil},
		{"elsewhere", editing, post, "/api/configs/{other}/activate", "", nil, 422, []string{"providers[0].config.base_url", "providers:private"}, nil},
		{"goes", editing, post, "/api/configs/{none}/activate", "", nil, 200, nil, nil},
		{"comes back", editing, post, "/api/configs/{live}/activate", "", nil, 422, []string{"providers:private"}, nil},
		{"by the start", editing, put, "/api/configs/{other}", `{"is_default":true}`, nil, 403, []string{"The default configuration is made live by the start", "You lack: providers:private."}, nil},
		{"a plain one", editing, put, "/api/configs/{none}", `{"is_default":true}`, nil, 200, nil, nil},
		{"changed by hand", editing, put, "/api/configs/{none}", `{"config":{"settings":{"default_key_limits":{"rpm":1}}}}`, nil, 403, []string{"settings:write"}, nil},
		{"renamed", editing, put, "/api/configs/{none}", `{"name":"plain"}`, nil, 200, nil, nil},
		{"by an owner", owned, post, "/api/configs/{live}/activate", "", nil, 200, nil, nil},
		{"saved as one", editing, post, "/api/configs", `{"name":"first","is_default":true}`, nil, 403, []string{"You lack: providers:private."}, nil},
		{"saved by an owner", owned, post, "/api/configs", `{"name":"first","is_default":true}`, nil, 201, []string{`"is_default":true`}, nil},
	})
}

// TestSealedSecretsKeepTheirPlace: the document beside sealed secrets can be changed by whoever
// has the file. A secret goes where it was exported for, or nowhere.
func TestSealedSecretsKeepTheirPlace(t *testing.T) {
	from := newWorld(t).withUsers()
	from.make("/api/providers", openAIProvider)
	sealed := from.do(owned, http.MethodPost, "/api/configs/export", `{"passphrase":"`+password+`"}`)
	stolen := strings.Replace(sealed.body, `"config":{`, `"config":{"base_url":"https://evil.example/v1"`, 1)
	if stolen == sealed.body {
		t.Fatal(sealed.body)
	}
	for _, live := range []bool{false, true} {
		to := newWorld(t).withUsers()
		if live {
			to.make("/api/providers", `{"name":"main","provider":"openai","config":{"base_url":"https://evil.example/v1","api_key":"sk-canary-own-0123456789"}}`)
		}
		lister := to.withRole("lister", ConfigsWrite)
		body := `{"name":"x","passphrase":"` + password + `","config":`
		to.run(nil, []apiCase{
			{"who may not give secrets", lister, post, "/api/configs/import", body + stolen + `}`, nil, 403, []string{"You lack: providers:write"}, nil},
			{"and without them", lister, post, "/api/configs/import", `{"name":"y","without_secrets":true,"config":` + stolen + `}`, nil, 201, nil, nil},
		})
		got := to.do(editing, http.MethodPost, "/api/configs/import", body+stolen+`}`)
		if got.status != http.StatusCreated || !strings.Contains(got.body, "exported for another base URL") {
			t.Fatal(got.body)
		}
		var out struct{ Configuration struct{ ID string } }
		got.into(t, &out)
		to.activate(editing, "/api/configs/"+out.Configuration.ID+"/activate", "", 200)
		p, _ := to.store.Snapshot().Provider("main")
		if secret := p.Config.Secrets[point.SecretAPIKey].Reveal(); strings.Contains(secret, "cdef") || len(p.Config.Parked) != 1 {
			t.Fatalf("live %v: the secret went to %s: %q, aside %v", live, p.Config.BaseURL, secret, p.Config.Parked)
		}
		honest := to.imported(editing, `{"name":"honest","without_secrets":true,"config":`+sealed.body+`}`)
		to.activate(editing, "/api/configs/"+honest+"/activate", "", 200)
		if p, _ = to.store.Snapshot().Provider("main"); !strings.Contains(p.Config.Secrets[point.SecretAPIKey].Reveal(), "cdef") || p.Status != point.StatusActive {
			t.Fatalf("live %v: the place that it was exported for does not get it: %+v", live, p)
		}
	}
}
