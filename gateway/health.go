package gateway

import (
	"time"

	"point"
)

// States of a provider's health.
const (
	HealthUnknown = "unknown" // not tried yet
	HealthOK      = "ok"
	HealthFailing = "failing" // the last attempts failed
)

// failingAfter is how many failures in a row make a provider "failing".
const failingAfter = 3

// Health is what recent attempts say about a provider.
type Health struct {
	State     string
	Failures  int           // in a row
	LastError *point.Error  // of the last failure, nil for none
	FailedAt  time.Time     // zero for never
	OKAt      time.Time     // zero for never
	Latency   time.Duration // decayed time to first content, 0 if unknown
	Busy      int           // calls under way
}

// Health tells about a provider; one that was never tried is unknown.
func (g *Gateway) Health(providerID string) Health {
	known, ok := g.backends.Load(providerID)
	if !ok {
		return Health{State: HealthUnknown}
	}
	b := known.(*backend)
	h := &b.health
	h.mu.Lock()
	defer h.mu.Unlock()
	out := Health{
		Failures: h.failures, LastError: h.lastErr, FailedAt: h.failedAt, OKAt: h.okAt,
		Latency: h.latency, Busy: int(b.busy.Load()), State: HealthUnknown,
	}
	switch {
	case h.failures >= failingAfter:
		out.State = HealthFailing
	case !h.okAt.IsZero():
		out.State = HealthOK
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

// Latency is a provider's recent time to first content, 0 if unknown.
func (g *Gateway) Latency(providerID string) time.Duration { return g.Health(providerID).Latency }
