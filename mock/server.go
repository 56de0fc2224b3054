package mock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"point/internal/panics"
)

// Options tune the simulated services. The zero value answers at once.
type Options struct {
	Seed       uint64           // varies ids, embeddings and images
	Latency    time.Duration    // before the first byte of an answer
	TokenDelay time.Duration    // before each further event of a stream
	Now        func() time.Time // clock of timestamps, default time.Now

	// StrictModels answers 404 to models that the service's list does not have. Without it
	// any model name is served.
	StrictModels bool
}

// Server is a set of simulated services. It keeps counters and a few recent requests, no
// more, and may be used by any number of clients at once.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	stats   stats
	script  script
	fails   counters // fault fail-first
	prefix  seenSet  // prompt prefixes, for cached tokens
	talks   talks    // kept responses
	closing chan struct{}
	close   sync.Once
}

// New makes the services; it starts nothing.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{opts: o, mux: http.NewServeMux(), closing: make(chan struct{})}
	s.routes()
	return s
}

// Handler serves all paths.
func (s *Server) Handler() http.Handler { return s.mux }

// Close ends all requests that wait, such as those of the fault hang-headers. It is called
// by Run and by the stop function of Start; users of Handler call it themselves before they
// wait for requests to end.
func (s *Server) Close() { s.close.Do(func() { close(s.closing) }) }

// Run serves on addr until ctx ends, and then ends open requests.
func (s *Server) Run(ctx context.Context, addr string) error {
	l, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	return s.serve(ctx, l)
}

// Start serves on addr ("127.0.0.1:0" for any free port) in the background until ctx ends or
// stop is called. The URL has no trailing slash. Stop waits until all is over; it may be
// called more than once.
func (s *Server) Start(ctx context.Context, addr string) (baseURL string, stop func(), err error) {
	l, err := listen(ctx, addr)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer panics.Catch(nil, "the simulated services", nil)
		_ = s.serve(ctx, l) // a listener that fails is seen by every client
	}()
	stop = func() {
		cancel()
		<-done
	}
	return "http://" + l.Addr().String(), stop, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("mock: %w", err)
	}
	return l, nil
}

// serve owns l.
func (s *Server) serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.mux,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          nil,
	}
	stopped := context.AfterFunc(ctx, func() {
		s.Close()
		_ = server.Close() // the listener is gone either way
	})
	defer stopped()
	defer s.Close()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("mock: %w", err)
}
