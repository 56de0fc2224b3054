package routing

import (
	"cmp"
	"slices"
	"time"

	"point"
)

// prefer applies the body's provider object: only, ignore, max_price, order, sort and
// allow_fallbacks.
func (b *builder) prefer() {
	want := &b.env.Provider
	if want.Name != "" {
		return
	}
	b.keep(want)
	if len(want.Order) > 0 {
		rank := func(t point.Target) int {
			if i := indexOf(want.Order, t.Provider); i >= 0 {
				return i
			}
			return len(want.Order)
		}
		slices.SortStableFunc(b.plan.Targets, func(x, y point.Target) int { return cmp.Compare(rank(x), rank(y)) })
	}
	switch want.Sort {
	case "price":
		orderLowestCost(b, b.plan.Targets)
	case "latency", "throughput":
		orderLowestLatency(b, b.plan.Targets)
	}
	if strict(want) && len(want.Order) == 0 && len(b.plan.Targets) > 1 {
		b.plan.Targets = b.plan.Targets[:1]
	}
}

// strict reports whether the request takes no other provider than those that it names, or the first.
func strict(want *point.ProviderPreference) bool {
	return want.AllowFallbacks != nil && !*want.AllowFallbacks
}

// maxUnknown is how many names that no provider has are told: they are the client's.
const maxUnknown = 10

// keep drops the targets that the request rules out.
func (b *builder) keep(want *point.ProviderPreference) {
	b.plan.Targets = slices.DeleteFunc(b.plan.Targets, func(t point.Target) bool {
		switch {
		case len(want.Only) > 0 && indexOf(want.Only, t.Provider) < 0:
			b.skip(t.Provider.Name, t.Model, "the request's provider.only leaves it out")
		case strict(want) && len(want.Order) > 0 && indexOf(want.Order, t.Provider) < 0:
			b.skip(t.Provider.Name, t.Model, "the request's provider.order leaves it out, and provider.allow_fallbacks is false")
		case indexOf(want.Ignore, t.Provider) >= 0:
			b.skip(t.Provider.Name, t.Model, "the request's provider.ignore names it")
		case want.MaxPrice != nil && b.dearer(t, want.MaxPrice):
			b.skip(t.Provider.Name, t.Model, "it costs more than the request's provider.max_price, or its price is unknown")
		default:
			return false
		}
		return true
	})
	b.unknown = b.unknownNames(want)
	b.plan.Skipped = append(b.plan.Skipped, b.unknown...)
}

// unknownNames are the first names in only and order that no provider has.
func (b *builder) unknownNames(want *point.ProviderPreference) (list []point.Skipped) {
	for _, name := range slices.Concat(want.Only, want.Order) {
		_, known := b.snap.Provider(name)
		one := skipped(name, b.env.Model, "there is no such provider, though the request names it")
		if !known && len(list) < maxUnknown && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// dearer reports whether t may cost more than limit: an unknown price counts as more.
func (b *builder) dearer(t point.Target, limit *point.MaxPrice) bool {
	price := b.price(t)
	over := func(rate *float64, most *float64) bool {
		return most != nil && (rate == nil || *rate > *most*nanoPerToken)
	}
	return price == nil || over(price.Input, limit.Prompt) || over(price.Output, limit.Completion)
}

// nanoPerToken turns USD per million tokens into nano-USD per token.
const nanoPerToken = 1000

func (b *builder) price(t point.Target) *point.Price {
	if b.snap.Prices == nil {
		return nil
	}
	return b.snap.Prices.Price(t.Provider.Kind, t.Model, time.Now())
}

func indexOf(names []string, p *point.Provider) int {
	return slices.IndexFunc(names, func(name string) bool { return name == p.Name || name == p.ID })
}
