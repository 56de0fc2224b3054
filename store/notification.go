package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"point"
)

const (
	notificationsWaiting = 1000               // messages that may wait for one notifier
	notificationsLife    = 7 * 24 * time.Hour // of a message, sent or not
	notificationLease    = 2 * time.Minute    // a message that was taken and not settled is taken again

	notificationColumns = `alert_id, notifier_id, event, alert, attempts, created_at`

	queueNotification  = `INSERT INTO notifications (` + notificationColumns + `, next_at) VALUES ($1, $2, $3, $4, 0, $5, $5) ON CONFLICT DO NOTHING`
	countNotifications = `SELECT COUNT(*) FROM notifications WHERE notifier_id = $1 AND next_at IS NOT NULL`

	// pruneNotifications deletes messages with their age, those too that could not be sent.
	pruneNotifications = `DELETE FROM notifications WHERE created_at < $1`
)

// announce queues an alert that was not sent yet for those who want it; one that got worse, for
// those who did not want it before.
func (s *Store) announce(ctx context.Context, tx *sql.Tx, a *point.Alert) error {
	if a.NotifiedAt != nil && !worse(a.Severity, a.NotifiedSeverity) || a.AcknowledgedAt != nil {
		return nil
	}
	snap, now := s.Snapshot(), s.now()
	covers := func(x point.Silence) bool { return x.Covers(a, now) }
	if i := slices.IndexFunc(snap.Silences, covers); i >= 0 {
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET silence_id = $1 WHERE id = $2`, parseID(snap.Silences[i].ID), parseID(a.ID))
		return err
	}
	if rule, ok := snap.AlertRules[a.RuleID]; ok && rule.CooldownMS > 0 {
		var cooling int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM alerts WHERE kind = $1 AND subject = $2 AND notified_at > $3 AND id <> $4`,
			a.Kind, a.Subject, now.Add(-rule.Cooldown()), parseID(a.ID)).Scan(&cooling)
		if err != nil || cooling > 0 {
			return err
		}
	}
	a.NotifiedAt = &now
	queued, err := s.queue(ctx, tx, a, point.EventRaised)
	if err != nil || !queued {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE alerts SET notified_at = $1, notified_severity = $2, silence_id = NULL WHERE id = $3`, now, a.Severity, parseID(a.ID))
	return err
}

// queue writes a message for each notifier that wants an alert, and tells whether there is one.
func (s *Store) queue(ctx context.Context, tx *sql.Tx, a *point.Alert, event string) (queued bool, err error) {
	all := s.Snapshot().Notifiers
	for _, id := range slices.Sorted(maps.Keys(all)) {
		n := all[id]
		if !n.Wants(a) {
			continue
		}
		var waiting int
		if err := tx.QueryRowContext(ctx, countNotifications, parseID(id)).Scan(&waiting); err != nil {
			return false, err
		}
		if waiting >= notificationsWaiting {
			s.opts.Log.Warn("a notifier has too many messages waiting; one is dropped", "notifier", n.Name, "kind", a.Kind)
			continue
		}
		if _, err := tx.ExecContext(ctx, queueNotification, parseID(a.ID), parseID(id), event, asJSON(a), s.now()); err != nil {
			return false, err
		}
		queued = true
	}
	return queued, nil
}

// TakeNotifications takes messages that are due, oldest first. Each is the caller's for two
// minutes, in which it settles it; then it may be taken again.
func (s *Store) TakeNotifications(ctx context.Context, limit int) ([]point.Notification, error) {
	taken, err := s.takeNotifications(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("take messages to send: %w", err)
	}
	return taken, nil
}

func (s *Store) takeNotifications(ctx context.Context, limit int) (taken []point.Notification, err error) {
	type due struct {
		point.Notification
		next time.Time
	}
	now := s.now()
	list, err := rows(ctx, s.history.read, func(r row) (d due, err error) {
		d.Notification, err = scanNotification(r, timeTo{&d.next})
		return d, err
	}, `SELECT `+notificationColumns+`, next_at FROM notifications WHERE next_at <= $1 ORDER BY next_at LIMIT $2`, now, limit)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	err = s.history.transact(ctx, func(tx *sql.Tx) error {
		for _, d := range list {
			result, err := tx.ExecContext(ctx, `UPDATE notifications SET next_at = $1, attempts = attempts + 1 WHERE alert_id = $2 AND notifier_id = $3 AND event = $4 AND next_at = $5`,
				now.Add(notificationLease), parseID(d.AlertID), parseID(d.NotifierID), d.Event, d.next)
			if err != nil {
				return err
			}
			if won, err := result.RowsAffected(); err != nil || won == 0 {
				continue // another process has it
			}
			d.Attempts++
			taken = append(taken, d.Notification)
		}
		return nil
	})
	return taken, err
}

// SettleNotification notes what became of a message that was taken: sent if reason is empty;
// otherwise it is tried again at next, or never if that is zero.
func (s *Store) SettleNotification(ctx context.Context, n point.Notification, reason string, next time.Time) error {
	var sent time.Time
	if reason == "" {
		sent, next = s.now(), time.Time{}
	}
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notifications SET next_at = $1, error = $2, sent_at = $3 WHERE alert_id = $4 AND notifier_id = $5 AND event = $6`,
			at(next), orNull(clip(reason, messageLength)), at(sent), parseID(n.AlertID), parseID(n.NotifierID), n.Event)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what became of a message: %w", err)
	}
	return nil
}

// PutBackNotification gives a message back that was taken and not tried: it is due at next, and the
// take is not counted.
func (s *Store) PutBackNotification(ctx context.Context, n point.Notification, next time.Time) error {
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notifications SET next_at = $1, attempts = attempts - 1 WHERE alert_id = $2 AND notifier_id = $3 AND event = $4 AND attempts = $5`,
			at(next), parseID(n.AlertID), parseID(n.NotifierID), n.Event, n.Attempts)
		return err
	})
	if err != nil {
		return fmt.Errorf("put a message back: %w", err)
	}
	return nil
}

// NotifierStates tells how the sending goes, by id of the notifier, from the messages of the
// last week.
func (s *Store) NotifierStates(ctx context.Context) (map[string]point.NotifierState, error) {
	states := map[string]point.NotifierState{}
	_, err := rows(ctx, s.history.read, func(r row) (none struct{}, err error) {
		var id uid
		var next, sent *time.Time
		var reason string
		if err := r.Scan(&id, timePtrTo{&next}, timePtrTo{&sent}, textTo{&reason}); err != nil {
			return none, err
		}
		state := states[id.String()]
		if next != nil {
			state.Waiting++
		}
		if sent != nil && (state.LastSentAt == nil || sent.After(*state.LastSentAt)) {
			state.LastSentAt = sent
		}
		state.LastError = cmp.Or(state.LastError, reason)
		states[id.String()] = state
		return none, nil
	}, `SELECT notifier_id, next_at, sent_at, error FROM notifications WHERE created_at > $1 ORDER BY created_at DESC LIMIT 10000`, s.now().Add(-notificationsLife))
	if err != nil {
		return nil, fmt.Errorf("read how notifiers do: %w", err)
	}
	return states, nil
}

// scanNotification scans the columns of a message, and more behind them.
func scanNotification(r row, more ...any) (n point.Notification, err error) {
	var alert, notifier uid
	err = r.Scan(append([]any{&alert, &notifier, &n.Event, jsonTo{&n.Alert}, &n.Attempts, timeTo{&n.CreatedAt}}, more...)...)
	n.AlertID, n.NotifierID = alert.String(), notifier.String()
	return n, err
}
