package api

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// ProviderConfig is a provider's settings as a flat JSON object: the members that every kind
// has, and those of its kind. Secrets in it are masked in answers and write-only.
type ProviderConfig struct{ members map[string]json.RawMessage }

// maxSettings is how many members a config may have.
const maxSettings = 100

// MarshalJSON writes the members in order of their names.
func (c ProviderConfig) MarshalJSON() ([]byte, error) {
	if c.members == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(c.members)
}

// UnmarshalJSON takes any object; provider.ReadConfig checks its members against the kind.
func (c *ProviderConfig) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &c.members)
}

// TransformSchema describes the members that every kind has.
func (ProviderConfig) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Type, s.AdditionalProperties = huma.TypeObject, true
	s.Description = "Settings. Its kind adds members of its own: see /api/provider-kinds. Secrets are write-only: answers hold a mask and the last four characters."
	s.MaxProperties = new(maxSettings)
	s.Properties = map[string]*huma.Schema{}
	maps.Copy(s.Properties, commonSchemas())
	return s
}

// loosen takes from the schema of config what huma would check by it: provider.ReadConfig checks
// the same, knows the kind, and finds every mistake. What it returns puts it back.
func loosen(spec *huma.OpenAPI) (tighten func()) {
	s := spec.Components.Schemas.Map()["ProviderConfig"]
	if s == nil {
		return func() {}
	}
	properties := s.Properties
	s.Properties = nil
	s.PrecomputeMessages()
	return func() { s.Properties = properties }
}

// shapeConfig is c as answers show it: flat, its secrets masked.
func shapeConfig(c *point.ProviderConfig) ProviderConfig {
	out := map[string]json.RawMessage{}
	set := func(name string, value any, is bool) {
		if raw, err := json.Marshal(value); err == nil && is {
			out[name] = raw
		}
	}
	maps.Copy(out, c.Options)
	set("base_url", c.BaseURL, c.BaseURL != "")
	set("api_key_env", c.APIKeyEnv, c.APIKeyEnv != "")
	set("models", c.Models, len(c.Models) > 0)
	set("weight", c.Weight, c.Weight != 0)
	set("priority", c.Priority, c.Priority != 0)
	set("timeout", c.TimeoutMS, c.TimeoutMS != 0)
	pool, headers := maskedPool(c), map[string]string{}
	for name, secret := range c.Secrets {
		switch header, isHeader := strings.CutPrefix(name, point.SecretHeader); {
		case isHeader:
			headers[header] = secret.Masked()
		case !strings.HasPrefix(name, point.SecretAPIKeys):
			set(name, secret.Masked(), true)
		}
	}
	set("api_keys", pool, len(pool) > 0)
	set("headers", headers, len(headers) > 0)
	return ProviderConfig{members: out}
}

func maskedPool(c *point.ProviderConfig) []string {
	var masks []string
	for _, secret := range c.KeyPool() {
		masks = append(masks, secret.Masked())
	}
	return masks
}
