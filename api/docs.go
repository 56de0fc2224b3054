package api

import (
	"context"
	_ "embed"

	"github.com/danielgtaylor/huma/v2"
)

// The page that shows the document and sends requests. It is whole without a network.
var (
	//go:embed docs/index.html
	docsPage []byte
	//go:embed docs/docs.js
	docsScript []byte
	//go:embed docs/docs.css
	docsStyle []byte
)

// docsPolicy lets the page load its own two files and ask its own origin, and nothing else.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (a *API) getDocs(context.Context, *none) (*huma.StreamResponse, error) {
	return docsFile("text/html; charset=utf-8", docsPage), nil
}

func (a *API) getDocsScript(context.Context, *none) (*huma.StreamResponse, error) {
	return docsFile("text/javascript; charset=utf-8", docsScript), nil
}

func (a *API) getDocsStyle(context.Context, *none) (*huma.StreamResponse, error) {
	return docsFile("text/css; charset=utf-8", docsStyle), nil
}

func docsFile(contentType string, content []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType)
		ctx.SetHeader("Content-Security-Policy", docsPolicy)
		ctx.SetHeader("Cache-Control", "no-cache")
		_, _ = ctx.BodyWriter().Write(content)
	}}
}
