package point

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// Outcome is how a request ended.
type Outcome string

const (
	OutcomeComplete        Outcome = "complete"
	OutcomeClientCancelled Outcome = "client_cancelled"
	OutcomeUpstreamError   Outcome = "upstream_error"
	OutcomeTruncated       Outcome = "truncated"
	OutcomeRejected        Outcome = "rejected"
)

// Record is what is kept of one request: one row of the requests table, settled once.
type Record struct {
	ID              string    `json:"id"`
	ClientRequestID string    `json:"client_request_id,omitempty"`
	Timestamp       time.Time `json:"timestamp"` // when the request arrived, UTC
	Endpoint        string    `json:"endpoint"`  // its path
	ProviderID      string    `json:"provider_id,omitempty"`
	Model           string    `json:"model,omitempty"`          // as asked
	UpstreamModel   string    `json:"upstream_model,omitempty"` // as sent
	KeyID           string    `json:"key_id,omitempty"`
	Status          int       `json:"status"` // HTTP status sent; 499 cancelled
	Outcome         Outcome   `json:"outcome"`
	ErrorCode       Code      `json:"error_code,omitempty"`
	ErrorMessage    string    `json:"error_message,omitempty"`

	ResponseTime int64  `json:"response_time"`         // ms, arrival to last byte
	TTFT         *int64 `json:"ttft,omitempty"`        // ms, arrival to first content
	OverheadUS   int64  `json:"overhead_us,omitempty"` // us spent in Point before the first upstream byte was asked for
	Stream       bool   `json:"stream,omitempty"`
	CacheHit     bool   `json:"cache_hit,omitempty"`
	Usage        *Usage `json:"usage,omitempty"`

	Cost *NanoUSD `json:"cost,omitempty"` // nil: unknown

	Attempts []Attempt       `json:"attempts,omitempty"`
	Route    Route           `json:"route"`
	Request  json.RawMessage `json:"request"`            // metadata envelope: model, stream, counts, parameter names
	Response json.RawMessage `json:"response,omitempty"` // metadata envelope: finish reason, counts

	Bodies *Bodies `json:"-"` // nil: none are kept
}

// Bodies are what a request and its answer said, sealed by a BodyKeeper.
type Bodies struct {
	Request, Response         []byte // nil: not kept
	RequestSize, ResponseSize int64  // bytes, kept or not
}

// Refused reports whether r failed by a mistake of its caller, or by a limit that the operator set:
// neither a provider nor Point did.
func (r *Record) Refused() bool {
	switch {
	case r.Outcome != OutcomeUpstreamError && r.Outcome != OutcomeRejected:
		return false
	case r.ErrorCode != "":
		return r.ErrorCode.Refusal()
	}
	return r.Status >= http.StatusBadRequest && r.Status < http.StatusInternalServerError
}

// Attempt is one try at one target.
type Attempt struct {
	ProviderID string `json:"provider_id"`
	Provider   string `json:"provider"` // its name then
	Model      string `json:"model"`
	StartMS    int64  `json:"start_ms"`    // since arrival
	DurationMS int64  `json:"duration_ms"` // to the headers, first content or failure
	Status     int    `json:"status,omitempty"`
	Error      Code   `json:"error,omitempty"`
	Message    string `json:"message,omitempty"`
}

// Route is why a request went where it went.
type Route struct {
	Rule     string    `json:"rule,omitempty"`
	Strategy Strategy  `json:"strategy,omitempty"`
	Reason   string    `json:"reason,omitempty"` // of the target that answered, or was tried last
	Skipped  []Skipped `json:"skipped,omitempty"`
}

// TestMark begins Record.Request of a test, which no client sent. Tests stand in the history
// but not in statistics.
const TestMark = `{"test":true,`

// TestOnly is Record.Request of a test of which no metadata is kept.
const TestOnly = `{"test":true}`

// Test reports whether r is of a test.
func (r *Record) Test() bool {
	if bytes.HasPrefix(r.Request, []byte(TestMark)) {
		return true
	}
	if !bytes.Contains(r.Request, []byte(`"test"`)) {
		return false
	}
	var mark struct{ Test bool } // a database may have written the members in another order
	return json.Unmarshal(r.Request, &mark) == nil && mark.Test
}
