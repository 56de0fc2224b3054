package document_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"point"
	"point/adapter/provider"
	"point/store/document"
)

// places are those of mistakes; another error fails.
func places(t *testing.T, err error) (list []string) {
	t.Helper()
	var mistakes document.Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatalf("%v is no list of mistakes", err)
	}
	for _, m := range mistakes {
		list = append(list, m.Path)
	}
	return list
}

// sealedFile is a document of one provider with a secret under a name, sealed.
func sealedFile(t *testing.T, name string) *document.Imported {
	t.Helper()
	in := &document.Imported{Document: point.Document{Format: point.DocumentFormat}}
	in.Providers = []point.DocumentProvider{{Name: "main", Kind: "openai", Secrets: []string{point.SecretAPIKey}}}
	var err error
	in.Sealed, err = document.Seal(document.Secrets{"main": {name: point.NewSecret("sk-sealed-0123456789")}}, passphrase)
	ok(t, err)
	return in
}

// TestUnboundSecretsAreRefused: a sealed secret that says no place would be given to a provider
// wherever it leads, and in place of the key that it has.
func TestUnboundSecretsAreRefused(t *testing.T) {
	s := open(t)
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{
		BaseURL: "https://b.example/v1", Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-own-0123456789")},
	}}
	ok(t, s.CreateProvider(t.Context(), p))
	for _, name := range []string{point.SecretAPIKey, point.SecretAPIKey + point.SecretParked, point.SecretParked + "0", ""} {
		_, err := document.Import(t.Context(), s, sealedFile(t, name), &point.Configuration{Name: "x"}, document.Importing{Passphrase: passphrase})
		if list := places(t, err); !slices.Equal(list, []string{"sealed"}) {
			t.Errorf("%q: %v", name, list)
		}
	}
	fresh, err := s.GetProvider(t.Context(), p.ID)
	ok(t, err)
	if fresh.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-own-0123456789" || len(fresh.Config.Parked) != 0 {
		t.Fatalf("the provider has %v and %v", fresh.Config.Secrets, fresh.Config.Parked)
	}
}

// TestImportSaysWhatOfSecrets: without a passphrase nothing is saved, unless somebody said so.
func TestImportSaysWhatOfSecrets(t *testing.T) {
	s := open(t)
	in := sealedFile(t, provider.BoundTo("openai", point.SecretAPIKey, &point.ProviderConfig{}))
	try := func(how document.Importing) ([]document.Finding, error) {
		return document.Import(t.Context(), s, in, &point.Configuration{Name: "x"}, how)
	}
	for _, dry := range []bool{true, false} {
		if _, err := try(document.Importing{DryRun: dry}); !errors.Is(err, document.ErrNoPassphrase) {
			t.Fatalf("dry %v: %v", dry, err)
		}
	}
	findings, err := try(document.Importing{WithoutSecrets: true, DryRun: true})
	if err != nil || len(findings) != 1 || findings[0].Path != "sealed" {
		t.Fatalf("%+v, %v", findings, err)
	}
	if _, err := try(document.Importing{Passphrase: passphrase, WithoutSecrets: true}); err != nil {
		t.Fatal("the refused ones have taken the name: ", err)
	}
	plan := activate(t, s, saved(t, s, "x"))
	if p, _ := s.Snapshot().Provider("main"); len(plan.Findings) != 0 || p.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-sealed-0123456789" {
		t.Fatalf("%+v, %+v", plan.Findings, p)
	}
}

// TestSealedOtherwise: what another version sealed is told from a wrong passphrase.
func TestSealedOtherwise(t *testing.T) {
	for place, change := range map[string]func(*document.Sealed){
		"sealed.format": func(x *document.Sealed) { x.Format = 0 },
		"sealed.kdf":    func(x *document.Sealed) { x.KDF = "scrypt" },
	} {
		x := sealedFile(t, "a@b").Sealed
		change(x)
		_, err := x.Open(passphrase)
		if list := places(t, err); !slices.Equal(list, []string{place}) || !strings.Contains(err.Error(), "xport it again") {
			t.Errorf("%s: %v", place, err)
		}
	}
}

// TestKeyNamedTwice: one by its id, and by its name.
func TestKeyNamedTwice(t *testing.T) {
	s := open(t)
	k := &point.Key{Name: "app", Status: point.StatusActive}
	ok(t, s.CreateKey(t.Context(), k, point.NewSecret("pt-0123456789")))
	d := live(t, s)
	d.Keys[0].Tags = []string{"a"}
	d.Keys = append(d.Keys, point.DocumentKey{Name: "app", Tags: []string{"b"}})
	_, err := document.Make(t.Context(), s, d, document.Rules{Grant: grant})
	if list := places(t, err); !slices.Equal(list, []string{"keys[1].name"}) {
		t.Error(list)
	}
	d.Keys[0], d.Keys[1] = d.Keys[1], d.Keys[0]
	_, err = document.Make(t.Context(), s, d, document.Rules{Grant: grant})
	if list := places(t, err); !slices.Equal(list, []string{"keys[1].id"}) {
		t.Error(list)
	}
}

// TestIDsInCapitals mean what they mean in small letters.
func TestIDsInCapitals(t *testing.T) {
	s := open(t)
	fullWorld(t, s)
	d := live(t, s)
	for i := range d.Providers {
		d.Providers[i].ID = strings.ToUpper(d.Providers[i].ID)
	}
	for i := range d.Keys {
		d.Keys[i].ID = strings.ToUpper(d.Keys[i].ID)
	}
	for i := range d.AlertRules {
		r := &d.AlertRules[i]
		r.ID, r.Scope.KeyID = strings.ToUpper(r.ID), strings.ToUpper(r.Scope.KeyID)
	}
	in, err := document.Read([]byte(text(t, d)))
	ok(t, err)
	if plan := activate(t, s, &in.Document); len(plan.Changes)+len(plan.Findings) > 0 {
		t.Errorf("%+v %+v", plan.Changes, plan.Findings)
	}
	twice := `{"keys":[{"id":"` + d.Keys[0].ID + `","name":"a"},{"id":"` + strings.ToLower(d.Keys[0].ID) + `","name":"b"}]}`
	_, err = document.Read([]byte(twice))
	if list := places(t, err); !slices.Equal(list, []string{"keys[1].id"}) {
		t.Error(list)
	}
}

// TestFileTakesOverARule: that the file declares a rule which the installation made fails no
// configuration that was saved before; one of a person's own still does.
func TestFileTakesOverARule(t *testing.T) {
	for managedBy, fails := range map[string]bool{point.ManagedByDefault: false, "": true} {
		s := open(t)
		r := &point.AlertRule{Name: "mine", Kind: point.RuleDisk, Threshold: 9, WindowMS: 60_000, Severity: point.SeverityInfo, ManagedBy: managedBy}
		ok(t, s.CreateAlertRule(t.Context(), r))
		d := live(t, s)
		r.ManagedBy, r.Threshold = point.ManagedByFile, 5
		ok(t, s.UpdateAlertRule(t.Context(), r))
		plan, err := document.Make(t.Context(), s, d, document.Rules{Grant: grant})
		if fails {
			if list := places(t, err); len(list) != 1 || !strings.HasSuffix(list[0], ".name") {
				t.Error(list)
			}
			continue
		}
		ok(t, err)
		if len(plan.Findings) != 1 || plan.Findings[0].Name != "mine" || len(plan.Changes) != 0 {
			t.Errorf("%+v %+v", plan.Findings, plan.Changes)
		}
	}
}

// TestMissingSecretsAreListed: those that the document lists, and not what the kind calls its key.
func TestMissingSecretsAreListed(t *testing.T) {
	for want, names := range map[string][]string{"api_keys.0, api_keys.1": {"api_keys.0", "api_keys.1"}, "api_key": nil} {
		s := open(t)
		d := &point.Document{Format: point.DocumentFormat, Providers: []point.DocumentProvider{{Name: "main", Kind: "openai", Config: map[string]json.RawMessage{}, Secrets: names}}}
		plan := activate(t, s, d)
		if len(plan.Findings) != 1 || !strings.Contains(plan.Findings[0].Message, "leads to: "+want+". ") {
			t.Errorf("%v: %+v", names, plan.Findings)
		}
		if p, _ := s.Snapshot().Provider("main"); p.Status != point.StatusInactive {
			t.Errorf("%v: it is %s", names, p.Status)
		}
	}
}
