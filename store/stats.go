package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"point"
)

// maxBuckets bounds an answer of RequestStats.
const maxBuckets = 5000

// dimension is one way to tell requests apart.
type dimension struct {
	bit    int
	column constant
	of     func(*rollupKey) string
}

var dimensions = map[string]dimension{
	ByEndpoint: {keepsEndpoint, "endpoint = ?", func(k *rollupKey) string { return k.Endpoint }},
	ByProvider: {keepsProvider, "provider_id = ?", func(k *rollupKey) string { return k.ProviderID }},
	ByModel:    {keepsModel, "model = ?", func(k *rollupKey) string { return k.Model }},
	ByKey:      {keepsKey, "key_id = ?", func(k *rollupKey) string { return k.KeyID }},
}

// RequestStats sums up what happened, from rollups alone. Requests are counted in the span
// in which they arrived.
func (s *Store) RequestStats(ctx context.Context, f StatsFilter) ([]StatsBucket, error) {
	out, err := s.requestStats(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("request statistics: %w", err)
	}
	return out, nil
}

func (s *Store) requestStats(ctx context.Context, f StatsFilter) ([]StatsBucket, error) {
	grid, err := newGrid(f, s.now())
	if err != nil {
		return nil, err
	}
	equal, err := s.statsFilter(ctx, f)
	if err != nil {
		return nil, err
	}
	q, err := statsQuery(f, grid, equal)
	if err != nil {
		return nil, err
	}
	groups := map[string]*group{}
	if len(f.By) == 0 {
		groups[""] = newGroup(grid, nil)
	}
	_, err = rows(ctx, s.history.read, func(r row) (none struct{}, err error) {
		var k rollupKey
		var sum rollup
		var bucket time.Time
		err = r.Scan(timeTo{&bucket}, &k.Endpoint, &k.ProviderID, &k.Model, &k.KeyID, &sum.Requests, &sum.Errors, &sum.TokensInput, &sum.TokensOutput,
			&sum.Cost, &sum.Unpriced, &sum.CacheHits, &sum.Latency, &sum.TTFT)
		if err != nil {
			return none, err
		}
		grid.group(groups, f.By, &k).sums[grid.index(bucket)].merge(&sum)
		return none, nil
	}, q.sql.String(), q.args...)
	if err != nil {
		return nil, err
	}
	return grid.answer(groups), nil
}

// statsFilter resolves what f asks for, by dimension.
func (s *Store) statsFilter(ctx context.Context, f StatsFilter) (map[string]string, error) {
	equal := map[string]string{}
	if f.Provider != "" {
		id, err := s.providerID(ctx, f.Provider)
		if err != nil {
			return nil, err
		}
		equal[ByProvider] = cmp.Or(id, "unknown") // meets nothing
	}
	for name, value := range map[string]string{ByEndpoint: f.Endpoint, ByModel: f.Model, ByKey: f.KeyID} {
		if value != "" {
			equal[name] = value
		}
	}
	return equal, nil
}

// statsQuery selects the rollups of the coarsest span and view that can answer.
func statsQuery(f StatsFilter, g *grid, equal map[string]string) (*query, error) {
	view := 0
	for _, name := range slices.Concat(f.By, slices.Collect(maps.Keys(equal))) {
		d, ok := dimensions[name]
		if !ok {
			return nil, fmt.Errorf("there is no dimension %q: use provider, model, endpoint or key", name)
		}
		view |= d.bit
	}
	span := quarterSpan
	if g.by == GroupMinute {
		span = minuteSpan
	}
	kept := slices.IndexFunc(views[span], func(v int) bool { return v&view == view })
	if kept < 0 {
		return nil, errors.New("by the minute a key cannot be combined with another dimension: group by hour")
	}
	view = views[span][kept]
	var q query
	q.add("SELECT bucket, endpoint, provider_id, model, key_id, requests, errors, tokens_input, tokens_output, cost, unpriced, cache_hits, latency, ttft FROM rollups")
	q.where("span = ? AND view = ? AND bucket >= ? AND bucket < ?", span, view, at(g.starts[0]), at(g.end))
	for name, value := range equal {
		q.where(dimensions[name].column, value)
	}
	return &q, nil
}

// grid is the row of buckets of an answer.
type grid struct {
	by     string
	starts []time.Time
	end    time.Time
}

// group is what is summed up for one combination of the By dimensions.
type group struct {
	labels map[string]string
	sums   []rollup
}

func newGroup(g *grid, labels map[string]string) *group {
	return &group{labels: labels, sums: make([]rollup, len(g.starts))}
}

func newGrid(f StatsFilter, now time.Time) (*grid, error) {
	g := &grid{by: cmp.Or(f.GroupBy, GroupHour)}
	zone := f.TZ
	if zone == nil {
		zone = time.UTC
	}
	to := f.To
	if to.IsZero() {
		to = now
	}
	from := f.From
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) {
		return nil, fmt.Errorf("the range is empty: from %s is not before to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	at, ok := startOf(g.by, from.In(zone))
	if !ok {
		return nil, fmt.Errorf("there is no grouping by %q: use minute, hour, day, week or month", g.by)
	}
	for ; at.Before(to); at = next(g.by, at) {
		if len(g.starts) == maxBuckets {
			return nil, fmt.Errorf("the range has more than %d buckets: ask for a shorter one, or group by a longer span than %s", maxBuckets, g.by)
		}
		g.starts = append(g.starts, at)
	}
	g.end = at
	return g, nil
}

// startOf is the start of the bucket that holds t, in t's zone.
func startOf(by string, t time.Time) (time.Time, bool) {
	y, m, d := t.Date()
	switch by {
	case GroupMinute:
		return t.Add(-time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())), true
	case GroupHour:
		// Subtracting keeps the two hours apart that a clock shows twice when summer ends.
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())), true
	case GroupDay:
		return time.Date(y, m, d, 0, 0, 0, 0, t.Location()), true
	case GroupWeek:
		return time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location()), true
	case GroupMonth:
		return time.Date(y, m, 1, 0, 0, 0, 0, t.Location()), true
	}
	return t, false
}

// next is the start of the bucket behind the one that starts at t.
func next(by string, t time.Time) time.Time {
	y, m, d := t.Date()
	switch by {
	case GroupMinute:
		return t.Add(time.Minute)
	case GroupHour:
		return t.Add(time.Hour)
	case GroupDay:
		return time.Date(y, m, d+1, 0, 0, 0, 0, t.Location())
	case GroupWeek:
		return time.Date(y, m, d+7, 0, 0, 0, 0, t.Location())
	}
	return time.Date(y, m+1, 1, 0, 0, 0, 0, t.Location())
}

// index is the bucket of a time within the grid.
func (g *grid) index(t time.Time) int {
	i, found := slices.BinarySearchFunc(g.starts, t, time.Time.Compare)
	if found {
		return i
	}
	return max(i-1, 0)
}

// group finds or makes the group that a rollup belongs to.
func (g *grid) group(groups map[string]*group, by []string, k *rollupKey) *group {
	var name strings.Builder
	for _, dimension := range by {
		name.WriteString(dimensions[dimension].of(k))
		name.WriteByte(0)
	}
	found, ok := groups[name.String()]
	if !ok {
		labels := make(map[string]string, len(by))
		for _, dimension := range by {
			labels[dimension] = dimensions[dimension].of(k)
		}
		found = newGroup(g, labels)
		groups[name.String()] = found
	}
	return found
}

// answer lists the buckets of every group, by time and then by group.
func (g *grid) answer(groups map[string]*group) []StatsBucket {
	names := slices.Sorted(maps.Keys(groups))
	out := make([]StatsBucket, 0, len(names)*len(g.starts))
	for i, start := range g.starts {
		for _, name := range names {
			sum := &groups[name].sums[i]
			out = append(out, StatsBucket{
				Start: start, Group: groups[name].labels, Requests: sum.Requests, Errors: sum.Errors, TokensInput: sum.TokensInput, TokensOutput: sum.TokensOutput,
				Cost: point.NanoUSD(sum.Cost), Unpriced: sum.Unpriced, CacheHits: sum.CacheHits, Latency: sum.Latency.percentiles(), TTFT: sum.TTFT.percentiles(),
			})
		}
	}
	return out
}
