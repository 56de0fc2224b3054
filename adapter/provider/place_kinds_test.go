package provider

import (
	"encoding/json"
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
	if out, err := vertexOutbound(&c, "anthropic", "claude-x", "rawPredict", 1); err != nil || out.Path != "/v1/projects/p1/locations/global/publishers/anthropic/models/claude-x:rawPredict" {
		t.Errorf("%+v, %v", out, err)
	}
	for _, config := range []string{file("https://evil.example/token"), file("http://169.254.169.254/"), `{"service_account":"no JSON"}`, `{"service_account":"{}"}`} {
		c, _ := read(config)
		if account, err := (vertex{}).ServiceAccount(&c); err == nil || point.AsError(err).Code != point.ProviderCredentials {
			t.Errorf("%s: %+v, %v", config, account, err)
		}
	}
	if c, _ := read(`{"api_key":"k"}`); true {
		if account, err := (vertex{}).ServiceAccount(&c); account != nil || err != nil {
			t.Errorf("express mode: %+v, %v", account, err)
		}
	}
}
