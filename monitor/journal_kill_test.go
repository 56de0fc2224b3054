package monitor

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"point"
)

// idSink stores ids as lines of a file: what is written survives the process.
type idSink struct{ file *os.File }

func openIDSink(dir string) (*idSink, error) {
	f, err := os.OpenFile(filepath.Join(dir, "stored"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return &idSink{f}, err
}

func (s *idSink) InsertRecords(_ context.Context, records []point.Record) error {
	var lines strings.Builder
	for i := range records {
		lines.WriteString(records[i].ID + "\n")
	}
	_, err := s.file.WriteString(lines.String())
	return err
}

// journalChild appends records for ever and says each id on stdout once it is kept.
func journalChild(dir string) {
	j, err := OpenJournal(JournalOptions{Dir: filepath.Join(dir, "journal"), SegmentBytes: 64 << 10, Durability: os.Getenv("POINT_TEST_DURABILITY"), Log: quiet()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sink, err := openIDSink(dir)
	if err != nil {
		os.Exit(1)
	}
	go func() { _ = j.Run(context.Background(), sink, 5*time.Millisecond) }()
	var n atomic.Int64
	for range 4 {
		go func() {
			for {
				r := realRecord(fmt.Sprintf("%d-%d", os.Getpid(), n.Add(1)))
				if err := j.Append(&r); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(r.ID + "\n")
			}
		}()
	}
	select {}
}

func TestKilledProcessLosesNoAcknowledgedRecord(t *testing.T) {
	for durability, kills := range map[string]int{DurabilityProcess: 30, DurabilityFsync: 5} {
		t.Run(durability, func(t *testing.T) {
			dir := t.TempDir()
			acknowledged := map[string]bool{}
			for range kills {
				runAndKill(t, dir, durability, acknowledged)
			}
			j, err := OpenJournal(JournalOptions{Dir: filepath.Join(dir, "journal"), Log: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = j.Close() }()
			sink, err := openIDSink(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = sink.file.Close() }()
			if err := drainOnce(j, sink); err != nil {
				t.Fatal(err)
			}
			stored := storedIDs(t, dir)
			missing := 0
			for id := range acknowledged {
				if !stored[id] {
					missing++
				}
			}
			t.Logf("%d kills, %d records acknowledged, %d stored", kills, len(acknowledged), len(stored))
			if missing > 0 {
				t.Errorf("%d acknowledged records are missing", missing)
			}
			if s := j.Stats(); s.Damaged != 0 {
				t.Errorf("%d records damaged", s.Damaged)
			}
		})
	}
}

// runAndKill lets a child acknowledge a random number of records, and kills it.
func runAndKill(t *testing.T, dir, durability string, acknowledged map[string]bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "POINT_TEST_JOURNAL_CHILD="+dir, "POINT_TEST_DURABILITY="+durability)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	limit := 1 + rand.IntN(2000)
	if durability == DurabilityFsync {
		limit = 1 + rand.IntN(200)
	}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		if n == limit {
			_ = child.Process.Kill()
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without its end was not acknowledged
		}
		acknowledged[strings.TrimSpace(line)] = true
	}
	_ = child.Wait()
}

func storedIDs(t *testing.T, dir string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "stored"))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		ids[strings.TrimSpace(line)] = true
	}
	return ids
}

// drainOnce hands everything to sink.
func drainOnce(j *Journal, sink RecordSink) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return j.Run(ctx, sink, time.Hour)
}
