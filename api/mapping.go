package api

import "point"

// Mapping tells how an endpoint's calls find their targets. Its JSON is that of
// point.Mapping; this form carries the documentation and the bounds.
type Mapping struct {
	Strategy              string   `json:"strategy" enum:"priority,weighted,round_robin,least_busy,lowest_latency,lowest_cost,sticky" example:"priority"`
	Rules                 []Rule   `json:"rules" maxItems:"500" doc:"The first one whose when matches is used."`
	Fallbacks             []Target `json:"fallbacks" maxItems:"100" doc:"Tried after a rule's own targets and fallbacks."`
	Retry                 Retry    `json:"retry"`
	Timeout               Timeout  `json:"timeout"`
	Cache                 Cache    `json:"cache"`
	Batch                 Batch    `json:"batch"`
	ContinueBrokenStreams bool     `json:"continue_broken_streams"`
	Unsupported           string   `json:"unsupported" enum:"error,drop" doc:"What to do with request fields that a target cannot be told."`
}

// Rule sends the calls that match When to Targets.
type Rule struct {
	Name      string   `json:"name" maxLength:"255"`
	When      When     `json:"when"`
	Strategy  string   `json:"strategy,omitempty" enum:"priority,weighted,round_robin,least_busy,lowest_latency,lowest_cost,sticky" doc:"Absent: the mapping's."`
	Targets   []Target `json:"targets" minItems:"1" maxItems:"100"`
	Fallbacks []Target `json:"fallbacks" maxItems:"100"`
	On        []string `json:"on" maxItems:"20" enum:"rate_limited,unavailable,timeout,credentials,model_missing,context_length" doc:"Failures that move on to the next target; empty: all but context_length."`
}

// When is a condition; empty lists and null match everything.
type When struct {
	Model           Names  `json:"model" maxItems:"500" doc:"Globs." example:"[\"gpt-4o*\"]"`
	Key             Names  `json:"key" maxItems:"500" doc:"Ids or names of client keys."`
	Tag             Names  `json:"tag" maxItems:"500" doc:"Tags of client keys."`
	PromptTokensMax *int64 `json:"prompt_tokens_max" minimum:"0" maximum:"1000000000"`
	HasImages       *bool  `json:"has_images"`
	HasTools        *bool  `json:"has_tools"`
}

// Target is a provider and a model.
type Target struct {
	Provider string `json:"provider" minLength:"1" maxLength:"63" doc:"Name; an id is taken too." example:"openai-main"`
	Model    string `json:"model,omitempty" maxLength:"255" doc:"Absent: the one asked for." example:"gpt-4o-mini"`
	Weight   int    `json:"weight,omitempty" minimum:"0" maximum:"1000000"`
	Priority int    `json:"priority,omitempty" minimum:"0" maximum:"1000000" doc:"Lower is tried first."`
}

// Retry bounds repeats on the same target.
type Retry struct {
	Attempts      int    `json:"attempts" minimum:"1" maximum:"100"`
	BackoffMS     int64  `json:"backoff_ms" minimum:"0" maximum:"600000"`
	BackoffMaxMS  int64  `json:"backoff_max_ms" minimum:"0" maximum:"600000"`
	BudgetPercent int    `json:"budget_percent" minimum:"0" maximum:"100"`
	HedgeAfterMS  *int64 `json:"hedge_after_ms" minimum:"1" maximum:"600000" doc:"null: never."`
}

// Timeout bounds a call, in ms.
type Timeout struct {
	TotalMS     int64  `json:"total_ms" minimum:"1" maximum:"86400000"`
	ConnectMS   int64  `json:"connect_ms" minimum:"1" maximum:"600000"`
	FirstByteMS *int64 `json:"first_byte_ms" minimum:"1" maximum:"86400000" doc:"null: 30 s streamed, 600 s not, 300 s for images."`
	IdleMS      int64  `json:"idle_ms" minimum:"1" maximum:"86400000"`
}

// Cache keeps answers to equal requests.
type Cache struct {
	Mode     string `json:"mode" enum:"off,exact"`
	TTLS     int64  `json:"ttl_s" minimum:"1" maximum:"31536000" doc:"Seconds."`
	MaxBytes int64  `json:"max_bytes" minimum:"1" maximum:"1073741824" doc:"Larger answers are not kept."`
}

// Batch joins concurrent embedding calls.
type Batch struct {
	Enabled   bool  `json:"enabled"`
	WindowMS  int64 `json:"window_ms" minimum:"0" maximum:"60000"`
	MaxInputs int   `json:"max_inputs" minimum:"1" maximum:"100000"`
}

// shapeMapping is m as answers show it: with names in place of ids. A provider that was
// deleted stays an id.
func shapeMapping(m *point.Mapping, s *point.Snapshot) Mapping {
	out := Mapping{
		Strategy: string(m.Strategy), Rules: make([]Rule, len(m.Rules)), Fallbacks: shapeTargets(m.Fallbacks, s),
		Retry: Retry(m.Retry), Timeout: Timeout(m.Timeout), Cache: Cache(m.Cache), Batch: Batch(m.Batch),
		ContinueBrokenStreams: m.ContinueBrokenStreams, Unsupported: m.Unsupported,
	}
	for i, rule := range m.Rules {
		out.Rules[i] = Rule{
			Name: rule.Name, When: shapeWhen(rule.When), Strategy: string(rule.Strategy),
			Targets: shapeTargets(rule.Targets, s), Fallbacks: shapeTargets(rule.Fallbacks, s), On: []string{},
		}
		for _, failure := range rule.On {
			out.Rules[i].On = append(out.Rules[i].On, string(failure))
		}
	}
	return out
}

func shapeWhen(w point.When) When {
	notNull(&w.Model)
	notNull(&w.Key)
	notNull(&w.Tag)
	return When{Model: w.Model, Key: w.Key, Tag: w.Tag, PromptTokensMax: w.PromptTokensMax, HasImages: w.HasImages, HasTools: w.HasTools}
}

func shapeTargets(targets []point.TargetRef, s *point.Snapshot) []Target {
	out := make([]Target, len(targets))
	for i, t := range targets {
		out[i] = Target(t)
		if p, ok := s.Provider(t.Provider); ok {
			out[i].Provider = p.Name
		}
	}
	return out
}
