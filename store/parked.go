package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
)

// ParkedProviders are the providers that were dropped or parked, and not deleted by hand since,
// by id, with the secrets that are kept for them.
func (s *Store) ParkedProviders(ctx context.Context, ids []string) (map[string]*point.Provider, error) {
	var list []point.Provider
	err := s.config.view(ctx, func(tx *sql.Tx) (err error) {
		if list, err = rowsIn(ctx, tx, scanProvider, selectAnyProviders, "deleted_at IS NOT NULL AND id", idArgs("id", ids)); err != nil {
			return err
		}
		return s.readSecrets(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("read providers that are not live: %w", err)
	}
	parked := make(map[string]*point.Provider, len(list))
	for i := range list {
		parked[list[i].ID] = &list[i]
	}
	return parked, nil
}

// unspoken: no configuration and no revision speaks of a provider any more.
const unspoken = ` NOT EXISTS (SELECT 1 FROM revision_changes c WHERE c.entity = 'provider' AND c.row_id = CAST(providers.id AS VARCHAR(255)))
	AND NOT EXISTS (SELECT 1 FROM configurations f WHERE CAST(f.config AS TEXT) LIKE '%' || CAST(providers.id AS VARCHAR(255)) || '%')`

const (
	deleteParked = `DELETE FROM provider_secrets WHERE provider_id IN (SELECT id FROM providers
		WHERE deleted_at IS NOT NULL AND deleted_at < $1 AND id IN (SELECT provider_id FROM provider_secrets) AND` + unspoken + `)`

	// What a live provider put aside goes when nothing could lead it back.
	selectAside = `SELECT id FROM providers WHERE deleted_at IS NULL AND updated_at < $1
		AND id IN (SELECT provider_id FROM provider_secrets WHERE name LIKE '%@%') AND` + unspoken
	deleteAside = `DELETE FROM provider_secrets WHERE name LIKE '%@%' AND provider_id = $1`
)

// forgetParked deletes the secrets that are kept for nothing: no configuration and no revision
// speaks of their provider any more.
func (s *Store) forgetParked(ctx context.Context, before time.Time) error {
	if _, err := s.config.write.ExecContext(ctx, deleteParked, before); err != nil {
		return failure(err)
	}
	scan := func(r row) (id string, err error) { return id, r.Scan(&id) }
	if aside, err := rows(ctx, s.config.read, scan, selectAside, before); err != nil || len(aside) == 0 {
		return err
	}
	return s.change(ctx, func(tx *configTx) error {
		aside, err := rows(ctx, tx, scan, selectAside, before)
		if err != nil {
			return err
		}
		if err := tx.changed(ctx, entityProvider, aside...); err != nil {
			return err
		}
		for _, id := range aside {
			if _, err := tx.ExecContext(ctx, deleteAside, id); err != nil {
				return err
			}
		}
		return nil
	})
}
