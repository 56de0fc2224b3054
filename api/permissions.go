package api

import (
	"slices"

	"point"
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
	ProvidersPrivate Permission = "providers:private" // base URLs on loopback and private networks
	EndpointsRead    Permission = "endpoints:read"
	EndpointsWrite   Permission = "endpoints:write"
	EndpointsTest    Permission = "endpoints:test"
	KeysRead         Permission = "keys:read"
	KeysWrite        Permission = "keys:write"
	AliasesRead      Permission = "aliases:read"
	AliasesWrite     Permission = "aliases:write"
	ModelsRead       Permission = "models:read"
	RequestsRead     Permission = "requests:read"
	StatusRead       Permission = "status:read"
	AlertsRead       Permission = "alerts:read"
	LogsRead         Permission = "logs:read"

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
)

// What the built-in roles may do. Each has what the one before it has.
var (
	viewer = []Permission{
		SignedIn, ProvidersRead, EndpointsRead, KeysRead, AliasesRead, ModelsRead,
		RequestsRead, StatusRead, AlertsRead, AlertRulesRead, SilencesRead, PricesRead,
	}
	operator = append(slices.Clone(viewer),
		ProvidersWrite, ProvidersTest, EndpointsWrite, EndpointsTest, KeysWrite, AliasesWrite, LogsRead,
		AlertsWrite, AlertRulesWrite, SilencesWrite, NotifiersRead, NotifiersTest,
	)
	admin = append(slices.Clone(operator), ProvidersPrivate, NotifiersWrite, PricesWrite)
	owner = slices.Clone(admin)
)

// roles maps a role's name to its permissions.
var roles = map[string][]Permission{
	point.RoleViewer:   viewer,
	point.RoleOperator: operator,
	point.RoleAdmin:    admin,
	point.RoleOwner:    owner,
}

// may reports whether role has p. An unknown role has nothing.
func may(role string, p Permission) bool {
	return p == Public || slices.Contains(roles[role], p)
}
