package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"point"
	"point/store"
)

// record makes a record of time at.
func record(at time.Time, change func(*point.Record)) point.Record {
	r := point.Record{
		ID: store.NewID(at), Timestamp: at, Endpoint: point.PathChat, Model: "gpt-4o", Status: 200, Outcome: point.OutcomeComplete, ResponseTime: 100,
		Usage: &point.Usage{Input: 10, Output: 5}, Cost: new(point.NanoUSD(1000)), Request: json.RawMessage(`{"model": "gpt-4o"}`),
	}
	if change != nil {
		change(&r)
	}
	return r
}

func insert(t *testing.T, s *store.Store, list ...point.Record) {
	t.Helper()
	ok(t, s.InsertRecords(context.Background(), list))
}

func records(t *testing.T, s *store.Store) {
	p := provider(t, s, "alpha")
	full := record(now(), func(r *point.Record) {
		r.ClientRequestID, r.ProviderID, r.UpstreamModel, r.KeyID = "client-1", p.ID, "gpt-4o-2024", store.NewID(now())
		r.Status, r.Outcome, r.ErrorCode, r.ErrorMessage = 502, point.OutcomeTruncated, point.StreamTruncated, "cut"
		r.TTFT, r.OverheadUS, r.Stream, r.CacheHit = new(int64(40)), 321, true, true
		r.Usage = &point.Usage{Input: 10, Output: 5, CacheRead: 3, Estimated: true}
		r.Attempts = []point.Attempt{{ProviderID: p.ID, Provider: "alpha", Model: "gpt-4o", DurationMS: 5, Status: 200, Error: point.StreamTruncated}}
		r.Route = point.Route{Rule: "r", Strategy: point.StrategyPriority, Reason: "first", Skipped: []point.Skipped{{Provider: "b", Model: "m", Reason: "inactive"}}}
		r.Response = json.RawMessage(`{"finish_reason": "stop"}`)
	})
	bare := point.Record{ID: store.NewID(now()), Timestamp: now(), Endpoint: point.PathModels, Status: 401, Outcome: point.OutcomeRejected, Request: json.RawMessage(`{}`)}
	insert(t, s, full, bare)
	equal(t, "full record", must(s.GetRequest(context.Background(), store.All(), full.ID))(t), full)
	equal(t, "bare record", must(s.GetRequest(context.Background(), store.All(), bare.ID))(t), bare)
	insert(t, s)
}

// replay sends the same records again, alone, in another order and mixed with new ones.
func replay(t *testing.T, s *store.Store) {
	at := now().Add(-time.Hour)
	var list []point.Record
	for i := range 1200 {
		list = append(list, record(at.Add(time.Duration(i)*time.Second), nil))
	}
	insert(t, s, list[:700]...)
	insert(t, s, list[:700]...)
	insert(t, s, list[300:]...)
	insert(t, s, append([]point.Record{list[1199], list[1199]}, list...)...)
	if l := must(s.ListRequests(context.Background(), store.All(), store.RequestFilter{}))(t); l.Total != 1200 {
		t.Fatalf("%d records, want 1200", l.Total)
	}
	if total := sum(t, s, store.StatsFilter{From: at, To: now()}); total.Requests != 1200 || total.TokensInput != 12000 || total.Cost != 1_200_000 {
		t.Fatalf("rollups count %+v", total)
	}
}

func sum(t *testing.T, s *store.Store, f store.StatsFilter) (total store.StatsBucket) {
	t.Helper()
	for _, b := range must(s.RequestStats(context.Background(), store.All(), f))(t) {
		total.Requests += b.Requests
		total.Errors += b.Errors
		total.TokensInput += b.TokensInput
		total.TokensOutput += b.TokensOutput
		total.Cost += b.Cost
		total.Unpriced += b.Unpriced
		total.CacheHits += b.CacheHits
	}
	return total
}

// poison holds what must not stop a journal.
func poison(t *testing.T, s *store.Store) {
	long := string(make([]byte, 5000))
	bad := func(change func(*point.Record)) point.Record { return record(now(), change) }
	list := []point.Record{
		bad(func(r *point.Record) { r.Model = "nul\x00byte" }),
		bad(func(r *point.Record) { r.Model = "bad\xff\xfeutf8" }),
		bad(func(r *point.Record) { r.Model, r.ErrorMessage, r.ClientRequestID = long, long, long }),
		bad(func(r *point.Record) { r.ProviderID = store.NewID(now()) }), // not in the database
		bad(func(r *point.Record) { r.ProviderID, r.KeyID = "not an id", "neither" }),
		bad(func(r *point.Record) { r.Request, r.Response = json.RawMessage(`{"x":`), json.RawMessage(`not json`) }),
		bad(func(r *point.Record) { r.Request = json.RawMessage(`{"a":"\u0000","b":"\ud800","c":1e400}`) }),
		bad(func(r *point.Record) { r.Request = nil }),
		bad(func(r *point.Record) { r.Attempts = []point.Attempt{{Message: "nul\x00 and \xff"}} }),
		bad(func(r *point.Record) { r.ResponseTime, r.Usage = 1<<40, &point.Usage{Input: 1 << 50, Output: -1} }),
		bad(func(r *point.Record) { r.Timestamp = time.Time{} }),
	}
	insert(t, s, list...)
	for i, r := range list {
		if _, err := s.GetRequest(context.Background(), store.All(), r.ID); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
	insert(t, s, record(now(), func(r *point.Record) { r.ID = "no uuid" }), record(now(), nil))
	if l := must(s.ListRequests(context.Background(), store.All(), store.RequestFilter{}))(t); l.Total != int64(len(list)+1) {
		t.Fatalf("%d records, want %d", l.Total, len(list)+1)
	}
}

// excess holds counts and costs that no request has, told by a provider again and again: each
// is cut to a bound, and the sums stay whole numbers.
func excess(t *testing.T, s *store.Store) {
	at := now().Add(-time.Hour)
	for range 3 {
		var list []point.Record
		for range 100 {
			list = append(list, record(at, func(r *point.Record) {
				r.Usage, r.Cost = &point.Usage{Input: math.MaxInt64, Output: math.MaxInt64}, new(point.NanoUSD(math.MaxInt64))
			}))
		}
		insert(t, s, append(list, record(at, func(r *point.Record) {
			r.Usage, r.Cost = &point.Usage{Input: -5, Output: math.MinInt64}, new(point.NanoUSD(math.MinInt64))
		}))...)
	}
	for _, by := range []string{store.GroupMinute, store.GroupMonth} {
		total := sum(t, s, store.StatsFilter{From: at, To: now(), GroupBy: by})
		if total.Requests != 303 || total.TokensInput != 300*math.MaxInt32 || total.TokensOutput != 300*math.MaxInt32 || total.Cost != 300*10_000*point.USD {
			t.Fatalf("by %s: %+v", by, total)
		}
	}
	l := must(s.ListRequests(context.Background(), store.All(), store.RequestFilter{Page: store.Page{Limit: 1}}))(t)
	if cost := *l.Items[0].Cost; cost < 0 || cost > 10_000*point.USD {
		t.Fatalf("a record costs %d", cost)
	}
}

func requestFilters(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p, q := provider(t, s, "alpha"), provider(t, s, "beta")
	k1, k2 := store.NewID(now()), store.NewID(now())
	at := now().Add(-time.Hour)
	minute := func(i int) time.Time { return at.Add(time.Duration(i) * time.Minute) }
	insert(t, s,
		record(minute(0), func(r *point.Record) { r.ProviderID, r.KeyID = p.ID, k1 }),
		record(minute(1), func(r *point.Record) { r.ProviderID, r.KeyID, r.Model = q.ID, k2, "claude" }),
		record(minute(2), func(r *point.Record) { r.Endpoint, r.KeyID = point.PathEmbeddings, k1 }),
		record(minute(3), func(r *point.Record) { r.ProviderID, r.Status, r.Outcome = p.ID, 404, point.OutcomeUpstreamError }),
		record(minute(4), func(r *point.Record) { r.ProviderID, r.Status, r.Outcome = p.ID, 429, point.OutcomeRejected }),
		record(minute(5), func(r *point.Record) { r.ProviderID, r.Status, r.Outcome = q.ID, 499, point.OutcomeClientCancelled }),
		record(minute(6), func(r *point.Record) { r.ProviderID, r.Outcome = q.ID, point.OutcomeTruncated }),
	)
	for name, c := range map[string]struct {
		filter store.RequestFilter
		want   int64
	}{
		"all":              {store.RequestFilter{}, 7},
		"provider by id":   {store.RequestFilter{Provider: p.ID}, 3},
		"provider by name": {store.RequestFilter{Provider: "beta"}, 3},
		"unknown provider": {store.RequestFilter{Provider: "none"}, 0},
		"endpoint":         {store.RequestFilter{Endpoint: point.PathEmbeddings}, 1},
		"code":             {store.RequestFilter{Status: "404"}, 1},
		"success":          {store.RequestFilter{Status: "200"}, 4},
		"class 4":          {store.RequestFilter{Status: "4xx"}, 3},
		"class 2":          {store.RequestFilter{Status: "2xx"}, 4},
		"class 5":          {store.RequestFilter{Status: "5xx"}, 0},
		"truncated":        {store.RequestFilter{Outcomes: []point.Outcome{point.OutcomeTruncated}}, 1},
		"complete":         {store.RequestFilter{Outcomes: []point.Outcome{point.OutcomeComplete}}, 3},
		"model":            {store.RequestFilter{Model: "claude"}, 1},
		"key":              {store.RequestFilter{KeyID: k1}, 2},
		"from":             {store.RequestFilter{From: minute(3)}, 4},
		"to":               {store.RequestFilter{To: minute(3)}, 3},
		"two":              {store.RequestFilter{Provider: "alpha", Status: "4xx", From: minute(4)}, 1},
	} {
		l, err := s.ListRequests(ctx, store.All(), c.filter)
		if err != nil || l.Total != c.want || int64(len(l.Items)) != c.want {
			t.Errorf("%s: %d of %d records (%v), want %d", name, len(l.Items), l.Total, err, c.want)
		}
	}
	for _, status := range []string{"abc", "4x", "600", "xx", "40"} {
		_, err := s.ListRequests(ctx, store.All(), store.RequestFilter{Status: status})
		wantInvalid(t, status, err, "status")
	}
	ok(t, s.DeleteProvider(ctx, p.ID, p.Version))
	if l := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Provider: "alpha"}))(t); l.Total != 3 {
		t.Errorf("%d records of a deleted provider", l.Total)
	}
}

func requestPages(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := now().Add(-24 * time.Hour)
	var list []point.Record
	for i := range 10_050 {
		list = append(list, record(at.Add(time.Duration(i)*time.Millisecond), func(r *point.Record) {
			r.Usage, r.Cost = nil, nil
			if i%100 == 0 {
				r.Status = 500
			}
		}))
	}
	insert(t, s, list...)
	first := must(s.ListRequests(ctx, store.All(), store.RequestFilter{}))(t)
	if first.Total != -1 || !first.More || len(first.Items) != 50 || first.Items[0].ID != list[10_049].ID {
		t.Fatalf("first page: total %d, more %v, %d items", first.Total, first.More, len(first.Items))
	}
	second := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Page: store.Page{Number: 2}}))(t)
	behind := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Cursor: first.Cursor, Page: store.Page{Number: 9}}))(t)
	equal(t, "page by cursor", behind.Items, second.Items)

	var seen int
	for f := (store.RequestFilter{Status: "5xx", Page: store.Page{Limit: 30}}); ; {
		l := must(s.ListRequests(ctx, store.All(), f))(t)
		if l.Total != 101 {
			t.Fatalf("total %d, want 101", l.Total)
		}
		seen += len(l.Items)
		if f.Cursor = l.Cursor; !l.More {
			break
		}
	}
	if seen != 101 {
		t.Fatalf("%d seen page by page, want 101", seen)
	}
	if l := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Page: store.Page{Limit: 100_000}}))(t); len(l.Items) != 500 {
		t.Fatalf("a page of %d", len(l.Items))
	}
	_, err := s.ListRequests(ctx, store.All(), store.RequestFilter{Cursor: "AAAA"})
	wantInvalid(t, "an odd cursor", err, "cursor")

	last := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Page: store.Page{Number: 200}}))(t)
	if len(last.Items) != 50 || !last.More {
		t.Fatalf("the last page that has a number: %d items, more %v", len(last.Items), last.More)
	}
	_, err = s.ListRequests(ctx, store.All(), store.RequestFilter{Page: store.Page{Number: 201}})
	wantInvalid(t, "a page behind the 10,000th item", err, "page")
	deep := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Cursor: last.Cursor, Page: store.Page{Number: 201}}))(t)
	equal(t, "first item behind it", deep.Items[0].ID, list[49].ID)
}

func logs(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := now().Add(-time.Hour)
	e := point.LogEntry{ID: store.NewID(at), Timestamp: at, Level: "error", Component: "gateway", Message: "Provider 100% DOWN_now", Context: json.RawMessage(`{"a": 1}`)}
	entries := []point.LogEntry{e}
	for i := range 5 {
		entries = append(entries, point.LogEntry{Timestamp: at.Add(time.Duration(i+1) * time.Minute), Level: "info", Component: "api", Message: fmt.Sprint("request ", i, "\x00")})
	}
	ok(t, s.InsertLogs(ctx, entries))
	ok(t, s.InsertLogs(ctx, entries[:1]))
	ok(t, s.InsertLogs(ctx, nil))
	for name, c := range map[string]struct {
		filter store.LogFilter
		want   int64
	}{
		"all": {store.LogFilter{}, 6}, "level": {store.LogFilter{Level: "error"}, 1}, "component": {store.LogFilter{Component: "api"}, 5},
		"from": {store.LogFilter{From: at.Add(3 * time.Minute)}, 3}, "to": {store.LogFilter{To: at.Add(time.Minute)}, 1},
		"search": {store.LogFilter{Search: "provider"}, 1}, "percent": {store.LogFilter{Search: "100% down"}, 1}, "no wildcards": {store.LogFilter{Search: "pro%er"}, 0},
		"underscore": {store.LogFilter{Search: "down_now"}, 1}, "no underscore": {store.LogFilter{Search: "req_est"}, 0}, "backslash": {store.LogFilter{Search: `a\b`}, 0},
	} {
		if l := must(s.ListLogs(ctx, c.filter))(t); l.Total != c.want {
			t.Errorf("%s: %d entries, want %d", name, l.Total, c.want)
		}
	}
	_, err := s.ListLogs(ctx, store.LogFilter{Search: "ab"})
	wantInvalid(t, "a search for two characters", err, "search")
	l := must(s.ListLogs(ctx, store.LogFilter{Page: store.Page{Limit: 5}}))(t)
	rest := must(s.ListLogs(ctx, store.LogFilter{Cursor: l.Cursor}))(t)
	equal(t, "oldest entry", rest.Items, []point.LogEntry{e})
}

func alerts(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a := point.Alert{Kind: "unpriced_model", Subject: "m", Severity: "warning", Message: "no price", Detail: json.RawMessage(`{"model": "m"}`)}
	for range 3 {
		ok(t, s.UpsertAlert(ctx, a))
	}
	ok(t, s.UpsertAlert(ctx, point.Alert{Kind: "unpriced_model", Subject: "other", Severity: "warning"}))
	l := must(s.ListAlerts(ctx, store.AlertFilter{Status: store.OpenAlert}))(t)
	if l.Total != 2 || l.Items[1].Count != 3 || l.Items[1].Message != "no price" || l.Items[1].LastAt.Before(l.Items[1].FirstAt) {
		t.Fatalf("open alerts: %+v", l)
	}
	a.LastAt = now().AddDate(0, 0, -8)
	ok(t, s.UpsertAlert(ctx, a))
	ok(t, s.Upkeep(ctx))
	if l := must(s.ListAlerts(ctx, store.AlertFilter{Status: store.ResolvedAlert}))(t); l.Total != 1 || l.Items[0].Subject != "m" || l.Items[0].ResolvedAt == nil {
		t.Fatalf("closed alerts: %+v", l)
	}
	a.LastAt = now()
	ok(t, s.UpsertAlert(ctx, a)) // a new one, since the first is closed
	if l := must(s.ListAlerts(ctx, store.AlertFilter{}))(t); l.Total != 3 || l.Items[0].Count != 1 {
		t.Fatalf("alerts: %+v", l)
	}
	if n := must(s.Prune(ctx, store.PruneBefore{Alerts: now().Add(time.Hour)}))(t); n != 1 {
		t.Fatalf("%d alerts were pruned, want the closed one", n)
	}
}

func prune(t *testing.T, s *store.Store) {
	ctx := context.Background()
	at := now().AddDate(0, -5, 0)
	var old []point.Record
	var lines []point.LogEntry
	for i := range 2500 {
		old = append(old, record(at.Add(time.Duration(i)*time.Second), nil))
		lines = append(lines, point.LogEntry{Timestamp: old[i].Timestamp, Level: "info", Component: "c", Message: "m"})
	}
	border := now().AddDate(0, 0, -30)
	kept := []point.Record{record(border, nil), record(now(), nil)}
	insert(t, s, append(old, kept...)...)
	insert(t, s, record(border.Add(-time.Second), nil))
	ok(t, s.InsertLogs(ctx, lines))
	n := must(s.Prune(ctx, store.PruneBefore{Requests: border, Logs: border, Rollups: border, Alerts: border}))(t)
	if n < 2501 {
		t.Fatalf("%d rows were deleted", n)
	}
	l := must(s.ListRequests(ctx, store.All(), store.RequestFilter{}))(t)
	if l.Total != 2 || l.Items[1].ID != kept[0].ID {
		t.Fatalf("%d records are left", l.Total)
	}
	if l := must(s.ListLogs(ctx, store.LogFilter{}))(t); l.Total != 0 {
		t.Fatalf("%d log entries are left", l.Total)
	}
	insert(t, s, old[0]) // a month that was dropped can come back
	if _, err := s.GetRequest(ctx, store.All(), old[0].ID); err != nil {
		t.Fatal(err)
	}
}

func upkeep(t *testing.T, s *store.Store) {
	ctx := context.Background()
	insert(t, s, record(now().AddDate(0, 0, -5), nil))
	day := store.StatsFilter{From: now().AddDate(0, 0, -6), To: now().AddDate(0, 0, -4), GroupBy: store.GroupHour}
	minutes := day
	minutes.GroupBy = store.GroupMinute
	ok(t, s.Upkeep(ctx))
	if a, b := sum(t, s, day).Requests, sum(t, s, minutes).Requests; a != 1 || b != 0 {
		t.Fatalf("%d requests by the hour and %d by the minute are left, want 1 and 0", a, b)
	}
	ok(t, s.Upkeep(ctx))
	ok(t, s.Ping(ctx))
}
