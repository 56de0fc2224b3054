package app

import (
	"fmt"
	"strings"
	"testing"

	"point"
	"point/config"
)

// declare reads a file as Point does.
func declare(t *testing.T, text string) *config.Config {
	t.Helper()
	c, _, err := config.Load(config.Source{Env: []string{"POINT_CONFIG=p.yaml"}, ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDeclaredProviders(t *testing.T) {
	for _, test := range []struct {
		name, kind, config string
		want               string // a part of the only problem; empty: none
	}{
		{"fine", "openai", `{api_key_env: OPENAI_API_KEY, project: p}`, ""},
		{"keyless at home", "openai-compatible", `{base_url: "http://127.0.0.1:11434/v1", headers: {X-Team: blue}}`, ""},
		{"a variable of a service that speaks the same", "openai-compatible", `{base_url: "https://proxy.example/v1", api_key_env: OPENAI_API_KEY}`, ""},
		{"unknown kind", "opnai", `{}`, `p.yaml:3: provider "main": there is no kind "opnai"; the kinds are alibaba, anthropic, `},
		{"unknown field", "openai", `{api_key: k, projekt: p}`, `p.yaml:4: provider "main": config.projekt: Providers of kind openai have no such setting`},
		{"wrong type", "openai", `{api_key: k, project: 7}`, "config.project: This must be text"},
		{"no base URL", "openai-compatible", `{}`, "config.base_url: This is required"},
		{"variable", "openai", `{api_key_env: HOME}`, "List it in POINT_ENV_ALLOW"},
		{"no key", "openai", `{}`, "config.api_key: Give a key"},
		{"two keys", "openai", `{api_key: k, api_key_env: OPENAI_API_KEY}`, "Give one of"},
		{"user in the URL", "openai", `{api_key: k, base_url: "https://user:canary@a.example"}`, "config.base_url: A URL must not hold a user"},
		{"query in the URL", "openai", `{api_key: k, base_url: "https://a.example/v1?key=canary"}`, "config.base_url: A base URL has no query"},
		{"metadata address", "openai", `{api_key: k, base_url: "http://169.254.169.254/"}`, "config.base_url: Point never connects"},
		{"Host", "openai", `{api_key: k, headers: {Host: a.example}}`, "config.headers.Host: Point sets this header itself"},
		{"no header", "openai", `{api_key: k, headers: {bad header: x}}`, "config.headers.bad header: This is not the name of a header"},
		{"priority", "openai", `{api_key: k, priority: -5}`, "config.priority: This must be from 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := declare(t, "providers:\n  - name: main\n    provider: "+test.kind+"\n    config: "+test.config+"\n")
			list, problems := declaredProviders(c)
			switch {
			case test.want == "" && (len(problems) > 0 || len(list) != 1):
				t.Error(problems)
			case test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.want)):
				t.Errorf("got %v, want %s", problems, test.want)
			}
			if strings.Contains(problems.Error(), "canary") {
				t.Error("the value is shown:", problems)
			}
		})
	}
}

func TestUnknownTargets(t *testing.T) {
	c := declare(t, `
providers:
  - {name: main, provider: openai, config: {api_key: k}}
endpoints:
  - path: /v1/chat/completions
    mapping:
      rules:
        - targets: [{provider: main}, {provider: openai}, {provider: demo-gemini}]
          fallbacks:
            - provider: nobody
      fallbacks: [{provider: elsewhere}]
`)
	got := fmt.Sprint(checkDeclared(c))
	for _, want := range []string{
		`p.yaml:10: endpoint "/v1/chat/completions": mapping.rules[0].fallbacks[0].provider: The file declares no provider`,
		`p.yaml:11: endpoint "/v1/chat/completions": mapping.fallbacks[0].provider:`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, "targets[") {
		t.Error(got)
	}
}

func TestEnvironmentProviders(t *testing.T) {
	env := func(name string) string {
		return map[string]string{"OPENAI_API_KEY": "a", "GOOGLE_API_KEY": "b", "ANTHROPIC_API_KEY": ""}[name]
	}
	names := func(list []point.Provider) string {
		var names []string
		for _, p := range list {
			names = append(names, p.Name+"="+p.Config.APIKeyEnv)
		}
		return strings.Join(names, " ")
	}
	if got := names(environmentProviders(env, nil)); got != "gemini=GOOGLE_API_KEY openai=OPENAI_API_KEY" {
		t.Error(got)
	}
	declared := []point.Provider{{Name: "mine", Config: point.ProviderConfig{APIKeyEnv: "OPENAI_API_KEY"}}, {Name: "gemini"}}
	if got := names(environmentProviders(env, declared)); got != "" {
		t.Error(got)
	}
}
