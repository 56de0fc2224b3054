package pricefile

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"point"
)

func load(t testing.TB, name string) *Catalogue {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(data)
	if err != nil || len(c.Faults) > 0 {
		t.Fatal(err, c)
	}
	return c
}

func shown(p point.Price) string {
	p.Source = ""
	text, _ := json.Marshal(p)
	return strings.TrimSuffix(string(text), `,"from":"0001-01-01T00:00:00Z"}`) + "}"
}

// told is what a file tells of a model.
func told(m *Model) string {
	words := []string{}
	for ability, has := range m.Abilities {
		if !has {
			ability = "no-" + ability
		}
		words = append(words, ability)
	}
	slices.SortFunc(words, func(a, b string) int {
		return strings.Compare(strings.TrimPrefix(a, "no-"), strings.TrimPrefix(b, "no-"))
	})
	return strings.TrimSpace(fmt.Sprint(m.ContextWindow, m.MaxOutput) + " " + strings.Join(words, " "))
}

// TestRead reads entries as the catalogues publish them.
func TestRead(t *testing.T) {
	for name, want := range map[string]struct {
		format  string
		prices  map[string]string // kind and model -> nano-USD
		models  map[string]string // and what it is
		skipped []string
	}{
		"litellm.json": {LiteLLM, map[string]string{
			"openai gpt-4o":                `{"input":2500,"output":10000,"cache_read":1250}`,
			"openai gpt-4o-search-preview": `{"input":2500,"output":10000,"per_search":35000000}`,
			"anthropic claude-sonnet-4-5": `{"input":3000,"output":15000,"cache_read":300,"cache_write":3750,"cache_write_1h":6000,"tiers":[{"above":200000,"input":6000,"output":22500,` +
				`"cache_read":600,"cache_write":7500,"from":"0001-01-01T00:00:00Z"}]}`,
			"gemini gemini-2.5-flash":                           `{"input":300,"output":2500,"cache_read":30,"audio_input":1000,"reasoning":2500}`,
			"vertex claude-sonnet-4-5":                          `{"input":3000,"output":15000}`,
			"bedrock anthropic.claude-3-5-sonnet-20240620-v1:0": `{"input":3000,"output":15000}`,
			"groq whisper-large-v3":                             `{"input":null,"output":null,"per_minute":1849800}`,
			"openai whisper-1":                                  `{"input":null,"output":null,"per_minute":6000000}`,
			"openai tts-1":                                      `{"input":null,"output":null,"per_character":15000}`,
			"openai dall-e-3":                                   `{"input":null,"output":null,"images":{"1024x1024/standard":39999923.8144,"1024x1792/hd":119991173.12}}`,
			"openai gpt-image-1":                                `{"input":5000,"output":null,"cache_read":1250,"image_input":10000,"image_output":40000}`,
			"cohere rerank-v3.5":                                `{"input":0,"output":0,"per_search":2000000}`,
		}, map[string]string{
			"openai gpt-4o":               "128000 16384 pdf structured_output tools vision",
			"anthropic claude-sonnet-4-5": "200000 64000 reasoning",
			"gemini gemini-2.5-flash":     "65536 0 audio no-structured_output",
			"cohere rerank-v3.5":          "4096 0",
			"mistral free":                "128000 0",
		}, []string{"bedrock/us-east-1/1-month-commitment/anthropic.claude-v1", "mistral free", "ollama/llama2"}},
		"modelsdev.json": {ModelsDev, map[string]string{
			"openai gpt-4o":                 `{"input":2500,"output":10000,"cache_read":1250}`,
			"openai text-embedding-3-small": `{"input":20,"output":0}`,
			"anthropic claude-sonnet-4-5": `{"input":3000,"output":15000,"cache_read":300,"cache_write":3750,"tiers":[{"above":200000,"input":6000,"output":22500,"cache_read":600,"cache_write":7500,` +
				`"from":"0001-01-01T00:00:00Z"}]}`,
			"gemini gemini-2.5-flash":                          `{"input":300,"output":2500,"cache_read":75,"audio_input":1000}`,
			"bedrock amazon.nova-micro-v1:0":                   `{"input":35,"output":140,"cache_read":8.75}`,
			"moonshot kimi-k2-thinking":                        `{"input":600,"output":2500,"cache_read":150}`,
			"together meta-llama/Llama-3.3-70B-Instruct-Turbo": `{"input":880,"output":880}`,
			"perplexity sonar-reasoning-pro":                   `{"input":2000,"output":8000,"reasoning":8000}`,
			"openrouter deepseek/deepseek-chat":                `{"input":300,"output":1000}`,
			"xai grok-4":                                       `{"input":3000,"output":15000,"cache_read":750,"reasoning":15000}`,
		}, map[string]string{
			"openai gpt-4o":                 "128000 16384 no-audio no-pdf no-reasoning tools vision",
			"openai text-embedding-3-small": "8191 0 no-audio no-pdf no-reasoning no-tools no-vision",
			"anthropic claude-sonnet-4-5":   "200000 64000 reasoning",
			"gemini gemini-2.5-flash":       "1048576 65536 audio pdf structured_output tools vision",
			"gemini gemini-live":            "128000 8000",
		}, []string{"github-copilot", "google/gemini-live", "openrouter z-ai/glm-4.5-air:free"}},
	} {
		c := load(t, name)
		if c.Format != want.format || len(c.Prices) != len(want.prices) || len(c.Models) != len(want.models) {
			t.Errorf("%s: %s, %d prices, %d models", name, c.Format, len(c.Prices), len(c.Models))
		}
		for i := range c.Models {
			if m := &c.Models[i]; told(m) != want.models[m.Kind+" "+m.Model] {
				t.Errorf("%s: %s %s: %s", name, m.Kind, m.Model, told(m))
			}
		}
		for _, p := range c.Prices {
			if got := shown(p.Price); got != want.prices[p.Kind+" "+p.Model] || p.Price.Source != want.format {
				t.Errorf("%s: %s %s: %s", name, p.Kind, p.Model, got)
			}
			p.Check(func(field, format string, args ...any) {
				t.Errorf("%s %s: %s: "+format, append([]any{p.Kind, p.Model, field}, args...)...)
			})
		}
		var skipped []string
		for _, s := range c.Skipped {
			skipped = append(skipped, s.Entry)
		}
		if !slices.Equal(skipped, want.skipped) {
			t.Errorf("%s: left out %q", name, skipped)
		}
	}
}

// TestMistakes: what is no catalogue, and entries that are wrong, by name.
func TestMistakes(t *testing.T) {
	for file, want := range map[string]string{
		"": "not valid JSON: line 1: unexpected end", "<html>": "not valid JSON: line 1: invalid character '<'",
		"{\n\"a\":{\"litellm_provider\":\"openai\"}": "not valid JSON: line 2: unexpected end", "{\n\n\"a\" 1}": "not valid JSON: line 3: invalid character '1'",
	} {
		if _, err := Read([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	for _, file := range []string{"[]", "{}", "null", `{"a":1}`, `{"a":{"b":{}}}`} {
		if _, err := Read([]byte(file)); err == nil || !strings.Contains(err.Error(), "neither") {
			t.Errorf("%q: %v", file, err)
		}
	}
	for file, want := range map[string]string{
		`{"gpt":{"litellm_provider":"openai","input_cost_per_token":"free"}}`:                     `"gpt": input_cost_per_token is not a number`,
		`{"gpt":{"litellm_provider":"openai","input_cost_per_token":-1}}`:                         `"gpt": input_cost_per_token is below zero`,
		`{"gpt":{"litellm_provider":"openai","input_cost_per_token":2.5}}`:                        `"gpt": input_cost_per_token is too much to be true`,
		`{"gpt":{"litellm_provider":"openai","output_cost_per_token_above_200k_tokens":true}}`:    `"gpt": output_cost_per_token_above_200k_tokens is not a number`,
		`{"gpt":{"litellm_provider":7}}`:                                                          `"gpt": litellm_provider is not a text`,
		`{"gpt":{"litellm_provider":"openai"},"x":[]}`:                                            `"x": it is not an object`,
		`{"openai":{"models":{"gpt":{"cost":{"input":"2"}}}}}`:                                    `"openai/gpt": cost.input is not a number`,
		`{"openai":{"models":{"gpt":{"cost":{"input":2,"context_over_200k":3}}}}}`:                `"openai/gpt": cost.context_over_200k is not an object`,
		`{"openai":{"models":{"gpt":{"cost":{"input":2,"context_over_200k":{"output":1e300}}}}}}`: `"openai/gpt": cost.context_over_200k.output is too much to be true`,
		`{"gpt":{"litellm_provider":"openai","max_input_tokens":"many"}}`:                         `"gpt": max_input_tokens is not a number`,
		`{"gpt":{"litellm_provider":"openai","max_tokens":true}}`:                                 `"gpt": max_tokens is not a number`,
		`{"gpt":{"litellm_provider":"openai","max_output_tokens":-1}}`:                            `"gpt": max_output_tokens is not a whole number of tokens`,
		`{"gpt":{"litellm_provider":"openai","max_output_tokens":0.5}}`:                           `"gpt": max_output_tokens is not a whole number of tokens`,
		`{"gpt":{"litellm_provider":"openai","max_input_tokens":1e300}}`:                          `"gpt": max_input_tokens is too much to be true`,
		`{"gpt":{"litellm_provider":"openai","max_input_tokens":1e999}}`:                          `"gpt": max_input_tokens is too much to be true`,
		`{"gpt":{"litellm_provider":"openai","supports_vision":"yes"}}`:                           `"gpt": supports_vision is neither true nor false`,
		`{"openai":{"models":{"gpt":{"limit":128000}}}}`:                                          `"openai/gpt": limit is not an object`,
		`{"openai":{"models":{"gpt":{"limit":{"context":{}}}}}}`:                                  `"openai/gpt": limit.context is not a number`,
		`{"openai":{"models":{"gpt":{"modalities":["text"]}}}}`:                                   `"openai/gpt": modalities is not an object`,
		`{"openai":{"models":{"gpt":{"modalities":{"input":[1]}}}}}`:                              `"openai/gpt": modalities.input is not a list of texts`,
		`{"openai":{"models":{"gpt":{"tool_call":{"supported":1}}}}}`:                             `"openai/gpt": tool_call.supported is neither true nor false`,
		`{"openai":{"models":{"gpt":{"cost":3}}}}`:                                                `"openai/gpt": cost is not an object`,
		`{"openai":{"models":[]}}`:                                                                `"openai": it is not a provider with models`,
	} {
		c, err := Read([]byte(file))
		if err != nil || len(c.Faults) != 1 || !strings.HasPrefix(c.Faults[0].Error(), want) {
			t.Errorf("%s: %+v, %v", file, c, err)
		}
	}
}

func TestPlan(t *testing.T) {
	rate := func(r float64) *float64 { return &r }
	c := &Catalogue{Format: LiteLLM, Prices: []point.PriceOverride{
		{Kind: "openai", Model: "changed", Price: point.Price{Input: rate(2), Source: LiteLLM}}, {Kind: "openai", Model: "hand", Price: point.Price{Input: rate(2), Source: LiteLLM}},
		{Kind: "openai", Model: "imported", Price: point.Price{Input: rate(2), Source: LiteLLM}}, {Kind: "openai", Model: "new", Price: point.Price{Input: rate(2), Source: LiteLLM}},
		{Kind: "openai", Model: "same", Price: point.Price{Input: rate(1), Source: LiteLLM}}, {Kind: "openai", Model: "new, no base", Price: point.Price{CacheRead: rate(1), Source: LiteLLM}},
	}}
	held := point.Price{Input: rate(1), PerSearch: rate(7), Tiers: []point.PriceTier{{Above: 5}}}
	own := []point.PriceOverride{{Kind: "openai", Model: "hand", Price: held}, {Kind: "openai", Model: "imported", Price: point.Price{Source: ModelsDev}}}
	known := func(_, model string) *point.Price {
		if strings.HasPrefix(model, "new") {
			return nil
		}
		return &held
	}
	for replace, want := range map[bool]string{false: "changed kept changed new same unfit", true: "changed changed changed new same unfit"} {
		var got []string
		for _, p := range c.Prices { // what has a rate to begin with is a price that somebody could say
			if p.Price.Input != nil && p.Price.Output != nil && p.Price.Tiers == nil {
				p.Check(func(field, format string, _ ...any) { t.Errorf("%s %s: %s: %s", p.Kind, p.Model, field, format) })
			}
		}
		plan := c.Plan(Held{Prices: own, Price: known}, replace)
		for _, change := range plan.Prices {
			got = append(got, change.What)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("replace %v: %v", replace, got)
		}
		if p := plan.Prices[0].Price; *p.PerSearch != 7 || p.Tiers != nil || *p.Input != 2 {
			t.Errorf("%+v", p)
		}
		if n := len(plan.TakenPrices()); n != strings.Count(want, "changed")+1 {
			t.Errorf("%d are taken", n)
		}
	}
}

// TestPlanModels: what a file does not tell stays, what holds already is not stored, and what was said
// by hand is kept unless it is to be replaced.
func TestPlanModels(t *testing.T) {
	embedded := map[string]point.ModelFacts{"openai known": {ContextWindow: 1000, MaxOutput: 100, Abilities: []string{point.AbilityTools, point.AbilityReasoning}}}
	held := Held{Models: []point.ModelOverride{
		{Kind: "openai", Model: "hand", Facts: point.ModelFacts{ContextWindow: 5}}, {Kind: "openai", Model: "imported", Facts: point.ModelFacts{MaxOutput: 7, Source: ModelsDev}},
	}}
	held.Facts = func(kind, model string) point.ModelFacts {
		facts := embedded[kind+" "+model]
		for _, m := range held.Models {
			if m.Model == model {
				facts = m.Facts.Over(facts)
			}
		}
		return facts
	}
	for name, test := range map[string]struct {
		file, model, what, stored, after string
		replace                          bool
	}{
		"new":          {file: `"max_input_tokens":9`, model: "other", what: New, stored: "9 0 <nil>", after: "9 0 <nil>"},
		"no abilities": {file: `"supports_vision":false`, model: "other", what: New, stored: "0 0 []", after: "0 0 []"},
		"a part":       {file: `"max_output_tokens":9`, model: "known", what: Changed, stored: "0 9 <nil>", after: "1000 9 [tools reasoning]"},
		"an ability":   {file: `"supports_vision":true`, model: "known", what: Changed, stored: "0 0 [tools vision reasoning]", after: "1000 100 [tools vision reasoning]"},
		"one less":     {file: `"supports_reasoning":false`, model: "known", what: Changed, stored: "0 0 [tools]", after: "1000 100 [tools]"},
		"the same":     {file: `"max_input_tokens":1000,"supports_reasoning":true,"supports_vision":false`, model: "known", what: Same, after: "1000 100 [tools reasoning]"},
		"by hand":      {file: `"max_input_tokens":9`, model: "hand", what: Kept, after: "9 0 <nil>"},
		"as by hand":   {file: `"max_input_tokens":5`, model: "hand", what: Same, after: "5 0 <nil>"},
		"replaced":     {file: `"max_output_tokens":9`, model: "hand", replace: true, what: Changed, stored: "5 9 <nil>", after: "5 9 <nil>"},
		"imported":     {file: `"max_input_tokens":9`, model: "imported", what: Changed, stored: "9 7 <nil>", after: "9 7 <nil>"},
	} {
		c, err := Read([]byte(`{"` + test.model + `":{"litellm_provider":"openai",` + test.file + `}}`))
		if err != nil || len(c.Faults) > 0 || len(c.Models) != 1 {
			t.Fatal(name, c, err)
		}
		plan := c.Plan(held, test.replace)
		stored := ""
		for _, m := range plan.TakenModels() {
			stored = facts(m.Facts)
		}
		if m := plan.Models[0]; m.What != test.what || stored != test.stored || facts(m.After) != test.after || m.Facts.Source != LiteLLM || plan.CountModels()[test.what] != 1 {
			t.Errorf("%s: %+v, stored %q", name, m, stored)
		}
	}
}

func facts(f point.ModelFacts) string {
	if f.Abilities == nil {
		return fmt.Sprint(f.ContextWindow, f.MaxOutput, nil)
	}
	return fmt.Sprint(f.ContextWindow, f.MaxOutput, f.Abilities)
}

// TestOnly: what is of other kinds is not looked at.
func TestOnly(t *testing.T) {
	c := load(t, "modelsdev.json")
	if c.Only([]string{"gemini", "xai"}); len(c.Prices) != 2 || len(c.Models) != 2 {
		t.Errorf("%+v", c)
	}
}

// TestFill: what a file does not tell stays as it was, of long prompts too, and is not paid for twice.
func TestFill(t *testing.T) {
	read := func(text string) (p point.Price) {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	const held = `{"input":1250,"output":10000,"cache_read":125,"tiers":[{"above":200000,"input":2500,"output":15000,"cache_read":250}]}`
	for name, test := range map[string]struct{ file, held, want string }{
		"a tier":         {`{"input":1250,"output":10000,"tiers":[{"above":200000,"input":2500,"output":15000}]}`, held, held},
		"another tier":   {`{"input":1250,"output":10000,"tiers":[{"above":300000,"input":2500}]}`, held, `{"input":1250,"output":10000,"cache_read":125,"tiers":[{"above":300000,"input":2500,"output":10000,"cache_read":125}]}`},
		"no plain rate":  {`{"per_search":7}`, held, `{"input":1250,"output":10000,"cache_read":125,"per_search":7,"tiers":[{"above":200000,"input":2500,"output":15000,"cache_read":250,"per_search":7}]}`},
		"another rate":   {`{"input":1000,"output":10000}`, held, `{"input":1000,"output":10000,"cache_read":125}`},
		"a new model":    {`{"input":3,"output":4,"cache_read":1,"tiers":[{"above":5,"input":6}]}`, `{}`, `{"input":3,"output":4,"cache_read":1,"tiers":[{"above":5,"input":6,"output":4,"cache_read":1}]}`},
		"what was plain": {`{"cache_read":2,"tiers":[{"above":5,"input":6}]}`, `{"input":3,"cache_read":1,"tiers":[{"above":5,"input":6,"cache_read":1}]}`, `{"input":3,"cache_read":2,"tiers":[{"above":5,"input":6,"cache_read":2}]}`},
		"minutes held":   {`{"input":3,"output":4}`, `{"per_minute":7}`, `{"input":3,"output":4,"per_minute":7}`},
		"sound's tokens": {`{"input":3,"output":4,"audio_input":5}`, `{"per_minute":7}`, `{"input":3,"output":4,"audio_input":5}`},
		"minutes told":   {`{"per_minute":6}`, `{"input":3,"output":4,"cache_read":1}`, `{"per_minute":6}`},
		"a start less 1": {`{"input":1,"tiers":[{"above":272000,"input":2}]}`, `{"input":1,"cache_read":3,"tiers":[{"above":271999,"input":2,"cache_read":6}]}`, `{"input":1,"cache_read":3,"tiers":[{"above":272000,"input":2,"cache_read":6}]}`},
		"images":         {`{"input":3,"image_output":4}`, `{"per_image":7,"images":{"hd":8}}`, `{"input":3,"image_output":4}`},
	} {
		got, before, want := read(test.file), read(test.held), read(test.want)
		if fill(&got, &before); shown(got) != shown(want) {
			t.Errorf("%s: %s, want %s", name, shown(got), shown(want))
		}
	}
	p, before := read(`{"input":1250,"output":10000,"tiers":[{"above":200000,"input":2500,"output":15000}]}`), read(held)
	fill(&p, &before)
	if cost, ok := p.Cost(point.Usage{Input: 300_000, CacheRead: 290_000}); !ok || cost != 97_500_000 {
		t.Errorf("%d nano-USD", cost)
	}
}

// TestManyModels: the bound of a file's entries holds for the models within one of them.
func TestManyModels(t *testing.T) {
	var models strings.Builder
	for i := range MaxEntries + 1 {
		fmt.Fprintf(&models, `"m%d":{},`, i)
	}
	c, err := Read([]byte(`{"openai":{"models":{` + models.String() + `"m":{}}},"groq":{"models":{"m":{}}}}`))
	if err != nil || len(c.Faults) != 1 || !strings.Contains(c.Faults[0].Message, "more than 50000 models") || len(c.Models)+len(c.Prices) > 0 {
		t.Errorf("%v, %v, %d models", err, c.Faults, len(c.Models))
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"litellm.json", "modelsdev.json"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Read(data)
		if err != nil {
			return
		}
		plan := c.Plan(Held{Price: func(string, string) *point.Price { return nil }, Facts: func(string, string) point.ModelFacts { return point.ModelFacts{} }}, false)
		for _, m := range plan.Models {
			m.Check(func(field, format string, _ ...any) { t.Errorf("%s %s: %s: %s", m.Kind, m.Model, field, format) })
			if kept := point.SortAbilities(m.Facts.Abilities); !slices.Equal(kept, m.Facts.Abilities) || m.What != New || !m.After.Same(m.Facts) {
				t.Errorf("%+v", m)
			}
		}
		for _, p := range plan.TakenPrices() {
			p.Check(func(field, format string, _ ...any) { t.Errorf("%s %s: %s: %s", p.Kind, p.Model, field, format) })
			if cost, ok := p.Price.Cost(point.Usage{Input: 1000, Output: 1000, Images: 1, ImageKind: "1024x1024/hd"}); ok && cost < 0 {
				t.Errorf("%+v costs %d", p, cost)
			}
		}
	})
}
