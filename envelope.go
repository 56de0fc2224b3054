package point

// Span is a range of bytes [Start, End) in a body.
type Span struct{ Start, End int }

// Envelope is what routing reads of an OpenAI-shaped request body: its top-level keys,
// found without decoding the rest.
type Envelope struct {
	Model        string
	Stream       bool
	IncludeUsage bool  // stream_options.include_usage
	MaxTokens    int64 // max_tokens or max_completion_tokens, 0: none
	HasTools     bool
	HasImages    bool
	User         string

	Provider  ProviderPreference
	Fallbacks []string // fallback_providers, then models: provider names or "provider/model"

	Params []string // names of all top-level keys, in order

	ModelAt         Span   // the model's JSON string, quotes included
	StreamOptionsAt Span   // the value of stream_options, zero if absent
	OwnFields       []Span // members only Point reads (provider, fallback_providers, models), each with one comma
}

// ProviderPreference is the body's "provider": a name or id, or OpenRouter's object.
type ProviderPreference struct {
	Name           string // when it was a string
	Order          []string
	Only           []string
	Ignore         []string
	AllowFallbacks *bool
	Sort           string // price, throughput or latency
	MaxPrice       *MaxPrice
}

// MaxPrice bounds a target's price, in USD per million tokens.
type MaxPrice struct {
	Prompt     *float64
	Completion *float64
}
