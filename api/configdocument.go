package api

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point/store/document"
)

// ConfigDocument is a whole configuration as it is saved, exported and imported.
type ConfigDocument struct{ raw json.RawMessage }

// MarshalJSON writes the document as it is.
func (d ConfigDocument) MarshalJSON() ([]byte, error) { return d.raw, nil }

// Schema is that of the members below.
func (ConfigDocument) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[DocumentMembers](), true, "")
}

// DocumentMembers are the members of a ConfigDocument.
type DocumentMembers struct {
	Format    int                `json:"format" enum:"1"`
	Providers []DocumentProvider `json:"providers" maxItems:"10000"`
	Endpoints []DocumentEndpoint `json:"endpoints" maxItems:"100" doc:"One that is left out is as it was made."`
	Aliases   []DocumentAlias    `json:"aliases" maxItems:"100000"`
	Keys      []DocumentKey      `json:"keys" maxItems:"1000000" doc:"What client keys may use. Keys that are not listed stay as they are."`
	Settings  DocumentSettings   `json:"settings"`

	AlertRules []DocumentAlertRule `json:"alert_rules,omitempty" maxItems:"1000" doc:"All of them, those of the installation too. Absent: they stay as they are."`

	Sealed *Sealed `json:"sealed,omitempty" doc:"Secrets of the providers, encrypted under a passphrase."`
}

// DocumentProvider is a provider in a configuration.
type DocumentProvider struct {
	ID        string         `json:"id,omitempty" maxLength:"36" doc:"Absent: that of the live provider of this name, or a new one."`
	Name      string         `json:"name" minLength:"1" maxLength:"63" example:"openai-main"`
	Type      string         `json:"type,omitempty" enum:"api"`
	Provider  string         `json:"provider" minLength:"1" maxLength:"100" doc:"Its kind." example:"openai"`
	Status    string         `json:"status,omitempty" enum:"active,inactive"`
	ManagedBy string         `json:"managed_by,omitempty" enum:"demo"`
	Private   bool           `json:"private,omitempty" doc:"It led to loopback and private addresses."`
	Config    map[string]any `json:"config" doc:"As at /api/providers, without secrets."`
	Secrets   []string       `json:"secrets,omitempty" maxItems:"1000" doc:"Names of its secrets."`
}

// DocumentEndpoint is an endpoint in a configuration.
type DocumentEndpoint struct {
	Path      string         `json:"path" maxLength:"255" example:"/v1/chat/completions"`
	Active    bool           `json:"active"`
	Mapping   map[string]any `json:"mapping" nullable:"true" doc:"As at /api/endpoints, with the names of providers; null: the default mapping."`
	ManagedBy string         `json:"managed_by,omitempty" maxLength:"50"`
}

// DocumentAlias is an alias in a configuration.
type DocumentAlias struct {
	Name      string `json:"name" minLength:"1" maxLength:"255" example:"fast"`
	Target    string `json:"target" minLength:"1" maxLength:"255" example:"openai-main/gpt-4o-mini"`
	ManagedBy string `json:"managed_by,omitempty" maxLength:"50"`
}

// DocumentAlertRule is an alert rule in a configuration.
type DocumentAlertRule struct {
	ID          string    `json:"id,omitempty" maxLength:"36" doc:"Absent: that of the live rule of this name, or a new one."`
	Name        string    `json:"name" minLength:"1" maxLength:"80" example:"Errors of a provider"`
	Enabled     bool      `json:"enabled"`
	Kind        string    `json:"kind" enum:"error_rate,refusal_rate,latency_p95,ttft_p95,cost,requests,spend_anomaly,provider_down,secret_age,memory,disk"`
	Scope       RuleScope `json:"scope" doc:"With the name of the provider."`
	Threshold   float64   `json:"threshold" minimum:"0" maximum:"1000000000000" example:"25"`
	WindowMS    int64     `json:"window_ms" minimum:"60000" maximum:"604800000" example:"300000"`
	MinRequests int64     `json:"min_requests" minimum:"0" maximum:"1000000000" example:"20"`
	Severity    string    `json:"severity" enum:"info,warning,critical"`
	CooldownMS  int64     `json:"cooldown_ms" minimum:"0" maximum:"2592000000" example:"1800000"`
	ManagedBy   string    `json:"managed_by,omitempty" enum:"default" doc:"default: made with the installation."`
}

// DocumentKey is what a client key may use.
type DocumentKey struct {
	ID        string    `json:"id,omitempty" format:"uuid" doc:"Absent: of the one key of this name."`
	Name      string    `json:"name" minLength:"1" maxLength:"255"`
	Models    []string  `json:"models" maxItems:"500" nullable:"true"`
	Endpoints []string  `json:"endpoints" maxItems:"50" nullable:"true"`
	Tags      []string  `json:"tags" maxItems:"50" nullable:"true"`
	Limits    KeyLimits `json:"limits"`
}

// DocumentSettings are the settings that are not at their defaults.
type DocumentSettings struct {
	DefaultMapping   map[string]any `json:"default_mapping,omitempty"`
	DefaultKeyLimits *KeyLimits     `json:"default_key_limits,omitempty"`
}

// Sealed holds secrets.
type Sealed struct {
	Format int    `json:"format" enum:"2"`
	KDF    string `json:"kdf" maxLength:"100" example:"argon2id-64MiB-3"`
	Salt   string `json:"salt" maxLength:"1000"`
	Nonce  string `json:"nonce" maxLength:"1000"`
	Data   string `json:"data" maxLength:"100000000"`
}

// DocumentInput is a configuration that is given: an object, or a text of JSON or YAML.
type DocumentInput struct{ raw json.RawMessage }

// UnmarshalJSON keeps the text; document.Read reads it, and finds every mistake.
func (d *DocumentInput) UnmarshalJSON(raw []byte) error {
	d.raw = slices.Clone(raw)
	return nil
}

// Schema takes anything: document.Read is the one that checks.
func (DocumentInput) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "A configuration: an object as ConfigDocument describes it, of which most may be left out, or a text that holds one in JSON or YAML.",
		Examples:    []any{map[string]any{"aliases": []any{map[string]any{"name": "slow", "target": "gpt-4o"}}}},
	}
}

// given reports whether there is a document.
func (d DocumentInput) given() bool { return len(d.raw) > 0 && string(d.raw) != "null" }

// parse reads it; of a text the mistakes have their lines.
func (d DocumentInput) parse() (*document.Imported, error) {
	var text string
	if json.Unmarshal(d.raw, &text) == nil {
		return document.ReadText([]byte(text))
	}
	return document.Read(d.raw)
}

// read is the document, or notes all that is wrong with it.
func (d DocumentInput) read(place string, f *faults) *document.Imported {
	if !d.given() {
		return nil
	}
	in, err := d.parse()
	if err != nil {
		f.takeMistakes(place, err)
		return nil
	}
	return in
}
