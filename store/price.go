package store

import (
	"context"
	"fmt"
	"time"

	"point"
)

const (
	priceColumns = `kind, model, price, version, created_at, updated_at`

	selectPrices = `SELECT ` + priceColumns + ` FROM prices ORDER BY kind, model`
	selectPrice  = `SELECT ` + priceColumns + ` FROM prices WHERE kind = $1 AND model = $2`
	existsPrice  = `SELECT 1 FROM prices WHERE kind || ' ' || model = $1`
)

// PutPrice says what a model costs, in place of the embedded table. A Version other than 0
// must be the stored one: ErrStale. It sets p's Version and times.
func (s *Store) PutPrice(ctx context.Context, p *point.PriceOverride) error {
	stored := *p
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityPrice, priceName(p.Kind, p.Model)); err != nil {
			return err
		}
		question := `INSERT INTO prices (` + priceColumns + `) VALUES ($1, $2, $3, 1, $4, $4)
			ON CONFLICT (kind, model) DO UPDATE SET price = excluded.price, version = prices.version + 1, updated_at = excluded.updated_at
			WHERE CAST($5 AS BIGINT) = 0 OR prices.version = $5
			RETURNING ` + priceColumns
		got, err := one(ctx, tx, scanPrice, question, p.Kind, p.Model, asJSON(p.Price), s.now(), p.Version)
		if err != nil {
			return stale(err)
		}
		stored = *got
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the price of %s: %w", p.Model, err)
	}
	*p = stored
	return nil
}

// GetPrice finds what an operator says a model costs.
func (s *Store) GetPrice(ctx context.Context, kind, model string) (*point.PriceOverride, error) {
	p, err := one(ctx, s.config.read, scanPrice, selectPrice, kind, model)
	if err != nil {
		return nil, fmt.Errorf("price of %s: %w", model, err)
	}
	return p, nil
}

// DeletePrice lets the embedded table hold again, if version is still the stored one: else
// ErrStale.
func (s *Store) DeletePrice(ctx context.Context, kind, model string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityPrice, priceName(kind, model)); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM prices WHERE kind = $1 AND model = $2 AND version = $3`, kind, model, version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsPrice, priceName(kind, model))
	})
	if err != nil {
		return fmt.Errorf("delete the price of %s: %w", model, err)
	}
	return nil
}

// priceName names a price among the changes, and what a model is. Neither part has a space in it.
func priceName(kind, model string) string { return kind + " " + model }

func scanPrice(r row) (p point.PriceOverride, err error) {
	err = r.Scan(&p.Kind, &p.Model, jsonTo{&p.Price}, &p.Version, timeTo{&p.CreatedAt}, timeTo{&p.UpdatedAt})
	return p, err
}

// pricedModel is what a price is looked up by.
type pricedModel struct{ kind, model string }

// prices are an operator's, in front of the embedded ones.
type prices struct {
	own  map[pricedModel]*point.PriceOverride
	base point.Prices // nil: none
}

// Price is point.Prices.
func (p *prices) Price(kind, model string, at time.Time) *point.Price {
	if own, ok := p.own[pricedModel{kind, model}]; ok && !at.Before(own.Price.From) {
		return &own.Price
	}
	if p.base == nil {
		return nil
	}
	return p.base.Price(kind, model, at)
}

// readPrices reads what operators say and puts it in front of the embedded table.
func (s *Store) readPrices(ctx context.Context, db querier) (point.Prices, []point.PriceOverride, error) {
	list, err := rows(ctx, db, scanPrice, selectPrices)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return s.opts.Prices, nil, nil
	}
	p := &prices{own: make(map[pricedModel]*point.PriceOverride, len(list)), base: s.opts.Prices}
	for i := range list {
		p.own[pricedModel{list[i].Kind, list[i].Model}] = &list[i]
	}
	return p, list, nil
}
