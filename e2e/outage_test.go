package e2e

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite" // as another program that holds a lock
)

// TestOutage: another program locks the history for as long as it takes to fill the journal.
// Requests are served meanwhile; then the setting decides between refusing them and counting
// what is not recorded. Without a restart all is well again when the lock is gone, and every
// request that was answered is recorded once, but for those that were counted.
func TestOutage(t *testing.T) {
	for _, full := range []string{"strict", "count"} {
		t.Run(full, func(t *testing.T) {
			dir := t.TempDir()
			p := start(t, dir, "POINT_JOURNAL_MAX=1MiB", "POINT_JOURNAL_FULL="+full, "POINT_LOG_LEVEL=error")
			api := p.signIn(t)
			unlock := lock(t, filepath.Join(dir, "history.db"))
			answered := p.fill(t)
			eventually(t, "/readyz says that something is wrong", func() bool {
				reply := p.send(t, "GET", "/readyz", "", nil)
				return reply.StatusCode == http.StatusOK && strings.Contains(reply.Text, `"journal"`)
			})
			unlock()
			eventually(t, "requests are served", func() bool {
				id, err := p.ask("after", false)
				if err == nil {
					answered[id] = true
				}
				return err == nil
			})
			eventually(t, "all are recorded", func() bool { return p.metric(t, "point_journal_lag_records") == 0 })
			missing := 0 // with strict what was not recorded was not answered either
			if full == "count" {
				missing = p.metric(t, "point_journal_dropped_records_total")
			}
			seen := map[string]int{}
			for _, r := range api.records(t) {
				seen[r.ID]++
			}
			for id := range answered {
				if seen[id] > 1 {
					t.Errorf("request %s is there %d times", id, seen[id])
				}
				if seen[id] == 0 {
					missing--
				}
			}
			if missing != 0 {
				t.Errorf("%d answered, %d recorded, the count of the missing is %d off", len(answered), len(seen), missing)
			}
		})
	}
}

// lock keeps a database's writers out until the function that it gives is called.
func lock(t *testing.T, file string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), `PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return func() {
		if _, err := db.ExecContext(t.Context(), `COMMIT`); err != nil {
			t.Error(err)
		}
	}
}

// fill sends requests until the journal is full, and gives those that were answered. None is
// refused for another reason.
func (p *process) fill(t *testing.T) map[string]bool {
	t.Helper()
	answered := map[string]bool{}
	var mu sync.Mutex
	var full atomic.Bool
	one := func() {
		id, err := p.ask("something", false)
		switch {
		case err == nil:
			mu.Lock()
			answered[id] = true
			mu.Unlock()
		case strings.HasPrefix(err.Error(), "503") && strings.Contains(err.Error(), "recording_unavailable"):
			full.Store(true)
		default:
			t.Error(err)
			full.Store(true)
		}
	}
	for round := 0; !full.Load() && p.metric(t, "point_journal_dropped_records_total") == 0; round++ {
		if round == 100 {
			t.Fatalf("the journal is not full after %d requests", len(answered))
		}
		var clients sync.WaitGroup
		for range 16 {
			clients.Go(func() {
				for n := 0; n < 20 && !full.Load(); n++ {
					one()
				}
			})
		}
		clients.Wait()
	}
	return answered
}

// metric is the value of a metric without labels.
func (p *process) metric(t *testing.T, name string) int {
	t.Helper()
	reply := p.send(t, "GET", "/metrics", "", nil)
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(reply.Text)
	if reply.StatusCode != http.StatusOK || m == nil {
		t.Fatalf("no metric %s: %s", name, reply.Status)
	}
	value, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(value)
}
