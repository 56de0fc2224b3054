package api

import (
	"encoding/json"
	"maps"

	"github.com/danielgtaylor/huma/v2"
)

// ProviderConfig is a provider's settings as a flat JSON object: the members that every kind
// has, and those of its kind. Secrets in it are masked in answers and write-only.
type ProviderConfig struct{ members map[string]json.RawMessage }

// MarshalJSON writes the members in order of their names.
func (c ProviderConfig) MarshalJSON() ([]byte, error) {
	if c.members == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(c.members)
}

// UnmarshalJSON takes any object; readConfig checks its members against the kind.
func (c *ProviderConfig) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &c.members)
}

// TransformSchema describes the members that every kind has.
func (ProviderConfig) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Type, s.AdditionalProperties = huma.TypeObject, true
	s.Description = "Settings. Its kind adds members of its own: see /api/provider-kinds. Secrets are write-only: answers hold a mask and the last four characters."
	s.Properties = map[string]*huma.Schema{}
	maps.Copy(s.Properties, commonSchemas())
	return s
}

// commonFields are the members of config that every kind of API provider has.
var commonFields = []ProviderField{
	{Name: "base_url", Title: "Base URL", Type: "url", Common: true, Help: "Where the service is, as its own SDK would take it."},
	{Name: "api_key", Title: "API key", Type: "secret", Common: true, Help: "The service's key; it is stored encrypted."},
	{Name: "api_key_env", Title: "API key variable", Type: "string", Common: true, Help: "Environment variable that holds the key, in place of storing it."},
	{Name: "api_keys", Title: "API keys", Type: "secrets", Common: true, Help: "A pool of keys that share the load, in place of one."},
	{Name: "models", Title: "Models", Type: "list", Common: true, Help: "If given, only these models are sent to this provider."},
	{Name: "weight", Title: "Weight", Type: "integer", Common: true, Default: "1", Help: "Share of the calls among providers of the same priority."},
	{Name: "priority", Title: "Priority", Type: "integer", Common: true, Default: "0", Help: "Lower is tried first."},
	{Name: "timeout", Title: "Timeout", Type: "integer", Common: true, Help: "Bound on a call, in ms; absent is the mapping's."},
	{Name: "headers", Title: "Headers", Type: "secret-map", Common: true, Help: "Sent with every call; values are stored encrypted."},
}

// commonSchemas describes commonFields.
func commonSchemas() map[string]*huma.Schema {
	schemas := make(map[string]*huma.Schema, len(commonFields))
	for _, f := range commonFields {
		schemas[f.Name] = f.schema()
	}
	return schemas
}

// schema is f in JSON Schema.
func (f ProviderField) schema() *huma.Schema {
	text := func() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Nullable: true} }
	s := text()
	switch f.Type {
	case "url":
		s.Format = "uri"
	case "secret":
		s.Format = "password"
	case "integer", "boolean":
		s.Type = f.Type
	case "list", "secrets":
		s = &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: text()}
	case "map", "secret-map":
		s = &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: text()}
	}
	s.Title, s.Description = f.Title, f.Help
	return s
}
