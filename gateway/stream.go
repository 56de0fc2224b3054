package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"point"
	"point/adapter/provider"
	"point/internal/sse"
)

const (
	maxEvent     = 8 << 20   // bytes of one event
	leadEvents   = 64        // events held back before the first content
	leadBytes    = 256 << 10 // bytes held back before the first content
	blockBytes   = 64 << 10  // bytes gathered from what has already arrived
	firstBufSize = 4 << 10
)

var streamBuffers = sync.Pool{New: func() any { b := make([]byte, 0, firstBufSize); return &b }}

// stream is an answer in server-sent events. Each fill reads what has arrived, decodes it
// into one buffer, and queues it as few blocks.
type stream struct {
	attempt *attempt
	reader  *sse.Reader

	buffer  *[]byte // of what is queued, nil while nothing is
	queue   []piece
	at      int   // next of queue
	err     error // after the queue; io.EOF at a proper end
	content bool  // the first content was decoded
	done    bool  // the last event was decoded
	once    sync.Once
}

// piece is a queued block whose data is a range of the buffer.
type piece struct {
	block      point.Block
	start, end int
}

// openMislabelled reads an answer that calls itself a JSON document where a stream was asked
// for. Some servers say so of their streams too. If it is one, it is an error, or the whole answer of
// a service that takes no notice of the wish for a stream: then it is told as one.
func openMislabelled(a *attempt) (*stream, error) {
	head := make([]byte, 0, 4<<10)
	for first(head) == 0 && len(head) < cap(head) { // until something is said
		n, err := a.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if first(head) != '{' {
		return openStream(a, io.MultiReader(bytes.NewReader(head), a))
	}
	whole, err := readUpTo(head, a, -1, maxEvent)
	switch {
	case err != nil:
		return nil, a.truncated(err)
	case len(whole) == maxEvent:
		return nil, a.strange("a JSON document")
	}
	d, ok := a.exchange.Decoder.(provider.Unfolder)
	if !ok {
		if _, err := a.exchange.Decoder.Document(whole); err != nil {
			return nil, err
		}
		return nil, a.strange("a JSON document")
	}
	events, err := d.Unfold(whole)
	if err != nil {
		return nil, err
	}
	return openStream(a, bytes.NewReader(events))
}

// openStream reads a stream up to its first content.
func openStream(a *attempt, body io.Reader) (*stream, error) {
	s := &stream{attempt: a, reader: sse.NewReader(body, maxEvent)}
	events := 0
	for !s.content && s.err == nil && events < leadEvents && s.held() < leadBytes {
		s.read()
		events++
	}
	if err := s.err; err != nil && !errors.Is(err, io.EOF) {
		s.recycle()
		return nil, err
	}
	return s, nil
}

// Next gives out the next block, reading when none is queued.
func (s *stream) Next() (point.Block, error) {
	for s.at == len(s.queue) {
		if s.err != nil {
			return point.Block{}, s.err
		}
		s.fill()
	}
	p := s.queue[s.at]
	s.at++
	p.block.Data = (*s.buffer)[p.start:p.end:p.end]
	p.block.More = s.at < len(s.queue)
	return p.block, nil
}

// fill decodes one event, and those that can be had without waiting.
func (s *stream) fill() {
	s.queue, s.at = s.queue[:0], 0
	if !s.reader.Buffered() {
		s.giveBuffer() // thousands of streams wait most of the time
	} else if s.buffer != nil {
		*s.buffer = (*s.buffer)[:0]
	}
	s.read()
	for s.err == nil && s.reader.Buffered() && s.held() < blockBytes {
		s.read()
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		s.err = s.attempt.broke(s.err)
	}
}

// read decodes the next event into the queue, or sets err.
func (s *stream) read() {
	event, err := s.reader.Next()
	switch {
	case err == nil:
		err = s.attempt.exchange.Decoder.Event(event, s.emit)
		if err != nil {
			s.err = err
		}
	case errors.Is(err, io.EOF):
		if err = s.attempt.exchange.Decoder.End(s.emit); err != nil {
			s.err = err
			return
		}
		s.err = io.EOF
	case errors.Is(err, sse.ErrTooLong):
		s.err = &point.Error{Code: point.ProviderBadResponse, Message: fmt.Sprintf("%s sent an event of more than %d MiB.", s.attempt.backend.provider.Name, maxEvent>>20), Cause: err}
	default:
		s.err = s.attempt.truncated(err)
	}
}

// emit queues a block. Plain blocks that follow one another become one.
func (s *stream) emit(b point.Block) {
	if s.buffer == nil {
		s.buffer = streamBuffers.Get().(*[]byte)
		*s.buffer = (*s.buffer)[:0]
	}
	start := len(*s.buffer)
	*s.buffer = append(*s.buffer, b.Data...)
	s.content = s.content || b.Kind != point.BlockLead
	s.done = s.done || b.Kind == point.BlockDone
	plain := b.Kind <= point.BlockLead && b.CostAt == 0
	if n := len(s.queue); plain && n > 0 {
		last := &s.queue[n-1]
		if last.block.Kind <= point.BlockLead && last.block.CostAt == 0 {
			last.end = len(*s.buffer)
			last.block.Kind = min(last.block.Kind, b.Kind)
			if b.Usage != nil {
				last.block.Usage = b.Usage
			}
			return
		}
	}
	b.Data = nil
	s.queue = append(s.queue, piece{block: b, start: start, end: len(*s.buffer)})
}

// drain reads the end of a stream that has said all.
func (s *stream) drain() {
	s.attempt.end()
	for {
		if _, err := s.reader.Next(); err != nil {
			return
		}
	}
}

// Close cancels what the provider still sends and releases the connection.
func (s *stream) Close() error {
	s.once.Do(func() {
		if s.done && s.err == nil {
			s.drain()
		}
		s.attempt.stop()
		s.attempt.body.Close()
		s.attempt.release()
		s.recycle()
	})
	return nil
}

func (s *stream) recycle() {
	s.reader.Release()
	s.giveBuffer()
	s.queue, s.at, s.err = nil, 0, io.EOF
}

// held is how many bytes are queued.
func (s *stream) held() int {
	if s.buffer == nil {
		return 0
	}
	return len(*s.buffer)
}

// giveBuffer gives the buffer back: nothing is queued.
func (s *stream) giveBuffer() {
	if s.buffer != nil && cap(*s.buffer) <= 2*blockBytes {
		streamBuffers.Put(s.buffer)
	}
	s.buffer = nil
}

// truncated is the error of an answer that broke off.
func (a *attempt) truncated(err error) error {
	if context.Cause(a.ctx) != nil {
		return a.failure(err)
	}
	return &point.Error{Code: point.StreamTruncated, Message: fmt.Sprintf("%s broke off its answer.", a.backend.provider.Name), Cause: err}
}

// broke completes the error of an answer whose first content was given out already: no other
// target can be tried, but the provider's health learns of it.
func (a *attempt) broke(err error) error {
	e, now := a.told(a.exchange.Renamed(err)), time.Now()
	if !a.call.Expired(now) {
		a.backend.fault(e, now)
	}
	return e
}
