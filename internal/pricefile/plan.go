package pricefile

import (
	"maps"
	"reflect"
	"slices"

	"point"
)

// What becomes of a price that a file tells, and of what it tells a model to be.
const (
	New     = "new"     // there was none
	Changed = "changed" // there was another
	Same    = "same"    // it is what holds already: nothing is stored
	Kept    = "kept"    // somebody said another one by hand, which stays
	Unfit   = "unfit"   // nobody could say it by hand: it has no rate to begin with, or too many
)

// Held is what holds now.
type Held struct {
	Prices []point.PriceOverride // that were said or imported before
	Models []point.ModelOverride
	Price  func(kind, model string) *point.Price // nil: none
	Facts  func(kind, model string) point.ModelFacts
}

// Plan is what taking a file would change.
type Plan struct {
	Prices []PriceChange
	Models []ModelChange
}

// PriceChange is what a price of a file would change.
type PriceChange struct {
	point.PriceOverride
	Before *point.Price // that holds now; nil: none
	What   string
}

// Plan tells what taking c would change. What was said by hand is kept unless replace is set. What
// the file does not tell of a model stays as it is.
func (c *Catalogue) Plan(held Held, replace bool) *Plan {
	return &Plan{planPrices(c.Prices, held, replace), planModels(c, held, replace)}
}

func planPrices(prices []point.PriceOverride, held Held, replace bool) []PriceChange {
	byHand := map[[2]string]bool{}
	for i := range held.Prices {
		own := &held.Prices[i]
		byHand[[2]string{own.Kind, own.Model}] = own.Price.Source == ""
	}
	list := make([]PriceChange, 0, len(prices))
	for _, p := range prices {
		change := PriceChange{PriceOverride: p, Before: held.Price(p.Kind, p.Model), What: New}
		before := &point.Price{}
		if change.Before != nil {
			before, change.What = change.Before, Changed
		}
		fill(&change.Price, before)
		change.Check(func(string, string, ...any) { change.What = Unfit })
		switch {
		case change.What == Unfit:
		case change.Before != nil && same(change.Price, *change.Before):
			change.What = Same
		case byHand[[2]string{p.Kind, p.Model}] && !replace:
			change.What = Kept
		}
		list = append(list, change)
	}
	return list
}

// TakenPrices are the prices that are to be stored.
func (p *Plan) TakenPrices() (list []point.PriceOverride) {
	for i := range p.Prices {
		if taken(p.Prices[i].What) {
			list = append(list, p.Prices[i].PriceOverride)
		}
	}
	return list
}

func taken(what string) bool { return what == New || what == Changed }

// CountPrices counts prices by what becomes of them.
func (p *Plan) CountPrices() map[string]int {
	counts := map[string]int{}
	for i := range p.Prices {
		counts[p.Prices[i].What]++
	}
	return counts
}

// fill takes what p does not tell from what held before.
func fill(p, before *point.Price) {
	minutes := p.PerMinute != nil && p.Input == nil && p.Output == nil
	rates := ratesOf(p)
	for i, was := range ratesOf(before) {
		if *rates[i] == nil {
			*rates[i] = *was
		}
	}
	if p.Images == nil {
		p.Images = before.Images
	}
	p.Tiers = slices.Clone(p.Tiers) // the catalogue's own stay
	if p.Tiers == nil && equal(p.Input, before.Input) && equal(p.Output, before.Output) {
		for i := range before.Tiers {
			p.Tiers = append(p.Tiers, point.PriceTier{Above: before.Tiers[i].Above})
		}
	}
	for i := range p.Tiers {
		fillTier(&p.Tiers[i], p, before)
		reconcile(&p.Tiers[i].Price, minutes)
	}
	reconcile(p, minutes)
}

// reconcile takes out of a filled price what would be paid for twice. Minutes that the file tells, and
// no tokens beside, pay for all; minutes that held pay for sound unless its tokens do.
func reconcile(p *point.Price, minutes bool) {
	switch {
	case minutes:
		for _, rate := range []**float64{&p.Input, &p.Output, &p.CacheRead, &p.CacheWrite, &p.CacheWrite1h, &p.AudioInput, &p.AudioOutput, &p.Reasoning} {
			*rate = nil
		}
	case charges(p.AudioInput):
		p.PerMinute = nil
	}
	if charges(p.Output) || charges(p.ImageOutput) {
		p.PerImage, p.Images = nil, nil
	}
}

// fillTier takes what a tier does not tell from the one that held before, where that one had rates of
// its own, and else from the plain price, which is filled.
func fillTier(tier *point.PriceTier, plain, before *point.Price) {
	held := before
	for i := range before.Tiers {
		if thousands(before.Tiers[i].Above) == thousands(tier.Above) {
			held = &before.Tiers[i].Price
		}
	}
	rates, own, was := ratesOf(&tier.Price), ratesOf(held), ratesOf(before)
	for i, rate := range ratesOf(plain) {
		switch {
		case *rates[i] != nil:
		case equal(*own[i], *was[i]):
			*rates[i] = *rate
		default:
			*rates[i] = *own[i]
		}
	}
	tier.Images, tier.From = plain.Images, held.From
	if !maps.Equal(held.Images, before.Images) {
		tier.Images = held.Images
	}
}

// thousands is a tier's start without what tables differ in: one says from 272,000 on, another above
// 271,999.
func thousands(tokens int64) int64 { return (tokens + 500) / 1000 }

func equal(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// same reports whether two prices are the same, whoever said them and since when they hold.
func same(a, b point.Price) bool {
	a.Source, a.From = b.Source, b.From
	return reflect.DeepEqual(a, b)
}
