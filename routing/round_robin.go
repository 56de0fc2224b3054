package routing

import (
	"slices"

	"point"
)

func init() { register(point.StrategyRoundRobin, orderRoundRobin) }

// orderRoundRobin starts with the next target at each call.
func orderRoundRobin(b *builder, targets []point.Target) {
	n := int((b.planner.turn.Add(1) - 1) % uint64(len(targets)))
	rotated := slices.Concat(targets[n:], targets[:n])
	copy(targets, rotated)
}
