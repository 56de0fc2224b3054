package storetest

import (
	"context"
	"testing"
	"time"

	"point"
	"point/store"
)

// keyCosts sums up what keys cost, to the moment.
func keyCosts(t *testing.T, s *store.Store) {
	day := now().Truncate(24 * time.Hour)
	until := day.Add(10*time.Hour + 20*time.Minute + 30*time.Second)
	a, b, other := store.NewID(now()), store.NewID(now()), store.NewID(now())
	costs := func(key string, at time.Time, cost *point.NanoUSD) {
		insert(t, s, record(at, func(r *point.Record) { r.KeyID, r.Cost = key, cost }))
	}
	for i, at := range []time.Time{
		day.Add(-time.Nanosecond * 1000), // the day before
		day,                              // its first moment
		day.Add(time.Hour),               // a whole quarter
		until.Truncate(15 * time.Minute), // the last quarter
		until.Add(-31 * time.Second),     // its last whole minute
		until.Add(-time.Second),          // the last minute
		until,                            // behind it
		until.Add(time.Minute),
	} {
		costs(a, at, new(point.NanoUSD(int64(1)<<i)))
	}
	costs(b, day.Add(time.Minute), new(point.NanoUSD(5)))
	costs(b, until.Add(-time.Second), nil)
	costs(other, day.Add(time.Minute), nil)
	costs("", day.Add(time.Minute), new(point.NanoUSD(9)))

	ctx := context.Background()
	const today = 1<<1 + 1<<2 + 1<<3 + 1<<4 + 1<<5
	equal(t, "all keys", must(s.KeyCosts(ctx, nil, day, until))(t), map[string]point.NanoUSD{a: today, b: 5})
	equal(t, "one key", must(s.KeyCosts(ctx, []string{a}, day, until))(t), map[string]point.NanoUSD{a: today})
	equal(t, "from the day before", must(s.KeyCosts(ctx, []string{a, other}, day.AddDate(0, 0, -1), until))(t), map[string]point.NanoUSD{a: today + 1})
	equal(t, "in the first minute of a day", must(s.KeyCosts(ctx, nil, day, day.Add(time.Microsecond)))(t), map[string]point.NanoUSD{a: 1 << 1})
	equal(t, "nothing yet", must(s.KeyCosts(ctx, nil, day, day))(t), map[string]point.NanoUSD{})
}
