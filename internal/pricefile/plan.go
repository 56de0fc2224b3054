package pricefile

import (
	"reflect"

	"point"
)

// What becomes of a price that a file tells.
const (
	New     = "new"     // there was none
	Changed = "changed" // there was another
	Same    = "same"    // it is what holds already: nothing is stored
	Kept    = "kept"    // somebody said another one by hand, which stays
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
		if change.Before != nil {
			fill(&change.Price, change.Before)
			change.What = Changed
		}
		switch {
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
	if p.Tiers == nil && equal(p.Input, before.Input) && equal(p.Output, before.Output) {
		p.Tiers = before.Tiers
	}
	rates := ratesOf(p)
	for i, was := range ratesOf(before) {
		if *rates[i] == nil {
			*rates[i] = *was
		}
	}
	if p.Images == nil {
		p.Images = before.Images
	}
}

func equal(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// same reports whether two prices are the same, whoever said them and since when they hold.
func same(a, b point.Price) bool {
	a.Source, a.From = b.Source, b.From
	return reflect.DeepEqual(a, b)
}
