package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// Document is the OpenAPI document itself.
type Document map[string]any

// getOpenAPI answers the document as it is committed.
func (a *API) getOpenAPI(context.Context, *none) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetHeader("Cache-Control", "public, max-age=60")
		_, _ = ctx.BodyWriter().Write(a.doc)
	}}, nil
}
