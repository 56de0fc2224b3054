package gateway

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"point"
)

// LimitOptions are what Limits need. All fields are required but Now.
type LimitOptions struct {
	Config  point.Snapshots
	History point.KeyHistory
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Limits hold the client keys of one process to their limits. What a key uses is kept in
// memory, under a lock of its own; the limits themselves come with each call, so that a change
// holds from the next request on.
//
// Requests and tokens a minute are those of the last 60 seconds, counted by the second.
// Budgets are those of the calendar day and month in UTC in which a request was admitted; what
// was spent before this process began is read from the history by Run.
type Limits struct {
	options LimitOptions
	shards  [shards]shard
	seed    maphash.Seed
	wake    chan struct{}
	fresh   atomic.Bool // there is state whose past is not known

	loading sync.Mutex      // guards what is below
	seen    *point.Snapshot // whose keys are known
	limited map[string]bool // ids of its keys that have limits
	failing bool            // the history cannot be read
}

const shards = 64

// shard holds the state of some keys, by id.
type shard struct {
	mu   sync.RWMutex
	keys map[string]*keyState
}

// NewLimits makes Limits.
func NewLimits(o LimitOptions) *Limits {
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Limits{options: o, seed: maphash.MakeSeed(), wake: make(chan struct{}, 1)}
	for i := range l.shards {
		l.shards[i].keys = map[string]*keyState{}
	}
	return l
}

// Admit takes what call needs from all limits of its key in one step, or nothing: then the
// error is a *point.Error with RateLimited or KeyBudgetExceeded. The standing is that after
// the step. It makes no database call.
func (l *Limits) Admit(_ context.Context, call *point.Call, need point.Need) (point.Lease, point.Standing, error) {
	now := l.options.Now()
	for {
		s := l.state(call.Key.ID, call.Start)
		s.mu.Lock()
		if s.gone { // swept between the two lines above
			s.mu.Unlock()
			continue
		}
		lease, err := s.admit(&call.Key.Limits, need, now)
		standing := s.standing(&call.Key.Limits, now)
		s.mu.Unlock()
		if err != nil {
			return nil, standing, err
		}
		lease.start = call.Start
		return lease, standing, nil
	}
}

// Full refuses call if Admit would refuse any request of its key, even one that costs nothing. It
// takes nothing. State that was swept meanwhile has used nothing, and refuses nothing.
func (l *Limits) Full(call *point.Call) (point.Standing, error) {
	s, now := l.state(call.Key.ID, call.Start), l.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := &call.Key.Limits
	s.ready(now)
	if e := s.refusal(limits, point.Spend{Tokens: 1}, now); e != nil {
		return s.standing(limits, now), e
	}
	return s.standing(limits, now), nil
}

// KeyUsage is what key uses of its limits.
func (l *Limits) KeyUsage(key *point.Key) point.KeyUsage {
	sh := l.shard(key.ID)
	sh.mu.RLock()
	s, ok := sh.keys[key.ID]
	sh.mu.RUnlock()
	if !ok {
		return point.KeyUsage{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(l.options.Now())
	u := point.KeyUsage{Day: s.day.spent, Month: s.month.spent, Open: s.open}
	if s.minute != nil {
		u.RequestsMinute, u.TokensMinute = s.minute.requests.sum, s.minute.tokens.sum
	}
	return u
}

func (l *Limits) shard(id string) *shard {
	return &l.shards[maphash.String(l.seed, id)%shards]
}

// state is the state of a key. If there is none yet it is made, to count what arrived at since
// and later, and Run is asked to find what was before.
func (l *Limits) state(id string, since time.Time) *keyState {
	sh := l.shard(id)
	sh.mu.RLock()
	s, ok := sh.keys[id]
	sh.mu.RUnlock()
	if ok {
		return s
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s, ok = sh.keys[id]; ok {
		return s
	}
	s = &keyState{limits: l, since: since}
	sh.keys[id] = s
	l.ask()
	return s
}

// ask has Run look for what states spent before they were watched.
func (l *Limits) ask() {
	l.fresh.Store(true)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
