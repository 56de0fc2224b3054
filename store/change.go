package store

import (
	"cmp"
	"context"
	"database/sql"
)

// Entities of the snapshot, as the table changes names them.
const (
	entityProvider = "provider"
	entityEndpoint = "endpoint"
	entityAlias    = "alias"
	entityKey      = "key"
	entityUser     = "user"
	entitySession  = "session" // any: the revoked ones are read as a whole
	entitySetting  = "setting"
)

// channel is where PostgreSQL tells other processes of a new version.
const channel = "point_config"

// configTx is a writing transaction on configuration that notes what it changes.
type configTx struct {
	*sql.Tx
	changes []change
}

type change struct{ entity, id string }

// changed notes that a row is not what it was. An id is written as the rows have it.
func (tx *configTx) changed(entity, id string) {
	id = cmp.Or(idText(id), id)
	tx.changes = append(tx.changes, change{entity, id})
}

// change runs fn in one transaction. If fn noted changes, the version counter goes up in the
// same transaction, and the new snapshot is published before change returns.
func (s *Store) change(ctx context.Context, fn func(*configTx) error) error {
	var changes []change
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		own := &configTx{Tx: tx}
		if err := fn(own); err != nil {
			return err
		}
		changes = own.changes
		return s.raiseVersion(ctx, own)
	})
	if err != nil || len(changes) == 0 {
		return err
	}
	if err := s.refresh(context.WithoutCancel(ctx)); err != nil {
		// The change is committed; Run repeats the refresh until it succeeds.
		s.opts.Log.Error("the changed configuration could not be read back yet", "error", err)
	}
	return nil
}

// raiseVersion counts the transaction and writes down its changes.
func (s *Store) raiseVersion(ctx context.Context, tx *configTx) error {
	if len(tx.changes) == 0 {
		return nil
	}
	var version int64
	err := tx.QueryRowContext(ctx, `UPDATE config_version SET version = version + 1 WHERE id = 1 RETURNING version`).Scan(&version)
	if err != nil {
		return err
	}
	for _, c := range tx.changes {
		_, err := tx.ExecContext(ctx, `INSERT INTO changes (version, entity, row_id, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			version, c.entity, c.id, s.now())
		if err != nil {
			return err
		}
	}
	if s.postgres == nil {
		return nil
	}
	_, err = tx.ExecContext(ctx, `SELECT pg_notify($1, '')`, channel)
	return err
}

// touched reports what an UPDATE or DELETE with a version check did: nil if it met its row,
// ErrNotFound if exists does not find one, otherwise ErrStale.
func touched(ctx context.Context, tx *configTx, result sql.Result, exists string, id any) error {
	n, err := result.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	var found int
	if err := tx.QueryRowContext(ctx, exists, id).Scan(&found); err != nil {
		return failure(err)
	}
	return ErrStale
}
