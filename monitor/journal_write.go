package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"point"
	"point/internal/panics"
)

const (
	spareWait  = 2 * time.Second        // how long an append waits for a segment to be made
	spareRetry = 250 * time.Millisecond // pause of the keeper after it failed
)

var (
	errClosed   = errors.New("the journal is closed")
	errFull     = errors.New("the journal has reached its limit")
	errNoSync   = errors.New("the journal was not put on the disk")
	errSlowDisk = errors.New("the disk did not give the journal a new file in time")
)

// write copies frame into the current segment. The commit is nil unless the caller has to
// wait for the disk.
func (j *Journal) write(frame []byte, at time.Time) (*commit, error) {
	j.mu.Lock()
	err := j.room(len(frame))
	if err == nil {
		err = j.cur.put(frame)
	}
	if err != nil {
		j.mu.Unlock()
		return nil, err
	}
	j.appended.Add(1)
	if j.oldest.IsZero() {
		j.oldest = at
	}
	var group *commit
	if j.opt.Durability == DurabilityFsync {
		group = j.group
	}
	ahead := j.spare == nil && j.cur.end > j.cur.size/2
	j.mu.Unlock()

	if ahead {
		poke(j.wantSpare)
	}
	if group != nil {
		poke(j.wantSync)
	}
	return group, nil
}

// room makes the current segment one that has n bytes left. It is called with mu held and
// may let go of it while it waits.
func (j *Journal) room(n int) error {
	for {
		switch {
		case j.stopped:
			return errClosed
		case j.cur.fits(n):
			return nil
		case j.spare != nil:
			j.rotate()
		case j.spareErr != nil:
			return j.spareErr
		default:
			if err := j.waitForSpare(); err != nil {
				return err
			}
		}
	}
}

// rotate makes the spare the current segment. It is called with mu held.
func (j *Journal) rotate() {
	j.sealed = append(j.sealed, j.cur)
	j.unsynced = append(j.unsynced, j.cur)
	j.cur, j.spare = j.spare, nil
}

// waitForSpare lets go of mu until the keeper has an outcome.
func (j *Journal) waitForSpare() error {
	outcome := j.outcome
	j.mu.Unlock()
	defer j.mu.Lock()
	poke(j.wantSpare)
	patience := time.NewTimer(spareWait)
	defer patience.Stop()
	select {
	case <-outcome:
		return nil
	case <-patience.C:
		return errSlowDisk
	}
}

// again runs a loop until ctx ends, anew after a panic: every append depends on it, and what
// it works on is as whole as after an error.
func (j *Journal) again(ctx context.Context, part string, loop func(context.Context)) {
	for ctx.Err() == nil {
		if err := j.once(ctx, part, loop); err != nil {
			pause(ctx, spareRetry)
		}
	}
}

func (j *Journal) once(ctx context.Context, part string, loop func(context.Context)) (err error) {
	defer panics.Catch(j.opt.Log, part, &err)
	loop(ctx)
	return nil
}

// keep makes the next segment ahead of need and closes full ones, so that no append does.
func (j *Journal) keep(ctx context.Context) {
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.wantSpare:
		case <-retry.C:
		}
		if j.opt.Durability != DurabilityFsync {
			j.retireSealed()
		}
		if err := j.prepare(); err != nil {
			retry.Reset(spareRetry)
		}
	}
}

// prepare makes a spare if there is none.
func (j *Journal) prepare() error {
	j.mu.Lock()
	if j.spare != nil {
		j.mu.Unlock()
		return nil
	}
	seq, full := j.nextSeq, j.bytes+j.opt.SegmentBytes > j.opt.MaxBytes
	half := j.bytes > j.opt.MaxBytes/2
	j.mu.Unlock()
	if half {
		poke(j.wantDrain) // whatever Run's interval is
	}

	var made *segment
	var err error
	if full {
		err = fmt.Errorf("%w of %d bytes: the database does not take its records", errFull, j.opt.MaxBytes)
	} else {
		made, err = j.create(j.opt.Dir, seq, j.opt.SegmentBytes, j.opt.Durability == DurabilityFsync)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spareErr = err
	j.starved.Store(err != nil)
	if made != nil {
		j.spare = made
		j.bytes += made.fileSize
		j.nextSeq++
	}
	close(j.outcome)
	j.outcome = make(chan struct{})
	return err
}

// retireSealed closes the segments that nobody writes to any more.
func (j *Journal) retireSealed() {
	j.mu.Lock()
	done := j.unsynced
	j.unsynced = nil
	j.mu.Unlock()
	for _, s := range done {
		s.retire()
	}
}

// commit is a group of appends that one sync makes durable.
type commit struct {
	done chan struct{}
	err  error // valid when done is closed
}

func newCommit() *commit { return &commit{done: make(chan struct{})} }

func (c *commit) wait() error {
	<-c.done
	return c.err
}

// syncLoop puts appends on the disk, all that came while the last sync ran with one more.
func (j *Journal) syncLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			j.syncGroup()
			return
		case <-j.wantSync:
			j.syncGroup()
		}
	}
}

func (j *Journal) syncGroup() {
	j.mu.Lock()
	group := j.group
	j.group = newCommit()
	full, cur := j.unsynced, j.cur
	j.unsynced = nil
	j.mu.Unlock()

	group.err = errNoSync // unless it comes to an end
	defer close(group.done)
	var err error
	for _, s := range full {
		err = errors.Join(err, j.sync(s.file))
		s.retire()
	}
	err = errors.Join(err, j.sync(cur.file))
	if err != nil {
		err = fmt.Errorf("sync journal: %w", err)
		j.abandon(cur)
	}
	group.err = err
}

// abandon lets nothing more be written to a segment whose sync failed: what the disk has of
// it is unknown from then on.
func (j *Journal) abandon(s *segment) {
	j.mu.Lock()
	s.size = s.end
	j.mu.Unlock()
}

// closeSegments ends the files at Close; empty ones are removed.
func (j *Journal) closeSegments() error {
	j.retireSealed()
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.outcome) // for appends that wait for a spare
	if j.spare != nil {
		j.spare.retire()
		_ = os.Remove(j.spare.path)
		j.spare = nil
	}
	empty := j.cur.end == segmentHeader || j.Lag() == 0
	j.cur.retire()
	if empty {
		return removeIfThere(j.cur.path)
	}
	return os.Truncate(j.cur.path, j.cur.end)
}

// poke wakes the loop that reads from c, if it is not awake already.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

var _ interface {
	Append(*point.Record) error
} = (*Journal)(nil)
