package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"point"
)

// Values of JournalOptions.Durability.
const (
	DurabilityProcess = "process" // survives the death of the process
	DurabilityFsync   = "fsync"   // survives a power loss: Append waits for the disk
)

// Values of JournalOptions.Full.
const (
	FullStrict = "strict" // Append fails with RecordingUnavailable, the request is refused
	FullCount  = "count"  // the record is dropped and counted, the request goes on
)

// JournalOptions configure a journal. Zero values are the defaults.
type JournalOptions struct {
	Dir          string        // its own folder, made if absent; no other process may use it
	SegmentBytes int64         // of one file; 4 MiB, at least 64 KiB
	MaxBytes     int64         // of all files together; 1 GiB, at least 4 segments
	Durability   string        // DurabilityProcess
	Full         string        // what happens when MaxBytes or the disk is full; FullStrict
	BatchRecords int           // records handed to the sink at once; 2000
	Interval     time.Duration // of Run, when it is given none; 250 ms
	Log          *slog.Logger  // slog.Default
	Alerts       point.Alerter // none
	Now          func() time.Time
}

// LockedError says that another process uses the journal's folder.
type LockedError struct {
	Dir    string
	Holder string // its process id, empty if unknown
}

func (e *LockedError) Error() string {
	who := "another Point"
	if e.Holder != "" {
		who += " (process " + e.Holder + ")"
	}
	return fmt.Sprintf("%s uses the data folder %s; stop it, or give this one a folder of its own with POINT_DATA_DIR", who, filepath.Dir(e.Dir))
}

// Journal keeps records on local disk until the database has them.
type Journal struct {
	opt  JournalOptions
	lock *os.File

	mu       sync.Mutex
	cur      *segment
	spare    *segment      // the next one, nil while the keeper makes it
	spareErr error         // why there is none
	starved  atomic.Bool   // spareErr is set; read without mu
	outcome  chan struct{} // closed when the keeper has made a spare or failed
	sealed   []*segment    // full ones that are not drained yet, oldest first
	bytes    int64         // of all segment files
	nextSeq  uint64
	oldest   time.Time  // at or before the oldest record that is not drained; zero: none
	group    *commit    // appends that wait for the next sync
	unsynced []*segment // sealed since the last sync
	stopped  bool

	appended atomic.Uint64 // recovered ones included
	drained  atomic.Uint64
	dropped  atomic.Uint64
	damaged  atomic.Uint64

	read     position      // of the drain; owned by Run
	running  atomic.Bool   // Run
	progress chan struct{} // closed and renewed when drained grows; guarded by mu

	wantSpare, wantSync, wantDrain chan struct{}

	create func(dir string, seq uint64, size int64, sync bool) (*segment, error) // createSegment
	sync   func(*os.File) error                                                  // syncFile

	stop context.CancelFunc
	done sync.WaitGroup
}

// OpenJournal takes the folder for this process, finds what an earlier one left, and is
// ready for Append. Close it after Run has returned.
func OpenJournal(opt JournalOptions) (*Journal, error) {
	opt.fill()
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make journal folder: %w", err)
	}
	lock, err := lockDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{
		opt: opt, lock: lock,
		outcome: make(chan struct{}), progress: make(chan struct{}), group: newCommit(),
		create: createSegment, sync: syncFile,
		wantSpare: make(chan struct{}, 1), wantSync: make(chan struct{}, 1), wantDrain: make(chan struct{}, 1),
	}
	if err := j.open(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	j.stop = cancel
	j.done.Go(func() { j.again(ctx, "the journal's keeper", j.keep) })
	if opt.Durability == DurabilityFsync {
		j.done.Go(func() { j.again(ctx, "the journal's sync", j.syncLoop) })
	}
	return j, nil
}

func (o *JournalOptions) fill() {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 4 << 20
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	o.SegmentBytes = max(min(o.SegmentBytes, o.MaxBytes/4), 64<<10)
	if o.BatchRecords <= 0 {
		o.BatchRecords = 2000
	}
	if o.Interval <= 0 {
		o.Interval = 250 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Alerts == nil {
		o.Alerts = noAlerts{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

type noAlerts struct{}

func (noAlerts) Raise(string, string, string) {}

func (j *Journal) open() error {
	if err := j.recover(); err != nil {
		return err
	}
	cur, err := j.create(j.opt.Dir, j.nextSeq, j.opt.SegmentBytes, j.opt.Durability == DurabilityFsync)
	if err != nil {
		return err
	}
	j.cur = cur
	j.nextSeq++
	j.bytes += cur.fileSize
	return nil
}

var framePool = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// Append keeps r. When it returns nil, the record survives the death of the process (with
// DurabilityFsync, of the machine) and will reach the database, unless Full is "count" and
// there was no room for it. The error is a *point.Error with RecordingUnavailable. Append
// keeps no reference to r.
func (j *Journal) Append(r *point.Record) error {
	buf := framePool.Get().(*[]byte)
	*buf = encodeFrame((*buf)[:0], r, j.frameLimit())
	group, err := j.write(*buf, r.Timestamp)
	framePool.Put(buf)
	if err == nil && group != nil {
		err = group.wait()
	}
	if err != nil {
		return j.refuse(err)
	}
	return nil
}

// Available tells before a request is served whether its record could be kept: the error
// that Append would give, as far as it is known.
func (j *Journal) Available() error {
	if j.opt.Full == FullCount {
		return nil
	}
	if err := j.full(); err != nil {
		return unavailable(err)
	}
	return nil
}

// full is why the next record would find no room, as far as it is known.
func (j *Journal) full() error {
	if !j.starved.Load() { // the usual case takes no lock
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.spareErr != nil && j.spare == nil && !j.cur.fits(frameHeader+4096) {
		return j.spareErr
	}
	return nil
}

func unavailable(cause error) *point.Error {
	return &point.Error{
		Code:       point.RecordingUnavailable,
		Message:    "Point cannot record requests now, so it does not serve them: its disk or journal is full. Try again in a moment.",
		RetryAfter: 5 * time.Second,
		Cause:      cause,
	}
}

// refuse counts a record that could not be kept, and answers as Full says.
func (j *Journal) refuse(err error) error {
	j.dropped.Add(1)
	if j.opt.Full == FullCount {
		j.opt.Alerts.Raise(AlertJournalDropping, "journal", err.Error())
		return nil
	}
	j.opt.Alerts.Raise(AlertJournalFull, "journal", err.Error())
	return unavailable(err)
}

func (j *Journal) frameLimit() int {
	return int(min(maxFrame, j.opt.SegmentBytes-segmentHeader-frameHeader))
}

// encodeFrame appends the frame of r to b, which is empty. A record beyond limit loses its
// bodies, then its envelopes and the ends of its messages.
func encodeFrame(b []byte, r *point.Record, limit int) []byte {
	b = appendRecord(append(b, make([]byte, frameHeader)...), r)
	if len(b)-frameHeader > limit && r.Bodies != nil {
		bare := *r
		bare.Bodies = &point.Bodies{RequestSize: r.Bodies.RequestSize, ResponseSize: r.Bodies.ResponseSize}
		b = appendRecord(b[:frameHeader], &bare)
	}
	if len(b)-frameHeader > limit {
		b = appendRecord(b[:frameHeader], slim(r))
	}
	sealFrame(b)
	return b
}

// slim is r with everything of unbounded size left out or cut.
func slim(r *point.Record) *point.Record {
	s := *r
	cut := func(text *string) { *text = (*text)[:min(len(*text), 512)] }
	for _, text := range []*string{&s.ID, &s.ClientRequestID, &s.Endpoint, &s.ProviderID, &s.Model, &s.UpstreamModel, &s.KeyID, &s.ErrorMessage, &s.Route.Rule, &s.Route.Reason} {
		cut(text)
	}
	s.Request, s.Response, s.Bodies, s.Route.Skipped = nil, nil, nil, nil
	s.Attempts = append([]point.Attempt(nil), s.Attempts[:min(len(s.Attempts), 16)]...)
	for i := range s.Attempts {
		a := &s.Attempts[i]
		cut(&a.ProviderID)
		cut(&a.Provider)
		cut(&a.Model)
		cut(&a.Message)
	}
	return &s
}

// Lag is how many records are not in the database yet.
func (j *Journal) Lag() int64 { return int64(j.appended.Load() - j.drained.Load()) }

// Oldest is the age of the oldest record that is not in the database yet, 0 if there is none.
// It may be up to one batch too high.
func (j *Journal) Oldest() time.Duration {
	j.mu.Lock()
	oldest := j.oldest
	j.mu.Unlock()
	if oldest.IsZero() {
		return 0
	}
	return max(0, j.opt.Now().Sub(oldest))
}

// JournalStats are the journal's figures.
type JournalStats struct {
	Lag      int64         // records not in the database yet
	Oldest   time.Duration // age of the oldest of them
	Bytes    int64         // on disk
	MaxBytes int64
	Appended uint64 // records kept, those found at the start included
	Drained  uint64 // records handed to the database
	Dropped  uint64 // records that had no room
	Damaged  uint64 // records that could not be read back or that the database never took
}

// Stats reads the figures.
func (j *Journal) Stats() JournalStats {
	s := JournalStats{
		Lag: j.Lag(), Oldest: j.Oldest(), MaxBytes: j.opt.MaxBytes,
		Appended: j.appended.Load(), Drained: j.drained.Load(), Dropped: j.dropped.Load(), Damaged: j.damaged.Load(),
	}
	j.mu.Lock()
	s.Bytes = j.bytes
	j.mu.Unlock()
	return s
}

// Close ends the journal: appends after it fail. What is not drained stays on disk for the
// next process. It may be called more than once.
func (j *Journal) Close() error {
	j.mu.Lock()
	already := j.stopped
	j.stopped = true
	j.mu.Unlock()
	if already {
		return nil
	}
	j.stop()
	j.done.Wait()
	return errors.Join(j.closeSegments(), j.lock.Close())
}
