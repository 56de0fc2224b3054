package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"point"
	"point/internal/plural"
	"point/internal/redact"
)

// States of a process, as point.Instance tells them.
const (
	StateStarting = "starting"
	StateReady    = "ready"
	StateDegraded = "degraded"
	StateDraining = "draining"
)

const (
	checkTimeout = 2 * time.Second
	checkFresh   = time.Second // how long the last results are given again
)

// DegradedError is a check's failure that leaves the part working.
type DegradedError struct{ Reason string }

func (e *DegradedError) Error() string { return e.Reason }

// Check tells how a part of the process is: nil, a *DegradedError, or why it is down. The text
// of a *DegradedError is shown to everybody: it says what is wrong and what to do, no
// addresses. Why a part is down is for the log and for those who may read the status.
type Check func(ctx context.Context) error

// Health knows the state of this process and the checks of its parts.
type Health struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	state   string
	changed chan struct{} // closed when state changes
	names   []string
	checks  map[string]Check

	round  sync.Mutex // one round of checks at a time
	last   []point.HealthCheck
	lastAt time.Time
}

// NewHealth makes a Health in StateStarting.
func NewHealth(now func() time.Time, log *slog.Logger) *Health {
	return &Health{now: now, log: log, state: StateStarting, changed: make(chan struct{}), checks: map[string]Check{}}
}

// Register adds a check, or replaces the one of the same name.
func (h *Health) Register(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.checks[name]; !ok {
		h.names = append(h.names, name)
	}
	h.checks[name] = check
}

// Ready says that the process serves, Draining that it is about to end.
func (h *Health) Ready()    { h.set(StateReady) }
func (h *Health) Draining() { h.set(StateDraining) }

func (h *Health) set(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != state {
		h.state = state
		close(h.changed)
		h.changed = make(chan struct{})
	}
}

// State is the process's state; a ready process with a check that is not ok is degraded.
func (h *Health) State(ctx context.Context) string {
	h.mu.Lock()
	state := h.state
	h.mu.Unlock()
	if state == StateReady && worst(h.Checks(ctx)) != point.HealthOK {
		return StateDegraded
	}
	return state
}

// Checks runs every check, in the order of registration, each for at most 2 s. Results are
// given again for a second.
func (h *Health) Checks(ctx context.Context) []point.HealthCheck {
	h.round.Lock()
	defer h.round.Unlock()
	if h.last != nil && h.now().Sub(h.lastAt) < checkFresh {
		return slices.Clone(h.last)
	}
	h.mu.Lock()
	names := slices.Clone(h.names)
	checks := make([]Check, len(names))
	for i, name := range names {
		checks[i] = h.checks[name]
	}
	h.mu.Unlock()

	results := make([]point.HealthCheck, len(names))
	var running sync.WaitGroup
	for i := range names {
		running.Go(func() { results[i] = runCheck(ctx, names[i], checks[i]) })
	}
	running.Wait()
	if ctx.Err() == nil { // a caller that left says nothing about the parts
		h.logChanges(results)
		h.last, h.lastAt = results, h.now()
	}
	return slices.Clone(results)
}

// logChanges logs each check whose state is another than in the round before.
func (h *Health) logChanges(results []point.HealthCheck) {
	for _, c := range results {
		before := point.HealthOK
		if i := slices.IndexFunc(h.last, func(l point.HealthCheck) bool { return l.Name == c.Name }); i >= 0 {
			before = h.last[i].State
		}
		switch {
		case c.State == before:
		case c.State == point.HealthOK:
			h.log.Info("a health check is ok again", "check", c.Name)
		default:
			h.log.Warn("a health check fails", "check", c.Name, "state", c.State, "error", c.Message)
		}
	}
}

func runCheck(ctx context.Context, name string, check Check) (result point.HealthCheck) {
	result = point.HealthCheck{Name: name, State: point.HealthOK}
	defer func() {
		if fault := recover(); fault != nil {
			result.State, result.Message = point.HealthDown, "the check failed: "+redact.String(fmt.Sprint(fault))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := check(ctx)
	var degraded *DegradedError
	switch {
	case err == nil:
		return result
	case errors.As(err, &degraded):
		result.State = point.HealthDegraded
	default:
		result.State = point.HealthDown
	}
	result.Message = redact.String(err.Error())
	return result
}

// severity orders states from good to bad.
var severity = map[string]int{point.HealthOK: 0, point.HealthUnknown: 1, point.HealthDegraded: 2, point.HealthDown: 3}

func worst(checks []point.HealthCheck) string {
	if len(checks) == 0 {
		return point.HealthOK
	}
	return slices.MaxFunc(checks, func(a, b point.HealthCheck) int { return cmp.Compare(severity[a.State], severity[b.State]) }).State
}

// Live serves /healthz: the process answers, nothing more.
func (h *Health) Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeState(w, http.StatusOK, "ok", nil)
	})
}

// downMessage is what everybody is told of a part that is down.
const downMessage = "It does not work. The log says why, and so does /api/status/health to those who may read the status."

// ReadyHandler serves /readyz: 200 while requests are welcome, with the reasons if something
// is degraded, and 503 while the process starts or drains.
func (h *Health) ReadyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := h.State(r.Context())
		switch state {
		case StateStarting, StateDraining:
			writeState(w, http.StatusServiceUnavailable, state, nil)
		case StateDegraded:
			failing := slices.DeleteFunc(h.Checks(r.Context()), func(c point.HealthCheck) bool { return c.State == point.HealthOK })
			for i := range failing {
				if failing[i].State != point.HealthDegraded {
					failing[i].Message = downMessage
				}
			}
			writeState(w, http.StatusOK, state, failing)
		default:
			writeState(w, http.StatusOK, state, nil)
		}
	})
}

func writeState(w http.ResponseWriter, status int, state string, reasons []point.HealthCheck) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Status  string              `json:"status"`
		Reasons []point.HealthCheck `json:"reasons,omitempty"`
	}{state, reasons})
}

// journalPatience is the age of a record that is not stored yet at which the journal counts
// as behind.
const journalPatience = 30 * time.Second

// Check is the journal's Check.
func (j *Journal) Check(context.Context) error {
	if err := j.Available(); err != nil {
		return errors.New("the journal is full: requests are refused until the database takes its records or the disk has room")
	}
	if j.full() != nil {
		return &DegradedError{"the journal is full: requests are served and not recorded until the database takes its records or the disk has room"}
	}
	if oldest := j.Oldest(); oldest > journalPatience {
		return &DegradedError{fmt.Sprintf("%s for the database, the oldest for %s: they are safe on disk; check the database", plural.Of(j.Lag(), "record waits", "records wait"), oldest.Round(time.Second))}
	}
	return nil
}
