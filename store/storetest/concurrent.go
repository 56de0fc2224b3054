package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"point"
	"point/store"
)

// firstUser lets many try to be the first: one wins.
func firstUser(t *testing.T, s *store.Store) {
	var won atomic.Int64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			err := s.CreateFirstUser(context.Background(), &point.User{Email: fmt.Sprintf("u%d@example.com", i), Role: point.RoleOwner})
			var conflict *store.Conflict
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &conflict) || conflict.Field != "users":
				t.Errorf("the loser got %v", err)
			}
		})
	}
	wait.Wait()
	if n := must(s.CountUsers(context.Background()))(t); won.Load() != 1 || n != 1 {
		t.Fatalf("%d won, %d users", won.Load(), n)
	}
}

// oneReservation lets many reserve one key: one gets it.
func oneReservation(t *testing.T, s *store.Store) {
	var won atomic.Int64
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			kept, err := s.ReserveIdempotent(context.Background(), store.Idempotent{Key: "k", Route: "r", UserID: "u"})
			if err == nil && kept == nil {
				won.Add(1)
			}
			return err
		})
	}
	ok(t, group.Wait())
	if won.Load() != 1 {
		t.Fatalf("%d won", won.Load())
	}
}

// concurrentWriters lets many change one provider: each change is counted once, none lost.
func concurrentWriters(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p := provider(t, s, "alpha")
	const writers, changes = 6, 10
	var group errgroup.Group
	for range writers {
		group.Go(func() error {
			for done := 0; done < changes; {
				mine, err := s.GetProvider(ctx, p.ID)
				if err != nil {
					return err
				}
				mine.Config.Weight++
				switch err := s.UpdateProvider(ctx, mine); {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrStale):
					return err
				}
			}
			return nil
		})
	}
	ok(t, group.Wait())
	got := must(s.GetProvider(ctx, p.ID))(t)
	if got.Config.Weight != 3+writers*changes || got.Version != 1+writers*changes {
		t.Fatalf("weight %d, version %d after %d changes", got.Config.Weight, got.Version, writers*changes)
	}
	equal(t, "provider in the snapshot", s.Snapshot().Providers[p.ID], got)
}

// concurrentRecords lets many send the same records at once: each is counted once.
func concurrentRecords(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := now().Add(-time.Hour)
	var list []point.Record
	for i := range 1000 {
		list = append(list, record(at.Add(time.Duration(i)*time.Millisecond), func(r *point.Record) { r.Model = fmt.Sprint("m", i%7) }))
	}
	var group errgroup.Group
	for i := range 4 {
		group.Go(func() error { return s.InsertRecords(ctx, list[i*100:]) })
	}
	ok(t, s.InsertRecords(ctx, list))
	ok(t, group.Wait())
	if total := sum(t, s, store.StatsFilter{From: at, To: now()}); total.Requests != 1000 {
		t.Fatalf("rollups count %d of 1000", total.Requests)
	}
}

// wholeSnapshots changes a pair of things in an order and reads snapshots meanwhile: they
// never go back, a change is never seen before the one it followed, and a snapshot that was
// taken does not change.
func wholeSnapshots(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a, b := provider(t, s, "alpha"), provider(t, s, "beta")
	old := s.Snapshot()
	done := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		defer close(done)
		for i := range 20 {
			for _, p := range []*point.Provider{a, b} {
				p.Config.Weight = i
				if err := s.UpdateProvider(ctx, p); err != nil {
					return err
				}
				if got := s.Snapshot().Providers[p.ID].Config.Weight; got != i {
					return fmt.Errorf("the snapshot has %d right after %d was stored", got, i)
				}
			}
		}
		return nil
	})
	for range 2 {
		group.Go(func() error {
			var last int64
			for {
				select {
				case <-done:
					return nil
				default:
				}
				snap := s.Snapshot()
				x, y := snap.Providers[a.ID].Config.Weight, snap.Providers[b.ID].Config.Weight
				if snap.Version < last || x != 3 && y != 3 && x-y != 0 && x-y != 1 {
					return fmt.Errorf("version %d after %d, weights %d and %d", snap.Version, last, x, y)
				}
				last = snap.Version
				runtime.Gosched()
			}
		})
	}
	ok(t, group.Wait())
	if old.Providers[a.ID].Config.Weight != 3 || old.Version >= s.Snapshot().Version {
		t.Fatal("a snapshot changed after it was taken")
	}
}
