package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestRate: each user has requests of their own, an address without a credential has fewer, and
// both come back with time.
func TestRate(t *testing.T) {
	w := newWorld(t).withUsers()
	w.api.limiter.perSecond = 10
	burst := func(send func() answer) (taken int, last answer) {
		for last = send(); last.status != http.StatusTooManyRequests && taken < 1000; last = send() {
			taken++
		}
		return taken, last
	}
	read := func(role string) func() answer {
		return func() answer { return w.do(role, http.MethodGet, "/api/aliases", "") }
	}
	taken, last := burst(read(owned))
	if taken != 40 || last.header.Get("Retry-After") != "1" {
		t.Errorf("%d requests at once, then %v", taken, last)
	}
	if a := w.do(viewing, http.MethodGet, "/api/aliases", ""); a.status != http.StatusOK {
		t.Error("another user is held to it too", a)
	}
	for name, send := range map[string]func() answer{
		"192.0.2.1": func() answer { return w.do("", http.MethodGet, "/api/aliases", "") },
		"192.0.2.2": func() answer {
			r := request(http.MethodGet, "/api/openapi.json", "garbage", "")
			r.RemoteAddr = "192.0.2.2:1"
			return w.send(r)
		},
	} {
		if taken, _ := burst(send); taken != 16 {
			t.Errorf("%s: %d requests without a credential", name, taken)
		}
	}
	w.clock.add(time.Second)
	if taken, _ := burst(read(owned)); taken != 10 {
		t.Errorf("%d requests after a second", taken)
	}
	w.api.limiter.perSecond = 0
	if taken, _ := burst(read(owned)); taken != 1000 {
		t.Error("there is a limit of", taken)
	}
}

// TestRateIsBounded: many addresses take no memory without end.
func TestRateIsBounded(t *testing.T) {
	l := &limiter{perSecond: 10}
	now := time.Now()
	for i := range 3 * rateKept {
		l.wait(fmt.Sprint(i), addressShare, now)
	}
	if len(l.callers) > rateKept {
		t.Error(len(l.callers))
	}
}
