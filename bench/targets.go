package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"point/mock"
)

// roleEnv makes this binary play a part: mock or goproxy. addrEnv is where it listens,
// upstreamEnv what goproxy stands before.
const (
	roleEnv     = "BENCH_ROLE"
	addrEnv     = "BENCH_ADDR"
	upstreamEnv = "BENCH_UPSTREAM"
)

// play serves as one of the parts until it is told to end.
func play(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := os.Getenv(addrEnv)
	switch role {
	case "mock":
		return mock.New(mock.Options{}).Run(ctx, addr)
	case "goproxy":
		return serve(ctx, addr, goproxy(os.Getenv(upstreamEnv)))
	}
	return fmt.Errorf("unknown role %q", role)
}

func serve(ctx context.Context, addr string, h http.Handler) error {
	server := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // it ends either way
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// goproxy is the yardstick: the standard library's reverse proxy with the idle connections
// and buffers that it needs to be fair.
func goproxy(upstream string) http.Handler {
	to := &url.URL{Scheme: "http", Host: upstream, Path: "/openai"}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 1024,
			DisableCompression:  true,
		},
		BufferPool: &proxyBuffers{},
		ErrorLog:   log.New(io.Discard, "", 0),
	}
}

// proxyBuffers is a httputil.BufferPool.
type proxyBuffers struct{ pool sync.Pool }

func (p *proxyBuffers) Get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (p *proxyBuffers) Put(b []byte) { p.pool.Put(&b) }

// lab holds the processes that live through the whole run.
type lab struct {
	*settings
	dir     string
	log     io.Writer
	mock    *process
	goproxy *process
	nginx   *process // nil if it is not installed
	started []*process
	serial  int
}

// clientKey is the key that Point admits.
const clientKey = "pt-bench-0123456789abcdef"

func (l *lab) start(ctx context.Context) (err error) {
	if l.mock, err = l.part(ctx, "mock", ""); err != nil {
		return err
	}
	if l.goproxy, err = l.part(ctx, "goproxy", l.mock.addr); err != nil {
		return err
	}
	l.nginx, err = l.startNginx(ctx)
	return err
}

// stop ends all processes, the latest first.
func (l *lab) stop() {
	for i := len(l.started) - 1; i >= 0; i-- {
		l.started[i].stop()
	}
	l.started = nil
}

// part starts this binary again in another role and waits until it listens.
func (l *lab) part(ctx context.Context, role, upstream string) (*process, error) {
	p, err := l.launchPart(role, upstream)
	if err != nil {
		return nil, err
	}
	return p, p.ready(ctx, "")
}

func (l *lab) launchPart(role, upstream string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p, err := spawn(role, addr, []string{roleEnv + "=" + role, addrEnv + "=" + addr, upstreamEnv + "=" + upstream}, self)
	if err != nil {
		return nil, err
	}
	l.started = append(l.started, p)
	return p, nil
}

const nginxConfig = `worker_processes %d;
daemon off;
pid %s/nginx.pid;
error_log %s/error.log crit;
events { worker_connections 16384; }
http {
	access_log %s/access.log;
	client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
	client_max_body_size 64m;
	keepalive_requests 1000000;
	upstream service { server %s; keepalive 1024; keepalive_requests 1000000; }
	server {
		listen %s backlog=4096;
		location /v1/ {
			proxy_pass http://service/openai/v1/;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_buffering off;
			proxy_request_buffering off;
			proxy_read_timeout 600s;
		}
	}
}
`

// startNginx starts nginx as people run it before a service: access log on, connections kept.
func (l *lab) startNginx(ctx context.Context) (*process, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			fmt.Fprintln(l.log, "nginx is not installed, it is left out")
			return nil, nil //nolint:nilnil // documented at lab.nginx
		}
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(l.dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(nginxConfig, 2, dir, dir, dir, dir, dir, dir, dir, dir, l.mock.addr, addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := spawn("nginx", addr, nil, program, "-p", dir, "-c", file)
	if err != nil {
		return nil, err
	}
	l.started = append(l.started, p)
	return p, p.ready(ctx, "")
}

const pointConfig = `providers:
  - name: bench
    provider: openai-compatible
    config: {base_url: "http://%[1]s/openai/v1", api_key: "sk-bench-upstream", models: [bench, bench-stream, bench-stream-paced, fault-hang-midstream]}
  - name: bench-anthropic
    provider: anthropic
    config: {base_url: "http://%[1]s/anthropic", api_key: "sk-bench-upstream", models: [bench, bench-stream, fault-hang-midstream]}
`

// held is a journal interval that is never reached: the drain is held back.
const held = "24h"

// hasPoint tells whether there is a binary to measure.
func (l *lab) hasPoint() bool {
	_, err := os.Stat(l.point)
	return err == nil
}

// startPoint starts Point with a fresh data folder, SQLite, and everything on. The caller
// stops it. interval is POINT_JOURNAL_INTERVAL, empty for the default.
func (l *lab) startPoint(ctx context.Context, interval string, env ...string) (*process, error) {
	l.serial++
	dir := filepath.Join(l.dir, "point"+strconv.Itoa(l.serial))
	p, err := l.launchPoint(dir, interval, env...)
	if err != nil {
		return nil, err
	}
	return p, p.ready(ctx, "/readyz")
}

func (l *lab) launchPoint(dir, interval string, env ...string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, pointConfig, l.mock.addr), 0o600); err != nil {
		return nil, err
	}
	name := "point"
	if interval != "" {
		env = append(env, "POINT_JOURNAL_INTERVAL="+interval, "POINT_JOURNAL_MAX=8GiB")
	} else {
		name = "point, settled"
	}
	env = append(env, "POINT_LISTEN="+addr, "POINT_DATA_DIR="+dir, "POINT_CONFIG="+file, "POINT_BOOTSTRAP_KEY="+clientKey, "POINT_DEMO=false")
	p, err := spawn(name, addr, env, l.point, "serve")
	if err != nil {
		return nil, err
	}
	l.started = append(l.started, p)
	return p, nil
}

// lag reads how many records wait for the database.
func lag(ctx context.Context, p *process) (int64, error) {
	page, err := get(ctx, p.addr, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, "point_journal_lag_records "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int64(n), err
		}
	}
	return 0, errors.New("/metrics has no point_journal_lag_records")
}

// drainLimit is how long the journal may take to reach the database.
const drainLimit = 5 * time.Minute

// drain waits until no record waits. It asks seldom, for asking costs CPU too.
func drain(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := lag(ctx, p)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d records still wait for the database: %w", n, ctx.Err())
		}
	}
}
