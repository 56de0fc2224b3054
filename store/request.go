package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"point"
)

// idSlack is how far a record's id and timestamp may be apart for a filter to find it.
const idSlack = time.Hour

// GetRequest finds a record of the scope by id.
func (s *Store) GetRequest(ctx context.Context, scope Scope, id string) (point.Record, error) {
	r, err := one(ctx, s.history.read, scanRecord, `SELECT `+requestColumns+` FROM requests WHERE id = $1`, parseID(id))
	if err == nil {
		err = scope.reaches(ctx, s.config.read, r.KeyID)
	}
	if err != nil {
		return point.Record{}, fmt.Errorf("request %s: %w", id, err)
	}
	return *r, nil
}

// ListRequests lists records of the scope, the newest first.
func (s *Store) ListRequests(ctx context.Context, scope Scope, f RequestFilter) (List[point.Record], error) {
	l := listing[point.Record]{columns: requestColumns, order: "id DESC", page: f.Page, scan: scanRecord}
	l.from.add(" FROM requests")
	err := s.filterScope(ctx, &l.from, scope, f.KeyID)
	if err == nil {
		err = s.filterRequests(ctx, &l.from, f)
	}
	if err == nil && f.Cursor != "" {
		err = continueAt(&l, f.Cursor)
	}
	if err != nil {
		return List[point.Record]{}, fmt.Errorf("list requests: %w", err)
	}
	out, err := list(ctx, s.history.read, l)
	if err != nil {
		return out, fmt.Errorf("list requests: %w", err)
	}
	if out.More {
		out.Cursor = cursor(out.Items[len(out.Items)-1].ID)
	}
	return out, nil
}

// filterScope holds a list to the keys of a scope.
func (s *Store) filterScope(ctx context.Context, q *query, scope Scope, asked string) error {
	if scope.all {
		return nil
	}
	ids, err := scope.keys(ctx, s.config.read, asked)
	if err != nil {
		return err
	}
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = parseID(id)
	}
	q.whereIn("key_id", values)
	return nil
}

// filterRequests adds f's conditions. Those on failures repeat what their partial indexes
// say, so that the engines may use these.
func (s *Store) filterRequests(ctx context.Context, q *query, f RequestFilter) error {
	if f.Provider != "" {
		id, err := s.providerID(ctx, f.Provider)
		if err != nil {
			return err
		}
		q.where("provider_id = ?", parseID(id))
	}
	if f.Endpoint != "" {
		q.where("endpoint = ?", f.Endpoint)
	}
	if f.Model != "" {
		q.where("model = ?", f.Model)
	}
	if f.KeyID != "" {
		q.where("key_id = ?", parseID(f.KeyID))
	}
	filterOutcome(q, f)
	filterTime(q, f.From, f.To)
	return filterStatus(q, f.Status)
}

func filterOutcome(q *query, f RequestFilter) {
	if len(f.Outcomes) > 0 {
		outcomes := make([]any, len(f.Outcomes))
		for i, outcome := range f.Outcomes {
			outcomes[i] = string(outcome)
		}
		q.whereIn("outcome", outcomes)
		if !slices.Contains(f.Outcomes, point.OutcomeComplete) {
			q.where("outcome <> 'complete'")
		}
	}
	if f.Failed != nil && *f.Failed {
		q.where("outcome <> 'complete' AND outcome <> 'client_cancelled'")
	}
	if f.Failed != nil && !*f.Failed {
		q.where("outcome IN ('complete', 'client_cancelled')")
	}
	if f.Test != nil && *f.Test {
		q.where("request ->> 'test' IS NOT NULL")
	}
	if f.Test != nil && !*f.Test {
		q.where("request ->> 'test' IS NULL")
	}
}

// filterTime bounds the time, and with it the id, in whose order the rows lie.
func filterTime(q *query, from, to time.Time) {
	if !from.IsZero() {
		q.where("id >= ? AND timestamp >= ?", firstID(from.Add(-idSlack)), at(from))
	}
	if !to.IsZero() {
		q.where("id < ? AND timestamp < ?", firstID(to.Add(idSlack)), at(to))
	}
}

var statusForm = regexp.MustCompile(`^[1-5]([0-9]{2}|xx)$`)

func filterStatus(q *query, status string) error {
	if status == "" {
		return nil
	}
	if !statusForm.MatchString(status) {
		return &Invalid{"status", "Give a code such as 404 or a class such as 4xx."}
	}
	class := int64(status[0] - '0')
	if class >= 3 {
		q.where("status / 100 = ? AND status >= 300", class)
	} else {
		q.where("status / 100 = ?", class)
	}
	if code, err := strconv.Atoi(status); err == nil {
		q.where("status = ?", code)
	}
	return nil
}

// cursor is where a list goes on: behind the id, in base64 after a byte for the format.
func cursor(id string) string {
	u := parseID(id).UUID
	return base64.RawURLEncoding.EncodeToString(append([]byte{1}, u[:]...))
}

// parseCursor reads what cursor wrote.
func parseCursor(text string) (uid, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 17 || b[0] != 1 {
		return uid{}, &Invalid{"cursor", "This is not a cursor that Point gave out."}
	}
	return uid{uuid.NullUUID{UUID: uuid.UUID(b[1:]), Valid: true}}, nil
}

// continueAt makes l's page begin behind a cursor.
func continueAt[T any](l *listing[T], text string) error {
	after, err := parseCursor(text)
	if err != nil {
		return err
	}
	l.page.Number = 1
	l.after = func(q *query) { q.where("id < ?", after) }
	return nil
}

func scanRecord(r row) (rec point.Record, err error) {
	var id, provider, key uid
	var tokensInput, tokensOutput, overhead *int64
	err = r.Scan(&id, timeTo{&rec.Timestamp}, &rec.Endpoint, &provider, textTo{&rec.Model}, &rec.Status, &rec.ResponseTime, &tokensInput, &tokensOutput,
		&rec.Cost, rawTo{&rec.Request}, rawTo{&rec.Response}, textTo{&rec.ClientRequestID}, textTo{&rec.UpstreamModel}, &key, &rec.Outcome,
		textTo{(*string)(&rec.ErrorCode)}, textTo{&rec.ErrorMessage}, &rec.TTFT, &overhead, &rec.Stream, &rec.CacheHit,
		jsonTo{&rec.Usage}, jsonTo{&rec.Attempts}, jsonTo{&rec.Route})
	rec.ID, rec.ProviderID, rec.KeyID = id.String(), provider.String(), key.String()
	if overhead != nil {
		rec.OverheadUS = *overhead
	}
	return rec, err
}
