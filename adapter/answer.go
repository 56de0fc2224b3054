package adapter

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"point"
	"point/adapter/dialect"
)

const (
	writeLimit   = 60 * time.Second // a client that takes nothing for so long is given up
	writeRenewal = 10 * time.Second // how stale the write deadline may become
	sendBuffer   = 4 << 10          // no socket has less
	writePiece   = 64 << 10         // of a long answer that is held, under one deadline
)

// answer is the client's end: it writes blocks, and pings while a stream is silent. Pings
// come from a timer of their own, so writes are under a lock.
type answer struct {
	w  http.ResponseWriter
	id string
	in dialect.Dialect
	by dialect.Ender // of the reply, if it words its own end

	committed bool // status and headers are decided by a reply or an error

	mu       sync.Mutex
	silence  time.Duration
	pings    *time.Timer
	stopped  bool
	sentPing bool // a ping has sent status 200 and the headers known by then
	broken   bool // the client cannot be written to
	deadline time.Time
}

// startPings arms the timer of a stream.
func (a *answer) startPings(silence time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silence = silence
	a.pings = time.AfterFunc(silence, a.ping)
}

// stopPings ends them; no ping is written after it returns.
func (a *answer) stopPings() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	if a.pings != nil {
		a.pings.Stop()
	}
}

// pinged reports whether a ping has committed the answer to be a stream.
func (a *answer) pinged() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sentPing
}

// ping keeps a silent stream open. It runs in a goroutine of its own, where a panic of the
// writer would end the process: then the client counts as gone.
func (a *answer) ping() {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() {
		if recover() != nil {
			a.broken = true
		}
	}()
	if a.stopped || a.broken {
		return
	}
	if !a.committed && !a.sentPing {
		setID(a.w.Header(), a.in, a.id)
		a.streamHeaders()
		a.w.WriteHeader(http.StatusOK)
	}
	a.sentPing = true
	a.put(a.in.Ping(), true)
	a.pings.Reset(a.silence)
}

// commit sends the status and the headers that fill sets, unless a ping has sent some.
func (a *answer) commit(status int, stream bool, fill func(http.Header)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.committed = true
	if a.sentPing {
		return
	}
	fill(a.w.Header())
	if stream {
		a.streamHeaders()
	}
	a.w.WriteHeader(status)
}

func (a *answer) streamHeaders() {
	h := a.w.Header()
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	h["Cache-Control"] = []string{"no-cache"}
	h["X-Accel-Buffering"] = []string{"no"}
}

// write sends data and reports whether the client took it.
func (a *answer) write(data []byte, flush bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pings != nil && flush && !a.stopped {
		a.pings.Reset(a.silence)
	}
	return a.put(data, flush)
}

// flush sends what was written without flushing, if anything was.
func (a *answer) flush() bool { return !a.committed || a.write(nil, true) }

// put writes under the lock.
func (a *answer) put(data []byte, flush bool) bool {
	if flush || len(data) > sendBuffer { // the kernel takes what is less without waiting
		a.renewDeadline()
	}
	if !a.broken && len(data) > 0 {
		_, err := a.w.Write(data)
		a.broken = err != nil
	}
	if flush && !a.broken {
		a.broken = http.NewResponseController(a.w).Flush() != nil
	}
	return !a.broken
}

// renewDeadline moves the write deadline on, rarely, since each move has a cost.
func (a *answer) renewDeadline() {
	now := time.Now()
	if a.deadline.Sub(now) > writeLimit-writeRenewal {
		return
	}
	a.deadline = now.Add(writeLimit)
	// A writer without deadlines (a recorder in a test) just has none.
	_ = http.NewResponseController(a.w).SetWriteDeadline(a.deadline)
}

// refuse answers with e's status and error object. Pings have been stopped.
func (a *answer) refuse(e *point.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.committed = true
	writeError(a.w, a.in, e)
}

// fail ends a committed answer with e: an error event on a stream. A document that broke off
// is aborted, so that its client sees a broken connection and not a short answer.
func (a *answer) fail(e *point.Error, stream bool) {
	if !stream {
		panic(http.ErrAbortHandler)
	}
	e = identified(e, a.id)
	var event []byte
	if a.by != nil {
		event = a.by.Event(e)
	}
	if event == nil {
		event = a.in.Event(e)
	}
	a.write(event, true)
}

// retryAfterSeconds is a header value: whole seconds, at least one.
func retryAfterSeconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
