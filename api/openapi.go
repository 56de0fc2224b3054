package api

import (
	"context"
	_ "embed"

	"github.com/danielgtaylor/huma/v2"
)

// Document is the OpenAPI document itself.
type Document map[string]any

// written is the document as it is committed; a test holds it to the route table.
//
//go:embed openapi.json
var written []byte

// tags are the entities, with what each is.
var tags = []*huma.Tag{
	{Name: "alert-rules", Description: "When an alert is raised."},
	{Name: "alerts", Description: "What wants somebody to look at it."},
	{Name: "aliases", Description: "Other names for models."},
	{Name: "audit", Description: "Who did what, in a chain that shows changes."},
	{Name: "auth", Description: "Signing in, sessions and the keys that sign tokens."},
	{Name: "backup", Description: "A copy of the databases."},
	{Name: "configs", Description: "Saved configurations."},
	{Name: "docs", Description: "The page of this document."},
	{Name: "endpoints", Description: "The paths of /v1 and how each is mapped."},
	{Name: "events", Description: "Requests as they settle."},
	{Name: "keys", Description: "Client keys of /v1."},
	{Name: "logs", Description: "What Point logged."},
	{Name: "models", Description: "What can be asked for."},
	{Name: "notifiers", Description: "Where alerts are sent."},
	{Name: "openapi", Description: "This document."},
	{Name: "permissions", Description: "What roles and tokens are made of."},
	{Name: "prices", Description: "What models cost."},
	{Name: "provider-kinds", Description: "The kinds of provider and their settings."},
	{Name: "providers", Description: "AI services."},
	{Name: "requests", Description: "The history of /v1."},
	{Name: "revisions", Description: "Every change of the live configuration."},
	{Name: "roles", Description: "Sets of permissions."},
	{Name: "route", Description: "Where a request would go."},
	{Name: "secrets", Description: "The keys that encrypt stored secrets."},
	{Name: "settings", Description: "What holds for the whole system."},
	{Name: "setup", Description: "The first user."},
	{Name: "silences", Description: "Times in which alerts are not sent."},
	{Name: "status", Description: "The state of the whole system."},
	{Name: "tokens", Description: "Personal access tokens."},
	{Name: "users", Description: "People who sign in."},
}

// getOpenAPI answers the document.
func (a *API) getOpenAPI(context.Context, *none) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetHeader("Cache-Control", "public, max-age=60")
		_, _ = ctx.BodyWriter().Write(written)
	}}, nil
}
