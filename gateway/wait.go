package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// patience ends an attempt whose provider makes it wait too long. It measures the waits alone:
// while nobody reads, since the client is slow, no time runs. There is one timer; a read costs
// no more than two notes of the time, and the timer, when it goes off, looks at them and sets
// itself anew if all is well.
type patience struct {
	started time.Time
	limits  [3]time.Duration // by phase
	phase   atomic.Int32
	since   atomic.Int64 // when the present wait began, in ns after started; resting: there is none
	timer   *time.Timer
}

// The phases of an attempt. Each read is a wait of its own while the answer flows; before its
// first bytes, and when all is said, the reads make up one.
const (
	awaiting = iota // until the first bytes of the answer
	flowing         // until its last event
	ending          // until the connection is done with
)

// resting means that nobody waits for the provider.
const resting = -1

// The causes with which an attempt's context is cancelled.
var (
	errFirstByte = errors.New("no first byte in time")
	errIdle      = errors.New("no data in time")
	errClosed    = errors.New("answer closed")
)

var lateBy = [3]error{awaiting: errFirstByte, flowing: errIdle, ending: errClosed}

// endLimit is how long a finished stream may take to end, so that its connection can be used
// again; after it the connection is closed.
const endLimit = 50 * time.Millisecond

// wait begins the attempt's first wait.
func (a *attempt) wait() {
	a.started = time.Now()
	a.limits = [3]time.Duration{a.firstByteLimit(), a.idleLimit(), endLimit}
	a.timer = time.AfterFunc(a.call.Left(a.started, a.limits[awaiting]), a.ring)
}

// Read reads the answer.
func (a *attempt) Read(p []byte) (int, error) {
	phase := a.phase.Load()
	if phase == flowing {
		a.since.Store(int64(time.Since(a.started)))
	}
	n, err := a.body.Read(p)
	switch {
	case phase == flowing:
		a.since.Store(resting)
	case phase == awaiting && n > 0:
		a.since.Store(resting)
		a.phase.Store(flowing)
		if idle := a.limits[flowing]; idle < a.limits[awaiting] && err == nil {
			a.timer.Reset(a.call.Left(time.Now(), idle))
		}
	}
	return n, err
}

// end begins the wait for the end of an answer that has said all.
func (a *attempt) end() {
	a.since.Store(int64(time.Since(a.started)))
	a.phase.Store(ending)
	a.timer.Reset(endLimit)
}

// stop ends the attempt, and what its provider still sends.
func (a *attempt) stop() {
	a.cancel(errClosed)
	a.timer.Stop()
}

// ring is called by the timer.
func (a *attempt) ring() {
	now, phase := time.Now(), a.phase.Load()
	if a.call.Expired(now) {
		a.cancel(context.DeadlineExceeded)
		return
	}
	left := a.limits[phase]
	if since := a.since.Load(); since != resting {
		left -= now.Sub(a.started) - time.Duration(since)
	}
	if left <= 0 {
		a.cancel(lateBy[phase])
		return
	}
	a.timer.Reset(a.call.Left(now, left))
	if a.ctx.Err() != nil { // stop came between
		a.timer.Stop()
	}
}
