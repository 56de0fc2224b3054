package app

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"point"
	"point/config"
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
			if r.Actor.Kind != point.ActorSystem || r.Actor.Name != "configuration file" || r.Changes != 6 {
				t.Errorf("%+v", r)
			}
		}
	}
	audit, err := again.store.ListAudit(t.Context(), store.AuditFilter{Event: point.AuditDeclare, Page: store.Page{Number: 1, Limit: 10}})
	if err != nil || declared != 1 || len(audit.Items) != 1 || audit.Items[0].Actor.Name != "configuration file" {
		t.Errorf("%d revisions, audit %+v, %v", declared, audit.Items, err)
	}
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
