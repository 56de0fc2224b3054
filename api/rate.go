package api

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"point"
)

// What /api takes of one address whose requests are of nobody who is signed in, in parts of
// what it takes of one user: 20 a second where a user has 50.
const addressShare = 0.4

const (
	rateBurst = 4      // seconds of requests that may come at once
	rateKept  = 20_000 // callers whose requests are counted
)

// limiter bounds how many requests each caller sends. A caller is a user, or an address whose
// requests carry no valid credential.
type limiter struct {
	perSecond float64 // of one user; 0: no limit
	mu        sync.Mutex
	callers   map[string]bucket
}

// bucket holds what a caller may still send at once; it fills up again as time goes by.
type bucket struct {
	tokens float64
	at     time.Time
}

// wait is how long a caller has to wait before the next request, 0 if it may come now. share is
// the caller's part of what a user has.
func (l *limiter) wait(caller string, share float64, now time.Time) time.Duration {
	if l.perSecond <= 0 {
		return 0
	}
	perSecond := l.perSecond * share
	full := max(1, perSecond*rateBurst)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.callers[caller]
	if !known {
		l.tidy(now)
		b = bucket{tokens: full, at: now}
	}
	b.tokens = min(full, b.tokens+max(0, now.Sub(b.at).Seconds())*perSecond)
	b.at = now
	var wait time.Duration
	if b.tokens >= 1 {
		b.tokens--
	} else {
		wait = time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	l.callers[caller] = b
	return wait
}

// tidy makes room when there are too many callers: those whose buckets are full again go, and
// if that is not enough all others.
func (l *limiter) tidy(now time.Time) {
	if l.callers == nil {
		l.callers = map[string]bucket{}
	}
	if len(l.callers) < rateKept {
		return
	}
	maps.DeleteFunc(l.callers, func(_ string, b bucket) bool { return now.Sub(b.at) > rateBurst*time.Second })
	if len(l.callers) >= rateKept {
		clear(l.callers)
	}
}

// paced refuses a request that comes too soon after those before it.
func (a *API) paced(actor point.Actor) error {
	caller, share := actor.ID, 1.0
	if caller == "" {
		caller, share = network(actor.Address), addressShare
	}
	if wait := a.limiter.wait(caller, share, a.Now()); wait > 0 {
		return retryAfter(http.StatusTooManyRequests, wait, "Too many requests to /api. Wait before the next one, or raise POINT_API_RATE.")
	}
	return nil
}
