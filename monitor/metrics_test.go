package monitor

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"point"
)

func known(models ...string) func(string) bool {
	set := map[string]bool{}
	for _, m := range models {
		set[m] = true
	}
	return func(m string) bool { return set[m] }
}

func TestObserve(t *testing.T) {
	m := NewMetrics("1.2.3", known("gpt-4o-mini-2024-07-18"))
	r := realRecord("a")
	m.Observe(&r)
	m.Observe(&r)
	failed := point.Record{
		Endpoint: "/v1/whatever", Model: "typed by a client", Status: 503, Outcome: point.OutcomeUpstreamError,
		Attempts: []point.Attempt{
			{ProviderID: "1", Provider: "a", Model: "m", Error: point.ProviderRateLimited},
			{ProviderID: "1", Provider: "a", Model: "m", Error: point.ProviderTimeout},
			{ProviderID: "2", Provider: "b", Model: "m", Error: point.ProviderUnavailable},
		},
	}
	m.Observe(&failed)
	unpriced := realRecord("b")
	unpriced.Cost = nil
	m.Observe(&unpriced)
	m.Observe(&point.Record{Endpoint: point.PathChat, Status: 400, Outcome: point.OutcomeRejected})
	m.Reject(point.PathChat, point.InvalidAPIKey)
	m.Reject("/v1/"+strings.Repeat("x", 50), point.UnknownPath)

	want := `
# HELP point_attempts_total Tries at providers by class of failure, none for success.
# TYPE point_attempts_total counter
point_attempts_total{failure="none",provider="openai-main"} 3
point_attempts_total{failure="rate_limited",provider="a"} 1
point_attempts_total{failure="timeout",provider="a"} 1
point_attempts_total{failure="unavailable",provider="b"} 1
# HELP point_cost_usd_total Known cost in US dollars.
# TYPE point_cost_usd_total counter
point_cost_usd_total{model="gpt-4o-mini-2024-07-18",provider="openai-main"} 0.0016945
point_cost_usd_total{model="none",provider="none"} 0
point_cost_usd_total{model="other",provider="b"} 0
# HELP point_failovers_total Moves to another target, by the provider and failure that were left behind.
# TYPE point_failovers_total counter
point_failovers_total{failure="none",provider="openai-main"} 0
point_failovers_total{failure="rate_limited",provider="a"} 0
point_failovers_total{failure="timeout",provider="a"} 1
point_failovers_total{failure="unavailable",provider="b"} 0
# HELP point_rejected_total Calls refused before a client key was known.
# TYPE point_rejected_total counter
point_rejected_total{code="invalid_api_key",endpoint="/v1/chat/completions"} 1
point_rejected_total{code="unknown_url",endpoint="other"} 1
# HELP point_requests_total Requests by how they ended.
# TYPE point_requests_total counter
point_requests_total{endpoint="/v1/chat/completions",model="gpt-4o-mini-2024-07-18",outcome="complete",provider="openai-main",status="2xx"} 3
point_requests_total{endpoint="/v1/chat/completions",model="none",outcome="rejected",provider="none",status="4xx"} 1
point_requests_total{endpoint="other",model="other",outcome="upstream_error",provider="b",status="5xx"} 1
# HELP point_unpriced_requests_total Requests with usage whose cost is unknown.
# TYPE point_unpriced_requests_total counter
point_unpriced_requests_total{model="gpt-4o-mini-2024-07-18",provider="openai-main"} 1
point_unpriced_requests_total{model="none",provider="none"} 0
point_unpriced_requests_total{model="other",provider="b"} 0
`
	err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "point_attempts_total", "point_cost_usd_total", "point_failovers_total",
		"point_rejected_total", "point_requests_total", "point_unpriced_requests_total")
	if err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(m.tokens.WithLabelValues("openai-main", "gpt-4o-mini-2024-07-18", "cache_read")); got != 3*1024 {
		t.Errorf("%v cached tokens", got)
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	m := NewMetrics("", func(string) bool { return true })
	for i := range maxSeries + 500 {
		m.Observe(&point.Record{Endpoint: point.PathChat, Model: string(rune('a' + i)), Status: 200, Outcome: point.OutcomeComplete})
	}
	if n := len(*m.series.all.Load()); n > maxSeries+1 {
		t.Errorf("%d series", n)
	}
}

// TestModelIsAskedForSeldom: whether a model is known may cost microseconds, so the answer is
// kept for a while, for as many names as there is room for.
func TestModelIsAskedForSeldom(t *testing.T) {
	asked, isKnown := 0, false
	m := NewMetrics("", func(string) bool { asked++; return isKnown })
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	label := func(name string, after time.Duration) string {
		return m.model(&point.Record{Model: name, Timestamp: start.Add(after)})
	}
	for i := range 1000 {
		if got := label("new", time.Duration(i)*time.Millisecond); got != other {
			t.Fatal(got)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	isKnown = true
	for _, after := range []time.Duration{11 * time.Second, -time.Hour, 2 * time.Hour} { // the clock may jump
		if got := label("new", after); got != "new" {
			t.Errorf("after %v: %s", after, got)
		}
	}
	if asked != 4 {
		t.Errorf("asked %d times", asked)
	}
	for i := range 5 * maxLabels {
		label(strconv.Itoa(i), 0)
	}
	if n := len(*m.labels.all.Load()); n > maxLabels {
		t.Errorf("%d names are remembered", n)
	}
	if got := label(strings.Repeat("x", maxLabel+1), 0); got != other {
		t.Error("a name without end is a label")
	}
}

func TestMetricsHandler(t *testing.T) {
	m := New(Options{Version: "1.2.3", MetricsToken: point.NewSecret("hush-hush"), Log: quiet()})
	j := openTestJournal(t, JournalOptions{})
	m.Record(j)
	m.Metrics.Gauge("point_open_streams", "Answers under way.", func() float64 { return 7 })
	m.Metrics.Providers(func() map[string]string { return map[string]string{"a": point.HealthDown, "b": point.HealthOK} })
	appendN(t, j, 0, 3)
	get := func(authorization string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", authorization)
		m.MetricsHandler().ServeHTTP(w, r)
		return w
	}
	for _, wrong := range []string{"", "Bearer hush", "hush-hush", "Bearer hush-hush "} {
		if w := get(wrong); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "point_") {
			t.Errorf("%q: %d", wrong, w.Code)
		}
	}
	w := get("Bearer hush-hush")
	for _, line := range []string{
		"point_journal_lag_records 3\n", "point_open_streams 7\n", `point_provider_up{provider="a"} 0`, `point_provider_up{provider="b"} 1`,
		`version="1.2.3"`, "go_goroutines ", "process_cpu_seconds_total ",
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %q", line)
		}
	}
}

// TestMetricsWithoutToken: figures leave the machine for who has the token alone.
func TestMetricsWithoutToken(t *testing.T) {
	m := New(Options{Log: quiet()})
	for from, want := range map[string]int{
		"127.0.0.1:5000": 200, "[::1]:5000": 200, "[::ffff:127.0.0.1]:5000": 200, "192.0.2.1:5000": 403, "10.0.0.1:5000": 403, "": 403,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = from
		m.MetricsHandler().ServeHTTP(w, r)
		if w.Code != want || want != 200 && strings.Contains(w.Body.String(), "# TYPE") {
			t.Errorf("from %q: %d %.80s", from, w.Code, w.Body)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	b.Run("model/known", func(b *testing.B) { benchmarkObserve(b, known("gpt-4o-mini-2024-07-18")) })
	b.Run("model/costly", func(b *testing.B) {
		benchmarkObserve(b, func(string) bool {
			for range 10_000 { // some microseconds, as a search through many models takes
				runtime.KeepAlive(nil)
			}
			return true
		})
	})
}

func benchmarkObserve(b *testing.B, knownModel func(string) bool) {
	m := New(Options{KnownModel: knownModel, Log: quiet()})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := realRecord(benchID)
		for pb.Next() {
			m.Observe(&r)
		}
	})
}
