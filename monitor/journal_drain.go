package monitor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"point"
	"point/internal/plural"
)

const (
	lastDrain   = 10 * time.Second // bound of the drain after Run's context has ended
	sinkTimeout = 30 * time.Second // bound of one InsertRecords
	backoffMin  = 100 * time.Millisecond
	backoffMax  = 5 * time.Second
	markEvery   = time.Second // of a long drain
	siftAfter   = 3           // failures in a row after which single records are suspected
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
	d := &drain{Journal: j, sink: sink, buf: make([]byte, 4*(maxFrame+frameHeader)), list: make([]point.Record, 0, j.opt.BatchRecords)}
	defer d.closeFile()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	stuck := 0 // rounds in a row that failed
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDrain)
			defer cancel()
			return d.all(last)
		case <-tick.C:
		case <-j.wantDrain:
		}
		err := d.all(ctx)
		if err == nil || ctx.Err() != nil {
			stuck = 0
			continue
		}
		if stuck++; stuck == 1 {
			j.opt.Log.Error("journal: draining failed and is tried again", "error", err)
		}
		pause(ctx, backoff(stuck))
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
	sink  RecordSink
	file  *os.File // of segment read.seq, nil: not open
	buf   []byte
	list  []point.Record // of the last batch, used again
	fail  int            // failures of the sink in a row
	next  position       // behind the batch that is being delivered
	look  position       // where witnesses are looked for, at or behind next
	ahead []point.Record // witnesses that were not offered yet

	marked   position // last written down
	markedAt time.Time
}

// all drains until nothing is left or ctx ends.
func (d *drain) all(ctx context.Context) error {
	defer d.mark()
	for ctx.Err() == nil {
		seg, end, live := d.here()
		switch {
		case d.read.off < end:
			if err := d.batch(ctx, seg, end); err != nil {
				return err
			}
			if d.opt.Now().Sub(d.markedAt) > markEvery {
				d.mark()
			}
		case live:
			return nil
		default:
			d.mark()
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
	if d.file == nil {
		f, err := os.Open(seg.path)
		if errors.Is(err, fs.ErrNotExist) {
			d.read.off = end // finish counts what is lost
			return nil
		}
		if err != nil {
			return fmt.Errorf("open journal segment: %w", err)
		}
		d.file = f
	}
	c, err := d.load(d.file, d.read.off, end, d.list[:0])
	if err != nil {
		return err
	}
	d.next = position{seg.seq, c.next}
	d.look, d.ahead = d.next, nil
	if err := d.deliver(ctx, c.records); err != nil {
		return err
	}
	for _, r := range c.broken {
		if err := d.reject(r); err != nil {
			return err
		}
	}
	d.read = d.next
	seg.seen += c.frames
	d.advance(c.frames, c.records)
	return nil
}

// mark writes down how far the database has the records, so that the next process need not
// send them again. Sending some again does no harm, so it is not done for each batch.
func (d *drain) mark() {
	if d.read == d.marked {
		return
	}
	if err := writeCheckpoint(d.opt.Dir, d.read); err != nil {
		d.opt.Log.Warn("journal: after a crash some records will be sent to the database again", "error", err)
		return
	}
	d.marked, d.markedAt = d.read, d.opt.Now()
}

// chunk is what was read of a segment at once.
type chunk struct {
	records []point.Record
	broken  []rejection // frames that could not be decoded
	frames  int         // of both
	next    int64       // the offset behind them
}

// load decodes at most a batch of records from an offset on and appends them to list.
func (d *drain) load(file *os.File, from, end int64, list []point.Record) (chunk, error) {
	c := chunk{records: list, next: from}
	data := d.buf[:min(int64(len(d.buf)), end-from)]
	n, err := file.ReadAt(data, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("read journal segment: %w", err)
	}
	rest := data[:n]
	for len(c.records) < d.opt.BatchRecords {
		f := readFrame(rest)
		if f.size == 0 {
			break
		}
		rest = rest[f.size:]
		c.next += int64(f.size)
		if !f.whole {
			continue
		}
		c.frames++
		r, err := decodeRecord(f.payload)
		if err != nil {
			c.broken = append(c.broken, rejection{Reason: err.Error(), Payload: base64.StdEncoding.EncodeToString(f.payload)})
			continue
		}
		c.records = append(c.records, r)
	}
	if c.next == from { // a length that cannot be
		c.next = behindDamage(data[:n], from, end)
	}
	return c, nil
}

// behindDamage is where to read on when no frame begins at from; data is what was read there.
func behindDamage(data []byte, from, end int64) int64 {
	if n := resync(data); n > 0 {
		return from + int64(n)
	}
	if from+int64(len(data)) < end && len(data) > maxFrame+frameHeader {
		return from + int64(len(data)-maxFrame-frameHeader) // a frame may begin behind that and end beyond data
	}
	return end
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

// finish deletes a segment that is drained, or sets it aside if not all of it could be read.
func (d *drain) finish(seg *segment) error {
	d.closeFile()
	if lost := seg.frames - seg.seen; lost > 0 {
		seg.damaged = true
		d.damaged.Add(uint64(lost))
		d.opt.Log.Error("journal: records could not be read back", "file", seg.path, "records", lost)
		d.opt.Alerts.Raise(AlertJournalDamaged, "journal", fmt.Sprintf("%s of %s could not be read back", plural.Of(lost, "record", "records"), seg.path))
		d.advance(lost, nil)
	}
	remove := removeIfThere
	if seg.damaged {
		remove = setAside
	}
	if err := remove(seg.path); err != nil {
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

// deliver gives records to the sink until each of them is stored, or set aside, or ctx ends.
func (d *drain) deliver(ctx context.Context, records []point.Record) error {
	for len(records) > 0 {
		err := d.insert(ctx, records)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.fail++
		d.failed(err)
		if d.fail >= siftAfter {
			records = d.sift(ctx, records)
		}
		if len(records) > 0 {
			pause(ctx, backoff(d.fail))
		}
	}
	d.recovered()
	return nil
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
		d.opt.Alerts.Raise(AlertJournalBehind, "journal", fmt.Sprintf("%s: %v", plural.Of(d.Lag(), "record waits", "records wait"), err))
	}
}

func (d *drain) recovered() {
	if d.fail > 0 {
		d.opt.Log.Info("journal: the database takes records again", "failures", d.fail, "records", d.Lag())
	}
	d.fail = 0
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
