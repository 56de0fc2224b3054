package monitor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

func probe(h http.Handler) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestReadyThroughALife(t *testing.T) {
	now := time.Now()
	var log bytes.Buffer
	h := NewHealth(func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	var database error
	h.Register("database", func(context.Context) error { return database })
	h.Register("journal", func(context.Context) error { return nil })
	steps := []struct {
		name string
		do   func()
		code int
		body string
	}{
		{"starting", func() {}, 503, `{"status":"starting"}`},
		{"ready", h.Ready, 200, `{"status":"ready"}`},
		{"database gone", func() { database = errors.New("postgres://u:hunter2@db.internal: refused") }, 200,
			`{"status":"degraded","reasons":[{"name":"database","state":"down","message":"` + downMessage + `"}]}`},
		{"database still gone", func() {}, 200, `{"status":"degraded","reasons":[{"name":"database","state":"down","message":"` + downMessage + `"}]}`},
		{"database slow", func() { database = &DegradedError{"answers slowly"} }, 200,
			`{"status":"degraded","reasons":[{"name":"database","state":"degraded","message":"answers slowly"}]}`},
		{"database back", func() { database = nil }, 200, `{"status":"ready"}`},
		{"draining", h.Draining, 503, `{"status":"draining"}`},
	}
	for _, s := range steps {
		now = now.Add(time.Minute)
		s.do()
		if code, body := probe(h.ReadyHandler()); code != s.code || body != s.body {
			t.Errorf("%s: %d %s", s.name, code, body)
		}
		if code, body := probe(h.Live()); code != 200 || body != `{"status":"ok"}` {
			t.Errorf("%s: live %d %s", s.name, code, body)
		}
		if s.name == "database gone" {
			if c := h.Checks(t.Context())[0]; c.Message != "postgres://***@db.internal: refused" {
				t.Error("who may read the status learns", c.Message)
			}
		}
	}
	if text := log.String(); strings.Count(text, "db.internal") != 1 || strings.Count(text, "ok again") != 1 || strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}

func TestChecksThatHangOrPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth(time.Now, quiet())
		h.Register("hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		h.Register("panics", func(context.Context) error { panic("oh") })
		h.Register("fine", func(context.Context) error { return nil })
		start := time.Now()
		got := h.Checks(t.Context())
		if took := time.Since(start); took > checkTimeout {
			t.Errorf("took %v", took)
		}
		want := []string{point.HealthDown, point.HealthDown, point.HealthOK}
		for i, c := range got {
			if c.State != want[i] {
				t.Errorf("%+v", c)
			}
		}
	})
}

type beats struct {
	mu     sync.Mutex
	states []string
	err    error
}

func (b *beats) Heartbeat(_ context.Context, i point.Instance) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states = append(b.states, i.State)
	return b.err
}

func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth(time.Now, quiet())
		sink := &beats{err: errors.New("down")}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = h.Beat(ctx, sink, point.Instance{ID: "1"}, quiet()) })
		<-time.After(time.Second)
		h.Ready()
		<-time.After(time.Second)
		<-time.After(2 * beatEvery)
		cancel()
		run.Wait()
		if got := strings.Join(sink.states, " "); got != "starting ready ready ready draining" {
			t.Error(got)
		}
	})
}

func TestJournalCheck(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	j := openTestJournal(t, JournalOptions{Now: func() time.Time { return now }})
	appendN(t, j, 0, 3)
	if err := j.Check(t.Context()); err != nil {
		t.Error(err)
	}
	now = now.Add(time.Hour)
	var degraded *DegradedError
	if err := j.Check(t.Context()); !errors.As(err, &degraded) || !strings.Contains(err.Error(), "3 records") {
		t.Error(err)
	}
}
