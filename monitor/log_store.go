package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"point"
	"point/internal/plural"
)

const (
	logLines   = 4096        // that may wait
	logBytes   = 4 << 20     // that may wait
	logBatch   = 200         // lines stored at once
	logPause   = time.Second // between two batches that are not full
	logTimeout = 10 * time.Second
	lastLogs   = 3 * time.Second // bound of storing after the end
)

// LogSink stores log entries: the store.
type LogSink interface {
	InsertLogs(ctx context.Context, entries []point.LogEntry) error
}

// lineQueue holds JSON lines until they are stored. It is the io.Writer of a slog handler
// and never blocks: what does not fit is counted.
type lineQueue struct {
	mu      sync.Mutex
	lines   [][]byte
	bytes   int
	wake    chan struct{}
	dropped atomic.Int64
}

func newLineQueue() lineQueue { return lineQueue{wake: make(chan struct{}, 1)} }

// Write takes one line.
func (q *lineQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) >= logLines || q.bytes+len(line) > logBytes {
		q.dropped.Add(1)
		return len(line), nil
	}
	q.lines = append(q.lines, append([]byte(nil), line...))
	q.bytes += len(line)
	if len(q.lines) == 1 || len(q.lines) == logBatch {
		poke(q.wake)
	}
	return len(line), nil
}

// take removes the oldest lines, a batch at most.
func (q *lineQueue) take() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.lines), logBatch)
	batch := q.lines[:n:n]
	q.lines = q.lines[n:]
	for _, line := range batch {
		q.bytes -= len(line)
	}
	if len(q.lines) > 0 {
		poke(q.wake)
	}
	return batch
}

// Run stores lines in batches until ctx ends, then what is left for at most 3 s. While the
// sink fails lines wait, and those beyond the room for them are dropped from the database,
// not from the terminal.
func (l *Log) Run(ctx context.Context, sink LogSink) error {
	var told int64
	for {
		select {
		case <-ctx.Done():
			return l.storeLast(ctx, sink, nil)
		case <-l.queue.wake:
		}
		batch := l.queue.take()
		if l.storeBatch(ctx, sink, batch) != nil {
			return l.storeLast(ctx, sink, batch) // the end came while it was stored
		}
		if dropped := l.Dropped(); dropped > told {
			l.alerts.Raise(AlertLogDrops, "logs", plural.Of(int64(dropped-told), "entry was", "entries were")+" dropped")
			told = dropped
		}
		if len(batch) < logBatch {
			pause(ctx, logPause)
		}
	}
}

// storeLast stores a batch and what is queued, after the end; what it cannot is dropped.
func (l *Log) storeLast(ended context.Context, sink LogSink, batch [][]byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), lastLogs)
	defer cancel()
	for ; ; batch = l.queue.take() {
		if len(batch) == 0 {
			if batch = l.queue.take(); len(batch) == 0 {
				return nil
			}
		}
		if err := l.storeBatch(ctx, sink, batch); err != nil {
			l.queue.dropped.Add(int64(len(batch)))
			return err
		}
	}
}

// storeBatch tries until the sink takes the batch or ctx ends.
func (l *Log) storeBatch(ctx context.Context, sink LogSink, batch [][]byte) error {
	entries := make([]point.LogEntry, len(batch))
	for i, line := range batch {
		entries[i] = logEntry(line)
	}
	for n := 1; len(entries) > 0; n++ {
		try, cancel := context.WithTimeout(ctx, logTimeout)
		err := sink.InsertLogs(try, entries)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("store logs: %w", err)
		}
		pause(ctx, backoff(n))
	}
	return nil
}

// logEntry reads a line of slog.JSONHandler back. Context holds the attributes that have no
// column of their own.
func logEntry(line []byte) point.LogEntry {
	var head struct {
		Time      time.Time `json:"time"`
		Level     string    `json:"level"`
		Message   string    `json:"msg"`
		Component any       `json:"component"`
	}
	entry := point.LogEntry{ID: uuid.Must(uuid.NewV7()).String()}
	var attrs map[string]json.RawMessage
	if json.Unmarshal(line, &head) != nil || json.Unmarshal(line, &attrs) != nil {
		entry.Timestamp, entry.Level, entry.Message = time.Now().UTC(), "error", strings.ToValidUTF8(string(line), "?")
		return entry
	}
	entry.Timestamp, entry.Level, entry.Message = head.Time.UTC(), levelName(head.Level), head.Message
	entry.Component, _ = head.Component.(string)
	for _, name := range []string{"time", "level", "msg", "component"} {
		delete(attrs, name)
	}
	if len(attrs) > 0 {
		entry.Context, _ = json.Marshal(attrs)
	}
	return entry
}

// levelName is the level as the table has it: levels between two count as the lower one.
func levelName(level string) string {
	name, _, _ := strings.Cut(strings.ToLower(level), "+")
	switch name {
	case "debug", "info", "warn", "error":
		return name
	}
	return "debug" // below debug
}
