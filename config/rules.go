package config

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"point"
)

// AlertRule is a declared alert rule. Its scope has the name of the provider; Key is the name of
// the declared client key that it has in place of an id.
type AlertRule struct {
	point.AlertRule
	Key string
	At  Place
}

// fileRule is an alert rule as the file says it.
type fileRule struct {
	at          Place
	Name        string    `json:"name"`
	Enabled     *bool     `json:"enabled"`
	Kind        string    `json:"kind"`
	Scope       fileScope `json:"scope"`
	Threshold   float64   `json:"threshold"`
	WindowMS    *int64    `json:"window_ms"`
	MinRequests int64     `json:"min_requests"`
	Severity    *string   `json:"severity"`
	CooldownMS  *int64    `json:"cooldown_ms"`
}

// fileScope is a rule's scope, its client key by name.
type fileScope struct {
	Provider string `json:"provider"`
	Endpoint string `json:"endpoint"`
	Model    string `json:"model"`
	Key      string `json:"key"`
	Each     string `json:"each"`
}

func (r *fileRule) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileRule
	r.at = d.place(n)
	d.object(n, "an alert rule", elem((*plain)(r)))
}

// given is what a file says, zero too, or what holds if it says nothing.
func given[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}

func (l *loader) declareRule(r *fileRule) {
	rule := AlertRule{
		AlertRule: point.AlertRule{
			Name: r.Name, Enabled: r.Enabled == nil || *r.Enabled, Kind: r.Kind, Threshold: r.Threshold,
			WindowMS: given(r.WindowMS, point.RuleWindowMS), MinRequests: r.MinRequests,
			Severity: given(r.Severity, point.SeverityWarning), CooldownMS: given(r.CooldownMS, point.RuleCooldownMS), ManagedBy: point.ManagedByFile,
			Scope: point.RuleScope{Provider: r.Scope.Provider, Endpoint: r.Scope.Endpoint, Model: r.Scope.Model, KeyID: r.Scope.Key, Each: r.Scope.Each},
		},
		Key: r.Scope.Key, At: r.at,
	}
	rule.Check(r.at.fault(l.problem, "alert rule %q: ", r.Name))
	rule.Scope.KeyID = ""
	if !slices.ContainsFunc(l.config.Declared.Keys, func(k Key) bool { return k.Name == rule.Key }) && rule.Key != "" {
		l.problem(r.at.Of("scope.key"), "alert rule %q: the file declares no key %q; declare it in the section keys.", r.Name, rule.Key)
	}
	l.config.Declared.Rules = append(l.config.Declared.Rules, rule)
}
