package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"point"
)

// Use is a thing that refers to another.
type Use struct {
	Entity string `json:"entity" example:"endpoint"`
	ID     string `json:"id" doc:"Empty: it has none but its name."`
	Name   string `json:"name" example:"/v1/chat/completions"`
}

// Forced is embedded into the input of a route that deletes what others may refer to.
type Forced struct {
	Force bool `query:"force" doc:"Delete it though it is used. What refers to it stays as it is, and goes without it."`
}

type deleteUsedInput struct {
	ByID
	Precondition
	Forced
}

// refuseUsed refuses to delete what is used, unless it is forced.
func (f Forced) refuseUsed(thing string, uses []Use) error {
	if f.Force || len(uses) == 0 {
		return nil
	}
	const shown = 10
	var names []string
	for _, u := range uses[:min(len(uses), shown)] {
		names = append(names, strings.ReplaceAll(u.Entity, "_", " ")+" "+u.Name)
	}
	if len(uses) > shown {
		names = append(names, fmt.Sprintf("and %d more", len(uses)-shown))
	}
	p := problem(http.StatusConflict, fmt.Sprintf("This %s is used by %s. Take it out there first, or delete it all the same with ?force=true: then these go without it.",
		thing, strings.Join(names, ", "))).as(codeInUse)
	p.UsedBy = uses
	return p
}

// mapped is a mapping with what it belongs to.
type mapped struct {
	use     Use
	mapping *point.Mapping
}

// mappings are all mappings: that of each endpoint with one of its own, by path, and the default.
func mappings(s *point.Snapshot) []mapped {
	var list []mapped
	for _, path := range point.Endpoints() {
		if e, ok := s.Endpoints[path]; ok && e.Mapping != nil {
			list = append(list, mapped{Use{point.EntityEndpoint, e.ID, path}, e.Mapping})
		}
	}
	return append(list, mapped{Use{point.EntitySetting, "", "default_mapping"}, &s.Default})
}

// usesOfProvider are the mappings, aliases and alert rules that name p.
func usesOfProvider(s *point.Snapshot, p *point.Provider) (uses []Use) {
	ours := func(t point.TargetRef) bool { return t.Provider == p.ID || t.Provider == p.Name }
	for _, m := range mappings(s) {
		used := slices.ContainsFunc(m.mapping.Fallbacks, ours)
		for _, r := range m.mapping.Rules {
			used = used || slices.ContainsFunc(r.Targets, ours) || slices.ContainsFunc(r.Fallbacks, ours)
		}
		if used {
			uses = append(uses, m.use)
		}
	}
	uses = append(uses, aliasesOf(s, func(target string) bool { return strings.HasPrefix(target, p.Name+"/") })...)
	return append(uses, rulesOf(s, func(scope point.RuleScope) bool { return scope.Provider == p.ID })...)
}

// usesOfKey are the mappings and alert rules that name k.
func usesOfKey(s *point.Snapshot, k *point.Key) (uses []Use) {
	for _, m := range mappings(s) {
		named := func(r point.Rule) bool {
			return slices.Contains(r.When.Key, k.ID) || slices.Contains(r.When.Key, k.Name)
		}
		if slices.ContainsFunc(m.mapping.Rules, named) {
			uses = append(uses, m.use)
		}
	}
	return append(uses, rulesOf(s, func(scope point.RuleScope) bool { return scope.KeyID == k.ID })...)
}

// usesOfAlias are the aliases that stand for another one.
func usesOfAlias(s *point.Snapshot, name string) []Use {
	return aliasesOf(s, func(target string) bool { return target == name })
}

// usesOfRole are the users who have a role.
func usesOfRole(s *point.Snapshot, name string) (uses []Use) {
	for id, u := range s.Users {
		if u.Role == name {
			uses = append(uses, Use{point.EntityUser, id, u.Email})
		}
	}
	return byName(uses)
}

func aliasesOf(s *point.Snapshot, met func(target string) bool) (uses []Use) {
	for name, target := range s.Aliases {
		if met(target) {
			uses = append(uses, Use{Entity: point.EntityAlias, Name: name})
		}
	}
	return byName(uses)
}

func rulesOf(s *point.Snapshot, met func(point.RuleScope) bool) (uses []Use) {
	for id, r := range s.AlertRules {
		if met(r.Scope) {
			uses = append(uses, Use{point.EntityAlertRule, id, r.Name})
		}
	}
	return byName(uses)
}

func byName(uses []Use) []Use {
	slices.SortFunc(uses, func(a, b Use) int { return strings.Compare(a.Name, b.Name) })
	return uses
}
