package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"point"
	"point/internal/panics"
	"point/internal/seal"
)

const (
	rotateBatch = 200                    // values that one transaction seals anew
	rotatePause = 200 * time.Millisecond // before it is looked again for what another process sealed meanwhile

	rotateLastWord = 5 * time.Second // for the row that tells of a failure
)

// ErrRotating: another rotation of keys is under way.
var ErrRotating = errors.New("the encryption keys are being rotated already")

// Unreadable is the end of a rotation that met values which do not open. The key that sealed
// them stays.
type Unreadable struct {
	Count int64
	First seal.Place
}

func (u *Unreadable) Error() string {
	return fmt.Sprintf("%d encrypted values cannot be read, the first one is %s.%s of row %s: set them again, then rotate once more; until then the old key stays",
		u.Count, u.First.Table, u.First.Column, u.First.Row)
}

// RotateKeys adds a key to the ring, seals every value anew with it, and drops the old keys.
// It may run while other processes use the database, and be cut off at any moment: called
// again, it goes on. done is told how many values have been sealed anew, and may be nil.
func (s *Store) RotateKeys(ctx context.Context, done func(values int64)) error {
	unlock, err := s.lockRotation(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err = s.growRing(ctx); err == nil {
		err = s.sealAll(ctx, done)
	}
	return s.noteFailure(ctx, err)
}

// StartRotation is RotateKeys beside the caller: it returns when the new key is in the ring, so
// that everybody sees that the rotation has begun, and Close ends it. The audit trail names the
// actor of ctx. ended is told how it ended.
func (s *Store) StartRotation(ctx context.Context, ended func(error)) error {
	unlock, err := s.lockRotation(ctx)
	if err != nil {
		return err
	}
	if err := s.growRing(ctx); err != nil {
		defer unlock()
		return s.noteFailure(ctx, err)
	}
	s.work.Go(func() {
		var err error
		defer func() { ended(err) }()
		defer panics.Catch(s.opts.Log, "the rotation of keys", &err)
		defer unlock()
		own := point.WithActor(s.living, point.ActorOf(ctx))
		err = s.noteFailure(own, s.sealAll(own, nil))
	})
	return nil
}

// noteFailure writes into the audit trail how a rotation failed, and hands the error on. That one
// began and that it succeeded is written with the change of the ring itself.
func (s *Store) noteFailure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	noted, cancel := context.WithTimeout(context.WithoutCancel(ctx), rotateLastWord)
	defer cancel()
	e := rotationEntry(point.AuditSecrets, s.ring.KeyID(), map[string]string{"why": whyUnfinished(err)})
	e.Result = point.AuditFailed
	if failed := s.Audit(noted, e); failed != nil {
		s.opts.Log.ErrorContext(ctx, "that the rotation of keys failed could not be written to the audit trail", "error", failed)
	}
	return err
}

// whyUnfinished tells in the audit trail why a rotation has not come to its end: nothing that
// the database or the system said.
func whyUnfinished(err error) string {
	var unreadable *Unreadable
	switch {
	case errors.As(err, &unreadable):
		return unreadable.Error()
	case errors.Is(err, context.Canceled):
		return "it was cut off; called again, it goes on"
	}
	return "the log tells; called again, it goes on"
}

// rotationEntry tells of a rotation by the key that seals from then on; detail may be nil.
func rotationEntry(event string, key uint32, detail any) point.AuditEntry {
	e := point.AuditEntry{Event: event, TargetKind: "secrets", TargetID: fmt.Sprintf("%08x", key)}
	if detail != nil {
		e.Detail = encode(detail)
	}
	return e
}

// sealAll seals every value anew with the present key, and then drops the old keys.
func (s *Store) sealAll(ctx context.Context, done func(int64)) error {
	if done == nil {
		done = func(int64) {}
	}
	var total int64
	for {
		unreadable := &Unreadable{}
		for _, c := range sealedColumns {
			err := s.sealAnew(ctx, c, unreadable, func(n int64) { total += n; done(total) })
			if err != nil {
				return fmt.Errorf("seal %s.%s anew: %w", c.table, c.column, err)
			}
		}
		if unreadable.Count > 0 {
			return unreadable
		}
		switch left, err := s.dropOldKeys(ctx); {
		case err != nil:
			return fmt.Errorf("drop the old encryption keys: %w", err)
		case !left:
			return nil
		}
		select { // another process has not heard of the new key yet
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rotatePause):
		}
	}
}

// growRing adds the key that seals from now on. If there is more than one already, a rotation
// was cut off: its key serves.
func (s *Store) growRing(ctx context.Context) error {
	err := s.changeRing(ctx, func(tx *configTx, ring *seal.Ring) (*seal.Ring, error) {
		if len(ring.KeyIDs()) > 1 {
			tx.entries = append(tx.entries, rotationEntry(point.AuditSecretsBegun, ring.KeyID(), map[string]bool{"goes_on": true}))
			return ring, nil
		}
		grown, err := ring.Grow()
		if err != nil {
			return nil, err
		}
		tx.entries = append(tx.entries, rotationEntry(point.AuditSecretsBegun, grown.KeyID(), nil))
		_, err = tx.ExecContext(ctx, `INSERT INTO ring_keys (id, added_at) VALUES ($1, $2)`, int64(grown.KeyID()), s.now())
		return grown, err
	})
	if err != nil {
		return fmt.Errorf("add an encryption key: %w", err)
	}
	return nil
}

// changeRing stores what change makes of the stored ring, and tells all processes of it.
func (s *Store) changeRing(ctx context.Context, change func(*configTx, *seal.Ring) (*seal.Ring, error)) error {
	return s.change(ctx, func(tx *configTx) error {
		if err := s.ring.read(ctx, tx); err != nil {
			return err
		}
		master, err := s.masterKey(false)
		if err != nil {
			return err
		}
		held := s.ring.held.Load()
		next, err := change(tx, held.Ring)
		if err != nil || next == held.Ring {
			return err
		}
		wrapped, err := next.Wrap(master)
		if err != nil {
			return err
		}
		if err := tx.changed(ctx, entityRing, ""); err != nil {
			return err
		}
		return swapRing(ctx, tx, held.wrapped, wrapped)
	})
}

// swapRing replaces the stored ring, if it is still the one that was read.
func swapRing(ctx context.Context, tx *configTx, was, wrapped []byte) error {
	result, err := tx.ExecContext(ctx, `UPDATE data_keys SET sealed = $1 WHERE purpose = 'ring' AND sealed = $2`, wrapped, was)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return ErrStale
}

// sealedRow is a value that an old key sealed.
type sealedRow struct {
	key    []string
	sealed []byte
}

// sealAnew goes through a column and seals with the present key what others sealed.
func (s *Store) sealAnew(ctx context.Context, c sealedColumn, unreadable *Unreadable, done func(int64)) error {
	after := c.first
	for {
		batch, err := s.sealedBehind(ctx, s.config.read, c, after)
		if err != nil || len(batch) == 0 {
			return err
		}
		err = s.config.transact(ctx, func(tx *sql.Tx) error { return s.sealRows(ctx, tx, c, batch, unreadable) })
		if err != nil {
			return err
		}
		after = anys(batch[len(batch)-1].key)
		done(int64(len(batch)))
	}
}

// sealedBehind reads the next values of a column that old keys sealed.
func (s *Store) sealedBehind(ctx context.Context, db querier, c sealedColumn, after []any) ([]sealedRow, error) {
	args := append([]any{seal.Prefix(s.ring.KeyID()), rotateBatch}, after...)
	return rows(ctx, db, func(r row) (sealedRow, error) {
		x := sealedRow{key: make([]string, len(c.first))}
		to := make([]any, 0, len(x.key)+1)
		for i := range x.key {
			to = append(to, &x.key[i])
		}
		return x, r.Scan(append(to, &x.sealed)...)
	}, c.next, args...)
}

func (s *Store) sealRows(ctx context.Context, tx *sql.Tx, c sealedColumn, batch []sealedRow, unreadable *Unreadable) error {
	for _, x := range batch {
		if err := s.sealRow(ctx, tx, c, x, unreadable); err != nil {
			return err
		}
	}
	return nil
}

// sealRow seals a value anew. One that is another by now was sealed by somebody who used it.
func (s *Store) sealRow(ctx context.Context, tx *sql.Tx, c sealedColumn, x sealedRow, unreadable *Unreadable) error {
	place := c.place(x.key)
	plain, err := s.ring.Open(x.sealed, place)
	if errors.Is(err, seal.ErrSealed) {
		if unreadable.Count++; unreadable.Count == 1 {
			unreadable.First = place
		}
		return nil
	}
	if err != nil {
		return err
	}
	sealed, err := s.ring.Seal(ctx, tx, plain, place)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, c.swap, append([]any{sealed, x.sealed}, anys(x.key)...)...)
	return err
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// dropOldKeys drops the keys that sealed nothing any more, and reports whether some are left.
func (s *Store) dropOldKeys(ctx context.Context) (left bool, err error) {
	err = s.changeRing(ctx, func(tx *configTx, ring *seal.Ring) (*seal.Ring, error) {
		if err := s.stopOldKeys(ctx, tx, ring.KeyID()); err != nil {
			return nil, err
		}
		if err := s.sealLast(ctx, tx); err != nil {
			return nil, err
		}
		return s.withoutOld(ctx, tx, ring)
	})
	if errors.Is(err, errLeft) || lockTimedOut(err) {
		return true, nil
	}
	return false, err
}

// stopOldKeys waits until nobody seals with the old keys; from then on nobody can. Who waits
// for this transaction may hold what it needs: it gives up before the two are found out.
func (s *Store) stopOldKeys(ctx context.Context, tx *configTx, present uint32) error {
	if s.postgres != nil {
		if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '300ms'`); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM ring_keys WHERE id <> $1`, int64(present))
	return err
}

// sealLast seals what other processes sealed with the old keys since the last round, a batch of
// each column at most.
func (s *Store) sealLast(ctx context.Context, tx *configTx) error {
	for _, c := range sealedColumns {
		batch, err := s.sealedBehind(ctx, tx, c, c.first)
		if err != nil {
			return err
		}
		unreadable := &Unreadable{}
		if err := s.sealRows(ctx, tx.Tx, c, batch, unreadable); err != nil {
			return err
		}
		if unreadable.Count > 0 {
			return unreadable
		}
	}
	return nil
}

// withoutOld is the ring with its present key alone, or errLeft: then the transaction is undone.
func (s *Store) withoutOld(ctx context.Context, tx *configTx, ring *seal.Ring) (*seal.Ring, error) {
	counts, err := countSealed(ctx, tx)
	if err != nil {
		return nil, err
	}
	next := ring
	for _, id := range ring.KeyIDs() {
		if id == ring.KeyID() {
			continue
		}
		if counts[id] > 0 {
			return nil, errLeft
		}
		if next, err = next.Drop(id); err != nil {
			return nil, err
		}
	}
	if next != ring {
		tx.entries = append(tx.entries, rotationEntry(point.AuditSecrets, ring.KeyID(), nil))
	}
	return next, nil
}

// errLeft: an old key is still needed.
var errLeft = errors.New("values of an old key are left")

// lockRotation makes this process the only one that rotates, or fails with ErrRotating.
func (s *Store) lockRotation(ctx context.Context) (unlock func(), err error) {
	if s.postgres != nil {
		return s.lockRotationPostgres(ctx)
	}
	file, err := os.OpenFile(filepath.Join(s.opts.DataDir, ".rotate"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, dirFailure(s.opts.DataDir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrRotating, file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func (s *Store) lockRotationPostgres(ctx context.Context) (unlock func(), err error) {
	conn, err := s.config.write.Conn(ctx)
	if err != nil {
		return nil, failure(err)
	}
	// The number is any that nothing else uses.
	var got bool
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(7236571092)`).Scan(&got)
	if err == nil && !got {
		err = ErrRotating
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(7236571092)`)
		_ = conn.Close()
	}, nil
}
