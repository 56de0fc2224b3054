package routing

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"point"
)

// skip notes a target that the plan leaves out.
func (b *builder) skip(provider, model, reason string) bool {
	b.plan.Skipped = append(b.plan.Skipped, skipped(provider, model, reason))
	return false
}

// skipped is what a plan tells of a target: its names may be the client's, and long.
func skipped(provider, model, reason string) point.Skipped {
	return point.Skipped{Provider: clip(provider), Model: clip(model), Reason: reason}
}

// maxName is how many bytes are told of a name, as many as records keep.
const maxName = 255

func clip(name string) string {
	if len(name) <= maxName {
		return name
	}
	n := maxName
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// none is the error of a plan without targets.
func (b *builder) none() error {
	why := b.why()
	message := fmt.Sprintf("No provider can serve the model %q: %s.", b.env.Model, why)
	switch model, p, _ := b.resolve(b.env.Model); {
	case p == nil && b.simulated(model) != "":
		message = b.aside(model)
		if why != "" {
			message += " Besides: " + why + "."
		}
	case why == "":
		message = b.absent()
	}
	return &point.Error{Code: point.ModelNotFound, Param: "model", Message: message}
}

// absent tells that no active provider has the model.
func (b *builder) absent() string {
	if before, _, ok := strings.Cut(b.env.Model, "/"); ok {
		if _, known := b.snap.Provider(before); !known {
			return fmt.Sprintf("There is no provider %q, and no active provider has a model %q. GET /v1/models lists what there is.", before, b.env.Model)
		}
	}
	return fmt.Sprintf("No active provider has the model %q. GET /v1/models lists what there is; \"provider/model\" sends any model to one provider.", b.env.Model)
}

// aside tells that a simulated service alone has the model.
func (b *builder) aside(model string) string {
	demo := b.simulated(model)
	return fmt.Sprintf("No active provider has the model %q. %s has it but is simulated, and beside real providers serves only when it is named: write %q.", b.env.Model, demo, demo+"/"+model)
}

// why tells of the first target that was left out, and of a name that no provider has if it stands
// where only those that are named may serve.
func (b *builder) why() string {
	var list []point.Skipped
	if real := len(b.plan.Skipped) - len(b.unknown); real > 0 {
		list = append(list, b.plan.Skipped[0])
	}
	if want := &b.env.Provider; len(b.unknown) > 0 && (len(want.Only) > 0 || strict(want)) {
		list = append(list, b.unknown[0])
	}
	var reasons []string
	for _, s := range list {
		reasons = append(reasons, s.Provider+": "+s.Reason)
	}
	return strings.Join(reasons, "; ")
}

// simulated is the name of a provider that has model and may not serve it bare, empty if none does.
func (b *builder) simulated(model string) (name string) {
	for _, p := range b.snap.Providers {
		if p.Active() && !b.bare(p) && b.planner.catalog.Has(p, model) && b.planner.catalog.Serves(p, b.call.Path) && (name == "" || p.Name < name) {
			name = p.Name
		}
	}
	return name
}
