package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"point"
	"point/internal/panics"
)

// passwordCost is what hashing a password takes: 64 MiB and two passes.
var passwordCost = argon2id.Params{Memory: 64 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// HashPassword is the form in which a password is stored: argon2id, as a PHC string. It
// takes 64 MiB of memory for a moment.
func HashPassword(password point.Secret) (string, error) {
	hash, err := argon2id.CreateHash(password.Reveal(), &passwordCost)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// What guessing is held to. Failures are counted for a window, which begins with the first.
const (
	maxFailures        = 10  // of one subject from one address
	maxAddressFailures = 100 // of one address, whatever the subject
	failureWindow      = 15 * time.Minute
	maxCounted         = 100_000 // counters kept
	passwordsAtOnce    = 2
	passwordQueue      = 10 * time.Second // how long a sign-in waits for its turn
)

// gate slows down those who guess passwords and set-up tokens, and bounds what hashing may
// take of the machine.
type gate struct {
	now   func() time.Time
	slots chan struct{}
	queue time.Duration          // passwordQueue
	free  func()                 // gives memory back to the system
	decoy func() (string, error) // a hash that no password has, for users that do not exist

	mu       sync.Mutex
	freeing  *time.Timer // nil: nothing is to be given back
	failures map[string]counter
	room     int // counters until the next tidying
}

type counter struct {
	count, limit int
	since        time.Time
}

// closed counters refuse tries. Such a one is kept while its window lasts.
func (c counter) closed() bool { return c.count >= c.limit }

func newGate(now func() time.Time) *gate {
	return &gate{
		now: now, slots: make(chan struct{}, passwordsAtOnce), queue: passwordQueue, free: debug.FreeOSMemory, failures: map[string]counter{}, room: maxCounted,
		decoy: sync.OnceValues(func() (string, error) { return HashPassword(point.NewSecret("")) }),
	}
}

// try takes a try of subject from address, before it is known whether it fails: parallel
// tries count too. first is true for the one that closed the gate. After a success, forget.
func (g *gate) try(subject, address string) (wait time.Duration, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tidy()
	if wait, first = g.count(network(address), maxAddressFailures); wait > 0 {
		return wait, first // and no counter more for who is stopped already
	}
	return g.count(subject+"\x00"+network(address), maxFailures)
}

// network is what one guesser holds: an IPv4 address or an IPv6 /64.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Is4() {
		return address
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

func (g *gate) count(key string, limit int) (wait time.Duration, first bool) {
	now := g.now()
	c := g.failures[key]
	if now.Sub(c.since) >= failureWindow {
		c = counter{limit: limit, since: now}
	}
	c.count++
	g.failures[key] = c
	if c.count <= limit {
		return 0, false
	}
	return failureWindow - now.Sub(c.since), c.count == limit+1
}

// forget takes back the tries of subject from address.
func (g *gate) forget(subject, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	address = network(address)
	own := g.failures[subject+"\x00"+address]
	delete(g.failures, subject+"\x00"+address)
	if c, ok := g.failures[address]; ok {
		c.count = max(0, c.count-own.count)
		g.failures[address] = c
	}
}

// tidy makes room when there are too many counters: those whose window is over go, and if
// that is not enough the oldest open ones, to nine tenths. A closed one never goes, or who
// guesses could open the gate again by filling it.
func (g *gate) tidy() {
	if len(g.failures) < g.room {
		return
	}
	now := g.now()
	var open []string
	for key, c := range g.failures {
		switch {
		case now.Sub(c.since) >= failureWindow:
			delete(g.failures, key)
		case !c.closed():
			open = append(open, key)
		}
	}
	const keep = maxCounted * 9 / 10
	slices.SortFunc(open, func(a, b string) int { return g.failures[a].since.Compare(g.failures[b].since) })
	for _, key := range open[:min(len(open), max(0, len(g.failures)-keep))] {
		delete(g.failures, key)
	}
	g.room = max(maxCounted, len(g.failures)+maxCounted/10)
}

// matches compares a password with a hash, in its turn. An empty hash takes as long and
// never matches.
func (g *gate) matches(ctx context.Context, password, hash string) (bool, error) {
	decoy, err := g.decoy() // made for everybody's first try, so that it tells nothing
	if err != nil {
		return false, err
	}
	known := hash != ""
	if !known {
		hash = decoy
	}
	leave, err := g.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return ok && known, nil
}

// hash hashes a password, in its turn.
func (g *gate) hash(ctx context.Context, password string) (string, error) {
	leave, err := g.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return HashPassword(point.NewSecret(password))
}

// enter waits for a slot.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, g.queue)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		return func() {
			<-g.slots
			g.freeLater()
		}, nil
	case <-ctx.Done():
		return nil, retryAfter(http.StatusServiceUnavailable, 5*time.Second, "Many people are signing in at this moment. Try again in a few seconds.").as(codeBusy)
	}
}

// freeAfter is how long after a hash its memory is given back, so that those that follow each
// other share it.
const freeAfter = time.Second

// freeLater gives back what hashing took: the next collection would be far away.
func (g *gate) freeLater() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.freeing == nil {
		g.freeing = time.AfterFunc(freeAfter, func() {
			defer panics.Catch(nil, "giving memory back", nil)
			g.free()
		})
		return
	}
	g.freeing.Reset(freeAfter)
}
