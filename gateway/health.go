package gateway

import (
	"fmt"
	"math"
	"time"

	"point"
)

// downAfter is how many failures in a row make a provider count as down; fewer, as degraded.
const downAfter = 3

// ProviderHealth is how a provider has been answering; unknown if it was never
// tried. One whose key is in a variable that is not set is down at once.
func (g *Gateway) ProviderHealth(id string) point.ProviderHealth {
	if p, ok := g.options.Config.Snapshot().Providers[id]; ok {
		if name := p.Config.APIKeyEnv; name != "" && g.options.Getenv(name) == "" {
			return point.ProviderHealth{
				State: point.HealthDown, LastError: point.ProviderCredentials,
				Message: fmt.Sprintf("The variable %s, which holds its API key, is not set. Set it and restart Point.", name),
			}
		}
	}
	known, ok := g.backends.Load(id)
	if !ok {
		return point.ProviderHealth{State: point.HealthUnknown}
	}
	return known.(*backend).health.report()
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
