package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// killRounds is how often a writer is killed on each engine; nightly runs set more.
func killRounds() int {
	if n, err := strconv.Atoi(os.Getenv("POINT_TEST_KILLS")); err == nil {
		return n
	}
	return 3
}

// The environment of the child process that writes until it is killed.
const (
	childDir = "STORE_CHILD_DIR"
	childURL = "STORE_CHILD_URL"
	childKey = "STORE_CHILD_KEY"
)

// killRecord is the record i of a killed writer; its id and content follow from i alone, as
// those of a journal do.
func killRecord(i int) point.Record {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	id := fmt.Sprintf("%s-7000-8000-%012d", store.NewID(at)[:13], i)
	return point.Record{ID: id, Timestamp: at, Endpoint: point.PathChat, Model: "m", Status: 200, Outcome: point.OutcomeComplete, Usage: &point.Usage{Input: 1}}
}

// TestKilledWriter is the child: it stores records and aliases and says what was stored.
func TestKilledWriter(t *testing.T) {
	opts := store.Options{DataDir: os.Getenv(childDir), DatabaseURL: os.Getenv(childURL), MasterKey: point.NewSecret(os.Getenv(childKey))}
	if opts.DataDir == "" && opts.DatabaseURL == "" {
		return // not the child
	}
	s := open(t, opts)
	start := len(s.Snapshot().Aliases) // rounds before
	for i := start; ; i++ {
		var batch []point.Record
		for j := range 20 {
			batch = append(batch, killRecord(i*20+j))
		}
		if err := s.InsertRecords(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if err := s.PutAlias(t.Context(), &point.Alias{Name: fmt.Sprintf("alias-%06d", i), Target: "m"}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", i)
	}
}

// TestKill kills a writer at any moment: what it said it stored is there, the database is
// whole, and sending everything again changes nothing but what was missing.
func TestKill(t *testing.T) {
	for _, engine := range []string{store.SQLite, store.Postgres} {
		t.Run(engine, func(t *testing.T) {
			key := seal.NewMaster()
			opts := store.Options{DataDir: t.TempDir(), MasterKey: key}
			if engine == store.Postgres {
				opts = store.Options{DatabaseURL: pgtest.Database(t), MasterKey: key}
			}
			for round := range killRounds() {
				last := killChild(t, opts, 3+round*7)
				checkKilled(t, opts, last)
			}
		})
	}
}

// killChild starts a writer, kills it after it has stored n times, and returns the last
// round that it said it stored.
func killChild(t *testing.T, opts store.Options, n int) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
	cmd.Env = append(os.Environ(), childDir+"="+opts.DataDir, childURL+"="+opts.DatabaseURL, childKey+"="+opts.MasterKey.Reveal())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for seen := 0; ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "stored %d", &last); err != nil {
			t.Fatalf("the writer says %q", line)
		}
		if seen++; seen == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	return last
}

func checkKilled(t *testing.T, opts store.Options, last int) {
	t.Helper()
	s := open(t, opts)
	for i := range last + 1 {
		if _, there := s.Snapshot().Aliases[fmt.Sprintf("alias-%06d", i)]; !there {
			t.Fatalf("alias %d of %d is lost", i, last)
		}
	}
	var all []point.Record
	for i := range (last + 1) * 20 {
		all = append(all, killRecord(i))
	}
	if _, err := s.GetRequest(t.Context(), store.All(), all[len(all)-1].ID); err != nil {
		t.Fatalf("an acknowledged record: %v", err)
	}
	for range 2 {
		if err := s.InsertRecords(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.ListRequests(t.Context(), store.All(), store.RequestFilter{})
	if err != nil {
		t.Fatal(err)
	}
	buckets, err := s.RequestStats(t.Context(), store.All(), store.StatsFilter{From: all[0].Timestamp, To: all[0].Timestamp.AddDate(0, 0, 2), GroupBy: store.GroupDay})
	if err != nil {
		t.Fatal(err)
	}
	var requests, tokens int64
	for _, b := range buckets {
		requests += b.Requests
		tokens += b.TokensInput
	}
	if want := list.Total; want < int64(len(all)) || requests != want || tokens != want {
		t.Fatalf("%d rows for at least %d records; the rollups count %d and %d", want, len(all), requests, tokens)
	}
	if opts.DatabaseURL == "" {
		var verdict string
		if err := rawDB(t, opts).QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Fatalf("integrity: %s, %v", verdict, err)
		}
	}
}
