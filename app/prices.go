package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"point"
	"point/adapter/provider"
	"point/internal/plural"
	"point/internal/pricefile"
	"point/internal/prices"
	"point/store"
)

type pricesCommand struct {
	Import pricesImportCommand `cmd:"" help:"Take prices from a catalogue's file: LiteLLM's model_prices_and_context_window.json or models.dev's api.json."`
}

type pricesImportCommand struct {
	File    string   `arg:"" help:"The file; - is standard input."`
	DryRun  bool     `help:"Only show what would change."`
	Kind    []string `help:"Only prices of this kind of provider. May be repeated."`
	Replace bool     `help:"In place of prices that were said by hand too."`
	Skipped bool     `help:"Show which entries are left out, and why."`
}

// maxCatalogue bounds a catalogue's file; those that there are measure a few MB.
const maxCatalogue = 64 << 20

func (c pricesImportCommand) Run(r *invocation) error {
	for _, kind := range c.Kind {
		if _, ok := provider.Lookup(kind); !ok {
			return fmt.Errorf("--kind: there is no kind of provider %q", kind)
		}
	}
	read, err := c.read(r)
	if err != nil {
		return err
	}
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	plan, err := planPrices(s, read, c.Replace)
	if err != nil {
		return err
	}
	if err := c.show(r.Stdout, read, plan); err != nil {
		return err
	}
	taken := pricefile.Taken(plan)
	if c.DryRun || len(taken) == 0 {
		return nil
	}
	if err := s.PutPrices(r.ctx, taken); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s stored; requests that were answered keep their cost\n", plural.Of(len(taken), "price", "prices"))
	return err
}

// read reads the file. One with mistakes is refused whole, with all of them.
func (c pricesImportCommand) read(r *invocation) (*pricefile.Catalogue, error) {
	in := r.Stdin
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxCatalogue+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxCatalogue:
		return nil, fmt.Errorf("%s is larger than %d MiB, which no catalogue is", c.File, maxCatalogue>>20)
	}
	read, err := pricefile.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	for _, fault := range read.Faults {
		fmt.Fprintf(r.Stderr, "point: %s: %v\n", c.File, fault)
	}
	if n := len(read.Faults); n > 0 {
		return nil, fmt.Errorf("%s has %s: mend or delete these entries; nothing was imported", c.File, plural.Of(n, "mistake", "mistakes"))
	}
	if len(c.Kind) > 0 {
		read.Prices = slices.DeleteFunc(read.Prices, func(p point.PriceOverride) bool { return !slices.Contains(c.Kind, p.Kind) })
	}
	return read, nil
}

// planPrices compares prices with those that hold now.
func planPrices(s *store.Store, read *pricefile.Catalogue, replace bool) ([]pricefile.Change, error) {
	table, err := prices.New()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	own := s.Snapshot()
	known := func(kind, model string) *point.Price {
		if own.Prices != nil {
			if p := own.Prices.Price(kind, model, now); p != nil {
				return p
			}
		}
		return table.Price(kind, model, now)
	}
	return pricefile.Plan(read, own.PriceOverrides, known, replace), nil
}

// show writes what changes, and counts the rest.
func (c pricesImportCommand) show(w io.Writer, read *pricefile.Catalogue, plan []pricefile.Change) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	counts := map[string]int{}
	for i := range plan {
		change := &plan[i]
		if counts[change.What]++; change.What == pricefile.Same {
			continue
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", change.What, change.Kind, change.Model, inOut(change.Before), inOut(&change.Price))
	}
	errs := []error{out.Flush()}
	if c.Skipped {
		for _, skipped := range read.Skipped {
			fmt.Fprintf(w, "left out: %s: %s\n", skipped.Entry, skipped.Reason)
		}
	}
	_, err := fmt.Fprintf(w, "%s: %d new, %d changed, %d the same, %d kept that were said by hand; %s left out\n", read.Format,
		counts[pricefile.New], counts[pricefile.Changed], counts[pricefile.Same], counts[pricefile.Kept], plural.Of(len(read.Skipped)+counts[pricefile.Unfit], "entry", "entries"))
	return errors.Join(append(errs, err)...)
}

// inOut is a price in short: USD for a million tokens in and out, and what else it has.
func inOut(p *point.Price) string {
	if p == nil {
		return "-"
	}
	var parts []string
	for _, rate := range []struct {
		nano  *float64
		times float64
		what  string
	}{
		{p.Input, 1e-3, "in"}, {p.Output, 1e-3, "out"}, {p.CacheRead, 1e-3, "cached"}, {p.CacheWrite, 1e-3, "cache write"}, {p.PerRequest, 1e-9, "a request"}, {p.PerImage, 1e-9, "an image"},
		{p.PerCharacter, 1e-3, "a million characters"}, {p.PerMinute, 1e-9, "a minute"}, {p.PerSearch, 1e-9, "a search"},
	} {
		if rate.nano != nil {
			parts = append(parts, fmt.Sprintf("%.6g %s", *rate.nano*rate.times, rate.what))
		}
	}
	if len(p.Images) > 0 {
		parts = append(parts, plural.Of(len(p.Images), "kind of image", "kinds of image"))
	}
	if len(p.Tiers) > 0 {
		parts = append(parts, plural.Of(len(p.Tiers), "tier", "tiers"))
	}
	return strings.Join(parts, ", ")
}
