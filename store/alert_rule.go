package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"point"
)

const (
	alertRuleColumns = `id, name, enabled, kind, scope, threshold, window_ms, min_requests, severity, cooldown_ms, managed_by, version, created_at, updated_at`

	selectAlertRules = `SELECT ` + alertRuleColumns + ` FROM alert_rules ORDER BY name`
	selectAlertRule  = `SELECT ` + alertRuleColumns + ` FROM alert_rules WHERE id = $1`
	existsAlertRule  = `SELECT 1 FROM alert_rules WHERE id = $1`
	insertAlertRule  = `INSERT INTO alert_rules (` + alertRuleColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
)

// CreateAlertRule stores r and sets its ID (if empty), Version and times. Its name must not be
// another's: *Conflict.
func (s *Store) CreateAlertRule(ctx context.Context, r *point.AlertRule) error {
	stored := *r
	err := s.change(ctx, func(tx *configTx) error { return s.insertAlertRule(ctx, tx, &stored) })
	if err != nil {
		return fmt.Errorf("create alert rule %s: %w", r.Name, err)
	}
	*r = stored
	return nil
}

func (s *Store) insertAlertRule(ctx context.Context, tx *configTx, r *point.AlertRule) error {
	if r.ID == "" {
		r.ID = NewID(s.opts.Now())
	}
	r.Version, r.CreatedAt = 1, s.now()
	r.UpdatedAt = r.CreatedAt
	if err := tx.changed(ctx, entityAlertRule, r.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, insertAlertRule, r.ID, r.Name, r.Enabled, r.Kind, asJSON(r.Scope), r.Threshold, r.WindowMS, r.MinRequests,
		r.Severity, r.CooldownMS, r.ManagedBy, r.Version, r.CreatedAt, r.UpdatedAt)
	return err
}

// settingSeededRules remembers that the rules of a fresh installation were made, so that one
// that was deleted does not come back.
const settingSeededRules = "alert_rules_seeded"

// SeedAlertRules stores the rules of a fresh installation, once. A name that is taken is left
// alone.
func (s *Store) SeedAlertRules(ctx context.Context, rules []point.AlertRule) error {
	err := s.change(ctx, func(tx *configTx) error {
		var found int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM settings WHERE name = $1`, settingSeededRules).Scan(&found)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for i := range rules {
			err := tx.QueryRowContext(ctx, `SELECT 1 FROM alert_rules WHERE name = $1`, rules[i].Name).Scan(&found)
			if errors.Is(err, sql.ErrNoRows) {
				err = s.insertAlertRule(ctx, tx, &rules[i])
			}
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value, version, updated_at) VALUES ($1, 'true', 1, $2)`, settingSeededRules, s.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("make the first alert rules: %w", err)
	}
	return nil
}

// GetAlertRule finds a rule by id.
func (s *Store) GetAlertRule(ctx context.Context, id string) (*point.AlertRule, error) {
	r, err := one(ctx, s.config.read, scanAlertRule, selectAlertRule, idArg(id))
	if err != nil {
		return nil, fmt.Errorf("alert rule %s: %w", id, err)
	}
	return r, nil
}

// ListAlertRules lists all rules by name.
func (s *Store) ListAlertRules(ctx context.Context) ([]point.AlertRule, error) {
	list, err := rows(ctx, s.config.read, scanAlertRule, selectAlertRules)
	if err != nil {
		return nil, fmt.Errorf("list alert rules: %w", err)
	}
	return list, nil
}

// UpdateAlertRule replaces all of a rule but its times, if r.Version is still the stored one
// (else ErrStale), and raises r.Version.
func (s *Store) UpdateAlertRule(ctx context.Context, r *point.AlertRule) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityAlertRule, r.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE alert_rules SET name = $1, enabled = $2, kind = $3, scope = $4, threshold = $5, window_ms = $6,
			min_requests = $7, severity = $8, cooldown_ms = $9, managed_by = $10, version = version + 1, updated_at = $11 WHERE id = $12 AND version = $13`,
			r.Name, r.Enabled, r.Kind, asJSON(r.Scope), r.Threshold, r.WindowMS, r.MinRequests, r.Severity, r.CooldownMS, r.ManagedBy, updated, idArg(r.ID), r.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsAlertRule, idArg(r.ID))
	})
	if err != nil {
		return fmt.Errorf("update alert rule %s: %w", r.Name, err)
	}
	r.Version++
	r.UpdatedAt = updated
	return nil
}

// DeleteAlertRule removes a rule, if version is still the stored one: else ErrStale.
func (s *Store) DeleteAlertRule(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityAlertRule, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM alert_rules WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsAlertRule, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete alert rule %s: %w", id, err)
	}
	return nil
}

func scanAlertRule(r row) (a point.AlertRule, err error) {
	err = r.Scan(&a.ID, &a.Name, &a.Enabled, &a.Kind, jsonTo{&a.Scope}, &a.Threshold, &a.WindowMS, &a.MinRequests, &a.Severity, &a.CooldownMS,
		&a.ManagedBy, &a.Version, timeTo{&a.CreatedAt}, timeTo{&a.UpdatedAt})
	return a, err
}

// readAlertRules reads all rules by id.
func readAlertRules(ctx context.Context, db querier) (map[string]*point.AlertRule, error) {
	return byID(ctx, db, scanAlertRule, func(r *point.AlertRule) string { return r.ID }, selectAlertRules)
}

// byID reads all rows of a small table.
func byID[T any](ctx context.Context, db querier, scan func(row) (T, error), id func(*T) string, question string) (map[string]*T, error) {
	list, err := rows(ctx, db, scan, question)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*T, len(list))
	for i := range list {
		all[id(&list[i])] = &list[i]
	}
	return all, nil
}
