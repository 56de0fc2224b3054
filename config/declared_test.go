package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"point"
)

const declaredYAML = `
providers:
  - name: openai-main
    provider: openai
    config:
      api_keys: [one, two]
      models: [gpt-4o-mini]
      weight: 3
      timeout: 5000
      headers: {X-Team: blue}
      organization: org-1
  - {name: local, provider: openai-compatible, status: inactive, config: {base_url: "http://127.0.0.1:11434/v1"}}
endpoints:
  - path: /v1/chat/completions
    mapping:
      strategy: weighted
      rules:
        - name: small
          when: {model: ["gpt-4o*"], has_tools: false}
          targets: [{provider: openai-main, weight: 80}]
      retry: {attempts: 2}
  - {path: /v1/embeddings, active: false}
aliases:
  fast: openai-main/gpt-4o-mini
  best: gpt-5
keys:
  - name: ci
    env: CI_KEY
    limits: {rpm: 60, budget_day: "1.50"}
    expires_at: 2030-01-01T00:00:00Z
  - name: old
    hash: ` + "0101010101010101010101010101010101010101010101010101010101010101" + `
alert_rules: []
`

func TestDeclared(t *testing.T) {
	c, _, err := load(t, nil, []string{"POINT_CONFIG=p.yaml", "CI_KEY=sk-0123456789abcdef"}, map[string]string{"p.yaml": declaredYAML})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Declared
	main := d.Providers[0]
	wantConfig := point.ProviderConfig{
		Models:    []string{"gpt-4o-mini"},
		Weight:    3,
		TimeoutMS: 5000,
		Options:   map[string]json.RawMessage{"organization": json.RawMessage(`"org-1"`)},
		Secrets: map[string]point.Secret{
			"api_keys.0":     point.NewSecret("one"),
			"api_keys.1":     point.NewSecret("two"),
			"headers.X-Team": point.NewSecret("blue"),
		},
	}
	if diff := cmp.Diff(wantConfig, main.Config, cmp.AllowUnexported(point.Secret{})); diff != "" {
		t.Error(diff)
	}
	if main.Kind != "openai" || main.ManagedBy != point.ManagedByFile || main.Where["organization"] != "p.yaml:11" || main.Where[""] != "p.yaml:3" {
		t.Errorf("%+v", main)
	}
	if d.Providers[1].Status != point.StatusInactive || d.Providers[1].Config.BaseURL == "" {
		t.Errorf("%+v", d.Providers[1])
	}
	m := d.Endpoints[0].Mapping
	if m.Strategy != point.StrategyWeighted || m.Retry.Attempts != 2 || m.Retry.BackoffMS != 100 ||
		m.Rules[0].When.Model[0] != "gpt-4o*" || *m.Rules[0].When.HasTools || m.Rules[0].Targets[0].Weight != 80 {
		t.Errorf("%+v", m)
	}
	if !d.Endpoints[0].Active || d.Endpoints[1].Active || d.Endpoints[1].Mapping != nil {
		t.Errorf("%+v", d.Endpoints)
	}
	if d.Aliases[0].Name != "best" || d.Aliases[1].Target != "openai-main/gpt-4o-mini" {
		t.Errorf("%+v", d.Aliases)
	}
	ci, old := d.Keys[0], d.Keys[1]
	if ci.Token.Reveal() != "sk-0123456789abcdef" || *ci.Limits.RPM != 60 || *ci.Limits.BudgetDay != 1_500_000_000 || ci.ExpiresAt.Year() != 2030 {
		t.Errorf("%+v", ci)
	}
	if old.Hash[0] != 1 || old.Hash[31] != 1 || !old.Token.IsZero() {
		t.Errorf("%+v", old)
	}
}

// FuzzFile feeds the YAML side: any input gives a Config or Problems, never a panic.
func FuzzFile(f *testing.F) {
	f.Add(declaredYAML)
	f.Add("settings: {retention: {records: 30d, logs: 1d}, cors_origins: [https://a.example]}")
	f.Add("a: &a {b: *a}")
	f.Add("? [x]\n: y")
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := Load(Source{Env: []string{"POINT_CONFIG=p.yaml"}, ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
		if (c == nil) == (err == nil) {
			t.Fatal(c, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "the configuration has problems:\n") {
			t.Fatal(err)
		}
	})
}
