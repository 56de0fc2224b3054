package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
)

// RevisionFilter narrows ListRevisions; empty members match all.
type RevisionFilter struct {
	Actor    string // id of a user, or an actor's name
	Entity   string // revisions that changed one of these
	From, To time.Time
	Page     Page
}

const (
	revisionColumns = `version, at, actor_kind, actor_id, actor_name, actor_address, token_id, reason, action, subject, summary, changes`
	selectRevision  = `SELECT ` + revisionColumns + ` FROM revisions WHERE version = $1`
	changeColumns   = `entity, row_id, action, before, after`
	selectChanges   = `SELECT ` + changeColumns + ` FROM revision_changes WHERE version = $1 ORDER BY entity, row_id`
)

// ListRevisions lists revisions, the newest first.
func (s *Store) ListRevisions(ctx context.Context, f RevisionFilter) (List[point.Revision], error) {
	l := listing[point.Revision]{columns: revisionColumns, order: "version DESC", page: f.Page, scan: scanRevision}
	l.from.add(" FROM revisions")
	if f.Actor != "" {
		l.from.where("(actor_id = ? OR actor_name = ?)", clip(f.Actor, actorLength), clip(f.Actor, actorLength))
	}
	if f.Entity != "" {
		l.from.where("EXISTS (SELECT 1 FROM revision_changes c WHERE c.version = revisions.version AND c.entity = ?)", clip(f.Entity, nameLength))
	}
	if !f.From.IsZero() {
		l.from.where("at >= ?", at(f.From))
	}
	if !f.To.IsZero() {
		l.from.where("at < ?", at(f.To))
	}
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list revisions: %w", err)
	}
	return out, nil
}

// LastRevision is the version of the newest revision, 0 if there is none. The version of the
// snapshot counts changes too that are none, such as a user's.
func (s *Store) LastRevision(ctx context.Context) (version int64, err error) {
	if err := s.config.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM revisions`).Scan(&version); err != nil {
		return 0, fmt.Errorf("last revision: %w", failure(err))
	}
	return version, nil
}

// GetRevision finds a revision with all that it changed.
func (s *Store) GetRevision(ctx context.Context, version int64) (r *point.Revision, changes []point.Change, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		if r, err = one(ctx, tx, scanRevision, selectRevision, version); err != nil {
			return err
		}
		changes, err = rows(ctx, tx, scanChange, selectChanges, version)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("revision %d: %w", version, err)
	}
	return r, changes, nil
}

// ChangesBetween are the changes of the revisions after one version up to another, the newest
// first. If those behind the first are not all kept, ErrNotFound.
func (s *Store) ChangesBetween(ctx context.Context, after, to int64) (changes []point.Change, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		// The version itself, or one before it, is kept: so is all that came later.
		var found int64
		if err := tx.QueryRowContext(ctx, `SELECT version FROM revisions WHERE version <= $1 ORDER BY version DESC LIMIT 1`, after).Scan(&found); err != nil {
			return err
		}
		changes, err = rows(ctx, tx, scanChange, `SELECT `+changeColumns+` FROM revision_changes WHERE version > $1 AND version <= $2 ORDER BY version DESC`, after, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the changes since revision %d: %w", after, err)
	}
	return changes, nil
}

func scanRevision(r row) (x point.Revision, err error) {
	err = r.Scan(&x.Version, timeTo{&x.At}, &x.Actor.Kind, &x.Actor.ID, &x.Actor.Name, &x.Actor.Address, &x.Actor.TokenID, &x.Actor.Reason,
		&x.Action, &x.Subject, &x.Summary, &x.Changes)
	return x, err
}

func scanChange(r row) (c point.Change, err error) {
	return c, r.Scan(&c.Entity, &c.ID, &c.Action, rawTo{&c.Before}, rawTo{&c.After})
}

// revised are the entities whose changes are revisions of the configuration.
var revised = map[string]bool{entityProvider: true, entityEndpoint: true, entityAlias: true, entityKey: true, entitySetting: true, entityAlertRule: true}

// Bounds of what a revision keeps of its actor, in bytes.
const (
	actorLength  = 320
	reasonLength = 500
)

// writeRevision keeps what a transaction did to the configuration, if it did anything.
func (s *Store) writeRevision(ctx context.Context, tx *configTx, version int64, changes []point.Change) error {
	var list [][]any
	var kept []point.Change
	for _, c := range changes {
		if !revised[c.Entity] || bytes.Equal(c.Before, c.After) {
			continue
		}
		kept = append(kept, c)
		list = append(list, []any{version, c.Entity, c.ID, c.Action, column(c.Before), column(c.After)})
	}
	if len(list) == 0 {
		return nil
	}
	actor := point.ActorOf(ctx)
	_, err := tx.ExecContext(ctx, `INSERT INTO revisions (`+revisionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		version, s.now(), actor.Kind, clip(actor.ID, nameLength), clip(actor.Name, actorLength), clip(actor.Address, 100), clip(actor.TokenID, nameLength),
		clip(actor.Reason, reasonLength), cmp.Or(tx.action, point.RevisionChange), clip(tx.subject, nameLength), clip(point.Summarize(kept), 1000), len(kept))
	if err != nil {
		return err
	}
	return insertRows(ctx, tx, `INSERT INTO revision_changes (version, `+changeColumns+`) VALUES `, list)
}

// Revisions are kept for revisionsLife, and the last revisionsKept in any case.
const (
	revisionsLife = 180 * 24 * time.Hour
	revisionsKept = 1000

	pruneRevisions = `DELETE FROM revisions WHERE version IN (SELECT version FROM revisions WHERE at < $1
		AND version < (SELECT MIN(version) FROM (SELECT version FROM revisions ORDER BY version DESC LIMIT $2) newest) LIMIT 1000)`
)

// forgetRevisions deletes revisions that have had their time, in small transactions.
func (s *Store) forgetRevisions(ctx context.Context) error {
	for {
		result, err := s.config.write.ExecContext(ctx, pruneRevisions, s.now().Add(-revisionsLife), revisionsKept)
		if err != nil {
			return failure(err)
		}
		if n, err := result.RowsAffected(); err != nil || n < pruneRows {
			return err
		}
	}
}
