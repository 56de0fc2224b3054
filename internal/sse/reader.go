package sse

import (
	"bytes"
	"io"
	"sync"
)

const (
	firstSize = 8 << 10   // size of a fresh buffer
	largeSize = 256 << 10 // a bigger buffer is given up once its event is done
	maxPrefix = 4 << 10   // comments before an event beyond this are not kept in its Raw
	maxEmpty  = 100       // reads in a row that may give nothing
)

var pool = sync.Pool{New: func() any { return new([firstSize]byte) }}

// Reader splits a byte stream into events. It is used by one goroutine.
type Reader struct {
	src io.Reader
	max int
	err error // of src; io.EOF included

	buf        []byte
	home       *[firstSize]byte // the pooled array behind buf, nil if buf was grown
	start, end int              // buf[start:end] is not handed out yet
	begun      bool             // a byte order mark was looked for

	cur    frame
	lf, cr finder
	joined []byte // backs the Data of events with several data lines
	names  map[string]string
}

// NewReader reads events of at most max bytes from r.
func NewReader(r io.Reader, max int) *Reader {
	home := pool.Get().(*[firstSize]byte)
	return &Reader{src: r, max: max, home: home, buf: home[:], lf: finder{c: '\n', at: -1}, cr: finder{c: '\r', at: -1}}
}

// Next returns the next event. It returns io.EOF at the stream's end, ErrTooLong when an
// event exceeds the limit, or what the source failed with; after an error only that error.
// An event that the end of the stream left open is returned with Partial set, if it has data.
func (r *Reader) Next() (Event, error) {
	for {
		if r.scan() {
			return r.take(r.cur.pos, false), nil
		}
		if r.begun && r.end-r.start > r.max {
			r.fail(ErrTooLong)
		}
		if r.err == nil {
			r.fill()
			continue
		}
		if r.err == io.EOF && r.cur.lines > 0 {
			return r.take(r.end-r.start, true), nil
		}
		r.Release()
		return Event{}, r.err
	}
}

// Buffered reports whether another whole event can be had without reading again.
func (r *Reader) Buffered() bool {
	return r.buf != nil && (r.scan() || r.err == io.EOF && r.cur.lines > 0 && r.end-r.start <= r.max)
}

// Release gives the buffer back. Next calls it before it returns an error; who stops earlier
// calls it. Events handed out become invalid.
func (r *Reader) Release() {
	if r.home != nil {
		pool.Put(r.home)
	}
	r.clear()
	r.home, r.buf, r.joined = nil, nil, nil
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
}

// fail drops what is buffered: err is all that is left to say.
func (r *Reader) fail(err error) {
	r.err = err
	r.clear()
}

// clear forgets what is buffered.
func (r *Reader) clear() {
	r.start, r.end, r.cur = 0, 0, frame{}
	r.lf.shift(len(r.buf))
	r.cr.shift(len(r.buf))
}

// take hands out the first n bytes as an event.
func (r *Reader) take(n int, partial bool) Event {
	raw := r.buf[r.start : r.start+n : r.start+n]
	e := Event{Name: r.cur.name, Raw: raw, Partial: partial}
	if r.cur.lines == 1 {
		e.DataAt = r.cur.dataAt
		e.Data = raw[r.cur.dataAt:r.cur.dataEnd:r.cur.dataEnd]
	} else {
		e.DataAt = -1
		e.Data = r.join(raw)
	}
	r.drop(n)
	return e
}

// drop moves past the first n bytes and starts a new frame there.
func (r *Reader) drop(n int) {
	r.start += n
	r.lf.shift(n)
	r.cr.shift(n)
	r.cur = frame{}
}

// join collects the data lines of raw.
func (r *Reader) join(raw []byte) []byte {
	r.joined = r.joined[:0]
	for first := true; len(raw) > 0; {
		line := raw
		if i := bytes.IndexAny(raw, "\r\n"); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		field, at := split(line)
		if string(field) != "data" {
			continue
		}
		if !first {
			r.joined = append(r.joined, '\n')
		}
		first = false
		r.joined = append(r.joined, line[at:]...)
	}
	return r.joined
}

// fill reads once from the source, after making room.
func (r *Reader) fill() {
	r.room()
	for range maxEmpty {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.err = err
		if n > 0 || err != nil {
			r.mark()
			return
		}
	}
	r.err = io.ErrNoProgress
}

// room makes sure that there is space behind end, and lets go of a buffer that one big event
// has grown.
func (r *Reader) room() {
	held := r.buf[r.start:r.end]
	limit := max(r.max, firstSize) + firstSize
	switch {
	case len(r.buf) > largeSize && len(held) < firstSize/2:
		r.move(firstSize, held)
	case r.start == r.end:
		r.start, r.end = 0, 0
	case len(r.buf)-r.end >= len(r.buf)/4:
	case r.start < len(r.buf)/4 && len(r.buf) < limit:
		r.move(min(2*len(r.buf), limit), held)
	case r.start > 0:
		r.end = copy(r.buf, held)
		r.start = 0
	}
}

// move changes to a buffer of the given size.
func (r *Reader) move(size int, held []byte) {
	var home *[firstSize]byte
	var next []byte
	if size <= firstSize {
		home = pool.Get().(*[firstSize]byte)
		next = home[:]
	} else {
		next = make([]byte, size)
	}
	r.end = copy(next, held)
	r.start = 0
	if r.home != nil {
		pool.Put(r.home)
	}
	r.buf, r.home = next, home
}

// mark skips a byte order mark at the stream's start, once enough bytes are there to tell.
func (r *Reader) mark() {
	if r.begun {
		return
	}
	const bom = "\xef\xbb\xbf"
	head := r.buf[:r.end]
	if len(head) < len(bom) && string(head) == bom[:len(head)] && r.err == nil {
		return
	}
	r.begun = true
	if bytes.HasPrefix(head, []byte(bom)) {
		r.start = len(bom)
	}
}
