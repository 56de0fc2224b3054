package routing

import (
	"cmp"
	"math"
	"slices"

	"point"
)

func init() { register(point.StrategyLowestCost, orderLowestCost) }

// answerTokens is assumed for an answer whose request names no limit.
const answerTokens = 500

// orderLowestCost puts the target that this prompt is cheapest at first; unknown prices last.
func orderLowestCost(b *builder, targets []point.Target) {
	usage := point.Usage{Input: b.call.PromptTokens(), Output: cmp.Or(b.env.MaxTokens, answerTokens)}
	cost := func(t point.Target) point.NanoUSD {
		if n, ok := b.price(t).Cost(usage); ok {
			return n
		}
		return math.MaxInt64
	}
	slices.SortStableFunc(targets, func(x, y point.Target) int { return cmp.Compare(cost(x), cost(y)) })
}
