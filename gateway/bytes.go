package gateway

import (
	"errors"
	"io"
	"sync"

	"point"
)

const bytesAtOnce = 32 << 10

// rawBytes is an answer that is no JSON: sound, or plain text. It is relayed as it comes.
type rawBytes struct {
	attempt *attempt
	buffer  []byte
	n       int   // of buffer, read and not yet given out
	err     error // after them
	once    sync.Once
}

// openBytes reads the first bytes of an answer.
func openBytes(a *attempt) (*rawBytes, error) {
	r := &rawBytes{attempt: a, buffer: make([]byte, bytesAtOnce)}
	for r.n == 0 && r.err == nil {
		r.n, r.err = a.Read(r.buffer)
	}
	switch {
	case r.n > 0 || errors.Is(r.err, io.EOF):
		return r, nil
	default:
		return nil, r.err
	}
}

func (r *rawBytes) Next() (point.Block, error) {
	if r.n == 0 && r.err == nil {
		r.n, r.err = r.attempt.Read(r.buffer)
	}
	switch {
	case r.n > 0:
		b := point.Block{Data: r.buffer[:r.n]}
		r.n = 0
		return b, nil
	case r.err == nil:
		return point.Block{More: true}, nil
	case errors.Is(r.err, io.EOF):
		return point.Block{}, io.EOF
	default:
		return point.Block{}, r.attempt.broke(r.attempt.truncated(r.err))
	}
}

func (r *rawBytes) Close() error {
	r.once.Do(func() {
		r.attempt.stop()
		r.attempt.body.Close()
		r.attempt.release()
	})
	return nil
}
