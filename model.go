package point

import (
	"slices"
	"time"
)

// Abilities of models, as ModelFacts has them.
const (
	AbilityTools      = "tools"             // it calls functions
	AbilityVision     = "vision"            // it takes images
	AbilityReasoning  = "reasoning"         // it thinks before it answers
	AbilityAudio      = "audio"             // it takes sound
	AbilityPDF        = "pdf"               // it takes PDF files
	AbilityStructured = "structured_output" // it keeps to a JSON schema
)

// Abilities are all of them, in the order in which they are told.
func Abilities() []string {
	return []string{AbilityTools, AbilityVision, AbilityReasoning, AbilityAudio, AbilityPDF, AbilityStructured}
}

// ModelFacts is what a model is, beside its price. What is zero or nil is not said.
type ModelFacts struct {
	ContextWindow int64    `json:"context_window,omitempty"` // tokens
	MaxOutput     int64    `json:"max_output,omitempty"`     // tokens
	Abilities     []string `json:"abilities"`                // in the order of Abilities; nil: not said, empty: none
	Source        string   `json:"source,omitempty"`         // where it is from; empty: embedded, or said by hand
}

// Over is f where it says something, and base elsewhere.
func (f ModelFacts) Over(base ModelFacts) ModelFacts {
	if f.ContextWindow == 0 {
		f.ContextWindow = base.ContextWindow
	}
	if f.MaxOutput == 0 {
		f.MaxOutput = base.MaxOutput
	}
	if f.Abilities == nil {
		f.Abilities = base.Abilities
	}
	return f
}

// Known reports whether f says anything.
func (f ModelFacts) Known() bool {
	return f.ContextWindow != 0 || f.MaxOutput != 0 || f.Abilities != nil
}

// Same reports whether two say the same, from wherever they are.
func (f ModelFacts) Same(other ModelFacts) bool {
	return f.ContextWindow == other.ContextWindow && f.MaxOutput == other.MaxOutput && slices.Equal(f.Abilities, other.Abilities)
}

// ModelOverride is what an operator says a model is, in front of the embedded catalogue.
type ModelOverride struct {
	Kind      string // of provider, such as "openai"
	Model     string // as the provider knows it
	Facts     ModelFacts
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// maxModelTokens is more than any model takes or says.
const maxModelTokens = 1_000_000_000

// Check finds what is wrong with o.
func (o *ModelOverride) Check(fault Fault) {
	visible(fault, "kind", o.Kind)
	visible(fault, "model", o.Model)
	f := &o.Facts
	if !f.Known() {
		fault("context_window", "Give at least one of context_window, max_output and abilities.")
	}
	within(fault, "context_window", f.ContextWindow, 0, maxModelTokens)
	within(fault, "max_output", f.MaxOutput, 0, maxModelTokens)
	for _, ability := range f.Abilities {
		oneOf(fault, "abilities", ability, Abilities())
	}
}

// SortAbilities gives abilities in the order of Abilities, each once; nil stays nil.
func SortAbilities(abilities []string) []string {
	if abilities == nil {
		return nil
	}
	return slices.DeleteFunc(Abilities(), func(ability string) bool { return !slices.Contains(abilities, ability) })
}

// Models tells what models are.
type Models interface {
	// Facts is what is known of kind's model; it is shared: nothing of it may be changed.
	Facts(kind, model string) ModelFacts
}
