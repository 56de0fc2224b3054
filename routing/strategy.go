package routing

import (
	"cmp"
	"slices"

	"point"
)

// strategy orders targets of one priority, in place. The builder gives it the call and the
// planner's view of the present.
type strategy func(b *builder, targets []point.Target)

var strategies = map[point.Strategy]strategy{
	point.StrategyPriority: func(*builder, []point.Target) {}, // the order they are listed in
}

// register adds a strategy; it is called from init.
func register(name point.Strategy, s strategy) { strategies[name] = s }

// order sorts targets by priority, lowest first, and each group by the plan's strategy.
func (b *builder) order(targets []point.Target) {
	slices.SortStableFunc(targets, func(x, y point.Target) int { return cmp.Compare(x.Priority, y.Priority) })
	apply := strategies[b.plan.Strategy]
	if apply == nil {
		return
	}
	for len(targets) > 0 {
		n := 1
		for n < len(targets) && targets[n].Priority == targets[0].Priority {
			n++
		}
		if n > 1 {
			apply(b, targets[:n])
		}
		targets = targets[n:]
	}
}
