package monitor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"point"
)

const (
	lastDrain   = 10 * time.Second // bound of the drain after Run's context has ended
	sinkTimeout = 30 * time.Second // bound of one InsertRecords
	backoffMin  = 100 * time.Millisecond
	backoffMax  = 5 * time.Second
	siftAfter   = 3 // failures in a row after which single records are suspected
)

// RecordSink is where drained records go: the store. InsertRecords stores all of them or
// none, and ignores ids that it has. It keeps no reference to records.
type RecordSink interface {
	InsertRecords(ctx context.Context, records []point.Record) error
}

// Run hands records to sink every interval (0: the option's) until ctx ends, then once more
// for at most 10 s. A sink that fails is tried again with growing pauses; nothing is lost
// meanwhile. Run blocks; only one may run at a time.
func (j *Journal) Run(ctx context.Context, sink RecordSink, interval time.Duration) error {
	if !j.running.CompareAndSwap(false, true) {
		return errors.New("the journal is drained already")
	}
	defer j.running.Store(false)
	if interval <= 0 {
		interval = j.opt.Interval
	}
	d := &drain{Journal: j, sink: sink, buf: make([]byte, 2*(maxFrame+frameHeader)), list: make([]point.Record, 0, j.opt.BatchRecords)}
	defer d.closeFile()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDrain)
			defer cancel()
			return d.all(last)
		case <-tick.C:
		case <-j.wantDrain:
		}
		if err := d.all(ctx); err != nil && ctx.Err() == nil {
			j.opt.Log.Error("journal: draining failed", "error", err)
		}
	}
}

// Flush asks Run to drain now and waits until everything appended before is in the database.
func (j *Journal) Flush(ctx context.Context) error {
	goal := j.appended.Load()
	for {
		j.mu.Lock()
		progress := j.progress
		j.mu.Unlock()
		if j.drained.Load() >= goal {
			return nil
		}
		poke(j.wantDrain)
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain is what one Run works with.
type drain struct {
	*Journal
	sink RecordSink
	file *os.File // of segment read.seq, nil: not open
	buf  []byte
	list []point.Record // of the last batch, used again
	fail int            // failures of the sink in a row
}

// all drains until nothing is left or ctx ends.
func (d *drain) all(ctx context.Context) error {
	for ctx.Err() == nil {
		seg, end, live := d.here()
		switch {
		case d.read.off < end:
			if err := d.batch(ctx, seg, end); err != nil {
				return err
			}
		case live:
			return nil
		default:
			if err := d.finish(seg); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// here is the segment to read next, how far it may be read, and whether it still grows.
func (d *drain) here() (seg *segment, end int64, live bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seg, live = d.cur, true
	if len(d.sealed) > 0 {
		seg, live = d.sealed[0], false
	}
	if seg.seq != d.read.seq {
		d.closeFile()
		d.read = position{seq: seg.seq}
	}
	d.read.off = max(d.read.off, segmentHeader)
	return seg, seg.end, live
}

// batch hands one batch to the sink and moves on behind it.
func (d *drain) batch(ctx context.Context, seg *segment, end int64) error {
	records, frames, next, err := d.load(seg, end)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		if err := d.deliver(ctx, records); err != nil {
			return err
		}
	}
	d.read.off = next
	seg.seen += frames
	d.advance(frames, records)
	if err := writeCheckpoint(d.opt.Dir, d.read); err != nil {
		d.opt.Log.Warn("journal: after a crash some records will be sent to the database again", "error", err)
	}
	return nil
}

// load decodes at most a batch of records from the read position on. frames counts them with
// those that could not be decoded; next is the position behind them.
func (d *drain) load(seg *segment, end int64) (records []point.Record, frames int, next int64, err error) {
	data, err := d.readable(seg, end)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, end, nil
	}
	if err != nil {
		return nil, 0, 0, err
	}
	next = d.read.off
	records = d.list[:0]
	for len(records) < d.opt.BatchRecords {
		f := readFrame(data)
		if f.size == 0 {
			break
		}
		data = data[f.size:]
		next += int64(f.size)
		if !f.whole {
			continue
		}
		frames++
		r, err := decodeRecord(f.payload)
		if err != nil {
			d.reject(rejection{Reason: err.Error(), Payload: base64.StdEncoding.EncodeToString(f.payload)})
			continue
		}
		records = append(records, r)
	}
	if next == d.read.off { // a length that cannot be: the rest cannot be read
		next = end
	}
	return records, frames, next, nil
}

// readable reads what may be read of seg, as far as the buffer goes.
func (d *drain) readable(seg *segment, end int64) ([]byte, error) {
	if d.file == nil {
		f, err := os.Open(seg.path)
		if err != nil {
			return nil, fmt.Errorf("open journal segment: %w", err)
		}
		d.file = f
	}
	data := d.buf[:min(int64(len(d.buf)), end-d.read.off)]
	n, err := d.file.ReadAt(data, d.read.off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read journal segment: %w", err)
	}
	return data[:n], nil
}

func (d *drain) closeFile() {
	if d.file != nil {
		_ = d.file.Close()
		d.file = nil
	}
}

// advance counts frames as stored.
func (d *drain) advance(frames int, records []point.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drained.Add(uint64(frames))
	switch {
	case d.Lag() == 0:
		d.oldest = time.Time{}
	case len(records) > 0:
		d.oldest = records[len(records)-1].Timestamp
	}
	close(d.progress)
	d.progress = make(chan struct{})
}

// finish deletes a segment that is drained.
func (d *drain) finish(seg *segment) error {
	d.closeFile()
	if lost := seg.frames - seg.seen; lost > 0 {
		d.damaged.Add(uint64(lost))
		d.opt.Log.Error("journal: records could not be read back", "file", seg.path, "records", lost)
		d.opt.Alerts.Raise(AlertJournalDamaged, "journal", fmt.Sprintf("%d records of %s could not be read back", lost, seg.path))
		d.advance(lost, nil)
	}
	if err := removeIfThere(seg.path); err != nil {
		return fmt.Errorf("delete drained journal segment: %w", err)
	}
	d.mu.Lock()
	d.sealed = slices.DeleteFunc(d.sealed, func(s *segment) bool { return s == seg })
	d.bytes -= seg.fileSize
	short := d.spareErr != nil
	d.mu.Unlock()
	if short {
		poke(d.wantSpare)
	}
	return nil
}

// deliver gives records to the sink until it takes them or ctx ends.
func (d *drain) deliver(ctx context.Context, records []point.Record) error {
	for {
		err := d.insert(ctx, records)
		if err == nil {
			d.recovered()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.fail++
		d.failed(err)
		if d.fail >= siftAfter && d.sift(ctx, records) {
			d.recovered()
			return nil
		}
		pause(ctx, backoff(d.fail))
	}
}

func (d *drain) insert(ctx context.Context, records []point.Record) error {
	ctx, cancel := context.WithTimeout(ctx, sinkTimeout)
	defer cancel()
	return d.sink.InsertRecords(ctx, records)
}

func (d *drain) failed(err error) {
	if d.fail == 1 {
		d.opt.Log.Warn("journal: the database does not take records, they wait on disk", "error", err, "records", d.Lag())
	}
	if d.fail == siftAfter {
		d.opt.Alerts.Raise(AlertJournalBehind, "journal", fmt.Sprintf("%d records wait: %v", d.Lag(), err))
	}
}

func (d *drain) recovered() {
	if d.fail > 0 {
		d.opt.Log.Info("journal: the database takes records again", "failures", d.fail, "records", d.Lag())
	}
	d.fail = 0
}

// sift looks for records that the sink will never take while it takes others: one of them
// must not hold up the rest for ever. It reports whether every record is now stored or set
// aside; false means that the sink takes nothing.
func (d *drain) sift(ctx context.Context, records []point.Record) bool {
	part := records
	for len(part) > 1 {
		half := len(part) / 2
		if rand.IntN(2) == 0 {
			part = part[:half]
		} else {
			part = part[half:]
		}
		if d.insert(ctx, part) == nil {
			return d.split(ctx, records, part)
		}
	}
	return false
}

// split stores what the sink takes of records and sets aside the single ones that it does
// not, each time only after it has taken good, which it took before, once more.
func (d *drain) split(ctx context.Context, records, good []point.Record) bool {
	err := d.insert(ctx, records)
	if err == nil {
		return true
	}
	if len(records) > 1 {
		half := len(records) / 2
		return d.split(ctx, records[:half], good) && d.split(ctx, records[half:], good)
	}
	if d.insert(ctx, good) != nil {
		return false
	}
	d.reject(rejection{Reason: err.Error(), Record: &records[0]})
	return true
}

// rejection is a line of rejected.jsonl.
type rejection struct {
	Reason  string        `json:"reason"`
	Record  *point.Record `json:"record,omitempty"`
	Payload string        `json:"payload,omitempty"` // base64, of a record that could not be decoded
}

// reject keeps a record that cannot be stored in a file of its own, for people.
func (d *drain) reject(r rejection) {
	d.damaged.Add(1)
	path := filepath.Join(d.opt.Dir, "rejected.jsonl")
	d.opt.Alerts.Raise(AlertJournalDamaged, "journal", "a record was set aside in "+path+": "+r.Reason)
	if err := appendLine(path, r); err != nil {
		d.opt.Log.Error("journal: a record could not be set aside", "error", err)
	}
}

func appendLine(path string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// backoff is the pause after the n-th failure in a row, the second half of it random.
func backoff(n int) time.Duration {
	d := min(backoffMin<<min(n-1, 10), backoffMax)
	return d/2 + rand.N(d/2)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
