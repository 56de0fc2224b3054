package store

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"point"
)

// TestChangesAreDeltas: what one change costs here does not grow with how many keys there are, but
// for the map of keys when a key changes: it is copied with its pointers, and no key is read again
// or copied.
func TestChangesAreDeltas(t *testing.T) {
	const few, many = 100, 20_000
	type cost struct{ allocations, bytes float64 }
	costs := map[string]map[int]cost{}
	for _, n := range []int{few, many} {
		s, k, changes := deltas(t, n)
		for name, change := range changes {
			before := s.Snapshot()
			allocations := testing.AllocsPerRun(5, change)
			bytes := bytesPerRun(5, change)
			if costs[name] == nil {
				costs[name] = map[int]cost{}
			}
			costs[name][n] = cost{allocations, bytes}
			shared(t, name, before, s.Snapshot(), k.ID)
		}
	}
	for name, c := range costs {
		limit := cost{100, 128 << 10}
		if name == "key" {
			limit = cost{400, many * 100} // a hash, a pointer and the map's own room
		}
		t.Logf("%s: %.0f allocations and %.0f KiB with %d keys, %.0f and %.0f KiB with %d", name, c[few].allocations, c[few].bytes/1024, few, c[many].allocations, c[many].bytes/1024, many)
		if c[many].allocations-c[few].allocations > limit.allocations || c[many].bytes-c[few].bytes > limit.bytes {
			t.Errorf("a changed %s copies what did not change: %+v", name, c)
		}
	}
}

// deltas opens a store with n keys, one of which it gives, and ways to change one object.
func deltas(t *testing.T, n int) (*Store, *point.Key, map[string]func()) {
	t.Helper()
	s, ctx := openTemp(t), t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	k := &point.Key{Name: "k", Status: point.StatusActive}
	p := &point.Provider{Name: "p", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	ok(s.CreateKey(ctx, k, point.NewSecret("pt-0")))
	ok(s.CreateProvider(ctx, p))
	_, err := s.config.write.ExecContext(ctx, manyKeysSQLite, idsAndHashes(s, n-1))
	ok(err)
	ok(s.reload(ctx))
	if len(s.Snapshot().Keys) != n {
		t.Fatalf("%d keys", len(s.Snapshot().Keys))
	}
	i := 0
	return s, k, map[string]func(){
		"alias":    func() { i++; ok(s.PutAlias(ctx, &point.Alias{Name: "x", Target: fmt.Sprint("m", i)})) },
		"provider": func() { ok(s.UpdateProvider(ctx, p)) },
		"key":      func() { ok(s.UpdateKey(ctx, All(), k)) },
	}
}

// bytesPerRun is what fn allocates.
func bytesPerRun(runs int, fn func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		fn()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// shared proves that no key but one was read again.
func shared(t *testing.T, name string, before, after *point.Snapshot, changed string) {
	t.Helper()
	for hash, k := range before.Keys {
		if after.Keys[hash] != k && k.ID != changed {
			t.Fatalf("a changed %s made key %s anew", name, k.ID)
		}
	}
}

// TestManyChanges: more changes than are worth reading one by one are read as a whole, each of them.
func TestManyChanges(t *testing.T) {
	s, _, _ := deltas(t, changesAtOnce+1)
	batch := &Batch{}
	for _, k := range s.Snapshot().Keys {
		changed := *k
		changed.Tags = []string{"many"}
		batch.PutKeys = append(batch.PutKeys, changed)
	}
	version := s.Snapshot().Version
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	after := s.Snapshot()
	if after.Version != version+1 || len(after.Keys) != changesAtOnce+1 {
		t.Fatalf("version %d after %d, %d keys", after.Version, version, len(after.Keys))
	}
	for _, k := range after.Keys {
		if !slices.Equal(k.Tags, []string{"many"}) {
			t.Fatalf("%s has %v", k.Name, k.Tags)
		}
	}
}
