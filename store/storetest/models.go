package storetest

import (
	"context"
	"fmt"
	"testing"

	"point"
	"point/internal/pricefile"
	"point/store"
)

func models(t *testing.T, s *store.Store) {
	ctx := context.Background()
	m := &point.ModelOverride{Kind: "openai", Model: "team/m", Facts: point.ModelFacts{ContextWindow: 128_000, Abilities: []string{}}}
	ok(t, s.PutModel(ctx, m))
	equal(t, "facts", s.Snapshot().Facts("openai", "team/m"), m.Facts)
	if s.Snapshot().ModelOverrides[0].Facts.Abilities == nil {
		t.Fatal("to have no ability is not to say nothing of them")
	}
	equal(t, "facts of another", s.Snapshot().Facts("openai", "m"), point.ModelFacts{})
	equal(t, "model", must(s.GetModel(ctx, "openai", "team/m"))(t), m)
	again := *m
	again.Version = 7
	wantError(t, s.PutModel(ctx, &again), store.ErrStale)
	m.Facts = point.ModelFacts{MaxOutput: 4096, Abilities: []string{point.AbilityTools}, Source: pricefile.LiteLLM}
	ok(t, s.PutModel(ctx, m))
	if m.Version != 2 || len(s.Snapshot().ModelOverrides) != 1 {
		t.Fatalf("version %d", m.Version)
	}
	equal(t, "facts", s.Snapshot().ModelOverrides[0].Facts, m.Facts)
	wantError(t, s.DeleteModel(ctx, "openai", "team/m", 1), store.ErrStale)
	ok(t, s.DeleteModel(ctx, "openai", "team/m", 2))
	wantError(t, s.DeleteModel(ctx, "openai", "team/m", 2), store.ErrNotFound)
	if len(s.Snapshot().ModelOverrides) != 0 {
		t.Fatal("the model is still in the snapshot")
	}
	_, err := s.GetModel(ctx, "openai", "team/m")
	wantError(t, err, store.ErrNotFound)
}

// catalogue takes a catalogue's file: a look changes nothing, then all of it is one revision, and a
// second time nothing is left to do.
func catalogue(t *testing.T, s *store.Store) {
	ctx := context.Background()
	rate := 2500.0
	ok(t, s.PutPrice(ctx, &point.PriceOverride{Kind: "openai", Model: "hand", Price: point.Price{Input: &rate}}))
	ok(t, s.PutModel(ctx, &point.ModelOverride{Kind: "openai", Model: "hand", Facts: point.ModelFacts{MaxOutput: 7}}))
	text := `{"hand":{"litellm_provider":"openai","input_cost_per_token":1e-6,"max_input_tokens":5}`
	const many = 300 // more than go into one statement
	for i := range many {
		text += fmt.Sprintf(`,"m%d":{"litellm_provider":"openai","input_cost_per_token":1e-6,"max_input_tokens":%d,"supports_vision":true}`, i, i+1)
	}
	file := must(pricefile.Read([]byte(text + `}`)))(t)
	before := s.Snapshot()

	plan := must(s.ImportCatalogue(ctx, file, store.CatalogueImport{DryRun: true}))(t)
	want := map[string]int{pricefile.New: many, pricefile.Kept: 1}
	equal(t, "prices", plan.CountPrices(), want)
	want = map[string]int{pricefile.New: many, pricefile.Kept: 1}
	equal(t, "models", plan.CountModels(), want)
	if s.Snapshot() != before {
		t.Fatal("a look changed something")
	}

	again := must(s.ImportCatalogue(ctx, file, store.CatalogueImport{}))(t)
	equal(t, "plan", again, plan)
	live := s.Snapshot()
	if live.Version != before.Version+1 || len(live.PriceOverrides) != many+1 || len(live.ModelOverrides) != many+1 {
		t.Fatalf("version %d after %d, %d prices, %d models", live.Version, before.Version, len(live.PriceOverrides), len(live.ModelOverrides))
	}
	equal(t, "model", live.Facts("openai", "m41"), point.ModelFacts{ContextWindow: 42, Abilities: []string{point.AbilityVision}, Source: pricefile.LiteLLM})
	equal(t, "price", *live.Prices.Price("openai", "m41", now()).Input, 1000.0)
	equal(t, "model by hand", live.Facts("openai", "hand"), point.ModelFacts{MaxOutput: 7})
	for _, event := range []string{"price.created", "model.created"} {
		if n := must(s.ListAudit(ctx, store.AuditFilter{Event: event}))(t).Total; n != many+1 {
			t.Fatalf("%s: %d rows of audit", event, n)
		}
	}

	plan = must(s.ImportCatalogue(ctx, file, store.CatalogueImport{}))(t)
	equal(t, "prices", plan.CountPrices(), map[string]int{pricefile.Same: many, pricefile.Kept: 1})
	if s.Snapshot() != live {
		t.Fatal("what was there already was stored")
	}
	plan = must(s.ImportCatalogue(ctx, file, store.CatalogueImport{Replace: true}))(t)
	equal(t, "models", plan.CountModels(), map[string]int{pricefile.Same: many, pricefile.Changed: 1})
	m := must(s.GetModel(ctx, "openai", "hand"))(t)
	equal(t, "replaced", m.Facts, point.ModelFacts{ContextWindow: 5, MaxOutput: 7, Source: pricefile.LiteLLM})
	if p := must(s.GetPrice(ctx, "openai", "hand"))(t); m.Version != 2 || p.Version != 2 {
		t.Fatalf("versions %d and %d", m.Version, p.Version)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.ImportCatalogue(cancelled, file, store.CatalogueImport{}); err == nil {
		t.Fatal("imported although nobody waits")
	}
}
