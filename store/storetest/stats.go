package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"point"
	"point/store"
)

func statistics(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p, q := provider(t, s, "alpha"), provider(t, s, "beta")
	key := store.NewID(now())
	hour := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var list []point.Record
	for i := range 100 {
		list = append(list, record(hour.Add(time.Duration(i)*time.Second), func(r *point.Record) {
			r.ProviderID, r.ResponseTime, r.TTFT = p.ID, int64(i+1)*10, new(int64(i+1))
		}))
	}
	list = append(list,
		record(hour.Add(2*time.Hour), func(r *point.Record) {
			r.ProviderID, r.KeyID, r.Model, r.Cost, r.CacheHit = q.ID, key, "claude", nil, true
		}),
		record(hour.Add(2*time.Hour), func(r *point.Record) {
			r.ProviderID, r.Status, r.Outcome, r.Usage, r.Cost = q.ID, 500, point.OutcomeUpstreamError, nil, nil
		}),
		record(hour.Add(2*time.Hour), func(r *point.Record) {
			r.Status, r.Outcome, r.Usage, r.Cost = 499, point.OutcomeClientCancelled, nil, nil
		}),
		record(hour.Add(2*time.Hour), func(r *point.Record) {
			r.Status, r.Outcome, r.ErrorCode, r.Usage, r.Cost = 429, point.OutcomeRejected, point.RateLimited, nil, nil
		}),
		record(hour.Add(time.Hour), func(r *point.Record) { // a test, which no client sent
			r.Status, r.Outcome, r.Request = 500, point.OutcomeUpstreamError, json.RawMessage(point.TestMark+`"stream":true}`)
		}),
	)
	insert(t, s, list...)
	f := store.StatsFilter{From: hour, To: hour.Add(3 * time.Hour)}
	hours := must(s.RequestStats(ctx, store.All(), f))(t)
	if len(hours) != 3 || hours[0].Requests != 100 || hours[1].Requests != 0 || hours[2].Requests != 4 {
		t.Fatalf("hours: %+v", hours)
	}
	if b := hours[2]; b.Errors != 2 || b.Refused != 1 || b.Unpriced != 1 || b.CacheHits != 1 || b.TokensInput != 10 || b.Cost != 0 {
		t.Fatalf("third hour: %+v", b)
	}
	if b := hours[0]; b.Cost != 100_000 || b.TokensOutput != 500 || !b.Start.Equal(hour) {
		t.Fatalf("first hour: %+v", b)
	}
	for name, c := range map[string]struct {
		got  *int64
		want int64
	}{
		"p50": {hours[0].Latency.P50, 500}, "p95": {hours[0].Latency.P95, 950}, "p99": {hours[0].Latency.P99, 990},
		"ttft p50": {hours[0].TTFT.P50, 50}, "ttft p95": {hours[0].TTFT.P95, 95},
	} {
		if c.got == nil || float64(*c.got) < 0.93*float64(c.want) || float64(*c.got) > 1.07*float64(c.want) {
			t.Errorf("%s is %v, want %d to 7%%", name, c.got, c.want)
		}
	}
	if hours[1].Latency.P50 != nil {
		t.Error("an hour without requests has a latency")
	}
	for name, c := range map[string]struct {
		change func(*store.StatsFilter)
		want   int64
	}{
		"provider by name":   {func(f *store.StatsFilter) { f.Provider = "alpha" }, 100},
		"provider by id":     {func(f *store.StatsFilter) { f.Provider = q.ID }, 2},
		"unknown provider":   {func(f *store.StatsFilter) { f.Provider = "none" }, 0},
		"model":              {func(f *store.StatsFilter) { f.Model = "claude" }, 1},
		"key":                {func(f *store.StatsFilter) { f.KeyID = key }, 1},
		"endpoint":           {func(f *store.StatsFilter) { f.Endpoint = point.PathChat }, 104},
		"provider and model": {func(f *store.StatsFilter) { f.Provider, f.Model = "beta", "gpt-4o" }, 1},
		"by minute":          {func(f *store.StatsFilter) { f.GroupBy = store.GroupMinute }, 104},
		"by minute and key":  {func(f *store.StatsFilter) { f.GroupBy, f.KeyID = store.GroupMinute, key }, 1},
		"by day":             {func(f *store.StatsFilter) { f.GroupBy = store.GroupDay }, 104},
		"grouped":            {func(f *store.StatsFilter) { f.By = []string{store.ByProvider, store.ByModel, store.ByKey} }, 104},
	} {
		g := f
		c.change(&g)
		if got := sum(t, s, g).Requests; got != c.want {
			t.Errorf("%s: %d requests, want %d", name, got, c.want)
		}
	}
	f.By, f.GroupBy = []string{store.ByProvider}, store.GroupDay
	groups := map[string]int64{}
	for _, b := range must(s.RequestStats(ctx, store.All(), f))(t) {
		groups[b.Group[store.ByProvider]] = b.Requests
	}
	equal(t, "groups", groups, map[string]int64{p.ID: 100, q.ID: 2, "": 2})
}

func statisticsInZones(t *testing.T, s *store.Store) {
	ctx := context.Background()
	kathmandu := must(time.LoadLocation("Asia/Kathmandu"))(t) // UTC+5:45
	berlin := must(time.LoadLocation("Europe/Berlin"))(t)
	insert(t, s,
		record(time.Date(2026, 11, 18, 18, 14, 0, 0, time.UTC), nil), // 23:59 of the 18th in Kathmandu, a Wednesday
		record(time.Date(2026, 11, 18, 18, 15, 0, 0, time.UTC), nil), // 0:00 of the 19th
		record(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), nil),  // 2:30 in Berlin, in summer
		record(time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), nil),  // 2:30 again, in winter
	)
	days := must(s.RequestStats(ctx, store.All(), store.StatsFilter{
		From: time.Date(2026, 11, 18, 12, 0, 0, 0, kathmandu), To: time.Date(2026, 11, 19, 12, 0, 0, 0, kathmandu), GroupBy: store.GroupDay, TZ: kathmandu,
	}))(t)
	if len(days) != 2 || days[0].Requests != 1 || days[1].Requests != 1 || !days[1].Start.Equal(time.Date(2026, 11, 19, 0, 0, 0, 0, kathmandu)) {
		t.Fatalf("days in Kathmandu: %+v", days)
	}
	weeks := must(s.RequestStats(ctx, store.All(), store.StatsFilter{From: time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), GroupBy: store.GroupWeek}))(t)
	if len(weeks) != 2 || weeks[1].Requests != 2 || weeks[1].Start.Weekday() != time.Monday || weeks[1].Start.Day() != 16 {
		t.Fatalf("weeks: %+v", weeks)
	}
	hours := must(s.RequestStats(ctx, store.All(), store.StatsFilter{
		From: time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), To: time.Date(2026, 10, 26, 0, 0, 0, 0, berlin), TZ: berlin,
	}))(t)
	if len(hours) != 25 || hours[2].Requests != 1 || hours[3].Requests != 1 || hours[2].Start.Hour() != hours[3].Start.Hour() {
		t.Fatalf("%d hours on the day that summer ends", len(hours))
	}
	months := must(s.RequestStats(ctx, store.All(), store.StatsFilter{From: time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), GroupBy: store.GroupMonth}))(t)
	if len(months) != 3 || months[0].Requests != 0 || months[1].Requests != 2 || months[2].Requests != 2 {
		t.Fatalf("months: %+v", months)
	}
}

// statisticsWithoutMidnight asks for days, weeks and months in zones where a day begins at
// 1:00, since clocks are put forward at midnight.
func statisticsWithoutMidnight(t *testing.T, s *store.Store) {
	ctx := context.Background()
	for name, day := range map[string]time.Time{
		"America/Santiago": time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC),
		"America/Havana":   time.Date(2026, 3, 8, 5, 0, 0, 0, time.UTC),
	} {
		zone := must(time.LoadLocation(name))(t)
		if day.In(zone).Hour() != 1 || day.Add(-time.Second).In(zone).Hour() != 23 {
			t.Fatalf("%s: clocks go from %v to %v", name, day.Add(-time.Second).In(zone), day.In(zone))
		}
		insert(t, s, record(day.Add(-time.Minute), nil), record(day, nil), record(day.Add(time.Minute), nil))
		from, to := day.AddDate(0, 0, -2), day.AddDate(0, 0, 2)
		days := must(s.RequestStats(ctx, store.All(), store.StatsFilter{From: from, To: to, GroupBy: store.GroupDay, TZ: zone}))(t)
		if len(days) != 5 || days[1].Requests != 1 || days[2].Requests != 2 || !days[2].Start.Equal(day) || days[3].Start.In(zone).Hour() != 0 {
			t.Errorf("%s: days %+v", name, days)
		}
		inside := must(s.RequestStats(ctx, store.All(), store.StatsFilter{From: day.Add(time.Minute), To: day.Add(time.Hour), GroupBy: store.GroupDay, TZ: zone}))(t)
		if len(inside) != 1 || inside[0].Requests != 2 || !inside[0].Start.Equal(day) {
			t.Errorf("%s: the day itself %+v", name, inside)
		}
		for by, most := range map[string]int{store.GroupWeek: 54, store.GroupMonth: 13} {
			f := store.StatsFilter{From: day.AddDate(0, -6, 0), To: day.AddDate(0, 6, 0), GroupBy: by, TZ: zone}
			list := must(s.RequestStats(ctx, store.All(), f))(t)
			if got := sum(t, s, f).Requests; got < 3 || len(list) > most {
				t.Errorf("%s: %d requests in %d buckets by %s", name, got, len(list), by)
			}
		}
	}
}

func statisticsBounds(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := now()
	for name, c := range map[string]struct {
		filter store.StatsFilter
		field  string
	}{
		"empty range":       {store.StatsFilter{From: at, To: at}, "to"},
		"backwards":         {store.StatsFilter{From: at, To: at.Add(-time.Hour)}, "to"},
		"from the future":   {store.StatsFilter{From: at.AddDate(70, 0, 0)}, "from"},
		"too many minutes":  {store.StatsFilter{From: at.AddDate(0, 0, -8), To: at, GroupBy: store.GroupMinute}, "groupBy"},
		"too many hours":    {store.StatsFilter{From: at.AddDate(0, 0, -500), To: at}, "groupBy"},
		"no grouping":       {store.StatsFilter{GroupBy: "year"}, "groupBy"},
		"no dimension":      {store.StatsFilter{By: []string{"colour"}}, "by"},
		"key and more":      {store.StatsFilter{GroupBy: store.GroupMinute, By: []string{store.ByKey, store.ByModel}}, "groupBy"},
		"key of a provider": {store.StatsFilter{GroupBy: store.GroupMinute, By: []string{store.ByKey}, Provider: "x"}, "groupBy"},
	} {
		_, err := s.RequestStats(ctx, store.All(), c.filter)
		wantInvalid(t, name, err, c.field)
		wantInvalid(t, name+", checked", c.filter.Check(at), c.field)
	}
	for name, f := range map[string]store.StatsFilter{
		"minutes of five days": {From: at.AddDate(0, 0, -5), To: at, GroupBy: store.GroupMinute},
		"hours of 400 days":    {From: at.AddDate(0, 0, -400), To: at},
	} {
		if list, err := s.RequestStats(ctx, store.All(), f); err != nil || len(list) < 7200 || len(list) > store.MaxBuckets || f.Check(at) != nil {
			t.Errorf("%s: %d, %v", name, len(list), err)
		}
	}
	if hours := must(s.RequestStats(ctx, store.All(), store.StatsFilter{}))(t); len(hours) < 24 || len(hours) > 25 {
		t.Errorf("%d hours without a range", len(hours))
	}
}

// statisticsGroups has as many groups as an answer may hold, and then one more.
func statisticsGroups(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	f := store.StatsFilter{From: at, To: at.Add(50 * time.Hour), By: []string{store.ByModel}}
	const most = store.MaxBuckets / 50
	var list []point.Record
	for i := range most + 1 {
		list = append(list, record(at.Add(time.Duration(i%50)*time.Hour), func(r *point.Record) { r.Model = fmt.Sprint("m", i) }))
	}
	insert(t, s, list[:most]...)
	if got := must(s.RequestStats(ctx, store.All(), f))(t); len(got) != store.MaxBuckets {
		t.Fatalf("%d buckets, want the empty ones too", len(got))
	}
	insert(t, s, list[most])
	_, err := s.RequestStats(ctx, store.All(), f)
	wantInvalid(t, "a group too many", err, "by")
	f.GroupBy = store.GroupDay
	if got := sum(t, s, f).Requests; got != most+1 {
		t.Fatalf("%d requests by the day", got)
	}
}
