package store

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"point"
)

// Options tell Open where the state is and how to read it.
type Options struct {
	DatabaseURL string       // postgres://...; empty: SQLite in DataDir
	DataDir     string       // made if absent; holds config.db, history.db and master.key
	MasterKey   point.Secret // 32 bytes in base64 or hex, or any text of 16 characters or more; with SQLite, empty: made at first start in DataDir/master.key
	Durable     bool         // SQLite: history that was stored survives a power cut too, as configuration always does
	Prices      point.Prices // put into every snapshot, may be nil
	Models      point.Models // put into every snapshot, may be nil
	DemoServes  bool         // put into every snapshot
	Log         *slog.Logger // nil: discarded
	Now         func() time.Time
	SkipMigrate bool // do not migrate; Open fails with ErrSchema if the schema is not the binary's
}

// Engines, as Engine tells them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// What callers may test for. A message with more detail wraps them.
var (
	ErrNotFound  = errors.New("not found")
	ErrStale     = errors.New("changed by somebody else since it was read")
	ErrLastOwner = errors.New("without this user nobody would be left who may do everything")
	ErrSchema    = errors.New("the database schema is not the one this version of Point needs")
)

// Conflict is a write that would give two rows the same unique value.
type Conflict struct{ Field string }

func (c *Conflict) Error() string { return fmt.Sprintf("another one with the same %s exists", c.Field) }

// InUse keeps a thing from being deleted.
type InUse struct{ Users int64 }

func (u *InUse) Error() string { return fmt.Sprintf("%d users have it", u.Users) }

// Full is a user who has as many of a thing as there may be.
type Full struct{ Limit int64 }

func (f *Full) Error() string { return fmt.Sprintf("the user has %d, the most there may be", f.Limit) }

// Invalid is a question that cannot be answered, or a value that cannot be stored, as it is.
type Invalid struct {
	Field  string // as /api calls it
	Reason string // a sentence that says what to change; it does not quote what was asked
}

func (i *Invalid) Error() string { return i.Field + ": " + i.Reason }

// Page asks for a part of a list. Number counts from 1; zero values mean page 1 of 50, and
// no page is longer than 500. A page that begins behind the 10,000th item is *Invalid.
type Page struct{ Number, Limit int }

// List is a part of a list. Total is exact to 10,000 and -1 beyond it.
type List[T any] struct {
	Items  []T
	Total  int64
	More   bool   // there are items behind these
	Cursor string // continues behind the last item, empty if there is no more
}

// Migration is one step of a schema, for people.
type Migration struct {
	Database  string // "config" or "history"
	Version   int64
	Name      string
	AppliedAt time.Time // zero: pending
}

// ProviderFilter narrows ListProviders; empty members match all.
type ProviderFilter struct {
	Type   string
	Status string
	Page   Page
}

// EndpointFilter narrows ListEndpoints.
type EndpointFilter struct {
	Active *bool
}

// KeyFilter narrows ListKeys; empty members match all.
type KeyFilter struct {
	OwnerID string
	Status  string
	Tag     string
	Search  string // part of the name, or the whole prefix; at least three characters
	Page    Page
}

// UserFilter narrows ListUsers; empty members match all.
type UserFilter struct {
	Role     string
	Disabled *bool
	Search   string // part of the email address, at least three characters
	Page     Page
}

// TokenFilter narrows ListTokens; an empty UserID matches all.
type TokenFilter struct {
	UserID string
	Page   Page
}

// RequestFilter narrows ListRequests; empty members match all. Rows come newest first. A
// Cursor continues a list and takes the place of Page.Number.
type RequestFilter struct {
	Provider string // id or name
	Endpoint string
	Status   string          // exact ("404") or a class ("4xx")
	Outcomes []point.Outcome // any of these
	Failed   *bool           // neither complete nor cancelled by the client
	Test     *bool
	Model    string // as asked
	KeyID    string
	From, To time.Time
	Page     Page
	Cursor   string
}

// Groupings of StatsFilter in time.
const (
	GroupMinute = "minute" // kept for two days; a key cannot be combined with other dimensions
	GroupHour   = "hour"
	GroupDay    = "day"
	GroupWeek   = "week" // starts on Monday
	GroupMonth  = "month"
	GroupWindow = "window" // all from From to To in one, to the minute; to the quarter of an hour beyond a day
)

// Dimensions of StatsFilter.
const (
	ByProvider = "provider"
	ByModel    = "model"
	ByEndpoint = "endpoint"
	ByKey      = "key"
)

// StatsFilter asks RequestStats for figures.
type StatsFilter struct {
	Provider string // id or name
	Endpoint string
	Model    string
	KeyID    string
	From, To time.Time // [From, To); zero: the last 24 hours; widened to whole buckets
	GroupBy  string    // a Group constant; empty: hour
	By       []string  // further dimensions, By constants
	TZ       *time.Location
}

// MaxBuckets is how many buckets an answer of RequestStats may have.
const MaxBuckets = 10_000

// StatsBucket is what happened in one span of time, of one group. Without By there is one
// for every span, empty ones included; with By there is one for every span of each group
// that occurs.
type StatsBucket struct {
	Start        time.Time         // in the filter's TZ
	Group        map[string]string // By dimension -> provider id, model, path or key id
	Requests     int64
	Errors       int64 // neither complete nor cancelled by the client
	Refused      int64 // of the errors, those by a mistake of the caller or a limit that the operator set
	TokensInput  int64
	TokensOutput int64
	Cost         point.NanoUSD
	Unpriced     int64 // requests with an unknown cost, not part of Cost
	CacheHits    int64
	Latency      Percentiles
	TTFT         Percentiles
}

// Percentiles are in ms, to about 6%; nil if nothing was measured.
type Percentiles struct{ P50, P95, P99 *int64 }

// LogFilter narrows ListLogs; empty members match all. Search finds text in the message, at
// least three characters.
type LogFilter struct {
	Level     string
	Component string
	From, To  time.Time
	Search    string
	Page      Page
	Cursor    string
}

// Values of AlertFilter.Status.
const (
	OpenAlert         = "open" // acknowledged ones too
	AcknowledgedAlert = "acknowledged"
	ResolvedAlert     = "resolved"
)

// AlertFilter narrows ListAlerts; empty members match all. Times are those of the last event.
type AlertFilter struct {
	Status   string
	Kind     string
	Severity string
	Subject  string
	OfRules  bool // only those that rules raised
	From, To time.Time
	Page     Page
}

// SigningKey signs access tokens (Ed25519). Private is the seed, 32 bytes.
type SigningKey struct {
	ID        string
	Public    []byte
	Private   point.Secret // the 32 bytes of the seed, raw
	CreatedAt time.Time
	RetiredAt *time.Time // signs no more, still verifies
}

// Idempotent is a POST that creates, and its kept answer.
type Idempotent struct {
	Key         string // the Idempotency-Key header
	Route       string
	UserID      string
	Fingerprint [32]byte            // SHA-256 of the request body: the same key with another body is an error
	Status      int                 // of the answer; 0: there is none yet
	Header      map[string][]string // of the answer
	Body        []byte              // of the answer; sealed at rest
	CreatedAt   time.Time
}

// PruneBefore tells Prune what is too old; a zero time keeps all.
type PruneBefore struct {
	Requests time.Time
	Logs     time.Time
	Rollups  time.Time // of requests; those by the minute go after two days
	Alerts   time.Time // resolved ones
	Bodies   time.Time // of requests
	Expired  time.Time // responses whose time is over by then
}
