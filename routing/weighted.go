package routing

import (
	"math/rand/v2"

	"point"
)

func init() { register(point.StrategyWeighted, orderWeighted) }

// orderWeighted draws the targets one by one, each with a chance in proportion to its weight.
func orderWeighted(_ *builder, targets []point.Target) {
	for i := range targets {
		total := 0
		for _, t := range targets[i:] {
			total += max(t.Weight, 0)
		}
		if total == 0 {
			return
		}
		draw := rand.IntN(total)
		for j := i; j < len(targets); j++ {
			if draw -= max(targets[j].Weight, 0); draw < 0 {
				targets[i], targets[j] = targets[j], targets[i]
				break
			}
		}
	}
}
