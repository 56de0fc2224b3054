package config

import (
	"slices"

	"point"
)

var (
	strategies = []point.Strategy{
		point.StrategyPriority, point.StrategyWeighted, point.StrategyRoundRobin, point.StrategyLeastBusy,
		point.StrategyLowestLatency, point.StrategyLowestCost, point.StrategySticky,
	}
	failures   = append(point.DefaultOn(), point.FailContext)
	cacheModes = []string{"off", "exact"}
	lossModes  = []string{"error", "drop"}
)

// checkMapping finds words that a mapping must not have and bounds that it must keep.
func (l *loader) checkMapping(where string, m *point.Mapping) {
	word(l, where, "strategy", m.Strategy, strategies)
	word(l, where, "cache.mode", m.Cache.Mode, cacheModes)
	word(l, where, "unsupported", m.Unsupported, lossModes)
	if m.Retry.Attempts < 1 || m.Retry.BackoffMS < 0 || m.Retry.BackoffMaxMS < 0 {
		l.problem(where, "retry.attempts must be 1 or more, and backoffs 0 ms or more.")
	}
	if m.Timeout.TotalMS < 1 || m.Timeout.ConnectMS < 1 || m.Timeout.IdleMS < 1 {
		l.problem(where, "timeouts must be 1 ms or more.")
	}
	for _, r := range m.Rules {
		if r.Strategy != "" {
			word(l, where, "rules.strategy", r.Strategy, strategies)
		}
		for _, on := range r.On {
			word(l, where, "rules.on", on, failures)
		}
		if len(r.Targets) == 0 {
			l.problem(where, "rule %q has no targets.", r.Name)
		}
	}
}

// word checks that value is one of a closed list.
func word[T ~string](l *loader, where, name string, value T, allowed []T) {
	if !slices.Contains(allowed, value) {
		l.problem(where, "%s %q is not one of %v.", name, value, allowed)
	}
}
