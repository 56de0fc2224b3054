package api

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
)

// commonSchemas describes the members that every kind has.
func commonSchemas() map[string]*huma.Schema {
	schemas := map[string]*huma.Schema{}
	for _, f := range provider.CommonFields() {
		schemas[f.Name] = ProviderField(f).schema()
	}
	return schemas
}

// schema is f in JSON Schema.
func (f ProviderField) schema() *huma.Schema {
	text := func(most int) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &most}
	}
	s := text(provider.MaxText)
	switch f.Type {
	case "url":
		s = text(provider.MaxURL)
	case "secret":
		s = text(provider.MaxSecret)
		s.Format = "password"
	case "integer":
		s = &huma.Schema{Type: huma.TypeInteger, Nullable: true, Minimum: new(0.0), Maximum: new(float64(provider.Field(f).Most()))}
	case "boolean":
		s = &huma.Schema{Type: huma.TypeBoolean, Nullable: true}
	case "list":
		s = &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: text(255), MaxItems: new(provider.MaxList)}
	case "secrets":
		s = &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: text(provider.MaxSecret), MaxItems: new(provider.MaxList)}
	case "map":
		s = &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: text(provider.MaxText), MaxProperties: new(provider.MaxMembers)}
	case "secret-map":
		s = &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: text(provider.MaxSecret), MaxProperties: new(provider.MaxMembers)}
	}
	s.Title, s.Description = f.Title, f.Help
	return s
}

// fieldsOf are all members of a kind's config, in the order of a form.
func fieldsOf(k *provider.Kind) (fields []ProviderField) {
	for _, f := range k.Settings() {
		fields = append(fields, ProviderField(f))
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
			Name: k.Name, Title: k.Title, Type: point.TypeAPI, Dialect: KindDialect(k.Dialect), BaseURL: k.BaseURL,
			EnvKeys: append([]string{}, k.EnvKeys...), Keyless: k.Keyless, Serves: served(k),
			Fields: fields, Schema: configSchema(fields),
		})
	}
	return out
}

func served(k *provider.Kind) []string {
	return slices.DeleteFunc(point.Endpoints(), func(path string) bool { return !k.Serves(path) })
}
