package monitor

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"point"
	"point/store"
)

const (
	anomalyDays  = 7
	anomalyFloor = point.USD // what a key may spend in a window without being an anomaly
	day          = 24 * time.Hour
)

// measure reads what a rule is about.
func (r *Rules) measure(ctx context.Context, snap *point.Snapshot, rule *point.AlertRule, now time.Time) ([]reading, error) {
	switch rule.Kind {
	case point.RuleSpendAnomaly:
		return r.spendOfKeys(ctx, snap, rule, now)
	case point.RuleProviderDown:
		return r.providersDown(snap, rule, now), nil
	case point.RuleSecretAge:
		return r.secretAges(ctx, snap, rule, now)
	case point.RuleMemory, point.RuleDisk:
		return r.machine(rule), nil
	}
	return r.requests(ctx, snap, rule, now)
}

// requests measures what the requests of the window tell.
func (r *Rules) requests(ctx context.Context, snap *point.Snapshot, rule *point.AlertRule, now time.Time) (list []reading, err error) {
	filter := windowOf(rule, now)
	if rule.Scope.Each != "" {
		filter.By = []string{rule.Scope.Each}
	}
	buckets, err := r.opt.Store.RequestStats(ctx, store.All(), filter)
	if err != nil {
		return nil, err
	}
	for i := range buckets {
		value, ok := valueOf(rule.Kind, &buckets[i])
		if !ok {
			continue
		}
		x := subjectOf(snap, &rule.Scope, buckets[i].Group)
		x.value, x.requests = value, countOf(rule.Kind, &buckets[i])
		list = append(list, x)
	}
	return list, nil
}

// windowOf is the filter of the window that ends now.
func windowOf(rule *point.AlertRule, now time.Time) store.StatsFilter {
	return store.StatsFilter{
		GroupBy: store.GroupWindow, From: now.Add(-rule.Window()), To: now,
		Provider: rule.Scope.Provider, Endpoint: rule.Scope.Endpoint, Model: rule.Scope.Model, KeyID: rule.Scope.KeyID,
	}
}

// valueOf is what a kind of rule looks at; false if nothing was measured.
func valueOf(kind string, b *store.StatsBucket) (float64, bool) {
	switch kind {
	case point.RuleErrorRate:
		return share(b.Errors-b.Refused, b.Requests-b.Refused)
	case point.RuleRefusalRate:
		return share(b.Refused, b.Requests)
	case point.RuleLatencyP95:
		return measured(b.Latency.P95)
	case point.RuleTTFTP95:
		return measured(b.TTFT.P95)
	case point.RuleCost:
		return usd(b.Cost), true
	}
	return float64(b.Requests), true
}

// countOf is of how many requests the value of a kind is made.
func countOf(kind string, b *store.StatsBucket) int64 {
	if kind == point.RuleErrorRate {
		return b.Requests - b.Refused
	}
	return b.Requests
}

func share(part, of int64) (float64, bool) {
	return 100 * float64(part) / float64(max(of, 1)), of > 0
}

func measured(ms *int64) (float64, bool) {
	if ms == nil {
		return 0, false
	}
	return float64(*ms), true
}

func usd(n point.NanoUSD) float64 { return float64(n) / float64(point.USD) }

// subjectOf names what a figure is about, and the ids that lead to it.
func subjectOf(snap *point.Snapshot, scope *point.RuleScope, group map[string]string) reading {
	x := reading{detail: map[string]any{}}
	providerID := cmp.Or(group[store.ByProvider], scope.Provider)
	keyID := cmp.Or(group[store.ByKey], scope.KeyID)
	model, endpoint := cmp.Or(group[store.ByModel], scope.Model), cmp.Or(group[store.ByEndpoint], scope.Endpoint)
	switch {
	case keyID != "":
		return ofKey(snap, keyID)
	case providerID != "":
		x = ofProvider(snap, providerID)
	}
	if model != "" {
		x.detail["model"] = model
	}
	if endpoint != "" {
		x.detail["endpoint"] = endpoint
	}
	x.subject = cmp.Or(x.subject, model, endpoint, "all requests")
	return x
}

func ofKey(snap *point.Snapshot, id string) reading {
	x := reading{subject: id, detail: map[string]any{"key_id": id}}
	for _, k := range snap.Keys {
		if k.ID == id {
			x.subject = k.Name + " (" + k.Prefix + ")" // names are not unique
		}
	}
	return x
}

func ofProvider(snap *point.Snapshot, id string) reading {
	x := reading{subject: id, detail: map[string]any{"provider_id": id}}
	if p, ok := snap.Provider(id); ok {
		x.subject = p.Name
	}
	return x
}

// spendOfKeys compares what each key spent in the window with what it spent in as long on the
// days before. A key of less than a day and a window says nothing yet, and little money is no
// anomaly.
func (r *Rules) spendOfKeys(ctx context.Context, snap *point.Snapshot, rule *point.AlertRule, now time.Time) (list []reading, err error) {
	filter := windowOf(rule, now)
	filter.By = []string{store.ByKey}
	lately, err := r.opt.Store.RequestStats(ctx, store.All(), filter)
	if err != nil {
		return nil, err
	}
	start := filter.From
	filter.From, filter.To = start.Add(-anomalyDays*day), start
	before, err := r.opt.Store.RequestStats(ctx, store.All(), filter)
	if err != nil {
		return nil, err
	}
	spent := map[string]float64{}
	for i := range before {
		spent[before[i].Group[store.ByKey]] = usd(before[i].Cost)
	}
	keys := map[string]*point.Key{}
	for _, k := range snap.Keys {
		keys[k.ID] = k
	}
	for i := range lately {
		k, ok := keys[lately[i].Group[store.ByKey]]
		if !ok || lately[i].Cost < anomalyFloor {
			continue
		}
		age := min(start.Sub(k.CreatedAt), anomalyDays*day)
		if age < day || spent[k.ID] == 0 {
			continue
		}
		x := ofKey(snap, k.ID)
		usual := spent[k.ID] * float64(rule.Window()) / float64(age)
		x.value, x.requests = usd(lately[i].Cost)/usual, lately[i].Requests
		x.detail["cost"], x.detail["usual_cost"] = usd(lately[i].Cost), usual
		list = append(list, x)
	}
	return list, nil
}

// providersDown finds the active providers that have been down for the window.
func (r *Rules) providersDown(snap *point.Snapshot, rule *point.AlertRule, now time.Time) (list []reading) {
	if r.opt.Health == nil {
		return nil
	}
	for id, p := range snap.Providers {
		if !p.Active() || rule.Scope.Provider != "" && rule.Scope.Provider != id {
			continue
		}
		health := r.opt.Health(id)
		if health.State != point.HealthDown || health.Since != nil && now.Sub(*health.Since) < rule.Window() {
			continue
		}
		x := ofProvider(snap, id)
		x.value, x.requests, x.detail["reason"] = rule.Threshold, -1, shownDetail(health.Message)
		list = append(list, x)
	}
	return list
}

// secretAges tells how many days ago each active provider's oldest secret was set.
func (r *Rules) secretAges(ctx context.Context, snap *point.Snapshot, rule *point.AlertRule, now time.Time) (list []reading, err error) {
	var ids []string
	for id, p := range snap.Providers {
		if p.Active() && p.ManagedBy != point.ManagedByDemo && (rule.Scope.Provider == "" || rule.Scope.Provider == id) {
			ids = append(ids, id)
		}
	}
	ages, err := r.opt.Store.SecretAges(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for id, secrets := range ages {
		x := ofProvider(snap, id)
		oldest := slices.MinFunc(slices.Collect(maps.Values(secrets)), time.Time.Compare)
		x.value, x.requests = float64(now.Sub(oldest)/day), -1
		list = append(list, x)
	}
	return list, nil
}

// machine tells how much of this machine is used.
func (r *Rules) machine(rule *point.AlertRule) []reading {
	if r.opt.Resources == nil {
		return nil
	}
	used := r.opt.Resources()
	value := used.Memory
	if rule.Kind == point.RuleDisk {
		value = used.Disk
	}
	return []reading{{subject: rule.Kind + onHost(r.opt.Host), value: value, requests: -1, detail: map[string]any{"host": r.opt.Host}}}
}
