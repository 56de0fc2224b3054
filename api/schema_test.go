package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// operation finds the documented operation of a request, nil if it matches no route.
func (w *world) operation(r *http.Request) *huma.Operation {
	_, pattern := w.api.mux.Handler(r)
	method, way, _ := strings.Cut(pattern, " ")
	item := w.api.spec.Paths[way]
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}[method]
}

// refusalFault is what is wrong with an error, if the document does not tell of it for its operation.
// A path that is not clean belongs to none.
func (w *world) refusalFault(op *huma.Operation, r *http.Request, a answer) string {
	var p Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || op == nil || a.status == statusClientGone || r.URL.Path != path.Clean(r.URL.Path) {
		return ""
	}
	known := op.Responses[strconv.Itoa(a.status)]
	if known != nil && known.Ref != "" {
		known = w.api.spec.Components.Responses[strings.TrimPrefix(known.Ref, "#/components/responses/")]
	}
	if known == nil {
		return fmt.Sprintf("%s may not answer %d %s", op.OperationID, a.status, p.Code)
	}
	if codes := known.Extensions["x-codes"].([]Code); !slices.Contains(codes, p.Code) {
		return fmt.Sprintf("%s may not answer %d with the code %s, but with %s", op.OperationID, a.status, p.Code, codes)
	}
	return ""
}

// checkSchema fails if an answer is not what openapi.json says of it.
func (w *world) checkSchema(r *http.Request, a answer) {
	w.t.Helper()
	for _, fault := range w.schemaFaults(r, a) {
		w.t.Errorf("%s %s: %s", r.Method, r.URL, fault)
	}
	var p Problem
	if op := w.operation(r); op != nil && a.status >= http.StatusBadRequest && json.Unmarshal([]byte(a.body), &p) == nil {
		seenRefusals.Store(op.OperationID+" "+string(p.Code), true)
	}
}

// schemaFaults are what is not as openapi.json says of an answer.
func (w *world) schemaFaults(r *http.Request, a answer) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if a.status == http.StatusNoContent || a.status == http.StatusSeeOther || r.Method == http.MethodHead || strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") || a.header.Get("Content-Type") == yamlType {
		return nil
	}
	schema := w.api.spec.Components.Schemas.Map()["Problem"]
	op := w.operation(r)
	if a.status < http.StatusBadRequest {
		if op == nil || op.Responses[strconv.Itoa(a.status)] == nil {
			fault("status %d is not documented", a.status)
			return faults
		}
		media := op.Responses[strconv.Itoa(a.status)].Content["application/json"]
		if media == nil {
			return nil
		}
		schema = media.Schema
	} else if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		fault("an error of type %q: %s", got, a.body)
		return faults
	} else if wrong := w.refusalFault(op, r, a); wrong != "" {
		fault("%s", wrong)
	}
	var body any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		fault("%d %q is not JSON: %v", a.status, a.body, err)
		return faults
	}
	var result huma.ValidateResult
	huma.Validate(w.api.spec.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, body, &result)
	for _, err := range result.Errors {
		fault("answers against its schema: %v", err)
	}
	return faults
}
