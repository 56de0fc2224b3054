package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// Permission is what a route asks of the caller. The empty one is refused at start.
type Permission string

const (
	// Public routes answer anybody.
	Public Permission = "public"
	// SignedIn routes answer every user, about themselves.
	SignedIn Permission = "signed-in"

	ProvidersRead    Permission = "providers:read"
	ProvidersWrite   Permission = "providers:write"
	ProvidersTest    Permission = "providers:test"
	ProvidersPrivate Permission = "providers:private"
	EndpointsRead    Permission = "endpoints:read"
	EndpointsWrite   Permission = "endpoints:write"
	EndpointsTest    Permission = "endpoints:test"
	KeysRead         Permission = "keys:read"
	KeysWrite        Permission = "keys:write"
	KeysOwn          Permission = "keys:own"
	AliasesRead      Permission = "aliases:read"
	AliasesWrite     Permission = "aliases:write"
	ModelsRead       Permission = "models:read"
	RequestsRead     Permission = "requests:read"
	RequestsOwn      Permission = "requests:own"
	RequestsBodies   Permission = "requests:bodies"
	RequestsReplay   Permission = "requests:replay"
	StatusRead       Permission = "status:read"
	AlertsRead       Permission = "alerts:read"
	LogsRead         Permission = "logs:read"
	UsersRead        Permission = "users:read"
	UsersWrite       Permission = "users:write"
	RolesRead        Permission = "roles:read"
	RolesWrite       Permission = "roles:write"
	TokensOwn        Permission = "tokens:own"
	TokensRead       Permission = "tokens:read"
	TokensWrite      Permission = "tokens:write"
	SigningRotate    Permission = "signing:rotate"

	AlertsWrite     Permission = "alerts:write" // acknowledge, resolve
	AlertRulesRead  Permission = "alert-rules:read"
	AlertRulesWrite Permission = "alert-rules:write"
	NotifiersRead   Permission = "notifiers:read"
	NotifiersWrite  Permission = "notifiers:write"
	NotifiersTest   Permission = "notifiers:test"
	SilencesRead    Permission = "silences:read"
	SilencesWrite   Permission = "silences:write"
	PricesRead      Permission = "prices:read"
	PricesWrite     Permission = "prices:write"

	ConfigsRead       Permission = "configs:read"
	ConfigsWrite      Permission = "configs:write"
	ConfigsActivate   Permission = "configs:activate"
	ConfigsSecrets    Permission = "configs:secrets" // export with secrets, encrypted
	RevisionsRead     Permission = "revisions:read"
	RevisionsRollback Permission = "revisions:rollback"
	SettingsRead      Permission = "settings:read"
	SettingsWrite     Permission = "settings:write"

	AuditRead     Permission = "audit:read"
	SecretsRead   Permission = "secrets:read"   // which keys encrypt what is stored, never a secret
	SecretsRotate Permission = "secrets:rotate" // encrypt everything stored anew
	BackupRead    Permission = "backup:read"
)

// allowed says what each permission allows, for those who put roles together.
var allowed = map[Permission]string{
	ProvidersRead:     "See providers, their settings without secrets, and the kinds of provider.",
	ProvidersWrite:    "Create, change and delete providers.",
	ProvidersTest:     "Send prompts to providers, which costs money.",
	ProvidersPrivate:  "Give providers base URLs on loopback and private networks.",
	EndpointsRead:     "See endpoints and their mappings, and ask where a request would go.",
	EndpointsWrite:    "Switch and map endpoints.",
	EndpointsTest:     "Send requests through endpoints, which costs money.",
	KeysRead:          "See everybody's client keys, without their tokens.",
	KeysWrite:         "Create, change, rotate and delete everybody's client keys, and say whose they are.",
	KeysOwn:           "See, create, change, rotate and delete one's own client keys. Limits are for keys:write.",
	AliasesRead:       "See aliases.",
	AliasesWrite:      "Create, change and delete aliases.",
	ModelsRead:        "See which models can be asked for, and what they are.",
	RequestsRead:      "See the metadata and statistics of everybody's requests.",
	RequestsOwn:       "See the metadata and statistics of requests made with one's own client keys.",
	RequestsBodies:    "Read what requests and their answers said, where that is kept.",
	RequestsReplay:    "Send kept requests again, which costs money, and see the answers.",
	StatusRead:        "See the state of the system.",
	AlertsRead:        "See alerts.",
	LogsRead:          "See the log.",
	UsersRead:         "See users and their sessions.",
	UsersWrite:        "Create, invite, change and delete users who may no more than oneself, and end their sessions.",
	RolesRead:         "See roles and permissions.",
	RolesWrite:        "Create, change and delete roles of permissions that one has.",
	TokensOwn:         "See, create and delete one's own personal access tokens.",
	TokensRead:        "See everybody's personal access tokens, without the tokens themselves.",
	TokensWrite:       "Delete everybody's personal access tokens.",
	AlertsWrite:       "Acknowledge and resolve alerts.",
	AlertRulesRead:    "See alert rules.",
	AlertRulesWrite:   "Create, change and delete alert rules.",
	NotifiersRead:     "See notifiers, without their secrets.",
	NotifiersWrite:    "Create, change and delete notifiers.",
	NotifiersTest:     "Send a test through a notifier.",
	SilencesRead:      "See silences.",
	SilencesWrite:     "Create, change and delete silences.",
	PricesRead:        "See prices of models.",
	PricesWrite:       "Set and import prices of models and what they are.",
	ConfigsRead:       "See and export saved configurations, without secrets.",
	ConfigsWrite:      "Save, import, change and delete configurations.",
	ConfigsActivate:   "Make a saved configuration the live one.",
	ConfigsSecrets:    "Export secrets, sealed by a passphrase.",
	RevisionsRead:     "See every change of the live configuration.",
	RevisionsRollback: "Bring back the live configuration of an earlier revision.",
	SettingsRead:      "See settings.",
	SettingsWrite:     "Change settings.",
	SigningRotate:     "Replace the key that signs access tokens.",
	AuditRead:         "See the audit trail and verify it.",
	SecretsRead:       "See which keys encrypt what is stored, never a secret.",
	SecretsRotate:     "Encrypt every stored secret anew.",
	BackupRead:        "Download the whole database, its secrets encrypted.",
}

// What the built-in roles may do. Each has what the one before it has.
var (
	viewer = []Permission{
		ProvidersRead, EndpointsRead, KeysRead, AliasesRead, ModelsRead,
		RequestsRead, StatusRead, AlertsRead, AlertRulesRead, SilencesRead, PricesRead, TokensOwn,
		ConfigsRead, RevisionsRead, SettingsRead,
	}
	operator = append(slices.Clone(viewer),
		ProvidersWrite, ProvidersTest, EndpointsWrite, EndpointsTest, KeysWrite, AliasesWrite, LogsRead, UsersRead, RolesRead,
		AlertsWrite, AlertRulesWrite, SilencesWrite, NotifiersRead, NotifiersTest,
		ConfigsWrite, ConfigsActivate, RevisionsRollback,
	)
	admin = append(slices.Clone(operator), ProvidersPrivate, RequestsBodies, RequestsReplay, NotifiersWrite, PricesWrite, UsersWrite, RolesWrite, TokensRead, TokensWrite, ConfigsSecrets, SettingsWrite,
		AuditRead, SecretsRead)
	owner = append(slices.Clone(admin), SigningRotate, SecretsRotate, BackupRead)
)

// builtIn maps the built-in roles' names to their permissions.
var builtIn = map[string][]Permission{
	point.RoleViewer:   viewer,
	point.RoleOperator: operator,
	point.RoleAdmin:    admin,
	point.RoleOwner:    owner,
}

// implied are the permissions that come with another one.
var implied = map[Permission][]Permission{
	KeysWrite:    {KeysOwn},
	RequestsRead: {RequestsOwn},
}

// permissionsOf lists what a role may do. An unknown role may nothing.
func permissionsOf(s *point.Snapshot, role string) []Permission {
	if list, ok := builtIn[role]; ok {
		return slices.Clone(list)
	}
	list := []Permission{}
	if r, ok := s.Roles[role]; ok {
		for _, name := range r.Permissions {
			list = append(list, Permission(name))
		}
	}
	return list
}

// RoleExists reports whether a user may be given a role, with what permissions ever.
func RoleExists(s *point.Snapshot, role string) bool {
	_, built := builtIn[role]
	_, made := s.Roles[role]
	return built || made
}

// Permissions is a list of permissions that somebody is to have.
type Permissions []Permission

// TransformSchema bounds each of them.
func (Permissions) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Items = &huma.Schema{Type: huma.TypeString, MaxLength: new(64)}
	return s
}

// grants is a set of permissions that somebody has.
type grants []Permission

// has reports whether p is among them or comes with one of them.
func (g grants) has(p Permission) bool {
	if p == Public || p == SignedIn {
		return true
	}
	return slices.ContainsFunc(g, func(have Permission) bool {
		return have == p || slices.Contains(implied[have], p)
	})
}

// expanded are g and what comes with them: all that has reports.
func (g grants) expanded() []Permission {
	all := append([]Permission{}, g...)
	for _, have := range g {
		for _, p := range implied[have] {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// hasAll reports whether g covers others.
func (g grants) hasAll(others []Permission) bool {
	return !slices.ContainsFunc(others, func(p Permission) bool { return !g.has(p) })
}

// within are those of g that scopes cover, or that cover the scopes: a token for one's own keys
// has that much of a role for all.
func (g grants) within(scopes grants) grants {
	var out grants
	for _, p := range slices.Concat(g, scopes) {
		if g.has(p) && scopes.has(p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// scopeOf says whose keys and requests the caller may reach on this route.
func scopeOf(ctx context.Context) store.Scope { return who(ctx).scope }

// PermissionInfo is a permission and what it allows.
type PermissionInfo struct {
	Name   Permission `json:"name" example:"providers:read"`
	Allows string     `json:"allows" example:"See providers."`
}

// listPermissions lists all permissions, by name.
func (a *API) listPermissions(context.Context, *none) (*listOutput[PermissionInfo], error) {
	list := slices.Sorted(maps.Keys(allowed))
	return whole(list, func(p *Permission) PermissionInfo { return PermissionInfo{Name: *p, Allows: allowed[*p]} }), nil
}

// isPermission reports whether a permission is one that a role or a token may have.
func isPermission(p Permission) bool {
	_, ok := allowed[p]
	return ok
}

var errSession = problem(http.StatusForbidden, "This needs a sign-in: personal access tokens may not do it.").as(codeSession)
