package document

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"point"
	"point/adapter/provider"
)

// Mistake is one thing that is wrong with a document.
type Mistake struct {
	Path string // such as providers[0].config.base_url
	What string // a sentence that does not quote what stands there
	Line int    // of the text, if ReadText read it; 0: unknown
}

// Mistakes are all that is wrong with a document.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	text := "the configuration is not valid:"
	for _, one := range m {
		text += "\n  " + one.String()
	}
	return text
}

// String is such as "line 4: aliases[0].name: This is required."
func (m Mistake) String() string {
	text := m.What
	if m.Path != "" {
		text = m.Path + ": " + text
	}
	if m.Line > 0 {
		text = fmt.Sprintf("line %d: %s", m.Line, text)
	}
	return text
}

// add is a point.Fault.
func (m *Mistakes) add(at, format string, args ...any) {
	*m = append(*m, Mistake{Path: at, What: fmt.Sprintf(format, args...)})
}

// err is nil if nothing was added.
func (m Mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Check finds what is wrong with a document, whatever is live: all but what depends on the
// providers, keys and secrets that there are.
func Check(d *point.Document) error {
	var m Mistakes
	check(d, m.add)
	return m.err()
}

func check(d *point.Document, fault point.Fault) {
	if d.Format != point.DocumentFormat {
		fault("format", "This version of Point reads format %d.", point.DocumentFormat)
	}
	checkProviders(d.Providers, fault)
	once, ids := uniquely(fault), uniquely(fault)
	for i := range d.Endpoints {
		checkEndpoint(&d.Endpoints[i], fault.In(fmt.Sprintf("endpoints[%d].", i)))
		once(fmt.Sprintf("endpoints[%d].path", i), d.Endpoints[i].Path)
	}
	for i, a := range d.Aliases {
		at := fmt.Sprintf("aliases[%d].", i)
		(&point.Alias{Name: a.Name, Target: a.Target}).Check(fault.In(at))
		once(at+"name", a.Name)
	}
	for i := range d.Keys {
		at := fmt.Sprintf("keys[%d].", i)
		checkKey(&d.Keys[i], fault.In(at))
		if d.Keys[i].ID == "" {
			once(at+"name", d.Keys[i].Name)
			continue
		}
		ids(at+"id", d.Keys[i].ID)
	}
	for i := range d.AlertRules {
		r := &d.AlertRules[i]
		at := fmt.Sprintf("alert_rules[%d].", i)
		checkRule(r, fault.In(at))
		if once(at+"name", r.Name); r.ID != "" {
			ids(at+"id", r.ID)
		}
	}
	CheckSettings(&d.Settings, fault.In("settings."))
}

// uniquely makes a check that no name stands twice in a list. Names of different lists never
// meet: their paths begin with the list.
func uniquely(fault point.Fault) func(at, name string) {
	seen := map[string]bool{}
	return func(at, name string) {
		list, _, _ := strings.Cut(at, "[")
		if seen[list+" "+name] {
			fault(at, "This stands in the list already.")
		}
		seen[list+" "+name] = true
	}
}

func checkProviders(list []point.DocumentProvider, fault point.Fault) {
	ids, names := uniquely(fault), uniquely(fault)
	for i := range list {
		p := &list[i]
		at := fmt.Sprintf("providers[%d].", i)
		checkProvider(p, fault.In(at))
		if names(at+"name", p.Name); p.ID != "" {
			ids(at+"id", p.ID)
		}
	}
}

func checkProvider(p *point.DocumentProvider, fault point.Fault) {
	switch {
	case !point.ProviderName.MatchString(p.Name):
		fault("name", "A name is a letter or digit, then at most 62 letters, digits, dots, underscores or dashes.")
	case isID(p.Name):
		fault("name", "A name must not look like an id.")
	}
	if p.ID != "" && !isID(p.ID) {
		fault("id", "This is not an id. Leave it out, and one is made.")
	}
	if p.Type != "" && p.Type != point.TypeAPI {
		fault("type", "This version of Point has providers of type %s.", point.TypeAPI)
	}
	if p.Status != "" && p.Status != point.StatusActive && p.Status != point.StatusInactive {
		fault("status", "This must be active or inactive.")
	}
	if p.ManagedBy != "" && p.ManagedBy != point.ManagedByDemo {
		fault("managed_by", "This is demo, or left out.")
	}
	if _, ok := provider.Lookup(p.Kind); !ok {
		fault("provider", "There is no such kind of provider. GET /api/provider-kinds lists them.")
	}
}

func checkEndpoint(e *point.DocumentEndpoint, fault point.Fault) {
	known := false
	for _, path := range point.Endpoints() {
		known = known || path == e.Path
	}
	if !known {
		fault("path", "There is no such endpoint.")
	}
	if e.Mapping != nil {
		e.Mapping.Check(fault.In("mapping."))
	}
}

func checkKey(k *point.DocumentKey, fault point.Fault) {
	if k.ID != "" && !isID(k.ID) {
		fault("id", "This is not an id. Leave it out, and the key is found by its name.")
	}
	one := liveKey(point.Key{}, k)
	one.Check(never, fault)
}

// liveKey is a key with what a document says of it.
func liveKey(k point.Key, d *point.DocumentKey) *point.Key {
	k.Name, k.Models, k.Endpoints, k.Tags, k.Limits = d.Name, d.Models, d.Endpoints, d.Tags, d.Limits
	return &k
}

// CheckSettings finds what is wrong with settings, but for the providers of the mapping.
func CheckSettings(x *point.Settings, fault point.Fault) {
	if x.DefaultMapping != nil {
		x.DefaultMapping.Check(fault.In("default_mapping."))
	}
	k := point.Key{Name: "default", Limits: x.DefaultKeyLimits}
	k.Check(never, func(at, format string, args ...any) { fault("default_key_"+at, format, args...) })
}

func isID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}
