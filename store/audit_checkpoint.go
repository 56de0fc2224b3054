package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"point"
)

const (
	checkpointRows  = 1000      // a checkpoint at least so often
	checkpointEvery = time.Hour // and so often, if there is something new

	auditKeyPurpose = "audit" // seed of the key that signs checkpoints, sealed by the ring

	checkpointColumns = `seq, hash, at, signature`
	selectCheckpoints = `SELECT ` + checkpointColumns + ` FROM audit_checkpoints WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// checkpointFile is where checkpoints are published outside of the database: one JSON object a
// line, only ever appended to. Without a data folder there is none.
func (s *Store) checkpointFile() string {
	return filepath.Join(s.opts.DataDir, "audit-checkpoints.jsonl")
}

// openAuditKey reads the key that signs checkpoints; the first call makes it.
func (s *Store) openAuditKey(ctx context.Context) error {
	seed, err := s.sealedDataKey(ctx, auditKeyPurpose, ed25519.SeedSize)
	if err != nil {
		return fmt.Errorf("the key of the audit trail: %w", err)
	}
	s.auditKey = ed25519.NewKeyFromSeed(seed)
	return nil
}

// AuditKey is the public key that verifies checkpoints.
func (s *Store) AuditKey() ed25519.PublicKey { return s.auditKey.Public().(ed25519.PublicKey) }

// checkpointMessage is what a checkpoint's signature covers.
func checkpointMessage(c *point.AuditCheckpoint) []byte {
	b := []byte("point audit checkpoint 1\n")
	b = binary.BigEndian.AppendUint64(b, uint64(c.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(c.At.UnixMicro()))
	return append(b, c.Hash...)
}

// addCheckpoint signs the end of the chain, in the transaction that holds its head.
func (s *Store) addCheckpoint(ctx context.Context, tx querier, seq int64, hash []byte) (*point.AuditCheckpoint, error) {
	c := &point.AuditCheckpoint{Seq: seq, Hash: hash, At: s.now()}
	c.Signature = ed25519.Sign(s.auditKey, checkpointMessage(c))
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_checkpoints (`+checkpointColumns+`) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		c.Seq, c.Hash, c.At, c.Signature)
	return c, err
}

// Checkpoint signs the end of the audit trail if it has grown since an hour or more, and
// publishes what other processes have signed. Upkeep calls it.
func (s *Store) Checkpoint(ctx context.Context) error {
	var mark *point.AuditCheckpoint
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		var seq int64
		var hash []byte
		if err := tx.QueryRowContext(ctx, `UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash`).Scan(&seq, &hash); err != nil {
			return err
		}
		last, err := one(ctx, tx, scanCheckpoint, `SELECT `+checkpointColumns+` FROM audit_checkpoints ORDER BY seq DESC LIMIT 1`)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if seq == 0 || last != nil && (last.Seq >= seq || s.now().Sub(last.At) < checkpointEvery) {
			return nil
		}
		mark, err = s.addCheckpoint(ctx, tx, seq, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("sign the audit trail: %w", err)
	}
	s.publishMark(ctx, mark)
	return s.publishCheckpoints(ctx)
}

func scanCheckpoint(r row) (c point.AuditCheckpoint, err error) {
	return c, r.Scan(&c.Seq, &c.Hash, timeTo{&c.At}, &c.Signature)
}

// ListCheckpoints lists checkpoints behind a row of the audit trail, in their order.
func (s *Store) ListCheckpoints(ctx context.Context, after int64, limit int) ([]point.AuditCheckpoint, error) {
	list, err := rows(ctx, s.config.read, scanCheckpoint, selectCheckpoints, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the checkpoints: %w", err)
	}
	return list, nil
}

// publishMark tells of a checkpoint where nobody who changes the database can take it back.
func (s *Store) publishMark(ctx context.Context, mark *point.AuditCheckpoint) {
	if mark == nil {
		return
	}
	s.opts.Log.InfoContext(ctx, "audit checkpoint", "seq", mark.Seq, "hash", hex.EncodeToString(mark.Hash), "at", mark.At, "signature", hex.EncodeToString(mark.Signature))
	if err := s.publishCheckpoints(ctx); err != nil {
		s.opts.Log.ErrorContext(ctx, "a checkpoint of the audit trail could not be written to the data folder; the next one brings it", "error", err)
	}
}

// publishCheckpoints appends to the file what it has not of the database's checkpoints.
func (s *Store) publishCheckpoints(ctx context.Context) error {
	if s.opts.DataDir == "" {
		return nil
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	published, err := s.publishedCheckpoints()
	if err != nil {
		return err
	}
	last := int64(0)
	if n := len(published); n > 0 {
		last = published[n-1].Seq
	}
	list, err := s.ListCheckpoints(ctx, last, 1000)
	if err != nil || len(list) == 0 {
		return err
	}
	var lines bytes.Buffer
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	return appendFile(s.checkpointFile(), lines.Bytes())
}

// appendFile adds to the end of a file and waits for the disk.
func appendFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return dirFailure(filepath.Dir(name), err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// publishedCheckpoints reads the file. A last line that was cut off is left out.
func (s *Store) publishedCheckpoints() (list []point.AuditCheckpoint, err error) {
	if s.opts.DataDir == "" {
		return nil, nil
	}
	f, err := os.Open(s.checkpointFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		var c point.AuditCheckpoint
		if json.Unmarshal(line, &c) == nil {
			list = append(list, c)
		}
	}
}
