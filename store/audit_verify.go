package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"point"
)

const (
	verifyRows   = 1000 // read at once
	findingsKept = 50

	selectAuditBehind = `SELECT ` + auditColumns + ` FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// AuditPart is a part of the audit trail.
type AuditPart struct {
	After int64         // only rows behind this one, which was looked at before
	Rows  int64         // at most so many, 0: all
	Time  time.Duration // no more rows are read when this is over, 0: until the end
}

// VerifyAudit goes through the whole audit trail and looks for rows that were edited, removed,
// added or put in another order, and compares it with the checkpoints of the database and of
// the data folder, which show an end that was cut off. What was written since the last
// checkpoint is proven by the chain alone.
func (s *Store) VerifyAudit(ctx context.Context) (*point.AuditReport, error) {
	return s.VerifyAuditPart(ctx, AuditPart{})
}

// VerifyAuditPart is VerifyAudit of a part, in memory that does not grow with it. The report
// tells where it ended; parts that begin where the one before ended find what the whole does.
func (s *Store) VerifyAuditPart(ctx context.Context, part AuditPart) (*point.AuditReport, error) {
	v := &auditVerifier{key: s.AuditKey(), part: part, marks: map[int64][]point.AuditCheckpoint{}}
	v.report.After = part.After
	if part.Time > 0 {
		v.until = time.Now().Add(part.Time)
	}
	published, err := s.publishedCheckpoints()
	if err != nil {
		return nil, fmt.Errorf("read the published checkpoints: %w", err)
	}
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		stored, err := rows(ctx, tx, scanCheckpoint, `SELECT `+checkpointColumns+` FROM audit_checkpoints ORDER BY seq`)
		if err != nil {
			return err
		}
		v.report.Checkpoints, v.report.Published = int64(len(stored)), int64(len(published))
		v.expect(stored, "in the database")
		v.expect(published, "in the data folder")
		v.compare(stored, published)
		return v.chain(ctx, tx)
	})
	if err != nil {
		return nil, fmt.Errorf("verify the audit trail: %w", err)
	}
	return &v.report, nil
}

// auditVerifier is one look at the audit trail.
type auditVerifier struct {
	key    ed25519.PublicKey
	part   AuditPart
	until  time.Time                         // zero: without end
	marks  map[int64][]point.AuditCheckpoint // by row
	last   int64                             // row of the last mark
	report point.AuditReport
}

func (v *auditVerifier) find(seq int64, format string, args ...any) {
	if len(v.report.Findings) < findingsKept {
		v.report.Findings = append(v.report.Findings, point.AuditFinding{Seq: seq, What: fmt.Sprintf(format, args...)})
	}
}

// expect notes checkpoints that the chain must go through.
func (v *auditVerifier) expect(list []point.AuditCheckpoint, where string) {
	for i := range list {
		c := &list[i]
		if c.Seq <= v.part.After {
			continue
		}
		if !ed25519.Verify(v.key, checkpointMessage(c), c.Signature) {
			v.find(c.Seq, "The checkpoint at row %d %s is not signed by this installation.", c.Seq, where)
			continue
		}
		v.marks[c.Seq] = append(v.marks[c.Seq], *c)
		v.last = max(v.last, c.Seq)
	}
}

// compare looks for published checkpoints that the database has lost.
func (v *auditVerifier) compare(stored, published []point.AuditCheckpoint) {
	has := map[int64]bool{}
	for _, c := range stored {
		has[c.Seq] = true
	}
	for _, c := range published {
		if c.Seq > v.part.After && !has[c.Seq] {
			v.find(c.Seq, "The checkpoint at row %d was published and is gone from the database.", c.Seq)
		}
	}
}

// chain walks from where the part begins to its end, or to the head.
func (v *auditVerifier) chain(ctx context.Context, tx *sql.Tx) error {
	hash, there, err := v.begin(ctx, tx)
	if err != nil || !there {
		return err
	}
	seq := v.part.After
	for {
		n := v.batch()
		batch, err := rows(ctx, tx, scanAudit, selectAuditBehind, seq, n)
		if err != nil {
			return err
		}
		for i := range batch {
			v.row(&batch[i], seq, hash)
			seq, hash = batch[i].Seq, batch[i].Hash
		}
		v.report.Seq, v.report.Hash = seq, hash
		if len(batch) < n {
			break
		}
		if v.enough() {
			return v.more(ctx, tx, seq, hash)
		}
	}
	return v.end(ctx, tx, seq, hash)
}

// begin is the hash of the row behind which the part begins. The row is looked at for itself:
// that it follows those before it the part before has shown.
func (v *auditVerifier) begin(ctx context.Context, tx *sql.Tx) (hash []byte, there bool, err error) {
	if v.part.After == 0 {
		return []byte{}, true, nil
	}
	e, err := one(ctx, tx, scanAudit, `SELECT `+auditColumns+` FROM audit WHERE seq = $1`, v.part.After)
	if errors.Is(err, ErrNotFound) {
		v.find(v.part.After, "Row %d, behind which this look was to begin, is missing.", v.part.After)
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !bytes.Equal(auditHash(e), e.Hash) {
		v.find(e.Seq, "Row %d was edited.", e.Seq)
	}
	return e.Hash, true, nil
}

// batch is how many rows are read next.
func (v *auditVerifier) batch() int {
	if v.part.Rows == 0 {
		return verifyRows
	}
	return int(min(verifyRows, v.part.Rows-v.report.Rows))
}

// enough reports whether the part has come to its bound.
func (v *auditVerifier) enough() bool {
	return v.part.Rows > 0 && v.report.Rows >= v.part.Rows || !v.until.IsZero() && !time.Now().Before(v.until)
}

// more ends a part where it is, unless nothing is behind it.
func (v *auditVerifier) more(ctx context.Context, tx *sql.Tx, seq int64, hash []byte) error {
	next, err := rows(ctx, tx, scanAudit, selectAuditBehind, seq, 1)
	if err != nil || len(next) > 0 {
		return err
	}
	return v.end(ctx, tx, seq, hash)
}

func (v *auditVerifier) row(e *point.AuditEntry, before int64, hash []byte) {
	v.report.Rows++
	if e.Seq != before+1 {
		v.find(e.Seq, "Rows %d to %d are missing.", before+1, e.Seq-1)
	}
	if !bytes.Equal(e.PrevHash, hash) {
		v.find(e.Seq, "Row %d does not follow the row before it: one of the two was edited, added or moved.", e.Seq)
	}
	if !bytes.Equal(auditHash(e), e.Hash) {
		v.find(e.Seq, "Row %d was edited.", e.Seq)
	}
	for _, c := range v.marks[e.Seq] {
		if !bytes.Equal(c.Hash, e.Hash) {
			v.find(e.Seq, "Row %d is not the one of its checkpoint: the trail up to it was written anew.", e.Seq)
			break
		}
	}
}

// end compares where the chain ends with where it should.
func (v *auditVerifier) end(ctx context.Context, tx *sql.Tx, seq int64, hash []byte) error {
	v.report.Complete = true
	var head int64
	var headHash []byte
	if err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit_head WHERE id = 1`).Scan(&head, &headHash); err != nil {
		return err
	}
	switch {
	case v.last > seq:
		v.find(seq, "The trail ends at row %d; a checkpoint proves that it went to row %d: its end was cut off.", seq, v.last)
	case head > seq:
		v.find(seq, "The trail ends at row %d and should end at row %d: its end was cut off.", seq, head)
	case head < seq:
		v.find(seq, "The trail ends at row %d and should end at row %d: rows were added.", seq, head)
	case !bytes.Equal(hash, headHash):
		v.find(seq, "The last row is not the one that was written last.")
	}
	return nil
}
