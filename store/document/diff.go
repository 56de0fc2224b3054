package document

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"point"
)

// Difference is one place where two configurations differ.
type Difference struct {
	Entity string // a point.Entity constant
	Name   string // of the object
	Action string // point.ChangeCreate, ChangeUpdate or ChangeDelete: what it takes to get from the one to the other
	Path   string // of the member within the object; empty: the whole object
	Before json.RawMessage
	After  json.RawMessage
}

// Diff lists what it takes to get from one document to another. Keys that the second does not
// speak of stay, and so do alert rules if it speaks of none: they are no difference. Objects are
// the same by their id, or else by their name.
func Diff(before, after *point.Document) []Difference {
	list := objects(point.EntityProvider, before.Providers, after.Providers, func(p *point.DocumentProvider) (*string, string, string) { return &p.ID, p.Name + " " + p.Kind, p.Name })
	list = append(list, objects(point.EntityEndpoint, before.Endpoints, after.Endpoints, func(e *point.DocumentEndpoint) (*string, string, string) { return &e.Path, e.Path, e.Path })...)
	list = append(list, objects(point.EntityAlias, before.Aliases, after.Aliases, func(a *point.DocumentAlias) (*string, string, string) { return &a.Name, a.Name, a.Name })...)
	for _, d := range objects(point.EntityKey, before.Keys, after.Keys, func(k *point.DocumentKey) (*string, string, string) { return &k.ID, k.Name, k.Name }) {
		if d.Action != point.ChangeDelete {
			list = append(list, d)
		}
	}
	if after.AlertRules != nil {
		list = append(list, objects(point.EntityAlertRule, before.AlertRules, after.AlertRules, func(r *point.DocumentAlertRule) (*string, string, string) { return &r.ID, r.Name, r.Name })...)
	}
	return append(list, members(point.EntitySetting, "", "", encode(before.Settings), encode(after.Settings))...)
}

// naming tells what an object is found by: its id, and what it is known by where ids differ; and
// its name for people.
type naming[T any] func(*T) (id *string, known, name string)

// objects compares two lists of objects.
func objects[T any](entity string, before, after []T, call naming[T]) (list []Difference) {
	after = slices.Clone(after)
	pairs, gone := pair(before, after, call)
	for i := range after {
		_, _, name := call(&after[i])
		if pairs[i] == nil {
			list = append(list, Difference{entity, name, point.ChangeCreate, "", nil, encode(after[i])})
			continue
		}
		list = append(list, members(entity, name, "", encode(pairs[i]), encode(after[i]))...)
	}
	for i := range gone {
		_, _, name := call(&gone[i])
		list = append(list, Difference{entity, name, point.ChangeDelete, "", encode(gone[i]), nil})
	}
	return list
}

// pair finds what each object of after was, if it was; those that are found by what they are
// known by get the id of before. gone are in the order of before.
func pair[T any](before, after []T, call naming[T]) (pairs []*T, gone []T) {
	pairs = make([]*T, len(after))
	byID, known := map[string]int{}, map[string][]int{}
	for i := range before {
		id, name, _ := call(&before[i])
		byID[*id] = i
		known[name] = append(known[name], i)
	}
	found := map[int]bool{}
	for i := range after {
		id, _, _ := call(&after[i])
		if at, ok := byID[*id]; ok && *id != "" {
			pairs[i], found[at] = &before[at], true
		}
	}
	for i := range after {
		id, name, _ := call(&after[i])
		if list := known[name]; pairs[i] == nil && len(list) == 1 && !found[list[0]] {
			pairs[i], found[list[0]] = &before[list[0]], true
			was, _, _ := call(pairs[i])
			*id = *was
		}
	}
	for i := range before {
		if !found[i] {
			gone = append(gone, before[i])
		}
	}
	return pairs, gone
}

// Compare lists the members in which two images of an object differ.
func Compare(c point.Change) []Difference {
	if c.Before == nil || c.After == nil {
		return []Difference{{c.Entity, c.Name(), c.Action, "", c.Before, c.After}}
	}
	return members(c.Entity, c.Name(), "", c.Before, c.After)
}

// members compares two JSON values, down to the members in which they differ.
func members(entity, name, path string, before, after json.RawMessage) (list []Difference) {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(before, &a) == nil && json.Unmarshal(after, &b) == nil && a != nil && b != nil {
		all := maps.Clone(a)
		maps.Copy(all, b)
		for _, member := range slices.Sorted(maps.Keys(all)) {
			list = append(list, members(entity, name, strings.TrimPrefix(path+"."+member, "."), a[member], b[member])...)
		}
		return list
	}
	var x, y []json.RawMessage
	if json.Unmarshal(before, &x) == nil && json.Unmarshal(after, &y) == nil && len(x) == len(y) && x != nil {
		for i := range x {
			list = append(list, members(entity, name, path+"["+strconv.Itoa(i)+"]", x[i], y[i])...)
		}
		return list
	}
	if sameText(before, after) {
		return nil
	}
	return []Difference{{entity, name, point.ChangeUpdate, path, before, after}}
}

// sameText reports whether two JSON values say the same.
func sameText(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// sameJSON reports whether two values are alike in JSON.
func sameJSON(a, b any) bool { return sameText(encode(a), encode(b)) }

// encode writes v as JSON. It serves values that always can be written.
func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}

// changes are the differences that a plan makes.
func (p *planner) changes() (list []Difference) {
	b := &p.plan.Batch
	before, after := empty(), empty()
	names := maps.Clone(names(p.live.Providers))
	for name, id := range p.ids {
		names[id] = name
	}
	for i := range b.PutProviders {
		next := &b.PutProviders[i]
		if old, ok := p.live.Providers[next.ID]; ok {
			before.Providers = append(before.Providers, old.Document(point.SecretNames(old.Config.Secrets)))
		}
		after.Providers = append(after.Providers, next.Document(point.SecretNames(next.Config.Secrets)))
	}
	for _, id := range b.DropProviders {
		old := p.live.Providers[id]
		before.Providers = append(before.Providers, old.Document(point.SecretNames(old.Config.Secrets)))
	}
	for i := range b.PutEndpoints {
		for to, e := range map[*point.Document]*point.Endpoint{before: p.live.Endpoints[b.PutEndpoints[i].Path], after: &b.PutEndpoints[i]} {
			one := e.Document()
			one.Mapping = named(one.Mapping, names)
			to.Endpoints = append(to.Endpoints, one)
		}
	}
	for _, a := range p.live.aliases {
		if slices.Contains(b.DropAliases, a.Name) || slices.ContainsFunc(b.PutAliases, func(x point.Alias) bool { return x.Name == a.Name }) {
			before.Aliases = append(before.Aliases, a.Document())
		}
	}
	for i := range b.PutAliases {
		after.Aliases = append(after.Aliases, b.PutAliases[i].Document())
	}
	for i := range b.PutKeys {
		before.Keys = append(before.Keys, p.live.keys[b.PutKeys[i].ID].Document())
		after.Keys = append(after.Keys, b.PutKeys[i].Document())
	}
	for i := range b.PutAlertRules {
		next := &b.PutAlertRules[i]
		if old, ok := p.live.AlertRules[next.ID]; ok {
			before.AlertRules = append(before.AlertRules, shownRule(old, names))
		}
		after.AlertRules = append(after.AlertRules, shownRule(next, names))
	}
	for _, id := range b.DropAlertRules {
		before.AlertRules = append(before.AlertRules, shownRule(p.live.AlertRules[id], names))
	}
	if b.PutSettings != nil {
		before.Settings, after.Settings = p.live.Settings, *b.PutSettings
		before.Settings.DefaultMapping = named(before.Settings.DefaultMapping, names)
		after.Settings.DefaultMapping = named(after.Settings.DefaultMapping, names)
	}
	return Diff(before, after)
}
