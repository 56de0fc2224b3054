package routing

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"point"
)

// present is a Load and a Catalog from tables.
type present struct {
	busy    map[string]int
	latency map[string]time.Duration
}

func (p present) Busy(id string) int                { return p.busy[id] }
func (p present) Latency(id string) time.Duration   { return p.latency[id] }
func (present) Serves(*point.Provider, string) bool { return true }
func (present) Has(p *point.Provider, model string) bool {
	return slices.Contains(p.Config.Models, model)
}

// Price makes provider kinds "cheap" and "dear" cost 1 and 10 USD a million tokens.
func (present) Price(kind, _ string, _ time.Time) *point.Price {
	rates := map[string]float64{"cheap": 1000, "dear": 10_000}
	rate, ok := rates[kind]
	if !ok {
		return nil
	}
	return &point.Price{Input: &rate, Output: &rate}
}

func snapshot() *point.Snapshot {
	s := &point.Snapshot{Providers: map[string]*point.Provider{}, Aliases: map[string]string{"fast": "b/m2", "big": "m", "quick": "fast", "ring": "circle", "circle": "ring"}, Default: point.DefaultMapping(), Prices: present{}}
	for i, kind := range []string{"dear", "cheap", "unknown"} {
		name := string(rune('a' + i))
		s.Providers["id-"+name] = &point.Provider{
			ID: "id-" + name, Name: name, Kind: kind, Type: point.TypeAPI, Status: point.StatusActive,
			Config: point.ProviderConfig{Models: []string{"m", "m2", "org/m3"}},
		}
	}
	s.Index()
	return s
}

func names(plan *point.Plan) (out []string) {
	for _, t := range plan.Targets {
		out = append(out, t.Provider.Name+"/"+t.Model)
	}
	return out
}

func plan(t *testing.T, s *point.Snapshot, load present, body string) (*point.Plan, error) {
	t.Helper()
	env, err := point.ScanEnvelope([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	call := &point.Call{
		Path: point.PathChat, Dialect: point.DialectOpenAI, Snapshot: s, Envelope: env, Body: []byte(body),
		Key: &point.Key{ID: "key-1", Name: "app", Tags: []string{"batch"}},
	}
	return New(load, load).Plan(call)
}

func TestPlan(t *testing.T) {
	tests := map[string]struct {
		body    string
		want    []string
		skipped int
	}{
		"a bare model goes to all that have it": {`{"model":"m"}`, []string{"a/m", "b/m", "c/m"}, 0},
		"a model with a slash":                  {`{"model":"org/m3"}`, []string{"a/org/m3", "b/org/m3", "c/org/m3"}, 0},
		"provider and model":                    {`{"model":"b/org/m3"}`, []string{"b/org/m3"}, 0},
		"provider in the body":                  {`{"model":"m","provider":"c"}`, []string{"c/m"}, 0},
		"provider by id":                        {`{"model":"m","provider":"id-c"}`, []string{"c/m"}, 0},
		"provider twice":                        {`{"model":"c/m","provider":"c"}`, []string{"c/m"}, 0},
		"alias to provider and model":           {`{"model":"fast"}`, []string{"b/m2"}, 0},
		"alias to an alias":                     {`{"model":"quick"}`, []string{"b/m2"}, 0},
		"alias to a bare model":                 {`{"model":"big","provider":{"only":["b"]}}`, []string{"b/m"}, 2},
		"alias at a named provider":             {`{"model":"big","provider":"c"}`, []string{"c/m"}, 0},
		"alias at its own provider":             {`{"model":"fast","provider":"b"}`, []string{"b/m2"}, 0},
		"alias at another provider":             {`{"model":"fast","provider":"c"}`, []string{"c/m2"}, 0},
		"alias of which a fallback gets more":   {`{"model":"fast","fallback_providers":["c"]}`, []string{"b/m2", "c/m2"}, 0},
		"fallback providers get the same model": {`{"model":"b/m","fallback_providers":["a","c/m2"]}`, []string{"b/m", "a/m", "c/m2"}, 0},
		"a fallback that stands already":        {`{"model":"b/m","fallback_providers":["b","a"]}`, []string{"b/m", "a/m"}, 0},
		"fallback models":                       {`{"model":"b/m","models":["a/m2"]}`, []string{"b/m", "a/m2"}, 0},
		"order":                                 {`{"model":"m","provider":{"order":["c","b"]}}`, []string{"c/m", "b/m", "a/m"}, 0},
		"ignore":                                {`{"model":"m","provider":{"ignore":["a"]}}`, []string{"b/m", "c/m"}, 1},
		"order alone":                           {`{"model":"m","provider":{"order":["c","b"],"allow_fallbacks":false}}`, []string{"c/m", "b/m"}, 1},
		"order alone, one unknown":              {`{"model":"m","provider":{"order":["nope","b"],"allow_fallbacks":false}}`, []string{"b/m"}, 3},
		"no fallbacks":                          {`{"model":"m","provider":{"allow_fallbacks":false}}`, []string{"a/m"}, 0},
		"sort by price, unknown last":           {`{"model":"m","provider":{"sort":"price"}}`, []string{"b/m", "a/m", "c/m"}, 0},
		"max price leaves out the unknown":      {`{"model":"m","provider":{"max_price":{"prompt":2}}}`, []string{"b/m"}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := plan(t, snapshot(), present{}, test.body)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(names(got), test.want) || len(got.Skipped) != test.skipped {
				t.Errorf("targets %v, skipped %v", names(got), got.Skipped)
			}
			for _, target := range got.Targets {
				if target.Reason == "" {
					t.Errorf("%s has no reason", target.Provider.Name)
				}
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	tests := map[string]struct {
		body string
		code point.Code
		says string // a part of the message
	}{
		"unknown model":            {`{"model":"zzz"}`, point.ModelNotFound, "GET /v1/models"},
		"unknown before the slash": {`{"model":"nope/gpt"}`, point.ModelNotFound, `There is no provider "nope"`},
		"unknown provider":         {`{"model":"m","provider":"zzz"}`, point.ProviderNotFound, ""},
		"unknown fallback":         {`{"model":"m","fallback_providers":["zzz"]}`, point.ProviderNotFound, ""},
		"not in the list":          {`{"model":"a/zzz"}`, point.ModelNotFound, ""},
		"everything denied":        {`{"model":"m","provider":{"only":["zzz"]}}`, point.ModelNotFound, "provider.only leaves it out; zzz: there is no such provider"},
		"one allowed, unknown":     {`{"model":"zzz","provider":{"only":["yyy"]}}`, point.ModelNotFound, "yyy: there is no such provider"},
		"a wish":                   {`{"model":"zzz","provider":{"order":["yyy"]}}`, point.ModelNotFound, "GET /v1/models"},
		"an order alone":           {`{"model":"m","provider":{"order":["yyy"],"allow_fallbacks":false}}`, point.ModelNotFound, "yyy: there is no such provider"},
		"a wish, and all ignored":  {`{"model":"m","provider":{"order":["a","typo"],"ignore":["a","b","c"]}}`, point.ModelNotFound, "m\": a: the request's provider.ignore names it."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := plan(t, snapshot(), present{}, test.body); err == nil || point.AsError(err).Code != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestInactiveProvidersAreSkippedWithAReason(t *testing.T) {
	s := snapshot()
	s.Providers["id-a"].Status = point.StatusInactive
	got, _ := plan(t, s, present{}, `{"model":"a/m","fallback_providers":["b"]}`)
	if !slices.Equal(names(got), []string{"b/m"}) || got.Skipped[0].Reason != "the provider is inactive" {
		t.Errorf("targets %v, skipped %v", names(got), got.Skipped)
	}
}

func TestAnInactiveProviderThatIsNamed(t *testing.T) {
	s := snapshot()
	s.Providers["id-a"].Status = point.StatusInactive
	if _, err := plan(t, s, present{}, `{"model":"m","provider":"a"}`); point.AsError(err).Code != point.ProviderNotFound {
		t.Errorf("got %v", err)
	}
}

// TestNamesOfClientsAreBounded: what a request names goes into its record, however long and often.
func TestNamesOfClientsAreBounded(t *testing.T) {
	var order []string
	for i := range 90 {
		order = append(order, `"`+strings.Repeat("é", 130+i/2)+`"`)
	}
	model := strings.Repeat("m", 20_000)
	body := `{"model":"` + model + `","fallback_providers":["a/` + model + `"],"provider":{"ignore":["a"],"order":["typo","typo",` + strings.Join(order, ",") + `]}}`
	got, err := plan(t, snapshot(), present{}, body)
	if err == nil || len(got.Skipped) != 3 {
		t.Fatalf("%d are skipped, %v", len(got.Skipped), err)
	}
	for _, s := range got.Skipped {
		if len(s.Provider) > 255 || len(s.Model) != 255 || !utf8.ValidString(s.Provider) {
			t.Errorf("%+v", s)
		}
	}
	var only []string
	for i := range 100 {
		only = append(only, `"typo`+strconv.Itoa(i)+`"`)
	}
	if got, _ := plan(t, snapshot(), present{}, `{"model":"m","provider":{"order":[`+strings.Join(only, ",")+`]}}`); len(got.Skipped) != 10 {
		t.Errorf("%d unknown names are told", len(got.Skipped))
	}
}

func TestExplainTellsOfEveryProvider(t *testing.T) {
	s := snapshot()
	s.Providers["id-a"].Status = point.StatusInactive
	s.Providers["id-b"].Config.Models = []string{"m2"}
	for body, want := range map[string][]point.Skipped{
		`{"model":"m"}`: {
			{Provider: "a", Model: "m", Reason: "the provider is inactive"},
			{Provider: "b", Model: "m", Reason: "it does not have the model, as far as is known"},
		},
		`{"model":"fast"}`: {
			{Provider: "a", Model: "m2", Reason: "the provider is inactive"},
			{Provider: "c", Model: "m2", Reason: "the request, an alias or a rule names other targets"},
		},
	} {
		env, _ := point.ScanEnvelope([]byte(body))
		call := &point.Call{Path: point.PathChat, Snapshot: s, Envelope: env, Key: &point.Key{}}
		got, err := New(present{}, present{}).Explain(call)
		if err != nil || !slices.Equal(got.Skipped, want) {
			t.Errorf("%s: %+v, %v", body, got.Skipped, err)
		}
		if got, _ := New(present{}, present{}).Plan(call); len(got.Skipped) != 0 {
			t.Errorf("a plan that is not explained skips %+v", got.Skipped)
		}
	}
}

func TestRules(t *testing.T) {
	yes, small := true, int64(100)
	target := func(name string) []point.TargetRef { return []point.TargetRef{{Provider: "id-" + name, Model: "m2"}} }
	s := snapshot()
	s.Default.Rules = []point.Rule{
		{Name: "tools", When: point.When{HasTools: &yes}, Targets: target("c"), On: []point.Failure{point.FailTimeout}},
		{Name: "images", When: point.When{HasImages: &yes}, Targets: target("b")},
		{Name: "key", When: point.When{Key: []string{"app"}, Model: []string{"keyed*"}}, Targets: target("a")},
		{Name: "tag", When: point.When{Tag: []string{"batch"}, Model: []string{"tagged"}}, Targets: target("b")},
		{Name: "small", When: point.When{Model: []string{"org/*"}, PromptTokensMax: &small}, Targets: target("a"), Fallbacks: []point.TargetRef{{Provider: "c"}}},
	}
	s.Default.Fallbacks = []point.TargetRef{{Provider: "id-b", Model: "m"}, {Provider: "gone"}}
	tests := map[string]struct {
		body, rule string
		want       []string
	}{
		"tools":    {`{"model":"m","tools":[{}]}`, "tools", []string{"c/m2", "b/m"}},
		"images":   {`{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{}}]}]}`, "images", []string{"b/m2", "b/m"}},
		"key":      {`{"model":"keyed-1"}`, "key", []string{"a/m2", "b/m"}},
		"tag":      {`{"model":"tagged"}`, "tag", []string{"b/m2", "b/m"}},
		"glob":     {`{"model":"org/m3"}`, "small", []string{"a/m2", "c/org/m3", "b/m"}},
		"no match": {`{"model":"m"}`, "", []string{"a/m", "b/m", "c/m"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := plan(t, s, present{}, test.body)
			if err != nil || got.Rule != test.rule || !slices.Equal(names(got), test.want) {
				t.Errorf("rule %q, targets %v, %v", got.Rule, names(got), err)
			}
		})
	}
	if got, _ := plan(t, s, present{}, `{"model":"m","tools":[{}]}`); !slices.Equal(got.On, []point.Failure{point.FailTimeout}) {
		t.Errorf("moves on for %v", got.On)
	}
}

func TestStrategies(t *testing.T) {
	load := present{
		busy:    map[string]int{"id-a": 3, "id-b": 1, "id-c": 2},
		latency: map[string]time.Duration{"id-a": 3, "id-b": 2, "id-c": 1},
	}
	want := map[point.Strategy][]string{
		point.StrategyPriority:      {"a/m", "b/m", "c/m"},
		point.StrategyLeastBusy:     {"b/m", "c/m", "a/m"},
		point.StrategyLowestLatency: {"c/m", "b/m", "a/m"},
		point.StrategyLowestCost:    {"b/m", "a/m", "c/m"},
	}
	for strategy, order := range want {
		s := snapshot()
		s.Default.Strategy = strategy
		if got, err := plan(t, s, load, `{"model":"m"}`); err != nil || !slices.Equal(names(got), order) {
			t.Errorf("%s: %v, %v", strategy, names(got), err)
		}
	}
}

func TestPriorityGoesBeforeStrategy(t *testing.T) {
	s := snapshot()
	s.Default.Strategy = point.StrategyLeastBusy
	s.Providers["id-b"].Config.Priority = 1
	load := present{busy: map[string]int{"id-a": 3, "id-c": 2}}
	if got, _ := plan(t, s, load, `{"model":"m"}`); !slices.Equal(names(got), []string{"c/m", "a/m", "b/m"}) {
		t.Errorf("targets %v", names(got))
	}
}

func TestWeightedKeepsItsShares(t *testing.T) {
	s := snapshot()
	s.Default.Strategy = point.StrategyWeighted
	s.Providers["id-a"].Config.Weight, s.Providers["id-b"].Config.Weight = 80, 20
	s.Providers["id-c"].Status = point.StatusInactive
	first := map[string]int{}
	for range 2000 {
		got, _ := plan(t, s, present{}, `{"model":"m"}`)
		if len(got.Targets) != 2 {
			t.Fatalf("targets %v", names(got))
		}
		first[got.Targets[0].Provider.Name]++
	}
	if first["a"] < 1480 || first["a"] > 1720 { // six standard deviations around 1600
		t.Errorf("shares %v", first)
	}
}

func TestRoundRobinTakesTurns(t *testing.T) {
	s := snapshot()
	s.Default.Strategy = point.StrategyRoundRobin
	env, _ := point.ScanEnvelope([]byte(`{"model":"m"}`))
	planner, first := New(present{}, present{}), map[string]int{}
	for range 9 {
		got, err := planner.Plan(&point.Call{Path: point.PathChat, Snapshot: s, Envelope: env, Key: &point.Key{}})
		if err != nil {
			t.Fatal(err)
		}
		first[got.Targets[0].Provider.Name]++
	}
	if first["a"] != 3 || first["b"] != 3 || first["c"] != 3 {
		t.Errorf("turns %v", first)
	}
}

func TestStickyIsLasting(t *testing.T) {
	s := snapshot()
	s.Default.Strategy = point.StrategySticky
	seen := map[string]bool{}
	for _, user := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"} {
		body := `{"model":"m","user":"` + user + `"}`
		one, _ := plan(t, s, present{}, body)
		two, _ := plan(t, s, present{}, body)
		if !slices.Equal(names(one), names(two)) {
			t.Errorf("%s: %v, then %v", user, names(one), names(two))
		}
		seen[names(one)[0]] = true
	}
	if len(seen) < 2 {
		t.Error("all users stick to one target")
	}
}

func TestMatchGlob(t *testing.T) {
	for _, test := range []struct {
		glob, name string
		want       bool
	}{
		{"gpt-4o*", "gpt-4o-mini", true}, {"gpt-4o", "gpt-4o-mini", false}, {"*", "a/b/c", true},
		{"openai/*", "openai/gpt/x", true}, {"gpt-?", "gpt-4", true}, {"[", "[", false},
	} {
		if got := MatchGlob(test.glob, test.name); got != test.want {
			t.Errorf("%s on %s: %v", test.glob, test.name, got)
		}
	}
}

// TestSimulatedServicesStandBehindNobody: beside a real provider they serve only who names
// them.
func TestSimulatedServicesStandBehindNobody(t *testing.T) {
	s := snapshot()
	s.Providers["id-a"].ManagedBy = point.ManagedByDemo
	s.Index()
	for body, want := range map[string][]string{
		`{"model":"m"}`:                             {"b/m", "c/m"},
		`{"model":"b/m","models":["m"]}`:            {"b/m", "c/m"},
		`{"model":"a/m"}`:                           {"a/m"},
		`{"model":"m","provider":"a"}`:              {"a/m"},
		`{"model":"m","provider":{"only":["a"]}}`:   {"a/m"},
		`{"model":"m","fallback_providers":["a"]}`:  {"b/m", "c/m", "a/m"},
		`{"model":"m","provider":{"order":["a"]}}`:  {"a/m", "b/m", "c/m"},
		`{"model":"m","provider":{"ignore":["a"]}}`: {"b/m", "c/m"},
	} {
		got, err := plan(t, s, present{}, body)
		if err != nil || !slices.Equal(names(got), want) {
			t.Errorf("%s: %v, %v", body, names(got), err)
		}
	}
	s.Providers["id-a"].Config.Models = []string{"m", "own"}
	_, err := plan(t, s, present{}, `{"model":"own"}`)
	if e := point.AsError(err); e.Code != point.ModelNotFound || !strings.Contains(e.Message, `a has it but is simulated`) || !strings.Contains(e.Message, `write "a/own"`) {
		t.Errorf("a model that a simulated service alone has: %v", err)
	}
	for body, says := range map[string]string{
		`{"model":"own","provider":{"order":["typo"]}}`:      `write "a/own".`,
		`{"model":"own","fallback_providers":["c/lacking"]}`: `write "a/own". Besides: c: the model is not in the provider's list.`,
	} {
		if _, err := plan(t, s, present{}, body); err == nil || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("%s: %v", body, err)
		}
	}
	s.DemoServes = true
	if got, _ := plan(t, s, present{}, `{"model":"m"}`); !slices.Equal(names(got), []string{"a/m", "b/m", "c/m"}) {
		t.Errorf("asked for: %v", names(got))
	}
}
