package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"point"
	"point/adapter"
	"point/config"
	"point/internal/panics"
)

const (
	headerLimit  = 10 * time.Second
	idleLimit    = 2 * time.Minute
	maxHeader    = 64 << 10
	lastWordTime = 2 * time.Second // for error events after the drain time
)

// server serves one handler until its context ends, then lets answers finish.
type server struct {
	http     *http.Server
	log      *slog.Logger
	listener net.Listener
	drain    time.Duration
	stopping func()                  // is told when the end begins
	cut      context.CancelCauseFunc // ends the requests that are still open after drain
}

// listen takes the address, so that what keeps it from being served is known before anything
// else happens.
func listen(cfg *config.Config, log *slog.Logger) (*server, error) {
	secure, err := tlsConfig(cfg)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; is another Point running? --listen chooses another address", cfg.Listen, unwrapOp(err))
	}
	base, cut := context.WithCancelCause(context.Background())
	s := &server{
		log: log, listener: listener, drain: cfg.Drain, cut: cut,
		http: &http.Server{
			ReadHeaderTimeout: headerLimit, IdleTimeout: idleLimit, MaxHeaderBytes: maxHeader,
			TLSConfig:   secure,
			BaseContext: func(net.Listener) context.Context { return base },
			ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
	return s, nil
}

// unwrapOp drops the "listen tcp 127.0.0.1:8080" that the caller says already.
func unwrapOp(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func tlsConfig(cfg *config.Config) (*tls.Config, error) {
	switch {
	case len(cfg.TLS.Domains) > 0:
		manager := &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			HostPolicy: autocert.HostWhitelist(cfg.TLS.Domains...),
			Cache:      autocert.DirCache(filepath.Join(cfg.DataDir, "acme")),
		}
		c := manager.TLSConfig()
		c.MinVersion = tls.VersionTLS12
		return c, nil
	case cfg.TLS.Cert != "":
		pair, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("POINT_TLS_CERT and POINT_TLS_KEY: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
	default:
		return nil, nil
	}
}

// run serves until ctx ends, then drains: no new connection, open answers finish, and those
// that do not are told.
func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	s.stopping()
	return s.stop()
}

func (s *server) serve() (err error) {
	defer panics.Catch(s.log, "the server", &err)
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	err := s.http.Shutdown(ctx)
	s.cut(&point.Error{Code: point.ShuttingDown, Message: "Point is shutting down; send the request again."})
	if err == nil {
		return nil
	}
	ctx, cancel = context.WithTimeout(context.Background(), lastWordTime)
	defer cancel()
	if err := s.http.Shutdown(ctx); err == nil {
		return nil
	}
	return s.http.Close()
}

// close ends the server at once. The listener is its own until run hands it over.
func (s *server) close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(s.http.Close(), err)
}

// addr is what is listened on.
func (s *server) addr() string { return s.listener.Addr().String() }

// mux sends each request to the component that serves its path.
type mux struct {
	data, api, console       http.Handler
	metrics, healthz, readyz http.Handler
}

func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.component(r.URL.Path).ServeHTTP(w, r)
}

func (m *mux) component(path string) http.Handler {
	switch {
	case strings.HasPrefix(path, "/v1/") || path == "/v1" || strings.HasPrefix(path, "/v1beta/") || adapter.Misplaced(path):
		return m.data
	case strings.HasPrefix(path, "/api/") || path == "/api" || strings.HasPrefix(path, "/.well-known/"):
		return m.api
	case path == "/metrics":
		return m.metrics
	case path == "/healthz":
		return m.healthz
	case path == "/readyz":
		return m.readyz
	default:
		return m.console
	}
}
