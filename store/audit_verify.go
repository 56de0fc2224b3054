package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"

	"point"
)

const (
	verifyRows   = 1000 // read at once
	findingsKept = 50

	selectAuditBehind = `SELECT ` + auditColumns + ` FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// VerifyAudit goes through the whole audit trail and looks for rows that were edited, removed,
// added or put in another order, and compares it with the checkpoints of the database and of
// the data folder, which show an end that was cut off. What was written since the last
// checkpoint is proven by the chain alone.
func (s *Store) VerifyAudit(ctx context.Context) (*point.AuditReport, error) {
	v := &auditVerifier{key: s.AuditKey(), marks: map[int64][]point.AuditCheckpoint{}}
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
		if !has[c.Seq] {
			v.find(c.Seq, "The checkpoint at row %d was published and is gone from the database.", c.Seq)
		}
	}
}

// chain walks from the first row to the head.
func (v *auditVerifier) chain(ctx context.Context, tx *sql.Tx) error {
	var seq int64
	hash := []byte{}
	for {
		batch, err := rows(ctx, tx, scanAudit, selectAuditBehind, seq, verifyRows)
		if err != nil {
			return err
		}
		for i := range batch {
			v.row(&batch[i], seq, hash)
			seq, hash = batch[i].Seq, batch[i].Hash
		}
		if len(batch) < verifyRows {
			break
		}
	}
	v.report.Hash = hash
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
