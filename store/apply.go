package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"point"
)

// Batch is a change of many rows of the configuration that is made whole or not at all. What it
// does not name stays as it is.
type Batch struct {
	Action  string // of the revision, a point.Revision constant; empty: of single objects
	Subject string // of the revision
	Base    int64  // version of the configuration that this was made for; if it is another by now, ErrStale. 0: any

	PutProviders   []point.Provider // by ID: made, changed, or brought back after a delete; Type and Kind of one that there was do not change
	DropProviders  []string         // ids; deleted softly
	ForgetSecrets  bool             // of the providers that are dropped; else they are kept for when the provider comes back
	ParkProviders  []point.Provider // kept as if they had been dropped, with their secrets, unless the ID is known
	ParkSecrets    []point.Provider // by ID: providers that are not live get these secrets in place of those that are kept for them
	PutEndpoints   []point.Endpoint // by ID: Active, Mapping and ManagedBy
	PutAliases     []point.Alias    // by Name
	DropAliases    []string
	PutKeys        []point.Key       // by ID: made, or changed but for token, prefix and creation
	DropKeys       []string          // ids
	PutAlertRules  []point.AlertRule // by ID: made, or changed
	DropAlertRules []string          // ids
	PutSettings    *point.Settings

	SaveConfiguration *point.Configuration // made in the same transaction, as CreateConfiguration does
}

// Apply makes the changes of b in one transaction and under one version. Rows that are to be
// dropped and are not there are passed over.
func (s *Store) Apply(ctx context.Context, b *Batch) error {
	err := s.change(ctx, func(tx *configTx) error {
		tx.action, tx.subject = b.Action, b.Subject
		if version, err := readVersion(ctx, tx.Tx); err != nil || b.Base != 0 && version != b.Base {
			return orStale(err)
		}
		for _, step := range []func(context.Context, *configTx, *Batch) error{
			s.dropProviders, s.putProviders, s.parkProviders, s.putEndpoints, s.putAliases, s.dropKeys, s.putKeys, s.putAlertRules,
		} {
			if err := step(ctx, tx, b); err != nil {
				return err
			}
		}
		if b.PutSettings != nil {
			if err := s.putSettings(ctx, tx, b.PutSettings); err != nil {
				return err
			}
		}
		if b.SaveConfiguration != nil {
			return s.insertConfiguration(ctx, tx, b.SaveConfiguration)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("change the configuration: %w", err)
	}
	return nil
}

func orStale(err error) error {
	if err == nil {
		return ErrStale
	}
	return err
}

// execIn runs a statement that ends before the condition that column is one of values.
func execIn(ctx context.Context, db querier, statement, column constant, values []any, args ...any) error {
	for part := range slices.Chunk(values, placeholdersAtOnce) {
		var q query
		q.add(statement, args...)
		q.whereIn(column, part)
		if _, err := db.ExecContext(ctx, q.sql.String(), q.args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) dropProviders(ctx context.Context, tx *configTx, b *Batch) error {
	ids := idArgs("id", b.DropProviders)
	if err := tx.changed(ctx, entityProvider, b.DropProviders...); err != nil {
		return err
	}
	if b.ForgetSecrets {
		if err := execIn(ctx, tx, `DELETE FROM provider_secrets`, "provider_id", ids); err != nil {
			return err
		}
	}
	return execIn(ctx, tx, `UPDATE providers SET deleted_at = ?, updated_at = ?, version = version + 1`, "deleted_at IS NULL AND id", ids, s.now(), s.now())
}

const upsertProvider = `INSERT INTO providers (` + providerColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, NULL)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, config = excluded.config, status = excluded.status, managed_by = excluded.managed_by,
		version = providers.version + 1, updated_at = excluded.updated_at, deleted_at = NULL`

func (s *Store) putProviders(ctx context.Context, tx *configTx, b *Batch) error {
	ids := make([]string, len(b.PutProviders))
	for i := range b.PutProviders {
		p := &b.PutProviders[i]
		if isID(p.Name) {
			return errNameIsID
		}
		if p.ID == "" {
			p.ID = NewID(s.opts.Now())
		}
		ids[i] = p.ID
	}
	if err := tx.changed(ctx, entityProvider, ids...); err != nil {
		return err
	}
	// They let go of their names first, which they may exchange.
	if err := execIn(ctx, tx, `UPDATE providers SET deleted_at = ?`, "id", idArgs("id", ids), s.now()); err != nil {
		return err
	}
	for i := range b.PutProviders {
		p := &b.PutProviders[i]
		_, err := tx.ExecContext(ctx, upsertProvider, idArg(p.ID), p.Name, p.Type, p.Kind, asJSON(p.Config), p.Status, p.ManagedBy, s.now())
		if err != nil {
			return err
		}
		if err := s.putSecrets(ctx, tx, idText(p.ID), &p.Config); err != nil {
			return err
		}
	}
	return nil
}

// parkProviders keeps providers that are not live, for their secrets.
func (s *Store) parkProviders(ctx context.Context, tx *configTx, b *Batch) error {
	for i := range b.ParkProviders {
		p := &b.ParkProviders[i]
		result, err := tx.ExecContext(ctx, `INSERT INTO providers (`+providerColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $8) ON CONFLICT (id) DO NOTHING`,
			idArg(p.ID), p.Name, p.Type, p.Kind, asJSON(p.Config), p.Status, p.ManagedBy, s.now())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			continue // it is known
		}
		if err := s.putSecrets(ctx, tx, idText(p.ID), &p.Config); err != nil {
			return err
		}
	}
	for i := range b.ParkSecrets {
		p := &b.ParkSecrets[i]
		var found int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM providers WHERE deleted_at IS NOT NULL AND id = $1`, idArg(p.ID)).Scan(&found); err != nil {
			return err
		}
		if err := s.putSecrets(ctx, tx, idText(p.ID), &p.Config); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putEndpoints(ctx context.Context, tx *configTx, b *Batch) error {
	for i := range b.PutEndpoints {
		e := &b.PutEndpoints[i]
		if err := tx.changed(ctx, entityEndpoint, e.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE endpoints SET active = $1, mapping = $2, managed_by = $3, version = version + 1, updated_at = $4 WHERE id = $5`,
			e.Active, mappingColumn(e.Mapping), e.ManagedBy, s.now(), idArg(e.ID))
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putAliases(ctx context.Context, tx *configTx, b *Batch) error {
	if err := tx.changed(ctx, entityAlias, b.DropAliases...); err != nil {
		return err
	}
	if err := execIn(ctx, tx, `DELETE FROM aliases`, "name", idArgs("name", b.DropAliases)); err != nil {
		return err
	}
	names, list := make([]string, len(b.PutAliases)), make([][]any, len(b.PutAliases))
	for i, a := range b.PutAliases {
		names[i], list[i] = a.Name, []any{a.Name, a.Target, a.ManagedBy, 1, s.now(), s.now()}
	}
	if err := tx.changed(ctx, entityAlias, names...); err != nil {
		return err
	}
	return insertRows(ctx, tx, `INSERT INTO aliases (`+aliasColumns+`) VALUES `, list,
		` ON CONFLICT (name) DO UPDATE SET target = excluded.target, managed_by = excluded.managed_by, version = aliases.version + 1, updated_at = excluded.updated_at`)
}

func (s *Store) dropKeys(ctx context.Context, tx *configTx, b *Batch) error {
	if err := tx.changed(ctx, entityKey, b.DropKeys...); err != nil {
		return err
	}
	return execIn(ctx, tx, `DELETE FROM keys`, "id", idArgs("id", b.DropKeys))
}

func (s *Store) putKeys(ctx context.Context, tx *configTx, b *Batch) error {
	ids, list := make([]string, len(b.PutKeys)), make([][]any, len(b.PutKeys))
	for i := range b.PutKeys {
		k := &b.PutKeys[i]
		if k.ID == "" {
			k.ID = NewID(s.opts.Now())
		}
		ids[i], list[i] = k.ID, keyRow(k, s.now())
	}
	if err := tx.changed(ctx, entityKey, ids...); err != nil {
		return err
	}
	return insertRows(ctx, tx, `INSERT INTO keys (`+newKeyColumns+`) VALUES `, list,
		` ON CONFLICT (id) DO UPDATE SET name = excluded.name, owner_id = excluded.owner_id, status = excluded.status, tags = excluded.tags,
			models = excluded.models, endpoints = excluded.endpoints, limits = excluded.limits, expires_at = excluded.expires_at,
			managed_by = excluded.managed_by, version = keys.version + 1, updated_at = excluded.updated_at`)
}

// putAlertRules drops and puts rules. Those that are put let go of their names first, which they
// may exchange.
func (s *Store) putAlertRules(ctx context.Context, tx *configTx, b *Batch) error {
	ids := make([]string, len(b.PutAlertRules))
	for i := range b.PutAlertRules {
		r := &b.PutAlertRules[i]
		if r.ID == "" {
			r.ID = NewID(s.opts.Now())
		}
		ids[i] = r.ID
	}
	if err := tx.changed(ctx, entityAlertRule, append(ids, b.DropAlertRules...)...); err != nil {
		return err
	}
	if err := execIn(ctx, tx, `DELETE FROM alert_rules`, "id", idArgs("id", b.DropAlertRules)); err != nil {
		return err
	}
	if err := execIn(ctx, tx, `UPDATE alert_rules SET name = CAST(id AS VARCHAR(255))`, "id", idArgs("id", ids)); err != nil {
		return err
	}
	list := make([][]any, len(b.PutAlertRules))
	for i := range b.PutAlertRules {
		list[i] = alertRuleRow(&b.PutAlertRules[i], s.now())
	}
	return insertRows(ctx, tx, `INSERT INTO alert_rules (`+alertRuleColumns+`) VALUES `, list,
		` ON CONFLICT (id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled, kind = excluded.kind, scope = excluded.scope,
			threshold = excluded.threshold, window_ms = excluded.window_ms, min_requests = excluded.min_requests, severity = excluded.severity,
			cooldown_ms = excluded.cooldown_ms, managed_by = excluded.managed_by, version = alert_rules.version + 1, updated_at = excluded.updated_at`)
}

// alertRuleRow is a new row of the table alert_rules.
func alertRuleRow(r *point.AlertRule, now time.Time) []any {
	return []any{
		idArg(r.ID), r.Name, r.Enabled, r.Kind, asJSON(r.Scope), r.Threshold, r.WindowMS, r.MinRequests,
		r.Severity, r.CooldownMS, r.ManagedBy, 1, now, now,
	}
}

// keyRow is a new row of the table keys.
func keyRow(k *point.Key, now time.Time) []any {
	return []any{
		idArg(k.ID), k.Name, k.Prefix, k.Hash[:], orNull(k.OwnerID), k.Status, asJSON(k.Tags), asJSON(k.Models),
		asJSON(k.Endpoints), asJSON(k.Limits), atPtr(k.ExpiresAt), k.ManagedBy, 1, now, now,
	}
}
