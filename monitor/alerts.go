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
	alertFresh    = time.Minute      // longest pause between two times that one is stored
	alertTimeout  = 10 * time.Second // of storing one
)

// alertPauses are the pauses between two lines of the log about the same kind and subject: an
// alert that is raised with every request is one line at first and few afterwards. Storing it
// has them too, up to alertFresh. One that is not raised for the last of them begins anew.
var alertPauses = [...]time.Duration{time.Second, time.Minute, 10 * time.Minute, time.Hour}

// AlertSink stores alerts: the store. UpsertAlert adds Count to the open alert of the same
// kind and subject and takes over its LastAt, Message and Detail, or opens a new one.
type AlertSink interface {
	UpsertAlert(ctx context.Context, alert point.Alert) error
}

// Alerts collects what is raised until it is stored. The same kind and subject raised many
// times between two rounds is one alert with a count; the more often it comes, the longer it
// is counted before it is logged and stored again.
type Alerts struct {
	log    *slog.Logger
	now    func() time.Time
	raised func(kind string) // counts for metrics

	mu      sync.Mutex
	waiting map[alertKey]*pendingAlert
	dropped int64

	wake chan struct{}

	told  map[alertKey]*told // owned by Run
	fails int                // of the sink in a row; owned by Run
}

// told is what was said about an alert lately.
type told struct {
	lines      int       // of the log
	untold     int64     // events since the last of them
	log, store time.Time // not again before
	at         time.Time // the last event
}

// pause is how long to wait after the line that was logged last.
func (t *told) pause() time.Duration { return alertPauses[min(t.lines, len(alertPauses))-1] }

// alertKey is what was raised, as it was given.
type alertKey struct{ kind, subject string }

// pendingAlert is an alert that waits to be stored, and the detail of its last event. Masking waits
// until then: an event may be raised with each request.
type pendingAlert struct {
	alert  point.Alert
	detail string
	told   int64 // of its events the log knows
}

// NewAlerts makes an empty collection; log gets each alert, repeated ones with growing pauses.
func NewAlerts(log *slog.Logger, now func() time.Time) *Alerts {
	return &Alerts{log: log, now: now, raised: func(string) {}, waiting: map[alertKey]*pendingAlert{}, wake: make(chan struct{}, 1), told: map[alertKey]*told{}}
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

// shownDetail is a detail, masked and of bounded size.
func shownDetail(detail string) string {
	detail = redact.String(detail)
	if len(detail) > alertDetail {
		detail = strings.ToValidUTF8(detail[:alertDetail], "") + "…"
	}
	return detail
}

// detailJSON is {"detail": "..."}, with the ids that lead on beside it.
func detailJSON(detail string) json.RawMessage {
	members := point.Detail(detail)
	for name, value := range members {
		members[name] = shownDetail(value)
	}
	b, err := json.Marshal(members)
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
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			a.store(context.WithoutCancel(ctx), sink, true)
			return nil
		case <-a.wake:
		case <-next.C:
		}
		due := a.store(ctx, sink, false)
		pause(ctx, alertPause)
		next.Reset(max(0, due-alertPause))
	}
}

// store logs and stores the alerts that are due, or all, and returns in how long another is.
func (a *Alerts) store(ctx context.Context, sink AlertSink, all bool) time.Duration {
	now := a.now()
	due, next := a.take(now, all)
	order := slices.SortedFunc(maps.Keys(due), func(x, y alertKey) int {
		return due[x].alert.FirstAt.Compare(due[y].alert.FirstAt)
	})
	for _, key := range order {
		due[key].alert.Detail = detailJSON(due[key].detail)
		a.tell(key, due[key], now)
	}
	for i, key := range order {
		if err := upsert(ctx, sink, due[key].alert); err != nil {
			if a.fails++; a.fails == 1 {
				a.log.Warn("alerts cannot be stored now and wait", "alerts", len(order)-i, "error", err)
			}
			a.putBack(order[i:], due)
			return backoff(a.fails)
		}
		a.fails = 0
		t := a.told[key]
		t.store = now.Add(min(t.pause(), alertFresh))
	}
	return next
}

func upsert(ctx context.Context, sink AlertSink, alert point.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, alertTimeout)
	defer cancel()
	return sink.UpsertAlert(ctx, alert)
}

// take removes the alerts that may be stored again, and tells in how long another may. When
// many wait none is held back: there must be room for what was not raised before.
func (a *Alerts) take(now time.Time, all bool) (due map[alertKey]*pendingAlert, next time.Duration) {
	forget := alertPauses[len(alertPauses)-1]
	maps.DeleteFunc(a.told, func(_ alertKey, t *told) bool { return now.Sub(t.at) > forget })
	due, next = map[alertKey]*pendingAlert{}, forget
	a.mu.Lock()
	defer a.mu.Unlock()
	all = all || len(a.waiting) > alertSubjects/2
	for key, p := range a.waiting {
		if t := a.told[key]; t != nil && !all && now.Before(t.store) {
			next = min(next, t.store.Sub(now))
			continue
		}
		due[key] = p
		delete(a.waiting, key)
	}
	return due, next
}

// tell logs an alert if there was no line about it lately.
func (a *Alerts) tell(key alertKey, p *pendingAlert, now time.Time) {
	t := a.told[key]
	if t == nil {
		for old := range a.told {
			if len(a.told) < 2*alertSubjects {
				break
			}
			delete(a.told, old) // any: it begins anew when it comes again
		}
		t = &told{}
		a.told[key] = t
	}
	t.at = p.alert.LastAt
	t.untold += p.alert.Count - p.told
	p.told = p.alert.Count
	if t.untold == 0 || now.Before(t.log) {
		return
	}
	a.log.Warn("alert: "+p.alert.Message, "kind", p.alert.Kind, "subject", p.alert.Subject, "count", t.untold, "detail", shownDetail(p.detail))
	t.lines++
	t.untold, t.log = 0, now.Add(t.pause())
}

// putBack joins alerts that could not be stored with what was raised meanwhile.
func (a *Alerts) putBack(keys []alertKey, failed map[alertKey]*pendingAlert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		old := failed[key]
		if newer, ok := a.waiting[key]; ok {
			newer.alert.Count += old.alert.Count
			newer.told += old.told
			newer.alert.FirstAt = old.alert.FirstAt
			continue
		}
		if len(a.waiting) < alertSubjects {
			a.waiting[key] = old
		} else {
			a.dropped++
		}
	}
}

// RaiseNow stores an alert at once, for a process that ends before Run would.
func RaiseNow(ctx context.Context, sink AlertSink, kind, subject, detail string) error {
	alert := newAlert(alertKey{kind, subject}, time.Now().UTC())
	alert.Count, alert.Detail = 1, detailJSON(detail)
	return upsert(ctx, sink, alert)
}
