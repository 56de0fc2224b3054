package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"point"
)

const (
	endpointColumns = `id, path, active, mapping, managed_by, version, created_at, updated_at`

	selectEndpoints      = `SELECT ` + endpointColumns + ` FROM endpoints`
	selectEndpoint       = `SELECT ` + endpointColumns + ` FROM endpoints WHERE id = $1`
	selectEndpointByPath = `SELECT ` + endpointColumns + ` FROM endpoints WHERE path = $1`
	existsEndpoint       = `SELECT 1 FROM endpoints WHERE id = $1`
)

// seedEndpoints makes the rows of endpoints that this version has and the database lacks.
func (s *Store) seedEndpoints(ctx context.Context) error {
	var missing []string
	stored, err := rows(ctx, s.config.write, scanEndpoint, selectEndpoints)
	if err != nil {
		return fmt.Errorf("read the endpoints: %w", err)
	}
	for _, path := range point.Endpoints() {
		if !slices.ContainsFunc(stored, func(e point.Endpoint) bool { return e.Path == path }) {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err = s.config.transact(ctx, func(tx *sql.Tx) error {
		own := &configTx{Tx: tx}
		for _, path := range missing {
			id := NewID(s.opts.Now())
			if err := own.changed(ctx, entityEndpoint, id); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO endpoints (`+endpointColumns+`) VALUES ($1, $2, $3, '{}', '', 1, $4, $4) ON CONFLICT DO NOTHING`,
				id, path, true, s.now())
			if err != nil {
				return err
			}
		}
		_, err := s.raiseVersion(ctx, own) // no revision: nobody changed anything
		return err
	})
	if err != nil {
		return fmt.Errorf("make the endpoints: %w", err)
	}
	return nil
}

// ListEndpoints lists the endpoints in the order of point.Endpoints.
func (s *Store) ListEndpoints(ctx context.Context, f EndpointFilter) ([]point.Endpoint, error) {
	stored, err := rows(ctx, s.config.read, scanEndpoint, selectEndpoints)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	order := point.Endpoints()
	stored = slices.DeleteFunc(stored, func(e point.Endpoint) bool {
		return !slices.Contains(order, e.Path) || f.Active != nil && e.Active != *f.Active
	})
	slices.SortFunc(stored, func(a, b point.Endpoint) int {
		return slices.Index(order, a.Path) - slices.Index(order, b.Path)
	})
	return stored, nil
}

// GetEndpoint finds an endpoint.
func (s *Store) GetEndpoint(ctx context.Context, idOrPath string) (*point.Endpoint, error) {
	question, arg := selectEndpointByPath, any(clip(idOrPath, nameLength))
	if isID(idOrPath) {
		question, arg = selectEndpoint, idArg(idOrPath)
	}
	e, err := one(ctx, s.config.read, scanEndpoint, question, arg)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", idOrPath, err)
	}
	return e, nil
}

// UpdateEndpoint replaces e's active, mapping and managed_by, if e.Version is still the
// stored one (else ErrStale), and raises e.Version.
func (s *Store) UpdateEndpoint(ctx context.Context, e *point.Endpoint) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityEndpoint, e.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE endpoints SET active = $1, mapping = $2, managed_by = $3, version = version + 1, updated_at = $4
			WHERE id = $5 AND version = $6`, e.Active, mappingColumn(e.Mapping), e.ManagedBy, updated, idArg(e.ID), e.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsEndpoint, idArg(e.ID))
	})
	if err != nil {
		return fmt.Errorf("update endpoint %s: %w", e.Path, err)
	}
	e.Version++
	e.UpdatedAt = updated
	return nil
}

// mappingColumn is a mapping as its column holds it: {} stands for none.
func mappingColumn(m *point.Mapping) any {
	if m == nil {
		return "{}"
	}
	return asJSON(m)
}

func scanEndpoint(r row) (e point.Endpoint, err error) {
	var mapping json.RawMessage
	err = r.Scan(&e.ID, &e.Path, &e.Active, rawTo{&mapping}, &e.ManagedBy, &e.Version, timeTo{&e.CreatedAt}, timeTo{&e.UpdatedAt})
	if err != nil || string(mapping) == "{}" {
		return e, err
	}
	m := point.DefaultMapping()
	if err := json.Unmarshal(mapping, &m); err != nil {
		return e, fmt.Errorf("the mapping of %s: %w", e.Path, err)
	}
	e.Mapping = &m
	return e, nil
}
