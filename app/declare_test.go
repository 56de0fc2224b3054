package app

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"point"
	"point/config"
	"point/monitor"
	"point/store"
)

// declaredFile is a file of every section.
const declaredFile = `
providers:
  - {name: one, provider: openai, config: {api_key: first}}
  - {name: two, provider: openai-compatible, config: {base_url: "https://two.example/v1", headers: {X-Team: blue}, models: [a, b]}}
endpoints:
  - {path: /v1/chat/completions, mapping: {rules: [{when: {model: [a]}, targets: [{provider: two}]}]}}
  - {path: /v1/embeddings, active: false}
aliases: {fast: one/gpt-4o-mini}
keys:
  - {name: ci, env: CI_KEY, tags: [ci], limits: {rpm: 60, budget_day: "5.00"}, expires_at: 2099-01-01T00:00:00Z}
alert_rules:
  - {name: Disk nearly full, kind: disk, threshold: 70}
  - {name: ci costs, kind: cost, scope: {key: ci}, threshold: 3}
  - {name: two is slow, kind: latency_p95, scope: {provider: two}, threshold: 3000}
`

// fileIn writes a configuration file.
func fileIn(t *testing.T, dir, text string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "point.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// onFile builds a Point in dir with a file there.
func onFile(t *testing.T, dir, text string, env ...string) *App {
	t.Helper()
	return beginOn(t, append([]string{"POINT_DATA_DIR=" + dir, "POINT_CONFIG=" + fileIn(t, dir, text), "CI_KEY=pt-ci-0123456789abcdef01"}, env...)...)
}

// TestDeclaredOnce: a file is one revision and one event of the audit trail, and the same file
// again is none.
func TestDeclaredOnce(t *testing.T) {
	dir := t.TempDir()
	a := onFile(t, dir, declaredFile)
	s := a.store.Snapshot()
	if len(s.Providers) != 2 || len(s.Keys) != 1 {
		t.Fatalf("%d providers, %d keys", len(s.Providers), len(s.Keys))
	}
	for _, k := range s.Keys {
		if k.Prefix != "pt-ci-01" || k.ManagedBy != point.ManagedByFile {
			t.Errorf("%+v", k)
		}
	}
	two, _ := s.Provider("two")
	if len(s.AlertRules) != len(monitor.DefaultRules())+2 {
		t.Errorf("%d alert rules", len(s.AlertRules))
	}
	for _, r := range s.AlertRules {
		switch {
		case r.Name == "two is slow" && r.Scope.Provider == two.ID && r.ManagedBy == point.ManagedByFile:
		case r.Name == "ci costs" && r.Scope.KeyID == keyID(s, "ci"):
		case r.Name == "Disk nearly full" && r.ManagedBy == point.ManagedByFile && r.Threshold == 70:
		case r.ManagedBy != point.ManagedByDefault:
			t.Errorf("%+v", r)
		}
	}
	a.Close()
	again := onFile(t, dir, declaredFile)
	if got := again.store.Snapshot().Version; got != s.Version {
		t.Errorf("the same file made version %d of %d", got, s.Version)
	}
	list, err := again.store.ListRevisions(t.Context(), store.RevisionFilter{Page: store.Page{Number: 1, Limit: 10}})
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, r := range list.Items {
		if r.Action == point.RevisionDeclare {
			declared++
			if r.Actor.Kind != point.ActorSystem || r.Actor.Name != "configuration file" || r.Changes != 9 {
				t.Errorf("%+v", r)
			}
		}
	}
	audit, err := again.store.ListAudit(t.Context(), store.AuditFilter{Event: point.AuditDeclare, Page: store.Page{Number: 1, Limit: 10}})
	if err != nil || declared != 1 || len(audit.Items) != 1 || audit.Items[0].Actor.Name != "configuration file" {
		t.Errorf("%d revisions, audit %+v, %v", declared, audit.Items, err)
	}
}

func keyID(s *point.Snapshot, name string) string {
	for _, k := range s.Keys {
		if k.Name == name {
			return k.ID
		}
	}
	return ""
}

// TestDeclaredRules: a rule of the file is changed in place; one that the file has no more goes,
// or is again as the installation made it.
func TestDeclaredRules(t *testing.T) {
	dir := t.TempDir()
	a := onFile(t, dir, declaredFile)
	ids := ruleIDs(a.store.Snapshot())
	a.Close()
	a = onFile(t, dir, strings.NewReplacer("threshold: 3}", "threshold: 4}", "name: two is slow", "name: two is late").Replace(declaredFile))
	s := a.store.Snapshot()
	now := ruleIDs(s)
	if s.AlertRules[ids["ci costs"]].Threshold != 4 || now["two is slow"] != "" || now["two is late"] == "" {
		t.Errorf("%v, was %v", now, ids)
	}
	a.Close()
	a = onFile(t, dir, "")
	s = a.store.Snapshot()
	if disk := s.AlertRules[ids["Disk nearly full"]]; len(s.AlertRules) != len(monitor.DefaultRules()) || disk == nil || disk.Threshold != 90 || disk.ManagedBy != point.ManagedByDefault {
		t.Errorf("%d rules, %+v", len(s.AlertRules), disk)
	}
	if err := a.store.CreateAlertRule(t.Context(), &point.AlertRule{Name: "ci costs", Kind: point.RuleCost, Threshold: 1, WindowMS: 60_000, Severity: point.SeverityInfo}); err != nil {
		t.Fatal(err)
	}
	p := &provisioner{store: a.store, cfg: &config.Config{File: "point.yaml", Declared: config.Declared{Rules: []config.AlertRule{{AlertRule: point.AlertRule{Name: "ci costs"}}}}}}
	if _, err := p.declaration(t.Context()); err == nil || !strings.Contains(err.Error(), `"ci costs" was made in the console already`) {
		t.Error(err)
	}
}

func ruleIDs(s *point.Snapshot) map[string]string {
	ids := map[string]string{}
	for id, r := range s.AlertRules {
		ids[r.Name] = id
	}
	return ids
}

// TestDeclaredChanges: what the file says anew is changed in place, what it says no more goes.
func TestDeclaredChanges(t *testing.T) {
	dir := t.TempDir()
	a := onFile(t, dir, declaredFile)
	one, _ := a.store.Snapshot().Provider("one")
	a.Close()
	text := strings.NewReplacer("api_key: first", "api_key: second", "provider: openai-compatible", "provider: mistral", "{base_url", "{api_key: x, base_url",
		"fast: one/gpt-4o-mini", "slow: one/o3", "rpm: 60", "rpm: 61").Replace(declaredFile)
	a = onFile(t, dir, text)
	s := a.store.Snapshot()
	changed, _ := s.Provider("one")
	if changed.ID != one.ID || changed.Config.Secrets[point.SecretAPIKey].Reveal() != "second" {
		t.Errorf("%+v", changed)
	}
	if two, _ := s.Provider("two"); two.Kind != "mistral" || len(s.Providers) != 2 {
		t.Errorf("%+v of %d", two, len(s.Providers))
	}
	if aliases, err := a.store.ListAliases(t.Context()); err != nil || len(aliases) != 1 || aliases[0].Name != "slow" {
		t.Errorf("%+v, %v", aliases, err)
	}
	for _, k := range s.Keys {
		if *k.Limits.RPM != 61 {
			t.Errorf("%+v", k)
		}
	}
	a.Close()
	a = onFile(t, dir, "")
	aliases, err := a.store.ListAliases(t.Context())
	if s := a.store.Snapshot(); err != nil || len(s.Providers)+len(s.Keys)+len(aliases) > 0 {
		t.Errorf("%d providers, %d keys, %d aliases, %v", len(s.Providers), len(s.Keys), len(aliases), err)
	}
}

// TestDeclaredWhole: a file that cannot be taken changes nothing, not even what could be.
func TestDeclaredWhole(t *testing.T) {
	dir := t.TempDir()
	a := onFile(t, dir, "")
	mine := &point.Provider{Name: "two", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: point.ManagedByUser}
	if err := a.store.CreateProvider(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	version := a.store.Snapshot().Version
	a.Close()
	for text, want := range map[string]string{
		declaredFile: `"two" was made in the console already`,
		"providers: [{name: one, provider: openai, config: {api_key: x}}]\nkeys: [{name: a, env: CI_KEY}, {name: b, env: CI_KEY}]": `the keys "a" and "b" have the same token`,
	} {
		path := fileIn(t, dir, text)
		c, _, err := config.Load(config.Source{ReadFile: os.ReadFile, Env: []string{
			"POINT_MASTER_KEY=0123456789abcdef0123456789abcdef", "POINT_DATA_DIR=" + dir, "POINT_LISTEN=127.0.0.1:0",
			"POINT_DEMO=false", "POINT_CONFIG=" + path, "CI_KEY=pt-ci-0123456789abcdef01",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(t.Context(), c, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if s := onFile(t, dir, "").store.Snapshot(); s.Version != version || len(s.Providers) != 1 {
		t.Errorf("version %d of %d, %d providers", s.Version, version, len(s.Providers))
	}
}
