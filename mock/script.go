package mock

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Script answers a request in place of the services; it reports whether it did. The body can
// be read. It is called by many requests at once.
type Script func(w http.ResponseWriter, r *http.Request) bool

// Reply is one scripted answer. A Body that starts with "data:" or "event:" is a stream.
type Reply struct {
	Status int         // 0: 200
	Header http.Header // Content-Type is guessed if absent
	Body   string
}

// script holds what tests have told the server to say.
type script struct {
	set   atomic.Bool // hook or queue is there
	mu    sync.Mutex
	hook  Script
	queue []Reply
}

// Script has f answer all requests that it wants to; nil ends that.
func (s *Server) Script(f Script) {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.hook = f
	s.script.note()
}

// Queue has the next requests answered by these replies, each once and in order, before any
// Script is asked.
func (s *Server) Queue(replies ...Reply) {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.queue = append(s.script.queue, replies...)
	s.script.note()
}

func (s *script) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook, s.queue = nil, nil
	s.note()
}

// note keeps set right; mu is held.
func (s *script) note() { s.set.Store(s.hook != nil || len(s.queue) > 0) }

// active tells whether there is anything to run.
func (s *script) active() bool { return s.set.Load() }

// run answers a request by the queue or the hook; it reports whether it did.
func (s *script) run(w http.ResponseWriter, r *http.Request) bool {
	if !s.active() {
		return false
	}
	s.mu.Lock()
	hook := s.hook
	var next *Reply
	if len(s.queue) > 0 {
		next = &s.queue[0]
		s.queue = s.queue[1:]
		s.note()
	}
	s.mu.Unlock()
	if next != nil {
		next.write(w)
		return true
	}
	return hook != nil && hook(w, r)
}

func (p *Reply) write(w http.ResponseWriter) {
	body := []byte(p.Body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if bytes.HasPrefix(body, []byte("data:")) || bytes.HasPrefix(body, []byte("event:")) {
		h.Set("Content-Type", "text/event-stream")
	}
	for k, v := range p.Header {
		h[k] = v
	}
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, _ = io.Copy(w, bytes.NewReader(body)) // a client that left reads nothing
}

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }
