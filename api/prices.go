package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
	"point/store"
)

// ModelPrice is what a kind's model costs.
type ModelPrice struct {
	Kind   string `json:"kind" doc:"Of provider." example:"openai"`
	Model  string `json:"model" doc:"As the provider knows it." example:"gpt-4o-mini"`
	Source string `json:"source" enum:"embedded,override" doc:"override: an operator said so."`
	Rates
	Tiers     int        `json:"tiers" doc:"Further rates for long prompts, which are not listed."`
	From      *time.Time `json:"from" doc:"It holds from then on; null: since ever."`
	Version   int64      `json:"version" doc:"Of an override: counts its changes; the ETag." example:"1"`
	UpdatedAt *time.Time `json:"updated_at" doc:"Of an override."`
}

// Rates are in USD for a million tokens, but for those whose name says another measure; null is
// unknown, and falls back to the plain rate of its side.
type Rates struct {
	Input                *point.NanoUSD `json:"input" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" example:"2.5"`
	Output               *point.NanoUSD `json:"output" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" example:"10"`
	CachedInput          *point.NanoUSD `json:"cached_input" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"Input that was read from the provider's cache." example:"1.25"`
	CacheWrite           *point.NanoUSD `json:"cache_write" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"Input that was written to the provider's cache."`
	CacheWrite1h         *point.NanoUSD `json:"cache_write_1h" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"The same, to be kept for an hour."`
	AudioInput           *point.NanoUSD `json:"audio_input" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50"`
	AudioOutput          *point.NanoUSD `json:"audio_output" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50"`
	Reasoning            *point.NanoUSD `json:"reasoning" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50"`
	ImageInput           *point.NanoUSD `json:"image_input" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"Images in a prompt."`
	ImageOutput          *point.NanoUSD `json:"image_output" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"Images in an answer."`
	PerRequest           *point.NanoUSD `json:"per_request" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD a request."`
	PerImage             *point.NanoUSD `json:"per_image" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD an image, of a kind that images does not have."`
	PerMillionCharacters *point.NanoUSD `json:"per_million_characters" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD a million characters of text that is spoken." example:"15"`
	PerMinute            *point.NanoUSD `json:"per_minute" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD a minute of sound that is listened to." example:"0.006"`
	PerThousandSearches  *point.NanoUSD `json:"per_thousand_searches" nullable:"true" required:"false" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD a thousand searches of the web, or of documents that are ranked." example:"10"`
	Images               []ImageRate    `json:"images" nullable:"true" required:"false" maxItems:"100" doc:"USD an image by its kind."`
}

// ImageRate is what an image of a kind costs.
type ImageRate struct {
	Kind string        `json:"kind" minLength:"1" maxLength:"50" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"Its size and quality, or one of them." example:"1024x1024/high"`
	USD  point.NanoUSD `json:"usd" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 2.50" doc:"USD an image." example:"0.167"`
}

// perMillion is how many tokens a rate is for.
const perMillion = 1_000_000

// pairs are the rates beside those of a price, with what they are multiplied by there.
func (r *Rates) pairs(p *point.Price) []rate {
	return []rate{
		{&r.Input, &p.Input, perMillion}, {&r.Output, &p.Output, perMillion}, {&r.CachedInput, &p.CacheRead, perMillion},
		{&r.CacheWrite, &p.CacheWrite, perMillion}, {&r.CacheWrite1h, &p.CacheWrite1h, perMillion}, {&r.AudioInput, &p.AudioInput, perMillion}, {&r.AudioOutput, &p.AudioOutput, perMillion},
		{&r.Reasoning, &p.Reasoning, perMillion}, {&r.ImageInput, &p.ImageInput, perMillion}, {&r.ImageOutput, &p.ImageOutput, perMillion},
		{&r.PerRequest, &p.PerRequest, 1}, {&r.PerImage, &p.PerImage, 1}, {&r.PerMillionCharacters, &p.PerCharacter, perMillion},
		{&r.PerMinute, &p.PerMinute, 1}, {&r.PerThousandSearches, &p.PerSearch, 1000},
	}
}

type rate struct {
	shown  **point.NanoUSD
	inside **float64 // nano-USD
	times  float64
}

// price is what the rates say.
func (r *Rates) price() (p point.Price) {
	for _, x := range r.pairs(&p) {
		if *x.shown != nil {
			nano := float64(**x.shown) / x.times
			*x.inside = &nano
		}
	}
	if len(r.Images) > 0 {
		p.Images = make(map[string]float64, len(r.Images))
	}
	for _, image := range r.Images {
		p.Images[image.Kind] = float64(image.USD)
	}
	return p
}

func ratesOf(p *point.Price) (r Rates) {
	for _, x := range r.pairs(p) {
		if *x.inside != nil {
			usd := point.NanoUSD(math.Round(**x.inside * x.times))
			*x.shown = &usd
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(p.Images)) {
		r.Images = append(r.Images, ImageRate{Kind: kind, USD: point.NanoUSD(math.Round(p.Images[kind]))})
	}
	return r
}

type priceOutput struct {
	Tagged
	Body ModelPrice
}

type listPricesInput struct {
	Paging
	Kind   string `query:"kind" maxLength:"100" doc:"Only those of this kind of provider." example:"openai"`
	Model  string `query:"model" maxLength:"255" doc:"Only this model."`
	Search string `query:"search" maxLength:"255" doc:"Only models with this in their name."`
	Source string `query:"source" enum:"embedded,override" doc:"Only those from there."`
}

// ByModel chooses a kind's model.
type ByModel struct {
	Kind  string `path:"kind" minLength:"1" maxLength:"100" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"Of provider." example:"openai"`
	Model string `path:"model" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"As the provider knows it." example:"gpt-4o-mini"`
}

// PutPrice is the body that says what a model costs.
type PutPrice struct {
	Rates
	From *time.Time `json:"from,omitempty" nullable:"true" doc:"It holds from then on; before, the embedded price does. Absent: since ever."`
}

type putPriceInput struct {
	ByModel
	Precondition
	Body PutPrice
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *putPriceInput) Resolve(huma.Context) []error {
	var f faults
	in.override().Check(f.at("body."))
	return f.errors()
}

func (in *putPriceInput) override() *point.PriceOverride {
	p := &point.PriceOverride{Kind: in.Kind, Model: in.Model, Price: in.Body.price()}
	if in.Body.From != nil {
		p.Price.From = in.Body.From.UTC()
	}
	return p
}

type deletePriceInput struct {
	ByModel
	Precondition
}

func (a *API) listPrices(_ context.Context, in *listPricesInput) (*listOutput[ModelPrice], error) {
	all := a.allPrices()
	var f faults
	f.oneOfThese("kind", in.Kind, a.priceKinds(all))
	if err := f.err(); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p ModelPrice) bool {
		return in.Kind != "" && p.Kind != in.Kind || in.Model != "" && p.Model != in.Model || in.Source != "" && p.Source != in.Source ||
			!strings.Contains(strings.ToLower(p.Model), strings.ToLower(in.Search))
	})
	return cut(in.Paging, all), nil
}

// allPrices are the embedded prices and those that stand in their place.
func (a *API) allPrices() []ModelPrice {
	var list []ModelPrice
	own := map[[2]string]bool{}
	overrides := a.Store.Snapshot().PriceOverrides
	for i := range overrides {
		own[[2]string{overrides[i].Kind, overrides[i].Model}] = true
		list = append(list, shapePrice(&overrides[i]))
	}
	if a.Prices != nil {
		for _, p := range a.Prices.All(a.Now()) {
			if !own[[2]string{p.Kind, p.Model}] {
				list = append(list, ModelPrice{Kind: p.Kind, Model: p.Model, Source: "embedded", Rates: ratesOf(&p.Price), Tiers: len(p.Price.Tiers), From: since(p.Price.From)})
			}
		}
	}
	slices.SortFunc(list, func(x, y ModelPrice) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Model, y.Model)) })
	return list
}

// putPrice says what a model costs from now on: requests that were answered keep their cost.
func (a *API) putPrice(ctx context.Context, in *putPriceInput) (*priceOutput, error) {
	if _, ok := provider.Lookup(in.Kind); !ok {
		var f faults
		f.add("path.kind", "There is no kind of provider %q. GET /api/provider-kinds lists them.", in.Kind)
		return nil, f.err()
	}
	p := in.override()
	old, err := a.Store.GetPrice(ctx, in.Kind, in.Model)
	switch {
	case err == nil && in.IfMatch != "":
		if err := matches(in.IfMatch, old.Version, "price"); err != nil {
			return nil, err
		}
		p.Version = old.Version
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	case err != nil && in.IfMatch != "":
		return nil, fromStore(store.ErrStale, "price")
	}
	if err := a.Store.PutPrice(ctx, p); err != nil {
		return nil, fromStore(err, "price")
	}
	return &priceOutput{Tagged: tagOf(p.Version), Body: shapePrice(p)}, nil
}

func (a *API) deletePrice(ctx context.Context, in *deletePriceInput) (*empty, error) {
	p, err := a.Store.GetPrice(ctx, in.Kind, in.Model)
	if err != nil {
		return nil, fromStore(err, "price of an operator's own")
	}
	if err := matches(in.IfMatch, p.Version, "price"); err != nil {
		return nil, err
	}
	return nil, fromStore(a.Store.DeletePrice(ctx, p.Kind, p.Model, p.Version), "price")
}

func shapePrice(p *point.PriceOverride) ModelPrice {
	return ModelPrice{
		Kind: p.Kind, Model: p.Model, Source: "override", Rates: ratesOf(&p.Price), From: since(p.Price.From), Version: p.Version, UpdatedAt: utc(&p.UpdatedAt),
	}
}

// since is a time from which something holds; null: since ever.
func since(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return utc(&t)
}
