package store

import (
	"context"
	"fmt"

	"point"
)

const (
	modelColumns = `kind, model, facts, version, created_at, updated_at`

	selectModels = `SELECT ` + modelColumns + ` FROM models ORDER BY kind, model`
	selectModel  = `SELECT ` + modelColumns + ` FROM models WHERE kind = $1 AND model = $2`
	existsModel  = `SELECT 1 FROM models WHERE kind || ' ' || model = $1`
)

// PutModel says what a model is, in front of the embedded catalogue. A Version other than 0 must be
// the stored one: ErrStale. It sets m's Version and times.
func (s *Store) PutModel(ctx context.Context, m *point.ModelOverride) error {
	stored := *m
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityModel, priceName(m.Kind, m.Model)); err != nil {
			return err
		}
		question := `INSERT INTO models (` + modelColumns + `) VALUES ($1, $2, $3, 1, $4, $4)
			ON CONFLICT (kind, model) DO UPDATE SET facts = excluded.facts, version = models.version + 1, updated_at = excluded.updated_at
			WHERE CAST($5 AS BIGINT) = 0 OR models.version = $5
			RETURNING ` + modelColumns
		got, err := one(ctx, tx, scanModel, question, m.Kind, m.Model, asJSON(m.Facts), s.now(), m.Version)
		if err != nil {
			return stale(err)
		}
		stored = *got
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what %s is: %w", m.Model, err)
	}
	*m = stored
	return nil
}

// GetModel finds what an operator says a model is.
func (s *Store) GetModel(ctx context.Context, kind, model string) (*point.ModelOverride, error) {
	m, err := one(ctx, s.config.read, scanModel, selectModel, kind, model)
	if err != nil {
		return nil, fmt.Errorf("what %s is: %w", model, err)
	}
	return m, nil
}

// DeleteModel lets the embedded catalogue hold again, if version is still the stored one: else
// ErrStale.
func (s *Store) DeleteModel(ctx context.Context, kind, model string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityModel, priceName(kind, model)); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM models WHERE kind = $1 AND model = $2 AND version = $3`, kind, model, version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsModel, priceName(kind, model))
	})
	if err != nil {
		return fmt.Errorf("delete what %s is: %w", model, err)
	}
	return nil
}

func scanModel(r row) (m point.ModelOverride, err error) {
	err = r.Scan(&m.Kind, &m.Model, jsonTo{&m.Facts}, &m.Version, timeTo{&m.CreatedAt}, timeTo{&m.UpdatedAt})
	return m, err
}

// models are what an operator says, in front of the embedded catalogue.
type models struct {
	own  map[pricedModel]*point.ModelOverride
	base point.Models // nil: none
}

// Facts is point.Models.
func (m *models) Facts(kind, model string) (facts point.ModelFacts) {
	if m.base != nil {
		facts = m.base.Facts(kind, model)
	}
	if own, ok := m.own[pricedModel{kind, model}]; ok {
		return own.Facts.Over(facts)
	}
	return facts
}

// readModels reads what operators say and puts it in front of the embedded catalogue.
func (s *Store) readModels(ctx context.Context, db querier) (point.Models, []point.ModelOverride, error) {
	list, err := rows(ctx, db, scanModel, selectModels)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return s.opts.Models, nil, nil
	}
	m := &models{own: make(map[pricedModel]*point.ModelOverride, len(list)), base: s.opts.Models}
	for i := range list {
		m.own[pricedModel{list[i].Kind, list[i].Model}] = &list[i]
	}
	return m, list, nil
}
