package point

import "time"

// Strategy names how targets of one priority are ordered.
type Strategy string

const (
	StrategyPriority      Strategy = "priority"
	StrategyWeighted      Strategy = "weighted"
	StrategyRoundRobin    Strategy = "round_robin"
	StrategyLeastBusy     Strategy = "least_busy"
	StrategyLowestLatency Strategy = "lowest_latency"
	StrategyLowestCost    Strategy = "lowest_cost"
	StrategySticky        Strategy = "sticky"
)

var strategies = []Strategy{
	StrategyPriority, StrategyWeighted, StrategyRoundRobin, StrategyLeastBusy,
	StrategyLowestLatency, StrategyLowestCost, StrategySticky,
}

// Mapping tells how an endpoint's calls find their targets. The zero value is not usable;
// DefaultMapping is.
type Mapping struct {
	Strategy  Strategy    `json:"strategy"`
	Rules     []Rule      `json:"rules"`
	Fallbacks []TargetRef `json:"fallbacks"`
	Retry     Retry       `json:"retry"`
	Timeout   Timeout     `json:"timeout"`
	Cache     Cache       `json:"cache"`
	Batch     Batch       `json:"batch"`

	ContinueBrokenStreams bool   `json:"continue_broken_streams"`
	Unsupported           string `json:"unsupported"` // "error" or "drop"
}

// Rule sends the calls that match When to Targets, then Fallbacks. The first match wins.
type Rule struct {
	Name      string      `json:"name"`
	When      When        `json:"when"`
	Strategy  Strategy    `json:"strategy,omitempty"` // empty: the mapping's
	Targets   []TargetRef `json:"targets"`
	Fallbacks []TargetRef `json:"fallbacks"`
	On        []Failure   `json:"on"` // empty: DefaultOn
}

// When is a condition; empty and nil members match everything.
type When struct {
	Model           []string `json:"model"` // globs
	Key             []string `json:"key"`   // ids or names
	Tag             []string `json:"tag"`
	PromptTokensMax *int64   `json:"prompt_tokens_max"`
	HasImages       *bool    `json:"has_images"`
	HasTools        *bool    `json:"has_tools"`
}

// TargetRef names a target in a mapping: a provider by id (stored) or name (shown and
// accepted), and a model; an empty model is the one asked for.
type TargetRef struct {
	Provider string `json:"provider"`
	Model    string `json:"model,omitempty"`
	Weight   int    `json:"weight,omitempty"`
	Priority int    `json:"priority,omitempty"`
}

// Retry bounds repeats on the same target.
type Retry struct {
	Attempts      int    `json:"attempts"`
	BackoffMS     int64  `json:"backoff_ms"`
	BackoffMaxMS  int64  `json:"backoff_max_ms"`
	BudgetPercent int    `json:"budget_percent"`
	HedgeAfterMS  *int64 `json:"hedge_after_ms"`
}

// Timeout bounds a call. FirstByteMS nil: 30 s streamed, 600 s not, 300 s for images.
type Timeout struct {
	TotalMS     int64  `json:"total_ms"`
	ConnectMS   int64  `json:"connect_ms"`
	FirstByteMS *int64 `json:"first_byte_ms"`
	IdleMS      int64  `json:"idle_ms"`
}

// Deadline is when a call that starts at start has used up its total time; zero: never.
func (t *Timeout) Deadline(start time.Time) time.Time {
	if t.TotalMS <= 0 {
		return time.Time{}
	}
	return start.Add(time.Duration(t.TotalMS) * time.Millisecond)
}

// Cache keeps answers for equal requests of the same client key. Mode is "off" or "exact", TTLS for
// how many seconds, MaxBytes how long an answer may be.
type Cache struct {
	Mode     string `json:"mode"`
	TTLS     int64  `json:"ttl_s"`
	MaxBytes int64  `json:"max_bytes"`
}

// Batch joins calls for embeddings of one target that come within WindowMS, into requests of at most
// MaxInputs.
type Batch struct {
	Enabled   bool  `json:"enabled"`
	WindowMS  int64 `json:"window_ms"`
	MaxInputs int   `json:"max_inputs"`
}

// DefaultOn is what moves on when a rule does not say.
func DefaultOn() []Failure {
	return []Failure{FailRateLimited, FailUnavailable, FailTimeout, FailCredentials, FailModelMissing}
}

// DefaultMapping is the mapping of an endpoint that has none of its own.
func DefaultMapping() Mapping {
	return Mapping{
		Strategy:    StrategyPriority,
		Rules:       []Rule{},
		Fallbacks:   []TargetRef{},
		Retry:       Retry{Attempts: 3, BackoffMS: 100, BackoffMaxMS: 2000, BudgetPercent: 20},
		Timeout:     Timeout{TotalMS: 600_000, ConnectMS: 5_000, IdleMS: 300_000},
		Cache:       Cache{Mode: "off", TTLS: 3600, MaxBytes: 1 << 20},
		Batch:       Batch{WindowMS: 5, MaxInputs: 256},
		Unsupported: "error",
	}
}
