package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// load is how a target is asked.
type load struct {
	addr        string
	path        string
	body        []byte
	chunks      int     // content events of a stream, 0: no stream
	connections int     // of a closed loop
	rate        float64 // requests a second of an open loop, 0: closed
	duration    time.Duration
}

// result is what came of it.
type result struct {
	requests  int
	failed    int
	failure   error // the first
	elapsed   time.Duration
	latencies []time.Duration // sorted, of an open loop alone
}

// run loads the target for l.duration. Requests that are under way at its end are finished.
func (l *load) run(ctx context.Context) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	begin := time.Now()
	var r result
	if l.rate > 0 {
		r = l.open(ctx, func() (func() error, func()) {
			c := l.client()
			return c.do, c.close
		})
	} else {
		r = l.closed(ctx)
	}
	r.elapsed = time.Since(begin)
	if r.requests == 0 {
		return r, fmt.Errorf("no request to %s%s came through: %w", l.addr, l.path, r.failure)
	}
	return r, nil
}

func (l *load) client() *client {
	return &client{addr: l.addr, request: newRequest(l.addr, l.path, l.body), chunks: l.chunks}
}

// closed keeps each connection busy.
func (l *load) closed(ctx context.Context) result {
	results := make([]result, l.connections)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			c := l.client()
			defer c.close()
			for ctx.Err() == nil && results[i].failed < maxFailures {
				results[i].count(c.do())
			}
		})
	}
	wg.Wait()
	return merge(results)
}

// maxFailures ends a worker whose target is broken.
const maxFailures = 100

// maxOpen is how many requests of an open loop may be under way at once.
const maxOpen = 256

// open sends requests at a fixed rate, whether answers come or not. The latency counts from
// when a request was due to go: waiting for a free worker is a part of it. Each worker asks
// with a function of its own.
func (l *load) open(ctx context.Context, worker func() (ask func() error, end func())) result {
	due := make(chan time.Time, maxOpen)
	results := make([]result, min(maxOpen, max(16, int(l.rate/4))))
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			ask, end := worker()
			defer end()
			for at := range due {
				results[i].count(ask())
				results[i].latencies = append(results[i].latencies, time.Since(at))
			}
		})
	}
	interval := time.Duration(float64(time.Second) / l.rate)
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for at := begin; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-timer.C:
			due <- at // which may be long ago, when all workers were busy
			at = at.Add(interval)
			timer.Reset(time.Until(at))
		}
	}
	close(due)
	wg.Wait()
	return merge(results)
}

// count books one request.
func (r *result) count(err error) {
	if err == nil {
		r.requests++
		return
	}
	r.failed++
	if r.failure == nil {
		r.failure = err
	}
}

func merge(results []result) result {
	var sum result
	for _, r := range results {
		sum.requests += r.requests
		sum.failed += r.failed
		if sum.failure == nil {
			sum.failure = r.failure
		}
		sum.latencies = append(sum.latencies, r.latencies...)
	}
	slices.Sort(sum.latencies)
	return sum
}

// percentile of sorted latencies; p is between 0 and 1.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
