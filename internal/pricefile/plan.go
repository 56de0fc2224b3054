package pricefile

import (
	"maps"
	"reflect"
	"slices"

	"point"
)

// What becomes of a price that a file tells.
const (
	New     = "new"     // there was none
	Changed = "changed" // there was another
	Same    = "same"    // it is what holds already: nothing is stored
	Kept    = "kept"    // somebody said another one by hand, which stays
	Unfit   = "unfit"   // nobody could say it by hand: it has no rate to begin with, or too many
)

// Change is what a price of a file would change.
type Change struct {
	point.PriceOverride
	Before *point.Price // that holds now; nil: none
	What   string
}

// Plan tells what taking a file's prices would change. Own are the prices that were said or
// imported before, known tells the one that holds now. A price that was said by hand is kept unless
// replace is set. Rates that a file does not have stay as they are.
func Plan(c *Catalogue, own []point.PriceOverride, known func(kind, model string) *point.Price, replace bool) []Change {
	byHand := map[[2]string]bool{}
	for i := range own {
		byHand[[2]string{own[i].Kind, own[i].Model}] = own[i].Price.Source == ""
	}
	list := make([]Change, 0, len(c.Prices))
	for _, p := range c.Prices {
		change := Change{PriceOverride: p, Before: known(p.Kind, p.Model), What: New}
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

// Taken are the prices of a plan that are to be stored.
func Taken(plan []Change) (list []point.PriceOverride) {
	for i := range plan {
		if plan[i].What == New || plan[i].What == Changed {
			list = append(list, plan[i].PriceOverride)
		}
	}
	return list
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
		p.Input, p.Output, p.AudioInput = nil, nil, nil
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
