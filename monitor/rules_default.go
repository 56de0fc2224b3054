package monitor

import (
	"time"

	"point"
)

// DefaultRules are the rules of a fresh installation. They may be changed, switched off and
// deleted as all others.
func DefaultRules() []point.AlertRule {
	each := func(what string) point.RuleScope { return point.RuleScope{Each: what} }
	list := []point.AlertRule{
		{Name: "Many requests fail", Kind: point.RuleErrorRate, Threshold: 50, WindowMS: minutes(5), MinRequests: 20, Severity: SeverityCritical},
		{Name: "Errors of a provider", Kind: point.RuleErrorRate, Scope: each(point.EachProvider), Threshold: 25, WindowMS: minutes(10), MinRequests: 20, Severity: SeverityWarning},
		{Name: "Slow answers", Kind: point.RuleLatencyP95, Threshold: 120_000, WindowMS: minutes(15), MinRequests: 20, Severity: SeverityWarning},
		{Name: "Slow first content", Kind: point.RuleTTFTP95, Threshold: 20_000, WindowMS: minutes(15), MinRequests: 20, Severity: SeverityWarning},
		{Name: "Provider down", Kind: point.RuleProviderDown, WindowMS: minutes(1), Severity: SeverityCritical},
		{Name: "Memory nearly used up", Kind: point.RuleMemory, Threshold: 90, WindowMS: minutes(1), Severity: SeverityWarning},
		{Name: "Disk nearly full", Kind: point.RuleDisk, Threshold: 90, WindowMS: minutes(1), Severity: SeverityCritical},
		{Name: "Unusual spend of a key", Kind: point.RuleSpendAnomaly, Threshold: 5, WindowMS: minutes(24 * 60), Severity: SeverityWarning},
		{Name: "Old secret of a provider", Kind: point.RuleSecretAge, Threshold: 180, WindowMS: minutes(1), Severity: SeverityInfo},
	}
	for i := range list {
		list[i].Enabled, list[i].ManagedBy, list[i].CooldownMS = true, point.ManagedByDefault, minutes(30)
	}
	return list
}

func minutes(n int64) int64 { return (time.Duration(n) * time.Minute).Milliseconds() }
