package pricefile

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tidwall/gjson"

	"point"
)

// devKinds are Point's kinds by the ids of models.dev's providers.
var devKinds = map[string]string{
	"openai": "openai", "anthropic": "anthropic", "google": "gemini", "google-vertex": "vertex", "google-vertex-anthropic": "vertex", "amazon-bedrock": "bedrock", "azure": "azure",
	"mistral": "mistral", "cohere": "cohere", "groq": "groq", "deepseek": "deepseek", "xai": "xai", "openrouter": "openrouter", "togetherai": "together", "fireworks-ai": "fireworks",
	"perplexity": "perplexity", "cerebras": "cerebras", "nvidia": "nvidia", "huggingface": "huggingface", "moonshotai": "moonshot", "alibaba": "alibaba", "zhipuai": "zhipu",
}

// modelsDev reads one provider of models.dev's file.
func (r *reader) modelsDev(entry string, raw json.RawMessage) {
	var provider struct {
		Models map[string]map[string]json.RawMessage `json:"models"`
	}
	kind, ok := devKinds[entry]
	if !ok {
		r.skip(entry, "Point has no kind of provider for it")
		return
	}
	if r.tooMany(raw) {
		r.fault(entry, "with it the file has more than %d models", MaxEntries)
		return
	}
	if json.Unmarshal(raw, &provider) != nil {
		r.fault(entry, "it is not a provider with models")
		return
	}
	for _, model := range slices.Sorted(maps.Keys(provider.Models)) {
		name, fields := entry+"/"+model, provider.Models[model]
		if !r.fits(name, model) {
			continue
		}
		r.devFacts(name, r.model(kind, model), fields)
		cost := r.object(name, "cost", fields["cost"])
		if cost == nil {
			r.skip(name, "it has no price")
			continue
		}
		p := r.price(kind, model)
		r.devRates(name, "cost.", p, cost)
		r.devTier(name, p, cost["context_over_200k"])
	}
}

// tooMany counts a provider's models before anything is made of them.
func (r *reader) tooMany(provider []byte) bool {
	gjson.GetBytes(provider, "models").ForEach(func(_, _ gjson.Result) bool {
		r.counted++
		return r.counted <= MaxEntries
	})
	return r.counted > MaxEntries
}

// devRates reads rates in USD for a million tokens.
func (r *reader) devRates(entry, at string, p *point.Price, cost map[string]json.RawMessage) {
	for field, to := range map[string]**float64{
		"input": &p.Input, "output": &p.Output, "reasoning": &p.Reasoning, "cache_read": &p.CacheRead, "cache_write": &p.CacheWrite,
		"input_audio": &p.AudioInput, "output_audio": &p.AudioOutput,
	} {
		if found := r.rate(entry, at+field, cost[field], 1e3, maxTokenRate); found != nil {
			*to = found
		}
	}
}

// devTier reads the rates of prompts of more than 200,000 tokens.
func (r *reader) devTier(entry string, p *point.Price, raw json.RawMessage) {
	cost := r.object(entry, "cost.context_over_200k", raw)
	if cost == nil {
		return
	}
	var tier point.Price
	r.devRates(entry, "cost.context_over_200k.", &tier, cost)
	p.Tiers = sortedTiers(map[int64]*point.Price{200_000: &tier})
}

// sortedTiers are tiers by their starts.
func sortedTiers(tiers map[int64]*point.Price) (list []point.PriceTier) {
	for start, tier := range tiers {
		list = append(list, point.PriceTier{Above: start, Price: *tier})
	}
	slices.SortFunc(list, func(a, b point.PriceTier) int { return cmp.Compare(a.Above, b.Above) })
	return list
}
