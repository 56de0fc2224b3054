package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"point"
	"point/adapter/provider"
	"point/internal/plural"
	"point/internal/pricefile"
	"point/store"
)

type pricesCommand struct {
	Import pricesImportCommand `cmd:"" help:"Take prices, and what models are, from a catalogue's file: LiteLLM's model_prices_and_context_window.json or models.dev's api.json."`
}

type pricesImportCommand struct {
	File    string   `arg:"" help:"The file; - is standard input."`
	DryRun  bool     `help:"Only show what would change."`
	Kind    []string `help:"Only what is of this kind of provider. May be repeated."`
	Replace bool     `help:"In place of what was said by hand too."`
	Skipped bool     `help:"Show which entries have no price to take, and why."`
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
	open := r.open
	if c.DryRun {
		open = r.look
	}
	s, err := open()
	if err != nil {
		return err
	}
	defer s.Close()
	plan, err := s.ImportCatalogue(r.ctx, read, store.CatalogueImport{Replace: c.Replace, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	return c.show(r.Stdout, read, plan)
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
		read.Only(c.Kind)
	}
	return read, nil
}

// show writes what changes, and counts the rest.
func (c pricesImportCommand) show(w io.Writer, read *pricefile.Catalogue, plan *pricefile.Plan) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range plan.Prices {
		if p := &plan.Prices[i]; p.What != pricefile.Same {
			fmt.Fprintf(out, "%s\tprice\t%s\t%s\t%s\t%s\n", p.What, p.Kind, p.Model, inOut(p.Before), inOut(&p.Price))
		}
	}
	for i := range plan.Models {
		if m := &plan.Models[i]; m.What != pricefile.Same {
			fmt.Fprintf(out, "%s\tmodel\t%s\t%s\t%s\t%s\n", m.What, m.Kind, m.Model, inShort(m.Before), inShort(m.After))
		}
	}
	errs := []error{out.Flush()}
	if c.Skipped {
		for _, skipped := range read.Skipped {
			fmt.Fprintf(w, "left out: %s: %s\n", skipped.Entry, skipped.Reason)
		}
	}
	prices, models := plan.CountPrices(), plan.CountModels()
	fmt.Fprintf(w, "%s: prices: %s; %s left out\n", read.Format, inCounts(prices), plural.Of(len(read.Skipped)+prices[pricefile.Unfit], "entry", "entries"))
	_, err := fmt.Fprintf(w, "%s: models: %s\n", read.Format, inCounts(models))
	if p, m := len(plan.TakenPrices()), len(plan.TakenModels()); p+m > 0 && !c.DryRun {
		_, err = fmt.Fprintf(w, "stored: %s, and what %s; requests that were answered keep their cost\n", plural.Of(p, "price", "prices"), plural.Of(m, "model is", "models are"))
	}
	return errors.Join(append(errs, err)...)
}

func inCounts(counts map[string]int) string {
	return fmt.Sprintf("%d new, %d changed, %d the same, %d kept that were said by hand", counts[pricefile.New], counts[pricefile.Changed], counts[pricefile.Same], counts[pricefile.Kept])
}

// inShort is what a model is in short.
func inShort(f point.ModelFacts) string {
	var parts []string
	if f.ContextWindow > 0 {
		parts = append(parts, fmt.Sprintf("%d tokens", f.ContextWindow))
	}
	if f.MaxOutput > 0 {
		parts = append(parts, fmt.Sprintf("%d out", f.MaxOutput))
	}
	if f.Abilities != nil && len(f.Abilities) == 0 {
		parts = append(parts, "no abilities")
	}
	if parts = append(parts, f.Abilities...); len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
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
