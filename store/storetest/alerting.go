package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"point"
	"point/store"
)

func rule(name string) *point.AlertRule {
	return &point.AlertRule{
		Name: name, Enabled: true, Kind: point.RuleErrorRate, Scope: point.RuleScope{Each: point.EachProvider}, Threshold: 12.5,
		WindowMS: 300_000, MinRequests: 20, Severity: point.SeverityWarning, CooldownMS: 60_000,
	}
}

func alertRules(t *testing.T, s *store.Store) {
	ctx := context.Background()
	r := rule("errors")
	ok(t, s.CreateAlertRule(ctx, r))
	equal(t, "rule", must(s.GetAlertRule(ctx, r.ID))(t), r)
	equal(t, "rule of the snapshot", s.Snapshot().AlertRules[r.ID], r)
	wantConflict(t, s.CreateAlertRule(ctx, rule("errors")), "name")
	r.Threshold, r.Enabled, r.Scope = 50, false, point.RuleScope{Model: "m"}
	ok(t, s.UpdateAlertRule(ctx, r))
	equal(t, "changed rule", must(s.ListAlertRules(ctx))(t), []point.AlertRule{*r})
	old := *r
	old.Version = 1
	wantError(t, s.UpdateAlertRule(ctx, &old), store.ErrStale)
	wantError(t, s.DeleteAlertRule(ctx, r.ID, 1), store.ErrStale)
	ok(t, s.DeleteAlertRule(ctx, r.ID, 2))
	wantError(t, s.DeleteAlertRule(ctx, r.ID, 2), store.ErrNotFound)
	if len(s.Snapshot().AlertRules) != 0 {
		t.Fatal("the rule is still in the snapshot")
	}

	ok(t, s.CreateAlertRule(ctx, rule("own")))
	ok(t, s.SeedAlertRules(ctx, []point.AlertRule{*rule("own"), *rule("first")}))
	list := must(s.ListAlertRules(ctx))(t)
	if len(list) != 2 {
		t.Fatalf("%d rules after seeding", len(list))
	}
	ok(t, s.DeleteAlertRule(ctx, list[0].ID, list[0].Version))
	ok(t, s.SeedAlertRules(ctx, []point.AlertRule{*rule("own"), *rule("first")}))
	if list := must(s.ListAlertRules(ctx))(t); len(list) != 1 {
		t.Fatal("a rule that was deleted came back")
	}
}

// notifier makes a stored notifier.
func notifier(t *testing.T, s *store.Store, name string) *point.Notifier {
	t.Helper()
	n := &point.Notifier{
		Name: name, Type: point.NotifierWebhook, Enabled: true, MinSeverity: point.SeverityWarning, Kinds: []string{"rule:*"},
		Config: point.NotifierConfig{Secrets: map[string]point.Secret{
			point.NotifierURL: point.NewSecret("https://example.com/hook"), point.NotifierSecret: point.NewSecret("0123456789abcdef0123456789abcdef"),
		}},
	}
	ok(t, s.CreateNotifier(context.Background(), n))
	return n
}

func notifiers(t *testing.T, s *store.Store) {
	ctx := context.Background()
	n := notifier(t, s, "team")
	equal(t, "notifier", must(s.GetNotifier(ctx, n.ID))(t), n)
	equal(t, "notifier of the snapshot", s.Snapshot().Notifiers[n.ID], n)
	n.Config.Secrets = map[string]point.Secret{point.NotifierURL: point.NewSecret("https://example.com/other")}
	n.Config.To, n.Kinds = []string{"ops@example.com"}, nil
	ok(t, s.UpdateNotifier(ctx, n))
	equal(t, "changed notifier", must(s.ListNotifiers(ctx))(t), []point.Notifier{*n})
	wantConflict(t, s.CreateNotifier(ctx, &point.Notifier{Name: "team"}), "name")
	wantError(t, s.DeleteNotifier(ctx, n.ID, 1), store.ErrStale)
	ok(t, s.DeleteNotifier(ctx, n.ID, 2))
	if _, err := s.GetNotifier(ctx, n.ID); err == nil || len(s.Snapshot().Notifiers) != 0 {
		t.Fatal("the notifier is still there", err)
	}
}

func silences(t *testing.T, s *store.Store) {
	ctx := context.Background()
	x := &point.Silence{Kind: "rule:*", Subject: "main", Until: now().Add(time.Hour), Comment: "planned", CreatedBy: "a@example.com"}
	ok(t, s.CreateSilence(ctx, x))
	equal(t, "silence", must(s.GetSilence(ctx, x.ID))(t), x)
	x.Until, x.Comment = now().Add(2*time.Hour), ""
	ok(t, s.UpdateSilence(ctx, x))
	equal(t, "silences", must(s.ListSilences(ctx))(t), []point.Silence{*x})
	equal(t, "silences of the snapshot", s.Snapshot().Silences, []point.Silence{*x})
	wantError(t, s.UpdateSilence(ctx, &point.Silence{ID: x.ID, Version: 1, Until: now()}), store.ErrStale)
	wantError(t, s.DeleteSilence(ctx, x.ID, 1), store.ErrStale)
	ok(t, s.DeleteSilence(ctx, x.ID, 2))
	wantError(t, s.DeleteSilence(ctx, x.ID, 2), store.ErrNotFound)
}

func prices(t *testing.T, s *store.Store) {
	ctx := context.Background()
	rate := 2500.0
	p := &point.PriceOverride{Kind: "openai", Model: "team/m", Price: point.Price{Input: &rate, From: now().Add(-time.Hour)}}
	ok(t, s.PutPrice(ctx, p))
	if got := s.Snapshot().Prices.Price("openai", "team/m", now()); got == nil || *got.Input != rate {
		t.Fatalf("price %+v", got)
	}
	if got := s.Snapshot().Prices.Price("openai", "team/m", now().Add(-2*time.Hour)); got != nil {
		t.Fatalf("price before it holds: %+v", got)
	}
	equal(t, "price", must(s.GetPrice(ctx, "openai", "team/m"))(t).Price.Input, &rate)
	again := *p
	again.Version = 7
	wantError(t, s.PutPrice(ctx, &again), store.ErrStale)
	ok(t, s.PutPrice(ctx, p))
	if p.Version != 2 || len(s.Snapshot().PriceOverrides) != 1 {
		t.Fatalf("version %d", p.Version)
	}
	wantError(t, s.DeletePrice(ctx, "openai", "team/m", 1), store.ErrStale)
	ok(t, s.DeletePrice(ctx, "openai", "team/m", 2))
	wantError(t, s.DeletePrice(ctx, "openai", "team/m", 2), store.ErrNotFound)
	if len(s.Snapshot().PriceOverrides) != 0 {
		t.Fatal("the price is still in the snapshot")
	}
}

func notifications(t *testing.T, s *store.Store) {
	ctx := context.Background()
	r := rule("errors")
	r.CooldownMS = 3_600_000
	ok(t, s.CreateAlertRule(ctx, r))
	n := notifier(t, s, "team")
	a := point.Alert{Kind: point.RulePrefix + "errors", Subject: "main", Severity: point.SeverityCritical, Message: "m", RuleID: r.ID, Detail: json.RawMessage(`{"value": 60}`)}
	for range 3 {
		ok(t, s.UpsertAlert(ctx, a))
	}
	ok(t, s.UpsertAlert(ctx, point.Alert{Kind: "guessing", Subject: "x", Severity: point.SeverityCritical})) // a kind it does not want
	ok(t, s.UpsertAlert(ctx, point.Alert{Kind: a.Kind, Subject: "y", Severity: point.SeverityInfo}))         // not grave enough
	taken := must(s.TakeNotifications(ctx, 10))(t)
	if len(taken) != 1 || taken[0].Event != point.EventRaised || taken[0].NotifierID != n.ID || taken[0].Alert.Subject != "main" || taken[0].Attempts != 1 || taken[0].Alert.RuleID != r.ID {
		t.Fatalf("taken %+v", taken)
	}
	if more := must(s.TakeNotifications(ctx, 10))(t); len(more) != 0 {
		t.Fatalf("taken twice: %+v", more)
	}
	ok(t, s.SettleNotification(ctx, taken[0], "refused", now().Add(-time.Second)))
	equal(t, "state", must(s.NotifierStates(ctx))(t)[n.ID], point.NotifierState{Waiting: 1, LastError: "refused"})
	taken = must(s.TakeNotifications(ctx, 10))(t)
	if len(taken) != 1 || taken[0].Attempts != 2 {
		t.Fatalf("taken again: %+v", taken)
	}
	ok(t, s.PutBackNotification(ctx, taken[0], now().Add(-time.Second)))
	ok(t, s.PutBackNotification(ctx, taken[0], now().Add(time.Hour))) // it is not the caller's any more
	equal(t, "put back", must(s.NotifierStates(ctx))(t)[n.ID], point.NotifierState{Waiting: 1, LastError: "refused"})
	taken = must(s.TakeNotifications(ctx, 10))(t)
	if len(taken) != 1 || taken[0].Attempts != 2 {
		t.Fatalf("taken after it was put back: %+v", taken)
	}
	ok(t, s.SettleNotification(ctx, taken[0], "", time.Time{}))
	if state := must(s.NotifierStates(ctx))(t)[n.ID]; state.Waiting != 0 || state.LastSentAt == nil || state.LastError != "" {
		t.Fatalf("state %+v", state)
	}

	open := must(s.ListAlerts(ctx, store.AlertFilter{OfRules: true, Status: store.OpenAlert}))(t).Items
	if len(open) != 1 || open[0].NotifiedAt == nil || open[0].Count != 3 {
		t.Fatalf("open %+v", open)
	}
	resolved := must(s.ResolveAlert(ctx, open[0].ID, "a@example.com"))(t)
	if resolved.ResolvedAt == nil || resolved.ResolvedBy != "a@example.com" {
		t.Fatalf("resolved %+v", resolved)
	}
	equal(t, "resolved twice", must(s.ResolveAlert(ctx, open[0].ID, "b@example.com"))(t), resolved)
	if taken := must(s.TakeNotifications(ctx, 10))(t); len(taken) != 1 || taken[0].Event != point.EventResolved {
		t.Fatalf("taken at the end: %+v", taken)
	}

	ok(t, s.UpsertAlert(ctx, a)) // within the cooldown: recorded, not sent
	if taken := must(s.TakeNotifications(ctx, 10))(t); len(taken) != 0 {
		t.Fatalf("taken within the cooldown: %+v", taken)
	}
	if l := must(s.ListAlerts(ctx, store.AlertFilter{Kind: a.Kind, Subject: "main", Status: store.OpenAlert}))(t); l.Total != 1 {
		t.Fatalf("%d are recorded", l.Total)
	}
	_, err := s.ResolveAlert(ctx, store.NewID(now()), "")
	wantError(t, err, store.ErrNotFound)
}

// worseAlerts: an alert that gets worse is sent to those who did not want it before, and to
// nobody twice.
func worseAlerts(t *testing.T, s *store.Store) {
	ctx := context.Background()
	all := notifier(t, s, "all")
	pager := notifier(t, s, "pager")
	pager.MinSeverity = point.SeverityCritical
	ok(t, s.UpdateNotifier(ctx, pager))
	a := point.Alert{Kind: "rule:a", Subject: "main", Severity: point.SeverityWarning}
	for _, step := range []struct{ severity, told string }{
		{point.SeverityInfo, ""}, {point.SeverityWarning, all.ID}, {point.SeverityCritical, pager.ID}, {point.SeverityWarning, ""}, {point.SeverityCritical, ""},
	} {
		a.Severity = step.severity
		ok(t, s.UpsertAlert(ctx, a))
		told := ""
		for _, n := range must(s.TakeNotifications(ctx, 10))(t) {
			told += n.NotifierID
		}
		equal(t, "told of "+step.severity, told, step.told)
	}
}

// worseInSilence: an alert that got worse while it was silenced is sent when the silence is over.
func worseInSilence(t *testing.T, s *store.Store) {
	ctx := context.Background()
	n := notifier(t, s, "pager")
	n.MinSeverity = point.SeverityCritical
	ok(t, s.UpdateNotifier(ctx, n))
	notifier(t, s, "all")
	a := point.Alert{Kind: "rule:a", Subject: "main", Severity: point.SeverityWarning}
	raise := func(severity string, want int) {
		t.Helper()
		a.Severity = severity
		ok(t, s.UpsertAlert(ctx, a))
		equal(t, "told of "+severity, len(must(s.TakeNotifications(ctx, 10))(t)), want)
	}
	raise(point.SeverityWarning, 1)
	x := &point.Silence{Subject: "main", Until: now().Add(time.Hour)}
	ok(t, s.CreateSilence(ctx, x))
	raise(point.SeverityCritical, 0)
	ok(t, s.DeleteSilence(ctx, x.ID, 1))
	raise(point.SeverityCritical, 1)
	raise(point.SeverityCritical, 0)
}

func silencedAlerts(t *testing.T, s *store.Store) {
	ctx := context.Background()
	notifier(t, s, "team")
	x := &point.Silence{Subject: "main", Until: now().Add(time.Hour)}
	ok(t, s.CreateSilence(ctx, x))
	a := point.Alert{Kind: "rule:a", Subject: "main", Severity: point.SeverityCritical}
	ok(t, s.UpsertAlert(ctx, a))
	l := must(s.ListAlerts(ctx, store.AlertFilter{Severity: point.SeverityCritical}))(t)
	if l.Total != 1 || l.Items[0].SilenceID != x.ID || l.Items[0].NotifiedAt != nil {
		t.Fatalf("silenced: %+v", l.Items)
	}
	if taken := must(s.TakeNotifications(ctx, 10))(t); len(taken) != 0 {
		t.Fatalf("sent in silence: %+v", taken)
	}
	equal(t, "open alerts", must(s.OpenAlerts(ctx))(t), map[string]int64{point.SeverityCritical: 1})
	ok(t, s.DeleteSilence(ctx, x.ID, 1))
	acknowledged := must(s.AcknowledgeAlert(ctx, l.Items[0].ID, "a@example.com"))(t)
	equal(t, "acknowledged", must(s.ListAlerts(ctx, store.AlertFilter{Status: store.AcknowledgedAlert}))(t).Items, []point.Alert{*acknowledged})
	ok(t, s.UpsertAlert(ctx, a))
	if taken := must(s.TakeNotifications(ctx, 10))(t); len(taken) != 0 {
		t.Fatalf("sent though somebody looks after it: %+v", taken)
	}
	must(s.ResolveAlert(ctx, acknowledged.ID, ""))(t)
	ok(t, s.UpsertAlert(ctx, a)) // a new one, after the silence
	if taken := must(s.TakeNotifications(ctx, 10))(t); len(taken) != 1 {
		t.Fatalf("not sent after the silence: %+v", taken)
	}
}

func leases(t *testing.T, s *store.Store) {
	ctx := context.Background()
	take := func(holder string, life time.Duration) bool { return must(s.Lease(ctx, "rules", holder, life))(t) }
	first := take("a", time.Hour)
	if again := take("a", time.Hour); !first || !again || take("b", time.Hour) {
		t.Fatal("a lease is its holder's")
	}
	ok(t, s.Release(ctx, "rules", "b"))
	if take("b", time.Hour) {
		t.Fatal("a lease was given back by somebody else")
	}
	ok(t, s.Release(ctx, "rules", "a"))
	if !take("b", -time.Second) || !take("a", time.Hour) {
		t.Fatal("a lease that ended is free")
	}
}

func statisticsOfAWindow(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p := provider(t, s, "main")
	end := now().Truncate(time.Minute)
	for minute := range 10 {
		for range 2 {
			insert(t, s, record(end.Add(-time.Duration(minute+1)*time.Minute), func(r *point.Record) { r.ProviderID = p.ID }))
		}
	}
	window := must(s.RequestStats(ctx, store.All(), store.StatsFilter{GroupBy: store.GroupWindow, From: end.Add(-5 * time.Minute), To: end}))(t)
	if len(window) != 1 || window[0].Requests != 10 || window[0].Latency.P95 == nil {
		t.Fatalf("window %+v", window)
	}
	each := must(s.RequestStats(ctx, store.All(), store.StatsFilter{GroupBy: store.GroupWindow, By: []string{store.ByProvider}, From: end.Add(-48 * time.Hour), To: end.Add(time.Hour)}))(t)
	if len(each) != 1 || each[0].Requests != 20 || each[0].Group[store.ByProvider] != p.ID {
		t.Fatalf("window of two days %+v", each)
	}
}
