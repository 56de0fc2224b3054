package config

import (
	"slices"
	"strings"
)

// Setting is one row of the table of settings.
type Setting struct {
	Name    string // in the file; the flag and the variable follow from it
	Default string
	Help    string // one line
	Secret  bool   // no flag; NAME_FILE may name a file that holds it

	set func(*Config, string) error // nil: handled before the others
}

// Env is the setting's variable: POINT_MAX_BODY.
func (s Setting) Env() string { return "POINT_" + strings.ToUpper(s.Name) }

// Flag is the setting's flag without its dashes: max-body.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Name, "_", "-") }

const configFile = "config"

// Settings are all settings, in the order people want to read them.
func Settings() []Setting {
	return []Setting{
		{Name: configFile, Help: "YAML file with settings and declared objects."},
		{
			Name: "listen", Default: "127.0.0.1:8080",
			Help: "Address to serve clients, the API and the console on.",
			set:  func(c *Config, v string) error { return hostPort(&c.Listen, v) },
		},
		{
			Name: "public_url",
			Help: "URL that users reach Point by, for links and allowed Host names; if empty the first of tls_domains, or from the listen address.",
			set:  func(c *Config, v string) error { return origin(&c.PublicURL, v) },
		},
		{
			Name: "data_dir", Default: DefaultDataDir,
			Help: "Folder for the databases, the journal and the master key.",
			set:  func(c *Config, v string) error { return text(&c.DataDir, v) },
		},
		{
			Name: "database_url", Secret: true,
			Help: "postgres://user:password@host:5432/name; SQLite in the data folder if empty.",
			set:  func(c *Config, v string) error { return databaseURL(&c.DatabaseURL, v) },
		},
		{
			Name: "master_key", Secret: true,
			Help: "Key that encrypts secrets at rest, 32 characters or more; made in the data folder if empty, required with PostgreSQL.",
			set:  func(c *Config, v string) error { return masterKey(&c.MasterKey, v) },
		},
		{
			Name: "admin_email",
			Help: "E-mail of the first owner; used only while no user exists.",
			set:  func(c *Config, v string) error { return email(&c.AdminEmail, v) },
		},
		{
			Name: "admin_password", Secret: true,
			Help: "Password of the first owner, 12 characters or more.",
			set:  func(c *Config, v string) error { return password(&c.AdminPassword, v) },
		},
		{
			Name: "bootstrap_key", Secret: true,
			Help: "First client key, 16 to 256 visible ASCII characters; has no limits.",
			set:  func(c *Config, v string) error { return clientKey(&c.BootstrapKey, v) },
		},
		{
			Name: "oidc_issuer",
			Help: "URL of the OpenID provider that people may sign in at, as it spells it itself; needs public_url.",
			set:  func(c *Config, v string) error { return issuer(&c.OIDC.Issuer, v) },
		},
		{
			Name: "oidc_client_id",
			Help: "Point's client id at the provider.",
			set:  func(c *Config, v string) error { return text(&c.OIDC.ClientID, v) },
		},
		{
			Name: "oidc_client_secret", Secret: true,
			Help: "Point's secret at the provider; empty for a public client.",
			set:  func(c *Config, v string) error { return secret(&c.OIDC.ClientSecret, v) },
		},
		{
			Name: "oidc_scopes", Default: "openid email profile",
			Help: "What Point asks the provider for, separated by spaces.",
			set:  func(c *Config, v string) error { return scopes(&c.OIDC.Scopes, v) },
		},
		{
			Name: "oidc_groups_claim", Default: "groups",
			Help: "Claim that lists a person's groups.",
			set:  func(c *Config, v string) error { return text(&c.OIDC.GroupsClaim, v) },
		},
		{
			Name: "oidc_roles",
			Help: "Roles that groups give, as group=role, separated by commas; the highest wins. If empty, roles are given in Point.",
			set:  func(c *Config, v string) error { return groupRoles(&c.OIDC.Roles, v) },
		},
		{
			Name: "oidc_default_role",
			Help: "Role of those whom no group gives one; if empty they do not get in.",
			set:  func(c *Config, v string) error { return roleName(&c.OIDC.DefaultRole, v) },
		},
		{
			Name: "oidc_name", Default: "single sign-on",
			Help: "Name of the provider on the button: Sign in with ...",
			set:  func(c *Config, v string) error { return label(&c.OIDC.Name, v) },
		},
		{
			Name: "tls_cert",
			Help: "PEM file with the certificate chain.",
			set:  func(c *Config, v string) error { return text(&c.TLS.Cert, v) },
		},
		{
			Name: "tls_key",
			Help: "PEM file with the certificate's private key.",
			set:  func(c *Config, v string) error { return text(&c.TLS.Key, v) },
		},
		{
			Name: "tls_domains",
			Help: "Domain names to get certificates for by ACME, separated by commas.",
			set:  func(c *Config, v string) error { return list(&c.TLS.Domains, v) },
		},
		{
			Name: "trusted_proxies",
			Help: "Addresses or networks of the proxies in front, whose X-Forwarded-* headers are believed.",
			set:  func(c *Config, v string) error { return prefixes(&c.TrustedProxies, v) },
		},
		{
			Name: "api_rate", Default: "50",
			Help: "Requests a second that one user may send to /api, four seconds' worth at once; an address without a credential has two fifths. 0: no limit. /v1 is not concerned.",
			set:  func(c *Config, v string) error { return integer(&c.APIRate, v, 0, 1_000_000) },
		},
		{
			Name: "allow_http", Default: "false",
			Help: "Serve plain HTTP on a public address.",
			set:  func(c *Config, v string) error { return boolean(&c.AllowHTTP, v) },
		},
		{
			Name: "demo", Default: DemoAuto,
			Help: "Simulated AI services: auto (until there is another provider), true or false.",
			set:  func(c *Config, v string) error { return oneOf(&c.Demo, v, DemoAuto, DemoOn, DemoOff) },
		},
		{
			Name: "env_allow",
			Help: "Variables that a provider's api_key_env may name beyond the well-known ones.",
			set:  func(c *Config, v string) error { return envNames(&c.EnvAllow, v) },
		},
		{
			Name: "allow_private", Default: "true",
			Help: "Let owners and admins add providers at loopback and private addresses.",
			set:  func(c *Config, v string) error { return boolean(&c.AllowPrivate, v) },
		},
		{
			Name: "max_body", Default: "32MiB",
			Help: "Largest request body.",
			set:  func(c *Config, v string) error { return size(&c.MaxBody, v, 1<<10, 1<<30) },
		},
		{
			Name: "cache_memory", Default: "64MiB",
			Help: "How much memory answers may take that are kept for equal requests, where a mapping says so.",
			set:  func(c *Config, v string) error { return size(&c.CacheMemory, v, 0, 1<<40) },
		},
		{
			Name: "drain", Default: "10m",
			Help: "How long a stopping process lets streams finish.",
			set:  func(c *Config, v string) error { return duration(&c.Drain, v) },
		},
		{
			Name: "cors_origins",
			Help: "Origins whose pages may call /v1, separated by commas.",
			set:  func(c *Config, v string) error { return origins(&c.CORSOrigins, v) },
		},
		{
			Name: "durability", Default: DurabilityProcess,
			Help: "What the request journal survives: process (kill -9) or fsync (power loss too).",
			set: func(c *Config, v string) error {
				return oneOf(&c.Durability, v, DurabilityProcess, DurabilityFsync)
			},
		},
		{
			Name: "journal_interval", Default: "250ms",
			Help: "How often the journal is moved to the database.",
			set:  func(c *Config, v string) error { return duration(&c.JournalInterval, v) },
		},
		{
			Name: "journal_max", Default: "1GiB",
			Help: "Disk space for records that wait for the database.",
			set:  func(c *Config, v string) error { return size(&c.JournalMax, v, 1<<20, 1<<50) },
		},
		{
			Name: "journal_full", Default: JournalStrict,
			Help: "When there is no more disk space for records: strict (requests are refused) or count (they are served, and what is not recorded is counted).",
			set: func(c *Config, v string) error {
				return oneOf(&c.JournalFull, v, JournalStrict, JournalCount)
			},
		},
		{
			Name: "bodies", Default: BodiesMetadata,
			Help: "What is kept of requests and answers beside their record: off (nothing), metadata (sizes, counts, names of parameters) or full (what they said, encrypted).",
			set: func(c *Config, v string) error {
				return oneOf(&c.Bodies, v, BodiesOff, BodiesMetadata, BodiesFull)
			},
		},
		{
			Name: "retention", Default: "records=90d,bodies=7d,logs=7d",
			Help: "How long history is kept; a lone duration is that of the records.",
			set:  func(c *Config, v string) error { return c.Retention.set(v) },
		},
		{
			Name: "responses_ttl", Default: "24h",
			Help: "How long clients may go on from an answer of /v1/responses by its id; it is kept encrypted. 0 keeps none.",
			set:  func(c *Config, v string) error { return duration(&c.ResponsesTTL, v) },
		},
		{
			Name: "metrics_token", Secret: true,
			Help: "Bearer token that /metrics asks for; without one it answers this machine alone.",
			set:  func(c *Config, v string) error { return clientKey(&c.MetricsToken, v) },
		},
		{
			Name: "smtp_url", Secret: true,
			Help: "Mail server for alerts: smtps://user:password@host:465?from=address, or smtp:// with STARTTLS on port 587.",
			set:  func(c *Config, v string) error { return smtpURL(&c.SMTP, v) },
		},
		{
			Name: "webhook_allow",
			Help: "Private addresses or networks that webhooks of alerts may be sent to; there by http:// too.",
			set:  func(c *Config, v string) error { return prefixes(&c.WebhookAllow, v) },
		},
		{
			Name: "log_level", Default: "info",
			Help: "debug, info, warn or error.",
			set:  func(c *Config, v string) error { return logLevel(&c.LogLevel, v) },
		},
		{
			Name: "log_format", Default: "text",
			Help: "text or json.",
			set:  func(c *Config, v string) error { return oneOf(&c.LogFormat, v, "text", "json") },
		},
		{
			Name: "gogc", Default: "400",
			Help: "Garbage collector's target percentage.",
			set:  func(c *Config, v string) error { return integer(&c.GOGC, v, 10, 10_000) },
		},
		{
			Name: "gomemlimit", Default: "auto",
			Help: "Soft memory limit, such as 512MiB; auto: nine tenths of the control group's limit.",
			set:  func(c *Config, v string) error { return memLimit(&c.GoMemLimit, v) },
		},
	}
}

// isSetting reports whether the section settings of the file takes a name.
func isSetting(name string) bool {
	return name != configFile && slices.ContainsFunc(Settings(), func(s Setting) bool { return s.Name == name })
}

// planned are names that the product's contract has and this version does not act on. They
// are refused rather than ignored: whoever sets one counts on what it does.
var planned = map[string]string{
	"redis_url":       "this version keeps limits and caches in one process",
	"components":      "this version runs all components in one process",
	"internal_listen": "this version runs all components in one process",
	"internal_token":  "this version runs all components in one process",
	"internal_url":    "this version runs all components in one process",
	"otlp_endpoint":   "this version exports no traces",
}
