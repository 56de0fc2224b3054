package app

import (
	"encoding/json"
	"strings"
	"testing"

	"point"
	"point/config"
)

// declare is a configuration that declares one provider.
func declare(kind string, c point.ProviderConfig) *config.Config {
	return &config.Config{Declared: config.Declared{Providers: []config.Provider{{
		Provider: point.Provider{Name: "main", Type: point.TypeAPI, Kind: kind, Config: c},
		Where:    map[string]string{"": "p.yaml:1", "project": "p.yaml:5"},
	}}}}
}

func TestDeclaredProviders(t *testing.T) {
	options := func(text string) map[string]json.RawMessage {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, test := range []struct {
		name, kind string
		config     point.ProviderConfig
		want       string // a part of the only problem; empty: none
	}{
		{"fine", "openai", point.ProviderConfig{APIKeyEnv: "OPENAI_API_KEY", Options: options(`{"project": "p"}`)}, ""},
		{"unknown kind", "opnai", point.ProviderConfig{}, `p.yaml:1: provider "main": there is no kind "opnai"; the kinds are anthropic, `},
		{"unknown field", "openai", point.ProviderConfig{Options: options(`{"projekt": "p"}`)}, `p.yaml:1: config has no field "projekt" for kind openai`},
		{"wrong type", "openai", point.ProviderConfig{Options: options(`{"project": 7}`)}, "p.yaml:5: project must be a text"},
		{"no base URL", "openai-compatible", point.ProviderConfig{}, "needs config.base_url"},
		{"variable", "openai", point.ProviderConfig{APIKeyEnv: "HOME"}, "add it to POINT_ENV_ALLOW"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, problems := declaredProviders(declare(test.kind, test.config))
			switch {
			case test.want == "" && (len(problems) > 0 || len(list) != 1):
				t.Error(problems)
			case test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.want)):
				t.Errorf("got %v, want %s", problems, test.want)
			}
		})
	}
}

func TestEnvironmentProviders(t *testing.T) {
	env := map[string]string{"OPENAI_API_KEY": "a", "GOOGLE_API_KEY": "b", "ANTHROPIC_API_KEY": ""}
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
