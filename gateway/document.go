package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"point"
	"point/adapter/provider"
)

const (
	wholeDocument = 256 << 10 // up to this size an answer is read before it is committed
	tailSize      = 16 << 10  // what is held back of a relayed one, to find its usage in
	maxDocument   = 64 << 20  // what a translated answer may measure
)

// documentBuffers hold answers of up to wholeDocument and a byte, to tell a longer one.
var documentBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// document is a JSON answer.
type document struct {
	attempt *attempt
	forward provider.Forwarder // set if the answer is relayed

	buffer  *[]byte
	pending []byte // read, not yet given out
	block   point.Block
	state   documentState
	once    sync.Once
}

type documentState uint8

const (
	documentWhole documentState = iota // block is all of it
	documentRelay                      // pending, then more of body
	documentEnd
)

// openDocument reads an answer: all of it if it is small or must be translated, its start if
// it can be relayed.
func openDocument(a *attempt, size int64) (*document, error) {
	d := &document{attempt: a}
	d.buffer = documentBuffers.Get().(*[]byte)
	data, err := readUpTo((*d.buffer)[:0], a, size, wholeDocument+1)
	if err == nil && len(data) > wholeDocument {
		forward, ok := a.exchange.Decoder.(provider.Forwarder)
		switch {
		case first(data) != '{': // whatever it is, it is not what was asked for
			err = a.strange("something else")
		case ok:
			if b, ok := forward.(provider.Beginner); ok {
				b.Begin(data)
			}
			d.pending, d.forward, d.state = data, forward, documentRelay
			return d, nil
		default:
			if data, err = readUpTo(data, a, -1, maxDocument+1); err == nil && len(data) > maxDocument {
				err = &point.Error{Code: point.ProviderBadResponse, Message: fmt.Sprintf("%s sent an answer of more than %d MiB.", a.backend.provider.Name, maxDocument>>20)}
			}
		}
	}
	if err == nil {
		d.block, err = a.exchange.Decoder.Document(data)
		d.block.Kind = point.BlockDone
	}
	*d.buffer = data
	if err != nil {
		d.recycle()
		return nil, err
	}
	return d, nil
}

// readUpTo appends to buf until the end of r or limit bytes; size is what r is said to hold,
// or -1.
func readUpTo(buf []byte, r io.Reader, size int64, limit int) ([]byte, error) {
	want := len(buf) + 512
	if size >= 0 {
		want = min(int(size)+1, limit) // one more, so that the end is seen without growing
	}
	if cap(buf) < want {
		buf = append(make([]byte, 0, want), buf...)
	}
	for len(buf) < limit {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// first is the first byte of data that is no white space and no byte order mark; 0: none.
func first(data []byte) byte {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(data) == 0 {
		return 0
	}
	return data[0]
}

// Next gives out the answer: whole, or piece by piece with a tail held back to the end.
func (d *document) Next() (point.Block, error) {
	switch d.state {
	case documentWhole:
		d.state = documentEnd
		return d.block, nil
	case documentRelay:
		return d.relay()
	default:
		return point.Block{}, io.EOF
	}
}

func (d *document) relay() (point.Block, error) {
	buf := *d.buffer
	if cap(buf) < wholeDocument {
		buf = make([]byte, 0, wholeDocument)
	}
	// What was given out last time is done with: the tail moves to the front.
	buf = append(buf[:0], d.pending...)
	var err error
	for len(buf) < wholeDocument/2 && err == nil {
		var n int
		n, err = d.attempt.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
	}
	*d.buffer = buf
	if err == nil {
		give := len(buf) - tailSize
		d.pending = buf[give:]
		return point.Block{Data: buf[:give]}, nil
	}
	d.state = documentEnd
	if !errors.Is(err, io.EOF) {
		return point.Block{}, d.attempt.broke(d.attempt.truncated(err))
	}
	usage, cost := d.forward.Tail(buf)
	return point.Block{Kind: point.BlockDone, Data: buf, Usage: usage, CostAt: cost}, nil
}

func (d *document) Close() error {
	d.once.Do(func() {
		d.attempt.stop()
		d.attempt.body.Close()
		d.attempt.release()
		d.recycle()
	})
	return nil
}

func (d *document) recycle() {
	if cap(*d.buffer) <= 2*wholeDocument {
		documentBuffers.Put(d.buffer)
	}
	d.state = documentEnd
}
