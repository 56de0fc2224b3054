package store

import (
	"context"
	"fmt"

	"point"
	"point/internal/pricefile"
)

// CatalogueImport is how a catalogue's file is taken.
type CatalogueImport struct {
	Replace bool // in place of what was said by hand too
	DryRun  bool // nothing is stored
}

// ImportCatalogue takes prices and what models are from a catalogue's file, all that it tells or
// nothing, as one change, and says what changes. What holds already is not stored.
func (s *Store) ImportCatalogue(ctx context.Context, c *pricefile.Catalogue, how CatalogueImport) (plan *pricefile.Plan, err error) {
	if how.DryRun {
		live := s.Snapshot()
		return c.Plan(s.held(live.Prices, live.PriceOverrides, live.Models, live.ModelOverrides), how.Replace), nil
	}
	err = s.change(ctx, func(tx *configTx) error {
		prices, ownPrices, err := s.readPrices(ctx, tx)
		if err != nil {
			return err
		}
		models, ownModels, err := s.readModels(ctx, tx)
		if err != nil {
			return err
		}
		plan = c.Plan(s.held(prices, ownPrices, models, ownModels), how.Replace)
		return s.putCatalogue(ctx, tx, plan.TakenPrices(), plan.TakenModels())
	})
	if err != nil {
		return nil, fmt.Errorf("import a catalogue: %w", err)
	}
	return plan, nil
}

// held is what holds now, in the words of a plan.
func (s *Store) held(prices point.Prices, ownPrices []point.PriceOverride, models point.Models, ownModels []point.ModelOverride) pricefile.Held {
	now := s.opts.Now()
	return pricefile.Held{
		Prices: ownPrices, Models: ownModels,
		Price: func(kind, model string) *point.Price {
			if prices == nil {
				return nil
			}
			return prices.Price(kind, model, now)
		},
		Facts: func(kind, model string) point.ModelFacts {
			if models == nil {
				return point.ModelFacts{}
			}
			return models.Facts(kind, model)
		},
	}
}

// putCatalogue stores many at once, each kind's model one time. Versions are passed over.
func (s *Store) putCatalogue(ctx context.Context, tx *configTx, prices []point.PriceOverride, models []point.ModelOverride) error {
	now := s.now()
	var names []string
	var list [][]any
	for i := range prices {
		p := &prices[i]
		names = append(names, priceName(p.Kind, p.Model))
		list = append(list, []any{p.Kind, p.Model, asJSON(p.Price), 1, now, now})
	}
	if err := tx.changed(ctx, entityPrice, names...); err != nil {
		return err
	}
	err := insertRows(ctx, tx, `INSERT INTO prices (`+priceColumns+`) VALUES `, list,
		` ON CONFLICT (kind, model) DO UPDATE SET price = excluded.price, version = prices.version + 1, updated_at = excluded.updated_at`)
	if err != nil {
		return err
	}
	names, list = nil, nil
	for i := range models {
		m := &models[i]
		names = append(names, priceName(m.Kind, m.Model))
		list = append(list, []any{m.Kind, m.Model, asJSON(m.Facts), 1, now, now})
	}
	if err := tx.changed(ctx, entityModel, names...); err != nil {
		return err
	}
	return insertRows(ctx, tx, `INSERT INTO models (`+modelColumns+`) VALUES `, list,
		` ON CONFLICT (kind, model) DO UPDATE SET facts = excluded.facts, version = models.version + 1, updated_at = excluded.updated_at`)
}
