package monitor

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"point"
)

// realRecord is a record as a chat request makes one, with one attempt.
func realRecord(id string) point.Record {
	ttft, cost := int64(412), point.NanoUSD(847_250)
	return point.Record{
		ID: id, ClientRequestID: "req_7c1d0f3a9b", Timestamp: time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC),
		Endpoint: point.PathChat, ProviderID: "0193a1b2-0000-7000-8000-000000000001", Model: "gpt-4o-mini",
		UpstreamModel: "gpt-4o-mini-2024-07-18", KeyID: "0193a1b2-0000-7000-8000-000000000002",
		Status: 200, Outcome: point.OutcomeComplete, ResponseTime: 1835, TTFT: &ttft, OverheadUS: 143, Stream: true,
		Usage: &point.Usage{Input: 1210, Output: 318, CacheRead: 1024, Reasoning: 64}, Cost: &cost,
		Attempts: []point.Attempt{{ProviderID: "0193a1b2-0000-7000-8000-000000000001", Provider: "openai-main", Model: "gpt-4o-mini-2024-07-18", StartMS: 1, DurationMS: 411, Status: 200}},
		Route:    point.Route{Rule: "small questions", Strategy: point.StrategyWeighted, Reason: "weight 80 of 100"},
		Request:  json.RawMessage(`{"model":"gpt-4o-mini","stream":true,"messages":6,"tools":2,"max_tokens":512,"params":["model","messages","stream","tools","temperature","max_tokens"]}`),
		Response: json.RawMessage(`{"finish_reason":"stop","choices":1,"tool_calls":0}`),
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

const benchID = "0193a1b2-7c3d-7000-8000-0123456789ab"

func BenchmarkJournalAppend(b *testing.B) {
	for _, durability := range []string{DurabilityProcess, DurabilityFsync} {
		b.Run(durability, func(b *testing.B) {
			j, err := OpenJournal(JournalOptions{Dir: b.TempDir(), Durability: durability, MaxBytes: 1 << 40, Log: quiet()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = j.Close() }()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r := realRecord(benchID)
				for pb.Next() {
					if err := j.Append(&r); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	r := realRecord(benchID)
	buf := encodeFrame(nil, &r, maxFrame)
	b.ReportMetric(float64(len(buf)), "bytes/record")
	b.ReportAllocs()
	for b.Loop() {
		buf = encodeFrame(buf[:0], &r, maxFrame)
	}
}

func BenchmarkDecode(b *testing.B) {
	r := realRecord(benchID)
	payload := encodeFrame(nil, &r, maxFrame)[frameHeader:]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeRecord(payload); err != nil {
			b.Fatal(err)
		}
	}
}

type discardSink struct{}

func (discardSink) InsertRecords(context.Context, []point.Record) error { return nil }

// BenchmarkDrain is the cost of a record from the segment to the sink, which does nothing.
func BenchmarkDrain(b *testing.B) {
	j, err := OpenJournal(JournalOptions{Dir: b.TempDir(), MaxBytes: 1 << 40, Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	r := realRecord(benchID)
	for range b.N {
		if err := j.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.ReportAllocs()
	b.ResetTimer()
	if err := j.Run(ctx, discardSink{}, time.Hour); err != nil {
		b.Fatal(err)
	}
	if lag := j.Lag(); lag != 0 {
		b.Fatal(lag, "records left")
	}
}
