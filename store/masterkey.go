package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"point"
	"point/internal/seal"
)

// masterFile holds the master key on SQLite, if none is set. A rotation writes the next one
// beside it first.
func (s *Store) masterFile() string { return filepath.Join(s.opts.DataDir, "master.key") }

func (s *Store) nextMasterFile() string { return s.masterFile() + ".next" }

// masterKey is the one of the options or, with SQLite, of the file that the first start
// makes. A database that was encrypted already (empty is false) gets no new one.
func (s *Store) masterKey(empty bool) (point.Secret, error) {
	if !s.opts.MasterKey.IsZero() {
		return s.opts.MasterKey, nil
	}
	file := s.masterFile()
	master, err := readMasterKey(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && empty:
		master = seal.NewMaster()
		return master, writeMasterKey(file, master)
	case errors.Is(err, fs.ErrNotExist):
		return master, fmt.Errorf("the master key %s is gone, and this database is encrypted with it: put the file back, or set POINT_MASTER_KEY to what it held", file)
	case err != nil:
		return master, fmt.Errorf("the master key %s cannot be read: give the file to user %d, mode 0600: %w", file, os.Geteuid(), err)
	}
	return master, nil
}

func readMasterKey(file string) (point.Secret, error) {
	text, err := os.ReadFile(file)
	return point.NewSecret(strings.TrimSpace(string(text))), err
}

// writeMasterKey makes a file that is on the disk when it returns.
func writeMasterKey(file string, master point.Secret) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return dirFailure(filepath.Dir(file), err)
	}
	_, err = f.WriteString(master.Reveal() + "\n")
	if err := errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(file))); err != nil {
		return errors.Join(dirFailure(filepath.Dir(file), err), os.Remove(file))
	}
	return nil
}

// moveMasterKey puts the next master key in the place of the old one, unless another process
// has done so.
func (s *Store) moveMasterKey() error {
	err := os.Rename(s.nextMasterFile(), s.masterFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(err, syncDir(s.opts.DataDir)); err != nil {
		return fmt.Errorf("the new master key lies in %s: move it to %s: %w", s.nextMasterFile(), s.masterFile(), err)
	}
	return nil
}

// syncDir makes what was done to the names in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ChangeMasterKey wraps the ring with another master key; nothing else is encrypted anew. On
// SQLite the key is kept in the data folder, unless the present one comes from the options:
// then, as on PostgreSQL, every process has to be started again with the new one, this one too.
func (s *Store) ChangeMasterKey(ctx context.Context, master point.Secret) error {
	if err := seal.CheckMaster(master); err != nil {
		return err
	}
	unlock, err := s.lockRotation(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.writeNextMaster(master); err != nil {
		return err
	}
	err = s.change(ctx, func(tx *configTx) error {
		if err := s.ring.read(ctx, tx); err != nil {
			return err
		}
		held := s.ring.held.Load()
		wrapped, err := held.Wrap(master)
		if err != nil {
			return err
		}
		tx.entries = append(tx.entries, point.AuditEntry{Event: point.AuditMasterKey, TargetKind: "secrets"})
		if err := tx.changed(ctx, entityRing, ""); err != nil {
			return err
		}
		return swapRing(ctx, tx, held.wrapped, wrapped)
	})
	if err != nil {
		return fmt.Errorf("wrap the encryption keys with the new master key: %w", err)
	}
	if s.opts.MasterKey.IsZero() {
		return s.moveMasterKey()
	}
	return nil
}

// writeNextMaster writes the next master key beside the present one: whatever is cut off then,
// one of the two opens the ring.
func (s *Store) writeNextMaster(master point.Secret) error {
	if !s.opts.MasterKey.IsZero() {
		return nil
	}
	if err := os.Remove(s.nextMasterFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return dirFailure(s.opts.DataDir, err)
	}
	return writeMasterKey(s.nextMasterFile(), master)
}
