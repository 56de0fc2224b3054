package point

import (
	"slices"
	"strings"
	"time"
)

// Usage counts the tokens of one answer. Buckets of input are disjoint parts of Input, those
// of output disjoint parts of Output, as OpenAI counts: Input has cached tokens in it.
type Usage struct {
	Input  int64 `json:"input"`
	Output int64 `json:"output"`

	CacheRead    int64 `json:"cache_read,omitempty"`     // of Input
	CacheWrite   int64 `json:"cache_write,omitempty"`    // of Input, kept for 5 minutes
	CacheWrite1h int64 `json:"cache_write_1h,omitempty"` // of Input, kept for an hour
	AudioInput   int64 `json:"audio_input,omitempty"`    // of Input
	Reasoning    int64 `json:"reasoning,omitempty"`      // of Output
	AudioOutput  int64 `json:"audio_output,omitempty"`   // of Output
	ImageInput   int64 `json:"image_input,omitempty"`    // of Input
	ImageOutput  int64 `json:"image_output,omitempty"`   // of Output

	// What is counted by other things than tokens.
	Images     int64  `json:"images,omitempty"`     // images made
	ImageKind  string `json:"image_kind,omitempty"` // their size and quality, as ImageKind writes them
	Characters int64  `json:"characters,omitempty"` // of text that was spoken
	AudioMS    int64  `json:"audio_ms,omitempty"`   // of sound that was listened to
	Searches   int64  `json:"searches,omitempty"`   // of the web, or of documents that were ranked

	Estimated bool `json:"estimated,omitempty"` // counted by Point, not told by the provider
}

// MaxCount is more than any answer counts: what a provider tells beyond it is a mistake.
const MaxCount = 1_000_000_000_000

// Total is Input + Output, each no more than MaxCount.
func (u Usage) Total() int64 { return min(u.Input, MaxCount) + min(u.Output, MaxCount) }

// Price is what one model costs from a day on. Rates are nano-USD per token (1 USD per
// million tokens = 1,000 nano-USD per token), nil if unknown; an absent special rate falls
// back to the plain one of its side.
type Price struct {
	Input        *float64 `json:"input"`
	Output       *float64 `json:"output"`
	CacheRead    *float64 `json:"cache_read,omitempty"`
	CacheWrite   *float64 `json:"cache_write,omitempty"`
	CacheWrite1h *float64 `json:"cache_write_1h,omitempty"`
	AudioInput   *float64 `json:"audio_input,omitempty"`
	AudioOutput  *float64 `json:"audio_output,omitempty"`
	Reasoning    *float64 `json:"reasoning,omitempty"`
	ImageInput   *float64 `json:"image_input,omitempty"`
	ImageOutput  *float64 `json:"image_output,omitempty"`

	// Nano-USD of what is no token.
	PerRequest   *float64 `json:"per_request,omitempty"`
	PerImage     *float64 `json:"per_image,omitempty"` // of a kind that Images does not have
	PerCharacter *float64 `json:"per_character,omitempty"`
	PerMinute    *float64 `json:"per_minute,omitempty"` // of sound
	PerSearch    *float64 `json:"per_search,omitempty"`

	// Images are prices of an image by its kind, "1024x1024/high", or by one half of it.
	Images map[string]float64 `json:"images,omitempty"`

	// Tiers replace rates when Input tokens exceed their start, the highest start first.
	Tiers []PriceTier `json:"tiers,omitempty"`
	From  time.Time   `json:"from"` // zero: since ever

	Source string `json:"source,omitempty"` // the format of the catalogue that it was imported from; empty: none
}

// PriceTier is a Price's rates from more than Above input tokens on.
type PriceTier struct {
	Above int64 `json:"above"`
	Price
}

// Free reports whether p is known to ask nothing: its plain rates are, and all that it has are 0.
func (p *Price) Free() bool {
	return p != nil && p.Input != nil && p.Output != nil && p.asksNothing()
}

// asksNothing reports whether no rate of p, and of its tiers, is above 0.
func (p *Price) asksNothing() bool {
	for _, rate := range []*float64{
		p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.AudioInput, p.AudioOutput, p.Reasoning, p.ImageInput, p.ImageOutput,
		p.PerRequest, p.PerImage, p.PerCharacter, p.PerMinute, p.PerSearch,
	} {
		if rate != nil && *rate > 0 {
			return false
		}
	}
	for _, rate := range p.Images {
		if rate > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(p.Tiers, func(t PriceTier) bool { return !t.asksNothing() })
}

// Cost is what u costs at p, rounded to the nearest nano-USD; false if a rate that u needs
// is unknown, or the sum is none.
func (p *Price) Cost(u Usage) (NanoUSD, bool) {
	if p == nil {
		return 0, false
	}
	rates := p.at(u.Input)
	sum, known := 0.0, true
	add := func(tokens int64, rate ...*float64) {
		if tokens <= 0 {
			return
		}
		for _, r := range rate {
			if r != nil {
				sum += float64(tokens) * *r
				return
			}
		}
		known = false
	}
	if rates.Input == nil && rates.Output == nil && rates.PerMinute != nil && u.AudioMS > 0 { // minutes pay for all
		u = Usage{AudioMS: u.AudioMS, Images: u.Images, ImageKind: u.ImageKind, Characters: u.Characters, Searches: u.Searches}
	}
	add(u.Input-u.CacheRead-u.CacheWrite-u.CacheWrite1h-u.AudioInput-u.ImageInput, rates.Input)
	add(u.CacheRead, rates.CacheRead, rates.Input)
	add(u.CacheWrite, rates.CacheWrite, rates.Input)
	add(u.CacheWrite1h, rates.CacheWrite1h, rates.CacheWrite, rates.Input)
	add(u.AudioInput, rates.AudioInput, rates.Input)
	add(u.ImageInput, rates.ImageInput, rates.Input)
	plain := u.Output - u.AudioOutput - u.ImageOutput
	if rates.Reasoning != nil {
		plain -= u.Reasoning
		add(u.Reasoning, rates.Reasoning)
	}
	add(plain, rates.Output)
	add(u.AudioOutput, rates.AudioOutput, rates.Output)
	add(u.ImageOutput, rates.ImageOutput, rates.Output)
	unpaid := rates.PerRequest == nil && u.Total() == 0 // else the tokens pay for what has no rate of its own
	other := func(amount float64, rate *float64) {
		if amount > 0 && (rate != nil || unpaid) {
			known = known && rate != nil
			if rate != nil {
				sum += amount * *rate
			}
		}
	}
	other(float64(u.Images), rates.image(u.ImageKind))
	other(float64(u.Characters), rates.PerCharacter)
	other(float64(u.AudioMS)/msPerMinute, rates.PerMinute)
	other(float64(u.Searches), rates.PerSearch)
	if rates.PerRequest != nil {
		sum += *rates.PerRequest
	}
	if !known || sum < 0 || sum > maxCost {
		return 0, false
	}
	return NanoUSD(sum + 0.5), true
}

const msPerMinute = 60_000

// ImageKind writes what the price of an image hangs on: "1024x1024/high". Either half may be empty.
func ImageKind(size, quality string) string {
	if size == "auto" {
		size = ""
	}
	if quality == "auto" {
		quality = ""
	}
	if size+quality == "" {
		return ""
	}
	return size + "/" + quality
}

// image is the price of an image of a kind, by all that is known of it; nil: unknown.
func (p *Price) image(kind string) *float64 {
	size, quality, _ := strings.Cut(kind, "/")
	for _, name := range []string{kind, size, quality} {
		if rate, ok := p.Images[name]; ok && name != "" {
			return &rate
		}
	}
	return p.PerImage
}

// maxCost is more than any answer costs, in nano-USD, and still fits an integer.
const maxCost = 1e18

// at returns the rates for a prompt of input tokens.
func (p *Price) at(input int64) *Price {
	best := p
	var above int64 = -1
	for i := range p.Tiers {
		if t := &p.Tiers[i]; input > t.Above && t.Above > above {
			best, above = &t.Price, t.Above
		}
	}
	return best
}
