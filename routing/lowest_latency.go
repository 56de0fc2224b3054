package routing

import (
	"cmp"
	"slices"

	"point"
)

func init() { register(point.StrategyLowestLatency, orderLowestLatency) }

// orderLowestLatency puts the provider with the shortest recent time to first content first.
// One that was never tried comes before all, so that it gets a figure; one that only ever
// failed comes last.
func orderLowestLatency(b *builder, targets []point.Target) {
	slices.SortStableFunc(targets, func(x, y point.Target) int {
		return cmp.Compare(b.planner.load.Latency(x.Provider.ID), b.planner.load.Latency(y.Provider.ID))
	})
}
