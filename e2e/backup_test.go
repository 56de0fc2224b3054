package e2e

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestBackupUnderLoad: a backup that is made while requests run and the configuration changes
// holds all that was answered before it began, and is served from a new folder.
func TestBackupUnderLoad(t *testing.T) {
	p := start(t, t.TempDir(), "POINT_API_RATE=0")
	api := p.signIn(t)
	load := newLoad(p, api)
	load.run(t, 4)
	eventually(t, "some load", func() bool { return load.aliases.Load() >= 20 && load.requests.Load() >= 40 })
	aliases := load.aliases.Load()
	var records []record
	eventually(t, "records in the database", func() bool { records = api.records(t); return len(records) >= 20 })
	reply := api.call(t, "GET", "/api/backup?history=true", "")
	load.stop()
	if reply.StatusCode != http.StatusOK || reply.ContentLength != int64(len(reply.Text)) {
		t.Fatal(reply.Status, reply.ContentLength)
	}
	t.Logf("%d aliases, %d records, a backup of %d bytes; %d aliases and %d requests when it was there", aliases, len(records), len(reply.Text), load.aliases.Load(), load.requests.Load())

	dir := t.TempDir()
	untar(t, reply.Text, dir)
	master, err := os.ReadFile(filepath.Join(p.Dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(reply.Text, strings.TrimSpace(string(master))) {
		t.Fatal("the master key is in the backup")
	}
	if err := os.WriteFile(filepath.Join(dir, "master.key"), master, 0o600); err != nil {
		t.Fatal(err)
	}
	doctor(t, dir)

	second := start(t, dir)
	restored := second.signIn(t)
	for i := range aliases {
		if got := restored.call(t, "GET", fmt.Sprintf("/api/aliases/load-%d", i), ""); got.StatusCode != http.StatusOK {
			t.Fatalf("alias %d: %s", i, got.Status)
		}
	}
	there := map[string]bool{}
	for _, r := range restored.records(t) {
		there[r.ID] = true
	}
	for _, r := range records {
		if !there[r.ID] {
			t.Errorf("request %s is missing", r.ID)
		}
	}
	if _, err := second.ask("again", false); err != nil {
		t.Error("the client key does not work:", err)
	}
	if got := restored.call(t, "GET", "/api/audit/verify", ""); !strings.Contains(got.Text, `"ok":true`) || !strings.Contains(got.Text, `"complete":true`) {
		t.Error(got.Text)
	}
}

// load sends requests and changes the configuration until it is stopped.
type load struct {
	process  *process
	api      client
	done     chan struct{}
	wait     sync.WaitGroup
	aliases  atomic.Int64 // that were answered
	requests atomic.Int64
}

func newLoad(p *process, api client) *load {
	return &load{process: p, api: api, done: make(chan struct{})}
}

func (l *load) run(t *testing.T, clients int) {
	t.Helper()
	t.Cleanup(l.stop)
	l.repeat(t, func() error {
		defer l.aliases.Add(1)
		return l.alias(l.aliases.Load())
	})
	for range clients {
		l.repeat(t, func() error {
			defer l.requests.Add(1)
			_, err := l.process.ask("load", false)
			return err
		})
	}
}

func (l *load) repeat(t *testing.T, once func() error) {
	l.wait.Go(func() {
		for {
			select {
			case <-l.done:
				return
			default:
			}
			if err := once(); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

func (l *load) alias(i int64) error {
	r, err := http.NewRequest("PUT", fmt.Sprintf("%s/api/aliases/load-%d", l.process.URL, i), strings.NewReader(`{"target": "gpt-4o-mini"}`))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+l.api.token)
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode >= 300 {
		return fmt.Errorf("alias %d: %s", i, reply.Status)
	}
	return nil
}

// stop ends the load. It may be called more than once.
func (l *load) stop() {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	l.wait.Wait()
}

func untar(t *testing.T, archive, dir string) {
	t.Helper()
	for r := tar.NewReader(strings.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		var content bytes.Buffer
		if err == nil {
			_, err = io.Copy(&content, r)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), content.Bytes(), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// doctor runs point doctor over a data folder, which must have nothing to mend.
func doctor(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "point"), "doctor", "--data-dir="+dir, "--listen=127.0.0.1:0")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "audit trail") {
		t.Fatalf("%v: %s", err, out)
	}
}
