package prices

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"point"
)

// rule tells whether a model name, in lower case, is meant. One of its members is set.
type rule struct {
	Or         []rule `json:"or"`
	And        []rule `json:"and"`
	Equals     string `json:"equals"`
	StartsWith string `json:"starts_with"`
	EndsWith   string `json:"ends_with"`
	Contains   string `json:"contains"`
	Regex      string `json:"regex"`
	Not        string `json:"not"` // a regex that must not match

	compiled *regexp.Regexp
}

func (r *rule) takes(name string) bool {
	switch {
	case r.Or != nil:
		for i := range r.Or {
			if r.Or[i].takes(name) {
				return true
			}
		}
		return false
	case r.And != nil:
		for i := range r.And {
			if !r.And[i].takes(name) {
				return false
			}
		}
		return true
	case r.compiled != nil:
		return r.compiled.MatchString(name) == (r.Regex != "")
	case r.StartsWith != "":
		return strings.HasPrefix(name, r.StartsWith)
	case r.EndsWith != "":
		return strings.HasSuffix(name, r.EndsWith)
	case r.Contains != "":
		return strings.Contains(name, r.Contains)
	default:
		return r.Equals != "" && name == r.Equals
	}
}

// compile prepares the regexes of r and what is below it.
func (r *rule) compile() (err error) {
	for _, parts := range [][]rule{r.Or, r.And} {
		for i := range parts {
			if err := parts[i].compile(); err != nil {
				return err
			}
		}
	}
	if pattern := r.Regex + r.Not; pattern != "" {
		r.compiled, err = regexp.Compile(pattern)
	}
	return err
}

// rates is a price as prices.jsonl writes it, in nano-USD per token, request, search and minute of sound.
type rates struct {
	In           *float64 `json:"in"`
	Out          *float64 `json:"out"`
	CacheRead    *float64 `json:"cache_read"`
	CacheWrite   *float64 `json:"cache_write"`
	CacheWrite1h *float64 `json:"cache_write_1h"`
	AudioIn      *float64 `json:"audio_in"`
	AudioOut     *float64 `json:"audio_out"`
	Reasoning    *float64 `json:"reasoning"`
	ImageIn      *float64 `json:"image_in"`
	ImageOut     *float64 `json:"image_out"`
	Request      *float64 `json:"request"`
	Search       *float64 `json:"search"`
	Minute       *float64 `json:"minute"`
}

func (r *rates) price() point.Price {
	return point.Price{
		Input: r.In, Output: r.Out, CacheRead: r.CacheRead, CacheWrite: r.CacheWrite, CacheWrite1h: r.CacheWrite1h,
		AudioInput: r.AudioIn, AudioOutput: r.AudioOut, Reasoning: r.Reasoning, ImageInput: r.ImageIn, ImageOutput: r.ImageOut,
		PerRequest: r.Request, PerSearch: r.Search, PerMinute: r.Minute,
	}
}

// priceLine is one entry of a model's prices: from a day on, or between two times of every day.
type priceLine struct {
	From string `json:"from"` // 2006-01-02, UTC
	Day  []int  `json:"day"`  // seconds since midnight UTC: start and end
	rates
	Tiers []struct {
		Above int64 `json:"above"`
		rates
	} `json:"tiers"`
}

// dated is a price and when it holds.
type dated struct {
	from  time.Time
	day   []int // nil: all day; may span midnight, the end is excluded
	price point.Price
}

func (l *priceLine) dated() (dated, error) {
	d := dated{day: l.Day, price: l.price()}
	if l.From != "" {
		from, err := time.Parse(time.DateOnly, l.From)
		if err != nil {
			return dated{}, err
		}
		d.from, d.price.From = from, from
	}
	if l.Day != nil && len(l.Day) != 2 {
		return dated{}, fmt.Errorf("a time of day has a start and an end, not %d", len(l.Day))
	}
	for i := range l.Tiers {
		tier := &l.Tiers[i]
		d.price.Tiers = append(d.price.Tiers, point.PriceTier{Above: tier.Above, Price: tier.price()})
	}
	return d, nil
}

// holds reports whether d's price applies at a time.
func (d *dated) holds(at time.Time) bool {
	if d.day == nil {
		return !at.Before(d.from)
	}
	at = at.UTC()
	now := at.Hour()*3600 + at.Minute()*60 + at.Second()
	start, end := d.day[0], d.day[1]
	if end < start {
		return now >= start || now < end
	}
	return now >= start && now < end
}

// price is the last entry that holds, or the first if none does.
func (m *model) price(at time.Time) *point.Price {
	for i := len(m.prices) - 1; i >= 0; i-- {
		if m.prices[i].holds(at) {
			return &m.prices[i].price
		}
	}
	return &m.prices[0].price
}
