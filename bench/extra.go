package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"point/mock"
)

// figure is a measurement that is no ratio.
type figure struct {
	Name    string             `json:"name"`
	Unit    string             `json:"unit"`
	Values  map[string]float64 `json:"values"` // by target
	Limit   float64            `json:"limit,omitempty"`
	Stretch string             `json:"stretch,omitempty"`
}

// measureExtra measures memory, start and journal, as far as they are asked for.
func (l *lab) measureExtra(ctx context.Context, report *report) error {
	if !l.hasPoint() {
		return nil
	}
	steps := []struct {
		name string
		run  func(context.Context) ([]figure, error)
	}{
		{"memory", l.measureMemory}, {"start", l.measureStart}, {"journal", l.measureJournal},
	}
	for _, step := range steps {
		if !l.rows.MatchString(step.name) {
			continue
		}
		figures, err := step.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		for _, f := range figures {
			f.log(l.log)
		}
		report.figures = append(report.figures, figures...)
	}
	return nil
}

func (f *figure) log(w io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(f.Values)) {
		fmt.Fprintf(w, "%-40s %-15s %7.1f %s\n", f.Name, name, f.Values[name], f.Unit)
	}
}

// settleTime is how long a process rests before its memory is read.
const settleTime = 3 * time.Second

// measureMemory reads the resident memory, idle and with many streams open.
func (l *lab) measureMemory(ctx context.Context) (list []figure, err error) {
	counts := []struct {
		streams int
		foreign bool // they are translated
		limit   float64
		stretch string
	}{{0, false, 60, "40"}, {1000, false, 160, "110"}, {1000, true, 220, ""}, {5000, false, 500, "400"}}
	for _, c := range counts {
		if c.streams == 5000 && !l.many {
			continue
		}
		if l.quick {
			c.streams, c.limit = min(c.streams, 50), 0
		}
		f := figure{Name: fmt.Sprintf("memory with %d open streams", c.streams), Unit: "MiB", Values: map[string]float64{}, Limit: c.limit, Stretch: c.stretch}
		model := "fault-hang-midstream"
		switch {
		case c.streams == 0:
			f.Name = "memory, idle"
		case c.foreign:
			f.Name, model = fmt.Sprintf("memory with %d open translated streams", c.streams), foreignProvider+model
		}
		for _, name := range []string{nameGoproxy, nameHot} {
			if f.Values[name], err = l.memoryOf(ctx, name, model, c.streams); err != nil {
				return nil, err
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// memoryOf starts the target afresh, opens streams that have said something and then hang,
// and reads its memory in MiB.
func (l *lab) memoryOf(ctx context.Context, name, model string, streams int) (float64, error) {
	var p *process
	var err error
	if name == nameGoproxy {
		p, err = l.part(ctx, "goproxy", l.mock.addr)
	} else {
		p, err = l.startPoint(ctx, "")
	}
	if err != nil {
		return 0, err
	}
	defer p.kill()
	r := row{prompt: 1 << 10, stream: true}
	if name == nameGoproxy {
		model = strings.TrimPrefix(model, foreignProvider)
	}
	body := r.body(model)
	clients := make([]*client, streams)
	var group errgroup.Group
	group.SetLimit(32)
	for i := range clients {
		clients[i] = &client{addr: p.addr, request: newRequest(p.addr, "/v1/chat/completions", body), chunks: 1}
		group.Go(clients[i].begin)
	}
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", name, err, p.log)
	}
	if err := l.rest(ctx, settleTime); err != nil {
		return 0, err
	}
	rss, err := p.rss()
	return float64(rss) / (1 << 20), err
}

// begin sends the request and waits for the answer's first bytes.
func (c *client) begin() error {
	if err := c.send(); err != nil {
		return err
	}
	if _, err := c.head(); err != nil {
		return err
	}
	_, err := c.r.Peek(1)
	return err
}

func (l *lab) rest(ctx context.Context, d time.Duration) error {
	if l.quick {
		d = min(d, quickTime)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Who signs in to make keys.
const (
	adminEmail    = "bench@point.example"
	adminPassword = "a long enough bench password"
)

// startLimitMS is performance.md's limit from start to first answer.
const startLimitMS = 300

// measureStart fills a database with client keys and measures from the start of the process
// to its first answered chat.
func (l *lab) measureStart(ctx context.Context) ([]figure, error) {
	dir := filepath.Join(l.dir, "start")
	if err := l.fill(ctx, dir); err != nil {
		return nil, err
	}
	starts := []struct {
		name  string
		start func() (*process, error)
	}{
		{nameHot, func() (*process, error) { return l.launchPoint(dir, "") }},
		{nameGoproxy, func() (*process, error) { return l.launchPart("goproxy", l.mock.addr) }},
	}
	f := figure{Name: fmt.Sprintf("start to first answer, %d keys", l.keys), Unit: "ms", Values: map[string]float64{}, Limit: l.limit(startLimitMS)}
	for _, s := range starts {
		var times []time.Duration
		for range l.rounds {
			t, err := timeStart(ctx, s.start)
			if err != nil {
				return nil, err
			}
			times = append(times, t)
		}
		f.Values[s.name] = milliseconds(median(times))
	}
	return []figure{f}, nil
}

// fill runs a Point on dir once, to make its keys.
func (l *lab) fill(ctx context.Context, dir string) error {
	p, err := l.launchPoint(dir, "", "POINT_ADMIN_EMAIL="+adminEmail, "POINT_ADMIN_PASSWORD="+adminPassword, "POINT_API_RATE=0")
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.ready(ctx, "/readyz"); err != nil {
		return err
	}
	return makeKeys(ctx, p.addr, l.keys)
}

// timeStart starts a process and asks until it answers a chat; then it ends the process.
func timeStart(ctx context.Context, start func() (*process, error)) (time.Duration, error) {
	begin := time.Now()
	p, err := start()
	if err != nil {
		return 0, err
	}
	defer p.stop()
	r := row{prompt: 1 << 10}
	c := &client{addr: p.addr, request: newRequest(p.addr, "/v1/chat/completions", r.body(mock.Bench))}
	defer c.close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for time.Since(begin) < readyLimit {
		if err = c.do(); err == nil {
			return time.Since(begin), nil
		}
		select {
		case <-p.exited:
			return 0, fmt.Errorf("%s ended at once: %s", p.name, p.log)
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
	return 0, fmt.Errorf("%s gives no answer: %w", p.name, err)
}

// makeKeys signs in and creates n client keys.
func makeKeys(ctx context.Context, addr string, n int) error {
	var session struct {
		Token string `json:"access_token"`
	}
	if err := post(ctx, addr, "/api/auth/login", "", map[string]string{"email": adminEmail, "password": adminPassword}, &session); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range n {
		group.Go(func() error {
			return post(ctx, addr, "/api/keys", session.Token, map[string]string{"name": "bench " + strconv.Itoa(i)}, nil)
		})
	}
	return group.Wait()
}

// post sends JSON to /api and reads the answer into out, if there is one.
func post(ctx context.Context, addr, path, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s: %s: %.300s", path, res.Status, b.Bytes())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b.Bytes(), out)
}

// measureJournal runs the journal's and the store's own benchmarks on one core, so that time
// is CPU time.
func (l *lab) measureJournal(ctx context.Context) ([]figure, error) {
	count := "1s"
	if l.quick {
		count = "1x"
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^(BenchmarkJournalAppend|BenchmarkDrain|BenchmarkInsertRecords)$/^(process|sqlite|$)",
		"-benchtime", count, "-cpu", "1", "./monitor", "./store")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	appended := benchFigure(out, "BenchmarkJournalAppend/process", "ns/op") / 1000
	drained := benchFigure(out, "BenchmarkDrain", "ns/op") / 1000
	inserted := benchFigure(out, "BenchmarkInsertRecords/sqlite", "cpu-us/record")
	return []figure{
		{Name: "journal append, per record", Unit: "us", Values: map[string]float64{nameHot: appended}, Limit: l.limit(3), Stretch: "1"},
		{Name: "journal drain into SQLite, per record", Unit: "us", Values: map[string]float64{nameHot: drained + inserted}, Limit: l.limit(30), Stretch: "20"},
	}, nil
}

// limit drops limits in a quick run.
func (l *lab) limit(v float64) float64 {
	if l.quick {
		return 0
	}
	return v
}

// benchFigure finds a benchmark's value in the output of go test; 0 if it is not there.
func benchFigure(out []byte, name, unit string) float64 {
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `(-\d+)?\s.*$`).Find(out)
	fields := strings.Fields(string(line))
	for i := 1; i < len(fields); i++ {
		if fields[i] == unit {
			v, _ := strconv.ParseFloat(fields[i-1], 64) // 0 shows in the table
			return v
		}
	}
	return 0
}
