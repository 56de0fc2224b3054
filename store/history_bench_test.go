package store

import (
	"os"
	"strconv"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
)

// benchRows is how many requests the history has that lists and statistics are measured on.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("POINT_BENCH_ROWS")); err == nil {
		return n
	}
	return 20_000
}

// BenchmarkHistory measures the first page of each documented filter, and statistics, on 90
// days of history.
func BenchmarkHistory(b *testing.B) {
	for _, engine := range []string{SQLite, Postgres} {
		b.Run(engine, func(b *testing.B) { benchmarkHistory(b, engine) })
	}
}

func benchmarkHistory(b *testing.B, engine string) {
	opts := Options{DataDir: b.TempDir()}
	if engine == Postgres {
		opts = Options{DatabaseURL: pgtest.Database(b), MasterKey: seal.NewMaster()}
	}
	s, err := Open(b.Context(), opts)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	end := time.Now().UTC()
	start := end.AddDate(0, 0, -90)
	providers, n := sampleProviders(b, s), benchRows()
	gap := end.Sub(start) / time.Duration(n)
	for i := 0; i < n; i += 10_000 {
		if err := s.InsertRecords(b.Context(), sampleRecords(start.Add(time.Duration(i)*gap), gap, min(10_000, n-i), providers)); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Upkeep(b.Context()); err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]RequestFilter{
		"all": {}, "provider": {Provider: "gemini"}, "endpoint": {Endpoint: point.PathChat}, "rare-endpoint": {Endpoint: point.PathImages}, "class": {Status: "4xx"},
		"rare-code": {Status: "404"}, "success": {Status: "200"}, "time": {From: start.AddDate(0, 0, 10), To: start.AddDate(0, 0, 20)},
		"provider-and-class": {Provider: "gemini", Status: "4xx"}, "page-100": {Page: Page{Number: 100}},
	} {
		b.Run("list/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.ListRequests(b.Context(), All(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, f := range map[string]StatsFilter{
		"day-by-hour": {From: end.AddDate(0, 0, -1), To: end}, "90-days": {From: start, To: end, GroupBy: GroupDay},
		"90-days-by-provider": {From: start, To: end, GroupBy: GroupDay, By: []string{ByProvider}}, "90-days-of-model": {From: start, To: end, GroupBy: GroupDay, Model: "gpt-4o"},
		"30-days-by-model":            {From: end.AddDate(0, 0, -30), To: end, GroupBy: GroupDay, By: []string{ByModel}},
		"7-days-of-provider-by-model": {From: end.AddDate(0, 0, -7), To: end, Provider: "gemini", GroupBy: GroupHour, By: []string{ByModel}},
	} {
		b.Run("stats/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.RequestStats(b.Context(), All(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
