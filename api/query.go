package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point"
	"point/adapter/provider"
)

// What a list is narrowed by follows one rule: where the values are a closed list another one is
// refused, and the refusal names them; the name or id of a thing that is not there meets nothing.

// parameters are the names of what may stand behind the ? of an operation's path.
func parameters(op *huma.Operation) (names []string) {
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

// unknownParameter tells which parameters there are.
func unknownParameter(op *huma.Operation) string {
	if known := parameters(op); len(known) > 0 {
		return fmt.Sprintf("There is no such parameter here; there are %s.", strings.Join(known, ", "))
	}
	return "This route takes no parameters."
}

// once refuses a parameter that is given several times and is no list: one of the values would be
// passed over in silence.
func once(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	var f faults
	query := r.URL.Query()
	for _, p := range ctx.Operation().Parameters {
		list := p.Explode != nil && *p.Explode
		if ctx.Operation().RejectUnknownQueryParameters && p.In == "query" && !list && len(query[p.Name]) > 1 {
			f.add("query."+p.Name, "Give this once.")
		}
	}
	if err := f.err(); err != nil {
		writeProblem(w, refusal(err))
		return
	}
	next(ctx)
}

// oneOfThese notes a value that is not on a closed list; "" is none.
func (f *faults) oneOfThese(parameter, value string, list []string) {
	if value != "" && !slices.Contains(list, value) {
		f.add("query."+parameter, "There is no such %s; there are %s.", parameter, strings.Join(list, ", "))
	}
}

// auditEvents are the names of all events of the audit trail.
func auditEvents() (names []string) {
	for _, kind := range point.AuditKinds() {
		names = append(names, kind.Event)
	}
	return names
}

// kindNames are the kinds of provider that there are.
func (a *API) kindNames() (names []string) {
	for _, kind := range provider.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

// priceKinds are the kinds of provider that there are, and those that there are prices of.
func (a *API) priceKinds(prices []ModelPrice) []string {
	names := a.kindNames()
	for i := range prices {
		if !slices.Contains(names, prices[i].Kind) {
			names = append(names, prices[i].Kind)
		}
	}
	slices.Sort(names)
	return names
}
