package mock

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxRecent is how many requests are kept for tests to look at, maxKept how much of a body.
const (
	maxRecent = 64
	maxKept   = 64 << 10
)

// Seen is one request as it arrived, with credentials reduced to their last 4 characters.
type Seen struct {
	Service string      `json:"service"`
	Op      string      `json:"op"`
	Method  string      `json:"method"`
	Path    string      `json:"path"` // with the query
	Model   string      `json:"model,omitempty"`
	Key     string      `json:"key,omitempty"`
	Stream  bool        `json:"stream,omitempty"`
	Header  http.Header `json:"header"`
	Body    []byte      `json:"-"` // at most 64 KiB of it
	At      time.Time   `json:"at"`
}

// Stats are the counters since the start or the last reset. Requests to the models bench and
// bench-stream are in Requests alone.
type Stats struct {
	Requests int64            `json:"requests"`
	Open     int64            `json:"open"`    // being answered now
	Aborted  int64            `json:"aborted"` // the client left before the end
	Services map[string]int64 `json:"services"`
	Ops      map[string]int64 `json:"ops"` // by service and operation
	Faults   map[string]int64 `json:"faults"`
	Keys     map[string]int64 `json:"keys"`   // by the key's last 4 characters
	Models   map[string]int64 `json:"models"` // by service and model
	Last     map[string]Seen  `json:"last"`   // the latest request of each service
}

// stats counts for all requests.
type stats struct {
	sequence atomic.Uint64
	requests atomic.Int64
	open     atomic.Int64
	aborted  atomic.Int64
	services counters
	ops      counters
	faults   counters
	keys     counters
	models   counters

	mu     sync.Mutex
	recent []Seen // oldest first
}

func (s *stats) next() uint64 { return s.sequence.Add(1) }

func (s *stats) fault(name string) { s.faults.add(name) }

func (s *stats) begin(svc service, req *request) {
	s.requests.Add(1)
	s.open.Add(1)
	s.services.add(svc.name())
	s.ops.add(svc.name() + " " + string(req.op))
	if req.key != "" {
		s.keys.add(mask(req.key))
	}
	if req.model != "" {
		s.models.add(svc.name() + " " + excerpt(req.model, 100))
	}
	seen := Seen{
		Service: svc.name(), Op: string(req.op), Method: req.Method, Path: maskURL(req.URL), Model: req.model, Key: mask(req.key),
		Stream: req.stream, Header: maskHeader(req.Header), At: req.server.opts.Now(),
		Body: slices.Clone(req.body[:min(len(req.body), maxKept)]),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) == maxRecent {
		s.recent = slices.Delete(s.recent, 0, 1)
	}
	s.recent = append(s.recent, seen)
}

func (s *stats) end(_ service, req *request) {
	s.open.Add(-1)
	if !req.done && req.Context().Err() != nil {
		s.aborted.Add(1)
	}
}

// Stats reads the counters.
func (s *Server) Stats() Stats {
	t := &s.stats
	out := Stats{
		Requests: t.requests.Load(), Open: t.open.Load(), Aborted: t.aborted.Load(),
		Services: t.services.snapshot(), Ops: t.ops.snapshot(), Faults: t.faults.snapshot(),
		Keys: t.keys.snapshot(), Models: t.models.snapshot(), Last: make(map[string]Seen),
	}
	for _, seen := range s.Recent() {
		out.Last[seen.Service] = seen
	}
	return out
}

// Recent tells the latest requests, at most 64, oldest first.
func (s *Server) Recent() []Seen {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return slices.Clone(s.stats.recent)
}

// Reset sets all counters to 0, forgets what was seen, and drops scripts.
func (s *Server) Reset() {
	t := &s.stats
	for _, c := range []*counters{&t.services, &t.ops, &t.faults, &t.keys, &t.models, &s.fails} {
		c.reset()
	}
	t.requests.Store(0)
	t.aborted.Store(0)
	s.prefix.reset()
	s.talks.reset()
	s.script.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent = nil
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Faults()) }

func (s *Server) getStats(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) }

func (s *Server) postReset(w http.ResponseWriter, _ *http.Request) {
	s.Reset()
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(encode(v), '\n')) // a client that left reads nothing
}

// mask keeps the last 4 characters of a credential that is longer than 8.
func mask(secret string) string {
	switch {
	case secret == "":
		return ""
	case len(secret) <= 8:
		return "***"
	}
	return "***" + secret[len(secret)-4:]
}

// secretHeaders hold credentials.
var secretHeaders = []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "X-Amz-Security-Token", "Cookie", "Proxy-Authorization"}

func maskHeader(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range secretHeaders {
		for i, v := range h[name] {
			scheme, token, ok := strings.Cut(v, " ")
			if !ok {
				scheme, token = "", v
			}
			h[name][i] = strings.TrimSpace(scheme + " " + mask(token))
		}
	}
	return h
}

func maskURL(u *url.URL) string {
	query := u.Query()
	if query.Has("key") {
		query.Set("key", mask(query.Get("key")))
	}
	if len(query) == 0 {
		return u.Path
	}
	return u.Path + "?" + query.Encode()
}
