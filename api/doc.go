// Package api is the Backend API: the control plane under /api.
//
// api.go holds the whole route table. A route names its permission there, or Public; the
// permission travels with the matched operation and is checked by one middleware, so that
// nothing decides by a path string. mould.go turns a line of the table into a huma operation
// with its OpenAPI entry, secure.go is what every request passes before a route is looked up
// (Host, Origin, size, headers), auth*.go are sign-in and tokens, and each other file
// is one entity: its shapes on the wire, then its handlers.
//
// Shapes are structs of their own, filled field by field: what is not named here cannot get
// out. Secrets never leave but masked; errors name a field, never its value.
//
// openapi.json is written by `go generate ./api`; the console's client is made from it.
package api

//go:generate go test -run ^TestExamplesAreCurrent$ -update .
//go:generate go test -run ^TestOpenAPIIsCurrent$ -update .
