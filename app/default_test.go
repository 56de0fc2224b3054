package app

import (
	"encoding/json"
	"testing"

	"point"
	"point/store"
)

// saveDefault saves a default configuration of one provider, whose key is in a variable.
func saveDefault(t *testing.T, a *App, kind string) {
	t.Helper()
	raw, err := json.Marshal(&point.Document{
		Format:    point.DocumentFormat,
		Providers: []point.DocumentProvider{{Name: "saved", Kind: kind, Config: map[string]json.RawMessage{"api_key_env": json.RawMessage(`"OPENAI_API_KEY"`)}}},
		Aliases:   []point.DocumentAlias{{Name: "fast", Target: "saved/gpt-4o-mini"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.store.CreateConfiguration(t.Context(), &point.Configuration{Name: "first", IsDefault: true, Document: raw}); err != nil {
		t.Fatal(err)
	}
}

// TestDefaultConfiguration: it is made live at the start of an installation on which nothing is
// configured, also where simulated services are, and never again.
func TestDefaultConfiguration(t *testing.T) {
	dir := t.TempDir()
	start := func() *App { return beginOn(t, "POINT_DATA_DIR="+dir, "POINT_DEMO=auto") }
	a := start()
	saveDefault(t, a, "openai")
	a.Close()

	a = start()
	saved, ok := a.store.Snapshot().Provider("saved")
	if !ok || len(a.store.Snapshot().Providers) != 1 {
		t.Fatalf("%d providers, saved %v", len(a.store.Snapshot().Providers), ok)
	}
	list, err := a.store.ListRevisions(t.Context(), store.RevisionFilter{Page: store.Page{Number: 1, Limit: 100}})
	if err != nil || !hasActivation(list.Items) {
		t.Errorf("%+v, %v", list.Items, err)
	}
	if err := a.store.DeleteProvider(t.Context(), saved.ID, saved.Version); err != nil {
		t.Fatal(err)
	}
	a.Close()
	a = start()
	if _, ok := a.store.Snapshot().Provider("saved"); ok {
		t.Error("it was made live a second time")
	}
}

func hasActivation(list []point.Revision) bool {
	for _, r := range list {
		if r.Action == point.RevisionActivate && r.Subject == "first" && r.Actor.Name == "start" {
			return true
		}
	}
	return false
}

// TestDefaultGivesWay: what people or the file configured stays.
func TestDefaultGivesWay(t *testing.T) {
	for name, configure := range map[string]func(*App) (env string){
		"a change by a person": func(a *App) string {
			ctx := point.WithActor(t.Context(), point.Actor{Kind: point.ActorUser, Name: "ada@example.com"})
			if err := a.store.PutAlias(ctx, &point.Alias{Name: "mine", Target: "x"}); err != nil {
				t.Fatal(err)
			}
			return "A=b"
		},
		"a variable": func(*App) string { return "GEMINI_API_KEY=x" },
		"the file":   func(a *App) string { return "POINT_CONFIG=" + fileIn(t, a.cfg.DataDir, oneProvider) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := beginOn(t, "POINT_DATA_DIR="+dir)
			saveDefault(t, a, "openai")
			env := configure(a)
			a.Close()
			if _, ok := beginOn(t, "POINT_DATA_DIR="+dir, env).store.Snapshot().Provider("saved"); ok {
				t.Error("the default configuration took its place")
			}
		})
	}
}

// TestDefaultWithMistakes: one that cannot be live is no reason not to start.
func TestDefaultWithMistakes(t *testing.T) {
	dir := t.TempDir()
	a := beginOn(t, "POINT_DATA_DIR="+dir)
	saveDefault(t, a, "opnai")
	a.Close()
	if a := beginOn(t, "POINT_DATA_DIR="+dir); a != nil && len(a.store.Snapshot().Providers) != 0 {
		t.Error("something of it is live")
	}
}
