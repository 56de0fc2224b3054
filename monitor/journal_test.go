package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

// memorySink keeps ids, and fails as it is told.
type memorySink struct {
	mu     sync.Mutex
	ids    []string
	sizes  []int
	err    error
	refuse func(id string) bool // of a record that is never taken
}

func (s *memorySink) InsertRecords(_ context.Context, records []point.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	for i := range records {
		if s.refuse != nil && s.refuse(records[i].ID) {
			return errors.New("value too long for type")
		}
	}
	s.sizes = append(s.sizes, len(records))
	for i := range records {
		s.ids = append(s.ids, records[i].ID)
	}
	return nil
}

func (s *memorySink) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
}

// distinct are the ids in order of their first arrival.
func (s *memorySink) distinct() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	var ids []string
	for _, id := range s.ids {
		if !seen[id] {
			ids = append(ids, id)
		}
		seen[id] = true
	}
	return ids
}

type raised struct {
	mu    sync.Mutex
	kinds map[string]int
}

func (r *raised) Raise(kind, _, _ string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = map[string]int{}
	}
	r.kinds[kind]++
}

func (r *raised) count(kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kinds[kind]
}

func openTestJournal(t *testing.T, opt JournalOptions) *Journal {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	opt.Log = quiet()
	j, err := OpenJournal(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func appendN(t *testing.T, j *Journal, from, n int) {
	t.Helper()
	for i := range n {
		r := realRecord(fmt.Sprint("r", from+i))
		if err := j.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
}

// crash ends j as a killed process does: nothing is closed properly.
func crash(j *Journal) {
	j.mu.Lock()
	j.stopped = true
	j.mu.Unlock()
	j.stop()
	j.done.Wait()
	_ = j.lock.Close()
}

func wantIDs(t *testing.T, got []string, from, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d records, want %d", len(got), n)
	}
	for i, id := range got {
		if want := fmt.Sprint("r", from+i); id != want {
			t.Fatalf("record %d is %s, want %s", i, id, want)
		}
	}
}

func TestDrainKeepsOrderAndBatchSize(t *testing.T) {
	j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, BatchRecords: 50})
	appendN(t, j, 0, 1000)
	if j.Lag() != 1000 || j.Oldest() == 0 {
		t.Errorf("lag %d, oldest %v", j.Lag(), j.Oldest())
	}
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, sink.ids, 0, 1000)
	for _, n := range sink.sizes {
		if n > 50 {
			t.Errorf("batch of %d", n)
		}
	}
	if s := j.Stats(); s.Lag != 0 || s.Oldest != 0 || s.Drained != 1000 || s.Bytes > 3*64<<10 {
		t.Errorf("%+v", s)
	}
}

func TestNextProcessFindsWhatIsLeft(t *testing.T) {
	for name, end := range map[string]func(*Journal){"crash": crash, "close": func(j *Journal) { _ = j.Close() }} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := openTestJournal(t, JournalOptions{Dir: dir, SegmentBytes: 64 << 10})
			appendN(t, j, 0, 300)
			sink := &memorySink{}
			if err := drainOnce(j, sink); err != nil {
				t.Fatal(err)
			}
			appendN(t, j, 300, 500)
			end(j)

			j = openTestJournal(t, JournalOptions{Dir: dir})
			if j.Lag() != 500 {
				t.Fatalf("lag %d, want 500", j.Lag())
			}
			appendN(t, j, 800, 10)
			if err := drainOnce(j, sink); err != nil {
				t.Fatal(err)
			}
			wantIDs(t, sink.ids, 0, 810)
			_ = j.Close()
			if names, _ := segmentNames(dir); len(names) != 0 {
				t.Errorf("files left: %v", names)
			}
		})
	}
}

func TestLostCheckpointReplays(t *testing.T) {
	for _, checkpoint := range []string{"", "garbage", "1 99"} {
		dir := t.TempDir()
		j := openTestJournal(t, JournalOptions{Dir: dir})
		appendN(t, j, 0, 20)
		sink := &memorySink{}
		if err := drainOnce(j, sink); err != nil {
			t.Fatal(err)
		}
		appendN(t, j, 20, 5)
		crash(j)
		if err := os.WriteFile(filepath.Join(dir, checkpointName), []byte(checkpoint), 0o600); err != nil {
			t.Fatal(err)
		}
		j = openTestJournal(t, JournalOptions{Dir: dir})
		if err := drainOnce(j, sink); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, sink.distinct(), 0, 25)
	}
}

func TestTornTailAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, JournalOptions{Dir: dir})
	appendN(t, j, 0, 2)
	whole := j.cur.end
	appendN(t, j, 2, 1)
	path, last := j.cur.path, j.cur.end
	crash(j)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := whole; cut < last; cut++ {
		torn := append([]byte(nil), data[:last+64]...)
		clear(torn[cut:])
		found, err := scanSegment(torn, 0)
		if err != nil || found.frames != 2 || found.end != whole {
			t.Fatalf("cut at %d: %+v, %v", cut, found, err)
		}
		torn = append([]byte(nil), data[:last+64]...)
		torn[cut] ^= 0xff // any single byte of the last frame
		if found, err := scanSegment(torn, 0); err != nil || found.frames != 2 {
			t.Fatalf("changed at %d: %+v, %v", cut, found, err)
		}
	}
}

func TestDamageInTheMiddleCostsOneRecord(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, JournalOptions{Dir: dir})
	appendN(t, j, 0, 1)
	hit := j.cur.end + frameHeader + 5
	appendN(t, j, 1, 2)
	path := j.cur.path
	crash(j)
	data, _ := os.ReadFile(path)
	data[hit] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	j = openTestJournal(t, JournalOptions{Dir: dir})
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(sink.ids); got != "[r0 r2]" {
		t.Error(got)
	}
	if s := j.Stats(); s.Damaged != 1 || s.Lag != 0 {
		t.Errorf("%+v", s)
	}
}

func TestFilesThatAreNoSegments(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"0000000000000001.journal": make([]byte, 4096),         // made, header not written
		"0000000000000002.journal": {},                         // the same, earlier
		"0000000000000003.journal": []byte("something else!!"), // not ours
		"notes.txt":                []byte("x"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := openTestJournal(t, JournalOptions{Dir: dir})
	if j.Lag() != 0 || j.cur.seq != 4 {
		t.Errorf("lag %d, new segment %d", j.Lag(), j.cur.seq)
	}
	if _, err := os.Stat(filepath.Join(dir, "0000000000000003.damaged")); err != nil {
		t.Error(err)
	}
}

func TestSecondProcessIsToldWho(t *testing.T) {
	dir := t.TempDir()
	openTestJournal(t, JournalOptions{Dir: dir})
	_, err := OpenJournal(JournalOptions{Dir: dir, Log: quiet()})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Holder != fmt.Sprint(os.Getpid()) || !strings.Contains(err.Error(), "another Point") {
		t.Errorf("%v", err)
	}
}

func TestFullJournal(t *testing.T) {
	fillUp := func(t *testing.T, j *Journal) (kept int, err error) {
		t.Helper()
		for range 100_000 {
			r := realRecord(fmt.Sprint("r", kept))
			if err = j.Append(&r); err != nil || j.Stats().Dropped > 0 {
				return kept, err
			}
			kept++
		}
		t.Fatal("never full")
		return 0, nil
	}
	t.Run("strict", func(t *testing.T) {
		alerts := &raised{}
		j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, MaxBytes: 256 << 10, Alerts: alerts})
		kept, err := fillUp(t, j)
		var e *point.Error
		if !errors.As(err, &e) || e.Code != point.RecordingUnavailable || !errors.Is(err, errFull) {
			t.Fatalf("%v", err)
		}
		if j.Available() == nil {
			t.Error("a full journal says that it is available")
		}
		if alerts.count(AlertJournalFull) == 0 {
			t.Error("no alert")
		}
		sink := &memorySink{}
		if err := drainOnce(j, sink); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, sink.ids, 0, kept)
		waitForSpare(j)
		appendN(t, j, kept, 10)
	})
	t.Run("count", func(t *testing.T) {
		alerts := &raised{}
		j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, MaxBytes: 256 << 10, Full: FullCount, Alerts: alerts})
		if _, err := fillUp(t, j); err != nil || j.Available() != nil {
			t.Errorf("%v", err)
		}
		if s := j.Stats(); s.Dropped != 1 || alerts.count(AlertJournalDropping) != 1 {
			t.Errorf("%+v", s)
		}
		var degraded *DegradedError
		if err := j.Check(t.Context()); !errors.As(err, &degraded) {
			t.Errorf("a journal that drops records is %v", err)
		}
	})
}

// waitForSpare waits until the keeper has made the next segment.
func waitForSpare(j *Journal) {
	for {
		j.mu.Lock()
		made, outcome := j.spare != nil, j.outcome
		j.mu.Unlock()
		if made {
			return
		}
		<-outcome
	}
}

func TestFullDiskRecoversWithoutRestart(t *testing.T) {
	j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10})
	var full sync.Mutex // held: the disk is full
	create := j.create
	j.create = func(dir string, seq uint64, size int64, sync bool) (*segment, error) {
		if !full.TryLock() {
			return nil, errors.New("no space left on device")
		}
		defer full.Unlock()
		return create(dir, seq, size, sync)
	}
	full.Lock()
	kept := 0
	for ; kept < 100_000; kept++ {
		r := realRecord(fmt.Sprint("r", kept))
		if err := j.Append(&r); err != nil {
			break
		}
	}
	full.Unlock()
	waitForSpare(j)
	appendN(t, j, kept, 100)
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, sink.ids, 0, kept+100)
}

// TestFullDiskIsCounted: with FullCount requests go on, what has no room is counted, and the
// rest is stored.
func TestFullDiskIsCounted(t *testing.T) {
	alerts := &raised{}
	j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, Full: FullCount, Alerts: alerts})
	var full atomic.Bool
	create := j.create
	j.create = func(dir string, seq uint64, size int64, sync bool) (*segment, error) {
		if full.Load() {
			return nil, errors.New("no space left on device")
		}
		return create(dir, seq, size, sync)
	}
	full.Store(true)
	const n = 1000 // more than one segment takes
	appendN(t, j, 0, n)
	dropped := j.Stats().Dropped
	if dropped == 0 || alerts.count(AlertJournalDropping) != int(dropped) {
		t.Errorf("%d dropped, %d alerts", dropped, alerts.count(AlertJournalDropping))
	}
	full.Store(false)
	waitForSpare(j)
	appendN(t, j, n, n)
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	if got := j.Stats().Dropped; got != dropped || len(sink.distinct()) != 2*n-int(dropped) {
		t.Errorf("%d dropped, then %d; %d of %d stored", dropped, got, len(sink.distinct()), 2*n)
	}
}

func TestSinkThatFailsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alerts := &raised{}
		j := openTestJournal(t, JournalOptions{Alerts: alerts})
		ctx, cancel := context.WithCancel(t.Context())
		sink := &memorySink{err: errors.New("connection refused")}
		var run sync.WaitGroup
		run.Go(func() { _ = j.Run(ctx, sink, 0) })
		appendN(t, j, 0, 700)
		<-time.After(time.Minute)
		if j.Lag() != 700 || alerts.count(AlertJournalBehind) != 1 {
			t.Errorf("lag %d, %d alerts", j.Lag(), alerts.count(AlertJournalBehind))
		}
		sink.fail(nil)
		start := time.Now()
		if err := j.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > backoffMax {
			t.Errorf("%v until the database was tried again", took)
		}
		wantIDs(t, sink.ids, 0, 700)
		appendN(t, j, 700, 50)
		cancel()
		run.Wait()
		wantIDs(t, sink.ids, 0, 750)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLastDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openTestJournal(t, JournalOptions{})
		appendN(t, j, 0, 10)
		start := time.Now()
		if err := drainOnce(j, &memorySink{err: errors.New("down")}); err == nil {
			t.Error("no error though nothing was stored")
		}
		if took := time.Since(start); took > lastDrain+time.Second {
			t.Errorf("took %v", took)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOneBadRecordDoesNotHoldUpTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := openTestJournal(t, JournalOptions{Dir: dir})
		ctx, cancel := context.WithCancel(t.Context())
		sink := &memorySink{refuse: func(id string) bool { return id == "r123" }}
		var run sync.WaitGroup
		run.Go(func() { _ = j.Run(ctx, sink, 0) })
		appendN(t, j, 0, 300)
		if err := j.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		run.Wait()
		if got := len(sink.distinct()); got != 299 {
			t.Errorf("%d records stored, want 299", got)
		}
		line, err := os.ReadFile(filepath.Join(dir, "rejected.jsonl"))
		if err != nil || strings.Count(string(line), "\n") != 1 || !strings.Contains(string(line), "r123") {
			t.Errorf("%s, %v", line, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestFsyncGroups(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, JournalOptions{Dir: dir, SegmentBytes: 64 << 10, Durability: DurabilityFsync})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 20 {
				r := realRecord(fmt.Sprintf("%d-%d", i, n))
				if err := j.Append(&r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil || len(sink.distinct()) != 320 {
		t.Errorf("%d records, %v", len(sink.distinct()), err)
	}
}

// TestPanicOfAHelperEndsNothing: appends wait for the loops that make files and sync them, so
// these go on after a panic, and who waited is told.
func TestPanicOfAHelperEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10, Durability: DurabilityFsync})
		var creates, syncs atomic.Int32
		create, sync := j.create, j.sync
		j.create = func(dir string, seq uint64, size int64, durable bool) (*segment, error) {
			if creates.Add(1) == 1 {
				panic("create")
			}
			return create(dir, seq, size, durable)
		}
		j.sync = func(f *os.File) error {
			if syncs.Add(1) == 3 {
				panic("sync")
			}
			return sync(f)
		}
		kept := 0
		for i := range 1000 {
			r := realRecord(fmt.Sprint("r", i))
			if err := j.Append(&r); err == nil {
				kept++
			}
		}
		if kept < 990 || creates.Load() < 2 {
			t.Errorf("%d of 1000 records were kept, %d segments", kept, creates.Load())
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAppendAfterClose(t *testing.T) {
	j := openTestJournal(t, JournalOptions{})
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	r := realRecord("late")
	if err := j.Append(&r); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestAppendAndDrainTogether(t *testing.T) {
	j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10})
	ctx, cancel := context.WithCancel(t.Context())
	sink := &memorySink{}
	var run sync.WaitGroup
	run.Go(func() { _ = j.Run(ctx, sink, time.Millisecond) })
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() { appendN(t, j, i*2000, 2000) })
	}
	writers.Wait()
	cancel()
	run.Wait()
	if got := len(sink.distinct()); got != 8000 || len(sink.ids) != 8000 {
		t.Errorf("%d ids of %d records, want 8000", got, len(sink.ids))
	}
}
