package config

import (
	"strings"
	"testing"

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
      headers: {X-Team: blue, X-Since: 2026-01-01}
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
alert_rules:
  - {name: ci costs, kind: cost, scope: {key: ci}, threshold: 2.5, cooldown_ms: 0}
  - {name: slow, kind: latency_p95, scope: {provider: openai-main, each: model}, threshold: 9000, window_ms: 600000, min_requests: 5, severity: critical, enabled: false}
`

func TestDeclared(t *testing.T) {
	c, _, err := load(t, nil, []string{"POINT_CONFIG=p.yaml", "CI_KEY=sk-0123456789abcdef"}, map[string]string{"p.yaml": declaredYAML})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Declared
	main := d.Providers[0]
	settings := map[string]string{
		"api_keys": `["one","two"]`, "models": `["gpt-4o-mini"]`, "weight": "3", "timeout": "5000",
		"headers": `{"X-Since":"2026-01-01","X-Team":"blue"}`, "organization": `"org-1"`,
	}
	for name, want := range settings {
		if got := main.Settings[name].Reveal(); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if len(main.Settings) != len(settings) || main.Kind != "openai" || main.ManagedBy != point.ManagedByFile {
		t.Errorf("%+v", main)
	}
	for way, line := range map[string]string{
		"": "p.yaml:3", "config.organization": "p.yaml:11", "config.headers.X-Team": "p.yaml:10", "config.models[0]": "p.yaml:7", "config.none": "p.yaml:6", "none": "p.yaml:3",
	} {
		if got := main.At.Of(way); got != line {
			t.Errorf("%s stands at %s", way, got)
		}
	}
	if d.Providers[1].Status != point.StatusInactive || d.Providers[1].Settings["base_url"].IsZero() {
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
	if d.Aliases[1].Name != "best" || d.Aliases[0].Target != "openai-main/gpt-4o-mini" {
		t.Errorf("%+v", d.Aliases)
	}
	ci, old := d.Keys[0], d.Keys[1]
	if ci.Token.Reveal() != "sk-0123456789abcdef" || *ci.Limits.RPM != 60 || *ci.Limits.BudgetDay != 1_500_000_000 || ci.ExpiresAt.Year() != 2030 {
		t.Errorf("%+v", ci)
	}
	costs, slow := d.Rules[0], d.Rules[1]
	if costs.Key != "ci" || costs.Scope != (point.RuleScope{}) || !costs.Enabled || costs.CooldownMS != 0 || costs.WindowMS != point.RuleWindowMS || costs.Severity != point.SeverityWarning || costs.ManagedBy != point.ManagedByFile {
		t.Errorf("%+v", costs)
	}
	if slow.Enabled || slow.Scope.Provider != "openai-main" || slow.CooldownMS != point.RuleCooldownMS || slow.MinRequests != 5 {
		t.Errorf("%+v", slow)
	}
	if old.Hash[0] != 1 || old.Hash[31] != 1 || !old.Token.IsZero() {
		t.Errorf("%+v", old)
	}
}

// TestMistakesHaveTheirLines: what /api refuses the file may not have either.
func TestMistakesHaveTheirLines(t *testing.T) {
	const wrong = `
endpoints:
  - path: /v1/chat/completions
    mapping:
      rules:
        - when: {model: ["["]}
          targets:
            - {provider: main, weight: -3}
          on: [whatever]
      timeout:
        total_ms: 0
aliases:
  same: same
  "two words": x
keys:
  - name: ci
    env: CI_KEY
    endpoints: [/v1/chat/completion]
    models: ["["]
    limits:
      rpm: -4
      budget_day: "-1"
    expires_at: 2020-01-01T00:00:00Z
`
	_, _, err := load(t, nil, []string{"POINT_CONFIG=p.yaml", "CI_KEY=sk-0123456789abcdef"}, map[string]string{"p.yaml": wrong})
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, want := range []string{
		`p.yaml:6: endpoint "/v1/chat/completions": mapping.rules[0].when.model[0]: This is not a pattern`,
		`p.yaml:8: endpoint "/v1/chat/completions": mapping.rules[0].targets[0].weight: This must be from 0`,
		`p.yaml:9: endpoint "/v1/chat/completions": mapping.rules[0].on[0]: This must be one of`,
		`p.yaml:11: endpoint "/v1/chat/completions": mapping.timeout.total_ms: This must be from 1`,
		`p.yaml:13: alias "same": target: An alias cannot stand for itself.`,
		`p.yaml:14: alias "two words": name: This has 1 to 255 visible`,
		`p.yaml:18: key "ci": endpoints[0]: There is no such endpoint`,
		`p.yaml:19: key "ci": models[0]: This is not a pattern`,
		`p.yaml:21: key "ci": limits.rpm: This must be from 1 to`,
		`p.yaml:22: key "ci": limits.budget_day: This must be 0 or more`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "expires_at") {
		t.Error("a key that has expired keeps Point from starting")
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
