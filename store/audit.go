package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"point"
)

// AuditFilter narrows ListAudit; empty members match all. Rows come newest first. A Cursor
// continues a list and takes the place of Page.Number.
type AuditFilter struct {
	Event    string
	Actor    string // id of a user, or an actor's name
	Target   string // id or name
	Result   string
	From, To time.Time
	Page     Page
	Cursor   string
}

const (
	auditColumns = `seq, id, at, event, actor_kind, actor_id, actor_name, token_id, address, target_kind, target_id, target_name, result, detail, prev_hash, hash`
	auditDetail  = 8 << 10 // bytes of a detail
)

// Audit adds an entry to the audit trail: its Event, target, Result (empty: ok) and Detail; who
// and from where comes from ctx, unless the entry has an Actor. Entries with another Result
// than ok that repeat within a minute are counted and not written.
func (s *Store) Audit(ctx context.Context, e point.AuditEntry) error {
	if e.Actor == (point.Actor{}) {
		e.Actor = point.ActorOf(ctx)
	}
	repeated, write := s.repeats.admit(s.opts.Now(), &e)
	if !write {
		return nil
	}
	if repeated > 0 {
		e.Detail = withRepeats(e.Detail, repeated)
	}
	return s.writeAudit(ctx, e)
}

func (s *Store) writeAudit(ctx context.Context, list ...point.AuditEntry) error {
	var mark *point.AuditCheckpoint
	err := s.config.transact(ctx, func(tx *sql.Tx) (err error) {
		mark, err = s.appendAudit(ctx, tx, list)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the audit trail: %w", err)
	}
	s.publishMark(ctx, mark)
	return nil
}

// appendAudit adds entries to the end of the chain, in a transaction that holds its head until
// the commit: of all processes one is at it at a time. It returns the checkpoint that it made,
// if it made one.
func (s *Store) appendAudit(ctx context.Context, tx querier, list []point.AuditEntry) (mark *point.AuditCheckpoint, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	var seq int64
	var head []byte
	err = tx.QueryRowContext(ctx, `UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash`, int64(len(list))).Scan(&seq, &head)
	if err != nil {
		return nil, err
	}
	seq -= int64(len(list))
	from, values := seq, make([][]any, len(list))
	for i := range list {
		seq++
		e := s.auditRow(list[i], seq, head)
		head = e.Hash
		values[i] = []any{e.Seq, e.ID, e.At, e.Event, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Actor.TokenID, e.Actor.Address,
			e.TargetKind, e.TargetID, e.TargetName, e.Result, string(e.Detail), e.PrevHash, e.Hash}
	}
	if err := insertRows(ctx, tx, `INSERT INTO audit (`+auditColumns+`) VALUES `, values); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE audit_head SET hash = $1 WHERE id = 1`, head); err != nil {
		return nil, err
	}
	if seq/checkpointRows == from/checkpointRows {
		return nil, nil
	}
	return s.addCheckpoint(ctx, tx, seq, head)
}

// auditRow is e as the row seq behind a hash.
func (s *Store) auditRow(e point.AuditEntry, seq int64, prev []byte) point.AuditEntry {
	e.Seq, e.ID, e.At, e.PrevHash = seq, NewID(s.opts.Now()), s.now(), prev
	if e.Result == "" {
		e.Result = point.AuditOK
	}
	if e.Actor.Kind == "" {
		e.Actor.Kind = point.ActorSystem
	}
	for text, n := range map[*string]int{
		&e.Event: 100, &e.Actor.ID: nameLength, &e.Actor.Name: actorLength, &e.Actor.TokenID: nameLength, &e.Actor.Address: 100,
		&e.TargetKind: 100, &e.TargetID: nameLength, &e.TargetName: actorLength,
	} {
		*text = clip(*text, n)
	}
	if e.Detail = cutDetail(mend(e.Detail)); e.Detail == nil {
		e.Detail = emptyObject
	}
	e.Hash = auditHash(&e)
	return e
}

// auditHash covers every member of a row, each with its length before it, and so the chain
// before it.
func auditHash(e *point.AuditEntry) []byte {
	h := sha256.New()
	put := func(b []byte) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b)))) // a hash takes everything
		_, _ = h.Write(b)
	}
	put([]byte("point audit 1"))
	put(e.PrevHash)
	put([]byte(strconv.FormatInt(e.Seq, 10)))
	put([]byte(strconv.FormatInt(e.At.UnixMicro(), 10)))
	for _, text := range []string{e.ID, e.Event, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Actor.TokenID, e.Actor.Address,
		e.TargetKind, e.TargetID, e.TargetName, e.Result} {
		put([]byte(text))
	}
	put(e.Detail)
	return h.Sum(nil)
}

func scanAudit(r row) (e point.AuditEntry, err error) {
	err = r.Scan(&e.Seq, &e.ID, timeTo{&e.At}, &e.Event, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Name, &e.Actor.TokenID, &e.Actor.Address,
		&e.TargetKind, &e.TargetID, &e.TargetName, &e.Result, rawTo{&e.Detail}, &e.PrevHash, &e.Hash)
	return e, err
}

// ListAudit lists the audit trail.
func (s *Store) ListAudit(ctx context.Context, f AuditFilter) (List[point.AuditEntry], error) {
	l := listing[point.AuditEntry]{columns: auditColumns, order: "seq DESC", page: f.Page, scan: scanAudit}
	l.from.add(" FROM audit")
	f.narrow(&l.from)
	if f.Cursor != "" {
		seq, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil {
			return List[point.AuditEntry]{}, &Invalid{"cursor", "This is not a cursor that Point gave out."}
		}
		l.page.Number = 1
		l.after = func(q *query) { q.where("seq < ?", seq) }
	}
	out, err := list(ctx, s.config.read, l)
	if err != nil {
		return out, fmt.Errorf("list the audit trail: %w", err)
	}
	if out.More {
		out.Cursor = strconv.FormatInt(out.Items[len(out.Items)-1].Seq, 10)
	}
	return out, nil
}

func (f *AuditFilter) narrow(q *query) {
	if f.Event != "" {
		q.where("event = ?", clip(f.Event, 100))
	}
	if f.Actor != "" {
		q.where("(actor_id = ? OR actor_name = ?)", clip(f.Actor, nameLength), clip(f.Actor, actorLength))
	}
	if f.Target != "" {
		q.where("(target_id = ? OR target_name = ?)", clip(f.Target, nameLength), clip(f.Target, actorLength))
	}
	if f.Result != "" {
		q.where("result = ?", f.Result)
	}
	if !f.From.IsZero() {
		q.where("at >= ?", at(f.From))
	}
	if !f.To.IsZero() {
		q.where("at < ?", at(f.To))
	}
}
