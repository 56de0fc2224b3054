package config

import (
	"crypto/sha256"
	"log/slog"
	"net/netip"
	"time"

	"point"
)

// Config is how one Point process is set up. It is complete and valid when Load returns it.
type Config struct {
	File     string            // the YAML file it was read from, empty for none
	FileRead [sha256.Size]byte // the SHA-256 of its content

	Listen    string // host:port
	PublicURL string // without a trailing slash; empty: from the address that is listened on
	DataDir   string

	DatabaseURL point.Secret // zero: SQLite in DataDir
	MasterKey   point.Secret // zero: made in DataDir at first start

	AdminEmail    string
	AdminPassword point.Secret
	BootstrapKey  point.Secret

	OIDC           OIDC
	TLS            TLS
	TrustedProxies []netip.Prefix // whose X-Forwarded-* headers are believed
	AllowHTTP      bool           // a public bind without TLS was asked for

	Demo         string   // DemoAuto, DemoOn or DemoOff
	EnvAllow     []string // variables that api_key_env may name beyond the well-known ones
	AllowPrivate bool     // providers may be at loopback and private addresses
	MaxBody      int64    // bytes of one request body
	CacheMemory  int64    // bytes of answers kept for equal requests
	Drain        time.Duration
	CORSOrigins  []string

	Durability      string // DurabilityProcess or DurabilityFsync
	JournalInterval time.Duration
	APIRate         int    // requests a second of one user to /api, 0: no limit
	JournalMax      int64  // bytes on disk that wait for the database
	JournalFull     string // JournalStrict or JournalCount
	Bodies          string // what is kept of requests and answers beside their record: a Bodies constant
	Retention       Retention
	ResponsesTTL    time.Duration // how long clients may go on from an answer of /v1/responses, 0: not at all

	SMTP         SMTP
	WebhookAllow []netip.Prefix // private networks that webhooks may be on

	MetricsToken point.Secret
	LogLevel     slog.Level
	LogFormat    string // "text" or "json"

	GOGC       int
	GoMemLimit int64 // bytes, 0: from the memory limit of the process's control group

	Declared Declared

	// Getenv is a variable of the process; one that is empty counts as unset.
	Getenv func(name string) string

	source       Source
	fileSettings map[string]point.Secret // by name, as the file has them
}

// DefaultDataDir is Config.DataDir if nothing says otherwise.
const DefaultDataDir = "./data"

// OIDC is sign-in at an OpenID provider; without an issuer there is none.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret point.Secret // zero: a public client
	Scopes       []string
	GroupsClaim  string
	Roles        []GroupRole
	DefaultRole  string // of those whom no group gives a role; empty: they do not get in
	Name         string // of the provider, for the button
}

// Enabled reports whether people may sign in at a provider.
func (o OIDC) Enabled() bool { return o.Issuer != "" }

// GroupRole is the role that a group of the provider gives.
type GroupRole struct{ Group, Role string }

// TLS is how the listener is encrypted: by files, by ACME, or not at all.
type TLS struct {
	Cert, Key string   // paths of PEM files
	Domains   []string // names to get certificates for by ACME
}

// Enabled reports whether the listener speaks TLS.
func (t TLS) Enabled() bool { return t.Cert != "" || len(t.Domains) > 0 }

// Retention is how long history is kept.
type Retention struct {
	Records time.Duration
	Bodies  time.Duration
	Logs    time.Duration
}

// Values of Config.Bodies.
const (
	BodiesOff      = "off"
	BodiesMetadata = "metadata"
	BodiesFull     = "full"
)

// Values of Config.Demo.
const (
	DemoAuto = "auto" // on a loopback bind while nothing but demo objects exists
	DemoOn   = "true"
	DemoOff  = "false"
)

// Values of Config.Durability.
const (
	DurabilityProcess = "process" // a killed process loses no record
	DurabilityFsync   = "fsync"   // power loss loses none either
)

// Values of Config.JournalFull.
const (
	JournalStrict = "strict" // what cannot be recorded is refused
	JournalCount  = "count"  // it is served, and counted as not recorded
)

// Loopback reports whether the listen address can be reached from this machine alone.
func (c *Config) Loopback() bool { return loopback(c.Listen) }

// URL is where users reach Point: PublicURL, or the address it listens on.
func (c *Config) URL(addr string) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	scheme := "http"
	if c.TLS.Enabled() {
		scheme = "https"
	}
	return scheme + "://" + reachable(addr)
}
