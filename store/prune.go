package store

import (
	"context"
	"fmt"
	"time"
)

// pruneRows is how many rows a pruning transaction deletes at most, so that no writer waits
// long for it.
const pruneRows = 1000

const (
	pruneRequests = `DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE id < $1 AND timestamp < $2 ORDER BY id LIMIT $3)`
	pruneLogs     = `DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE id < $1 AND timestamp < $2 ORDER BY id LIMIT $3)`
	pruneAlerts   = `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE resolved_at < $1 LIMIT $2)`
	pruneRollups  = `DELETE FROM rollups WHERE (span, view, bucket, endpoint, provider_id, model, key_id) IN
		(SELECT span, view, bucket, endpoint, provider_id, model, key_id FROM rollups WHERE span = $1 AND view = $2 AND bucket < $3 LIMIT $4)`
)

// Prune deletes what is too old, in transactions of 1,000 rows, and tells how many rows went
// (of whole months that PostgreSQL drops, its estimate). It may be stopped and called again at any time.
func (s *Store) Prune(ctx context.Context, before PruneBefore) (int64, error) {
	total, err := s.prune(ctx, before)
	if err != nil {
		return total, fmt.Errorf("delete old rows: %w", err)
	}
	return total, nil
}

func (s *Store) prune(ctx context.Context, before PruneBefore) (total int64, err error) {
	add := func(n int64, err error) error {
		total += n
		return err
	}
	if t := before.Requests; !t.IsZero() {
		if err := add(s.dropPartitions(ctx, t)); err != nil {
			return total, err
		}
		if err := add(s.deleteAll(ctx, pruneRequests, firstID(t.Add(idSlack)), at(t), pruneRows)); err != nil {
			return total, err
		}
	}
	if t := before.Bodies; !t.IsZero() {
		if err := add(s.deleteAll(ctx, pruneBodies, at(t), pruneRows)); err != nil {
			return total, err
		}
	}
	if t := before.Expired; !t.IsZero() {
		if err := add(s.deleteAll(ctx, pruneResponses, at(t), pruneRows)); err != nil {
			return total, err
		}
	}
	if t := before.Logs; !t.IsZero() {
		if err := add(s.deleteAll(ctx, pruneLogs, firstID(t.Add(idSlack)), at(t), pruneRows)); err != nil {
			return total, err
		}
	}
	if t := before.Alerts; !t.IsZero() {
		if err := add(s.deleteAll(ctx, pruneAlerts, at(t), pruneRows)); err != nil {
			return total, err
		}
	}
	if t := before.Rollups; !t.IsZero() {
		return total, add(s.pruneRollups(ctx, quarterSpan, t))
	}
	return total, nil
}

func (s *Store) pruneRollups(ctx context.Context, span int, before time.Time) (total int64, err error) {
	for _, view := range views[span] {
		n, err := s.deleteAll(ctx, pruneRollups, span, view, at(before), pruneRows)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// deleteAll repeats a statement until it finds no more.
func (s *Store) deleteAll(ctx context.Context, statement string, args ...any) (total int64, err error) {
	for {
		result, err := s.history.write.ExecContext(ctx, statement, args...)
		if err != nil {
			return total, failure(err)
		}
		n, err := result.RowsAffected()
		if total += n; err != nil || n < pruneRows {
			return total, err
		}
	}
}

// dropPartitions drops whole months of requests, where there are partitions.
func (s *Store) dropPartitions(ctx context.Context, before time.Time) (n int64, err error) {
	if s.postgres == nil {
		return 0, nil
	}
	err = s.history.write.QueryRowContext(ctx, `SELECT point_drop_request_partitions($1)`, before.Add(-idSlack)).Scan(&n)
	s.months.Clear()
	return n, failure(err)
}
