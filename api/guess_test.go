package api

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
)

// guesser is somebody who tries, and the lies that come with each try.
type guesser struct {
	w    *world
	from string // the address of the connection
	n    int
}

// guess sends a try and reports whether it was let through to be judged.
func (g *guesser) guess(method, url, token, body string) (answer, bool) {
	g.w.t.Helper()
	g.n++
	r := request(method, url, token, body)
	r.RemoteAddr = g.from
	random := netip.AddrFrom4([4]byte{198, 51, byte(g.n >> 8), byte(g.n)}).String()
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip"} {
		r.Header.Set(header, random)
	}
	r.Header.Set("Forwarded", "for="+random)
	r.Header.Set("User-Agent", random)
	a := g.w.send(r)
	return a, a.status != http.StatusTooManyRequests
}

// spellings are ways to write an address that sign in the same user.
func spelling(email string, i int) string {
	return []string{email, strings.ToUpper(email), " " + email, email + "  ", "\t" + strings.ToUpper(email[:1]) + email[1:]}[i%5]
}

// TestGuesses tries passwords, set-up and invitation tokens from one address, with whatever may
// make it look like many: no more are judged than are written, and the right one is not either.
func TestGuesses(t *testing.T) {
	tries := times(300, 5000)
	login := func(email string, i int) string {
		return fmt.Sprintf(`{"email":%q,"password":%q}`, spelling(email, i), fmt.Sprint("wrong ", i))
	}
	for name, c := range map[string]struct {
		url   string
		body  func(i int) string
		empty bool // of users
		limit int
		right func(w *world) string
	}{
		"one user's password": {"/api/auth/login", func(i int) string { return login("owner@example.com", i) }, false, maxFailures,
			func(*world) string { return `{"email":"owner@example.com","password":"` + password + `"}` }},
		"many users' passwords": {"/api/auth/login", func(i int) string { return login(fmt.Sprintf("u%d@example.com", i), i) }, false, maxAddressFailures,
			func(*world) string { return `{"email":"owner@example.com","password":"` + password + `"}` }},
		"set-up token": {"/api/setup", func(i int) string {
			return fmt.Sprintf(`{"token":"guess%d","email":"u%d@example.com","password":%q}`, i, i, password)
		}, true, maxFailures, func(w *world) string {
			token, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
			w.must(err)
			return fmt.Sprintf(`{"token":%q,"email":"a@example.com","password":%q}`, token.Reveal(), password)
		}},
		"invitation": {"/api/auth/accept", func(i int) string { return fmt.Sprintf(`{"token":"guess%d","password":%q}`, i, password) }, false, maxFailures, func(w *world) string {
			w.tokens[owned] = w.signIn(w.users[owned]) // time has gone on
			var made Invitation
			w.do(owned, http.MethodPost, "/api/users/"+w.users[viewing].ID+"/invitation", "").into(t, &made)
			return fmt.Sprintf(`{"token":%q,"password":%q}`, made.Token, password)
		}},
	} {
		w := newWorld(t)
		if !c.empty {
			w.withUsers()
		}
		g := &guesser{w: w, from: "192.0.2.66:1234"}
		judged := 0
		for i := range tries {
			a, through := g.guess(http.MethodPost, c.url, "", c.body(i))
			if through {
				judged++
			} else if a.header.Get("Retry-After") == "" {
				t.Error(name, a)
			}
			w.clock.add(failureWindow / time.Duration(2*tries))
		}
		if judged != c.limit {
			t.Errorf("%s: of %d tries %d were judged, want %d", name, tries, judged, c.limit)
		}
		if a, through := g.guess(http.MethodPost, c.url, "", c.right(w)); through {
			t.Error(name, "the right one is let through", a)
		}
		w.clock.add(failureWindow)
		if a, _ := g.guess(http.MethodPost, c.url, "", c.right(w)); a.status != http.StatusOK {
			t.Error(name, "the gate stays closed", a)
		}
		t.Logf("%s: %d tries, %d judged", name, tries, judged)
	}
}

// TestGuessesBehindProxy: behind a trusted proxy the address is the one that the proxy saw,
// whatever its client wrote before it; others behind the proxy go on.
func TestGuessesBehindProxy(t *testing.T) {
	w := newWorld(t).withUsers()
	w.api.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	try := func(forwarded, pass string) int {
		r := request(http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":"owner@example.com","password":%q}`, pass), "X-Forwarded-For", forwarded)
		r.RemoteAddr = "10.0.0.1:1"
		return w.send(r).status
	}
	statuses := map[int]int{}
	for i := range times(200, 2000) {
		statuses[try(fmt.Sprintf("198.51.100.%d, 10.0.0.%d, 203.0.113.7", i%250, i%250), "wrong")]++
	}
	if statuses[http.StatusUnauthorized] != maxFailures {
		t.Error(statuses)
	}
	for _, forwarded := range []string{"203.0.113.7", "x, 203.0.113.7", "203.0.113.7, 10.0.0.9", "::ffff:203.0.113.7", "203.0.113.8, 203.0.113.7"} {
		if status := try(forwarded, password); status != http.StatusTooManyRequests {
			t.Errorf("%s: %d", forwarded, status)
		}
	}
	if status := try("203.0.113.7, 203.0.113.8", password); status != http.StatusOK {
		t.Error("another one behind the proxy is held to it too", status)
	}
}

// TestGuessesOfTokens: credentials of nobody are bounded by the address of the connection; whoever
// has a good one at that address goes on.
func TestGuessesOfTokens(t *testing.T) {
	w := newWorld(t).withUsers()
	const perSecond = 50
	w.api.limiter.perSecond = perSecond
	g := &guesser{w: w, from: "192.0.2.66:1234"}
	judged, seconds := 0, times(4, 40)
	for second := range seconds {
		for i := range 200 {
			token := fmt.Sprintf("%s%032X", []string{userTokenPrefix, keyPrefix, "x", "eyJhbGciOiJFZERTQSJ9."}[i%4], second*1000+i)
			a, through := g.guess(http.MethodGet, "/api/auth/me", token, "")
			if through {
				judged++
			}
			if a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests {
				t.Error(a)
			}
		}
		if second%10 == 0 {
			if a, through := g.guess(http.MethodGet, "/api/auth/me", w.tokens[viewing], ""); !through {
				t.Error("who has signed in is held to it too", a)
			}
		}
		w.clock.add(time.Second)
	}
	if most := (seconds + rateBurst) * perSecond * 2 / 5; judged > most {
		t.Errorf("%d were judged in %d s, want at most %d", judged, seconds, most)
	}
}

// TestGuessesByManyAddresses: tries that come at once, from everywhere, hash no more than two
// passwords at a time, and so take a bounded part of the memory.
func TestGuessesByManyAddresses(t *testing.T) {
	cost := passwordCost
	defer func() { passwordCost = cost }()
	passwordCost.Memory = uint32(times(8, 64) << 10) // at full length: what it is in earnest
	w := newWorld(t).withUsers()
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	ended, peak := make(chan struct{}), uint64(0)
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			}
		}
	})
	statuses := parallel(100, func(i int) int {
		r := request(http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":"u%d@example.com","password":"wrong"}`, i))
		r.RemoteAddr = fmt.Sprintf("203.0.%d.%d:1", i/250, i%250)
		return w.send(r).status
	})
	close(ended)
	watch.Wait()
	grown := (peak - min(peak, before.HeapInuse)) >> 20
	const collected = 64 // MiB: what the collector lags behind
	if most := 6*passwordCost.Memory>>10 + collected; grown > uint64(most) {
		t.Errorf("the heap grew by %d MiB, want at most %d", grown, most)
	}
	if statuses[http.StatusUnauthorized]+statuses[http.StatusServiceUnavailable] != 100 {
		t.Error(statuses)
	}
	t.Logf("%v, the heap grew by %d MiB", statuses, grown)
}

// TestGuessesTakeAsLong: at full length, who is unknown is answered neither faster nor slower than
// who is known.
func TestGuessesTakeAsLong(t *testing.T) {
	if !*full {
		return // a shared machine is too noisy for few
	}
	cost := passwordCost
	defer func() { passwordCost = cost }()
	passwordCost.Memory = 8 << 10
	w := newWorld(t).withUsers()
	took := map[string][]time.Duration{}
	for i := range 2000 {
		email := []string{"owner@example.com", "nobody@example.com"}[rand.IntN(2)] // what others leave behind falls on both
		r := request(http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":"wrong"}`, email))
		r.RemoteAddr = fmt.Sprintf("203.%d.%d.1:1", rand.IntN(250), i/8)
		began := time.Now()
		a := w.send(r)
		if took[email] = append(took[email], time.Since(began)); a.status != http.StatusUnauthorized {
			t.Fatal(a)
		}
	}
	median := func(email string) time.Duration {
		slices.Sort(took[email])
		return took[email][len(took[email])/2]
	}
	known, unknown := median("owner@example.com"), median("nobody@example.com")
	all := took["owner@example.com"]
	quarter := all[len(all)*3/4] - all[len(all)/4] // the noise
	if (known - unknown).Abs() > quarter/4 {
		t.Errorf("known %v, unknown %v, the middle half of them spreads over %v", known, unknown, quarter)
	}
	t.Logf("known %v, unknown %v, the middle half of them spreads over %v", known, unknown, quarter)
}

// TestGuessesOfOnesPassword: a stolen session does not help to find the password that it was made
// with.
func TestGuessesOfOnesPassword(t *testing.T) {
	w := newWorld(t).withUsers()
	g := &guesser{w: w, from: "192.0.2.66:1234"}
	judged := 0
	for i := range 50 {
		if _, through := g.guess(http.MethodPut, "/api/auth/password", w.tokens[owned], fmt.Sprintf(`{"current":"wrong %d","new":"0123456789abc"}`, i)); through {
			judged++
		}
	}
	if _, through := g.guess(http.MethodPost, "/api/auth/login", "", `{"email":"owner@example.com","password":"`+password+`"}`); judged != maxFailures || through {
		t.Errorf("%d were judged, a sign-in after them: %v", judged, through)
	}
	if n := w.countOf(point.AuditPasswordFailed); n < 1 {
		t.Error("the audit trail says nothing")
	}
}
