package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

type logSink struct {
	mu      sync.Mutex
	entries []point.LogEntry
	err     error
}

func (s *logSink) InsertLogs(_ context.Context, entries []point.LogEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.entries = append(s.entries, entries...)
	return nil
}

// finish stores what l has.
func finish(t *testing.T, l *Log, sink *logSink) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Run(ctx, sink); err != nil {
		t.Error(err)
	}
}

func TestLogReachesTerminalAndDatabase(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var terminal bytes.Buffer
			l := NewLog(LogOptions{Format: format, Out: &terminal})
			log := l.Logger().With("component", "gateway")
			log.Info("request ended", "request_id", "req-1", "status", 200, slog.Group("usage", "input", 12))
			log.Debug("not at this level")
			log.WithGroup("g").Warn("grouped", "a", 1)
			sink := &logSink{}
			finish(t, l, sink)
			if len(sink.entries) != 2 || !strings.Contains(terminal.String(), "request ended") {
				t.Fatalf("%+v\n%s", sink.entries, &terminal)
			}
			e := sink.entries[0]
			if e.Level != "info" || e.Component != "gateway" || e.Message != "request ended" || e.ID == "" || time.Since(e.Timestamp) > time.Minute ||
				string(e.Context) != `{"request_id":"req-1","status":200,"usage":{"input":12}}` {
				t.Errorf("%+v %s", e, e.Context)
			}
			if g := sink.entries[1]; g.Level != "warn" || string(g.Context) != `{"g":{"a":1}}` {
				t.Errorf("%+v %s", g, g.Context)
			}
		})
	}
}

type withKey struct {
	Model  string
	APIKey string `json:"api_key"`
}

func TestLogHidesCredentials(t *testing.T) {
	const canary = "canary0123456789abcdef"
	key := "sk-" + canary
	for _, format := range []string{"text", "json"} {
		var terminal bytes.Buffer
		l := NewLog(LogOptions{Format: format, Out: &terminal, Level: slog.LevelDebug})
		log := l.Logger()
		log.Info("message with "+key, "plain", "Bearer "+canary, "api_key", canary, "password", []string{canary})
		log.Error("failed", "error", fmt.Errorf("get https://u:%s@host/: %w", canary, errors.New("x-api-key: "+canary)))
		log.Info("values", "secret type", point.NewSecret(canary), "struct", withKey{"m", canary}, "map", map[string]any{"token": canary},
			"bytes", []byte("Authorization: Bearer "+canary), "raw", json.RawMessage(`{"refresh_token":"`+canary+`"}`),
			"unmarshalable", []any{func() {}, "password=" + canary})
		log.With("dsn", "postgres://u:"+canary+"@db/x").WithGroup("token").Info("group", "k", key)
		sink := &logSink{}
		finish(t, l, sink)
		stored, err := json.Marshal(sink.entries)
		if err != nil || len(sink.entries) != 4 {
			t.Fatal(err, len(sink.entries))
		}
		for name, text := range map[string]string{"terminal": terminal.String(), "database": string(stored)} {
			if strings.Contains(text, canary) {
				t.Errorf("%s (%s) shows a credential:\n%s", name, format, text)
			}
		}
		if !strings.Contains(string(stored), `"Model":"m"`) {
			t.Errorf("harmless values are gone: %s", stored)
		}
	}
}

func TestLogLevelCanChange(t *testing.T) {
	var level slog.LevelVar
	l := NewLog(LogOptions{Level: &level, Out: io.Discard})
	log := l.Logger()
	log.Debug("no")
	level.Set(slog.LevelDebug)
	log.Debug("yes")
	sink := &logSink{}
	finish(t, l, sink)
	if len(sink.entries) != 1 || sink.entries[0].Message != "yes" || sink.entries[0].Level != "debug" {
		t.Errorf("%+v", sink.entries)
	}
}

func TestLogsWaitForTheDatabaseAndTheRestIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alerts := &raised{}
		l := NewLog(LogOptions{Out: io.Discard})
		l.Alert(alerts)
		sink := &logSink{err: errors.New("down")}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = l.Run(ctx, sink) })
		log := l.Logger()
		log.Info("first")
		synctest.Wait() // the batch of one is being tried
		const more = 100
		for i := range logLines + more {
			log.Info("line", "n", i)
		}
		<-time.After(time.Minute)
		sink.mu.Lock()
		sink.err = nil
		sink.mu.Unlock()
		<-time.After(time.Minute)
		cancel()
		run.Wait()
		if len(sink.entries) != 1+logLines || l.Dropped() != more || alerts.count(AlertLogDrops) != 1 {
			t.Errorf("%d stored, %d dropped, %d alerts", len(sink.entries), l.Dropped(), alerts.count(AlertLogDrops))
		}
	})
}

func TestLogEntryOfOddLines(t *testing.T) {
	for line, want := range map[string]string{
		"not json": "error", `{"level":"INFO+2","msg":"x"}`: "info", `{"level":"DEBUG-4","msg":"x"}`: "debug", `{"level":"ERROR","component":5}`: "error",
	} {
		if e := logEntry([]byte(line)); e.Level != want {
			t.Errorf("%s: %+v", line, e)
		}
	}
}

func BenchmarkLog(b *testing.B) {
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			l := NewLog(LogOptions{Format: format, Out: io.Discard})
			log := l.Logger().With("component", "adapter")
			b.ReportAllocs()
			for b.Loop() {
				log.Info("request", "request_id", benchID, "model", "gpt-4o-mini", "provider", "openai-main", "status", 200, "ms", 1835)
				if len(l.queue.lines) > logLines/2 {
					l.queue.lines, l.queue.bytes = nil, 0
				}
			}
		})
	}
}

// TestLogKeepsWhatTheEndInterrupts: lines that are being stored when the end comes are stored
// all the same, and no alert tells of lost ones.
func TestLogKeepsWhatTheEndInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLog(LogOptions{Out: io.Discard})
		sink := &logSink{err: errors.New("down")}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = l.Run(ctx, sink) })
		l.Logger().Info("stopping")
		synctest.Wait()
		sink.mu.Lock()
		sink.err = nil
		sink.mu.Unlock()
		cancel()
		run.Wait()
		if len(sink.entries) != 1 || l.Dropped() != 0 {
			t.Errorf("%d entries stored, %d dropped", len(sink.entries), l.Dropped())
		}
	})
}
