package api

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
)

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

// fieldsOf are all members of a kind's config, in the order of a form: what is its own
// comes first where it is required.
func fieldsOf(k *provider.Kind) []ProviderField {
	fields := slices.Clone(commonFields)
	if k.BaseURL == "" {
		fields[0].Required = true
	}
	fields[0].Default = k.BaseURL
	for _, f := range k.Fields {
		own := ProviderField{Name: f.Name, Title: f.Title, Type: f.Type, Required: f.Required, Help: f.Help}
		if at := slices.IndexFunc(fields, func(c ProviderField) bool { return c.Name == f.Name }); at >= 0 {
			own.Common = true
			fields[at] = own
			continue
		}
		fields = append(fields, own)
	}
	return fields
}

// configSchema is the JSON Schema of a kind's config.
func configSchema(fields []ProviderField) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range fields {
		properties[f.Name] = f.schema()
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"type":    "object", "properties": properties, "required": required, "additionalProperties": false,
	}
}

func (a *API) kinds() []ProviderKind {
	var out []ProviderKind
	for _, k := range provider.Kinds() {
		fields := fieldsOf(k)
		out = append(out, ProviderKind{
			Name: k.Name, Title: k.Title, Type: point.TypeAPI, Dialect: string(k.Dialect), BaseURL: k.BaseURL,
			EnvKeys: append([]string{}, k.EnvKeys...), Keyless: k.Keyless, Serves: served(k),
			Fields: fields, Schema: configSchema(fields),
		})
	}
	return out
}

func served(k *provider.Kind) []string {
	return slices.DeleteFunc(point.Endpoints(), func(path string) bool { return !k.Serves(path) })
}
