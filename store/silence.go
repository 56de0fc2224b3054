package store

import (
	"context"
	"fmt"

	"point"
)

const (
	silenceColumns = `id, kind, subject, rule_id, until_at, comment, created_by, version, created_at, updated_at`

	selectSilences = `SELECT ` + silenceColumns + ` FROM silences ORDER BY until_at DESC, id`
	selectSilence  = `SELECT ` + silenceColumns + ` FROM silences WHERE id = $1`
	existsSilence  = `SELECT 1 FROM silences WHERE id = $1`
)

// CreateSilence stores x and sets its ID (if empty), Version and times.
func (s *Store) CreateSilence(ctx context.Context, x *point.Silence) error {
	stored := *x
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entitySilence, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO silences (`+silenceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			stored.ID, stored.Kind, stored.Subject, stored.RuleID, at(stored.Until), stored.Comment, stored.CreatedBy, stored.Version, stored.CreatedAt, stored.UpdatedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("create a silence: %w", err)
	}
	*x = stored
	return nil
}

// GetSilence finds a silence by id.
func (s *Store) GetSilence(ctx context.Context, id string) (*point.Silence, error) {
	x, err := one(ctx, s.config.read, scanSilence, selectSilence, idArg(id))
	if err != nil {
		return nil, fmt.Errorf("silence %s: %w", id, err)
	}
	return x, nil
}

// ListSilences lists all silences, the one that ends last first. Those that have ended stay
// for a month.
func (s *Store) ListSilences(ctx context.Context) ([]point.Silence, error) {
	list, err := rows(ctx, s.config.read, scanSilence, selectSilences)
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	return list, nil
}

// UpdateSilence replaces the matchers, end and comment of a silence, if x.Version is still the
// stored one (else ErrStale), and raises x.Version.
func (s *Store) UpdateSilence(ctx context.Context, x *point.Silence) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entitySilence, x.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE silences SET kind = $1, subject = $2, rule_id = $3, until_at = $4, comment = $5, version = version + 1, updated_at = $6
			WHERE id = $7 AND version = $8`, x.Kind, x.Subject, x.RuleID, at(x.Until), x.Comment, updated, idArg(x.ID), x.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsSilence, idArg(x.ID))
	})
	if err != nil {
		return fmt.Errorf("update silence %s: %w", x.ID, err)
	}
	x.Version++
	x.UpdatedAt = updated
	return nil
}

// DeleteSilence removes a silence, if version is still the stored one: else ErrStale.
func (s *Store) DeleteSilence(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entitySilence, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM silences WHERE id = $1 AND version = $2`, idArg(id), version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsSilence, idArg(id))
	})
	if err != nil {
		return fmt.Errorf("delete silence %s: %w", id, err)
	}
	return nil
}

func scanSilence(r row) (x point.Silence, err error) {
	err = r.Scan(&x.ID, &x.Kind, &x.Subject, &x.RuleID, timeTo{&x.Until}, &x.Comment, &x.CreatedBy, &x.Version, timeTo{&x.CreatedAt}, timeTo{&x.UpdatedAt})
	return x, err
}
