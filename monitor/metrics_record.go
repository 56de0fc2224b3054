package monitor

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"point"
)

// maxSeries bounds the children of one cache: providers come and go, and models are many.
const maxSeries = 2000

// cache finds the children of metrics without a lock: it is copied when one is added, which
// happens once per child.
type cache[K comparable, V any] struct {
	all atomic.Pointer[map[K]*V]
	mu  sync.Mutex
}

func (c *cache[K, V]) get(key K) (*V, bool) {
	if all := c.all.Load(); all != nil {
		v, ok := (*all)[key]
		return v, ok
	}
	return nil, false
}

// full reports whether a key that is not in the cache may no longer be added.
func (c *cache[K, V]) full() bool {
	all := c.all.Load()
	return all != nil && len(*all) >= maxSeries
}

func (c *cache[K, V]) add(key K, v V) *V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.get(key); ok {
		return old
	}
	next := map[K]*V{}
	if all := c.all.Load(); all != nil {
		next = maps.Clone(*all)
	}
	next[key] = &v
	c.all.Store(&next)
	return &v
}

// put adds or replaces a value. A full cache begins anew.
func (c *cache[K, V]) put(key K, v V, limit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := map[K]*V{}
	if all := c.all.Load(); all != nil && len(*all) < limit {
		next = maps.Clone(*all)
	}
	next[key] = &v
	c.all.Store(&next)
}

type seriesKey struct {
	endpoint, provider, model string
	status                    int // class: 2 for 2xx
	outcome                   point.Outcome
}

// series are the children that one record touches.
type series struct {
	requests, cost, unpriced prometheus.Counter
	duration, ttft, overhead prometheus.Observer
	tokens                   [len(tokenKinds)]prometheus.Counter
}

// tokenKinds are the values of the label kind, in the order of tokenCounts.
var tokenKinds = [...]string{"input", "output", "cache_read", "cache_write", "cache_write_1h", "audio_input", "reasoning", "audio_output", "images", "image_input", "image_output"}

func tokenCounts(u *point.Usage) [len(tokenKinds)]int64 {
	return [...]int64{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.AudioInput, u.Reasoning, u.AudioOutput, u.Images, u.ImageInput, u.ImageOutput}
}

// Observe counts a settled record, if it is of no test.
func (m *Metrics) Observe(r *point.Record) {
	if r.Test() {
		return
	}
	s := m.find(r)
	s.requests.Inc()
	s.duration.Observe(float64(r.ResponseTime) / 1e3)
	if r.TTFT != nil && r.Stream {
		s.ttft.Observe(float64(*r.TTFT) / 1e3)
	}
	if r.OverheadUS > 0 {
		s.overhead.Observe(float64(r.OverheadUS) / 1e6)
	}
	if r.Usage != nil {
		for i, n := range tokenCounts(r.Usage) {
			if n > 0 {
				s.tokens[i].Add(float64(n))
			}
		}
	}
	switch {
	case r.Cost != nil && *r.Cost > 0:
		s.cost.Add(float64(*r.Cost) / float64(point.USD))
	case r.Cost == nil && r.Usage != nil:
		s.unpriced.Inc()
	}
	m.observeAttempts(r.Attempts)
}

// find is the series of r, made at the first record of its kind.
func (m *Metrics) find(r *point.Record) *series {
	key := seriesKey{boundedPath(r.Endpoint), provider(r), m.model(r), r.Status / 100, r.Outcome}
	s, ok := m.series.get(key)
	if !ok {
		if m.series.full() {
			key.provider, key.model = other, other
		}
		s = m.series.add(key, m.newSeries(key))
	}
	return s
}

// provider is the name of the provider that answered or was tried last.
func provider(r *point.Record) string {
	if n := len(r.Attempts); n > 0 {
		return r.Attempts[n-1].Provider
	}
	return none
}

// model is the model as sent, or as asked, if it is known.
func (m *Metrics) model(r *point.Record) string {
	name := r.UpstreamModel
	if name == "" {
		name = r.Model
	}
	switch {
	case name == "":
		return none
	case len(name) > maxLabel:
		return other
	}
	at := r.Timestamp.UnixMilli() + r.ResponseTime // about now, without asking the clock
	if l, ok := m.labels.get(name); ok && max(at-l.at, l.at-at) < labelFresh {
		return l.name
	}
	l := label{other, at}
	known := m.knownModel(name)
	name = strings.Clone(name) // nothing keeps the record's memory
	if known {
		l.name = name
	}
	m.labels.put(name, l, maxLabels)
	return l.name
}

const (
	labelFresh = 10_000 // ms after which knownModel is asked again
	maxLabels  = 512    // names that are remembered: copying more costs more than it saves
	maxLabel   = 256    // bytes of a name; longer ones are no model's
)

// label is the value of the label model for a name, and when it was decided in ms.
type label struct {
	name string
	at   int64
}

func (m *Metrics) newSeries(key seriesKey) series {
	provider, model := strings.ToValidUTF8(key.provider, "?"), strings.ToValidUTF8(key.model, "?")
	s := series{
		requests: m.requests.WithLabelValues(key.endpoint, provider, model, statusClass(key.status), strings.ToValidUTF8(string(key.outcome), "?")),
		duration: m.duration.WithLabelValues(key.endpoint, provider, model),
		ttft:     m.ttft.WithLabelValues(key.endpoint, provider, model),
		overhead: m.overhead.WithLabelValues(key.endpoint),
		cost:     m.cost.WithLabelValues(provider, model),
		unpriced: m.unpriced.WithLabelValues(provider, model),
	}
	for i, kind := range tokenKinds {
		s.tokens[i] = m.tokens.WithLabelValues(provider, model, kind)
	}
	return s
}

func statusClass(class int) string {
	if class < 1 || class > 5 {
		return other
	}
	return string(rune('0'+class)) + "xx"
}

type tryKey struct {
	provider string
	code     point.Code
}

// try are the children of one attempt.
type try struct{ attempts, failovers prometheus.Counter }

func (m *Metrics) observeAttempts(attempts []point.Attempt) {
	for i := range attempts {
		a := &attempts[i]
		t := m.try(a)
		t.attempts.Inc()
		if i+1 < len(attempts) && moved(a, &attempts[i+1]) {
			t.failovers.Inc()
		}
	}
}

// moved reports whether the second attempt went to another target.
func moved(a, b *point.Attempt) bool { return a.ProviderID != b.ProviderID || a.Model != b.Model }

func (m *Metrics) try(a *point.Attempt) *try {
	key := tryKey{a.Provider, a.Error}
	t, ok := m.tries.get(key)
	if ok {
		return t
	}
	if m.tries.full() {
		key.provider = other
	}
	name, failure := strings.ToValidUTF8(key.provider, "?"), none
	if a.Error != "" {
		failure = string((&point.Error{Code: a.Error}).Failure())
	}
	return m.tries.add(key, try{m.attempts.WithLabelValues(name, failure), m.failovers.WithLabelValues(name, failure)})
}

type refusedKey struct {
	path string
	code point.Code
}

// Reject counts a call that was refused before a client key was known.
func (m *Metrics) Reject(path string, code point.Code) {
	key := refusedKey{boundedPath(path), code}
	c, ok := m.refused.get(key)
	if !ok {
		c = m.refused.add(key, m.rejected.WithLabelValues(key.path, strings.ToValidUTF8(string(code), "?")))
	}
	(*c).Inc()
}
