package gateway

import (
	"context"
	"time"
)

const (
	lookEvery  = time.Second      // how soon a new limit is prepared for
	retryAfter = 5 * time.Second  // to read the history again that could not be read
	sweepEvery = time.Minute      // state that is not needed is dropped
	readLimit  = 30 * time.Second // of one look into the history
	fewKeys    = 100              // up to so many are asked for by id
)

// Run finds what keys spent before their limits were watched here, and drops the state of keys
// that are gone or idle, until ctx ends.
func (l *Limits) Run(ctx context.Context) error {
	look, sweep := time.NewTicker(lookEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer sweep.Stop()
	var next time.Time // not to be read before
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		case <-look.C:
		case <-sweep.C:
			l.sweep()
		}
		if now := time.Now(); now.After(next) && l.Load(ctx) != nil {
			next = now.Add(retryAfter)
		}
	}
}

// Load reads what keys with limits spent this day and month before they were watched here. It
// is called once before the first request is served, then by Run.
func (l *Limits) Load(ctx context.Context) error {
	l.loading.Lock()
	defer l.loading.Unlock()
	l.look()
	if !l.fresh.Swap(false) {
		return nil
	}
	unread := l.unread()
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	var err error
	for since, states := range unread {
		if err = l.read(ctx, since, states); err != nil {
			l.fresh.Store(true)
			break
		}
	}
	if failed := err != nil && ctx.Err() != context.Canceled; failed != l.failing {
		l.failing = failed
		l.report(err)
	}
	return err
}

func (l *Limits) report(err error) {
	if err != nil {
		l.options.Log.Warn("what client keys have spent could not be read; their budgets count from now on until it can", "error", err)
		return
	}
	l.options.Log.Info("what client keys have spent is known")
}

// look makes the state of keys that have limits, if the configuration has changed.
func (l *Limits) look() {
	snapshot := l.options.Config.Snapshot()
	if snapshot == l.seen {
		return
	}
	now := l.options.Now()
	limited := map[string]bool{}
	for _, key := range snapshot.Keys {
		if !key.Limits.None() {
			limited[key.ID] = true
			l.state(key.ID, now)
		}
	}
	l.seen, l.limited = snapshot, limited
}

// unread are the states whose past is not known, by the time at which it ends, then by id.
func (l *Limits) unread() map[time.Time]map[string]*keyState {
	out := map[time.Time]map[string]*keyState{}
	l.each(func(id string, s *keyState) {
		if s.read {
			return
		}
		if out[s.since] == nil {
			out[s.since] = map[string]*keyState{}
		}
		out[s.since][id] = s
	})
	return out
}

// read adds what states spent this day and month before since.
func (l *Limits) read(ctx context.Context, since time.Time, states map[string]*keyState) error {
	var ids []string
	if len(states) <= fewKeys {
		for id := range states {
			ids = append(ids, id)
		}
	}
	now := l.options.Now()
	day, month := dayOf(now), monthOf(now)
	today, err := l.options.History.KeyCosts(ctx, ids, dayStart(day), since)
	if err != nil {
		return err
	}
	thisMonth, err := l.options.History.KeyCosts(ctx, ids, monthStart(month), since)
	if err != nil {
		return err
	}
	for id, s := range states {
		s.mu.Lock()
		if s.roll(now); s.since.Equal(since) { // else the clock went back meanwhile
			s.day.settle(day, 0, today[id])
			s.month.settle(month, 0, thisMonth[id])
			s.read = true
		}
		s.mu.Unlock()
	}
	return nil
}

// sweep drops the state of keys that are gone or have no limits, and the minutes of idle ones.
func (l *Limits) sweep() {
	l.loading.Lock()
	defer l.loading.Unlock()
	l.look()
	now := l.options.Now()
	var gone []string
	l.each(func(id string, s *keyState) {
		s.roll(now)
		switch {
		case s.open > 0:
		case !l.limited[id]:
			s.gone = true
			gone = append(gone, id)
		case s.minute != nil && s.minute.requests.sum == 0 && s.minute.tokens.sum == 0:
			s.minute = nil
		}
	})
	for _, id := range gone {
		sh := l.shard(id)
		sh.mu.Lock()
		delete(sh.keys, id)
		sh.mu.Unlock()
	}
}

// each calls fn with every state, locked.
func (l *Limits) each(fn func(id string, s *keyState)) {
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.RLock()
		for id, s := range sh.keys {
			s.mu.Lock()
			fn(id, s)
			s.mu.Unlock()
		}
		sh.mu.RUnlock()
	}
}
