package routing

import (
	"cmp"
	"fmt"
	"slices"

	"point"
)

// Explain is Plan for people: what it skips tells of every provider that has no part in it.
func (p *Planner) Explain(call *point.Call) (*point.Plan, error) {
	plan, err := p.Plan(call)
	if plan == nil {
		return nil, err
	}
	told := map[string]bool{}
	for _, t := range plan.Targets {
		told[t.Provider.Name] = true
	}
	for _, s := range plan.Skipped {
		told[s.Provider] = true
	}
	b := &builder{snap: call.Snapshot}
	model, _, _ := b.resolve(call.Envelope.Model)
	var others []point.Skipped
	for _, other := range call.Snapshot.Providers {
		if !told[other.Name] {
			others = append(others, point.Skipped{Provider: other.Name, Model: model, Reason: p.absent(call.Snapshot, other, call.Path, model)})
		}
	}
	slices.SortFunc(others, func(a, b point.Skipped) int { return cmp.Compare(a.Provider, b.Provider) })
	plan.Skipped = append(plan.Skipped, others...)
	return plan, err
}

// absent is why a plan does not even consider a provider.
func (p *Planner) absent(s *point.Snapshot, other *point.Provider, path, model string) string {
	switch {
	case !other.Active():
		return "the provider is inactive"
	case !p.catalog.Serves(other, path):
		return fmt.Sprintf("providers of kind %s do not serve %s", other.Kind, path)
	case !p.catalog.Has(other, model):
		return "it does not have the model, as far as is known"
	case !s.ServesBare(other):
		return "it is simulated, and beside real providers serves only when it is named"
	default:
		return "the request, an alias or a rule names other targets"
	}
}
