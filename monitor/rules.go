package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"point"
	"point/store"
)

const (
	rulesEvery   = 30 * time.Second
	rulesLease   = 75 * time.Second // of evaluating: after so long without a word another process does it
	rulesTimeout = 20 * time.Second
	rulesWork    = "alert rules" // name of the lease

	// hostSilent is how long an alert about another process's machine may not be raised before
	// it is taken to have ended with that process.
	hostSilent = 5 * time.Minute
)

// RuleStore is what rules stand on: the store.
type RuleStore interface {
	point.Snapshots
	AlertSink
	RequestStats(ctx context.Context, scope store.Scope, f store.StatsFilter) ([]store.StatsBucket, error)
	SecretAges(ctx context.Context, ids ...string) (map[string]map[string]time.Time, error)
	ListAlerts(ctx context.Context, f store.AlertFilter) (store.List[point.Alert], error)
	ResolveAlert(ctx context.Context, id, by string) (*point.Alert, error)
	Lease(ctx context.Context, name, holder string, life time.Duration) (bool, error)
	Release(ctx context.Context, name, holder string) error
}

// RulesOptions configure Rules. Store is required.
type RulesOptions struct {
	Store     RuleStore
	Health    func(providerID string) point.ProviderHealth // nil: unknown
	Resources func() Resources                             // nil: unknown
	Holder    string                                       // id of this process
	Host      string                                       // name of this machine, in the subject of alerts about it
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
}

// Rules raises alerts while what an alert rule measures is at its threshold, and resolves them
// when it no longer is. Of several processes one measures what they share; each measures its
// own machine.
type Rules struct{ opt RulesOptions }

// NewRules makes Rules.
func NewRules(opt RulesOptions) *Rules {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Rules{opt}
}

// Run evaluates every 30 s until ctx ends.
func (r *Rules) Run(ctx context.Context) error {
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	defer r.release(ctx)
	for {
		if err := r.Evaluate(ctx); err != nil && ctx.Err() == nil {
			r.opt.Log.Warn("alert rules could not be evaluated and are again in half a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// release lets another process go on at once.
func (r *Rules) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alertTimeout)
	defer cancel()
	if err := r.opt.Store.Release(ctx, rulesWork, r.opt.Holder); err != nil {
		r.opt.Log.Warn("the lease of alert rules stays until it ends", "error", err)
	}
}

// reading is what a rule measured of one subject.
type reading struct {
	subject  string
	value    float64
	requests int64          // that it is made of; -1: not of requests
	detail   map[string]any // ids that lead on
}

// Evaluate measures every enabled rule once, and raises and resolves accordingly. A rule that
// cannot be measured leaves its alerts as they are.
func (r *Rules) Evaluate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rulesTimeout)
	defer cancel()
	first, err := r.opt.Store.Lease(ctx, rulesWork, r.opt.Holder, rulesLease)
	if err != nil {
		return err
	}
	open, err := r.openAlerts(ctx)
	if err != nil {
		return err
	}
	snap, now := r.opt.Store.Snapshot(), r.opt.Now()
	for _, id := range slices.Sorted(maps.Keys(snap.AlertRules)) {
		rule := snap.AlertRules[id]
		if !rule.Enabled || !first && !ofMachine(rule.Kind) {
			continue
		}
		if err := r.evaluate(ctx, snap, rule, now, open); err != nil {
			r.opt.Log.Warn("an alert rule could not be evaluated", "rule", rule.Name, "error", err)
			keep(open, rule)
		}
	}
	return r.resolve(ctx, snap, open, first, now)
}

// openAlerts are the open alerts that rules raised, by kind and subject.
func (r *Rules) openAlerts(ctx context.Context) (map[alertKey]point.Alert, error) {
	open := map[alertKey]point.Alert{}
	filter := store.AlertFilter{Status: store.OpenAlert, OfRules: true, Page: store.Page{Number: 1, Limit: 500}}
	for {
		list, err := r.opt.Store.ListAlerts(ctx, filter)
		if err != nil {
			return nil, err
		}
		for _, a := range list.Items {
			open[alertKey{a.Kind, a.Subject}] = a
		}
		if filter.Page.Number++; !list.More || filter.Page.Number > 20 {
			return open, nil
		}
	}
}

// evaluate raises what one rule finds, and takes it out of open.
func (r *Rules) evaluate(ctx context.Context, snap *point.Snapshot, rule *point.AlertRule, now time.Time, open map[alertKey]point.Alert) error {
	readings, err := r.measure(ctx, snap, withProvider(snap, rule), now)
	if err != nil {
		return err
	}
	for _, x := range readings {
		if x.value < rule.Threshold || x.requests >= 0 && x.requests < rule.MinRequests {
			continue
		}
		alert := alertOf(rule, x, now)
		key := alertKey{alert.Kind, alert.Subject}
		if _, known := open[key]; !known {
			r.opt.Log.Warn("alert: "+alert.Message, "kind", alert.Kind, "subject", alert.Subject)
		}
		delete(open, key)
		if err := r.opt.Store.UpsertAlert(ctx, alert); err != nil {
			return err
		}
	}
	return nil
}

// withProvider is a rule whose scope has the id of its provider: a configuration file may name one
// that was made later.
func withProvider(snap *point.Snapshot, rule *point.AlertRule) *point.AlertRule {
	p, ok := snap.Provider(rule.Scope.Provider)
	if !ok || p.ID == rule.Scope.Provider {
		return rule
	}
	next := *rule
	next.Scope.Provider = p.ID
	return &next
}

func alertOf(rule *point.AlertRule, x reading, now time.Time) point.Alert {
	detail := map[string]any{"value": x.value, "threshold": rule.Threshold, "unit": point.RuleUnit(rule.Kind)}
	if x.requests >= 0 {
		detail["requests"] = x.requests
	}
	maps.Copy(detail, x.detail)
	text, err := json.Marshal(detail)
	if err != nil {
		text = nil // of numbers and texts: cannot be
	}
	return point.Alert{
		Kind: point.RulePrefix + rule.Name, Subject: x.subject, Severity: rule.Severity, RuleID: rule.ID,
		Message: messageOf(rule, x), Detail: text, Count: 1, FirstAt: now.UTC(), LastAt: now.UTC(),
	}
}

// keep takes a rule's alerts out of open, so that they are not resolved.
func keep(open map[alertKey]point.Alert, rule *point.AlertRule) {
	maps.DeleteFunc(open, func(_ alertKey, a point.Alert) bool { return a.RuleID == rule.ID })
}

// resolve closes the alerts whose condition no longer holds.
func (r *Rules) resolve(ctx context.Context, snap *point.Snapshot, open map[alertKey]point.Alert, first bool, now time.Time) error {
	for _, a := range open {
		own := strings.HasSuffix(a.Subject, onHost(r.opt.Host))
		rule, known := snap.AlertRules[a.RuleID]
		switch machine := known && ofMachine(rule.Kind); {
		case machine && own:
		case machine && first && now.Sub(a.LastAt) > hostSilent:
		case !machine && first:
		default:
			continue
		}
		if _, err := r.opt.Store.ResolveAlert(ctx, a.ID, ""); err != nil {
			return err
		}
		r.opt.Log.Info("alert resolved", "kind", a.Kind, "subject", a.Subject)
	}
	return nil
}

func ofMachine(kind string) bool { return kind == point.RuleMemory || kind == point.RuleDisk }

func onHost(host string) string { return " on " + host }

// messageOf says in a sentence what a rule found, and what to do.
func messageOf(rule *point.AlertRule, x reading) string {
	value, window := number(x.value), rule.Window().String()
	window = strings.TrimSuffix(strings.TrimSuffix(window, "0s"), "0m")
	limit := number(rule.Threshold)
	switch rule.Kind {
	case point.RuleErrorRate:
		return fmt.Sprintf("%s%% of %d requests in %s failed by a provider or by Point; the limit is %s%%. Open the requests that failed to see why.", value, x.requests, window, limit)
	case point.RuleRefusalRate:
		return fmt.Sprintf("%s%% of %d requests in %s were refused, for a mistake of their callers or a limit of their keys; the limit is %s%%. Open them to see which key sends them, and why.", value, x.requests, window, limit)
	case point.RuleLatencyP95:
		return fmt.Sprintf("One request in twenty took %s ms or longer in %s; the limit is %s ms. See which provider or model is slow.", value, window, limit)
	case point.RuleTTFTP95:
		return fmt.Sprintf("One request in twenty waited %s ms or longer for its first content in %s; the limit is %s ms. See which provider or model is slow.", value, window, limit)
	case point.RuleCost:
		return fmt.Sprintf("%s USD were spent in %s; the limit is %s USD. See which key and model spend it.", value, window, limit)
	case point.RuleRequests:
		return fmt.Sprintf("%s requests came in %s; the limit is %s. See which key sends them.", value, window, limit)
	case point.RuleSpendAnomaly:
		return fmt.Sprintf("This key spent %s times as much in %s as it did in as long on the 7 days before; the limit is %s times. If nobody knows why, revoke it.", value, window, limit)
	case point.RuleProviderDown:
		return fmt.Sprintf("This provider has been down for %s. Test it, and mend its settings or wait for it; requests go to others that have the model.", window)
	case point.RuleSecretAge:
		return fmt.Sprintf("The oldest secret of this provider was set %s days ago; the limit is %s days. Make a new one at the provider and save it.", value, limit)
	case point.RuleMemory:
		return fmt.Sprintf("The process uses %s%% of the memory that it may have; the limit is %s%%. Give it more, or see what it holds.", value, limit)
	}
	return fmt.Sprintf("%s%% of the disk with the data folder is used; the limit is %s%%. Free space, or keep history for a shorter time.", value, limit)
}

// number is f with one decimal, if it has any.
func number(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}
