package api

import (
	"time"

	"point"
)

// Provider is a provider as answers show it.
type Provider struct {
	ID        string               `json:"id" format:"uuid"`
	Name      string               `json:"name" example:"openai-main"`
	Type      string               `json:"type" enum:"api,web" example:"api"`
	Provider  string               `json:"provider" doc:"Its kind, of /api/provider-kinds." example:"openai"`
	Config    ProviderConfig       `json:"config"`
	Status    string               `json:"status" enum:"active,inactive" example:"active"`
	Health    point.ProviderHealth `json:"health"`
	ManagedBy string               `json:"managed_by" enum:"user,file,env,demo" doc:"Where it comes from. What file and env declare cannot be changed here." example:"user"`
	Private   bool                 `json:"private" doc:"Its base URL is on a loopback or private network."`
	Version   int64                `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time            `json:"created_at"`
	UpdatedAt time.Time            `json:"updated_at"`
}

type providerOutput struct {
	Tagged
	Body Provider
}

type listProvidersInput struct {
	Paging
	Type   string `query:"type" enum:"api,web" doc:"Only those of this type."`
	Status string `query:"status" enum:"active,inactive" doc:"Only those with this status."`
}

// CreateProvider is the body that creates a provider.
type CreateProvider struct {
	Type     string         `json:"type" enum:"api,web" default:"api" required:"false"`
	Name     string         `json:"name" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" patternDescription:"a letter or digit, then at most 62 letters, digits, dots, underscores or dashes" example:"openai-main"`
	Provider string         `json:"provider" minLength:"1" maxLength:"100" doc:"Its kind, of /api/provider-kinds." example:"openai"`
	Config   ProviderConfig `json:"config"`
	Status   string         `json:"status,omitempty" enum:"active,inactive" default:"active"`
}

type createProviderInput struct {
	Repeatable
	Body CreateProvider
}

// UpdateProvider is the body that changes a provider; absent members stay as they are.
type UpdateProvider struct {
	Name   string          `json:"name,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" patternDescription:"a letter or digit, then at most 62 letters, digits, dots, underscores or dashes" example:"openai-main"`
	Config *ProviderConfig `json:"config,omitempty" doc:"Replaces the config, but for its secrets: absent or masked keeps one, null removes it."`
	Status string          `json:"status,omitempty" enum:"active,inactive"`
}

type updateProviderInput struct {
	ByID
	Precondition
	Body UpdateProvider
}

type deleteInput struct {
	ByID
	Precondition
}

// ProviderTest is the body that tests a provider; absent members take defaults.
type ProviderTest struct {
	Prompt     string         `json:"prompt,omitempty" maxLength:"100000" doc:"What to say to the model." example:"Say hello."`
	Model      string         `json:"model,omitempty" maxLength:"255" doc:"As the provider knows it. Absent: a chat model that it has." example:"gpt-4o-mini"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"Further members of the request, such as temperature."`
}

type testProviderInput struct {
	ByID
	Body ProviderTest
}

type testOutput struct{ Body point.TestResult }
