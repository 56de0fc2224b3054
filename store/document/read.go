package document

import (
	"bytes"
	"cmp"
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"point"
	"point/store"
)

// Imported is what a text of an import holds.
type Imported struct {
	point.Document
	Sealed *Sealed `json:"sealed,omitempty"`
}

// Read reads a document from JSON or YAML and checks it. Unknown members, values of a wrong type
// and all that Check finds is told at once, as a Mistakes.
func Read(text []byte) (*Imported, error) {
	var m Mistakes
	tree := parse(text, m.add)
	if err := m.err(); err != nil {
		return nil, err
	}
	fill(tree)
	shape(tree, reflect.TypeFor[Imported](), "", m.add)
	if err := m.err(); err != nil {
		return nil, err
	}
	in := Imported{Document: *empty()}
	in.AlertRules = nil // unless they are given
	if err := json.Unmarshal(encode(tree), &in); err != nil {
		return nil, Mistakes{{What: "A value is out of range: " + strings.TrimPrefix(err.Error(), "json: ") + "."}}
	}
	lowerIDs(&in.Document)
	check(&in.Document, m.add) // before they are sorted: places are as they were given
	sort(&in.Document)
	return &in, m.err()
}

// lowerIDs writes ids as Point does, so that each finds what it means.
func lowerIDs(d *point.Document) {
	for i := range d.Providers {
		d.Providers[i].ID = strings.ToLower(d.Providers[i].ID)
	}
	for i := range d.Keys {
		d.Keys[i].ID = strings.ToLower(d.Keys[i].ID)
	}
	for i := range d.AlertRules {
		r := &d.AlertRules[i]
		r.ID, r.Scope.KeyID = strings.ToLower(r.ID), strings.ToLower(r.Scope.KeyID)
	}
}

// parse reads JSON or YAML, of which JSON is a part, into the values of package json. Plain JSON is
// read without the other's detour: large configurations are JSON.
func parse(text []byte, fault point.Fault) (tree any) {
	if tree, ok := parseJSON(text); ok {
		return tree
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		fault("", "This is neither YAML nor JSON: %s.", inOneLine(err))
		return nil
	}
	datesAreText(&node)
	var loose any
	if err := node.Decode(&loose); err != nil {
		fault("", "This is no plain YAML: %s.", inOneLine(err))
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(encode(loose)))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		fault("", "This holds what JSON cannot say.")
	}
	return tree
}

// inOneLine is what the parser says, which it tells in several lines if there is more than one
// mistake.
func inOneLine(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
	return strings.ReplaceAll(text, "\n  ", "; ")
}

// datesAreText keeps what looks like a date as it is written: JSON has no dates.
func datesAreText(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, part := range n.Content {
		datesAreText(part)
	}
}

// fill puts in what a document may leave out: the format, that an endpoint is active, and the
// defaults of mappings.
func fill(tree any) {
	root, ok := tree.(map[string]any)
	if !ok {
		return
	}
	if root["format"] == nil {
		root["format"] = json.Number(strconv.Itoa(point.DocumentFormat))
	}
	for _, list := range []string{"providers", "endpoints", "aliases", "keys", "alert_rules"} {
		if root[list] == nil {
			delete(root, list) // null is none
		}
	}
	if endpoints, ok := root["endpoints"].([]any); ok {
		for _, one := range endpoints {
			if e, ok := one.(map[string]any); ok {
				fillMapping(e, "mapping")
				if e["active"] == nil {
					e["active"] = true
				}
			}
		}
	}
	if rules, ok := root["alert_rules"].([]any); ok {
		for _, one := range rules {
			if r, ok := one.(map[string]any); ok {
				fillRule(r)
			}
		}
	}
	if settings, ok := root["settings"].(map[string]any); ok {
		fillMapping(settings, "default_mapping")
	}
}

// fillRule puts in what a rule has that does not say otherwise.
func fillRule(r map[string]any) {
	for name, value := range map[string]any{
		"enabled": true, "window_ms": json.Number(strconv.Itoa(point.RuleWindowMS)), "severity": point.SeverityWarning, "cooldown_ms": json.Number(strconv.Itoa(point.RuleCooldownMS)),
	} {
		if r[name] == nil {
			r[name] = value
		}
	}
	if r["scope"] == nil {
		delete(r, "scope")
	}
}

// fillMapping merges a mapping into the default one.
func fillMapping(object map[string]any, member string) {
	given, ok := object[member].(map[string]any)
	if !ok {
		return
	}
	var full map[string]any
	d := json.NewDecoder(bytes.NewReader(encode(point.DefaultMapping())))
	d.UseNumber()
	if d.Decode(&full) != nil {
		return
	}
	for name, value := range given {
		base, nested := full[name].(map[string]any)
		part, isObject := value.(map[string]any)
		if nested && isObject {
			maps.Copy(base, part)
			continue
		}
		full[name] = value
	}
	object[member] = full
}

// shape finds members that a type does not have and values of another type.
func shape(v any, t reflect.Type, path string, fault point.Fault) {
	for t.Kind() == reflect.Pointer {
		if v == nil {
			return
		}
		t = t.Elem()
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		shapeScalar(v, reflect.TypeFor[string](), path, fault)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		shapeObject(v, t, path, fault)
	case reflect.Map:
		object, ok := v.(map[string]any)
		if !ok && v != nil {
			fault(path, "This must be an object.")
		}
		for name, value := range object {
			shape(value, t.Elem(), way(path, name), fault)
		}
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok && v != nil {
			fault(path, "This must be a list.")
		}
		for i, item := range list {
			shape(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i), fault)
		}
	default:
		shapeScalar(v, t, path, fault)
	}
}

func way(path, member string) string { return strings.TrimPrefix(path+"."+member, ".") }

func shapeObject(v any, t reflect.Type, path string, fault point.Fault) {
	object, ok := v.(map[string]any)
	if !ok {
		fault(path, "This must be an object.")
		return
	}
	fields := fieldsOf(t)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field, known := fields[name]
		if !known {
			fault(way(path, name), "There is no such member; there are %s.", strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
			continue
		}
		shape(object[name], field, way(path, name), fault)
	}
}

// fieldCache are the members of types. It is of the package, since types never change, and looking
// them up anew for each object of a large document takes most of the time of reading it.
var fieldCache sync.Map // reflect.Type -> map[string]reflect.Type

// fieldsOf are the members of a struct in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if fields, ok := fieldCache.Load(t); ok {
		return fields.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	fieldCache.Store(t, fields)
	return fields
}

func shapeScalar(v any, t reflect.Type, path string, fault point.Fault) {
	number, isNumber := v.(json.Number)
	_, isText := v.(string)
	_, isBool := v.(bool)
	switch t.Kind() {
	case reflect.String:
		if !isText {
			fault(path, "This must be text; write it in quotes.")
		}
	case reflect.Bool:
		if !isBool {
			fault(path, "This must be true or false.")
		}
	case reflect.Float64:
		if !isNumber {
			fault(path, "This must be a number.")
		}
	default:
		if _, err := number.Int64(); !isNumber || err != nil {
			fault(path, "This must be a whole number.")
		}
	}
}

// Number gives the providers of a document that have no id, or one that is not known here, that of
// a live provider of the same name and kind; what then has none gets a new one. So a provider that
// goes and comes back is the same. Alert rules are numbered likewise.
func Number(ctx context.Context, s *store.Store, d *point.Document) error {
	parked, err := s.ParkedProviders(ctx, idsOf(d))
	if err != nil {
		return err
	}
	live := s.Snapshot()
	for i := range d.Providers {
		p := &d.Providers[i]
		if x := cmp.Or(live.Providers[p.ID], parked[p.ID]); x != nil && x.Kind == p.Kind {
			continue
		} else if x != nil {
			p.ID = "" // of another provider
		}
		if x, ok := live.Provider(p.Name); ok && x.Kind == p.Kind && !declared(x.ManagedBy) && !isIn(d, x.ID) {
			p.ID = x.ID
		}
		p.ID = cmp.Or(p.ID, store.NewID(time.Now()))
	}
	numberRules(live, d)
	return nil
}

// numberRules gives alert rules their ids.
func numberRules(live *point.Snapshot, d *point.Document) {
	taken := map[string]bool{}
	for i := range d.AlertRules {
		taken[d.AlertRules[i].ID] = true
	}
	byName := rulesByName(live.AlertRules)
	for i := range d.AlertRules {
		r := &d.AlertRules[i]
		if x := byName[r.Name]; live.AlertRules[r.ID] == nil && x != nil && !declared(x.ManagedBy) && !taken[x.ID] {
			r.ID = x.ID
		}
		r.ID = cmp.Or(r.ID, store.NewID(time.Now()))
	}
}

func isIn(d *point.Document, id string) bool {
	return slices.ContainsFunc(d.Providers, func(p point.DocumentProvider) bool { return p.ID == id })
}
