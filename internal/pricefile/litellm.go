package pricefile

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"point"
)

// liteKinds are Point's kinds by LiteLLM's litellm_provider, and what stands before a model's name
// in its keys.
var liteKinds = map[string]struct{ kind, prefix string }{
	"openai": {"openai", "openai/"}, "text-completion-openai": {"openai", "openai/"}, "anthropic": {"anthropic", "anthropic/"}, "gemini": {"gemini", "gemini/"},
	"azure": {"azure", "azure/"}, "bedrock": {"bedrock", "bedrock/"}, "bedrock_converse": {"bedrock", "bedrock/"}, "mistral": {"mistral", "mistral/"},
	"cohere": {"cohere", "cohere/"}, "cohere_chat": {"cohere", "cohere_chat/"}, "groq": {"groq", "groq/"}, "deepseek": {"deepseek", "deepseek/"}, "xai": {"xai", "xai/"},
	"openrouter": {"openrouter", "openrouter/"}, "together_ai": {"together", "together_ai/"}, "fireworks_ai": {"fireworks", "fireworks_ai/"},
	"perplexity": {"perplexity", "perplexity/"}, "cerebras": {"cerebras", "cerebras/"}, "nvidia_nim": {"nvidia", "nvidia_nim/"}, "moonshot": {"moonshot", "moonshot/"},
	"dashscope": {"alibaba", "dashscope/"}, "zai": {"zhipu", "zai/"}, "huggingface": {"huggingface", "huggingface/"},
}

// sized is a key of an image's price: quality/WIDTH-x-HEIGHT/model.
var sized = regexp.MustCompile(`^(?:([a-z]+)/)?(\d{2,5})-x-(\d{2,5})/([^/]+)$`)

// above is the end of a field that holds for long prompts.
var above = regexp.MustCompile(`^(.+)_above_(\d{1,4})k_tokens$`)

// liteLLM reads one entry of LiteLLM's file.
func (r *reader) liteLLM(entry string, raw json.RawMessage) {
	if entry == "sample_spec" { // explains the fields
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		r.fault(entry, "it is not an object")
		return
	}
	var seller string
	if json.Unmarshal(fields["litellm_provider"], &seller) != nil {
		r.fault(entry, "litellm_provider is not a text")
		return
	}
	of, ok := liteKinds[seller]
	if !ok && strings.HasPrefix(seller, "vertex_ai") {
		of.kind, of.prefix, ok = "vertex", "vertex_ai/", true
	}
	if !ok {
		r.skip(entry, "Point has no kind of provider for "+clip(seller))
		return
	}
	name := strings.TrimPrefix(entry, of.prefix)
	if m := sized.FindStringSubmatch(name); m != nil {
		r.liteImage(entry, of.kind, m, fields)
		return
	}
	if of.kind == "bedrock" && strings.Contains(name, "/") && !strings.HasPrefix(name, "arn:") {
		r.skip(entry, "it is the price of one region or of a commitment")
		return
	}
	if r.fits(entry, name) {
		r.liteRates(entry, r.price(of.kind, name), fields)
		r.liteFacts(entry, r.model(of.kind, name), fields)
	}
}

// liteRates are LiteLLM's fields by the rate that they are.
func liteRates(p *point.Price) map[string]liteRate {
	token := func(to **float64) liteRate { return liteRate{to, 1e9, maxTokenRate} }
	return map[string]liteRate{
		"input_cost_per_token": token(&p.Input), "output_cost_per_token": token(&p.Output),
		"cache_read_input_token_cost": token(&p.CacheRead), "cache_creation_input_token_cost": token(&p.CacheWrite), "cache_creation_input_token_cost_above_1hr": token(&p.CacheWrite1h),
		"input_cost_per_audio_token": token(&p.AudioInput), "output_cost_per_audio_token": token(&p.AudioOutput), "output_cost_per_reasoning_token": token(&p.Reasoning),
		"input_cost_per_image_token": token(&p.ImageInput), "output_cost_per_image_token": token(&p.ImageOutput),
		"input_cost_per_request": {&p.PerRequest, 1e9, maxOtherRate}, "output_cost_per_image": {&p.PerImage, 1e9, maxOtherRate},
		"input_cost_per_character": {&p.PerCharacter, 1e9, maxTokenRate}, "input_cost_per_second": {&p.PerMinute, 60e9, maxOtherRate}, "input_cost_per_query": {&p.PerSearch, 1e9, maxOtherRate},
	}
}

type liteRate struct {
	to          **float64
	times, most float64
}

func (r *reader) liteRates(entry string, p *point.Price, fields map[string]json.RawMessage) {
	for field, rate := range liteRates(p) {
		if found := r.rate(entry, field, fields[field], rate.times, rate.most); found != nil {
			*rate.to = found
		}
	}
	var search struct {
		Medium json.RawMessage `json:"search_context_size_medium"`
	}
	if raw := fields["search_context_cost_per_query"]; raw != nil && json.Unmarshal(raw, &search) == nil {
		if found := r.rate(entry, "search_context_cost_per_query.search_context_size_medium", search.Medium, 1e9, maxOtherRate); found != nil {
			p.PerSearch = found
		}
	}
	r.liteTiers(entry, p, fields)
}

// liteTiers adds what the file tells of long prompts.
func (r *reader) liteTiers(entry string, p *point.Price, fields map[string]json.RawMessage) {
	tiers := map[int64]*point.Price{}
	for field := range fields {
		m := above.FindStringSubmatch(field)
		if m == nil {
			continue
		}
		start, _ := strconv.ParseInt(m[2], 10, 64) // four digits
		tier := tiers[start*1000]
		if tier == nil {
			tier = &point.Price{}
		}
		rate, known := liteRates(tier)[m[1]]
		if !known {
			continue
		}
		if found := r.rate(entry, field, fields[field], rate.times, rate.most); found != nil {
			*rate.to, tiers[start*1000] = found, tier
		}
	}
	p.Tiers = sortedTiers(tiers)
}

// liteImage reads the price of an image of a size.
func (r *reader) liteImage(entry, kind string, m []string, fields map[string]json.RawMessage) {
	if !r.fits(entry, m[4]) {
		return
	}
	p := r.price(kind, m[4])
	width, _ := strconv.ParseFloat(m[2], 64) // five digits
	height, _ := strconv.ParseFloat(m[3], 64)
	nano := cmp.Or(
		r.rate(entry, "input_cost_per_image", fields["input_cost_per_image"], 1e9, maxOtherRate), r.rate(entry, "output_cost_per_image", fields["output_cost_per_image"], 1e9, maxOtherRate),
		r.rate(entry, "input_cost_per_pixel", fields["input_cost_per_pixel"], width*height*1e9, maxOtherRate),
	)
	if nano == nil || *nano == 0 {
		return
	}
	if p.Images == nil {
		p.Images = map[string]float64{}
	}
	name := m[2] + "x" + m[3]
	if m[1] != "" {
		name += "/" + m[1]
	}
	p.Images[name] = *nano
}
