package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"point"
	"point/store"
)

type backupCommand struct {
	File    string `arg:"" help:"Where to write it, a tar file; - is standard output. What is there already stays."`
	History bool   `help:"With requests, logs, alerts and statistics too."`
}

// Run writes a backup. Point may run meanwhile.
func (c backupCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	backup, err := s.Backup(r.ctx, store.BackupOptions{History: c.History, Version: Version()})
	if err != nil {
		return err
	}
	defer backup.Close()
	if err := c.write(r, backup); err != nil {
		return err
	}
	e := point.AuditEntry{Event: point.AuditBackup, TargetKind: "backup", TargetName: c.File, Detail: []byte(fmt.Sprintf(`{"history":%v}`, c.History))}
	if err := s.Audit(r.ctx, e); err != nil {
		return err
	}
	fmt.Fprintf(r.Stderr, "the backup has %d bytes; the master key is not in it: keep that apart, without it the secrets in the backup are lost\n", backup.Size())
	return nil
}

func (c backupCommand) write(r *invocation, backup *store.Backup) error {
	if c.File == "-" {
		return backup.Write(r.Stdout)
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: give another name", c.File)
	}
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	err = errors.Join(backup.Write(f), f.Sync(), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write the backup: %w", err), os.Remove(c.File))
	}
	return nil
}
