package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"point"
	"point/store"
)

// record is a settled request of provider p.
func (w *world) record(p *point.Provider, k *point.Key, age time.Duration, status int) point.Record {
	at := w.clock.Now().Add(-age).UTC()
	cost, ttft := point.NanoUSD(847_000), int64(120)
	outcome := point.OutcomeComplete
	if status >= http.StatusBadRequest {
		outcome = point.OutcomeUpstreamError
	}
	return point.Record{
		ID: store.NewID(at), Timestamp: at, Endpoint: point.PathChat, ProviderID: p.ID, Model: "gpt-4o", UpstreamModel: "gpt-4o", KeyID: k.ID,
		Status: status, Outcome: outcome, ResponseTime: 800, TTFT: &ttft, Cost: &cost,
		Usage:    &point.Usage{Input: 10, Output: 20},
		Attempts: []point.Attempt{{ProviderID: p.ID, Provider: "then", Model: "gpt-4o", Status: status}},
		Route:    point.Route{Rule: "r", Strategy: point.StrategyPriority}, Request: json.RawMessage(`{"model":"gpt-4o"}`),
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t).withUsers()
	ctx := t.Context()
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	gone := &point.Provider{Name: "gone", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	k := &point.Key{Name: "billing", Status: point.StatusActive}
	if err := errors.Join(
		w.store.CreateProvider(ctx, p), w.store.CreateProvider(ctx, gone),
		w.store.CreateKey(ctx, k, point.NewSecret("pt-0123456789abcdef0123")),
		w.store.InsertRecords(ctx, []point.Record{w.record(p, k, time.Minute, 200), w.record(p, k, 2*time.Minute, 502), w.record(gone, k, 3*time.Minute, 200)}),
		w.store.DeleteProvider(ctx, gone.ID, gone.Version),
		w.store.UpsertAlert(ctx, point.Alert{Kind: "unpriced_model", Subject: "gpt-4o", Severity: "warning", Message: "No price.", Detail: json.RawMessage(`{"model":"gpt-4o"}`), Count: 1, FirstAt: w.clock.Now(), LastAt: w.clock.Now()}),
		w.store.InsertLogs(ctx, []point.LogEntry{{ID: store.NewID(w.clock.Now()), Timestamp: w.clock.Now(), Level: "error", Component: "gateway", Message: "a provider hung", Context: json.RawMessage(`{"ms":30000}`)}}),
	); err != nil {
		t.Fatal(err)
	}
	var page List[RequestRecord]
	w.do(viewing, http.MethodGet, "/api/requests?limit=1", "").into(t, &page)
	if len(page.Data) != 1 || *page.Total != 3 || !page.More || page.Cursor == "" {
		t.Fatalf("%+v", page)
	}
	w.run(map[string]string{"id": page.Data[0].ID, "cursor": page.Cursor, "key": k.ID}, []apiCase{
		{"one", viewing, "GET", "/api/requests/{id}", "", nil, 200, []string{`"provider":"main"`, `"key":"billing"`, `"tokens_input":10`, `"cost":"0.000847"`, `"ttft":120`, `"rule":"r"`, `"request":{"model":"gpt-4o"}`}, nil},
		{"the next", viewing, "GET", "/api/requests?limit=1&cursor={cursor}", "", nil, 200, []string{`"status":502`}, nil},
		{"by class", viewing, "GET", "/api/requests?status=5xx", "", nil, 200, []string{`"total":1`, `"status":502`}, nil},
		{"by name", viewing, "GET", "/api/requests?provider=main&key={key}&endpoint=/v1/chat/completions", "", nil, 200, []string{`"total":2`}, nil},
		{"of a deleted provider", viewing, "GET", "/api/requests?page=3&limit=1", "", nil, 200, []string{`"provider":"gone"`, `"more":false`, `"cursor":""`}, nil},
		{"stats", viewing, "GET", "/api/requests/stats?groupBy=day&by=provider,key", "", nil, 200, []string{`"provider":"main"`, `"key":"billing"`, `"requests":2`, `"errors":1`, `"cost":"0.001694"`, `"p95":`}, nil},
		{"empty buckets", viewing, "GET", "/api/requests/stats?groupBy=hour", "", nil, 200, []string{`"requests":0`, `"requests":3`, `"group":{}`}, nil},
		{"alerts", viewing, "GET", "/api/alerts?status=open", "", nil, 200, []string{`"kind":"unpriced_model"`, `"detail":{"model":"gpt-4o"}`, `"resolved_at":null`}, nil},
		{"logs", editing, "GET", "/api/logs?component=gateway&search=hung", "", nil, 200, []string{`"message":"a provider hung"`, `"context":{"ms":30000}`}, nil},
		{"other logs", editing, "GET", "/api/logs?level=info", "", nil, 200, []string{`"data":[]`}, nil},
	})
}

// TestDatabaseDown asks when the database is gone: it is said so, and nothing of the error.
func TestDatabaseDown(t *testing.T) {
	w := newWorld(t).withUsers()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	a := w.do(owned, http.MethodPost, "/api/keys", `{"name":"x"}`)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Error(a)
	}
	if a := w.do(owned, http.MethodGet, "/api/auth/me", ""); a.status != http.StatusOK {
		t.Error("who is signed in is known without a database", a)
	}
}

// BenchmarkAuthorize is what a route costs before its handler.
func BenchmarkAuthorize(b *testing.B) {
	w := newWorld(b).withUsers()
	r := request(http.MethodGet, "/api/auth/me", w.tokens[owned], "")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.api.principal(r); err != nil {
			b.Fatal(err)
		}
	}
}
