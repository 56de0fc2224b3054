package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"point"
)

// What may be written of refusals and failures, which anybody can cause without end.
const (
	repeatWindow = time.Minute // the same one is written once, then counted
	repeatsKept  = 10_000      // different ones that are counted
	repeatRows   = 300         // rows in a window, of all together

	lastRepeatsTime = 5 * time.Second // that the last ones may take at the end
)

// repeats counts refusals and failures that are not worth a row each.
type repeats struct {
	mu     sync.Mutex
	seen   map[repeatKey]*repeat
	window time.Time // that rows are counted for
	rows   int
}

// repeatKey is what makes two entries the same.
type repeatKey struct{ event, address, subject string }

type repeat struct {
	first point.AuditEntry // as it was written
	since time.Time
	more  int64 // not written
}

// admit reports whether an entry is written, and how many like it were not before.
func (r *repeats) admit(now time.Time, e *point.AuditEntry) (before int64, write bool) {
	if e.Result == "" || e.Result == point.AuditOK {
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.window) >= repeatWindow {
		r.window, r.rows = now, 0
	}
	key := repeatKey{e.Event, e.Actor.Address, e.Actor.ID + e.TargetID + e.TargetName}
	x, known := r.seen[key]
	if known && now.Sub(x.since) < repeatWindow {
		x.more++
		return 0, false
	}
	if r.rows >= repeatRows || !known && len(r.seen) >= repeatsKept {
		// Too many different ones: they are counted together.
		key = repeatKey{event: e.Event}
		if x, known = r.seen[key]; known && now.Sub(x.since) < repeatWindow {
			x.more++
			return 0, false
		}
	}
	if known {
		before = x.more
	}
	if r.seen == nil {
		r.seen = map[repeatKey]*repeat{}
	}
	r.seen[key] = &repeat{first: *e, since: now}
	r.rows++
	return before, true
}

// due takes out what was counted in windows that began at a time or before, zero: in all.
func (r *repeats) due(began time.Time) map[repeatKey]*repeat {
	r.mu.Lock()
	defer r.mu.Unlock()
	counted := map[repeatKey]*repeat{}
	for key, x := range r.seen {
		if !began.IsZero() && x.since.After(began) {
			continue
		}
		delete(r.seen, key)
		if x.more > 0 {
			counted[key] = x
		}
	}
	return counted
}

// putBack counts again what could not be written.
func (r *repeats) putBack(counted map[repeatKey]*repeat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, x := range counted {
		if known, ok := r.seen[key]; ok {
			known.more += x.more
			continue
		}
		if len(r.seen) < repeatsKept {
			r.seen[key] = x
		}
	}
}

// withRepeats adds to a detail how many more there were.
func withRepeats(detail json.RawMessage, more int64) json.RawMessage {
	members := map[string]any{}
	_ = json.Unmarshal(detail, &members) // what is no object is left out
	members["repeated"] = more
	return encode(members)
}

// writeRepeats writes down what was counted, every minute, until ctx ends.
func (s *Store) writeRepeats(ctx context.Context) error {
	ticker := time.NewTicker(repeatWindow)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		s.flushRepeats(ctx, s.opts.Now().Add(-repeatWindow))
	}
}

// flushRepeats writes down what was counted in windows that began at a time or before, zero: in
// all. What cannot be written now is counted on.
func (s *Store) flushRepeats(ctx context.Context, began time.Time) {
	counted := s.repeats.due(began)
	if len(counted) == 0 {
		return
	}
	list := make([]point.AuditEntry, 0, len(counted))
	for _, x := range counted {
		e := x.first
		e.Detail = withRepeats(e.Detail, x.more)
		list = append(list, e)
	}
	if err := s.writeAudit(ctx, list...); err != nil {
		s.repeats.putBack(counted)
		if began.IsZero() {
			s.opts.Log.Error("refusals that were counted could not be written to the audit trail before the end; their counts are lost", "entries", len(list), "error", err)
		} else if ctx.Err() == nil { // or Close tries once more
			s.opts.Log.Error("refusals that were counted could not be written to the audit trail; they are tried again", "entries", len(list), "error", err)
		}
	}
}

// lastRepeats writes down all that was counted, before the databases are closed.
func (s *Store) lastRepeats() {
	ctx, cancel := context.WithTimeout(context.Background(), lastRepeatsTime)
	defer cancel()
	s.flushRepeats(ctx, time.Time{})
}
