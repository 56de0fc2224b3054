package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point/internal/linger"
)

const (
	bodyTime    = 30 * time.Second // that a body may take, and a pause in a large one
	bodyMinRate = 64 << 10         // bytes a second: a large one may take this long more
	largeAtOnce = 4                // large bodies that arrive at a time
	largeOfOne  = 2                // and of one person
	chunkSize   = 256 << 10
)

// tooSlow is told of a body that did not come in time.
const tooSlow = "The body arrived too slowly. Send it again over a faster connection."

// arrival is a request's body that must come in time.
type arrival struct {
	io.ReadCloser
	header  http.Header // of the answer
	control *http.ResponseController
	until   time.Time
	pause   time.Duration // longest one in a large body
	large   bool          // what arrives of it gives it more time
	ended   bool
}

// arrive bounds the time that the body of r may take, whoever reads it: the server drains what
// nobody read before it answers. The caller calls leave at the end.
func (a *API) arrive(w http.ResponseWriter, r *http.Request, large bool) *arrival {
	b := &arrival{ReadCloser: r.Body, header: w.Header(), control: http.NewResponseController(w), until: time.Now().Add(a.bodyTime), pause: a.bodyTime, large: large}
	if b.ended = r.ContentLength == 0; !b.ended {
		b.limit()
	}
	return b
}

// limit sets the time by which the next bytes must have come. Recorders in tests have none.
func (b *arrival) limit() {
	until := b.until
	if idle := time.Now().Add(b.pause); b.large && idle.Before(until) {
		until = idle
	}
	_ = b.control.SetReadDeadline(until)
}

func (b *arrival) Read(p []byte) (int, error) {
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	b.limit()
	n, err := b.ReadCloser.Read(p)
	if b.large {
		b.until = b.until.Add(time.Duration(n) * time.Second / bodyMinRate)
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF): // what the route does may take longer
		_ = b.control.SetReadDeadline(time.Time{})
	default: // nobody waits for the rest
		b.header.Set("Connection", "close")
	}
	b.ended = true
	return n, err
}

// leave bounds what the server waits for the rest of a body that was not read.
func (b *arrival) leave() {
	if !b.ended {
		_ = b.control.SetReadDeadline(time.Now().Add(linger.Time))
	}
}

// turn reads a large body of a person, and then waits until no other one is worked on: who sends
// slowly keeps nobody waiting. leave must be called.
func (a *API) turn(r *http.Request, op *huma.Operation, person string) (leave func(), err error) {
	if !a.large[op.Method+" "+op.Path] || r.ContentLength >= 0 && r.ContentLength <= maxBody {
		return func() {}, nil
	}
	depart, err := a.arriving.enter(r.Context(), person)
	if err != nil {
		return nil, err
	}
	defer depart() // only now: what has arrived and waits takes memory too
	body, err := hold(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	r.Body = body
	if err := enter(r.Context(), a.heavy, a.arriving.queue, "Another large body is being read. Try again in a moment."); err != nil {
		return nil, err
	}
	return func() { <-a.heavy }, nil
}

// arrivals are the places in which large bodies arrive. One person may take some of them, and never
// all: a body may take minutes.
type arrivals struct {
	places chan struct{}
	queue  time.Duration // that is waited for a place

	mu sync.Mutex
	of map[string]int // places that each person has, or waits for
}

func newArrivals() *arrivals {
	return &arrivals{places: make(chan struct{}, largeAtOnce), queue: passwordQueue, of: map[string]int{}}
}

// enter takes a place for a person; depart gives it back.
func (l *arrivals) enter(ctx context.Context, person string) (depart func(), err error) {
	if !l.claim(person) {
		return nil, retryAfter(http.StatusServiceUnavailable, l.queue, fmt.Sprintf("%d large bodies of yours are arriving. Send this one when one of them is there.", largeOfOne))
	}
	if err := enter(ctx, l.places, l.queue, "Too many large bodies are arriving. Try again in a moment."); err != nil {
		l.giveUp(person)
		return nil, err
	}
	return func() {
		<-l.places
		l.giveUp(person)
	}, nil
}

func (l *arrivals) claim(person string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[person] >= largeOfOne {
		return false
	}
	l.of[person]++
	return true
}

func (l *arrivals) giveUp(person string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[person]--; l.of[person] == 0 {
		delete(l.of, person)
	}
}

// enter waits for a place in room; full is the answer if there is none for long.
func enter(ctx context.Context, room chan struct{}, long time.Duration, full string) error {
	wait := time.NewTimer(long)
	defer wait.Stop()
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return retryAfter(http.StatusServiceUnavailable, long, full)
	}
}

// held is a body that has arrived, in pieces: what was read is free again.
type held [][]byte

// hold reads a body whole.
func hold(r io.Reader) (*held, error) {
	var h held
	for {
		chunk := make([]byte, chunkSize)
		n := 0
		for n < chunkSize {
			more, err := r.Read(chunk[n:])
			n += more
			if err == nil {
				continue
			}
			if h = append(h, chunk[:n]); !errors.Is(err, io.EOF) {
				return nil, err
			}
			return &h, nil
		}
		h = append(h, chunk)
	}
}

func (h *held) Read(p []byte) (int, error) {
	for len(*h) > 0 && len((*h)[0]) == 0 {
		(*h)[0] = nil
		*h = (*h)[1:]
	}
	if len(*h) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*h)[0])
	(*h)[0] = (*h)[0][n:]
	return n, nil
}

func (h *held) Close() error { return nil }
