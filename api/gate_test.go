package api

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestGuessing(t *testing.T) {
	w := newWorld(t).withUsers()
	var tries atomic.Int64
	try := func(email, pass, from string) answer {
		r := request(http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, email, pass))
		r.RemoteAddr = from + ":1234"
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.0.%d.1", tries.Add(1)%250))
		return w.send(r)
	}
	statuses := parallel(20, func(int) int { return try("owner@example.com", "wrong", "192.0.2.1").status })
	if statuses[401] != maxFailures || statuses[429] != 10 {
		t.Error(statuses)
	}
	if n := w.alerts.count(AlertGuessing); n != 1 {
		t.Errorf("%d alerts", n)
	}
	a := try("owner@example.com", password, "192.0.2.1")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Error("the right password is let through the closed gate", a)
	}
	if a := try("owner@example.com", password, "192.0.2.2"); a.status != http.StatusOK {
		t.Error("another address is held to it too", a)
	}
	w.clock.add(failureWindow)
	if a := try("owner@example.com", password, "192.0.2.1"); a.status != http.StatusOK {
		t.Error("the gate stays closed", a)
	}
	statuses = parallel(maxAddressFailures+20, func(i int) int { return try(fmt.Sprintf("u%d@example.com", i), "wrong", "192.0.2.3").status })
	if statuses[401] != maxAddressFailures || statuses[429] != 20 {
		t.Error("spraying", statuses)
	}
	for i := range maxFailures + 1 {
		a = try("viewer@example.com", "wrong", fmt.Sprintf("[2001:db9::%d]", i+1))
	}
	if a.status != http.StatusTooManyRequests {
		t.Error("an IPv6 network has many addresses", a)
	}
	if got := slices.Sorted(maps.Keys(w.alerts.subjects)); !slices.Equal(got, []string{"192.0.2.1", "192.0.2.3", "2001:db9::/64"}) {
		t.Error("alerts are about what was guessed, not about who guesses", got)
	}
}

func TestGateForgets(t *testing.T) {
	now := time.Now()
	g := newGate(func() time.Time { return now })
	for range 3 {
		for range maxFailures - 1 {
			if wait, _ := g.try("a", "1.2.3.4"); wait != 0 {
				t.Fatal(wait)
			}
		}
		g.forget("a", "1.2.3.4")
	}
	if c := g.failures["1.2.3.4"]; c.count != 0 {
		t.Error(c)
	}
}

// TestGateIsFilled: counters beyond number make no gate open again, and the newest stay.
func TestGateIsFilled(t *testing.T) {
	now := time.Now()
	g := newGate(func() time.Time { return now })
	for range maxFailures + 1 {
		g.try("closed", "1.2.3.4")
	}
	fill := func(from int) {
		for i := range maxCounted/2 + 100 {
			now = now.Add(time.Millisecond)
			addr := netip.AddrFrom4([4]byte{byte(from + i>>24), byte(i >> 16), byte(i >> 8), byte(i)})
			g.try("a", addr.String())
		}
	}
	fill(10)
	if len(g.failures) > maxCounted+2 {
		t.Error(len(g.failures))
	}
	if wait, _ := g.try("closed", "1.2.3.4"); wait == 0 {
		t.Error("a closed gate was opened by filling it")
	}
	last := netip.AddrFrom4([4]byte{10, byte((maxCounted/2 + 99) >> 16), byte((maxCounted/2 + 99) >> 8 & 0xff), byte((maxCounted/2 + 99) & 0xff)})
	if g.failures["a\x00"+last.String()].count != 1 {
		t.Error("the newest counter is gone")
	}
	now = now.Add(failureWindow)
	fill(11)
	if _, ok := g.failures["closed\x001.2.3.4"]; ok || len(g.failures) > maxCounted+2 {
		t.Error("what is over is kept", len(g.failures))
	}
}

// TestHashingGivesItsMemoryBack, once for those that follow each other.
func TestHashingGivesItsMemoryBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Now)
		var freed atomic.Int64
		g.free = func() { freed.Add(1) }
		for round := range int64(2) {
			for range 3 {
				leave, err := g.enter(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				leave()
			}
			if n := freed.Load(); n != round {
				t.Errorf("freed %d times at once", n)
			}
			<-time.After(2 * freeAfter)
			if n := freed.Load(); n != round+1 {
				t.Errorf("freed %d times, want %d", n, round+1)
			}
		}
	})
}
