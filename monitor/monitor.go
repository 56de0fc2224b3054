package monitor

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"point"
)

// Options configure a Monitor. All may be zero.
type Options struct {
	Version      string
	MetricsToken point.Secret            // bearer that /metrics asks for, none: loopback alone
	KnownModel   func(model string) bool // bounds the model label of metrics, see NewMetrics
	Log          *slog.Logger            // slog.Default
	Now          func() time.Time        // time.Now
}

// Monitor joins what watches a process. It is made first, since the other parts raise alerts;
// Record gives it the journal.
type Monitor struct {
	Alerts  *Alerts
	Metrics *Metrics
	Health  *Health
	Hub     *Hub

	token   point.Secret
	journal *Journal
}

// New makes a Monitor.
func New(opt Options) *Monitor {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	m := &Monitor{
		Alerts: NewAlerts(opt.Log, opt.Now), Metrics: NewMetrics(opt.Version, opt.KnownModel),
		Health: NewHealth(opt.Now, opt.Log), Hub: NewHub(), token: opt.MetricsToken,
	}
	m.Alerts.raised = func(kind string) { m.Metrics.alert.WithLabelValues(KindOf(kind).Kind).Inc() }
	m.Metrics.Counter("point_alerts_dropped_total", "Alerts that had no room.", func() float64 { return float64(m.Alerts.Dropped()) })
	return m
}

// Record makes j the journal that Keep appends to, and shows its figures and state.
func (m *Monitor) Record(j *Journal) {
	m.journal = j
	m.Metrics.Journal(j)
	m.Health.Register("journal", j.Check)
}

// Available tells before a request is served whether its record could be kept: the error
// that Keep would give, as far as it is known.
func (m *Monitor) Available() error { return m.journal.Available() }

// Keep makes a settled record safe, then counts it and shows it to those who watch. An error
// means that it could not be kept and the answer must not be finished.
func (m *Monitor) Keep(r *point.Record) error {
	if err := m.journal.Append(r); err != nil {
		return err
	}
	m.Observe(r)
	return nil
}

// Observe counts a settled record and shows it to those who watch.
func (m *Monitor) Observe(r *point.Record) {
	m.Metrics.Observe(r)
	m.Hub.Publish(r)
}

// Reject counts a call that was refused before a client key was known.
func (m *Monitor) Reject(path string, code point.Code) { m.Metrics.Reject(path, code) }

// Raise is Alerts.Raise: point.Alerter.
func (m *Monitor) Raise(kind, subject, detail string) { m.Alerts.Raise(kind, subject, detail) }

// Subscribe is Hub.Subscribe.
func (m *Monitor) Subscribe(ctx context.Context) <-chan point.Record { return m.Hub.Subscribe(ctx) }

// Drain says that the process is about to end: to those who ask, and to those who watch.
func (m *Monitor) Drain() {
	m.Health.Draining()
	m.Hub.Close()
}

// Checks is Health.Checks.
func (m *Monitor) Checks(ctx context.Context) []point.HealthCheck { return m.Health.Checks(ctx) }

// MetricsHandler serves /metrics.
func (m *Monitor) MetricsHandler() http.Handler { return m.Metrics.Handler(m.token) }
