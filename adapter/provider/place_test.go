package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"point"
)

func TestPlace(t *testing.T) {
	tests := []struct{ kind, config, want string }{
		{"openai", `{}`, "https://api.openai.com/v1"},
		{"openai", `{"base_url":"https://proxy.example/v1"}`, "https://proxy.example/v1"},
		{"openai-compatible", `{}`, ""},
		{"ollama", `{}`, "http://127.0.0.1:11434"},
		{"ollama", `{"base_url":"http://gpu.lan:11434/v1/"}`, "http://gpu.lan:11434"},
		{"ollama", `{"base_url":"https://example.com/ollama"}`, "https://example.com/ollama"},
		{"azure", `{}`, ""},
		{"azure", `{"resource_name":"My-Team1"}`, "https://my-team1.openai.azure.com"},
		{"azure", `{"resource_name":"evil.example/x"}`, ""},
		{"azure", `{"resource_name":"` + strings.Repeat("a", 65) + `"}`, ""},
		{"azure", `{"resource_name":7}`, ""},
		{"azure", `{"base_url":"https://a.openai.azure.com/"}`, "https://a.openai.azure.com"},
		{"azure", `{"base_url":"https://a.openai.azure.com/openai/v1/"}`, "https://a.openai.azure.com"},
		{"azure", `{"base_url":"https://gateway.example/azure/openai","resource_name":"a"}`, "https://gateway.example/azure"},
	}
	for _, tt := range tests {
		kind, _ := Lookup(tt.kind)
		c := point.ProviderConfig{}
		if err := json.Unmarshal([]byte(tt.config), &c.Options); err != nil {
			t.Fatal(err)
		}
		c.BaseURL = setting(&c, "base_url")
		if got := kind.Place(&c); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.kind, tt.config, got, tt.want)
		}
	}
}

// A secret goes with the place that it was given for, however that place is told.
func TestSecretsArePlaced(t *testing.T) {
	azure, _ := Lookup("azure")
	read := func(config string, old *point.ProviderConfig) (out point.ProviderConfig, faults []string) {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(config), &members); err != nil {
			t.Fatal(err)
		}
		out = ReadConfig(azure, members, old, Grant{}, func(at, _ string, _ ...any) { faults = append(faults, at) })
		return out, faults
	}
	first, faults := read(`{"api_key":"sk-1","resource_name":"ours","deployments":{"gpt-4o":"a"}}`, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got := azure.Named(&first); !slices.Equal(got, []string{"gpt-4o"}) {
		t.Errorf("models %v", got)
	}
	for config, want := range map[string][]string{
		`{"resource_name":"ours"}`:                                        nil,
		`{"base_url":"https://ours.openai.azure.com"}`:                    nil,
		`{"resource_name":"theirs"}`:                                      {"api_key"},
		`{"resource_name":"theirs","api_key":"sk-2"}`:                     nil,
		`{"api_key":"sk-2"}`:                                              {"resource_name"},
		`{"resource_name":"no.name","api_key":"sk-2"}`:                    {"resource_name"},
		`{"base_url":"https://ours.openai.azure.com","api_version":"1"}`:  {"api_version"},
		`{"resource_name":"ours","deployments":{"a":1}}`:                  {"deployments"},
		`{"base_url":"http://10.0.0.1","api_key":"sk-2"}`:                 {"base_url"},
		`{"base_url":"https://ours.openai.azure.com?x=1","api_key":"sk"}`: {"base_url"},
	} {
		if _, faults := read(config, &first); !slices.Equal(faults, want) {
			t.Errorf("%s: %v, want %v", config, faults, want)
		}
	}
	if BoundTo("azure", "api_key", &first) == BoundTo("azure", "api_key", &point.ProviderConfig{BaseURL: "https://theirs.openai.azure.com"}) {
		t.Error("one name for secrets of two resources")
	}
}

// A service that lives on the machine by default is on a private network all the same.
func TestLocalByDefault(t *testing.T) {
	for _, name := range []string{"ollama", "vllm", "lmstudio"} {
		kind, _ := Lookup(name)
		for _, granted := range []bool{false, true} {
			var faults []string
			c := ReadConfig(kind, nil, nil, Grant{Private: granted}, func(at, _ string, _ ...any) { faults = append(faults, at) })
			if c.AllowPrivate != granted || slices.Contains(faults, "base_url") == granted || len(faults) > 1 {
				t.Errorf("%s, granted %t: private %t, faults %v", name, granted, c.AllowPrivate, faults)
			}
			again := ReadConfig(kind, nil, &c, Grant{}, func(string, string, ...any) {})
			if again.AllowPrivate != granted {
				t.Errorf("%s, granted %t: a later change makes it private %t", name, granted, again.AllowPrivate)
			}
		}
	}
}

// Kinds serve what their services have.
func TestServes(t *testing.T) {
	for _, tt := range []struct {
		kinds                       string
		completions, embeds, images bool
	}{
		{"deepseek groq huggingface moonshot perplexity", false, false, false},
		{"alibaba mistral", false, true, false},
		{"xai", false, false, true},
		{"zhipu", false, true, true},
		{"cerebras", true, false, false},
		{"fireworks lmstudio nvidia ollama openrouter vllm", true, true, false},
		{"azure together", true, true, true},
	} {
		for _, name := range strings.Fields(tt.kinds) {
			k, ok := Lookup(name)
			if !ok || !k.Serves(point.PathChat) || k.Serves(point.PathCompletions) != tt.completions ||
				k.Serves(point.PathEmbeddings) != tt.embeds || k.Serves(point.PathImages) != tt.images {
				t.Errorf("%s serves something else", name)
			}
			if _, lists := k.Service.(Lister); lists == (name == "perplexity") {
				t.Errorf("%s lists models: %t", name, lists)
			}
		}
	}
}
