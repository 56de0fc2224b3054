package document_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"point"
	"point/store"
	"point/store/document"
)

// twins are two configurations that differ in everything they hold. Each has size providers, of
// which a half is in both.
type twins struct {
	size    int
	texts   map[string]string // of the documents "a" and "b"
	secrets map[string]string // of all providers, by id
}

// twinAliases is how many aliases each of two twins has.
const twinAliases = 50

// makeTwins fills an empty store with one twin after the other; "b" is live afterwards. Both are
// saved under their names.
func makeTwins(tb testing.TB, s *store.Store, size int) *twins {
	tb.Helper()
	w := &twins{size: size, texts: map[string]string{}, secrets: map[string]string{}}
	key := &point.Key{Name: "key", Status: point.StatusActive}
	ok(tb, s.CreateKey(tb.Context(), key, point.NewSecret("pt-0123456789")))
	ids := make([]string, size+size/2)
	for i := range ids {
		ids[i] = store.NewID(key.CreatedAt)
		w.secrets[ids[i]] = "sk-of-" + ids[i]
	}
	for i, name := range []string{"a", "b"} {
		b := w.batch(s, ids[i*size/2:i*size/2+size], name)
		b.PutKeys[0].Limits.RPM = new(int64(i + 1))
		ok(tb, s.Apply(tb.Context(), b))
		w.texts[name] = text(tb, live(tb, s))
		ok(tb, s.CreateConfiguration(tb.Context(), &point.Configuration{Name: name, Document: json.RawMessage(w.texts[name])}))
	}
	return w
}

// batch makes one twin live; its name is in each object.
func (w *twins) batch(s *store.Store, ids []string, name string) *store.Batch {
	snap := s.Snapshot()
	b := &store.Batch{}
	for id := range snap.Providers {
		if !slices.Contains(ids, id) {
			b.DropProviders = append(b.DropProviders, id)
		}
	}
	for _, id := range ids {
		b.PutProviders = append(b.PutProviders, point.Provider{ID: id, Name: "p-" + id, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{
			Models: []string{"model-" + name}, Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret(w.secrets[id])},
		}})
	}
	for i := range twinAliases {
		b.PutAliases = append(b.PutAliases, point.Alias{Name: fmt.Sprintf("alias-%02d", i), Target: "model-" + name})
	}
	m := point.DefaultMapping()
	m.Rules = []point.Rule{{Name: "rule-" + name, Targets: []point.TargetRef{{Provider: ids[0], Model: "model-" + name}}}}
	e := *snap.Endpoints[point.PathChat]
	e.Mapping = &m
	b.PutEndpoints = []point.Endpoint{e}
	for id := range snap.AlertRules {
		b.DropAlertRules = append(b.DropAlertRules, id)
	}
	b.PutAlertRules = []point.AlertRule{{Name: "alert-" + name, Kind: point.RuleCost, Threshold: 1, WindowMS: 60_000, Severity: point.SeverityInfo}}
	b.PutSettings = &point.Settings{DefaultMapping: &m}
	for _, k := range snap.Keys {
		b.PutKeys = []point.Key{*k}
		b.PutKeys[0].Tags = []string{"tag-" + name}
	}
	return b
}

func text(tb testing.TB, d *point.Document) string {
	tb.Helper()
	raw, err := json.Marshal(d)
	ok(tb, err)
	return string(raw)
}

// saved is a twin as an activation reads it.
func saved(tb testing.TB, s *store.Store, name string) *point.Document {
	tb.Helper()
	c, err := s.ConfigurationByName(tb.Context(), name)
	ok(tb, err)
	d := &point.Document{}
	ok(tb, json.Unmarshal(c.Document, d))
	return d
}

// activateTwin makes a twin live.
func activateTwin(tb testing.TB, s *store.Store, name string) {
	tb.Helper()
	ok(tb, tryTwin(tb.Context(), s, name))
}

func tryTwin(ctx context.Context, s *store.Store, name string) error {
	c, err := s.ConfigurationByName(ctx, name)
	if err != nil {
		return err
	}
	d := &point.Document{}
	if err := json.Unmarshal(c.Document, d); err != nil {
		return err
	}
	_, err = document.Activate(ctx, s, d, document.Rules{Grant: grant}, point.RevisionActivate, name)
	return err
}

// other is the other twin.
func other(name string) string {
	return map[string]string{"a": "b", "b": "a"}[name]
}

// side tells which twin a snapshot is, or how it is none.
func (w *twins) side(snap *point.Snapshot) string {
	seen := map[string]int{}
	note := func(mark string) { seen[mark[strings.LastIndex(mark, "-")+1:]]++ }
	for _, p := range snap.Providers {
		note(p.Config.Models[0])
		if p.Config.Secrets[point.SecretAPIKey].Reveal() != w.secrets[p.ID] {
			return "a provider without its secret"
		}
	}
	for _, target := range snap.Aliases {
		note(target)
	}
	for _, k := range snap.Keys {
		note(k.Tags[0])
	}
	for _, r := range snap.AlertRules {
		note(r.Name)
	}
	note(snap.Endpoints[point.PathChat].Mapping.Rules[0].Name)
	note(snap.Settings.DefaultMapping.Rules[0].Name)
	note(snap.Default.Rules[0].Name)
	whole := w.size + twinAliases + 5
	for name, n := range seen {
		if n == whole && len(seen) == 1 {
			return name
		}
	}
	return fmt.Sprintf("a mixture: %v of %d each", seen, whole)
}
