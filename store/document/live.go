package document

import (
	"cmp"
	"context"
	"slices"

	"point"
	"point/store"
)

// Live is the live configuration as a document, without what the file and the environment
// declare.
func Live(ctx context.Context, s *store.Store) (*point.Document, error) {
	l, err := read(ctx, s)
	if err != nil {
		return nil, err
	}
	return l.document(), nil
}

// live is the live configuration at one version.
type live struct {
	*point.Snapshot
	aliases []point.Alias
	keys    map[string]*point.Key       // by id
	rules   map[string]*point.AlertRule // by name
}

// keysByName are the keys whose name no other key has.
func (l *live) keysByName() map[string]*point.Key {
	byName := map[string]*point.Key{}
	for _, k := range l.keys {
		if _, twice := byName[k.Name]; twice {
			byName[k.Name] = nil
			continue
		}
		byName[k.Name] = k
	}
	return byName
}

// read reads the live configuration, all of it at one version. Whoever acts on what was read
// gives this version, so that the store notices a change meanwhile.
func read(ctx context.Context, s *store.Store) (*live, error) {
	for range tries {
		l := &live{Snapshot: s.Snapshot(), keys: map[string]*point.Key{}}
		aliases, version, err := s.AliasesAt(ctx)
		if err != nil {
			return nil, err
		}
		if version == l.Version {
			l.aliases = aliases
			for _, k := range l.Keys {
				l.keys[k.ID] = k
			}
			l.rules = rulesByName(l.AlertRules)
			return l, nil
		}
		if err := s.Refresh(ctx); err != nil { // it changed meanwhile, or in another process
			return nil, err
		}
	}
	return nil, store.ErrStale
}

// declared reports whether the file or the environment has an object, so that nobody else may
// change it.
func declared(managedBy string) bool {
	return managedBy == point.ManagedByFile || managedBy == point.ManagedByEnv
}

func (l *live) document() *point.Document {
	d := empty()
	names := names(l.Providers)
	for _, p := range l.Providers {
		if !declared(p.ManagedBy) {
			d.Providers = append(d.Providers, p.Document(point.SecretNames(p.Config.Secrets)))
		}
	}
	for _, e := range l.Endpoints {
		if !declared(e.ManagedBy) {
			one := e.Document()
			one.Mapping = named(one.Mapping, names)
			d.Endpoints = append(d.Endpoints, one)
		}
	}
	for _, a := range l.aliases {
		if !declared(a.ManagedBy) {
			d.Aliases = append(d.Aliases, a.Document())
		}
	}
	for _, k := range l.keys {
		if !declared(k.ManagedBy) {
			d.Keys = append(d.Keys, k.Document())
		}
	}
	for _, r := range l.AlertRules {
		if !declared(r.ManagedBy) {
			d.AlertRules = append(d.AlertRules, shownRule(r, names))
		}
	}
	d.Settings = l.Settings
	d.Settings.DefaultMapping = named(d.Settings.DefaultMapping, names)
	sort(d)
	return d
}

// empty is a document of nothing, without nulls.
func empty() *point.Document {
	return &point.Document{
		Format: point.DocumentFormat, Providers: []point.DocumentProvider{}, Endpoints: []point.DocumentEndpoint{},
		Aliases: []point.DocumentAlias{}, Keys: []point.DocumentKey{}, AlertRules: []point.DocumentAlertRule{},
	}
}

// sort gives a document the order in which people look for things.
func sort(d *point.Document) {
	slices.SortFunc(d.Providers, func(a, b point.DocumentProvider) int { return cmp.Compare(a.Name, b.Name) })
	order := point.Endpoints()
	slices.SortFunc(d.Endpoints, func(a, b point.DocumentEndpoint) int {
		return slices.Index(order, a.Path) - slices.Index(order, b.Path)
	})
	slices.SortFunc(d.Aliases, func(a, b point.DocumentAlias) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.AlertRules, func(a, b point.DocumentAlertRule) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Keys, func(a, b point.DocumentKey) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// names are the names of providers by id.
func names(providers map[string]*point.Provider) map[string]string {
	names := make(map[string]string, len(providers))
	for id, p := range providers {
		names[id] = p.Name
	}
	return names
}

// named copies a mapping with its providers by what to calls them. What to does not know stays
// as it is.
func named(m *point.Mapping, to map[string]string) *point.Mapping {
	if m == nil {
		return nil
	}
	out := *m
	targets := func(list []point.TargetRef) []point.TargetRef {
		list = append([]point.TargetRef{}, list...)
		for i := range list {
			list[i].Provider = cmp.Or(to[list[i].Provider], list[i].Provider)
		}
		return list
	}
	out.Fallbacks = targets(m.Fallbacks)
	out.Rules = append([]point.Rule{}, m.Rules...)
	for i := range out.Rules {
		out.Rules[i].Targets = targets(out.Rules[i].Targets)
		out.Rules[i].Fallbacks = targets(out.Rules[i].Fallbacks)
	}
	return &out
}
