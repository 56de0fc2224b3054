package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

// rejected are the lines of rejected.jsonl.
func rejected(t *testing.T, j *Journal) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.opt.Dir, "rejected.jsonl"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

// TestRefusedRecordsDoNotHoldUpTheRest: records that the database never takes, without a good
// one in their batch, wait for those behind them as witnesses and are set aside.
func TestRefusedRecordsDoNotHoldUpTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		bad, good, batch int
		before           bool // the good ones are there from the beginning
	}{
		"alone, the others come later": {bad: 1, good: 100},
		"whole batches of them":        {bad: 60, good: 100, batch: 20},
		"more than a segment of them":  {bad: 250, good: 300, batch: 100, before: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, BatchRecords: c.batch})
				ctx, cancel := context.WithCancel(t.Context())
				sink := &memorySink{refuse: func(id string) bool { return strings.HasPrefix(id, "bad") }}
				for range c.bad {
					r := realRecord("bad")
					if err := j.Append(&r); err != nil {
						t.Fatal(err)
					}
				}
				if c.before {
					appendN(t, j, 0, c.good)
				}
				var run sync.WaitGroup
				run.Go(func() { _ = j.Run(ctx, sink, 0) })
				if !c.before {
					<-time.After(time.Minute)
					if lines := rejected(t, j); len(lines) > 0 || j.Lag() != int64(c.bad) {
						t.Errorf("%d set aside while nothing tells them from a database that is down", len(lines))
					}
					appendN(t, j, 0, c.good)
				}
				limit, stop := context.WithTimeout(ctx, time.Hour)
				defer stop()
				if err := j.Flush(limit); err != nil {
					t.Errorf("%d records still wait: %v", j.Lag(), err)
				}
				cancel()
				run.Wait()
				if got := len(sink.distinct()); got != c.good {
					t.Errorf("%d stored, want %d", got, c.good)
				}
				if got := len(rejected(t, j)); got != c.bad || j.Stats().Damaged != uint64(c.bad) {
					t.Errorf("%d set aside, %d counted, want %d", got, j.Stats().Damaged, c.bad)
				}
				if err := j.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// fullSink is a database without room: it takes again what it has, and small records for a
// while.
type fullSink struct {
	memorySink
	room int
	has  map[string]bool
}

func (s *fullSink) InsertRecords(ctx context.Context, records []point.Record) error {
	s.mu.Lock()
	fresh := 0
	for i := range records {
		if !s.has[records[i].ID] {
			fresh++
		}
	}
	if fresh > s.room {
		s.mu.Unlock()
		return errors.New("database or disk is full")
	}
	s.room -= fresh
	for i := range records {
		s.has[records[i].ID] = true
	}
	s.mu.Unlock()
	return s.memorySink.InsertRecords(ctx, records)
}

// TestFullDatabaseIsNoReasonToSetAside: it takes what it has already, and nothing new.
func TestFullDatabaseIsNoReasonToSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openTestJournal(t, JournalOptions{BatchRecords: 100})
		ctx, cancel := context.WithCancel(t.Context())
		sink := &fullSink{room: 3, has: map[string]bool{}}
		var run sync.WaitGroup
		run.Go(func() { _ = j.Run(ctx, sink, 0) })
		appendN(t, j, 0, 500)
		<-time.After(10 * time.Minute)
		if lines := rejected(t, j); len(lines) > 0 {
			t.Errorf("%d records set aside", len(lines))
		}
		sink.mu.Lock()
		sink.room = 1000
		sink.mu.Unlock()
		if err := j.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		run.Wait()
		if got := len(sink.distinct()); got != 500 || len(rejected(t, j)) > 0 {
			t.Errorf("%d stored, %d set aside", got, len(rejected(t, j)))
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRejectedThatCannotBeKeptWaits: no record goes while its line cannot be written.
func TestRejectedThatCannotBeKeptWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openTestJournal(t, JournalOptions{})
		file := filepath.Join(j.opt.Dir, "rejected.jsonl")
		if err := os.Mkdir(file, 0o700); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		sink := &memorySink{refuse: func(id string) bool { return id == "r5" }}
		appendN(t, j, 0, 10)
		var run sync.WaitGroup
		run.Go(func() { _ = j.Run(ctx, sink, 0) })
		<-time.After(time.Minute)
		if s := j.Stats(); s.Damaged != 0 || s.Lag == 0 {
			t.Errorf("%+v", s)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		appendN(t, j, 10, 1)
		if err := j.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		run.Wait()
		if got := rejected(t, j); len(got) != 1 || !strings.Contains(got[0], `"r5"`) || j.Stats().Damaged != 1 {
			t.Errorf("%q, %+v", got, j.Stats())
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}
