package point_test

import (
	"math"
	"testing"

	"point"
)

// What is unknown costs nothing that could be told: neither zero nor less.
func TestCost(t *testing.T) {
	rate := func(r float64) *float64 { return &r }
	tokens := point.Price{Input: rate(1000), Output: rate(2000)}
	images := point.Price{PerImage: rate(4e7)}
	requests := point.Price{PerRequest: rate(5e6)}
	tests := map[string]struct {
		price *point.Price
		usage point.Usage
		cost  point.NanoUSD
		known bool
	}{
		"no price":                 {nil, point.Usage{Input: 1}, 0, false},
		"tokens":                   {&tokens, point.Usage{Input: 3, Output: 2}, 7000, true},
		"nothing used":             {&tokens, point.Usage{}, 0, true},
		"images, priced by tokens": {&tokens, point.Usage{Images: 3}, 0, false},
		"images and their tokens":  {&tokens, point.Usage{Input: 3, Output: 2, Images: 3}, 7000, true},
		"images":                   {&images, point.Usage{Images: 3}, 120_000_000, true},
		"images by the request":    {&requests, point.Usage{Images: 3}, 5_000_000, true},
		"tokens, priced by images": {&images, point.Usage{Input: 1, Images: 3}, 0, false},
		"beyond counting":          {&point.Price{Input: rate(1e6)}, point.Usage{Input: 9e17}, 0, false},
		"a negative rate":          {&point.Price{Input: rate(-1)}, point.Usage{Input: 9}, 0, false},
	}
	for name, tt := range tests {
		if cost, known := tt.price.Cost(tt.usage); cost != tt.cost || known != tt.known {
			t.Errorf("%s: %d, %t, want %d, %t", name, cost, known, tt.cost, tt.known)
		}
	}
	if total := (point.Usage{Input: math.MaxInt64, Output: math.MaxInt64}).Total(); total <= 0 {
		t.Errorf("the total is %d", total)
	}
}
