package api

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/internal/pricefile"
	"point/store"
)

// CatalogueFile is a catalogue's file as it is.
type CatalogueFile struct{ raw json.RawMessage }

// UnmarshalJSON keeps the text; pricefile reads it, and finds every mistake.
func (f *CatalogueFile) UnmarshalJSON(raw []byte) error {
	f.raw = slices.Clone(raw)
	return nil
}

// Schema is that of the members below.
func (CatalogueFile) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[CatalogueEntries](), true, "")
}

// CatalogueEntries are the members of a catalogue's file: LiteLLM's models, or the providers of
// models.dev.
type CatalogueEntries struct {
	_ struct{} `additionalProperties:"true"`
}

// TransformSchema bounds how many there are.
func (CatalogueEntries) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.MaxProperties = new(pricefile.MaxEntries)
	return s
}

// KindNames are names of kinds of provider.
type KindNames []string

// TransformSchema bounds each of them.
func (KindNames) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Items = &huma.Schema{Type: huma.TypeString, MaxLength: new(100), Examples: []any{"openai"}}
	return s
}

type importPricesInput struct {
	Reasoned
	DryRun  bool      `query:"dry_run" doc:"Tell what would change, and store nothing."`
	Replace bool      `query:"replace" doc:"In place of what was said by hand too, which is kept otherwise."`
	Kind    KindNames `query:"kind,explode" maxItems:"50" doc:"Only what is of this kind of provider. May be repeated."`
	Body    CatalogueFile

	file *pricefile.Catalogue
}

// Resolve reads the file, so that all its mistakes are listed.
func (in *importPricesInput) Resolve(huma.Context) []error {
	var f faults
	file, err := pricefile.Read(in.Body.raw)
	if err != nil {
		f.add("body", "%s", asSentence(err.Error()))
		return f.errors()
	}
	said := map[string]string{} // by entry: a place is listed once
	for _, fault := range file.Faults {
		said[fault.Entry] += asSentence(fault.Message) + " "
	}
	for _, fault := range file.Faults {
		f.add("body."+fault.Entry, "%s", strings.TrimSpace(said[fault.Entry]))
	}
	in.file = file
	return f.errors()
}

// asSentence is text with a capital, unless it begins with a field's name, and a full stop.
func asSentence(text string) string {
	if first, _, _ := strings.Cut(text, " "); slices.Contains([]string{"it", "the", "this"}, first) {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// PriceImport is what an import of a catalogue's file changed, or would.
type PriceImport struct {
	Format  string         `json:"format" enum:"litellm,models.dev" doc:"Whose file it is."`
	DryRun  bool           `json:"dry_run" doc:"Nothing was stored."`
	Prices  ImportedPrices `json:"prices"`
	Models  ImportedModels `json:"models"`
	Skipped SkippedEntries `json:"skipped" doc:"Entries without a price that could be taken. What they say of a model beside it is taken all the same, where Point has its kind of provider."`
}

// ImportCounts are how many there are of each.
type ImportCounts struct {
	New     int `json:"new" doc:"Nothing was known before."`
	Changed int `json:"changed"`
	Same    int `json:"same" doc:"It is so already: nothing is stored."`
	Kept    int `json:"kept" doc:"Somebody said something else by hand, which stays unless replace is given."`
	Unfit   int `json:"unfit" doc:"Nobody could say it by hand: a price without a rate to begin with."`
}

// ImportedPrices are the prices of a file.
type ImportedPrices struct {
	ImportCounts
	Changes []PriceChange `json:"changes" doc:"All but those that are the same, the first 1,000 at most."`
}

// PriceChange is what becomes of a price.
type PriceChange struct {
	Kind   string         `json:"kind" doc:"Of provider." example:"openai"`
	Model  string         `json:"model" example:"gpt-4o-mini"`
	Action string         `json:"action" enum:"new,changed,kept,unfit" doc:"new and changed are stored."`
	Before *ImportedPrice `json:"before,omitempty" doc:"Absent: none was known."`
	After  ImportedPrice  `json:"after" doc:"What the file says; rates that it does not have are those of before."`
}

// ImportedPrice is a price in a file, or the one before it.
type ImportedPrice struct {
	Rates
	Tiers int `json:"tiers" doc:"Further rates for long prompts, which are not listed."`
}

// ImportedModels are what the models of a file are.
type ImportedModels struct {
	ImportCounts
	Changes []ModelChange `json:"changes" doc:"All but those that are the same, the first 1,000 at most."`
}

// ModelChange is what becomes of what is known of a model.
type ModelChange struct {
	Kind   string     `json:"kind" doc:"Of provider." example:"openai"`
	Model  string     `json:"model" example:"gpt-4o-mini"`
	Action string     `json:"action" enum:"new,changed,kept,unfit" doc:"new and changed are stored."`
	Before ModelFacts `json:"before"`
	After  ModelFacts `json:"after" doc:"What the file says; what it does not tell is as before."`
}

// SkippedEntries are entries of a file that are left out.
type SkippedEntries struct {
	Total   int            `json:"total"`
	Entries []SkippedEntry `json:"entries" doc:"The first 1,000 at most."`
}

// SkippedEntry is an entry of a file that is left out.
type SkippedEntry struct {
	Entry  string `json:"entry" doc:"Its name in the file." example:"ollama/llama2"`
	Reason string `json:"reason"`
}

// maxImportListed is how many of each list an answer shows.
const maxImportListed = 1000

type importPricesOutput struct{ Body PriceImport }

// importPrices takes prices, and what models are, from a catalogue's file, whole or not at all.
func (a *API) importPrices(ctx context.Context, in *importPricesInput) (*importPricesOutput, error) {
	var f faults
	for _, kind := range in.Kind {
		f.oneOfThese("kind", kind, a.kindNames())
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(in.Kind) > 0 {
		in.file.Only(in.Kind)
	}
	plan, err := a.Store.ImportCatalogue(ctx, in.file, store.CatalogueImport{Replace: in.Replace, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	return &importPricesOutput{PriceImport{
		Format: in.file.Format, DryRun: in.DryRun, Prices: shapePrices(plan), Models: shapeModels(plan), Skipped: shapeSkipped(in.file.Skipped),
	}}, nil
}

func countsOf(counts map[string]int) ImportCounts {
	return ImportCounts{counts[pricefile.New], counts[pricefile.Changed], counts[pricefile.Same], counts[pricefile.Kept], counts[pricefile.Unfit]}
}

func shapePrices(plan *pricefile.Plan) ImportedPrices {
	out := ImportedPrices{ImportCounts: countsOf(plan.CountPrices()), Changes: []PriceChange{}}
	for i := range plan.Prices {
		p := &plan.Prices[i]
		if p.What == pricefile.Same || len(out.Changes) == maxImportListed {
			continue
		}
		change := PriceChange{Kind: p.Kind, Model: p.Model, Action: p.What, After: importedPrice(&p.Price)}
		if p.Before != nil {
			before := importedPrice(p.Before)
			change.Before = &before
		}
		out.Changes = append(out.Changes, change)
	}
	return out
}

func importedPrice(p *point.Price) ImportedPrice { return ImportedPrice{ratesOf(p), len(p.Tiers)} }

func shapeModels(plan *pricefile.Plan) ImportedModels {
	out := ImportedModels{ImportCounts: countsOf(plan.CountModels()), Changes: []ModelChange{}}
	for i := range plan.Models {
		m := &plan.Models[i]
		if m.What != pricefile.Same && len(out.Changes) < maxImportListed {
			out.Changes = append(out.Changes, ModelChange{m.Kind, m.Model, m.What, shapeFacts(m.Before), shapeFacts(m.After)})
		}
	}
	return out
}

func shapeSkipped(skipped []pricefile.Skipped) SkippedEntries {
	out := SkippedEntries{Total: len(skipped), Entries: []SkippedEntry{}}
	for _, s := range skipped[:min(len(skipped), maxImportListed)] {
		out.Entries = append(out.Entries, SkippedEntry(s))
	}
	return out
}
