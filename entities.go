package point

import (
	"encoding/json"
	"time"
)

// Endpoint is one path of the data plane. The set is fixed; operators switch and map it.
type Endpoint struct {
	ID        string
	Path      string
	Active    bool
	Mapping   *Mapping // nil: the default mapping
	ManagedBy string
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// What the credentials that Point makes begin with. Client keys may be given others.
const (
	ClientKeyPrefix = "pt-"  // for /v1
	UserTokenPrefix = "ptp_" // personal access tokens, for /api
)

// Endpoints are the paths that exist, in the order they are shown.
func Endpoints() []string {
	return []string{
		PathChat, PathResponses, PathCompletions, PathEmbeddings, PathImages, PathImageEdits, PathSpeech, PathTranscribe, PathTranslate, PathModerations, PathRerank,
		PathMessages, PathCountTokens, PathModels, PathGemini,
	}
}

// Alias is another name for a model: Target is "model" or "provider/model".
type Alias struct {
	Name      string
	Target    string
	ManagedBy string
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Key is a client key of /v1. The token itself is shown once and never stored.
type Key struct {
	ID        string
	Name      string
	Prefix    string   // the token's first characters, for people
	Hash      [32]byte // HMAC-SHA256 of the token under the installation's data key
	OwnerID   string   // user, empty for none
	Status    string   // StatusActive or StatusInactive (revoked)
	Tags      []string
	Models    []string // allow-list of globs, empty: all
	Endpoints []string // allow-list of paths, empty: all
	Limits    KeyLimits
	ExpiresAt *time.Time
	ManagedBy string
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time

	// Of a key that got a new token: when, and until when the one before it works beside it.
	RotatedAt         *time.Time
	PreviousHash      [32]byte
	PreviousExpiresAt *time.Time
}

// KeyLimits bound what a key may use; nil is unlimited.
type KeyLimits struct {
	RPM         *int64   `json:"rpm,omitempty"`
	TPM         *int64   `json:"tpm,omitempty"`
	Concurrency *int64   `json:"concurrency,omitempty"`
	BudgetDay   *NanoUSD `json:"budget_day,omitempty"`
	BudgetMonth *NanoUSD `json:"budget_month,omitempty"`
}

// Built-in roles.
const (
	RoleOwner    = "owner"
	RoleAdmin    = "admin"
	RoleOperator = "operator"
	RoleViewer   = "viewer"
)

// Role is a set of permissions under a name, made by people beside the built-in ones.
type Role struct {
	Name        string
	Description string
	Permissions []string // such as "providers:read"
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Token is a personal access token: with it a program acts as a user on /api. What it may do is
// what its scopes and the user's role both allow. The token itself is shown once and never stored.
type Token struct {
	ID         string
	UserID     string
	Name       string
	Prefix     string   // the token's first characters, for people
	Hash       [32]byte // HashToken of the token
	Scopes     []string // permissions
	ExpiresAt  time.Time
	LastUsedAt *time.Time // to the minute; not in a snapshot
	CreatedAt  time.Time
}

// MinPassword is how many characters a password has at least.
const MinPassword = 12

// User is a person who may sign in.
type User struct {
	ID           string
	Email        string // lower case, unique
	PasswordHash string // argon2id in PHC form, empty: no password sign-in
	Role         string
	Disabled     bool
	Version      int64 // access tokens carry it: raising it ends every session
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Identity is who a user is at an OpenID provider. A user has one at most.
type Identity struct {
	Issuer           string // URL of the provider
	Subject          string // the provider's id of the user, which never changes hands
	UserID           string
	SuspendedVersion int64 // of the user who was disabled because no group gave a role; 0: never
	CreatedAt        time.Time
}

// Suspended reports whether u is disabled for want of a group, and by nobody's hand since.
func (x *Identity) Suspended(u *User) bool { return u.Disabled && u.Version == x.SuspendedVersion }

// AccessTokenLife is how long an access token lives, and so how long a session that ended must
// be remembered.
const AccessTokenLife = 15 * time.Minute

// Session is one sign-in: a family of refresh tokens of which one is current.
type Session struct {
	ID         string
	UserID     string
	Current    [32]byte // SHA-256 of the current refresh token
	Replaced   []byte   // the tokens that came before it, while they may still ask for it
	UserAgent  string
	Address    string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	RevokedAt  *time.Time
}

// LogEntry is one row of the logs table.
type LogEntry struct {
	ID        string          `json:"id"`
	Timestamp time.Time       `json:"timestamp"`
	Level     string          `json:"level"` // debug, info, warn, error
	Component string          `json:"component"`
	Message   string          `json:"message"`
	Context   json.RawMessage `json:"context,omitempty"`
}

// Instance is one running Point process, as its heartbeat tells.
type Instance struct {
	ID         string    `json:"id"`
	Components []string  `json:"components"`
	Version    string    `json:"version"`
	URL        string    `json:"url"`
	State      string    `json:"state"` // starting, ready, degraded, draining
	SeenAt     time.Time `json:"seen_at"`
}
