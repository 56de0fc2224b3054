package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"point"
	"point/internal/redact"
)

// LogOptions configure a Log. All may be zero.
type LogOptions struct {
	Level  slog.Leveler // slog.LevelInfo; a *slog.LevelVar can be changed while running
	Format string       // "text" or "json"; text
	Out    io.Writer    // os.Stderr
	Alerts point.Alerter
}

// Log writes structured lines to the terminal and keeps them for the database. Whatever
// looks like a credential is masked in both.
type Log struct {
	handler slog.Handler
	queue   lineQueue
	alerts  point.Alerter
}

// NewLog makes a Log. Until Run runs, the newest lines wait in memory.
func NewLog(opt LogOptions) *Log {
	if opt.Level == nil {
		opt.Level = slog.LevelInfo
	}
	if opt.Out == nil {
		opt.Out = os.Stderr
	}
	if opt.Alerts == nil {
		opt.Alerts = noAlerts{}
	}
	l := &Log{alerts: opt.Alerts, queue: newLineQueue()}
	handling := &slog.HandlerOptions{Level: opt.Level, ReplaceAttr: clean}
	if opt.Format == "json" {
		l.handler = logHandler{slog.NewJSONHandler(io.MultiWriter(opt.Out, &l.queue), handling), nil}
	} else {
		l.handler = logHandler{slog.NewTextHandler(opt.Out, handling), slog.NewJSONHandler(&l.queue, handling)}
	}
	return l
}

// Logger writes to l. Parts take it with a "component" attribute of their own.
func (l *Log) Logger() *slog.Logger { return slog.New(l.handler) }

// Alert makes l raise its alerts with alerts, which is made after it.
func (l *Log) Alert(alerts point.Alerter) { l.alerts = alerts }

// Dropped is how many lines did not reach the database for want of room.
func (l *Log) Dropped() int64 { return l.queue.dropped.Load() }

// logHandler hands each record to the terminal's handler and, if that does not write the
// lines for the database too, to theirs.
type logHandler struct {
	terminal slog.Handler
	store    slog.Handler
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.terminal.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if h.store != nil {
		_ = h.store.Handle(ctx, r) // writes to memory
	}
	return h.terminal.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.terminal = h.terminal.WithAttrs(attrs)
	if h.store != nil {
		h.store = h.store.WithAttrs(attrs)
	}
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	h.terminal = h.terminal.WithGroup(name)
	if h.store != nil {
		h.store = h.store.WithGroup(name)
	}
	return h
}

// clean masks credentials in an attribute, by its name and in its value.
func clean(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		s := a.Value.String()
		if s != "" && redact.Name(a.Key) {
			a.Value = slog.StringValue(redact.Mask)
		} else if masked := redact.String(s); masked != s {
			a.Value = slog.StringValue(masked)
		}
	case slog.KindAny:
		if redact.Name(a.Key) {
			a.Value = slog.StringValue(redact.Mask)
		} else {
			a.Value = cleanAny(a.Value)
		}
	}
	return a
}

// cleanAny masks a value that is no basic one, in the form in which it would be written.
func cleanAny(value slog.Value) slog.Value {
	switch v := value.Any().(type) {
	case nil, slog.Level, *slog.Source:
		return value
	case error:
		return slog.StringValue(redact.String(v.Error()))
	case json.RawMessage:
		return cleanJSON(v)
	case []byte:
		return slog.StringValue(redact.String(string(v)))
	case fmt.Stringer:
		return slog.StringValue(redact.String(v.String()))
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return slog.StringValue(redact.String(fmt.Sprintf("%+v", v)))
		}
		return cleanJSON(b)
	}
}

func cleanJSON(b []byte) slog.Value {
	masked := redact.String(string(b))
	if !json.Valid([]byte(masked)) {
		return slog.StringValue(masked)
	}
	return slog.AnyValue(json.RawMessage(masked))
}
