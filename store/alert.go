package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"point"
)

const (
	alertColumns = `id, kind, subject, severity, message, detail, rule_id, count, first_at, last_at, silence_id, notified_at, notified_severity, acknowledged_at, acknowledged_by, resolved_at, resolved_by`

	upsertAlert = `INSERT INTO alerts (id, kind, subject, severity, message, detail, rule_id, count, first_at, last_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE SET
			severity = excluded.severity, message = excluded.message, detail = excluded.detail, rule_id = excluded.rule_id,
			count = alerts.count + excluded.count, last_at = excluded.last_at
		RETURNING ` + alertColumns

	selectAlert = `SELECT ` + alertColumns + ` FROM alerts WHERE id = $1`

	// closeAlerts closes alerts that have not been raised for a while, so that they can be pruned.
	closeAlerts = `UPDATE alerts SET resolved_at = $1 WHERE resolved_at IS NULL AND last_at < $2`
)

// UpsertAlert raises an alert: an open one of the same kind and subject is counted up and
// takes the new severity, message, detail and rule; otherwise one is opened. Count zero is one,
// LastAt zero is now. Upkeep closes an alert that is not raised for a week. In the same
// transaction it is queued for the notifiers that want it, once each, unless it is silenced,
// acknowledged, or its rule's cooldown holds.
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
		stored, err := one(ctx, tx, scanAlert, upsertAlert,
			parseID(a.ID), clip(a.Kind, 100), clip(a.Subject, nameLength), clip(a.Severity, 20), clip(a.Message, messageLength), column(mend(a.Detail)),
			parseID(a.RuleID), max(a.Count, 1), at(a.FirstAt), at(a.LastAt))
		if err != nil {
			return err
		}
		return s.announce(ctx, tx, stored)
	})
	if err != nil {
		return fmt.Errorf("store alert %s: %w", a.Kind, err)
	}
	return nil
}

// worse compares two severities.
func worse(a, b string) bool {
	all := point.Severities()
	return slices.Index(all, a) > slices.Index(all, b)
}

// GetAlert finds an alert by id.
func (s *Store) GetAlert(ctx context.Context, id string) (*point.Alert, error) {
	a, err := one(ctx, s.history.read, scanAlert, selectAlert, parseID(id))
	if err != nil {
		return nil, fmt.Errorf("alert %s: %w", id, err)
	}
	return a, nil
}

// ListAlerts lists alerts, the last raised first.
func (s *Store) ListAlerts(ctx context.Context, f AlertFilter) (List[point.Alert], error) {
	l := listing[point.Alert]{columns: alertColumns, order: "last_at DESC, id DESC", page: f.Page, scan: scanAlert}
	l.from.add(" FROM alerts")
	filterAlerts(&l.from, f)
	out, err := list(ctx, s.history.read, l)
	if err != nil {
		return out, fmt.Errorf("list alerts: %w", err)
	}
	return out, nil
}

func filterAlerts(q *query, f AlertFilter) {
	switch f.Status {
	case OpenAlert:
		q.where("resolved_at IS NULL")
	case AcknowledgedAlert:
		q.where("resolved_at IS NULL AND acknowledged_at IS NOT NULL")
	case ResolvedAlert:
		q.where("resolved_at IS NOT NULL")
	}
	if f.Kind != "" {
		q.where("kind = ?", f.Kind)
	}
	if f.Severity != "" {
		q.where("severity = ?", f.Severity)
	}
	if f.Subject != "" {
		q.where("subject = ?", f.Subject)
	}
	if f.OfRules {
		q.where("rule_id IS NOT NULL")
	}
	if !f.From.IsZero() {
		q.where("last_at >= ?", at(f.From))
	}
	if !f.To.IsZero() {
		q.where("last_at < ?", at(f.To))
	}
}

// OpenAlerts counts the open alerts by severity.
func (s *Store) OpenAlerts(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	_, err := rows(ctx, s.history.read, func(r row) (none struct{}, err error) {
		var severity string
		var n int64
		err = r.Scan(&severity, &n)
		counts[severity] = n
		return none, err
	}, `SELECT severity, COUNT(*) FROM alerts WHERE resolved_at IS NULL GROUP BY severity`)
	if err != nil {
		return nil, fmt.Errorf("count the open alerts: %w", err)
	}
	return counts, nil
}

// AcknowledgeAlert notes who looks after an open alert: it stays open and is not sent any
// more. One that is acknowledged or resolved stays as it is.
func (s *Store) AcknowledgeAlert(ctx context.Context, id, by string) (*point.Alert, error) {
	return s.settleAlert(ctx, id, func(tx *sql.Tx, a *point.Alert, now time.Time) error {
		if a.AcknowledgedAt != nil || a.ResolvedAt != nil {
			return nil
		}
		a.AcknowledgedAt, a.AcknowledgedBy = &now, by
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET acknowledged_at = $1, acknowledged_by = $2 WHERE id = $3`, now, clip(by, 320), parseID(id))
		return err
	})
}

// ResolveAlert closes an alert; those who were told of it are told of its end. by is empty if
// the condition ended by itself. One that is resolved stays as it is.
func (s *Store) ResolveAlert(ctx context.Context, id, by string) (*point.Alert, error) {
	return s.settleAlert(ctx, id, func(tx *sql.Tx, a *point.Alert, now time.Time) error {
		if a.ResolvedAt != nil {
			return nil
		}
		a.ResolvedAt, a.ResolvedBy = &now, by
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET resolved_at = $1, resolved_by = $2 WHERE id = $3`, now, orNull(clip(by, 320)), parseID(id))
		if err != nil || a.NotifiedAt == nil {
			return err
		}
		_, err = s.queue(ctx, tx, a, point.EventResolved)
		return err
	})
}

// settleAlert changes an alert in one transaction.
func (s *Store) settleAlert(ctx context.Context, id string, fn func(*sql.Tx, *point.Alert, time.Time) error) (a *point.Alert, err error) {
	err = s.history.transact(ctx, func(tx *sql.Tx) error {
		if a, err = one(ctx, tx, scanAlert, selectAlert, parseID(id)); err != nil {
			return err
		}
		return fn(tx, a, s.now())
	})
	if err != nil {
		return nil, fmt.Errorf("alert %s: %w", id, err)
	}
	return a, nil
}

func scanAlert(r row) (a point.Alert, err error) {
	var id, rule, silence uid
	err = r.Scan(&id, &a.Kind, &a.Subject, &a.Severity, &a.Message, rawTo{&a.Detail}, &rule, &a.Count, timeTo{&a.FirstAt}, timeTo{&a.LastAt},
		&silence, timePtrTo{&a.NotifiedAt}, textTo{&a.NotifiedSeverity}, timePtrTo{&a.AcknowledgedAt}, textTo{&a.AcknowledgedBy}, timePtrTo{&a.ResolvedAt}, textTo{&a.ResolvedBy})
	a.ID, a.RuleID, a.SilenceID = id.String(), rule.String(), silence.String()
	return a, err
}
