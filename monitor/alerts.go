package monitor

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"point"
	"point/internal/redact"
)

const (
	alertSubjects = 1000             // different ones that may wait to be stored
	alertDetail   = 2000             // bytes kept of a detail
	alertPause    = time.Second      // between two rounds of storing
	alertTimeout  = 10 * time.Second // of storing one
)

// AlertSink stores alerts: the store. UpsertAlert adds Count to the open alert of the same
// kind and subject and takes over its LastAt, Message and Detail, or opens a new one.
type AlertSink interface {
	UpsertAlert(ctx context.Context, alert point.Alert) error
}

// Alerts collects what is raised until it is stored. The same kind and subject raised many
// times between two rounds is one alert with a count.
type Alerts struct {
	log    *slog.Logger
	now    func() time.Time
	raised func(kind string) // counts for metrics

	mu      sync.Mutex
	waiting map[alertKey]*pendingAlert
	dropped int64

	wake chan struct{}
}

// alertKey is what was raised, as it was given.
type alertKey struct{ kind, subject string }

// pendingAlert is an alert that waits to be stored, and the detail of its last event. Masking waits
// until then: an event may be raised with each request.
type pendingAlert struct {
	alert  point.Alert
	detail string
}

// NewAlerts makes an empty collection; log gets each alert when it is stored.
func NewAlerts(log *slog.Logger, now func() time.Time) *Alerts {
	return &Alerts{log: log, now: now, raised: func(string) {}, waiting: map[alertKey]*pendingAlert{}, wake: make(chan struct{}, 1)}
}

// Raise notes an event of one of the kinds in AlertKinds. It does not block and does no I/O.
// subject says what it is about, detail what happened; credentials in them are masked.
func (a *Alerts) Raise(kind, subject, detail string) {
	a.raised(kind)
	now := a.now().UTC()
	key := alertKey{kind, subject}
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting, ok := a.waiting[key]
	if !ok {
		if len(a.waiting) >= alertSubjects {
			a.dropped++
			return
		}
		waiting = &pendingAlert{alert: newAlert(key, now)}
		a.waiting[key] = waiting
		poke(a.wake)
	}
	waiting.alert.Count++
	waiting.alert.LastAt = now
	waiting.detail = detail
}

func newAlert(key alertKey, now time.Time) point.Alert {
	kind := KindOf(key.kind)
	return point.Alert{
		ID: uuid.Must(uuid.NewV7()).String(), Kind: key.kind, Subject: redact.String(key.subject),
		Severity: kind.Severity, Message: kind.Message, FirstAt: now, LastAt: now,
	}
}

// detailJSON is {"detail": "..."}, masked and of bounded size.
func detailJSON(detail string) json.RawMessage {
	detail = redact.String(detail)
	if len(detail) > alertDetail {
		detail = strings.ToValidUTF8(detail[:alertDetail], "") + "…"
	}
	b, err := json.Marshal(map[string]string{"detail": detail})
	if err != nil {
		return nil
	}
	return b
}

// Dropped is how many events had no room.
func (a *Alerts) Dropped() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dropped
}

// Run stores what is raised until ctx ends, then once more. A sink that fails gets it again
// later.
func (a *Alerts) Run(ctx context.Context, sink AlertSink) error {
	for {
		select {
		case <-ctx.Done():
			a.store(context.WithoutCancel(ctx), sink)
			return nil
		case <-a.wake:
			a.store(ctx, sink)
			pause(ctx, alertPause)
		}
	}
}

func (a *Alerts) store(ctx context.Context, sink AlertSink) {
	a.mu.Lock()
	waiting := a.waiting
	a.waiting = map[alertKey]*pendingAlert{}
	a.mu.Unlock()
	order := slices.SortedFunc(maps.Keys(waiting), func(x, y alertKey) int {
		return waiting[x].alert.FirstAt.Compare(waiting[y].alert.FirstAt)
	})
	for i, key := range order {
		alert := waiting[key].alert
		alert.Detail = detailJSON(waiting[key].detail)
		ctx, cancel := context.WithTimeout(ctx, alertTimeout)
		err := sink.UpsertAlert(ctx, alert)
		cancel()
		if err != nil {
			a.log.Warn("alert could not be stored yet", "kind", alert.Kind, "subject", alert.Subject, "error", err)
			a.putBack(order[i:], waiting)
			return
		}
		a.log.Warn("alert: "+alert.Message, "kind", alert.Kind, "subject", alert.Subject, "count", alert.Count, "detail", alert.Detail)
	}
}

// putBack joins alerts that could not be stored with what was raised meanwhile.
func (a *Alerts) putBack(keys []alertKey, failed map[alertKey]*pendingAlert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		old := failed[key]
		if newer, ok := a.waiting[key]; ok {
			newer.alert.Count += old.alert.Count
			newer.alert.FirstAt = old.alert.FirstAt
			continue
		}
		if len(a.waiting) < alertSubjects {
			a.waiting[key] = old
		} else {
			a.dropped++
		}
	}
	poke(a.wake)
}
