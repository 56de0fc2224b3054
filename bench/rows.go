package main

import (
	"strings"
	"time"

	"point/mock"
)

// Names of targets in tables.
const (
	nameDirect  = "direct"
	nameGoproxy = "goproxy"
	nameNginx   = "nginx"
	nameHot     = "point, hot"
	nameSettled = "point, settled"
)

// foreignProvider begins the name of a model at the service that speaks Anthropic's dialect.
const foreignProvider = "bench-anthropic/"

// row is one measurement, on all its targets.
type row struct {
	name    string // for -rows
	title   string
	unit    string // what CPU time is divided by: request or chunk
	per     int    // units in a request
	load    load   // address and body are filled in
	prompt  int    // bytes of the request body
	stream  bool
	model   string // empty: bench or bench-stream
	foreign string // asked of Point in place of model
	direct  bool   // measure without a proxy too, for the latency
	hot     float64
	settled float64 // limit against goproxy, 0: not measured
	stretch string
}

// rows are the measurements of CPU time, with the limits that Point must keep.
func rows() []row {
	const chat = "/v1/chat/completions"
	return []row{
		{
			name: "chat", title: "chat 1 KB, 64 connections", unit: "request", per: 1, prompt: 1 << 10,
			load: load{path: chat, connections: 64, duration: 4 * time.Second}, hot: 1.0, settled: 1.25, stretch: "0.8 / 1.0",
		},
		{
			name: "rate", title: "chat 1 KB, 300 requests/s open loop", unit: "request", per: 1, prompt: 1 << 10, direct: true,
			load: load{path: chat, rate: 300, duration: 20 * time.Second}, hot: 1.2, settled: 1.4,
		},
		{
			name: "100k", title: "100 KB prompt, 16 connections", unit: "request", per: 1, prompt: 100 << 10,
			load: load{path: chat, connections: 16, duration: 4 * time.Second}, hot: 1.25, stretch: "1.0",
		},
		{
			name: "1m", title: "1 MB prompt, 8 connections", unit: "request", per: 1, prompt: 1 << 20,
			load: load{path: chat, connections: 8, duration: 4 * time.Second}, hot: 1.5,
		},
		{
			name: "stream", title: "stream of 200 chunks, 16 connections", unit: "chunk", per: mock.BenchChunks, prompt: 1 << 10, stream: true,
			load: load{path: chat, connections: 16, chunks: mock.BenchChunks + 3, duration: 4 * time.Second}, hot: 1.0, stretch: "0.8",
		},
		{
			name: "paced", title: "stream of 200 chunks, 5 ms between them, 128 connections", unit: "chunk", per: mock.BenchChunks, prompt: 1 << 10, stream: true,
			load: load{path: chat, connections: 128, chunks: mock.BenchChunks + 3, duration: 5 * time.Second}, model: mock.BenchPaced, hot: 1.0, stretch: "0.8",
		},
		{
			name: "translated", title: "translated stream (Anthropic behind chat), 16 connections", unit: "chunk", per: mock.BenchChunks, prompt: 1 << 10, stream: true,
			load: load{path: chat, connections: 16, chunks: mock.BenchChunks + 3, duration: 4 * time.Second}, foreign: foreignProvider + mock.BenchStream,
			hot: 3.0, stretch: "2.0",
		},
		{
			name: "translated-100k", title: "translated 100 KB prompt (Anthropic behind chat), 16 connections", unit: "request", per: 1, prompt: 100 << 10,
			load: load{path: chat, connections: 16, duration: 4 * time.Second}, foreign: foreignProvider + mock.Bench, hot: 3.0,
		},
	}
}

// Times of a quick run, and of warming up.
const (
	quickTime = 400 * time.Millisecond
	warmTime  = time.Second
)

// body is a chat request of about the row's size.
func (r *row) body(model string) []byte {
	head := `{"model":"` + model + `","messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"`
	tail := `"}],"temperature":0.2}`
	if r.stream {
		tail = `"}],"temperature":0.2,"stream":true}`
	}
	const words = "All that a model reads is text, and most text is plain. "
	room := max(r.prompt-len(head)-len(tail), 1)
	return []byte(head + strings.Repeat(words, room/len(words)+1)[:room] + tail)
}

// loadFor is the row's load on one target.
func (r *row) loadFor(target, addr string) load {
	model := r.model
	switch {
	case model == "" && r.stream:
		model = mock.BenchStream
	case model == "":
		model = mock.Bench
	}
	l := r.load
	if strings.HasPrefix(target, "point") && r.foreign != "" {
		model = r.foreign
		if r.stream {
			l.chunks = mock.BenchChunks + 1 // role and finish may be one event with others
		}
	}
	if target == nameDirect {
		l.path = "/openai" + l.path
	}
	l.addr, l.body = addr, r.body(model)
	return l
}
