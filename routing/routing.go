// Package routing turns a call into an ordered list of targets, with the reason for each.
//
// The order of decisions: the body's provider and "provider/model", then aliases, then the
// endpoint's mapping (the first rule that matches), then any active provider that has the
// model. Fallbacks of the body and of the mapping stand behind. Strategies order targets of
// one priority; each is one file that registers itself.
package routing

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"point"
)

// Load is what routing asks about the present. The gateway knows it.
type Load interface {
	// Busy is the number of calls under way at a provider.
	Busy(providerID string) int
	// Latency is a provider's recent time to first content: 0 if it was never tried, the longest
	// there is if it was and only failed.
	Latency(providerID string) time.Duration
}

// Catalog tells which models a provider has. The gateway knows it from discovery.
type Catalog interface {
	// Has reports whether p has model, as far as is known.
	Has(p *point.Provider, model string) bool
	// Serves reports whether p's kind can serve a path at all.
	Serves(p *point.Provider, path string) bool
}

// Planner makes plans.
type Planner struct {
	load    Load
	catalog Catalog
	turn    atomic.Uint64 // plans made in turn
}

// New makes a Planner.
func New(load Load, catalog Catalog) *Planner { return &Planner{load: load, catalog: catalog} }

// Plan lists the targets of call in the order in which they are to be tried. Without any it
// returns an *Error that says why.
func (p *Planner) Plan(call *point.Call) (*point.Plan, error) {
	b := &builder{
		planner: p, call: call, env: &call.Envelope, snap: call.Snapshot,
		plan: &point.Plan{Mapping: call.Snapshot.Mapping(call.Path), On: point.DefaultOn()},
	}
	b.plan.Strategy = b.plan.Mapping.Strategy
	if err := b.primary(); err != nil {
		return nil, err
	}
	if err := b.bodyFallbacks(); err != nil {
		return nil, err
	}
	b.prefer()
	if len(b.plan.Targets) == 0 {
		return b.plan, b.none()
	}
	return b.plan, nil
}

// builder makes one plan.
type builder struct {
	planner *Planner
	call    *point.Call
	env     *point.Envelope
	snap    *point.Snapshot
	plan    *point.Plan
	asked   string          // Target.Asked of what is taken now
	unknown []point.Skipped // the end of plan.Skipped: names that no provider has
}

// primary finds where the asked model goes before any fallback of the body.
func (b *builder) primary() error {
	model, p, asked := b.resolve(b.env.Model)
	if name := b.env.Provider.Name; name != "" {
		return b.named(name, model, p, asked)
	}
	b.asked = asked
	if p != nil {
		b.take(p, model, "the model names this provider")
		return nil
	}
	b.asked = b.env.Model
	if rule := b.rule(model); rule != nil {
		b.follow(rule, model)
	} else {
		b.asked = asked
		b.any(model)
	}
	b.asked = b.env.Model
	b.refs(b.plan.Mapping.Fallbacks, model, "a fallback of the endpoint")
	return nil
}

// aliasHops is how many aliases may lead from one to the next; a circle ends there too, at no
// model.
const aliasHops = 8

// resolve is the model that a name stands for, and its provider if the name has one; asked is
// the name if it is an alias.
func (b *builder) resolve(name string) (model string, p *point.Provider, asked string) {
	for range aliasHops {
		target, ok := b.snap.Aliases[name]
		if !ok {
			break
		}
		asked, name = cmp.Or(asked, name), target
	}
	p, model = b.snap.SplitModel(name)
	return model, p, asked
}

// named takes the provider that the request's own provider field names.
func (b *builder) named(name, model string, of *point.Provider, asked string) error {
	p, ok := b.snap.Provider(name)
	switch {
	case !ok:
		return unknownProvider("provider", name)
	case !p.Active():
		return &point.Error{Code: point.ProviderNotFound, Param: "provider", Message: fmt.Sprintf("The provider %q is inactive.", name)}
	case of == nil || of == p:
		b.asked = asked
	case asked == "":
		model = b.env.Model // what looks like another provider is part of the model's name
	}
	b.take(p, model, "the request names this provider")
	return nil
}

// follow takes a rule's targets and fallbacks.
func (b *builder) follow(rule *point.Rule, model string) {
	b.plan.Rule = rule.Name
	if rule.Strategy != "" {
		b.plan.Strategy = rule.Strategy
	}
	if len(rule.On) > 0 {
		b.plan.On = rule.On
	}
	reason := fmt.Sprintf("a target of rule %q", rule.Name)
	from := len(b.plan.Targets)
	b.refs(rule.Targets, model, reason)
	b.order(b.plan.Targets[from:])
	b.refs(rule.Fallbacks, model, fmt.Sprintf("a fallback of rule %q", rule.Name))
}

// any takes every active provider that has model.
func (b *builder) any(model string) {
	from := len(b.plan.Targets)
	for _, p := range b.snap.Providers {
		if p.Active() && b.bare(p) && b.planner.catalog.Has(p, model) {
			b.take(p, model, "it has the model")
		}
	}
	targets := b.plan.Targets[from:]
	slices.SortFunc(targets, func(x, y point.Target) int { return cmp.Compare(x.Provider.ID, y.Provider.ID) })
	b.order(targets)
}

// bare reports whether p may serve a bare model: a simulated service beside real ones only
// when the request names it.
func (b *builder) bare(p *point.Provider) bool {
	return b.snap.ServesBare(p) || indexOf(b.env.Provider.Only, p) >= 0 || indexOf(b.env.Provider.Order, p) >= 0
}

// refs takes the targets that a mapping names.
func (b *builder) refs(list []point.TargetRef, model, reason string) {
	for _, ref := range list {
		p, ok := b.snap.Provider(ref.Provider)
		if !ok {
			b.skip(ref.Provider, model, "no such provider")
			continue
		}
		use := cmp.Or(ref.Model, model)
		if !b.take(p, use, reason) {
			continue
		}
		t := &b.plan.Targets[len(b.plan.Targets)-1]
		t.Weight, t.Priority = cmp.Or(ref.Weight, t.Weight), cmp.Or(ref.Priority, t.Priority)
	}
}

// bodyFallbacks takes fallback_providers (a name gets the same model) and models.
func (b *builder) bodyFallbacks() error {
	b.asked = ""
	bare, _, _ := b.resolve(b.env.Model)
	for _, name := range b.env.Fallbacks {
		if p, ok := b.snap.Provider(name); ok {
			b.take(p, bare, "a fallback of the request")
			continue
		}
		p, model := b.snap.SplitModel(name)
		if p == nil {
			return unknownProvider("fallback_providers", name)
		}
		b.take(p, model, "a fallback of the request")
	}
	for _, name := range b.env.Models {
		model, p, asked := b.resolve(name)
		b.asked = asked
		if p != nil {
			b.take(p, model, "a fallback model of the request")
			continue
		}
		b.any(model)
	}
	return nil
}

// take adds a target unless it cannot serve; then it is listed as skipped, with the reason.
func (b *builder) take(p *point.Provider, model, reason string) bool {
	switch {
	case !p.Active():
		return b.skip(p.Name, model, "the provider is inactive")
	case !b.planner.catalog.Serves(p, b.call.Path):
		return b.skip(p.Name, model, fmt.Sprintf("providers of kind %s do not serve %s", p.Kind, b.call.Path))
	case !p.Config.Sends(model):
		return b.skip(p.Name, model, "the model is not in the provider's list")
	case slices.ContainsFunc(b.plan.Targets, func(t point.Target) bool { return t.Provider == p && t.Model == model }):
		return false
	}
	b.plan.Targets = append(b.plan.Targets, point.Target{
		Provider: p, Model: model, Reason: reason, Asked: b.asked,
		Weight: cmp.Or(p.Config.Weight, 1), Priority: p.Config.Priority,
	})
	return true
}

func unknownProvider(field, name string) error {
	return &point.Error{Code: point.ProviderNotFound, Param: field, Message: fmt.Sprintf("There is no provider %q.", name)}
}
