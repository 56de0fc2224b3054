package adapter

import (
	"errors"
	"io"
	"math/bits"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"point"
)

const (
	smallestClass = 16        // 64 KiB: smaller bodies are left to the garbage collector
	largestClass  = 26        // 64 MiB
	firstRead     = 4 << 10   // room for a body that does not say its size
	atOnce        = 256 << 10 // room that a body may have before it has come
	bodyGrace     = 10 * time.Second
	bodyMinRate   = 1 << 10 // bytes per second after bodyGrace
)

// bodyPool reads request bodies under a limit for each and a budget for all. Large ones live
// in buffers of power-of-two sizes that are used again.
type bodyPool struct {
	limit, budget int64
	used          atomic.Int64
	classes       [largestClass - smallestClass + 1]sync.Pool
}

// body is a request body. A nil body is an empty one.
type body struct {
	bytes []byte
	pool  *bodyPool
	room  int64 // taken out of the budget
	class int   // of the pool, 0 if the buffer is not pooled
	holds atomic.Int32
	done  bool
	pace
}

// pace cuts a body that comes too slowly: after a time of grace, each time as long must bring
// its share.
type pace struct {
	w        http.ResponseWriter
	received atomic.Int64
	seen     int64 // of received, when the timer went off last
	graced   bool
	state    atomic.Int32
	timer    atomic.Pointer[time.Timer]
}

// The states of a pace.
const (
	coming = iota
	whole
	tooSlow
)

// read reads r's body whole. On an error too the body must be released.
func (p *bodyPool) read(w http.ResponseWriter, r *http.Request) (*body, error) {
	if r.ContentLength > p.limit {
		return nil, &http.MaxBytesError{Limit: p.limit}
	}
	b := &body{pool: p, pace: pace{w: w}}
	b.holds.Store(1)
	// Most bodies have arrived with their headers: a timer that is stopped again costs less than
	// a deadline set and taken back.
	b.timer.Store(time.AfterFunc(bodyGrace, b.check))
	err := b.fill(r.Body, r.ContentLength)
	if !b.end() {
		err = os.ErrDeadlineExceeded
	}
	return b, err
}

// check is called by the timer.
func (p *pace) check() {
	received := p.received.Load()
	if p.graced && received-p.seen < bodyMinRate*int64(bodyGrace/time.Second) {
		if p.state.CompareAndSwap(coming, tooSlow) {
			// Writers without deadlines (recorders in tests) just have none.
			_ = http.NewResponseController(p.w).SetReadDeadline(time.Now())
		}
		return
	}
	p.graced, p.seen = true, received
	timer := p.timer.Load()
	timer.Reset(bodyGrace)
	if p.state.Load() != coming { // the end came between
		timer.Stop()
	}
}

// end stops the clock. It reports whether the body came fast enough.
func (p *pace) end() bool {
	inTime := p.state.CompareAndSwap(coming, whole)
	p.timer.Load().Stop()
	return inTime
}

// fill reads a body that says its size, or -1. Room is taken as bytes arrive: a promise of
// many holds none.
func (b *body) fill(r io.Reader, size int64) error {
	most := size
	if size < 0 {
		most = b.pool.limit + 1 // one more, to tell that it is beyond
	}
	next := min(most, atOnce)
	if size < 0 {
		next = firstRead
	}
	for {
		if err := b.grow(next); err != nil {
			return err
		}
		for end := min(int64(cap(b.bytes)), most); int64(len(b.bytes)) < end; {
			n, err := r.Read(b.bytes[len(b.bytes):end])
			b.bytes = b.bytes[:len(b.bytes)+n]
			b.received.Add(int64(n))
			switch {
			case err == nil || int64(len(b.bytes)) == size:
			case !errors.Is(err, io.EOF):
				return err
			case size < 0:
				return nil
			default:
				return io.ErrUnexpectedEOF
			}
		}
		switch {
		case int64(len(b.bytes)) == size:
			return nil
		case int64(len(b.bytes)) > b.pool.limit:
			return &http.MaxBytesError{Limit: b.pool.limit}
		}
		next = min(4*int64(cap(b.bytes)), most)
	}
}

// grow moves b to a buffer of at least size bytes, taken out of the budget.
func (b *body) grow(size int64) error {
	p, room, class := b.pool, size, 0
	if size >= 1<<smallestClass {
		class = max(bits.Len64(uint64(size-1)), smallestClass)
		room = int64(1) << class
	}
	if err := p.take(room); err != nil {
		return err
	}
	var bigger []byte
	if known, ok := p.pooled(class); ok {
		bigger = (*known)[:0]
	} else {
		bigger = make([]byte, 0, room)
	}
	bigger = append(bigger, b.bytes...)
	p.give(b.room)
	p.put(b.bytes, b.class)
	b.bytes, b.room, b.class = bigger, room, class
	return nil
}

// take takes room out of the budget; give gives it back.
func (p *bodyPool) take(room int64) error {
	if p.used.Add(room) > p.budget {
		p.used.Add(-room)
		return &point.Error{Code: point.Overloaded, RetryAfter: time.Second, Message: "Point holds as many request bodies as it may; try again in a moment."}
	}
	return nil
}

func (p *bodyPool) give(room int64) { p.used.Add(-room) }

// put gives a buffer back that is of a class.
func (p *bodyPool) put(buffer []byte, class int) {
	if class != 0 && class <= largestClass {
		buffer = buffer[:0]
		p.classes[class-smallestClass].Put(&buffer)
	}
}

func (p *bodyPool) pooled(class int) (*[]byte, bool) {
	if class == 0 || class > largestClass {
		return nil, false
	}
	known, ok := p.classes[class-smallestClass].Get().(*[]byte)
	return known, ok
}

// retainer is b if its buffer is used again, else nil.
func (b *body) retainer() point.Retainer {
	if b.class == 0 {
		return nil
	}
	return b
}

// Retain holds the buffer back from the pool until Release.
func (b *body) Retain() { b.holds.Add(1) }

// Release ends one hold; after the last the buffer may be used again.
func (b *body) Release() {
	if b.holds.Add(-1) == 0 {
		b.pool.put(b.bytes, b.class)
	}
}

// release ends the request's own hold and gives its room back. It is idempotent.
func (b *body) release() {
	if b == nil || b.done {
		return
	}
	b.done = true
	b.pool.give(b.room)
	b.Release()
}
