package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"point"
)

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

// Check finds out whether f can be asked at the time now: if not, the error is *Invalid.
func (f StatsFilter) Check(now time.Time) error {
	_, err := newGrid(f, now)
	if err == nil {
		_, err = f.view(All())
	}
	return err
}

// RequestStats sums up what happened in the scope, from rollups alone. Requests are counted in the span
// in which they arrived. What cannot be asked, or has more than MaxBuckets, is *Invalid.
func (s *Store) RequestStats(ctx context.Context, scope Scope, f StatsFilter) ([]StatsBucket, error) {
	out, err := s.requestStats(ctx, scope, f)
	if err != nil {
		return nil, fmt.Errorf("request statistics: %w", err)
	}
	return out, nil
}

func (s *Store) requestStats(ctx context.Context, scope Scope, f StatsFilter) ([]StatsBucket, error) {
	grid, err := newGrid(f, s.now())
	if err != nil {
		return nil, err
	}
	equal, err := s.statsFilter(ctx, f)
	if err != nil {
		return nil, err
	}
	view, err := f.view(scope)
	if err != nil {
		return nil, err
	}
	q := statsQuery(f.span(), view, grid, equal)
	if err := s.statsScope(ctx, q, scope, f.KeyID); err != nil {
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
		err = r.Scan(timeTo{&bucket}, &k.Endpoint, &k.ProviderID, &k.Model, &k.KeyID, &sum.Requests, &sum.Errors, &sum.Refused, &sum.TokensInput, &sum.TokensOutput,
			&sum.Cost, &sum.Unpriced, &sum.CacheHits, &sum.Latency, &sum.TTFT)
		if err != nil {
			return none, err
		}
		g, err := grid.group(groups, f.By, &k)
		if err != nil {
			return none, err
		}
		g.sums[grid.index(bucket)].merge(&sum)
		return none, nil
	}, q.sql.String(), q.args...)
	if err != nil {
		return nil, err
	}
	return grid.answer(groups), nil
}

// statsFilter resolves what f asks for, by dimension.
func (s *Store) statsFilter(ctx context.Context, f StatsFilter) (map[string]string, error) {
	equal := f.asked()
	maps.DeleteFunc(equal, func(_, value string) bool { return value == "" })
	if f.Provider != "" {
		id, err := s.providerID(ctx, f.Provider)
		if err != nil {
			return nil, err
		}
		equal[ByProvider] = id
	}
	for _, name := range []string{ByProvider, ByKey} {
		if id, ok := equal[name]; ok {
			equal[name] = cmp.Or(idText(id), "unknown") // meets nothing; "" would meet what has none
		}
	}
	return equal, nil
}

// asked are the values of the dimensions that f narrows by.
func (f StatsFilter) asked() map[string]string {
	return map[string]string{ByProvider: f.Provider, ByEndpoint: f.Endpoint, ByModel: f.Model, ByKey: f.KeyID}
}

// statsScope holds figures to the keys of a scope.
func (s *Store) statsScope(ctx context.Context, q *query, scope Scope, asked string) error {
	if scope.all {
		return nil
	}
	ids, err := scope.keys(ctx, s.config.read, asked)
	if err != nil {
		return err
	}
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = idText(id)
	}
	q.whereIn("key_id", values)
	return nil
}

// view is the coarsest view that can answer f in a scope.
func (f StatsFilter) view(scope Scope) (int, error) {
	needed := 0
	if !scope.all {
		needed = keepsKey
	}
	for _, name := range f.By {
		d, ok := dimensions[name]
		if !ok {
			return 0, &Invalid{"by", "There is no such dimension. Use provider, model, endpoint or key."}
		}
		needed |= d.bit
	}
	for name, value := range f.asked() {
		if value != "" {
			needed |= dimensions[name].bit
		}
	}
	for _, view := range views[f.span()] {
		if view&needed == needed {
			return view, nil
		}
	}
	return 0, &Invalid{"groupBy", "By the minute a key cannot be combined with another dimension. Group by hour, or leave one of them out."}
}

// span is that of the rollups that f is answered from.
func (f StatsFilter) span() int {
	if f.GroupBy == GroupMinute || f.GroupBy == GroupWindow && f.To.Sub(f.From) <= windowByMinute {
		return minuteSpan
	}
	return quarterSpan
}

// windowByMinute is the longest GroupWindow that is answered by the minute.
const windowByMinute = 24 * time.Hour

// statsQuery selects the rollups of a view.
func statsQuery(span, view int, g *grid, equal map[string]string) *query {
	var q query
	q.add("SELECT bucket, endpoint, provider_id, model, key_id, requests, errors, refused, tokens_input, tokens_output, cost, unpriced, cache_hits, latency, ttft FROM rollups")
	q.where("span = ? AND view = ? AND bucket >= ? AND bucket < ?", span, view, at(g.starts[0]), at(g.end))
	for name, value := range equal {
		q.where(dimensions[name].column, value)
	}
	return &q
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
	switch {
	case from.Before(to):
	case f.To.IsZero():
		return nil, &Invalid{"from", "This must be earlier than now, where the range ends if to is not given."}
	default:
		return nil, &Invalid{"to", "This must be later than from."}
	}
	if g.by == GroupWindow {
		return g.window(from, to, time.Duration(f.span())*time.Second), nil
	}
	at, ok := startOf(g.by, from.In(zone))
	if !ok {
		return nil, &Invalid{"groupBy", "There is no such grouping. Use minute, hour, day, week or month."}
	}
	for ; at.Before(to); at = next(g.by, at) {
		if len(g.starts) == MaxBuckets {
			return nil, &Invalid{"groupBy", fmt.Sprintf("From from to to there would be more than %d spans. Take longer ones, or less time.", MaxBuckets)}
		}
		g.starts = append(g.starts, at)
	}
	g.end = at
	return g, nil
}

// window makes g one bucket of whole spans.
func (g *grid) window(from, to time.Time, span time.Duration) *grid {
	g.starts = []time.Time{from.Truncate(span)}
	g.end = to.Add(span - 1).Truncate(span)
	return g
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
		return midnight(y, m, d, t.Location()), true
	case GroupWeek:
		return midnight(y, m, d-(int(t.Weekday())+6)%7, t.Location()), true
	case GroupMonth:
		return midnight(y, m, 1, t.Location()), true
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
		return midnight(y, m, d+1, t.Location())
	case GroupWeek:
		return midnight(y, m, d+7, t.Location())
	}
	return midnight(y, m+1, 1, t.Location())
}

// midnight is the first moment of a day, so that days follow each other in every zone. Where
// clocks are put forward at midnight a day begins at 1:00.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if y, m, d := t.Date(); time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(time.Date(year, month, day, 0, 0, 0, 0, time.UTC)) {
		_, t = t.ZoneBounds() // for a moment that no clock shows, Date gave one before the gap
	}
	return t
}

// index is the bucket of a time within the grid.
func (g *grid) index(t time.Time) int {
	i, found := slices.BinarySearchFunc(g.starts, t, time.Time.Compare)
	if found {
		return i
	}
	return max(i-1, 0)
}

// group finds or makes the group that a rollup belongs to, as long as the answer is bounded.
func (g *grid) group(groups map[string]*group, by []string, k *rollupKey) (*group, error) {
	var name strings.Builder
	for _, dimension := range by {
		name.WriteString(dimensions[dimension].of(k))
		name.WriteByte(0)
	}
	found, ok := groups[name.String()]
	if !ok {
		if (len(groups)+1)*len(g.starts) > MaxBuckets {
			return nil, &Invalid{"by", fmt.Sprintf("There would be more than %d figures: %d spans of each of more than %d groups. Take longer spans or less time, or narrow the groups by provider, model, endpoint or key.",
				MaxBuckets, len(g.starts), len(groups))}
		}
		labels := make(map[string]string, len(by))
		for _, dimension := range by {
			labels[dimension] = dimensions[dimension].of(k)
		}
		found = newGroup(g, labels)
		groups[name.String()] = found
	}
	return found, nil
}

// answer lists the buckets of every group, by time and then by group.
func (g *grid) answer(groups map[string]*group) []StatsBucket {
	names := slices.Sorted(maps.Keys(groups))
	out := make([]StatsBucket, 0, len(names)*len(g.starts))
	for i, start := range g.starts {
		for _, name := range names {
			sum := &groups[name].sums[i]
			out = append(out, StatsBucket{
				Start: start, Group: groups[name].labels, Requests: sum.Requests, Errors: sum.Errors, Refused: sum.Refused, TokensInput: sum.TokensInput, TokensOutput: sum.TokensOutput,
				Cost: point.NanoUSD(sum.Cost), Unpriced: sum.Unpriced, CacheHits: sum.CacheHits, Latency: sum.Latency.percentiles(), TTFT: sum.TTFT.percentiles(),
			})
		}
	}
	return out
}
