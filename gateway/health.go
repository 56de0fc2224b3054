package gateway

import (
	"fmt"
	"math"
	"time"

	"point"
	"point/adapter/provider"
)

// downAfter is how many failures in a row make a provider count as down; fewer, as degraded.
const downAfter = 3

// ProviderHealth is how a provider has been answering; unknown if it was never
// tried. One without credentials is down at once.
func (g *Gateway) ProviderHealth(id string) point.ProviderHealth {
	if p, ok := g.options.Config.Snapshot().Providers[id]; ok {
		if e := g.lacks(p); e != nil {
			return point.ProviderHealth{State: point.HealthDown, LastError: e.Code, Message: e.Message}
		}
	}
	known, ok := g.backends.Load(id)
	if !ok {
		return point.ProviderHealth{State: point.HealthUnknown}
	}
	return known.(*backend).health.report()
}

// lacks tells which credentials p is without, nil if it has some.
func (g *Gateway) lacks(p *point.Provider) *point.Error {
	kind, ok := provider.Lookup(p.Kind)
	if !ok {
		return nil
	}
	if err := kind.Lacks(&p.Config, g.options.Getenv); err != nil {
		return point.AsError(err)
	}
	return nil
}

func (h *health) report() point.ProviderHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := point.ProviderHealth{State: point.HealthUnknown}
	if h.latency > 0 {
		ms := h.latency.Milliseconds()
		out.Latency = &ms
	}
	if h.lastErr != nil {
		out.LastError = h.lastErr.Code
	}
	switch {
	case h.failures > 0:
		out.State, out.Since = point.HealthDegraded, &h.failingSince
		if h.failures >= downAfter {
			out.State = point.HealthDown
		}
		out.Message = "The last call failed: " + h.lastErr.Message
		if h.failures > 1 {
			out.Message = fmt.Sprintf("The last %d calls failed, the latest so: %s", h.failures, h.lastErr.Message)
		}
	case !h.okSince.IsZero():
		out.State, out.Since = point.HealthOK, &h.okSince
	}
	return out
}

// Busy is the number of calls under way at a provider.
func (g *Gateway) Busy(providerID string) int {
	if known, ok := g.backends.Load(providerID); ok {
		return int(known.(*backend).busy.Load())
	}
	return 0
}

// Latency is a provider's recent time to first content: 0 if it was never tried, the longest
// there is if it was and only failed.
func (g *Gateway) Latency(providerID string) time.Duration {
	known, ok := g.backends.Load(providerID)
	if !ok {
		return 0
	}
	h := &known.(*backend).health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.latency == 0 && h.failures > 0 {
		return math.MaxInt64
	}
	return h.latency
}
