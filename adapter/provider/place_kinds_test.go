package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"point"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ kind, base, options, want string }{
		{"bedrock", "", `{"region":"us-east-1"}`, "https://bedrock-runtime.us-east-1.amazonaws.com"},
		{"bedrock", "", `{"region":"us-gov-west-1"}`, "https://bedrock-runtime.us-gov-west-1.amazonaws.com"},
		{"bedrock", "", `{"region":"cn-north-1"}`, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
		{"bedrock", "https://vpce.example", `{"region":"us-east-1"}`, "https://vpce.example"},
		{"bedrock", "", `{"region":"evil.example/#"}`, ""},
		{"bedrock", "", `{"region":"us-east-1.evil.example"}`, ""},
		{"bedrock", "", `{"region":7}`, ""},
		{"bedrock", "", `{}`, ""},
		{"vertex", "", `{}`, "https://aiplatform.googleapis.com"},
		{"vertex", "", `{"location":"us-east5"}`, "https://us-east5-aiplatform.googleapis.com"},
		{"vertex", "", `{"location":"eu"}`, "https://aiplatform.eu.rep.googleapis.com"},
		{"vertex", "", `{"location":"evil.example/"}`, ""},
		{"vertex", "https://psc.example", `{"location":"us-east5"}`, "https://psc.example"},
	} {
		config := &point.ProviderConfig{BaseURL: c.base}
		if err := json.Unmarshal([]byte(c.options), &config.Options); err != nil {
			t.Fatal(err)
		}
		k, _ := Lookup(c.kind)
		if got := k.Place(config); got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.kind, c.base, c.options, got, c.want)
		}
	}
}

func TestServiceAccounts(t *testing.T) {
	k, _ := Lookup("vertex")
	read := func(config string) (point.ProviderConfig, []string) {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(config), &members); err != nil {
			t.Fatal(err)
		}
		var faults []string
		c := ReadConfig(k, members, nil, Grant{}, func(at, format string, _ ...any) { faults = append(faults, at+": "+format) })
		return c, faults
	}
	file := func(uri string) string {
		raw, _ := marshal("{\n \"type\": \"service_account\",\n \"project_id\": \"p1\",\n \"client_email\": \"a@p1.example\",\n \"private_key_id\": \"k\",\n \"private_key\": \"-----BEGIN\\nx\",\n \"token_uri\": \"" + uri + "\"\n}\n")
		return `{"service_account":` + string(raw) + `}`
	}
	c, faults := read(file("https://oauth2.googleapis.com/token"))
	account, err := vertex{}.ServiceAccount(&c)
	if len(faults) > 0 || err != nil || account.Email != "a@p1.example" || account.TokenURL != "https://oauth2.googleapis.com/token" {
		t.Errorf("%v, %+v, %v", faults, account, err)
	}
	if out, err := vertexOutbound(&c, "anthropic", "claude-x", "rawPredict", nil); err != nil || out.Path != "/v1/projects/p1/locations/global/publishers/anthropic/models/claude-x:rawPredict" {
		t.Errorf("%+v, %v", out, err)
	}
	for _, config := range []string{file("https://evil.example/token"), file("http://169.254.169.254/"), `{"service_account":"no JSON"}`, `{"service_account":"{}"}`} {
		c, _ := read(config)
		if account, err := (vertex{}).ServiceAccount(&c); err == nil || point.AsError(err).Code != point.ProviderCredentials {
			t.Errorf("%s: %+v, %v", config, account, err)
		}
		if _, faults := read(config); len(faults) != 1 || !strings.HasPrefix(faults[0], "service_account: ") {
			t.Errorf("%s is saved: %v", config, faults)
		}
	}
	if c, _ := read(`{"api_key":"k"}`); true {
		if account, err := (vertex{}).ServiceAccount(&c); account != nil || err != nil {
			t.Errorf("express mode: %+v, %v", account, err)
		}
	}
}

// TestSettingsFitEachOther: what could never work is not saved.
func TestSettingsFitEachOther(t *testing.T) {
	for _, c := range []struct{ kind, config, at string }{
		{"bedrock", `{"region":"us-east-1"}`, ""}, // by the environment's keys
		{"bedrock", `{"region":"us-east-1","access_key_id":"A","secret_access_key":"s"}`, ""},
		{"bedrock", `{"region":"us-east-1","access_key_id":"A"}`, "secret_access_key"},
		{"bedrock", `{"region":"us-east-1","secret_access_key":"s"}`, "access_key_id"},
		{"bedrock", `{"region":"us-east-1","session_token":"t"}`, "session_token"},
		{"bedrock", `{}`, "region"},
		{"bedrock", `{"region":"virginia"}`, "region"},
		{"vertex", `{}`, "api_key"},
		{"vertex", `{"api_key":"k","location":"Iowa"}`, "location"},
		{"azure", `{"api_key":"k"}`, "resource_name"},
		{"azure", `{"api_key":"k","resource_name":"r","base_url":"https://other.openai.azure.com"}`, "resource_name"},
		{"azure", `{"api_key":"k","resource_name":"R","base_url":"https://r.openai.azure.com/openai/v1/"}`, ""},
		{"azure", `{"api_key":"k","resource_name":"r","api_version":"2024"}`, "api_version"},
		{"azure", `{"api_key":"k","resource_name":"r","api_version":"2025-04-01-preview"}`, ""},
	} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(c.config), &members); err != nil {
			t.Fatal(err)
		}
		k, _ := Lookup(c.kind)
		var faults []string
		ReadConfig(k, members, nil, Grant{}, func(at, _ string, _ ...any) { faults = append(faults, at) })
		if got := strings.Join(faults, " "); got != c.at {
			t.Errorf("%s %s: refused for %q, want %q", c.kind, c.config, got, c.at)
		}
		var gone []string
		ReadStored(k, members, nil, Grant{}, func(string, string, ...any) {}, func(secret string) { gone = append(gone, secret) })
		if c.at == "secret_access_key" && strings.Join(gone, " ") != c.at {
			t.Errorf("%s %s: restored without %v", c.kind, c.config, gone)
		}
	}
}

// TestWhoSpeaksWhat: some speak a dialect with some models, or by some settings, alone.
func TestWhoSpeaksWhat(t *testing.T) {
	for _, c := range []struct {
		kind, path, model, options string
		want                       bool
	}{
		{"vertex", point.PathMessages, "claude-sonnet-4-5@20250929", "{}", true},
		{"vertex", point.PathCountTokens, "publishers/anthropic/models/claude-sonnet-4-5", "{}", true},
		{"vertex", point.PathGemini, "claude-sonnet-4-5", "{}", false},
		{"vertex", point.PathGemini, "gemini-2.5-flash", "{}", true},
		{"vertex", point.PathMessages, "gemini-2.5-flash", "{}", false},
		{"vertex", point.PathResponses, "gemini-2.5-flash", "{}", false},
		{"bedrock", point.PathMessages, "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "{}", true},
		{"bedrock", point.PathMessages, "amazon.nova-lite-v1:0", "{}", false},
		{"bedrock", point.PathCountTokens, "anthropic.claude-haiku-4-5-20251001-v1:0", "{}", false},
		{"azure", point.PathResponses, "gpt-5", "{}", true},
		{"azure", point.PathResponses, "gpt-5", `{"api_version":"preview"}`, true},
		{"azure", point.PathResponses, "gpt-5", `{"api_version":"2024-10-21"}`, false},
		{"anthropic", point.PathMessages, "anything", "{}", true},
		{"openai", point.PathMessages, "gpt-5", "{}", false},
	} {
		config := &point.ProviderConfig{}
		if err := json.Unmarshal([]byte(c.options), &config.Options); err != nil {
			t.Fatal(err)
		}
		k, _ := Lookup(c.kind)
		if got := k.Speaks(c.path, c.model, config); got != c.want {
			t.Errorf("%s speaks %s with %s and %s: %t", c.kind, c.path, c.model, c.options, got)
		}
	}
}
