package point

import (
	"encoding/json"
	"maps"
	"slices"
)

// DocumentFormat is the Format of the documents that this version writes and reads.
const DocumentFormat = 1

// Document is a whole configuration in the form in which it is saved, exported, imported and
// compared. It holds no secret, only the names of secrets, and nothing that the configuration
// file or the environment declares. Targets of mappings name their provider.
type Document struct {
	Format    int                `json:"format"`
	Providers []DocumentProvider `json:"providers"`
	Endpoints []DocumentEndpoint `json:"endpoints"`
	Aliases   []DocumentAlias    `json:"aliases"`
	Keys      []DocumentKey      `json:"keys"`
	Settings  Settings           `json:"settings"`

	// AlertRules are all alert rules; nil: the document does not speak of them, and they stay.
	AlertRules []DocumentAlertRule `json:"alert_rules,omitzero"`
}

// DocumentProvider is a provider in a Document. Config is flat, as /api shows it, without
// secrets.
type DocumentProvider struct {
	ID        string                     `json:"id,omitempty"`
	Name      string                     `json:"name"`
	Type      string                     `json:"type,omitempty"`
	Kind      string                     `json:"provider"`
	Status    string                     `json:"status,omitempty"` // empty: active
	ManagedBy string                     `json:"managed_by,omitempty"`
	Private   bool                       `json:"private,omitempty"` // ProviderConfig.AllowPrivate
	Config    map[string]json.RawMessage `json:"config"`
	Secrets   []string                   `json:"secrets,omitempty"` // names of those that are set, sorted
}

// DocumentEndpoint is an endpoint in a Document.
type DocumentEndpoint struct {
	Path      string   `json:"path"`
	Active    bool     `json:"active"`
	Mapping   *Mapping `json:"mapping"` // nil: the default mapping
	ManagedBy string   `json:"managed_by,omitempty"`
}

// DocumentAlias is an alias in a Document.
type DocumentAlias struct {
	Name      string `json:"name"`
	Target    string `json:"target"`
	ManagedBy string `json:"managed_by,omitempty"`
}

// DocumentKey is what a Document says of a client key: what the key may use. Status, owner,
// token and expiry are the key's own.
type DocumentKey struct {
	ID        string    `json:"id,omitempty"` // empty: the one key of this name
	Name      string    `json:"name"`
	Models    []string  `json:"models"`
	Endpoints []string  `json:"endpoints"`
	Tags      []string  `json:"tags"`
	Limits    KeyLimits `json:"limits"`
}

// DocumentAlertRule is an alert rule in a Document. Its scope names the provider.
type DocumentAlertRule struct {
	ID          string    `json:"id,omitempty"`
	Name        string    `json:"name"`
	Enabled     bool      `json:"enabled"`
	Kind        string    `json:"kind"`
	Scope       RuleScope `json:"scope"`
	Threshold   float64   `json:"threshold"`
	WindowMS    int64     `json:"window_ms"`
	MinRequests int64     `json:"min_requests"`
	Severity    string    `json:"severity"`
	CooldownMS  int64     `json:"cooldown_ms"`
	ManagedBy   string    `json:"managed_by,omitempty"`
}

// Settings are the typed settings of the live configuration. The zero value has every default.
type Settings struct {
	DefaultMapping   *Mapping  `json:"default_mapping,omitempty"`   // of endpoints without their own; nil: DefaultMapping
	DefaultKeyLimits KeyLimits `json:"default_key_limits,omitzero"` // of new keys that name none

	Version int64 `json:"-"` // counts changes; the ETag
}

// Members is c as one flat object, as /api shows it, without secrets.
func (c *ProviderConfig) Members() map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	set := func(name string, value any, is bool) {
		if raw, err := json.Marshal(value); err == nil && is {
			members[name] = raw
		}
	}
	for name, raw := range c.Options {
		members[name] = raw
	}
	set("base_url", c.BaseURL, c.BaseURL != "")
	set("api_key_env", c.APIKeyEnv, c.APIKeyEnv != "")
	set("models", c.Models, len(c.Models) > 0)
	set("weight", c.Weight, c.Weight != 0)
	set("priority", c.Priority, c.Priority != 0)
	set("timeout", c.TimeoutMS, c.TimeoutMS != 0)
	return members
}

// Document is p in a document; secrets are the names of its secrets.
func (p *Provider) Document(secrets []string) DocumentProvider {
	return DocumentProvider{
		ID: p.ID, Name: p.Name, Type: p.Type, Kind: p.Kind, Status: p.Status, ManagedBy: p.ManagedBy,
		Private: p.Config.AllowPrivate, Config: p.Config.Members(), Secrets: secrets,
	}
}

// Document is e in a document, its targets as they are in e.
func (e *Endpoint) Document() DocumentEndpoint {
	return DocumentEndpoint{Path: e.Path, Active: e.Active, Mapping: e.Mapping, ManagedBy: e.ManagedBy}
}

// Document is a in a document.
func (a *Alias) Document() DocumentAlias {
	return DocumentAlias{Name: a.Name, Target: a.Target, ManagedBy: a.ManagedBy}
}

// Document is r in a document, its provider as it is in r.
func (r *AlertRule) Document() DocumentAlertRule {
	return DocumentAlertRule{
		ID: r.ID, Name: r.Name, Enabled: r.Enabled, Kind: r.Kind, Scope: r.Scope, Threshold: r.Threshold, WindowMS: r.WindowMS,
		MinRequests: r.MinRequests, Severity: r.Severity, CooldownMS: r.CooldownMS, ManagedBy: r.ManagedBy,
	}
}

// Document is k in a document.
func (k *Key) Document() DocumentKey {
	return DocumentKey{
		ID: k.ID, Name: k.Name, Models: list(k.Models), Endpoints: list(k.Endpoints), Tags: list(k.Tags), Limits: k.Limits,
	}
}

// list is never null in JSON.
func list(items []string) []string {
	return append([]string{}, items...)
}

// SecretNames are the names of secrets, sorted.
func SecretNames[T any](secrets map[string]T) []string {
	return slices.Sorted(maps.Keys(secrets))
}
