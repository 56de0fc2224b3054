package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"point"
	"point/store"
)

func configurations(t *testing.T, s *store.Store) {
	ctx := point.WithActor(context.Background(), point.Actor{Kind: point.ActorUser, Name: "ada@example.com"})
	a := &point.Configuration{Name: "a", Description: "the first", IsDefault: true, Document: json.RawMessage(`{"format":1}`)}
	ok(t, s.CreateConfiguration(ctx, a))
	wantConflict(t, s.CreateConfiguration(ctx, &point.Configuration{Name: "a", Document: a.Document}), "name")
	b := &point.Configuration{Name: "b", IsDefault: true, Document: json.RawMessage(`{"format":1}`)}
	ok(t, s.CreateConfiguration(ctx, b))
	got := must(s.GetConfiguration(ctx, a.ID))(t)
	if got.IsDefault || got.CreatedBy != "ada@example.com" || got.Version != 2 || got.Description != "the first" {
		t.Fatalf("after another became the default: %+v", got)
	}
	equal(t, "document", decoded(t, got.Document), map[string]any{"format": 1.0})
	equal(t, "the default", must(s.DefaultConfiguration(ctx))(t).ID, b.ID)
	equal(t, "by name", must(s.ConfigurationByName(ctx, "b"))(t).ID, b.ID)
	wantError(t, s.UpdateConfiguration(ctx, a), store.ErrStale)
	got.Name, got.IsDefault = "c", true
	ok(t, s.UpdateConfiguration(ctx, got))
	list := must(s.ListConfigurations(ctx, store.Page{Number: 1, Limit: 1}))(t)
	if list.Total != 2 || !list.More || list.Items[0].Name != "b" || list.Items[0].Document != nil || list.Items[0].IsDefault {
		t.Fatalf("first page: %+v", list)
	}
	wantError(t, s.DeleteConfiguration(ctx, a.ID, 1), store.ErrStale)
	ok(t, s.DeleteConfiguration(ctx, a.ID, got.Version))
	wantError(t, s.DeleteConfiguration(ctx, a.ID, got.Version), store.ErrNotFound)
	_, err := s.GetConfiguration(ctx, a.ID)
	wantError(t, err, store.ErrNotFound)
	_, err = s.DefaultConfiguration(ctx)
	wantError(t, err, store.ErrNotFound)
	if list := must(s.ListRevisions(ctx, store.RevisionFilter{}))(t); list.Total != 0 {
		t.Fatalf("saving configurations made %d revisions", list.Total)
	}
}

func batches(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a, b := provider(t, s, "alpha"), provider(t, s, "beta")
	ok(t, s.PutAlias(ctx, &point.Alias{Name: "old", Target: "m"}))
	ok(t, s.PutAlias(ctx, &point.Alias{Name: "fast", Target: "m"}))
	k := &point.Key{Name: "app", Status: point.StatusActive}
	ok(t, s.CreateKey(ctx, k, token("app")))
	e := must(s.GetEndpoint(ctx, point.PathChat))(t)
	one, two, three := rule("one"), rule("two"), rule("three")
	for _, r := range []*point.AlertRule{one, two, three} {
		ok(t, s.CreateAlertRule(ctx, r))
	}
	before := s.Snapshot()

	a.Name, b.Name = "beta", "alpha" // they exchange names
	one.Name, two.Name, two.Threshold = "two", "one", 99
	rpm := int64(5)
	k.Limits.RPM = &rpm
	e.Active = false
	batch := &store.Batch{
		Action: point.RevisionActivate, Subject: "evening", Base: before.Version,
		PutProviders: []point.Provider{*a, *b, {Name: "gamma", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}},
		PutEndpoints: []point.Endpoint{*e},
		PutAliases:   []point.Alias{{Name: "fast", Target: "m2"}, {Name: "new", Target: "m3"}}, DropAliases: []string{"old", "never there"},
		PutKeys:     []point.Key{*k},
		PutSettings: &point.Settings{DefaultKeyLimits: point.KeyLimits{RPM: &rpm}},

		PutAlertRules: []point.AlertRule{*one, *two, *rule("four")}, DropAlertRules: []string{three.ID},
	}
	ok(t, s.Apply(ctx, batch))
	after := s.Snapshot()
	equal(t, "version", after.Version, before.Version+1)
	equal(t, "aliases", after.Aliases, map[string]string{"fast": "m2", "new": "m3"})
	for id, name := range map[string]string{a.ID: "beta", b.ID: "alpha", batch.PutProviders[2].ID: "gamma"} {
		if p := after.Providers[id]; p == nil || p.Name != name {
			t.Fatalf("provider %s is %+v", name, p)
		}
	}
	equal(t, "secrets", after.Providers[a.ID].Config.Secrets, a.Config.Secrets)
	four := batch.PutAlertRules[2].ID
	if rules := after.AlertRules; len(rules) != 3 || rules[one.ID].Name != "two" || rules[two.ID].Name != "one" || rules[two.ID].Threshold != 99 || rules[two.ID].Version != 2 || rules[four].Name != "four" {
		t.Fatalf("alert rules: %+v", rules)
	}
	equal(t, "alert rule", *must(s.GetAlertRule(ctx, four))(t), *after.AlertRules[four])
	equal(t, "creation", after.Providers[a.ID].CreatedAt, a.CreatedAt)
	found, there := after.KeyByToken(token("app").Reveal(), now())
	if !there || *found.Limits.RPM != 5 || found.Version != 2 || found.Prefix != k.Prefix || after.Endpoints[e.Path].Active || *after.Settings.DefaultKeyLimits.RPM != 5 {
		t.Fatalf("after: %+v", found)
	}
	r, changes := latest(t, s)
	if r.Action != point.RevisionActivate || r.Subject != "evening" || r.Version != after.Version || r.Changes != 13 || len(changes) != 13 {
		t.Fatalf("revision %+v of %d changes", r, len(changes))
	}

	wantError(t, s.Apply(ctx, batch), store.ErrStale)
	// A name that is taken keeps the whole batch out.
	wantConflict(t, s.Apply(ctx, &store.Batch{
		PutAliases:   []point.Alias{{Name: "half", Target: "m"}},
		PutProviders: []point.Provider{{Name: "gamma", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}},
	}), "name")
	wantInvalid(t, "a name like an id", s.Apply(ctx, &store.Batch{PutProviders: []point.Provider{{Name: a.ID}}}), "name")
	if s.Snapshot() != after {
		t.Fatal("a batch that failed changed something")
	}
	ok(t, s.Apply(ctx, &store.Batch{DropKeys: []string{k.ID}, DropProviders: []string{a.ID, store.NewID(now())}, ForgetSecrets: true}))
	if len(s.Snapshot().Keys) != 0 || len(s.Snapshot().Providers) != 2 {
		t.Fatal("what was dropped is there")
	}
	equal(t, "forgotten secrets", len(must(s.ParkedProviders(ctx, []string{a.ID}))(t)[a.ID].Config.Secrets), 0)
}

// manyKeys: a batch is larger than what one statement takes.
func manyKeys(t *testing.T, s *store.Store) {
	ctx := context.Background()
	const n = 2_500
	batch := &store.Batch{}
	for i := range n {
		k := point.Key{Name: fmt.Sprint("key ", i), Status: point.StatusActive, Hash: [32]byte{byte(i), byte(i >> 8), 1}}
		batch.PutKeys = append(batch.PutKeys, k)
	}
	ok(t, s.Apply(ctx, batch))
	rpm := int64(7)
	for i := range batch.PutKeys {
		batch.PutKeys[i].Limits.RPM = &rpm
	}
	ok(t, s.Apply(ctx, batch))
	if len(s.Snapshot().Keys) != n {
		t.Fatalf("%d keys", len(s.Snapshot().Keys))
	}
	for _, k := range s.Snapshot().Keys {
		if k.Version != 2 || *k.Limits.RPM != 7 {
			t.Fatalf("key %+v", k)
		}
	}
	r, changes := latest(t, s)
	if r.Changes != n || len(changes) != n || r.Summary != fmt.Sprintf("key updated: %d", n) {
		t.Fatalf("revision %+v of %d changes", r, len(changes))
	}
}

// parkedProviders: secrets of a provider that a batch drops are kept while something speaks of
// it; those of one that is deleted by hand are not.
func parkedProviders(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p := provider(t, s, "alpha")
	saved := &point.Configuration{Name: "with alpha", Document: json.RawMessage(`{"providers":[{"id":"` + p.ID + `"}]}`)}
	ok(t, s.CreateConfiguration(ctx, saved))
	ok(t, s.Apply(ctx, &store.Batch{DropProviders: []string{p.ID}}))
	parked := must(s.ParkedProviders(ctx, []string{p.ID, store.NewID(now()), "no id"}))(t)
	equal(t, "parked", len(parked), 1)
	equal(t, "parked secrets", parked[p.ID].Config.Secrets, p.Config.Secrets)
	ok(t, s.Apply(ctx, &store.Batch{PutProviders: []point.Provider{*parked[p.ID]}}))
	back := must(s.GetProvider(ctx, p.ID))(t)
	equal(t, "secrets that came back", back.Config.Secrets, p.Config.Secrets)
	equal(t, "creation", back.CreatedAt, p.CreatedAt)

	stranger := point.Provider{ID: store.NewID(now()), Name: "alpha", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: p.Config}
	known := *p
	known.Config.Secrets = map[string]point.Secret{point.SecretAPIKey: point.NewSecret("another")}
	version := s.Snapshot().Version
	other := stranger
	other.ID = store.NewID(now())
	ok(t, s.Apply(ctx, &store.Batch{ParkProviders: []point.Provider{stranger, known, other}}))
	equal(t, "one behind a known one", must(s.ParkedProviders(ctx, []string{other.ID}))(t)[other.ID].Config.Secrets, p.Config.Secrets)
	equal(t, "version", s.Snapshot().Version, version)
	equal(t, "a live provider", must(s.GetProvider(ctx, p.ID))(t).Config.Secrets, p.Config.Secrets)
	equal(t, "a parked one", must(s.ParkedProviders(ctx, []string{stranger.ID}))(t)[stranger.ID].Config.Secrets, p.Config.Secrets)
	ok(t, s.Upkeep(ctx))
	equal(t, "one that is parked just now", len(must(s.ParkedProviders(ctx, []string{stranger.ID}))(t)[stranger.ID].Config.Secrets), 1)

	ok(t, s.DeleteProvider(ctx, p.ID, back.Version))
	equal(t, "secrets after a delete by hand", len(must(s.ParkedProviders(ctx, []string{p.ID}))(t)[p.ID].Config.Secrets), 0)
}

func settings(t *testing.T, s *store.Store) {
	ctx := context.Background()
	x := s.Snapshot().Settings
	equal(t, "at first", x, point.Settings{})
	mapping, rpm := point.DefaultMapping(), int64(60)
	mapping.Strategy = point.StrategySticky
	x.DefaultMapping, x.DefaultKeyLimits.RPM = &mapping, &rpm
	ok(t, s.UpdateSettings(ctx, &x))
	equal(t, "settings in the snapshot", s.Snapshot().Settings, x)
	equal(t, "default mapping", s.Snapshot().Mapping(point.PathChat), &mapping)
	if r, _ := latest(t, s); r.Changes != 2 {
		t.Fatalf("revision %+v", r)
	}
	stale := x
	stale.Version--
	wantError(t, s.UpdateSettings(ctx, &stale), store.ErrStale)
	x.DefaultMapping, x.DefaultKeyLimits.RPM = nil, nil
	version := x.Version
	ok(t, s.UpdateSettings(ctx, &x))
	if r, _ := latest(t, s); r.Changes != 2 || x.Version <= version {
		t.Fatalf("revision %+v, settings %+v", r, x)
	}
	equal(t, "default mapping", *s.Snapshot().Mapping(point.PathChat), point.DefaultMapping())
	ages := must(s.SecretAges(ctx, provider(t, s, "alpha").ID))(t)
	for _, set := range ages {
		if at := set[point.SecretAPIKey]; at.IsZero() || time.Since(at) > time.Hour {
			t.Fatalf("ages %+v", ages)
		}
	}
	equal(t, "ages", len(ages), 1)
}
