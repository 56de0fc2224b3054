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
	kinds := point.Price{Images: map[string]float64{"1024x1024/high": 15e7, "512x512": 18e6, "hd": 8e7}}
	tests := map[string]struct {
		price *point.Price
		usage point.Usage
		cost  point.NanoUSD
		known bool
	}{
		"no price":                     {nil, point.Usage{Input: 1}, 0, false},
		"tokens":                       {&tokens, point.Usage{Input: 3, Output: 2}, 7000, true},
		"nothing used":                 {&tokens, point.Usage{}, 0, true},
		"images, priced by tokens":     {&tokens, point.Usage{Images: 3}, 0, false},
		"images and their tokens":      {&tokens, point.Usage{Input: 3, Output: 2, Images: 3}, 7000, true},
		"images":                       {&images, point.Usage{Images: 3}, 120_000_000, true},
		"images by the request":        {&requests, point.Usage{Images: 3}, 5_000_000, true},
		"tokens, priced by images":     {&images, point.Usage{Input: 1, Images: 3}, 0, false},
		"speech":                       {&point.Price{PerCharacter: rate(15_000)}, point.Usage{Characters: 200}, 3_000_000, true},
		"speech, priced by tokens":     {&tokens, point.Usage{Characters: 200}, 0, false},
		"speech and its tokens":        {&tokens, point.Usage{Input: 3, Output: 2, Characters: 200}, 7000, true},
		"a minute and a half of sound": {&point.Price{PerMinute: rate(6e6)}, point.Usage{AudioMS: 90_000}, 9_000_000, true},
		"minutes pay for tokens":       {&point.Price{PerMinute: rate(6e6)}, point.Usage{Input: 375, AudioInput: 300, Output: 25, Reasoning: 5, AudioMS: 90_000}, 9_000_000, true},
		"minutes that nobody told":     {&point.Price{PerMinute: rate(6e6)}, point.Usage{Input: 375, Output: 25}, 0, false},
		"searches beside tokens":       {&point.Price{Input: rate(1000), Output: rate(2000), PerSearch: rate(1e7)}, point.Usage{Input: 3, Output: 2, Searches: 2}, 20_007_000, true},
		"searches, priced by tokens":   {&tokens, point.Usage{Searches: 2}, 0, false},
		"images in prompt and answer":  {&point.Price{Input: rate(1000), Output: rate(2000), ImageInput: rate(3000), ImageOutput: rate(4000)}, point.Usage{Input: 3, ImageInput: 2, Output: 4, ImageOutput: 3}, 1000 + 6000 + 2000 + 12000, true},
		"images, without a rate":       {&tokens, point.Usage{Input: 3, ImageInput: 2, Output: 4, ImageOutput: 3}, 11000, true},
		"images of a kind":             {&kinds, point.Usage{Images: 2, ImageKind: "1024x1024/high"}, 300_000_000, true},
		"images of a size":             {&kinds, point.Usage{Images: 2, ImageKind: "512x512/low"}, 36_000_000, true},
		"images of a quality":          {&kinds, point.Usage{Images: 1, ImageKind: "/hd"}, 80_000_000, true},
		"images of another kind":       {&kinds, point.Usage{Images: 1, ImageKind: "9x9/"}, 0, false},
		"beyond counting":              {&point.Price{Input: rate(1e6)}, point.Usage{Input: 9e17}, 0, false},
		"a negative rate":              {&point.Price{Input: rate(-1)}, point.Usage{Input: 9}, 0, false},
	}
	for name, tt := range tests {
		if cost, known := tt.price.Cost(tt.usage); cost != tt.cost || known != tt.known {
			t.Errorf("%s: %d, %t, want %d, %t", name, cost, known, tt.cost, tt.known)
		}
	}
	for _, c := range [][3]string{{"1024x1024", "high", "1024x1024/high"}, {"auto", "auto", ""}, {"", "", ""}, {"1024x1024", "auto", "1024x1024/"}, {"", "hd", "/hd"}} {
		if kind := point.ImageKind(c[0], c[1]); kind != c[2] {
			t.Errorf("%v: %q", c, kind)
		}
	}
	if total := (point.Usage{Input: math.MaxInt64, Output: math.MaxInt64}).Total(); total <= 0 {
		t.Errorf("the total is %d", total)
	}
}
