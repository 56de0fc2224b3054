package store

import (
	"context"
	"database/sql"
	"fmt"

	"point"
)

const alertColumns = `id, kind, subject, severity, message, detail, count, first_at, last_at, resolved_at`

// closeAlerts closes alerts that have not been raised for a while, so that they can be pruned.
const closeAlerts = `UPDATE alerts SET resolved_at = $1 WHERE resolved_at IS NULL AND last_at < $2`

// UpsertAlert raises an alert: an open one of the same kind and subject is counted up and
// takes the new severity, message and detail; otherwise one is opened. Count zero is one,
// LastAt zero is now. Upkeep closes an alert that is not raised for a week.
func (s *Store) UpsertAlert(ctx context.Context, a point.Alert) error {
	if !isID(a.ID) {
		a.ID = NewID(s.opts.Now())
	}
	if a.LastAt.IsZero() {
		a.LastAt = s.now()
	}
	if a.FirstAt.IsZero() {
		a.FirstAt = a.LastAt
	}
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO alerts (`+alertColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)
			ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE SET
				severity = excluded.severity, message = excluded.message, detail = excluded.detail, count = alerts.count + excluded.count, last_at = excluded.last_at`,
			parseID(a.ID), clip(a.Kind, 100), clip(a.Subject, nameLength), clip(a.Severity, 20), clip(a.Message, messageLength), column(mend(a.Detail)),
			max(a.Count, 1), at(a.FirstAt), at(a.LastAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("store alert %s: %w", a.Kind, err)
	}
	return nil
}

// ListAlerts lists alerts, the last raised first.
func (s *Store) ListAlerts(ctx context.Context, f AlertFilter) (List[point.Alert], error) {
	l := listing[point.Alert]{columns: alertColumns, order: "last_at DESC, id DESC", page: f.Page, scan: scanAlert}
	l.from.add(" FROM alerts")
	switch {
	case f.Open == nil:
	case *f.Open:
		l.from.where("resolved_at IS NULL")
	default:
		l.from.where("resolved_at IS NOT NULL")
	}
	out, err := list(ctx, s.history.read, l)
	if err != nil {
		return out, fmt.Errorf("list alerts: %w", err)
	}
	return out, nil
}

func scanAlert(r row) (a point.Alert, err error) {
	var id uid
	err = r.Scan(&id, &a.Kind, &a.Subject, &a.Severity, &a.Message, rawTo{&a.Detail}, &a.Count, timeTo{&a.FirstAt}, timeTo{&a.LastAt}, timePtrTo{&a.ResolvedAt})
	a.ID = id.String()
	return a, err
}
