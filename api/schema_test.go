package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// operation finds the documented operation of a request, nil if it matches no route.
func (w *world) operation(r *http.Request) *huma.Operation {
	_, pattern := w.api.mux.Handler(r)
	method, path, _ := strings.Cut(pattern, " ")
	item := w.api.spec.Paths[path]
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}[method]
}

// checkSchema fails if an answer is not what openapi.json says of it.
func (w *world) checkSchema(r *http.Request, a answer) {
	w.t.Helper()
	if a.status == http.StatusNoContent || r.Method == http.MethodHead || strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
		return
	}
	schema := w.api.spec.Components.Schemas.Map()["Problem"]
	if a.status < http.StatusBadRequest {
		response := w.operation(r).Responses[strconv.Itoa(a.status)]
		if response == nil {
			w.t.Errorf("%s %s: status %d is not documented", r.Method, r.URL, a.status)
			return
		}
		schema = response.Content["application/json"].Schema
	} else if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		w.t.Errorf("%s %s: an error of type %q: %s", r.Method, r.URL, got, a.body)
		return
	}
	var body any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		w.t.Errorf("%s %s: %d %q is not JSON: %v", r.Method, r.URL, a.status, a.body, err)
		return
	}
	var result huma.ValidateResult
	path := huma.NewPathBuffer(nil, 0)
	huma.Validate(w.api.spec.Components.Schemas, schema, path, huma.ModeReadFromServer, body, &result)
	for _, err := range result.Errors {
		w.t.Errorf("%s %s answers against its schema: %v", r.Method, r.URL, err)
	}
}
