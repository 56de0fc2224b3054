// Package pricefile reads what models cost and what they are from files that others publish:
// LiteLLM's model_prices_and_context_window.json and models.dev's api.json. It does no I/O.
package pricefile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"point"
)

// Formats, as Price.Source names them.
const (
	LiteLLM   = "litellm"
	ModelsDev = "models.dev"
)

// Catalogue is what a file says.
type Catalogue struct {
	Format  string
	Prices  []point.PriceOverride // by kind and model; tiers have only what the file tells of them until Plan fills them
	Models  []Model               // what models are, by kind and model
	Skipped []Skipped             // entries that are no price Point could use
	Faults  []Fault               // entries that are wrong: nothing should be taken from a file that has one
}

// Skipped is an entry that was left out.
type Skipped struct{ Entry, Reason string }

// Fault is what is wrong with an entry.
type Fault struct{ Entry, Message string }

func (f Fault) Error() string { return fmt.Sprintf("%q: %s", f.Entry, f.Message) }

// Only leaves what is of some kinds of provider.
func (c *Catalogue) Only(kinds []string) {
	c.Prices = slices.DeleteFunc(c.Prices, func(p point.PriceOverride) bool { return !slices.Contains(kinds, p.Kind) })
	c.Models = slices.DeleteFunc(c.Models, func(m Model) bool { return !slices.Contains(kinds, m.Kind) })
}

// MaxEntries is how many entries a file may have, and how many models models.dev's.
const MaxEntries = 50_000

const (
	maxName   = 255
	maxFaults = 100
)

var errFormat = errors.New("this is neither LiteLLM's model_prices_and_context_window.json nor models.dev's api.json")

// Read reads a file of either format. An error means that it is neither; what is wrong with single
// entries is in Faults.
func Read(data []byte) (*Catalogue, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var entries map[string]json.RawMessage
	err := json.Unmarshal(data, &entries)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
		return nil, fmt.Errorf("this is not valid JSON: line %d: %w", line, err)
	case err != nil || len(entries) == 0:
		return nil, errFormat
	}
	if len(entries) > MaxEntries {
		return nil, fmt.Errorf("the file has %d entries, more than %d", len(entries), MaxEntries)
	}
	r := &reader{prices: map[[2]string]*point.Price{}, models: map[[2]string]*Model{}}
	read := r.liteLLM
	r.Format = formatOf(entries)
	switch r.Format {
	case "":
		return nil, errFormat
	case ModelsDev:
		read = r.modelsDev
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same file says the same
	for _, name := range names {
		read(name, entries[name])
	}
	return r.finish(), nil
}

// formatOf tells the format by the members of entries.
func formatOf(entries map[string]json.RawMessage) string {
	for _, raw := range entries {
		var members struct {
			Provider json.RawMessage `json:"litellm_provider"`
			Models   json.RawMessage `json:"models"`
		}
		if json.Unmarshal(raw, &members) != nil {
			continue
		}
		switch {
		case members.Provider != nil:
			return LiteLLM
		case members.Models != nil:
			return ModelsDev
		}
	}
	return ""
}

// reader collects what entries say.
type reader struct {
	Catalogue
	prices  map[[2]string]*point.Price // by kind and model
	models  map[[2]string]*Model       // so too
	counted int                        // models of models.dev's file
}

func (r *reader) skip(entry, reason string) {
	r.Skipped = append(r.Skipped, Skipped{clip(entry), reason})
}

func (r *reader) fault(entry, format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{clip(entry), fmt.Sprintf(format, args...)})
	}
}

func clip(name string) string {
	if len(name) > maxName {
		return name[:maxName]
	}
	return name
}

// fits reports whether a name can be a model's, and skips the entry otherwise.
func (r *reader) fits(entry, model string) bool {
	if model == "" || len(model) > maxName || slices.ContainsFunc([]byte(model), func(c byte) bool { return c <= ' ' || c > '~' }) {
		r.skip(entry, "its name is not one that a model can be asked for by")
		return false
	}
	return true
}

// price is the price of a kind's model, to be filled.
func (r *reader) price(kind, model string) *point.Price {
	name := [2]string{kind, model}
	if r.prices[name] == nil {
		r.prices[name] = &point.Price{Source: r.Format}
	}
	return r.prices[name]
}

// finish makes the lists.
func (r *reader) finish() *Catalogue {
	for name, price := range r.prices {
		payOnce(price)
		if !priced(price) {
			r.skip(name[0]+" "+name[1], "it has no price, or none above zero")
			continue
		}
		r.Prices = append(r.Prices, point.PriceOverride{Kind: name[0], Model: name[1], Price: *price})
	}
	for _, m := range r.models {
		if m.told() {
			r.Models = append(r.Models, *m)
		}
	}
	slices.SortFunc(r.Prices, func(a, b point.PriceOverride) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model))
	})
	slices.SortFunc(r.Models, func(a, b Model) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model)) })
	slices.SortFunc(r.Faults, func(a, b Fault) int { return cmp.Or(cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Message, b.Message)) })
	slices.SortFunc(r.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Entry, b.Entry) })
	return &r.Catalogue
}

// payOnce takes out rates of minutes and images where tokens pay for them.
func payOnce(p *point.Price) {
	if charges(p.Input) {
		p.PerMinute = nil
	}
	if charges(p.Output) || charges(p.ImageOutput) {
		p.PerImage, p.Images = nil, nil
	}
}

func charges(rate *float64) bool { return rate != nil && *rate > 0 }

// priced reports whether a price tells anything: a file's zero may be an unknown.
func priced(p *point.Price) bool {
	for _, rate := range ratesOf(p) {
		if *rate != nil && **rate > 0 {
			return true
		}
	}
	return len(p.Images) > 0
}

// ratesOf are a price's rates but for images by kind.
func ratesOf(p *point.Price) []**float64 {
	return []**float64{
		&p.Input, &p.Output, &p.CacheRead, &p.CacheWrite, &p.CacheWrite1h, &p.AudioInput, &p.AudioOutput, &p.Reasoning, &p.ImageInput, &p.ImageOutput,
		&p.PerRequest, &p.PerImage, &p.PerCharacter, &p.PerMinute, &p.PerSearch,
	}
}

// Bounds of rates in nano-USD: what is beyond was given for another measure.
const (
	maxTokenRate = 1e7 // 0.01 USD a token: 10,000 USD a million
	maxOtherRate = 1e12
)

// rate reads a number of USD into nano-USD; nil: none is said.
func (r *reader) rate(entry, name string, raw json.RawMessage, times, most float64) *float64 {
	if absent(raw) {
		return nil
	}
	usd, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		r.fault(entry, "%s is not a number", name)
		return nil
	case usd < 0:
		r.fault(entry, "%s is below zero", name)
		return nil
	case usd*times > most:
		r.fault(entry, "%s is too much to be true: is it given for another number of tokens?", name)
		return nil
	}
	nano, _ := strconv.ParseFloat(strconv.FormatFloat(usd*times, 'g', 12, 64), 64) // 2.5e-06 is 2,500, not 2,499.9999999999995
	return &nano
}
