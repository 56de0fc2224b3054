package document_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"point"
	"point/store"
	"point/store/document"
)

// fullWorld has an object of every entity with every field set that a document speaks of. It
// returns the provider and the key.
func fullWorld(t *testing.T, s *store.Store) (*point.Provider, *point.Key) {
	t.Helper()
	ctx := t.Context()
	p := &point.Provider{
		Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusInactive, Config: point.ProviderConfig{
			BaseURL: "https://a.example/v1", Models: []string{"m", "n"}, Weight: 3, Priority: 2, TimeoutMS: 9000,
			Options: map[string]json.RawMessage{"organization": json.RawMessage(`"org"`)},
			Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-0123456789"), point.SecretHeader + "X-Team": point.NewSecret("blue-0123456789")},
		},
	}
	ok(t, s.CreateProvider(ctx, p))
	k := &point.Key{Name: "app", Status: point.StatusActive}
	filled(t, &k.Limits)
	k.Models, k.Endpoints, k.Tags = []string{"gpt-*"}, []string{point.PathChat}, []string{"team"}
	ok(t, s.CreateKey(ctx, k, point.NewSecret("pt-0123456789abcdef")))
	ok(t, s.PutAlias(ctx, &point.Alias{Name: "fast", Target: "main/m"}))
	for i, path := range point.Endpoints() {
		e, err := s.GetEndpoint(ctx, path)
		ok(t, err)
		e.Active, e.Mapping = i%2 == 1, mappingTo(p.ID)
		ok(t, s.UpdateEndpoint(ctx, e))
	}
	for i, scope := range []point.RuleScope{{Provider: p.ID, Endpoint: point.PathChat, Model: "m", Each: point.EachModel}, {KeyID: k.ID}} {
		ok(t, s.CreateAlertRule(ctx, &point.AlertRule{
			Name: "rule " + strconv.Itoa(i), Enabled: i == 0, Kind: point.RuleCost, Scope: scope, Threshold: 2.5, WindowMS: 120_000, MinRequests: 4,
			Severity: point.SeverityCritical, CooldownMS: 60_000, ManagedBy: []string{"", point.ManagedByDefault}[i],
		}))
	}
	x := s.Snapshot().Settings
	x.DefaultMapping = mappingTo(p.ID)
	filled(t, &x.DefaultKeyLimits)
	ok(t, s.UpdateSettings(ctx, &x))
	return p, k
}

// mappingTo is a mapping of which nothing is at its default, with targets at a provider.
func mappingTo(provider string) *point.Mapping {
	m := point.DefaultMapping()
	yes, most, wait := true, int64(5), int64(70)
	m.Strategy, m.Unsupported = point.StrategyWeighted, "drop"
	m.Fallbacks = []point.TargetRef{{Provider: provider, Model: "n", Weight: 2, Priority: 1}}
	m.Rules = []point.Rule{{
		Name: "small", Strategy: point.StrategyPriority, On: []point.Failure{point.FailTimeout},
		When:      point.When{Model: []string{"gpt*"}, Key: []string{"app"}, Tag: []string{"team"}, PromptTokensMax: &most, HasImages: &yes, HasTools: &yes},
		Targets:   []point.TargetRef{{Provider: provider, Model: "m", Weight: 5, Priority: 2}},
		Fallbacks: []point.TargetRef{{Provider: provider}},
	}}
	m.Retry.Attempts = 2
	m.Timeout.TotalMS, m.Timeout.FirstByteMS = 5000, &wait
	return &m
}

// filled sets every member of a struct of pointers to numbers.
func filled(t *testing.T, of any) {
	t.Helper()
	v := reflect.ValueOf(of).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Pointer {
			t.Fatalf("%s.%s is not filled", v.Type(), v.Type().Field(i).Name)
		}
		v.Field(i).Set(reflect.New(v.Field(i).Type().Elem()))
		v.Field(i).Elem().SetInt(int64(100_000_000 * (i + 1)))
	}
}

// own are the members that a document leaves to the object itself, or to the store.
var own = map[string][]string{
	"Provider":  {"Type", "Kind", "Version", "CreatedAt", "UpdatedAt", "DeletedAt"},
	"Endpoint":  {"Version", "CreatedAt", "UpdatedAt"},
	"AlertRule": {"Version", "CreatedAt", "UpdatedAt"},
	"Key": {
		"Prefix", "Hash", "OwnerID", "Status", "ExpiresAt", "ManagedBy", "Version", "CreatedAt", "UpdatedAt", "RotatedAt", "PreviousHash", "PreviousExpiresAt",
	},
	"Settings": {"Version"},
}

// rows are all that a document speaks of as the snapshot has it, by the way to each member, so
// that a member that a document forgets is found.
func rows(s *point.Snapshot) map[string]string {
	out := map[string]string{}
	put := func(name string, row any) {
		v := reflect.Indirect(reflect.ValueOf(row))
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			if slices.Contains(own[v.Type().Name()], field) {
				continue
			}
			text, _ := json.Marshal(v.Field(i).Interface())
			out[v.Type().Name()+" "+name+" "+field] = string(text)
		}
	}
	for _, p := range s.Providers {
		put(p.Name, p)
		for name, secret := range p.Config.Kept() {
			out["Provider "+p.Name+" "+name] = secret.Reveal()
		}
	}
	for _, e := range s.Endpoints {
		put(e.Path, e)
	}
	for name, target := range s.Aliases {
		out["Alias "+name] = target
	}
	for _, r := range s.AlertRules {
		put(r.Name, r)
	}
	for _, k := range s.Keys {
		put(k.ID, k)
	}
	put("", &s.Settings)
	return out
}

// ruin changes or takes away all that a document speaks of.
func ruin(t *testing.T, s *store.Store, k *point.Key) {
	t.Helper()
	ctx := t.Context()
	empty := &point.Document{Format: 1, AlertRules: []point.DocumentAlertRule{{Name: "rule 1", Kind: point.RuleDisk, Threshold: 9, WindowMS: 60_000, Severity: point.SeverityInfo}}}
	empty.Providers = []point.DocumentProvider{{Name: "other", Kind: "anthropic", Config: map[string]json.RawMessage{}, Secrets: []string{"api_key"}}}
	empty.Aliases = []point.DocumentAlias{{Name: "fast", Target: "other/x"}, {Name: "more", Target: "x"}}
	activate(t, s, empty)
	key, err := s.GetKey(ctx, store.All(), k.ID)
	ok(t, err)
	key.Name, key.Limits, key.Models, key.Endpoints, key.Tags = "renamed", point.KeyLimits{}, nil, nil, nil
	ok(t, s.UpdateKey(ctx, store.All(), key))
}

// TestNothingIsForgotten: what was saved is live again in every member, whatever came between, by
// activation, by going back, and by an export that was written and read.
func TestNothingIsForgotten(t *testing.T) {
	for name, restore := range map[string]func(t *testing.T, s *store.Store, saved *document.Imported, version int64){
		"activate": func(t *testing.T, s *store.Store, saved *document.Imported, _ int64) { activate(t, s, &saved.Document) },
		"rollback": func(t *testing.T, s *store.Store, _ *document.Imported, version int64) {
			_, err := document.Rollback(t.Context(), s, version, document.Rules{Grant: grant})
			ok(t, err)
		},
		"JSON": reread(document.JSON),
		"YAML": reread(document.YAML),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			_, k := fullWorld(t, s)
			before, version := s.Snapshot(), s.Snapshot().Version
			saved := &document.Imported{Document: *live(t, s)}
			if plan := activate(t, s, &saved.Document); len(plan.Changes)+len(plan.Findings) > 0 || s.Snapshot() != before {
				t.Fatalf("what is live changes something: %+v %+v", plan.Changes, plan.Findings)
			}
			ruin(t, s, k)
			restore(t, s, saved, version)
			was, is := rows(before), rows(s.Snapshot())
			for _, at := range slices.Sorted(maps.Keys(was)) {
				if was[at] != is[at] {
					t.Errorf("%s: %s, was %s", at, is[at], was[at])
				}
				delete(is, at)
			}
			if len(is) > 0 {
				t.Errorf("there is more: %v", is)
			}
			if list := document.Diff(&saved.Document, live(t, s)); len(list) > 0 {
				t.Errorf("differs: %+v", list)
			}
		})
	}
}

func reread(format string) func(*testing.T, *store.Store, *document.Imported, int64) {
	return func(t *testing.T, s *store.Store, saved *document.Imported, _ int64) {
		t.Helper()
		text, err := document.Write(saved, format)
		ok(t, err)
		in, err := document.Read(text)
		ok(t, err)
		activate(t, s, &in.Document)
	}
}

// TestGoesBackToEachRevision: the document of every revision is that which was live then.
func TestGoesBackToEachRevision(t *testing.T) {
	s := open(t)
	_, k := fullWorld(t, s)
	then := map[int64]*point.Document{}
	note := func() { then[s.Snapshot().Version] = live(t, s) }
	note()
	ruin(t, s, k)
	note()
	ok(t, s.PutAlias(t.Context(), &point.Alias{Name: "late", Target: "m"}))
	note()
	for _, version := range slices.Sorted(maps.Keys(then)) {
		_, err := document.Rollback(t.Context(), s, version, document.Rules{Grant: grant})
		ok(t, err)
		if list := document.Diff(then[version], live(t, s)); len(list) > 0 {
			t.Errorf("%d differs: %s", version, fmt.Sprint(list))
		}
	}
}
