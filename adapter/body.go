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
	smallestClass = 16 // 64 KiB: smaller bodies are left to the garbage collector
	largestClass  = 26 // 64 MiB
	firstRead     = 4 << 10
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
}

// read reads r's body whole. On an error too the body must be released.
func (p *bodyPool) read(w http.ResponseWriter, r *http.Request) (*body, error) {
	size := r.ContentLength
	if size > p.limit {
		return nil, &http.MaxBytesError{Limit: p.limit}
	}
	expect := size
	if expect < 0 {
		expect = p.limit / 8
	}
	// Most bodies have arrived with their headers: a timer that is stopped again costs less than
	// a deadline set and taken back.
	late := time.AfterFunc(bodyGrace+time.Duration(expect/bodyMinRate)*time.Second, func() {
		// Writers without deadlines (recorders in tests) just have none.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	})
	b, err := p.readAll(r.Body, size)
	if !late.Stop() && err == nil {
		err = os.ErrDeadlineExceeded
	}
	return b, err
}

// readAll reads a body that says its size, or -1.
func (p *bodyPool) readAll(r io.Reader, size int64) (*body, error) {
	if size < 0 {
		return p.readUnknown(r)
	}
	b, err := p.get(size)
	if err != nil {
		return nil, err
	}
	b.bytes = b.bytes[:size]
	_, err = io.ReadFull(r, b.bytes)
	return b, err
}

// readUnknown reads a body that does not say its size, in buffers that double.
func (p *bodyPool) readUnknown(r io.Reader) (*body, error) {
	b, err := p.get(firstRead)
	if err != nil {
		return nil, err
	}
	for {
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > p.limit:
			return b, &http.MaxBytesError{Limit: p.limit}
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return b, err
		}
		if len(b.bytes) == cap(b.bytes) {
			bigger, err := p.get(int64(2 * cap(b.bytes)))
			if err != nil {
				return b, err
			}
			bigger.bytes = append(bigger.bytes, b.bytes...)
			b.release()
			b = bigger
		}
	}
}

// get takes an empty buffer of at least size bytes out of the budget.
func (p *bodyPool) get(size int64) (*body, error) {
	b := &body{pool: p, room: size}
	if size >= 1<<smallestClass {
		b.class = bits.Len64(uint64(size - 1))
		b.class = max(b.class, smallestClass)
		b.room = int64(1) << b.class
	}
	if p.used.Add(b.room) > p.budget {
		p.used.Add(-b.room)
		return nil, &point.Error{Code: point.Overloaded, RetryAfter: time.Second, Message: "Point holds as many request bodies as it may; try again in a moment."}
	}
	b.holds.Store(1)
	if known, ok := p.pooled(b.class); ok {
		b.bytes = (*known)[:0]
	} else {
		b.bytes = make([]byte, 0, b.room)
	}
	return b, nil
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
	if b.holds.Add(-1) == 0 && b.class != 0 && b.class <= largestClass {
		buffer := b.bytes[:0]
		b.pool.classes[b.class-smallestClass].Put(&buffer)
	}
}

// release ends the request's own hold and gives its room back. It is idempotent.
func (b *body) release() {
	if b == nil || b.done {
		return
	}
	b.done = true
	b.pool.used.Add(-b.room)
	b.Release()
}
