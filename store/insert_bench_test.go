package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
)

// sampleRecords makes realistic records, n of them, one every gap from start on.
func sampleRecords(start time.Time, gap time.Duration, n int, providers []string) []point.Record {
	rng := rand.New(rand.NewPCG(1, uint64(start.UnixNano())))
	models := []string{"gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash", "llama-3.3-70b-versatile"}
	records := make([]point.Record, n)
	for i := range records {
		at := start.Add(time.Duration(i) * gap)
		p, model := rng.IntN(len(providers)), models[rng.IntN(len(models))]
		ttft, cost := int64(100+rng.IntN(900)), point.NanoUSD(rng.IntN(5_000_000))
		records[i] = point.Record{
			ID: NewID(at), ClientRequestID: "", Timestamp: at, Endpoint: point.PathChat, ProviderID: providers[p], Model: model, UpstreamModel: model,
			KeyID: fmt.Sprintf("01999999-0000-7000-8000-%012d", rng.IntN(10)), Status: 200, Outcome: point.OutcomeComplete,
			ResponseTime: ttft + int64(rng.IntN(4000)), TTFT: &ttft, OverheadUS: 300, Stream: true, Cost: &cost,
			Usage:    &point.Usage{Input: 500, Output: 200},
			Attempts: []point.Attempt{{ProviderID: providers[p], Provider: "openai-main", Model: model, DurationMS: ttft, Status: 200}},
			Route:    point.Route{Strategy: point.StrategyPriority, Reason: "first active provider that has the model"},
			Request:  json.RawMessage(`{"model":"` + model + `","stream":true,"messages":3,"params":["model","messages","stream"]}`),
			Response: json.RawMessage(`{"finish_reason":"stop","choices":1}`),
		}
		if rng.IntN(20) == 0 {
			records[i].Status, records[i].Outcome, records[i].ErrorCode = 429, point.OutcomeUpstreamError, point.ProviderRateLimited
		}
	}
	return records
}

// cpuTime is what this process has used so far, which other processes do not blur.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sampleProviders(tb testing.TB, s *Store) []string {
	tb.Helper()
	var ids []string
	for _, name := range []string{"openai-main", "anthropic", "gemini"} {
		p := &point.Provider{Name: name, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
		if err := s.CreateProvider(context.Background(), p); err != nil {
			tb.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

func BenchmarkInsertRecords(b *testing.B) {
	for _, engine := range []string{SQLite, Postgres} {
		b.Run(engine, func(b *testing.B) {
			opts := Options{DataDir: b.TempDir()}
			if engine == Postgres {
				opts = Options{DatabaseURL: pgtest.Database(b), MasterKey: seal.NewMaster()}
			}
			s, err := Open(b.Context(), opts)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			providers := sampleProviders(b, s)
			start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			n := 0
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				batch := sampleRecords(start.Add(time.Duration(n)*3*time.Millisecond), 3*time.Millisecond, batchRows, providers)
				n += batchRows
				before := cpuTime()
				b.StartTimer()
				if err := s.InsertRecords(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				spent += cpuTime() - before
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "us/record")
			b.ReportMetric(float64(spent.Nanoseconds())/1000/float64(n), "cpu-us/record")
		})
	}
}
