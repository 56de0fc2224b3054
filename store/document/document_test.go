package document_test

import (
	"encoding/json"
	"strings"
	"testing"

	"point"
	"point/adapter/provider"
	"point/store"
	"point/store/document"
)

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func open(t *testing.T) *store.Store {
	t.Helper()
	return openWith(t, store.Options{DataDir: t.TempDir()})
}

// grant is that of an owner.
var grant = provider.Grant{Variables: []string{"OPENAI_API_KEY"}, Trusted: true}

func live(tb testing.TB, s *store.Store) *point.Document {
	tb.Helper()
	d, err := document.Live(tb.Context(), s)
	ok(tb, err)
	return d
}

func activate(tb testing.TB, s *store.Store, d *point.Document) *document.Plan {
	tb.Helper()
	plan, err := document.Activate(tb.Context(), s, d, document.Rules{Grant: grant}, point.RevisionActivate, "test")
	ok(tb, err)
	return plan
}

// TestNoSecretIsLost: an activation that leads a provider elsewhere, or lets it take its key from
// a variable, keeps its secrets aside, and the one that leads back finds them.
func TestNoSecretIsLost(t *testing.T) {
	for name, other := range map[string]func(*point.DocumentProvider){
		"elsewhere": func(p *point.DocumentProvider) { p.Config["base_url"] = json.RawMessage(`"https://b.example/v1"`) },
		"variable": func(p *point.DocumentProvider) {
			p.Config["api_key_env"], p.Secrets = json.RawMessage(`"OPENAI_API_KEY"`), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{
				Secrets: map[string]point.Secret{point.SecretAPIKeys + "0": point.NewSecret("sk-0123456789"), point.SecretAPIKeys + "1": point.NewSecret("sk-1123456789")},
			}}
			ok(t, s.CreateProvider(t.Context(), p))
			ages, err := s.SecretAges(t.Context(), p.ID)
			ok(t, err)
			a, b := live(t, s), live(t, s)
			other(&b.Providers[0])
			for range 2 {
				plan := activate(t, s, b)
				if len(plan.Findings) == 0 || !strings.Contains(plan.Findings[len(plan.Findings)-1].Message, "api_keys.0, api_keys.1") {
					t.Fatalf("findings %+v", plan.Findings)
				}
				c := s.Snapshot().Providers[p.ID].Config
				if len(c.Secrets) != 0 || len(c.Parked) != 2 {
					t.Fatalf("secrets %v, aside %v", c.Secrets, c.Parked)
				}
				if again := activate(t, s, b); len(again.Changes) != 0 || len(again.Batch.PutProviders) != 0 {
					t.Fatalf("activated twice: %+v", again.Changes)
				}
				plan = activate(t, s, a)
				back := s.Snapshot().Providers[p.ID]
				if len(plan.Findings) != 0 || back.Status != point.StatusActive || len(back.Config.Parked) != 0 || back.Config.Secrets[point.SecretAPIKeys+"1"].Reveal() != "sk-1123456789" {
					t.Fatalf("back: %+v, findings %+v", back, plan.Findings)
				}
			}
			now, err := s.SecretAges(t.Context(), p.ID)
			ok(t, err)
			if !now[p.ID][point.SecretAPIKeys+"0"].Equal(ages[p.ID][point.SecretAPIKeys+"0"]) || len(now[p.ID]) != 2 {
				t.Fatalf("ages %v, were %v", now, ages)
			}
		})
	}
}

// TestEachPlaceHasItsKey: two configurations of one provider with a key at each place; a key that
// was given anew since is never replaced by the one of before.
func TestEachPlaceHasItsKey(t *testing.T) {
	s := open(t)
	key := func(text string) map[string]point.Secret {
		return map[string]point.Secret{point.SecretAPIKey: point.NewSecret(text)}
	}
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{Secrets: key("sk-a-0123456789")}}
	ok(t, s.CreateProvider(t.Context(), p))
	a, b := live(t, s), live(t, s)
	b.Providers[0].Config["base_url"] = json.RawMessage(`"https://b.example/v1"`)
	activate(t, s, b)
	edit := func(members string) {
		t.Helper()
		p, err := s.GetProvider(t.Context(), p.ID)
		ok(t, err)
		var given map[string]json.RawMessage
		ok(t, json.Unmarshal([]byte(members), &given))
		kind, _ := provider.Lookup(p.Kind)
		p.Config = provider.ReadConfig(kind, given, &p.Config, grant, func(at, format string, args ...any) { t.Fatalf("%s: %s %v", at, format, args) })
		p.Status = point.StatusActive
		ok(t, s.UpdateProvider(t.Context(), p))
	}
	want := func(text string) {
		t.Helper()
		p := s.Snapshot().Providers[p.ID]
		if got := p.Config.Secrets[point.SecretAPIKey].Reveal(); got != text || p.Status != point.StatusActive {
			t.Fatalf("the key is %q and the provider %s, want %q", got, p.Status, text)
		}
	}
	edit(`{"base_url":"https://b.example/v1","api_key":"sk-b-0123456789"}`)
	for range 2 {
		activate(t, s, a)
		want("sk-a-0123456789")
		activate(t, s, b)
		want("sk-b-0123456789")
	}
	edit(`{"api_key":"sk-a-rotated-0123"}`) // no base URL: back to the kind's own, with a new key
	want("sk-a-rotated-0123")
	activate(t, s, b)
	activate(t, s, a)
	want("sk-a-rotated-0123")
}
