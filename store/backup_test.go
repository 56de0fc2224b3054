package store_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
	"point/store"
)

// unpack writes the files of a backup into a new folder and checks them against the manifest.
func unpack(t *testing.T, archive []byte) (dir string, m store.BackupManifest) {
	t.Helper()
	dir = t.TempDir()
	sums := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		content, err := io.ReadAll(r)
		check(t, err)
		if h.Mode != 0o600 {
			t.Errorf("%s has mode %o", h.Name, h.Mode)
		}
		if h.Name == "manifest.json" {
			check(t, json.Unmarshal(content, &m))
			continue
		}
		sum := sha256.Sum256(content)
		sums[h.Name] = hex.EncodeToString(sum[:])
		check(t, os.WriteFile(filepath.Join(dir, h.Name), content, 0o600))
	}
	if len(sums) != len(m.Files) {
		t.Errorf("%d files, and %d in the manifest", len(sums), len(m.Files))
	}
	for _, f := range m.Files {
		if sums[f.Name] != f.SHA256 {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
	}
	return dir, m
}

// archived makes a backup and returns it as a file.
func archived(t *testing.T, s *store.Store, o store.BackupOptions) []byte {
	t.Helper()
	b, err := s.Backup(t.Context(), o)
	check(t, err)
	var archive bytes.Buffer
	check(t, b.Write(&archive))
	if b.Size() != int64(archive.Len()) {
		t.Errorf("%d bytes, and Size says %d", archive.Len(), b.Size())
	}
	check(t, b.Close())
	return archive.Bytes()
}

// TestBackup: what was made under load opens with the same master key, whole, and with no other.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{DataDir: dir})
	v := fill(t, s, 20)
	check(t, s.Checkpoint(t.Context()))
	check(t, s.InsertRecords(t.Context(), []point.Record{{ID: store.NewID(time.Now()), Timestamp: time.Now(), Endpoint: point.PathChat, Status: 200, Outcome: point.OutcomeComplete}}))
	done := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if err := s.PutAlias(t.Context(), &point.Alias{Name: fmt.Sprint("a", i), Target: "x"}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	first := archived(t, s, store.BackupOptions{Version: "1.2.3"})
	second := archived(t, s, store.BackupOptions{History: true})
	close(done)
	load.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, ".backup-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}

	master, err := os.ReadFile(filepath.Join(dir, "master.key"))
	check(t, err)
	for name, archive := range map[string][]byte{"configuration": first, "all": second} {
		if bytes.Contains(archive, bytes.TrimSpace(master)) {
			t.Fatal("the master key is in the backup")
		}
		folder, m := unpack(t, archive)
		if name == "configuration" && (m.Point != "1.2.3" || m.Schema["config"] == 0 || m.Schema["history"] != 0 || len(m.Files) != 2 || !strings.Contains(m.Note, "master key")) {
			t.Errorf("%+v", m)
		}
		check(t, os.WriteFile(filepath.Join(folder, "master.key"), master, 0o600))
		restored := open(t, store.Options{DataDir: folder})
		v.intact(t, restored)
		if report, err := restored.VerifyAudit(t.Context()); err != nil || len(report.Findings) > 0 || report.Published == 0 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		list, err := restored.ListRequests(t.Context(), store.All(), store.RequestFilter{})
		if want := map[string]int{"configuration": 0, "all": 1}[name]; err != nil || len(list.Items) != want {
			t.Errorf("%s: %d records, %v", name, len(list.Items), err)
		}
	}
	folder, _ := unpack(t, first)
	if _, err := store.Open(t.Context(), store.Options{DataDir: folder, MasterKey: point.NewSecret(strings.Repeat("another key ", 4))}); err == nil {
		t.Error("another master key opens it")
	}
}

// TestBackupRefused: one at a time, none on PostgreSQL, none without room, none that is given up.
func TestBackupRefused(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			s := open(t, options())
			b, err := s.Backup(t.Context(), store.BackupOptions{})
			if engine == store.Postgres {
				if !errors.Is(err, store.ErrBackupEngine) || !strings.Contains(err.Error(), "pg_dump") {
					t.Fatal(err)
				}
				return
			}
			check(t, err)
			if _, err := s.Backup(t.Context(), store.BackupOptions{}); !errors.Is(err, store.ErrBackingUp) {
				t.Error(err)
			}
			if err := b.Write(full{}); !errors.Is(err, errFull) {
				t.Error(err)
			}
			check(t, b.Close())
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Backup(ctx, store.BackupOptions{}); err == nil {
				t.Error("a backup that nobody waits for")
			}
			b, err = s.Backup(t.Context(), store.BackupOptions{})
			check(t, err)
			check(t, b.Close())
		})
	}
}

// TestLeftBackupsGo: upkeep deletes what a killed process left, and not what one is at.
func TestLeftBackupsGo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{DataDir: dir})
	old, fresh := filepath.Join(dir, ".backup-1"), filepath.Join(dir, ".backup-2")
	check(t, errors.Join(os.Mkdir(old, 0o700), os.Mkdir(fresh, 0o700)))
	yesterday := time.Now().Add(-25 * time.Hour)
	check(t, os.Chtimes(old, yesterday, yesterday))
	check(t, s.Upkeep(t.Context()))
	if left, _ := filepath.Glob(filepath.Join(dir, ".backup-*")); len(left) != 1 || left[0] != fresh {
		t.Error(left)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
