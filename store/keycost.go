package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"point"
)

// KeyCosts sums up what keys cost from a time on, which is the start of a quarter of an hour,
// until another: whole quarters and minutes from rollups, the rest from requests. Keys that
// cost nothing are left out; no ids means all keys.
func (s *Store) KeyCosts(ctx context.Context, ids []string, from, until time.Time) (map[string]point.NanoUSD, error) {
	costs := map[string]point.NanoUSD{}
	quarter, minute := until.Truncate(quarterSpan*time.Second), until.Truncate(minuteSpan*time.Second)
	for _, q := range []*query{
		keyRollups(quarterSpan, ids, from, quarter),
		keyRollups(minuteSpan, ids, latest(from, quarter), minute),
		keyRequests(ids, latest(from, minute), until),
	} {
		if err := s.addCosts(ctx, costs, q); err != nil {
			return nil, fmt.Errorf("costs of keys: %w", err)
		}
	}
	maps.DeleteFunc(costs, func(_ string, n point.NanoUSD) bool { return n == 0 })
	return costs, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func keyRollups(span int, ids []string, from, until time.Time) *query {
	var q query
	q.add("SELECT key_id, CAST(SUM(cost) AS BIGINT) FROM rollups")
	q.where("span = ? AND view = ? AND bucket >= ? AND bucket < ? AND key_id <> ''", span, keepsKey, at(from), at(until))
	if len(ids) > 0 {
		values := make([]any, len(ids))
		for i, id := range ids {
			values[i] = idText(id)
		}
		q.whereIn("key_id", values)
	}
	q.add(" GROUP BY key_id")
	return &q
}

func keyRequests(ids []string, from, until time.Time) *query {
	var q query
	q.add("SELECT key_id, CAST(SUM(cost) AS BIGINT) FROM requests")
	filterTime(&q, from, until)
	q.where("cost IS NOT NULL AND key_id IS NOT NULL")
	if len(ids) > 0 {
		values := make([]any, len(ids))
		for i, id := range ids {
			values[i] = parseID(id)
		}
		q.whereIn("key_id", values)
	}
	q.add(" GROUP BY key_id")
	return &q
}

// addCosts adds the rows of q, a key and a sum each, to costs.
func (s *Store) addCosts(ctx context.Context, costs map[string]point.NanoUSD, q *query) error {
	_, err := rows(ctx, s.history.read, func(r row) (none struct{}, err error) {
		var id uid
		var sum int64
		if err = r.Scan(&id, &sum); err == nil {
			costs[id.String()] = point.NanoUSD(saturate(int64(costs[id.String()]), sum))
		}
		return none, err
	}, q.sql.String(), q.args...)
	return err
}
