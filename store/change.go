package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"

	"point"
)

// Entities of the snapshot, as the table changes names them.
const (
	entityProvider = point.EntityProvider
	entityEndpoint = point.EntityEndpoint
	entityAlias    = point.EntityAlias
	entityKey      = point.EntityKey
	entityUser     = point.EntityUser
	entityRole     = point.EntityRole
	entityToken    = point.EntityToken
	entitySigner   = point.EntitySigner  // any: only that they changed is noted
	entitySession  = point.EntitySession // any: the revoked ones are read as a whole
	entitySetting  = point.EntitySetting

	entityAlertRule = point.EntityAlertRule
	entityNotifier  = point.EntityNotifier
	entitySilence   = point.EntitySilence
	entityPrice     = point.EntityPrice
	entityModel     = point.EntityModel

	entityConfiguration = point.EntityConfiguration // saved ones; not in the snapshot
)

// channel is where PostgreSQL tells other processes of a new version.
const channel = "point_config"

// configTx is a writing transaction on configuration that notes what it changes.
type configTx struct {
	*sql.Tx
	action, subject string // of the revision; empty: of single objects
	order           []change
	before          map[change]json.RawMessage // the rows as they were
	entries         []point.AuditEntry         // of the audit trail, beside those of changed rows
}

type change struct{ entity, id string }

// changed notes that rows will not be what they are, and so is called before they are written.
// An id is written as the rows have it. Rows that are noted twice count once.
func (tx *configTx) changed(ctx context.Context, entity string, ids ...string) error {
	var fresh []string
	for _, id := range ids {
		id = cmp.Or(idText(id), id)
		c := change{entity, id}
		if _, noted := tx.before[c]; noted {
			continue
		}
		if tx.before == nil {
			tx.before = map[change]json.RawMessage{}
		}
		tx.before[c] = nil
		tx.order = append(tx.order, c)
		fresh = append(fresh, id)
	}
	images, err := readImages(ctx, tx, entity, fresh)
	for id, image := range images {
		tx.before[change{entity, id}] = image
	}
	return err
}

// changes are what became of the rows that were noted, in that order. Those that are neither
// there before nor after are left out.
func (tx *configTx) changes(ctx context.Context) (list []point.Change, err error) {
	ids := map[string][]string{}
	for _, c := range tx.order {
		ids[c.entity] = append(ids[c.entity], c.id)
	}
	after := map[change]json.RawMessage{}
	for entity, of := range ids {
		images, err := readImages(ctx, tx, entity, of)
		if err != nil {
			return nil, err
		}
		for id, image := range images {
			after[change{entity, id}] = image
		}
	}
	for _, c := range tx.order {
		one := point.Change{Entity: c.entity, ID: c.id, Before: tx.before[c], After: after[c]}
		if one.Action = actionOf(one); one.Action != "" {
			list = append(list, one)
		}
	}
	return list, nil
}

// actionOf tells a change's action by its images.
func actionOf(c point.Change) string {
	switch {
	case c.Before == nil && c.After == nil:
		return ""
	case c.Before == nil:
		return point.ChangeCreate
	case c.After == nil:
		return point.ChangeDelete
	}
	return point.ChangeUpdate
}

// change runs fn in one transaction. If fn noted changes, the version counter goes up and the
// revision is written in the same transaction, and the new snapshot is published before change
// returns. Of all writers, on every process, one is at work at a time: what fn reads holds
// until the commit.
func (s *Store) change(ctx context.Context, fn func(*configTx) error) error {
	noted := false
	var mark *point.AuditCheckpoint
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		own := &configTx{Tx: tx}
		if err := lockVersion(ctx, own); err != nil {
			return err
		}
		if err := fn(own); err != nil {
			return err
		}
		noted = len(own.order) > 0
		version, err := s.raiseVersion(ctx, own)
		if err != nil {
			return err
		}
		changes, err := own.changes(ctx)
		if err != nil {
			return err
		}
		if err := s.writeRevision(ctx, own, version, changes); err != nil {
			return err
		}
		mark, err = s.appendAudit(ctx, own, own.audited(ctx, changes))
		return err
	})
	if err != nil {
		return err
	}
	s.publishMark(ctx, mark)
	if !noted {
		return nil
	}
	if err := s.refresh(context.WithoutCancel(ctx)); err != nil {
		// The change is committed; Run repeats the refresh until it succeeds.
		s.opts.Log.Error("the changed configuration could not be read back yet", "error", err)
	}
	return nil
}

// lockVersion makes other writers wait for the commit.
func lockVersion(ctx context.Context, tx *configTx) error {
	_, err := tx.ExecContext(ctx, `UPDATE config_version SET version = version WHERE id = 1`)
	return err
}

// raiseVersion counts the transaction and writes down its changes.
func (s *Store) raiseVersion(ctx context.Context, tx *configTx) (version int64, err error) {
	if len(tx.order) == 0 {
		return 0, nil
	}
	err = tx.QueryRowContext(ctx, `UPDATE config_version SET version = version + 1 WHERE id = 1 RETURNING version`).Scan(&version)
	if err != nil {
		return 0, err
	}
	list := make([][]any, len(tx.order))
	for i, c := range tx.order {
		list[i] = []any{version, c.entity, c.id, s.now()}
	}
	if err := insertRows(ctx, tx, `INSERT INTO changes (version, entity, row_id, changed_at) VALUES `, list); err != nil {
		return 0, err
	}
	if s.postgres == nil {
		return version, nil
	}
	_, err = tx.ExecContext(ctx, `SELECT pg_notify($1, '')`, channel)
	return version, err
}

// touched reports what an UPDATE or DELETE with a version check did: nil if it met its row,
// ErrNotFound if exists does not find one, otherwise ErrStale.
func touched(ctx context.Context, tx *configTx, result sql.Result, exists string, id any) error {
	n, err := result.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	return existing(ctx, tx, ErrStale, exists, id)
}

// existing is err where the row is there, else ErrNotFound.
func existing(ctx context.Context, tx *configTx, err error, exists string, id any) error {
	var found int
	if err := tx.QueryRowContext(ctx, exists, id).Scan(&found); err != nil {
		return failure(err)
	}
	return err
}
