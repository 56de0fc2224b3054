package api

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

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
// by id. Its shape has been checked against the schema; what is checked here is its sense.
func readMapping(m MappingInput, s *point.Snapshot, f *faults) *point.Mapping {
	out := point.DefaultMapping()
	if err := json.Unmarshal(m.raw, &out); err != nil {
		f.add("body.mapping", "This is not a mapping.")
		return nil
	}
	r := mappingReader{snapshot: s, faults: f}
	for i := range out.Rules {
		r.rule(fmt.Sprintf("body.mapping.rules[%d]", i), &out.Rules[i])
	}
	r.targets("body.mapping.fallbacks", &out.Fallbacks)
	notNull(&out.Rules)
	if out.Retry.BackoffMaxMS < out.Retry.BackoffMS {
		f.add("body.mapping.retry.backoff_max_ms", "This must not be less than backoff_ms.")
	}
	if out.Timeout.ConnectMS > out.Timeout.TotalMS {
		f.add("body.mapping.timeout.connect_ms", "This must not be more than total_ms.")
	}
	return &out
}

type mappingReader struct {
	snapshot *point.Snapshot
	faults   *faults
}

func (r mappingReader) rule(at string, rule *point.Rule) {
	for i, glob := range rule.When.Model {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			r.faults.add(fmt.Sprintf("%s.when.model[%d]", at, i), "This is not a pattern such as gpt-4o*.")
		}
	}
	if len(rule.Targets) == 0 {
		r.faults.add(at+".targets", "A rule needs at least one target.")
	}
	r.targets(at+".targets", &rule.Targets)
	r.targets(at+".fallbacks", &rule.Fallbacks)
	notNull(&rule.On)
	notNull(&rule.When.Model)
	notNull(&rule.When.Key)
	notNull(&rule.When.Tag)
}

// targets puts ids in place of names.
func (r mappingReader) targets(at string, targets *[]point.TargetRef) {
	notNull(targets)
	for i := range *targets {
		t := &(*targets)[i]
		p, ok := r.snapshot.Provider(t.Provider)
		if !ok {
			r.faults.add(fmt.Sprintf("%s[%d].provider", at, i), "There is no provider of this name.")
			continue
		}
		if strings.TrimSpace(t.Model) != t.Model {
			r.faults.add(fmt.Sprintf("%s[%d].model", at, i), "This begins or ends with a space.")
		}
		t.Provider = p.ID
	}
}

func notNull[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}
