package prices

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"slices"

	"point"
)

//go:embed models.jsonl
var modelLines []byte

// Info is what is known of a model beside its price.
type Info struct {
	ContextWindow int64 // tokens, 0: unknown
	MaxOutput     int64 // tokens of a long answer that the model is good for, 0: unknown; it may allow more
	Reasoning     bool
	Images        bool // takes images
	Tools         bool
}

// decodeInfos reads models.jsonl by provider and model.
func decodeInfos() map[string]map[string]Info {
	all := map[string]map[string]Info{}
	for line := range bytes.Lines(modelLines) {
		var m struct {
			Provider  string `json:"provider"`
			ID        string `json:"id"`
			Context   int64  `json:"context"`
			MaxOutput int64  `json:"max_output"`
			Reasoning bool   `json:"reasoning"`
			Images    bool   `json:"images"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			continue
		}
		models := all[m.Provider]
		if models == nil {
			models = map[string]Info{}
			all[m.Provider] = models
		}
		info := Info{ContextWindow: m.Context, MaxOutput: m.MaxOutput, Reasoning: m.Reasoning, Images: m.Images, Tools: true} // a catalogue for agents: all its models call tools
		models[m.ID] = info
		if short := undated(m.ID); short != m.ID {
			models[short] = info
		}
	}
	return all
}

// Info is what is known of kind's model. Without an entry of its own it has at least the
// context window of the price table, if that has one; ok is false if neither knows it.
func (t *Table) Info(kind, modelName string) (info Info, ok bool) {
	p, sold := t.seller(kind, modelName)
	name, id := kind, kind
	if c, found := catalogueNames[kind]; found {
		name = c.models
	}
	var priced *model
	if p != nil {
		id = p.id
		priced = t.find(p, kind, sold)
	}
	candidates := append([]string{modelName}, spellings(kind, id, modelName)...)
	if priced != nil {
		candidates = append(candidates, priced.ID)
	}
	models := t.infos()[name]
	for _, candidate := range candidates {
		if info, ok = models[candidate]; ok {
			return info, true
		}
	}
	if priced != nil && priced.Context > 0 {
		return Info{ContextWindow: priced.Context}, true
	}
	return Info{}, false
}

// Facts is point.Models.
func (t *Table) Facts(kind, modelName string) point.ModelFacts {
	info, ok := t.Info(kind, modelName)
	if !ok {
		return point.ModelFacts{}
	}
	facts := point.ModelFacts{ContextWindow: info.ContextWindow, MaxOutput: info.MaxOutput}
	for _, ability := range []struct {
		name string
		has  bool
	}{{point.AbilityTools, info.Tools}, {point.AbilityVision, info.Images}, {point.AbilityReasoning, info.Reasoning}} {
		if ability.has {
			facts.Abilities = append(facts.Abilities, ability.name)
		}
	}
	return facts
}

// Models are the names of kind's models that are not deprecated, sorted.
func (t *Table) Models(kind string) []string {
	names := map[string]bool{}
	name := kind
	if c, found := catalogueNames[kind]; found {
		name = c.models
	}
	for id := range t.infos()[name] {
		names[id] = true
	}
	if p := t.provider(kind); p != nil {
		for _, m := range p.decode() {
			// The catalogue also names families; a name that its own rule does not take is one.
			if !m.Deprecated && m.Match.takes(m.ID) {
				names[m.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
