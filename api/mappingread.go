package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// MappingInput is a Mapping of which every member may be left out, or null.
type MappingInput struct{ raw json.RawMessage }

// UnmarshalJSON keeps the text: absent members must be told from zero ones.
func (m *MappingInput) UnmarshalJSON(raw []byte) error {
	m.raw = slices.Clone(raw)
	return nil
}

// Schema is Mapping's with nothing required but what a target cannot do without.
func (MappingInput) Schema(r huma.Registry) *huma.Schema {
	s := optional(r, r.Schema(reflect.TypeFor[Mapping](), true, ""))
	s.Nullable = true
	return s
}

// optional copies s with its references resolved and its members optional, but for the
// targets of a rule and the provider of a target.
func optional(r huma.Registry, s *huma.Schema) *huma.Schema {
	description := s.Description
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	c := *s
	if description != "" {
		c.Description = description
	}
	if s.Items != nil {
		c.Items = optional(r, s.Items)
	}
	if s.Properties != nil {
		c.Properties = make(map[string]*huma.Schema, len(s.Properties))
		for name, p := range s.Properties {
			c.Properties[name] = optional(r, p)
		}
	}
	c.Required = slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool {
		return name != "targets" && name != "provider"
	})
	return &c
}

// given reports whether there is a mapping at all, and dropped whether it is null.
func (m MappingInput) given() bool   { return len(m.raw) > 0 }
func (m MappingInput) dropped() bool { return string(m.raw) == "null" }

// readMapping reads a mapping, absent members as in the default mapping, with its providers
// by id. It stands at place.
func readMapping(m MappingInput, s *point.Snapshot, place string, f *faults) *point.Mapping {
	out := point.DefaultMapping()
	if err := json.Unmarshal(m.raw, &out); err != nil {
		f.add(place, "This is not a mapping.")
		return nil
	}
	out.Check(f.at(place + "."))
	notNull(&out.Rules)
	for i := range out.Rules {
		rule := &out.Rules[i]
		at := fmt.Sprintf("%s.rules[%d].", place, i)
		storeTargets(&rule.Targets, s, f.at(at+"targets"))
		storeTargets(&rule.Fallbacks, s, f.at(at+"fallbacks"))
		notNull(&rule.On)
		notNull(&rule.When.Model)
		notNull(&rule.When.Key)
		notNull(&rule.When.Tag)
	}
	storeTargets(&out.Fallbacks, s, f.at(place+".fallbacks"))
	return &out
}

// storeTargets puts ids in place of names.
func storeTargets(targets *[]point.TargetRef, s *point.Snapshot, fault point.Fault) {
	notNull(targets)
	for i := range *targets {
		t := &(*targets)[i]
		if p, ok := s.Provider(t.Provider); ok {
			t.Provider = p.ID
		} else {
			fault(fmt.Sprintf("[%d].provider", i), "There is no provider of this name.")
		}
	}
}

func notNull[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}
