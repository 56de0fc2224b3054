package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"point"
	"point/config"
	"point/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// begin builds a Point on a database that others may share; env overrides.
func begin(t *testing.T, database string, env ...string) *App {
	t.Helper()
	return beginOn(t, append([]string{
		"POINT_DATABASE_URL=" + database, "POINT_ADMIN_EMAIL=a@b.example", "POINT_ADMIN_PASSWORD=correct horse battery",
		"POINT_BOOTSTRAP_KEY=pt-0123456789abcdef",
	}, env...)...)
}

// beginOn builds a Point in a folder of its own, unless env says otherwise.
func beginOn(t *testing.T, env ...string) *App {
	t.Helper()
	c, _, err := config.Load(config.Source{ReadFile: os.ReadFile, Env: append([]string{
		"POINT_MASTER_KEY=0123456789abcdef0123456789abcdef", "POINT_DATA_DIR=" + t.TempDir(),
		"POINT_LISTEN=127.0.0.1:0", "POINT_DEMO=false", "POINT_LOG_LEVEL=error",
	}, env...)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), c, io.Discard)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(a.Close)
	return a
}

// TestStartsTogether: several Points that start at once on an empty database make what they
// share once, and all start.
func TestStartsTogether(t *testing.T) {
	database := pgtest.Database(t)
	var starts sync.WaitGroup
	for range 4 {
		starts.Go(func() { begin(t, database, "OPENAI_API_KEY=sk-x") })
	}
	starts.Wait()
	s := begin(t, database, "OPENAI_API_KEY=sk-x").store.Snapshot()
	if len(s.Users) != 1 || len(s.Providers) != 1 || len(s.Keys) != 1 {
		t.Errorf("%d users, %d providers, %d keys", len(s.Users), len(s.Providers), len(s.Keys))
	}
}

// TestOthersKeepTheirProviders: what the variables of a living Point made is not taken away by
// one that starts without them; what those of one that has ended made is.
func TestOthersKeepTheirProviders(t *testing.T) {
	database := pgtest.Database(t)
	first := begin(t, database, "OPENAI_API_KEY=sk-x")
	second := begin(t, database, "GEMINI_API_KEY=x")
	if got := providerNames(second); !slices.Equal(got, []string{"gemini", "openai"}) {
		t.Error(got)
	}
	for _, a := range []*App{first, second} {
		a.self.State = "draining"
		if err := a.store.Heartbeat(context.Background(), a.self); err != nil {
			t.Fatal(err)
		}
	}
	if got := providerNames(begin(t, database)); len(got) > 0 {
		t.Error(got)
	}
}

func providerNames(a *App) (names []string) {
	for _, p := range a.store.Snapshot().Providers {
		if p.ManagedBy == point.ManagedByEnv {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestDemoGivesWay: beside a real provider the simulated services answer only who names them,
// unless demo mode was asked for, and the next start takes them and the demo key away.
func TestDemoGivesWay(t *testing.T) {
	dir := t.TempDir()
	start := func(env ...string) *App {
		t.Helper()
		return begin(t, "", append([]string{"POINT_DATA_DIR=" + dir, "POINT_DEMO=auto"}, env...)...)
	}
	a := start()
	if s := a.store.Snapshot(); len(s.Providers) != len(demoKinds) || len(s.Keys) != 2 || !bareDemo(s) {
		t.Fatalf("%d providers, %d keys, bare %v", len(s.Providers), len(s.Keys), bareDemo(s))
	}
	mine := &point.Provider{Name: "mine", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: point.ManagedByUser}
	if err := a.store.CreateProvider(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	if bareDemo(a.store.Snapshot()) {
		t.Error("a simulated service stands behind a real provider")
	}
	a.Close()
	a = start("POINT_DEMO=true")
	if s := a.store.Snapshot(); len(s.Providers) != len(demoKinds)+1 || !bareDemo(s) {
		t.Errorf("asked for, demo mode has %d providers, bare %v", len(s.Providers), bareDemo(s))
	}
	a.Close()
	a = start()
	if s := a.store.Snapshot(); len(s.Providers) != 1 || len(s.Keys) != 1 { // that of POINT_BOOTSTRAP_KEY
		t.Errorf("%d providers and %d keys are left", len(s.Providers), len(s.Keys))
	}
}

// bareDemo reports whether some simulated service serves bare models.
func bareDemo(s *point.Snapshot) bool {
	for _, p := range s.Providers {
		if p.ManagedBy == point.ManagedByDemo && s.ServesBare(p) {
			return true
		}
	}
	return false
}

// TestFileGoesWhole: without the file an endpoint that it declared is as it was made.
func TestFileGoesWhole(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "point.yaml")
	const text = `
providers: [{name: mine, provider: openai, config: {api_key: x}}]
endpoints:
  - {path: /v1/chat/completions, mapping: {rules: [{targets: [{provider: mine}]}]}}
  - {path: /v1/embeddings, active: false}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := begin(t, "", "POINT_DATA_DIR="+dir, "POINT_CONFIG="+file)
	if e := a.store.Snapshot().Endpoints[point.PathChat]; e.Mapping == nil || e.ManagedBy != point.ManagedByFile {
		t.Fatalf("%+v", e)
	}
	a.Close()
	a = begin(t, "", "POINT_DATA_DIR="+dir)
	for _, e := range a.store.Snapshot().Endpoints {
		if e.Mapping != nil || !e.Active || e.ManagedBy != point.ManagedByUser {
			t.Errorf("%+v", e)
		}
	}
}
