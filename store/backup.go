package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

var (
	// ErrBackupEngine: PostgreSQL has a tool of its own for backups.
	ErrBackupEngine = errors.New("the database is PostgreSQL: make the backup with pg_dump --format=custom --file=point.dump \"$POINT_DATABASE_URL\", and restore it with pg_restore into an empty database; keep POINT_MASTER_KEY apart from it")
	// ErrBackingUp: one backup at a time takes room on the disk.
	ErrBackingUp = errors.New("a backup is being made already")
)

const (
	backupFormat = 1
	backupPrefix = ".backup-"
	backupLife   = 24 * time.Hour // of what a process that was killed left of one
	backupNote   = "The master key, which opens the secrets in it, is not in this backup."
)

// BackupOptions say what a backup holds.
type BackupOptions struct {
	History bool   // requests, logs, alerts and statistics too
	Version string // of Point, for the manifest
}

// BackupManifest tells what a backup holds. It is its first file, manifest.json.
type BackupManifest struct {
	Format int              `json:"format"`
	Point  string           `json:"point"` // version
	MadeAt time.Time        `json:"made_at"`
	Schema map[string]int64 `json:"schema"` // last step of each database
	Files  []BackupFile     `json:"files"`
	Note   string           `json:"note"`
}

// BackupFile is a file of a backup. It belongs into the data folder under the same name.
type BackupFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`

	content *os.File
}

// Backup is a finished copy that waits to be written somewhere. Close it.
type Backup struct {
	Manifest BackupManifest

	manifest []byte
	release  func()
}

// Backup copies the databases as they are at one moment, while they are in use. The secrets in
// them stay sealed. The copy takes as much room in the data folder as the databases themselves
// until it is closed. It fails with ErrBackupEngine on PostgreSQL and with ErrBackingUp while
// another one of this process is open.
func (s *Store) Backup(ctx context.Context, o BackupOptions) (_ *Backup, err error) {
	if s.postgres != nil {
		return nil, ErrBackupEngine
	}
	if !s.backing.TryLock() {
		return nil, ErrBackingUp
	}
	b := &Backup{release: s.backing.Unlock}
	b.Manifest = BackupManifest{Format: backupFormat, Point: o.Version, MadeAt: s.now().UTC(), Schema: map[string]int64{}, Note: backupNote}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make a backup: %w", err), b.Close())
		}
	}()
	dir, err := os.MkdirTemp(s.opts.DataDir, backupPrefix)
	if err != nil {
		return nil, dirFailure(s.opts.DataDir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }() // what is open stays until it is closed
	if err := s.copyInto(ctx, b, dir, o.History); err != nil {
		return nil, err
	}
	b.manifest, err = json.MarshalIndent(&b.Manifest, "", "  ")
	return b, err
}

// copyInto copies what refers to something before what it refers to: the checkpoints are of
// rows that the copy of the audit trail has, the requests of providers that are there.
func (s *Store) copyInto(ctx context.Context, b *Backup, dir string, history bool) error {
	if err := b.addCheckpoints(s.checkpointFile()); err != nil {
		return err
	}
	databases := []*database{s.config}
	if history {
		databases = []*database{s.history, s.config}
	}
	for _, d := range databases {
		steps, err := d.applied(ctx)
		if err != nil {
			return err
		}
		b.Manifest.Schema[d.name] = slices.Max(steps)
		file := filepath.Join(dir, d.name+".db")
		if err := d.copyTo(ctx, file); err != nil {
			return err
		}
		if err := b.add(d.name+".db", file); err != nil {
			return err
		}
	}
	return nil
}

// copyTo writes the database as it is now to a new file. Readers and writers go on.
func (d *database) copyTo(ctx context.Context, file string) (err error) {
	db := d.aside()
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil { // or nothing may be written, the copy neither
		return failure(err)
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return fmt.Errorf("copy the %s database: %w", d.name, failure(err))
	}
	return nil
}

// addCheckpoints adds a copy of the published checkpoints, if there are any.
func (b *Backup) addCheckpoints(file string) error {
	err := b.add(filepath.Base(file), file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// add takes a file, of the length that it has now, into the backup.
func (b *Backup) add(name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	entry := BackupFile{Name: name, content: f}
	sum := sha256.New()
	if entry.Size, err = io.Copy(sum, f); err != nil {
		return errors.Join(err, f.Close())
	}
	entry.SHA256 = hex.EncodeToString(sum.Sum(nil))
	b.Manifest.Files = append(b.Manifest.Files, entry)
	return nil
}

// Size is how many bytes Write writes.
func (b *Backup) Size() int64 {
	const block = 512
	padded := func(n int64) int64 { return block + (n+block-1)/block*block }
	size := padded(int64(len(b.manifest))) + 2*block
	for _, f := range b.Manifest.Files {
		size += padded(f.Size)
		if f.Size > maxUSTAR {
			size += 2 * block // a header of its own for the size
		}
	}
	return size
}

// maxUSTAR is the largest file that the oldest format of tar can hold; a larger one is written
// in its successor, PAX.
const maxUSTAR = 1<<33 - 1

// Write writes the backup as a tar file.
func (b *Backup) Write(w io.Writer) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(b.header("manifest.json", int64(len(b.manifest)))); err != nil {
		return err
	}
	if _, err := t.Write(b.manifest); err != nil {
		return err
	}
	for _, f := range b.Manifest.Files {
		if err := t.WriteHeader(b.header(f.Name, f.Size)); err != nil {
			return err
		}
		if _, err := io.Copy(t, io.NewSectionReader(f.content, 0, f.Size)); err != nil {
			return err
		}
	}
	return t.Close()
}

func (b *Backup) header(name string, size int64) *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: b.Manifest.MadeAt.Truncate(time.Second), Format: tar.FormatUSTAR}
	if size > maxUSTAR {
		h.Format = tar.FormatPAX
	}
	return h
}

// Close gives the room on the disk back.
func (b *Backup) Close() error {
	var errs []error
	for _, f := range b.Manifest.Files {
		errs = append(errs, f.content.Close())
	}
	b.release()
	return errors.Join(errs...)
}

// dropBackups deletes what a process that was killed left of backups.
func (s *Store) dropBackups() error {
	left, err := filepath.Glob(filepath.Join(s.opts.DataDir, backupPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > backupLife {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}
