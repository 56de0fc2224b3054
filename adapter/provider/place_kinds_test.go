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
