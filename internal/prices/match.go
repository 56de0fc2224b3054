package prices

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"point"
)

// rule tells whether a model name, in lower case, is meant.
type rule struct{ takes func(name string) bool }

// UnmarshalJSON reads {"equals": "x"}, {"or": [...]} and the like.
func (r *rule) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for op, value := range raw {
		if op == "or" || op == "and" {
			return r.join(op, value)
		}
		return r.compare(op, value)
	}
	return fmt.Errorf("empty match rule")
}

func (r *rule) join(op string, value json.RawMessage) error {
	var parts []rule
	if err := json.Unmarshal(value, &parts); err != nil {
		return err
	}
	any := op == "or"
	r.takes = func(name string) bool {
		for _, p := range parts {
			if p.takes(name) == any {
				return any
			}
		}
		return !any
	}
	return nil
}

func (r *rule) compare(op string, value json.RawMessage) error {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return err
	}
	switch op {
	case "equals":
		r.takes = func(name string) bool { return name == text }
	case "starts_with":
		r.takes = func(name string) bool { return strings.HasPrefix(name, text) }
	case "ends_with":
		r.takes = func(name string) bool { return strings.HasSuffix(name, text) }
	case "contains":
		r.takes = func(name string) bool { return strings.Contains(name, text) }
	case "regex", "not":
		re, err := regexp.Compile(text)
		if err != nil {
			return err
		}
		want := op == "regex"
		r.takes = func(name string) bool { return re.MatchString(name) == want }
	default:
		return fmt.Errorf("unknown match rule %q", op)
	}
	return nil
}

// dated is a price and when it holds: from a day on, or between two times of every day.
type dated struct {
	from  time.Time
	day   []int // seconds since midnight UTC, the end excluded; may span midnight
	price *point.Price
}

// rates is a price as prices.jsonl writes it, in nano-USD per token and per request.
type rates struct {
	In           *float64 `json:"in"`
	Out          *float64 `json:"out"`
	CacheRead    *float64 `json:"cache_read"`
	CacheWrite   *float64 `json:"cache_write"`
	CacheWrite1h *float64 `json:"cache_write_1h"`
	AudioIn      *float64 `json:"audio_in"`
	AudioOut     *float64 `json:"audio_out"`
	Reasoning    *float64 `json:"reasoning"`
	Request      *float64 `json:"request"`
}

func (r *rates) price() point.Price {
	return point.Price{
		Input: r.In, Output: r.Out, CacheRead: r.CacheRead, CacheWrite: r.CacheWrite, CacheWrite1h: r.CacheWrite1h,
		AudioInput: r.AudioIn, AudioOutput: r.AudioOut, Reasoning: r.Reasoning, PerRequest: r.Request,
	}
}

// UnmarshalJSON reads one entry of a model's prices.
func (d *dated) UnmarshalJSON(data []byte) error {
	var line struct {
		From string `json:"from"`
		Day  []int  `json:"day"`
		rates
		Tiers []struct {
			Above int64 `json:"above"`
			rates
		} `json:"tiers"`
	}
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	price := line.price()
	if line.From != "" {
		from, err := time.Parse(time.DateOnly, line.From)
		if err != nil {
			return err
		}
		d.from, price.From = from, from
	}
	if line.Day != nil && len(line.Day) != 2 {
		return fmt.Errorf("a time of day has a start and an end, not %d", len(line.Day))
	}
	d.day = line.Day
	for i := range line.Tiers {
		tier := &line.Tiers[i]
		price.Tiers = append(price.Tiers, point.PriceTier{Above: tier.Above, Price: tier.price()})
	}
	d.price = &price
	return nil
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
	for i := len(m.Prices) - 1; i >= 0; i-- {
		if m.Prices[i].holds(at) {
			return m.Prices[i].price
		}
	}
	if len(m.Prices) == 0 {
		return nil
	}
	return m.Prices[0].price
}
