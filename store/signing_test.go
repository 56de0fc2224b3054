package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"point/store"
)

// later opens a store of every engine whose clock the test moves on.
func later(t *testing.T, test func(t *testing.T, s *store.Store, pass func(time.Duration))) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			var passed atomic.Int64
			opts := options()
			opts.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
			test(t, open(t, opts), func(d time.Duration) { passed.Add(int64(d)) })
		})
	}
}

// signers lists the ids of the keys that verify, the newest first, and proves that it alone signs.
func signers(t *testing.T, s *store.Store) (ids []string) {
	t.Helper()
	list, err := s.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range list {
		ids = append(ids, k.ID)
		if signs := k.RetiredAt == nil; signs != (i == 0) {
			t.Errorf("key %d of %d signs: %t", i, len(list), signs)
		}
	}
	return ids
}

func wantSigners(t *testing.T, s *store.Store, when string, want ...string) {
	t.Helper()
	ids := signers(t, s)
	if len(ids) != len(want) {
		t.Fatalf("%s: %d signing keys, want %d", when, len(ids), len(want))
	}
	for i := range want {
		if ids[i] != want[i] {
			t.Errorf("%s: key %d is %s, want %s", when, i, ids[i], want[i])
		}
	}
}

// TestRotateSigningKey: a retired key verifies as long as the tokens that it signed live, and
// not at all when it went at once.
func TestRotateSigningKey(t *testing.T) {
	later(t, func(t *testing.T, s *store.Store, pass func(time.Duration)) {
		first, err := s.CreateSigningKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen := s.Snapshot().SignersVersion
		pass(time.Second)
		second, err := s.RotateSigningKey(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		if now := s.Snapshot(); now.SignersVersion <= seen || now.SignersVersion != now.Version {
			t.Errorf("the snapshot's signers are of version %d", now.SignersVersion)
		}
		wantSigners(t, s, "rotated", second.ID, first.ID)
		pass(19 * time.Minute)
		wantSigners(t, s, "while tokens live", second.ID, first.ID)
		pass(2 * time.Minute)
		wantSigners(t, s, "when they have expired", second.ID)
		third, err := s.RotateSigningKey(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		wantSigners(t, s, "rotated at once", third.ID)
	})
}

// TestRenewSigningKey: upkeep replaces a key after 90 days, once, and nothing before.
func TestRenewSigningKey(t *testing.T) {
	later(t, func(t *testing.T, s *store.Store, pass func(time.Duration)) {
		upkeep := func() {
			t.Helper()
			if err := s.Upkeep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		upkeep()
		wantSigners(t, s, "where none was ever asked for")
		first, err := s.CreateSigningKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pass(90*24*time.Hour - time.Minute)
		upkeep()
		wantSigners(t, s, "before 90 days", first.ID)
		pass(2 * time.Minute)
		upkeep()
		upkeep()
		renewed := signers(t, s)
		if len(renewed) != 2 || renewed[1] != first.ID {
			t.Fatalf("after 90 days: %v, first %s", renewed, first.ID)
		}
		pass(21 * time.Minute)
		upkeep()
		wantSigners(t, s, "when its tokens have expired", renewed[0])
	})
}
