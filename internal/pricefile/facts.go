package pricefile

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"point"
)

// Model is what a file tells a kind's model to be.
type Model struct {
	Kind, Model   string
	ContextWindow int64           // tokens, 0: not told
	MaxOutput     int64           // tokens, 0: not told
	Abilities     map[string]bool // those that it tells of
}

// told reports whether the file tells anything.
func (m *Model) told() bool { return m.ContextWindow > 0 || m.MaxOutput > 0 || len(m.Abilities) > 0 }

// liteAbilities are the abilities by LiteLLM's fields.
var liteAbilities = map[string]string{
	"supports_function_calling": point.AbilityTools, "supports_vision": point.AbilityVision, "supports_reasoning": point.AbilityReasoning,
	"supports_audio_input": point.AbilityAudio, "supports_pdf_input": point.AbilityPDF, "supports_response_schema": point.AbilityStructured,
}

// liteFacts reads LiteLLM's fields. The older max_tokens is what a prompt may hold where the file has
// neither of the other two.
func (r *reader) liteFacts(entry string, m *Model, fields map[string]json.RawMessage) {
	window, output := r.tokens(entry, "max_input_tokens", fields["max_input_tokens"]), r.tokens(entry, "max_output_tokens", fields["max_output_tokens"])
	if window == 0 && output == 0 {
		window = r.tokens(entry, "max_tokens", fields["max_tokens"])
	}
	r.sizes(m, window, output)
	for field, ability := range liteAbilities {
		r.flag(entry, field, fields[field], m, ability)
	}
}

// devAbilities are the abilities by models.dev's fields, and by its words for what a model takes.
var (
	devAbilities  = map[string]string{"tool_call": point.AbilityTools, "reasoning": point.AbilityReasoning, "structured_output": point.AbilityStructured}
	devModalities = map[string]string{"image": point.AbilityVision, "audio": point.AbilityAudio, "pdf": point.AbilityPDF}
)

// devFacts reads models.dev's fields.
func (r *reader) devFacts(entry string, m *Model, fields map[string]json.RawMessage) {
	limit := r.object(entry, "limit", fields["limit"])
	r.sizes(m, r.tokens(entry, "limit.context", limit["context"]), r.tokens(entry, "limit.output", limit["output"]))
	for field, ability := range devAbilities {
		name, raw := field, fields[field]
		if bytes.HasPrefix(raw, []byte("{")) { // tells more of it
			name, raw = field+".supported", r.object(entry, field, raw)["supported"]
		}
		r.flag(entry, name, raw, m, ability)
	}
	raw := r.object(entry, "modalities", fields["modalities"])["input"]
	if absent(raw) {
		return
	}
	var words []string
	if json.Unmarshal(raw, &words) != nil {
		r.fault(entry, "modalities.input is not a list of texts")
		return
	}
	for word, ability := range devModalities {
		m.Abilities[ability] = slices.Contains(words, word)
	}
}

// model is what is told of a kind's model, to be filled.
func (r *reader) model(kind, model string) *Model {
	name := [2]string{kind, model}
	if r.models[name] == nil {
		r.models[name] = &Model{Kind: kind, Model: model, Abilities: map[string]bool{}}
	}
	return r.models[name]
}

// sizes keeps what is told.
func (r *reader) sizes(m *Model, window, output int64) {
	if window > 0 {
		m.ContextWindow = window
	}
	if output > 0 {
		m.MaxOutput = output
	}
}

// maxTokens is more than any model takes or says.
const maxTokens = 1e9

// tokens reads a number of tokens; 0: none is told.
func (r *reader) tokens(entry, name string, raw json.RawMessage) int64 {
	if absent(raw) {
		return 0
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil && n == 0:
		r.fault(entry, "%s is not a number", name)
	case n < 0 || n <= maxTokens && n != math.Trunc(n):
		r.fault(entry, "%s is not a whole number of tokens", name)
	case n > maxTokens:
		r.fault(entry, "%s is too much to be true", name)
	default:
		return int64(n)
	}
	return 0
}

// flag reads whether a model has an ability.
func (r *reader) flag(entry, name string, raw json.RawMessage, m *Model, ability string) {
	switch {
	case absent(raw):
	case string(raw) == "true" || string(raw) == "false":
		m.Abilities[ability] = string(raw) == "true"
	default:
		r.fault(entry, "%s is neither true nor false", name)
	}
}

// object reads a member that is an object; nil: there is none.
func (r *reader) object(entry, name string, raw json.RawMessage) (members map[string]json.RawMessage) {
	if !absent(raw) && json.Unmarshal(raw, &members) != nil {
		r.fault(entry, "%s is not an object", name)
	}
	return members
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
