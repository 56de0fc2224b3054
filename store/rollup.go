package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"time"

	"point"
)

// Dimensions that a rollup may keep, as bits of its view.
const (
	keepsEndpoint = 1 << iota
	keepsProvider
	keepsModel
	keepsKey
	keepsAll = keepsEndpoint | keepsProvider | keepsModel | keepsKey
)

// Spans of rollups in seconds. A quarter of an hour is the largest span from which the hours
// and days of every time zone can be put together.
const (
	minuteSpan  = 60
	quarterSpan = 900
)

// views are the combinations of dimensions that are kept for each span, the smallest first:
// the whole, each dimension alone, and all together, from which the rest is summed up when
// it is asked for. By the minute, keys are kept apart from the rest: together they would be
// nearly as many rows as requests.
var views = map[int][]int{
	minuteSpan:  {0, keepsKey, keepsAll &^ keepsKey},
	quarterSpan: {0, keepsEndpoint, keepsProvider, keepsModel, keepsKey, keepsAll},
}

// rollupKey tells what a rollup is about.
type rollupKey struct {
	Span       int    `json:"span"`
	View       int    `json:"view"`
	Bucket     int64  `json:"bucket"` // start, in seconds since 1970
	Endpoint   string `json:"endpoint"`
	ProviderID string `json:"provider_id"`
	Model      string `json:"model"`
	KeyID      string `json:"key_id"`
}

// rollup is what happened.
type rollup struct {
	Requests     int64     `json:"requests"`
	Errors       int64     `json:"errors"`
	Refused      int64     `json:"refused"` // of the errors
	TokensInput  int64     `json:"tokens_input"`
	TokensOutput int64     `json:"tokens_output"`
	Cost         int64     `json:"cost"`
	Unpriced     int64     `json:"unpriced"`
	CacheHits    int64     `json:"cache_hits"`
	Latency      histogram `json:"latency"`
	TTFT         histogram `json:"ttft"`
}

type rollupRow struct {
	rollupKey
	*rollup
}

// observe counts one request, with the bounds of its row: what a provider told, however
// absurd, is no more in the sums than in the list. Latency is that of requests which Point answered in full or
// gave up on: one that was refused or cancelled says nothing about a provider.
func (r *rollup) observe(rec *point.Record) {
	r.Requests++
	switch rec.Outcome {
	case point.OutcomeComplete, point.OutcomeClientCancelled:
	default:
		r.Errors++
	}
	if rec.Refused() {
		r.Refused++
	}
	if u := rec.Usage; u != nil {
		r.TokensInput += bound(u.Input)
		r.TokensOutput += bound(u.Output)
		if rec.Cost == nil {
			r.Unpriced++
		}
	}
	if rec.Cost != nil {
		r.Cost += int64(boundCost(*rec.Cost))
	}
	if rec.CacheHit {
		r.CacheHits++
	}
	if rec.Outcome != point.OutcomeRejected && rec.Outcome != point.OutcomeClientCancelled {
		r.Latency.observe(rec.ResponseTime)
	}
	if rec.TTFT != nil {
		r.TTFT.observe(*rec.TTFT)
	}
}

func (r *rollup) merge(other *rollup) {
	r.Requests += other.Requests
	r.Errors += other.Errors
	r.Refused += other.Refused
	r.TokensInput += other.TokensInput
	r.TokensOutput += other.TokensOutput
	r.Cost = saturate(r.Cost, other.Cost)
	r.Unpriced += other.Unpriced
	r.CacheHits += other.CacheHits
	r.Latency.merge(other.Latency)
	r.TTFT.merge(other.TTFT)
}

// saturate is a + b, or the largest number if that is more: over a long range it is the sum
// of many buckets, each of which may be near the bound.
func saturate(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// rollUp sums records up into every span and view, in a fixed order so that two processes
// that write the same rows wait for each other instead of deadlocking.
func rollUp(records []*point.Record) []rollupRow {
	finest := map[rollupKey]*rollup{}
	for _, rec := range records {
		key := rollupKey{
			Span: minuteSpan, View: keepsAll, Bucket: floor(rec.Timestamp.Unix(), minuteSpan),
			Endpoint: clip(rec.Endpoint, nameLength), ProviderID: idText(rec.ProviderID), Model: clip(rec.Model, nameLength), KeyID: idText(rec.KeyID),
		}
		into(finest, key).observe(rec)
	}
	all := map[rollupKey]*rollup{}
	for key, r := range finest {
		for span, list := range views {
			for _, view := range list {
				into(all, key.coarser(span, view)).merge(r)
			}
		}
	}
	out := make([]rollupRow, 0, len(all))
	for key, r := range all {
		out = append(out, rollupRow{key, r})
	}
	slices.SortFunc(out, func(a, b rollupRow) int { return a.compare(b.rollupKey) })
	return out
}

func into(m map[rollupKey]*rollup, key rollupKey) *rollup {
	r, ok := m[key]
	if !ok {
		r = &rollup{Latency: histogram{}, TTFT: histogram{}}
		m[key] = r
	}
	return r
}

// idText is an id as rollups hold it: text, "" for none.
func idText(id string) string { return parseID(id).String() }

func floor(seconds int64, span int) int64 { return seconds - seconds%int64(span) }

// coarser is the key under which k is summed up in another span and view.
func (k rollupKey) coarser(span, view int) rollupKey {
	k.Span, k.View, k.Bucket = span, view, floor(k.Bucket, span)
	if view&keepsEndpoint == 0 {
		k.Endpoint = ""
	}
	if view&keepsProvider == 0 {
		k.ProviderID = ""
	}
	if view&keepsModel == 0 {
		k.Model = ""
	}
	if view&keepsKey == 0 {
		k.KeyID = ""
	}
	return k
}

func (k rollupKey) compare(o rollupKey) int {
	return cmp.Or(cmp.Compare(k.Span, o.Span), cmp.Compare(k.View, o.View), cmp.Compare(k.Bucket, o.Bucket), cmp.Compare(k.Endpoint, o.Endpoint),
		cmp.Compare(k.ProviderID, o.ProviderID), cmp.Compare(k.Model, o.Model), cmp.Compare(k.KeyID, o.KeyID))
}

const (
	rollupColumns = `span, view, bucket, endpoint, provider_id, model, key_id,
		requests, errors, refused, tokens_input, tokens_output, cost, unpriced, cache_hits, latency, ttft`
	rollupConflict = ` ON CONFLICT (span, view, bucket, endpoint, provider_id, model, key_id) DO UPDATE SET
		requests = rollups.requests + excluded.requests, errors = rollups.errors + excluded.errors, refused = rollups.refused + excluded.refused,
		tokens_input = rollups.tokens_input + excluded.tokens_input, tokens_output = rollups.tokens_output + excluded.tokens_output,
		cost = rollups.cost + excluded.cost, unpriced = rollups.unpriced + excluded.unpriced, cache_hits = rollups.cache_hits + excluded.cache_hits,
		latency = point_histogram_add(rollups.latency, excluded.latency), ttft = point_histogram_add(rollups.ttft, excluded.ttft)`

	upsertRollup = `INSERT INTO rollups (` + rollupColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)` + rollupConflict

	// upsertRollups takes all rows as one JSON list.
	upsertRollups = `INSERT INTO rollups (` + rollupColumns + `)
		SELECT span, view, to_timestamp(bucket), endpoint, provider_id, model, key_id,
			requests, errors, refused, tokens_input, tokens_output, cost, unpriced, cache_hits, latency, ttft
		FROM json_to_recordset($1::JSON) AS r(span INTEGER, view INTEGER, bucket BIGINT, endpoint TEXT, provider_id TEXT, model TEXT, key_id TEXT,
			requests BIGINT, errors BIGINT, refused BIGINT, tokens_input BIGINT, tokens_output BIGINT, cost BIGINT, unpriced BIGINT, cache_hits BIGINT, latency JSONB, ttft JSONB)` + rollupConflict
)

// addRollups adds what records tell to the stored rollups.
func (s *Store) addRollups(ctx context.Context, tx *sql.Tx, records []*point.Record) error {
	records = slices.DeleteFunc(records, (*point.Record).Test)
	if len(records) == 0 {
		return nil
	}
	list := rollUp(records)
	if s.postgres != nil {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, upsertRollups, string(text))
		return err
	}
	statement, err := tx.PrepareContext(ctx, upsertRollup)
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, r := range list {
		_, err := statement.ExecContext(ctx, r.Span, r.View, time.Unix(r.Bucket, 0), r.Endpoint, r.ProviderID, r.Model, r.KeyID,
			r.Requests, r.Errors, r.Refused, r.TokensInput, r.TokensOutput, r.Cost, r.Unpriced, r.CacheHits, string(r.Latency.append(nil)), string(r.TTFT.append(nil)))
		if err != nil {
			return err
		}
	}
	return nil
}
