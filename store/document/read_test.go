package document_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"point"
	"point/store/document"
)

// TestReadTellsEveryMistake: each with its place, all at once.
func TestReadTellsEveryMistake(t *testing.T) {
	for _, c := range []struct {
		name, text string
		paths      []string
	}{
		{"nothing is wrong", `{}`, nil},
		{"YAML", "aliases:\n  - {name: fast, target: main/m}\n", nil},
		{"no text", "a: [", []string{""}},
		{"no object", `[]`, []string{""}},
		{"unknown members", `{"no":1,"aliases":[{"name":"a","target":"b","nor":2}]}`, []string{"aliases[0].nor", "no"}},
		{"wrong types", `{"format":"1","aliases":{},"providers":[{"name":1}]}`, []string{"format", "aliases", "providers[0].name"}},
		{"another format", `{"format":2}`, []string{"format"}},
		{"twice", `{"aliases":[{"name":"a","target":"b"},{"name":"a","target":"c"}]}`, []string{"aliases[1].name"}},
		{"kind and path", `{"providers":[{"name":"p","provider":"none","config":{}}],"endpoints":[{"path":"/v1/none"}]}`, []string{"providers[0].provider", "endpoints[0].path"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := document.Read([]byte(c.text))
			var mistakes document.Mistakes
			if err != nil && !errors.As(err, &mistakes) {
				t.Fatal(err)
			}
			var paths []string
			for _, m := range mistakes {
				paths = append(paths, m.Path)
			}
			slices.Sort(paths)
			slices.Sort(c.paths)
			if !slices.Equal(paths, c.paths) {
				t.Errorf("%v, want %v", err, c.paths)
			}
		})
	}
}

// TestSeal: what was sealed opens with its passphrase alone, and not when it was changed.
func TestSeal(t *testing.T) {
	pass := point.NewSecret("correct horse battery")
	sealed, err := document.Seal(document.Secrets{"main": {point.SecretAPIKey: point.NewSecret("sk-0123456789")}}, pass)
	ok(t, err)
	if strings.Contains(sealed.Data, "sk-0123456789") {
		t.Fatal("the secret can be read")
	}
	got, err := sealed.Open(pass)
	ok(t, err)
	if got["main"][point.SecretAPIKey].Reveal() != "sk-0123456789" {
		t.Fatalf("opened: %v", got)
	}
	changed := *sealed
	changed.Nonce = sealed.Salt
	for name, open := range map[string]func() error{
		"another passphrase": func() error { _, err := sealed.Open(point.NewSecret("another passphrase")); return err },
		"changed":            func() error { _, err := changed.Open(pass); return err },
	} {
		if err := open(); !errors.Is(err, document.ErrPassphrase) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := document.Seal(nil, point.NewSecret("short")); err == nil {
		t.Error("a short passphrase is taken")
	}
}

// FuzzRead: no text makes Read fall over, and what is read says the same when it is written.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":1,"aliases":[{"name":"a","target":"b"}]}`))
	f.Add([]byte("endpoints:\n  - path: /v1/chat/completions\n    mapping: {strategy: weighted}\n"))
	f.Add([]byte(`{"alert_rules":[{"name":"r","kind":"cost","threshold":1.5,"scope":{"each":"key"}}],"keys":[{"name":"k"}],"aliases":null}`))
	f.Add([]byte("alert_rules: []\nsettings: {default_key_limits: {budget_day: \"1.50\"}}\nproviders: [{name: p, provider: openai, config: {}}]\n"))
	f.Add([]byte(`{"aliases":[],"aliases":[]}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := document.Read(text)
		if err != nil {
			return
		}
		written, err := document.Write(in, document.JSON)
		ok(t, err)
		again, err := document.Read(written)
		ok(t, err)
		if list := document.Diff(&in.Document, &again.Document); len(list) > 0 {
			t.Fatalf("differs: %+v", list)
		}
	})
}
