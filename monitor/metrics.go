package monitor

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"point"
)

// other stands for label values that are not in a bounded set, none for absent ones.
const (
	other = "other"
	none  = "none"
)

// Buckets in seconds: answers of models take from tens of milliseconds to ten minutes,
// Point's own part from tens of microseconds.
var (
	durationBuckets = []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600}
	overheadBuckets = []float64{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1}
)

// Metrics are Point's Prometheus metrics, in a registry of their own. The names are stable.
type Metrics struct {
	registry   *prometheus.Registry
	knownModel func(model string) bool

	requests, tokens, cost, unpriced     *prometheus.CounterVec
	attempts, failovers, rejected, alert *prometheus.CounterVec
	duration, ttft, overhead             *prometheus.HistogramVec

	labels  cache[string, label]
	series  cache[seriesKey, series]
	tries   cache[tryKey, try]
	refused cache[refusedKey, prometheus.Counter]
}

// NewMetrics makes and registers all metrics. knownModel bounds the model label: names that
// it does not know are "other", since clients choose them. Nil knows none.
func NewMetrics(version string, knownModel func(model string) bool) *Metrics {
	if knownModel == nil {
		knownModel = func(string) bool { return false }
	}
	m := &Metrics{registry: prometheus.NewRegistry(), knownModel: knownModel}
	m.requests = m.counter("point_requests_total", "Requests by how they ended.", "endpoint", "provider", "model", "status", "outcome")
	m.duration = m.histogram("point_request_duration_seconds", "Arrival to last byte.", durationBuckets, "endpoint", "provider", "model")
	m.ttft = m.histogram("point_time_to_first_token_seconds", "Arrival to first content of streams.", durationBuckets, "endpoint", "provider", "model")
	m.overhead = m.histogram("point_overhead_seconds", "Time spent in Point before a provider was asked.", overheadBuckets, "endpoint")
	m.tokens = m.counter("point_tokens_total", "Tokens by kind; cache, audio and reasoning tokens are parts of input and output.", "provider", "model", "kind")
	m.cost = m.counter("point_cost_usd_total", "Known cost in US dollars.", "provider", "model")
	m.unpriced = m.counter("point_unpriced_requests_total", "Requests with usage whose cost is unknown.", "provider", "model")
	m.attempts = m.counter("point_attempts_total", "Tries at providers by class of failure, none for success.", "provider", "failure")
	m.failovers = m.counter("point_failovers_total", "Moves to another target, by the provider and failure that were left behind.", "provider", "failure")
	m.rejected = m.counter("point_rejected_total", "Calls refused before a client key was known.", "endpoint", "code")
	m.alert = m.counter("point_alerts_total", "Alerts raised.", "kind")
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "point_build_info", Help: "Always 1; the labels tell what runs.",
		ConstLabels: prometheus.Labels{"version": strings.ToValidUTF8(version, "?"), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// Gauge adds a metric whose value f tells at each scrape. It panics on a name given twice.
func (m *Metrics) Gauge(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

// Counter is Gauge for a value that only grows.
func (m *Metrics) Counter(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

// Journal adds the journal's figures.
func (m *Metrics) Journal(j *Journal) {
	figure := func(f func(JournalStats) float64) func() float64 {
		return func() float64 { return f(j.Stats()) }
	}
	m.Gauge("point_journal_lag_records", "Records that are not in the database yet.", figure(func(s JournalStats) float64 { return float64(s.Lag) }))
	m.Gauge("point_journal_oldest_seconds", "Age of the oldest of them.", figure(func(s JournalStats) float64 { return s.Oldest.Seconds() }))
	m.Gauge("point_journal_bytes", "Size of the journal on disk.", figure(func(s JournalStats) float64 { return float64(s.Bytes) }))
	m.Gauge("point_journal_max_bytes", "Size at which the journal is full.", figure(func(s JournalStats) float64 { return float64(s.MaxBytes) }))
	m.Counter("point_journal_appended_records_total", "Records kept.", figure(func(s JournalStats) float64 { return float64(s.Appended) }))
	m.Counter("point_journal_dropped_records_total", "Records that had no room.", figure(func(s JournalStats) float64 { return float64(s.Dropped) }))
	m.Counter("point_journal_damaged_records_total", "Records that could not be read back or stored.", figure(func(s JournalStats) float64 { return float64(s.Damaged) }))
}

// Providers adds point_provider_up: states gives a point.Health* constant by provider name.
func (m *Metrics) Providers(states func() map[string]string) {
	m.registry.MustRegister(providerCollector{states, prometheus.NewDesc("point_provider_up", "0 while a provider is down.", []string{"provider"}, nil)})
}

type providerCollector struct {
	states func() map[string]string
	desc   *prometheus.Desc
}

func (c providerCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

func (c providerCollector) Collect(out chan<- prometheus.Metric) {
	for name, state := range c.states() {
		up := 1.0
		if state == point.HealthDown {
			up = 0
		}
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, up, strings.ToValidUTF8(name, "?"))
	}
}

// Handler serves the metrics. With a token it asks for it as a bearer.
func (m *Metrics) Handler(token point.Secret) http.Handler {
	serve := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	if token.IsZero() {
		return thisMachineAlone(serve)
	}
	want := sha256.Sum256([]byte("Bearer " + token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="point metrics"`)
			http.Error(w, "Send the metrics token: Authorization: Bearer TOKEN.", http.StatusUnauthorized)
			return
		}
		serve.ServeHTTP(w, r)
	})
}

// thisMachineAlone serves requests over loopback. Figures tell who uses what, and how much.
func thisMachineAlone(serve http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().Unmap().IsLoopback() {
			http.Error(w, "Without POINT_METRICS_TOKEN the metrics are for this machine alone. Set it, and send Authorization: Bearer TOKEN.", http.StatusForbidden)
			return
		}
		serve.ServeHTTP(w, r)
	})
}

// boundedPath is path if it is an endpoint's, or other.
func boundedPath(path string) string {
	if slices.Contains(endpoints, path) {
		return path
	}
	return other
}

var endpoints = point.Endpoints()
