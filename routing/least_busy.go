package routing

import (
	"cmp"
	"slices"

	"point"
)

func init() { register(point.StrategyLeastBusy, orderLeastBusy) }

// orderLeastBusy puts the provider with the fewest calls under way first.
func orderLeastBusy(b *builder, targets []point.Target) {
	slices.SortStableFunc(targets, func(x, y point.Target) int {
		return cmp.Compare(b.planner.load.Busy(x.Provider.ID), b.planner.load.Busy(y.Provider.ID))
	})
}
