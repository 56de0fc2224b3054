package monitor

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"point"
	"point/internal/panics"
	"point/internal/redact"
	"point/store"
)

const (
	notifyEvery   = 2 * time.Second
	notifyAtOnce  = 8 // messages under way
	notifyTimeout = 15 * time.Second
	notifierKnown = time.Minute // by then every process knows a notifier that another one made
)

// notifyPauses are the pauses between two tries of one message. After the last of them it is
// given up: by then it is news no more.
var notifyPauses = [...]time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
}

// Outbox holds the messages that wait to be sent: the store.
type Outbox interface {
	point.Snapshots
	TakeNotifications(ctx context.Context, limit int) ([]point.Notification, error)
	SettleNotification(ctx context.Context, n point.Notification, reason string, next time.Time) error
	PutBackNotification(ctx context.Context, n point.Notification, next time.Time) error
}

// NotifyOptions configure a Notify. Outbox is required.
type NotifyOptions struct {
	Outbox Outbox
	Mail   Mail           // zero: no mail is sent
	Allow  []netip.Prefix // private networks that webhooks may be on
	Source string         // URL of this installation, told to the receiver
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// Notify sends alerts to notifiers. Messages wait in the database until they are sent, through
// restarts and outages, and are tried again with growing pauses.
type Notify struct {
	opt  NotifyOptions
	hook *hook
}

// NewNotify makes a Notify.
func NewNotify(opt NotifyOptions) *Notify {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Notify{opt: opt, hook: newHook(opt.Allow)}
}

// Run sends what is due until ctx ends.
func (n *Notify) Run(ctx context.Context) error {
	tick := time.NewTicker(notifyEvery)
	defer tick.Stop()
	defer n.hook.client.CloseIdleConnections()
	for fails := 0; ; {
		err := n.SendDue(ctx)
		switch {
		case err == nil:
			fails = 0
		case ctx.Err() == nil:
			if fails++; fails == 1 {
				n.opt.Log.Warn("messages about alerts cannot be read from the database now and wait", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// SendDue sends the messages that are due, once each.
func (n *Notify) SendDue(ctx context.Context) error {
	for {
		taken, err := n.opt.Outbox.TakeNotifications(ctx, notifyAtOnce)
		if err != nil || len(taken) == 0 {
			return err
		}
		var group errgroup.Group
		for _, message := range taken {
			group.Go(func() (err error) {
				defer panics.Catch(n.opt.Log, "a message about an alert", &err)
				return n.deliver(ctx, message)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
}

// deliver tries one message, and notes what became of it.
func (n *Notify) deliver(ctx context.Context, message point.Notification) error {
	to, ok := n.opt.Outbox.Snapshot().Notifiers[message.NotifierID]
	if now := n.opt.Now(); !ok && now.Sub(message.CreatedAt) < notifierKnown {
		return n.putBack(ctx, message, now.Add(notifyPauses[0]))
	}
	if !ok || !to.Enabled {
		return n.settle(ctx, message, "The notifier was deleted or switched off.", time.Time{})
	}
	_, err := n.send(ctx, to, message)
	if err == nil {
		return n.settle(ctx, message, "", time.Time{})
	}
	if ctx.Err() != nil {
		return nil // it is taken again after its lease
	}
	var next time.Time
	if tries := message.Attempts; tries <= len(notifyPauses) && !errors.Is(err, errPermanent) {
		next = n.opt.Now().Add(notifyPauses[max(tries, 1)-1])
	}
	n.opt.Log.Warn("a message about an alert was not sent", "notifier", to.Name, "kind", message.Alert.Kind,
		"attempt", message.Attempts, "given_up", next.IsZero(), "error", redact.String(err.Error()))
	return n.settle(ctx, message, redact.String(err.Error()), next)
}

func (n *Notify) settle(ctx context.Context, message point.Notification, reason string, next time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alertTimeout)
	defer cancel()
	return n.opt.Outbox.SettleNotification(ctx, message, reason, next)
}

// putBack leaves a message for later that nobody tried to send.
func (n *Notify) putBack(ctx context.Context, message point.Notification, next time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alertTimeout)
	defer cancel()
	return n.opt.Outbox.PutBackNotification(ctx, message, next)
}

// errPermanent: trying again would not help.
var errPermanent = errors.New("it is not tried again")

// result is what the receiver answered.
type result struct {
	status int
	text   string // the answer's begin, for people
}

// send sends one message the way its notifier does.
func (n *Notify) send(ctx context.Context, to *point.Notifier, message point.Notification) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	switch to.Type {
	case point.NotifierEmail:
		return n.opt.Mail.send(ctx, to, message, n.opt.Source)
	case point.NotifierSlack:
		return n.hook.slack(ctx, to, message, n.opt.Source)
	default:
		return n.hook.webhook(ctx, to, message, n.opt.Source, n.opt.Now())
	}
}

// Mails reports whether there is a mail server to send through.
func (n *Notify) Mails() bool { return n.opt.Mail.Host != "" }

// Test sends a test to a notifier, whether it is enabled or not, and tells what came back.
func (n *Notify) Test(ctx context.Context, to *point.Notifier) point.NotifierResult {
	now := n.opt.Now().UTC()
	message := point.Notification{
		AlertID: store.NewID(now), NotifierID: to.ID, Event: point.EventTest, Attempts: 1, CreatedAt: now,
		Alert: point.Alert{
			Kind: "test", Subject: to.Name, Severity: point.SeverityInfo, Message: "This is a test of the notifier. Nothing is wrong.",
			Count: 1, FirstAt: now, LastAt: now,
		},
	}
	start := time.Now()
	got, err := n.send(ctx, to, message)
	out := point.NotifierResult{OK: err == nil, Status: got.status, LatencyMS: time.Since(start).Milliseconds(), Message: redact.String(got.text)}
	if err != nil {
		out.Message = redact.String(err.Error())
	}
	return out
}
