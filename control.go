package point

import "time"

// TestRequest is what to try a provider with. Empty members take the tester's own: a short
// prompt, the provider's first known chat model.
type TestRequest struct {
	Prompt     string
	Model      string
	Parameters []byte // JSON object merged into the request body, nil for none
}

// TestResult is what came of a real call made to try a provider or an endpoint.
type TestResult struct {
	OK        bool       `json:"ok"`
	Status    int        `json:"status"`     // HTTP status of the last attempt, 0: none was had
	LatencyMS int64      `json:"latency_ms"` // to the end of the answer
	TTFTMS    *int64     `json:"ttft_ms"`    // to the first content, nil: there was none
	Text      string     `json:"text"`       // what the model said, cut to a screenful
	Model     string     `json:"model"`      // as sent
	Usage     *Usage     `json:"usage,omitempty"`
	Cost      *NanoUSD   `json:"cost"`            // nil: unknown
	Error     *TestError `json:"error,omitempty"` // nil if OK
	Attempts  []Attempt  `json:"attempts"`
	Route     *Route     `json:"route,omitempty"` // endpoints only
}

// TestError says why a test failed.
type TestError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// Explanation is the plan for a request that is not sent.
type Explanation struct {
	Endpoint string            `json:"endpoint"` // path
	Model    string            `json:"model"`    // as asked
	Rule     string            `json:"rule"`     // name of the rule that matched, empty for none
	Strategy Strategy          `json:"strategy"`
	Targets  []ExplainedTarget `json:"targets"` // in order of trial
	Skipped  []Skipped         `json:"skipped"`
	On       []Failure         `json:"on"` // failures that move on
}

// ExplainedTarget is one place in an Explanation, and why it stands there.
type ExplainedTarget struct {
	ProviderID string `json:"provider_id"`
	Provider   string `json:"provider"` // name
	Model      string `json:"model"`    // as the provider knows it
	Weight     int    `json:"weight"`
	Priority   int    `json:"priority"`
	Reason     string `json:"reason"`
}

// Values of HealthCheck.State and ProviderHealth.State.
const (
	HealthOK       = "ok"
	HealthDegraded = "degraded"
	HealthDown     = "down"
	HealthUnknown  = "unknown" // nothing was seen yet
)

// HealthCheck is the state of one part of a process.
type HealthCheck struct {
	Name    string `json:"name"` // such as "database"
	State   string `json:"state"`
	Message string `json:"message,omitempty"` // why, and what to do
}

// ProviderHealth is how a provider has been answering.
type ProviderHealth struct {
	State     string     `json:"state"`
	Message   string     `json:"message,omitempty"`
	Since     *time.Time `json:"since,omitempty"`      // when it came into this state
	LastError Code       `json:"last_error,omitempty"` // of the last failed attempt
	Latency   *int64     `json:"latency,omitempty"`    // ms to first content, recent mean
}

// ModelInfo is a model that can be asked for, under the name it has in /v1/models.
type ModelInfo struct {
	ID            string   `json:"id"`                       // "model" or "provider/model"
	Provider      string   `json:"provider,omitempty"`       // name; empty: any provider that has it
	Kind          string   `json:"kind"`                     // chat, embedding, image or other
	ContextWindow int64    `json:"context_window,omitempty"` // tokens, 0: unknown
	MaxOutput     int64    `json:"max_output,omitempty"`     // tokens, 0: unknown
	Abilities     []string `json:"abilities,omitempty"`      // such as "tools", "vision"
}
