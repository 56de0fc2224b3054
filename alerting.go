package point

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"
)

// Severities of alerts.
const (
	SeverityInfo     = "info"     // good to know
	SeverityWarning  = "warning"  // look at it today
	SeverityCritical = "critical" // look at it now: requests fail or records are in danger
)

// Severities are all severities, the least first.
func Severities() []string { return []string{SeverityInfo, SeverityWarning, SeverityCritical} }

// Alert is a stored event that somebody should see: one row per kind and subject while open.
type Alert struct {
	ID             string          `json:"id"`
	Kind           string          `json:"kind"`    // such as "unpriced_model", or RulePrefix and a rule's name
	Subject        string          `json:"subject"` // such as a provider's name
	Severity       string          `json:"severity"`
	Message        string          `json:"message"`
	Detail         json.RawMessage `json:"detail,omitempty"`
	RuleID         string          `json:"rule_id,omitempty"` // of the rule that raised it
	Count          int64           `json:"count"`             // times raised
	FirstAt        time.Time       `json:"first_at"`
	LastAt         time.Time       `json:"last_at"`
	SilenceID      string          `json:"silence_id,omitempty"` // of the silence that kept it from being sent
	NotifiedAt     *time.Time      `json:"notified_at,omitempty"`
	AcknowledgedAt *time.Time      `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string          `json:"acknowledged_by,omitempty"`
	ResolvedAt     *time.Time      `json:"resolved_at,omitempty"`
	ResolvedBy     string          `json:"resolved_by,omitempty"` // empty: the condition ended

	NotifiedSeverity string `json:"-"` // when it was sent
}

// RulePrefix begins the kind of an alert that a rule raised; the rule's name follows.
const RulePrefix = "rule:"

// What a rule has that does not say otherwise; it is enabled, and a warning.
const (
	RuleWindowMS   = 300_000
	RuleCooldownMS = 1_800_000
)

// Kinds of AlertRule.
const (
	RuleErrorRate    = "error_rate"    // percent that failed by a provider or Point, of the requests that were not refused
	RuleRefusalRate  = "refusal_rate"  // percent of requests that were refused: for a mistake of the caller, or a limit
	RuleLatencyP95   = "latency_p95"   // ms
	RuleTTFTP95      = "ttft_p95"      // ms to the first content
	RuleCost         = "cost"          // USD spent in the window
	RuleRequests     = "requests"      // requests in the window
	RuleSpendAnomaly = "spend_anomaly" // a key's spend as a multiple of what it spent in as long on the 7 days before
	RuleProviderDown = "provider_down" // an active provider has been down for the window
	RuleSecretAge    = "secret_age"    // days since a provider's secret was set
	RuleMemory       = "memory"        // percent of what the process may have
	RuleDisk         = "disk"          // percent used of the disk that holds the data folder
)

// RuleKinds are all kinds of AlertRule.
func RuleKinds() []string {
	return []string{
		RuleErrorRate, RuleRefusalRate, RuleLatencyP95, RuleTTFTP95, RuleCost, RuleRequests, RuleSpendAnomaly,
		RuleProviderDown, RuleSecretAge, RuleMemory, RuleDisk,
	}
}

// ruleUnits are the units of thresholds.
var ruleUnits = map[string]string{
	RuleErrorRate: "%", RuleRefusalRate: "%", RuleLatencyP95: "ms", RuleTTFTP95: "ms", RuleCost: "USD", RuleRequests: "requests",
	RuleSpendAnomaly: "times", RuleSecretAge: "days", RuleMemory: "%", RuleDisk: "%",
}

// RuleUnit is the unit of the threshold of a kind of AlertRule; empty: it has none.
func RuleUnit(kind string) string { return ruleUnits[kind] }

// AlertRule raises an alert while what it measures is at its threshold or above.
type AlertRule struct {
	ID          string
	Name        string // unique
	Enabled     bool
	Kind        string // a Rule constant, which tells the unit of Threshold
	Scope       RuleScope
	Threshold   float64
	WindowMS    int64 // how far back is looked
	MinRequests int64 // in the window; fewer say nothing
	Severity    string
	CooldownMS  int64 // the same subject is not sent again within so long; alerts are recorded all the same
	ManagedBy   string
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// RuleScope narrows what a rule of requests measures; empty members match all.
type RuleScope struct {
	Provider string `json:"provider,omitempty"` // id
	Endpoint string `json:"endpoint,omitempty"` // path
	Model    string `json:"model,omitempty"`    // as asked
	KeyID    string `json:"key_id,omitempty"`
	Each     string `json:"each,omitempty"` // measure each provider, endpoint, model or key by itself
}

// Values of RuleScope.Each.
const (
	EachProvider = "provider"
	EachEndpoint = "endpoint"
	EachModel    = "model"
	EachKey      = "key"
)

// Window is WindowMS as a duration.
func (r *AlertRule) Window() time.Duration { return time.Duration(r.WindowMS) * time.Millisecond }

// Cooldown is CooldownMS as a duration.
func (r *AlertRule) Cooldown() time.Duration { return time.Duration(r.CooldownMS) * time.Millisecond }

// Types of Notifier.
const (
	NotifierWebhook = "webhook" // a signed POST
	NotifierSlack   = "slack"   // a POST in the form of Slack's incoming webhooks
	NotifierEmail   = "email"   // through the mail server that Point is set up with
)

// Notifier is where alerts are sent to.
type Notifier struct {
	ID          string
	Name        string // unique
	Type        string // a Notifier constant, never changes
	Config      NotifierConfig
	Enabled     bool
	MinSeverity string
	Kinds       []string // globs of alert kinds, empty: all
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// NotifierConfig is a notifier's settings. Its JSON form, the one the database holds, has no
// secret in it; Secrets are stored encrypted, apart.
type NotifierConfig struct {
	To      []string          `json:"to,omitempty"` // email: addresses
	Secrets map[string]Secret `json:"-"`            // by NotifierURL and NotifierSecret
}

// Names of entries in NotifierConfig.Secrets. An address may hold a credential, so it is one.
const (
	NotifierURL    = "url"    // webhook, slack: where to
	NotifierSecret = "secret" // webhook: signs
)

// Wants reports whether an alert is to be sent to n.
func (n *Notifier) Wants(a *Alert) bool {
	severities := Severities()
	if !n.Enabled || slices.Index(severities, a.Severity) < slices.Index(severities, n.MinSeverity) {
		return false
	}
	return len(n.Kinds) == 0 || slices.ContainsFunc(n.Kinds, func(glob string) bool { return matches(glob, a.Kind) })
}

// Silence keeps matching alerts from being sent until it ends. Empty matchers match all, but
// at least one is given.
type Silence struct {
	ID        string
	Kind      string // glob of alert kinds
	Subject   string // glob of subjects
	RuleID    string
	Until     time.Time
	Comment   string
	CreatedBy string // who made it
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Covers reports whether s keeps a from being sent at a time.
func (s *Silence) Covers(a *Alert, at time.Time) bool {
	return at.Before(s.Until) && matches(s.Kind, a.Kind) && matches(s.Subject, a.Subject) && (s.RuleID == "" || s.RuleID == a.RuleID)
}

// matches reports whether a glob, in which empty is anything and * spans slashes too, matches
// text.
func matches(glob, text string) bool {
	if glob == "" || glob == text {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(glob, "/", "\x00"), strings.ReplaceAll(text, "/", "\x00"))
	return ok && err == nil
}

// Events of a Notification.
const (
	EventRaised   = "raised"
	EventResolved = "resolved"
	EventTest     = "test"
)

// Notification is one message that waits to be sent.
type Notification struct {
	AlertID    string
	NotifierID string
	Event      string // an Event constant
	Alert      Alert  // as it was then
	Attempts   int    // this one included
	CreatedAt  time.Time
}

// NotifierState is how the sending to a notifier goes.
type NotifierState struct {
	Waiting    int64      // messages that are still to be sent
	LastSentAt *time.Time // nil: none was, lately
	LastError  string     // why the last message that failed did; empty: none did, lately
}

// NotifierResult is what came of sending a test.
type NotifierResult struct {
	OK        bool   `json:"ok"`
	Status    int    `json:"status" doc:"HTTP status of the answer; 0: none was had, or this is no webhook."`
	LatencyMS int64  `json:"latency_ms"`
	Message   string `json:"message" doc:"What came back, or why nothing did."`
}

// PriceOverride is what an operator says a model costs, in place of the embedded table.
type PriceOverride struct {
	Kind      string // of provider, such as "openai"
	Model     string // as the provider knows it
	Price     Price  // from Price.From on
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ModelPrice is what a kind's model costs.
type ModelPrice struct {
	Kind  string
	Model string
	Price Price
}

// Linked is the detail of an event with ids that lead on, such as "provider_id", given as pairs.
// Empty ids are left out.
func Linked(text string, links ...string) string {
	detail := map[string]string{detailText: text}
	for i := 0; i+1 < len(links); i += 2 {
		if links[i+1] != "" {
			detail[links[i]] = links[i+1]
		}
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return text // of texts: cannot be
	}
	return string(raw)
}

// Detail reads what Linked wrote; any other text is a detail without links.
func Detail(detail string) map[string]string {
	var members map[string]string
	if !strings.HasPrefix(detail, "{") || json.Unmarshal([]byte(detail), &members) != nil || members[detailText] == "" {
		return map[string]string{detailText: detail}
	}
	return members
}

// detailText is the member of an alert's detail that is for people.
const detailText = "detail"
