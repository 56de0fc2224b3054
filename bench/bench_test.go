package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"point/mock"
)

// TestMain plays the part of a child too: the lab starts the test binary again.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		exit(play(role))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

// TestOpenLoopCountsFromWhenDue: a target that stands still holds up the loop too, and the
// requests that could not even be sent meanwhile have waited all the same.
func TestOpenLoopCountsFromWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		stall := time.After(10 * time.Second)
		stalled := make(chan struct{})
		go func() {
			<-stall
			close(stalled)
		}()
		l := &load{rate: 100}
		r := l.open(ctx, func() (func() error, func()) {
			return func() error { <-stalled; return nil }, func() {}
		})
		late := 0
		for _, latency := range r.latencies {
			if latency > time.Second {
				late++
			}
		}
		if late < 890 || late > 910 || r.requests < 1990 || r.requests > 2001 {
			t.Errorf("%d requests, %d of them late; of 2000 the 900 due in the first 9 s were", r.requests, late)
		}
		if median := percentile(r.latencies[len(r.latencies)-1000:], 0.5); median < 4*time.Second || median > 6*time.Second {
			t.Errorf("half of those due while it stood still waited %v, want about 5 s", median)
		}
	})
}

// TestQuick runs the real thing with all targets but Point: some rows once, and the JSON file.
func TestQuick(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.json")
	s, err := parse([]string{"-quick", "-rows", "^(chat|rate|stream)$", "-point", "none", "-json", file}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	past, err := bench(t.Context(), s, &out, &progress)
	if err != nil || past != 0 {
		t.Fatalf("%d past, %v: %s", past, err, progress.String())
	}
	http.DefaultClient.CloseIdleConnections()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var result saved
	if err := json.Unmarshal(b, &result); err != nil || len(result.Rows) != 3 {
		t.Fatalf("%d rows, %v", len(result.Rows), err)
	}
	for _, r := range result.Rows {
		for _, sample := range r.Samples[nameGoproxy] {
			if sample.Requests == 0 {
				t.Errorf("%s: nothing measured: %+v", r.Name, sample)
			}
		}
		if !strings.Contains(out.String(), "| "+r.Title+" | goproxy |") {
			t.Errorf("the table lacks %s:\n%s", r.Title, out.String())
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-rows", "("}, {"extra"}, {"-unknown"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if s, err := parse(nil, io.Discard); err != nil || s.rounds != 5 || !strings.HasPrefix(s.json, "bench/results/") {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestClientReadsMock(t *testing.T) {
	url, stop, err := mock.New(mock.Options{}).Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	addr := strings.TrimPrefix(url, "http://")
	for _, r := range rows() {
		l := r.loadFor(nameDirect, addr)
		c := l.client()
		for range 2 {
			if err := c.do(); err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
		}
		c.close()
	}
	for _, model := range []string{"fault-eof-midstream", "fault-end-midstream", "fault-reset-midstream", "fault-no-done"} {
		r := row{stream: true, model: model, load: load{path: "/v1/chat/completions", chunks: 1}}
		l := r.loadFor(nameDirect, addr)
		if err := l.client().do(); !errors.Is(err, errCut) {
			t.Errorf("%s: %v", model, err)
		}
	}
}

// TestClientReads gives the client answers that are sent a byte at a time.
func TestClientReads(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name, answer string
		chunks       int
		want         string // of the error, empty for none
	}{
		{"document", ok + "Content-Length: 5\r\n\r\nhello", 0, ""},
		{"chunked document", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 0, ""},
		{"closing", ok + "content-length: 2\r\nConnection: close\r\n\r\nok", 0, ""},
		{"stream", ok + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", 2, ""},
		{"split event", ok + "Transfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n1\r\n\n\r\n5\r\ndata:\r\n9\r\n [DONE]\n\n\r\n0\r\n\r\n", 2, ""},
		{"too few", ok + "Transfer-Encoding: chunked\r\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", 2, "cut: 1 events"},
		{"no done", ok + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n", 1, "cut"},
		{"cut", ok + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata:", 1, "unexpected EOF"},
		{"no stream", ok + "Content-Length: 2\r\n\r\n{}", 1, "no stream"},
		{"no length", ok + "\r\n", 0, "no length"},
		{"refused", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 0, "503 No"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &client{addr: answering(t, tt.answer), request: newRequest("x", "/", []byte("{}")), chunks: tt.chunks}
			defer c.close()
			err := c.do()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// answering serves one connection: it reads something and writes the answer byte by byte.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1024)) // a client that is gone shows below
		for i := range len(answer) {
			if _, err := conn.Write([]byte{answer[i]}); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	l := load{addr: server.Listener.Addr().String(), path: "/", body: []byte("{}"), rate: 200, duration: time.Second / 2}
	r, err := l.run(t.Context())
	if err != nil || r.requests < 50 || r.requests > 110 || len(r.latencies) != r.requests {
		t.Errorf("%d requests, %d latencies, %v", r.requests, len(r.latencies), err)
	}
	if p := percentile(r.latencies, 0.5); p <= 0 || p > percentile(r.latencies, 0.99) {
		t.Errorf("p50 %v, p99 %v", p, percentile(r.latencies, 0.99))
	}
}

func TestLoadTellsAnEmptyRun(t *testing.T) {
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	l := load{addr: addr, path: "/", connections: 2, duration: 50 * time.Millisecond}
	if _, err := l.run(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

func TestCPUTicks(t *testing.T) {
	stat := "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 9 0 1 2 3"
	if n, err := cpuTicks([]byte(stat)); err != nil || n != 12 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := cpuTicks([]byte("42 (a) S 1")); err == nil {
		t.Error("a short line is taken")
	}
}

func TestVerdicts(t *testing.T) {
	o := outcome{row: row{hot: 1, settled: 1.25, direct: true, unit: "request", title: "work"}, samples: map[string][]sample{
		nameDirect:  {{P50: time.Millisecond}},
		nameGoproxy: {{CPU: 100, P50: 2 * time.Millisecond}, {CPU: 110, P50: 2 * time.Millisecond}},
		nameHot:     {{CPU: 99, P50: 2 * time.Millisecond}, {CPU: 150, P50: 3 * time.Millisecond}},
		nameSettled: {{CPU: 126, P50: 9 * time.Millisecond}, {CPU: 200, P50: 9 * time.Millisecond, Failed: 1}},
	}, order: []string{nameDirect, nameGoproxy, nameHot, nameSettled}}
	if x := o.ratio(nameHot); x.best != 0.99 || x.median < 1.3 {
		t.Errorf("%+v", x)
	}
	if n := o.past(); n != 2 { // settled: its ratio, and a lost request
		t.Errorf("%d past", n)
	}
	o.samples[nameHot][0].P50 = 2200 * time.Microsecond
	if n := o.past(); n != 3 { // and the latency
		t.Errorf("%d past", n)
	}
	r := report{outcomes: []outcome{o}, figures: []figure{{Name: "memory", Values: map[string]float64{nameHot: 61}, Limit: 60}}}
	if r.past() != 4 {
		t.Errorf("%d past", r.past())
	}
	text := r.markdown()
	for _, want := range []string{"| work | point, hot | 150.00 per request |", "<= 1 ok", "<= 1.25 **past**", "| memory,  | 61.0 | - | <= 60 **past** |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestBenchFigure(t *testing.T) {
	out := []byte("goos: linux\nBenchmarkJournalAppend/process-2 \t  500 \t 1500 ns/op\t 12 B/op\nBenchmarkInsertRecords/sqlite \t 9 \t 8 ns/op \t 17.5 cpu-us/record\n")
	if v := benchFigure(out, "BenchmarkJournalAppend/process", "ns/op"); v != 1500 {
		t.Error(v)
	}
	if v := benchFigure(out, "BenchmarkInsertRecords/sqlite", "cpu-us/record"); v != 17.5 {
		t.Error(v)
	}
	if v := benchFigure(out, "BenchmarkNone", "ns/op"); v != 0 {
		t.Error(v)
	}
}

// TestLag reads a metrics page.
func TestLag(t *testing.T) {
	page := "# HELP point_journal_lag_records x\npoint_journal_lag_records 12\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	p := &process{addr: server.Listener.Addr().String()}
	if n, err := lag(t.Context(), p); err != nil || n != 12 {
		t.Errorf("%d, %v", n, err)
	}
	page = "nothing\n"
	if _, err := lag(context.Background(), p); err == nil {
		t.Error("a page without the figure is taken")
	}
}

// BenchmarkClient is what a request costs the load generator and the simulated service.
func BenchmarkClient(b *testing.B) {
	url, stop, err := mock.New(mock.Options{}).Start(b.Context(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	for _, r := range rows() {
		if r.name != "chat" && r.name != "stream" {
			continue
		}
		b.Run(r.name, func(b *testing.B) {
			l := r.loadFor(nameDirect, strings.TrimPrefix(url, "http://"))
			c := l.client()
			defer c.close()
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
