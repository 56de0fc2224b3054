package document_test

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// pair are two stores on one PostgreSQL: one that changes the configuration, and one that
// follows, as a user of its own.
type pair struct {
	here, there *store.Store
	twins       *twins
	raw         *sql.DB
}

// follower is the user of the store that follows.
const follower = "follower"

// makePair opens both. If it is mute, notifications of a change reach nobody.
func makePair(tb testing.TB, size int, mute bool) *pair {
	tb.Helper()
	address := pgtest.Database(tb)
	raw, err := sql.Open("pgx", address)
	ok(tb, err)
	tb.Cleanup(func() { _ = raw.Close() })
	run := func(statement string) {
		tb.Helper()
		_, err := raw.Exec(statement)
		ok(tb, err)
	}
	run(`DO $$ BEGIN CREATE ROLE follower SUPERUSER LOGIN PASSWORD 'throw-away'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
	if mute { // a function of the same name is found first, and does nothing
		run(`CREATE SCHEMA mute`)
		run(`CREATE FUNCTION mute.pg_notify(TEXT, TEXT) RETURNS VOID LANGUAGE SQL AS ''`)
	}
	opts := store.Options{DatabaseURL: address, MasterKey: seal.NewMaster()}
	elsewhere := opts
	elsewhere.DatabaseURL = with(tb, address, func(u *url.URL) { u.User = url.UserPassword(follower, "throw-away") })
	if mute {
		opts.DatabaseURL = with(tb, address, func(u *url.URL) {
			q := u.Query()
			q.Set("search_path", "public,mute,pg_catalog")
			u.RawQuery = q.Encode()
		})
	}
	p := &pair{here: openWith(tb, opts), there: openWith(tb, elsewhere), raw: raw}
	p.twins = makeTwins(tb, p.here, size)
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- p.there.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		ok(tb, <-done)
	})
	p.arrives(tb)
	return p
}

func with(tb testing.TB, address string, change func(*url.URL)) string {
	tb.Helper()
	u, err := url.Parse(address)
	ok(tb, err)
	change(u)
	return u.String()
}

// arrives waits until the follower has what is live, and tells how long that took.
func (p *pair) arrives(tb testing.TB) time.Duration {
	tb.Helper()
	start := time.Now()
	eventually(tb, "the other store has the configuration", func() bool { return p.there.Snapshot().Version == p.here.Snapshot().Version })
	return time.Since(start)
}

const endFollower = `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()`

// disconnect ends all connections of the follower, again and again, until heal is called.
func (p *pair) disconnect(t *testing.T) (heal func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		total := 0
		for ctx.Err() == nil {
			var ended int
			if err := p.raw.QueryRow(endFollower, follower).Scan(&ended); err != nil {
				t.Error(err)
				break
			}
			total += ended
		}
		done <- total
	}()
	return func() {
		t.Helper()
		cancel()
		if <-done == 0 {
			t.Error("the follower had no connection")
		}
	}
}

// TestFollowsActivations: a store follows another's activations, each whole: told of them, when
// what it is told gets lost, and when its connections are cut in between.
func TestFollowsActivations(t *testing.T) {
	for name, c := range map[string]struct {
		mute, cut bool
		times     int
	}{
		"told":         {false, false, 6},
		"not told":     {true, false, 2},
		"cut off":      {false, true, 2},
		"cut and mute": {true, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := makePair(t, 10, c.mute)
			var stop atomic.Bool
			seen := make(chan map[string]int)
			go func() { seen <- p.watch(&stop) }()
			var took []time.Duration
			for i := range c.times {
				healed := func() {}
				if c.cut {
					healed = p.disconnect(t)
				}
				activateTwin(t, p.here, []string{"a", "b"}[i%2])
				healed()
				took = append(took, p.arrives(t))
				if got := p.twins.side(p.there.Snapshot()); got != []string{"a", "b"}[i%2] {
					t.Fatalf("the other store has %s", got)
				}
			}
			stop.Store(true)
			sides := <-seen
			for side := range sides {
				if side != "a" && side != "b" {
					t.Errorf("the other store had %s", side)
				}
			}
			slices.Sort(took)
			t.Logf("%d activations, each there after %s (median), %s at most; snapshots seen: %v", len(took), took[len(took)/2], took[len(took)-1], sides)
		})
	}
}

// watch looks at every snapshot of the follower until stop.
func (p *pair) watch(stop *atomic.Bool) map[string]int {
	sides := map[string]int{}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	var last *point.Snapshot
	for !stop.Load() {
		if snap := p.there.Snapshot(); snap != last {
			sides[p.twins.side(snap)]++
			last = snap
		}
		<-ticker.C
	}
	return sides
}

// BenchmarkFollow measures the time from the end of an activation of 200 providers until another
// store has it, told of it and not.
func BenchmarkFollow(b *testing.B) {
	for name, mute := range map[string]bool{"told": false, "not told": true} {
		b.Run(name, func(b *testing.B) {
			p := makePair(b, 200, mute)
			var took []time.Duration
			side := "b"
			for b.Loop() {
				side = other(side)
				activateTwin(b, p.here, side)
				took = append(took, p.arrives(b))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}
