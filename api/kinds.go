package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
)

// ProviderKind is a kind of provider and what it needs to be told.
type ProviderKind struct {
	Name    string          `json:"name" doc:"What a provider's member provider says." example:"openai"`
	Title   string          `json:"title" example:"OpenAI"`
	Type    string          `json:"type" enum:"api,web" example:"api"`
	Dialect KindDialect     `json:"dialect" example:"openai"`
	BaseURL string          `json:"base_url" doc:"Used if config names none; empty: config must." example:"https://api.openai.com/v1"`
	EnvKeys []string        `json:"env_keys" doc:"Well-known variables that hold its key." example:"[\"OPENAI_API_KEY\"]"`
	Keyless bool            `json:"keyless" doc:"Works without a key."`
	Serves  []string        `json:"serves" doc:"Endpoints that it can serve, by path." example:"[\"/v1/chat/completions\"]"`
	Fields  []ProviderField `json:"fields" doc:"Members of config, in the order a form should show them."`
	Schema  map[string]any  `json:"schema" doc:"JSON Schema of config."`
}

// KindDialect is what a kind of provider speaks.
type KindDialect point.Dialect

// Schema lists those that there are.
func (KindDialect) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, k := range provider.Kinds() {
		if dialect := any(string(k.Dialect)); !slices.Contains(s.Enum, dialect) {
			s.Enum = append(s.Enum, dialect)
		}
	}
	return s
}

// ProviderField is one member of a provider's config.
type ProviderField struct {
	Name     string `json:"name" example:"base_url"`
	Title    string `json:"title" example:"Base URL"`
	Type     string `json:"type" enum:"string,secret,secrets,url,integer,boolean,map,secret-map,list" doc:"secrets is a list of secrets, list one of strings; map and secret-map go from names to strings."`
	Required bool   `json:"required"`
	Common   bool   `json:"common" doc:"Every kind of provider has it."`
	Default  string `json:"default" doc:"Used if it is absent, in words a form can show."`
	Help     string `json:"help" doc:"One sentence."`
}

func (a *API) listProviderKinds(context.Context, *none) (*listOutput[ProviderKind], error) {
	return whole(a.kinds(), func(k *ProviderKind) ProviderKind { return *k }), nil
}
