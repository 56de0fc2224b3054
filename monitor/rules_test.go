package monitor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"point"
	"point/store"
)

// fakeRules is a store of figures and alerts.
type fakeRules struct {
	snap    *point.Snapshot
	stats   func(store.StatsFilter) []store.StatsBucket
	secrets map[string]time.Time
	holder  string
	open    []point.Alert
	ended   []point.Alert
	fail    error
}

func (f *fakeRules) Snapshot() *point.Snapshot { return f.snap }

func (f *fakeRules) UpsertAlert(_ context.Context, a point.Alert) error {
	same := func(x point.Alert) bool { return x.Kind == a.Kind && x.Subject == a.Subject }
	if i := slices.IndexFunc(f.open, same); i >= 0 {
		f.open[i].Count, f.open[i].LastAt = f.open[i].Count+1, a.LastAt
		return nil
	}
	a.ID = a.Kind + " " + a.Subject
	f.open = append(f.open, a)
	return nil
}

func (f *fakeRules) RequestStats(_ context.Context, _ store.Scope, filter store.StatsFilter) ([]store.StatsBucket, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	return f.stats(filter), nil
}

func (f *fakeRules) SecretAges(_ context.Context, ids ...string) (map[string]map[string]time.Time, error) {
	ages := map[string]map[string]time.Time{}
	for id, at := range f.secrets {
		if slices.Contains(ids, id) {
			ages[id] = map[string]time.Time{"new": at.AddDate(0, 0, 9), "old": at}
		}
	}
	return ages, nil
}

func (f *fakeRules) ListAlerts(context.Context, store.AlertFilter) (store.List[point.Alert], error) {
	return store.List[point.Alert]{Items: slices.Clone(f.open)}, nil
}

func (f *fakeRules) ResolveAlert(_ context.Context, id, _ string) (*point.Alert, error) {
	i := slices.IndexFunc(f.open, func(a point.Alert) bool { return a.ID == id })
	f.ended = append(f.ended, f.open[i])
	f.open = slices.Delete(f.open, i, i+1)
	return nil, nil
}

func (f *fakeRules) Lease(_ context.Context, _, holder string, _ time.Duration) (bool, error) {
	if f.holder == "" {
		f.holder = holder
	}
	return f.holder == holder, nil
}

func (f *fakeRules) Release(context.Context, string, string) error {
	f.holder = ""
	return nil
}

// rulesWorld is one rule over figures that a test sets.
type rulesWorld struct {
	t     *testing.T
	store *fakeRules
	now   time.Time
	rules *Rules
	used  Resources
	down  map[string]point.ProviderHealth
}

func newRulesWorld(t *testing.T, rule point.AlertRule) *rulesWorld {
	rule.ID, rule.Enabled = "r1", true
	if rule.WindowMS == 0 {
		rule.WindowMS = 300_000
	}
	w := &rulesWorld{t: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), down: map[string]point.ProviderHealth{}}
	snap := &point.Snapshot{
		AlertRules: map[string]*point.AlertRule{rule.ID: &rule},
		Providers:  map[string]*point.Provider{"p1": {ID: "p1", Name: "main", Status: point.StatusActive}, "p2": {ID: "p2", Name: "off", Status: point.StatusInactive}},
		Keys:       map[[32]byte]*point.Key{{1}: {ID: "k1", Name: "billing", Prefix: "pt-abcde", CreatedAt: w.now.AddDate(0, 0, -30)}},
	}
	snap.Index()
	w.store = &fakeRules{snap: snap, stats: func(store.StatsFilter) []store.StatsBucket { return nil }}
	w.rules = w.process("a")
	return w
}

func (w *rulesWorld) process(id string) *Rules {
	return NewRules(RulesOptions{
		Store: w.store, Holder: id, Host: id, Now: func() time.Time { return w.now },
		Health: func(id string) point.ProviderHealth { return w.down[id] }, Resources: func() Resources { return w.used },
	})
}

// evaluate evaluates, and returns the kinds and subjects of what is open.
func (w *rulesWorld) evaluate() string {
	w.t.Helper()
	if err := w.rules.Evaluate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, a := range w.store.open {
		list = append(list, a.Kind+" "+a.Subject)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (w *rulesWorld) want(what, open string) {
	w.t.Helper()
	if got := w.evaluate(); got != open {
		w.t.Fatalf("%s: open are %q, want %q", what, got, open)
	}
}

func ms(n int64) *int64 { return &n }

func TestRulesOfRequests(t *testing.T) {
	bucket := func(change func(*store.StatsBucket)) []store.StatsBucket {
		b := store.StatsBucket{Requests: 100, Errors: 10, Cost: 2 * point.USD, Latency: store.Percentiles{P95: ms(900)}, TTFT: store.Percentiles{P95: ms(300)}}
		change(&b)
		return []store.StatsBucket{b}
	}
	for kind, c := range map[string]struct {
		threshold float64
		worse     func(*store.StatsBucket)
		says      string
	}{
		point.RuleErrorRate:   {20, func(b *store.StatsBucket) { b.Errors = 20 }, "20% of 100 requests in 5m failed by a provider or by Point; the limit is 20%"},
		point.RuleRefusalRate: {9, func(b *store.StatsBucket) { b.Refused = 9 }, "9% of 100 requests in 5m were refused"},
		point.RuleLatencyP95:  {1000, func(b *store.StatsBucket) { b.Latency.P95 = ms(1000) }, "took 1000 ms or longer"},
		point.RuleTTFTP95:     {500, func(b *store.StatsBucket) { b.TTFT.P95 = ms(501) }, "waited 501 ms or longer"},
		point.RuleCost:        {2.5, func(b *store.StatsBucket) { b.Cost = 3 * point.USD }, "3 USD were spent in 5m; the limit is 2.5 USD"},
		point.RuleRequests:    {101, func(b *store.StatsBucket) { b.Requests = 200 }, "200 requests came in 5m; the limit is 101"},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: kind, Threshold: c.threshold, MinRequests: 50, Severity: SeverityCritical})
			figures := bucket(func(*store.StatsBucket) {})
			w.store.stats = func(f store.StatsFilter) []store.StatsBucket {
				if f.GroupBy != store.GroupWindow || f.To.Sub(f.From) != 5*time.Minute || !f.To.Equal(w.now) {
					t.Errorf("asked for %+v", f)
				}
				return figures
			}
			w.want("below the threshold", "")
			figures = bucket(func(b *store.StatsBucket) { c.worse(b); b.Requests = 49 })
			w.want("too few requests", "")
			figures = bucket(c.worse)
			w.want("at the threshold", "rule:x all requests")
			alert := w.store.open[0]
			if !strings.Contains(alert.Message, c.says) || alert.Severity != SeverityCritical || alert.RuleID != "r1" || !strings.Contains(string(alert.Detail), `"threshold":`) {
				t.Errorf("alert %+v %s", alert, alert.Detail)
			}
			w.want("still so", "rule:x all requests")
			w.store.fail = errors.New("the database is away")
			w.want("nobody knows", "rule:x all requests")
			w.store.fail = nil
			figures = bucket(func(*store.StatsBucket) {})
			w.want("better", "")
			if len(w.store.ended) != 1 || w.store.ended[0].Count != 2 {
				t.Errorf("ended: %+v", w.store.ended)
			}
		})
	}
}

func TestErrorRateLeavesRefusalsOut(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleErrorRate, Threshold: 50, MinRequests: 10})
	var figures store.StatsBucket
	w.store.stats = func(store.StatsFilter) []store.StatsBucket { return []store.StatsBucket{figures} }
	figures = store.StatsBucket{Requests: 1000, Errors: 1000, Refused: 1000}
	w.want("callers' mistakes alone", "")
	figures = store.StatsBucket{Requests: 1000, Errors: 995, Refused: 991}
	w.want("too few others", "")
	figures = store.StatsBucket{Requests: 1000, Errors: 995, Refused: 990}
	w.want("half of the others", "rule:x all requests")
	if detail := string(w.store.open[0].Detail); !strings.Contains(detail, `"value":50`) || !strings.Contains(detail, `"requests":10`) {
		t.Error(detail)
	}
}

func TestRuleOfEachProvider(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleErrorRate, Scope: point.RuleScope{Each: point.EachProvider}, Threshold: 50})
	w.store.stats = func(f store.StatsFilter) []store.StatsBucket {
		if !slices.Equal(f.By, []string{store.ByProvider}) {
			t.Errorf("by %v", f.By)
		}
		return []store.StatsBucket{
			{Group: map[string]string{store.ByProvider: "p1"}, Requests: 10, Errors: 6},
			{Group: map[string]string{store.ByProvider: "gone"}, Requests: 10, Errors: 10},
			{Group: map[string]string{store.ByProvider: "p2"}, Requests: 10},
		}
	}
	w.want("two fail", "rule:x gone, rule:x main")
	if detail := string(w.store.open[0].Detail); !strings.Contains(detail, `"provider_id":"p1"`) || !strings.Contains(detail, `"value":60`) {
		t.Error(detail)
	}
	w.store.snap.AlertRules["r1"].Enabled = false
	w.want("switched off", "")
}

func TestSpendAnomaly(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleSpendAnomaly, Threshold: 5, WindowMS: (24 * time.Hour).Milliseconds()})
	lately, before := 49*point.USD, 70*point.USD // 10 USD a day
	w.store.stats = func(f store.StatsFilter) []store.StatsBucket {
		cost := lately
		if f.To.Before(w.now) {
			if cost = before; f.To.Sub(f.From) != 7*24*time.Hour || w.now.Sub(f.To) != 24*time.Hour {
				t.Errorf("asked for %+v", f)
			}
		}
		return []store.StatsBucket{{Group: map[string]string{store.ByKey: "k1"}, Cost: cost, Requests: 10}, {Group: map[string]string{store.ByKey: ""}, Cost: 1000 * point.USD}}
	}
	key := w.store.snap.Keys[[32]byte{1}]
	w.want("4.9 times", "")
	lately = 50 * point.USD
	w.want("5 times", "rule:x billing (pt-abcde)")
	if detail := string(w.store.open[0].Detail); !strings.Contains(detail, `"key_id":"k1"`) || !strings.Contains(detail, `"usual_cost":10`) {
		t.Error(detail)
	}
	key.CreatedAt = w.now.AddDate(0, 0, -3) // two days before the window: 35 USD a day
	w.want("a young key has few days to compare with", "")
	key.CreatedAt = w.now.Add(-30 * time.Hour)
	before = 1
	w.want("a key of less than a day says nothing", "")
	key.CreatedAt = w.now.AddDate(0, 0, -30)
	lately = point.USD - 1
	w.want("little money is no anomaly", "")
	lately, before = 50*point.USD, 0
	w.want("nothing to compare with", "")
}

func TestProviderDownRule(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleProviderDown, WindowMS: 60_000})
	since := w.now.Add(-59 * time.Second)
	w.down["p2"] = point.ProviderHealth{State: point.HealthDown}
	w.down["p1"] = point.ProviderHealth{State: point.HealthDown, Since: &since, Message: "refused by sk-abcdefghijklmnopqrstuvwxyz012345"}
	w.want("not for long", "")
	w.now = w.now.Add(time.Second)
	w.want("for a minute", "rule:x main")
	if detail := string(w.store.open[0].Detail); strings.Contains(detail, "sk-abcdefghijklmnop") {
		t.Error(detail)
	}
	w.down["p1"] = point.ProviderHealth{State: point.HealthOK}
	w.want("up again", "")
}

func TestSecretAgeRule(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleSecretAge, Threshold: 180})
	w.store.secrets = map[string]time.Time{"p1": w.now.AddDate(0, 0, -179), "p2": w.now.AddDate(-2, 0, 0)}
	w.want("young", "")
	w.now = w.now.AddDate(0, 0, 1)
	w.want("old", "rule:x main")
	w.store.secrets = nil
	w.want("gone", "")
}

// TestRulesOfManyProcesses: one measures what they share, each its own machine.
func TestRulesOfManyProcesses(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleDisk, Threshold: 90})
	w.store.snap.AlertRules["r2"] = &point.AlertRule{ID: "r2", Name: "y", Kind: point.RuleRequests, Threshold: 1, WindowMS: 60_000, Enabled: true}
	w.store.stats = func(store.StatsFilter) []store.StatsBucket { return []store.StatsBucket{{Requests: 1}} }
	w.used.Disk = 90
	other := w.process("b")
	w.want("the first", "rule:x disk on a, rule:y all requests")
	w.rules = other
	w.want("the second", "rule:x disk on a, rule:x disk on b, rule:y all requests")
	w.used.Disk = 0
	w.want("its disk is fine again", "rule:x disk on a, rule:y all requests")
	w.now = w.now.Add(hostSilent + time.Second)
	w.store.stats = func(store.StatsFilter) []store.StatsBucket { return nil }
	w.want("it leaves the rest alone", "rule:x disk on a, rule:y all requests")
	w.store.holder = "" // the first is gone
	w.want("it ends what nobody looks after", "")
}

func TestRulesStop(t *testing.T) {
	w := newRulesWorld(t, point.AlertRule{Name: "x", Kind: point.RuleRequests, Threshold: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.rules.Run(ctx); err != nil || w.store.holder != "" {
		t.Fatalf("%v, the lease is %q's", err, w.store.holder)
	}
}

func TestDefaultRulesAreValid(t *testing.T) {
	for _, r := range DefaultRules() {
		r.Check(func(at, format string, args ...any) {
			t.Errorf("%s: %s: "+format, append([]any{r.Name, at}, args...)...)
		})
	}
	used := ResourcesOf(t.TempDir())
	if used.Memory < 0 || used.Memory > 100 || used.Disk < 0 || used.Disk > 100 {
		t.Errorf("resources %+v", used)
	}
}
