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
)

// What the built-in roles may do. Each has what the one before it has.
var (
	viewer = []Permission{
		SignedIn, ProvidersRead, EndpointsRead, KeysRead, AliasesRead, ModelsRead,
		RequestsRead, StatusRead, AlertsRead,
	}
	operator = append(slices.Clone(viewer),
		ProvidersWrite, ProvidersTest, EndpointsWrite, EndpointsTest, KeysWrite, AliasesWrite, LogsRead,
	)
	admin = append(slices.Clone(operator), ProvidersPrivate)
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
