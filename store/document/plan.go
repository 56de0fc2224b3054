package document

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"point"
	"point/adapter/provider"
	"point/store"
)

var never time.Time

// Finding is something that people should know of an activation that goes on all the same.
type Finding struct {
	Path    string // in the document, such as providers[0].secrets
	Name    string // of the object
	Message string
}

// Plan is what an activation changes.
type Plan struct {
	Batch    store.Batch
	Findings []Finding
	Changes  []Difference
}

// Rules are how an activation is judged.
type Rules struct {
	Grant   provider.Grant // of whoever activates
	Allow   Allow          // of whoever activates; nil: all is allowed
	Lenient bool           // what the file or the environment has declared since is passed over with a finding, where it would be a mistake
}

// Make finds out what has to change for d to be live. What is wrong with d is a Mistakes; what
// rules.Allow refuses is its error.
func Make(ctx context.Context, s *store.Store, d *point.Document, rules Rules) (*Plan, error) {
	l, err := read(ctx, s)
	if err != nil {
		return nil, err
	}
	parked, err := s.ParkedProviders(ctx, idsOf(d))
	if err != nil {
		return nil, err
	}
	p := &planner{live: l, doc: d, rules: rules, parked: parked, ids: map[string]string{}}
	p.plan.Batch.Base = l.Version
	check(d, p.mistakes.add)
	if err := p.mistakes.err(); err != nil {
		return nil, err
	}
	p.providers()
	p.endpoints()
	p.aliases()
	p.keys()
	p.alertRules()
	p.settings()
	if err := p.mistakes.err(); err != nil {
		return nil, err
	}
	if changed := entities(&p.plan.Batch); rules.Allow != nil && len(changed) > 0 {
		if err := rules.Allow(changed); err != nil {
			return nil, err
		}
	}
	p.plan.Changes = p.changes()
	return &p.plan, nil
}

// tries is how often an activation begins anew because somebody changed the configuration
// meanwhile.
const tries = 20

// Activate makes d live under one version, whole or not at all; action and subject are the
// revision's. It tells what it changed. An empty plan changes nothing and makes no version.
func Activate(ctx context.Context, s *store.Store, d *point.Document, rules Rules, action, subject string) (plan *Plan, err error) {
	for range tries {
		if plan, err = Make(ctx, s, d, rules); err != nil {
			return nil, err
		}
		plan.Batch.Action, plan.Batch.Subject = action, subject
		if err = s.Apply(ctx, &plan.Batch); !errors.Is(err, store.ErrStale) {
			return plan, err
		}
		if err := s.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return nil, err
}

func idsOf(d *point.Document) (ids []string) {
	for _, p := range d.Providers {
		if p.ID != "" {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// planner gathers a Plan.
type planner struct {
	live     *live
	doc      *point.Document
	rules    Rules
	parked   map[string]*point.Provider
	ids      map[string]string // of the providers that will be live, by name
	plan     Plan
	mistakes Mistakes
}

func (p *planner) find(path, name, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, Finding{path, name, fmt.Sprintf(format, args...)})
}

// taken notes that the file or the environment has an object of a document.
func (p *planner) taken(path, name string) {
	const why = "The configuration file or the environment declares one of this name, which stays as it is."
	if p.rules.Lenient {
		p.find(path, name, why)
		return
	}
	p.mistakes.add(path, why+" Rename one of the two.")
}

func (p *planner) providers() {
	kept := map[string]bool{}
	for id, old := range p.live.Providers {
		if declared(old.ManagedBy) {
			p.ids[old.Name], kept[id] = id, true
		}
	}
	for i := range p.doc.Providers {
		d := &p.doc.Providers[i]
		at := fmt.Sprintf("providers[%d]", i)
		if _, taken := p.ids[d.Name]; taken {
			p.taken(at+".name", d.Name)
			continue
		}
		next, ok := p.provider(at, d)
		if !ok {
			continue
		}
		p.ids[next.Name], kept[next.ID] = next.ID, true
		if old := p.live.Providers[next.ID]; old == nil || !sameProvider(old, next) {
			p.plan.Batch.PutProviders = append(p.plan.Batch.PutProviders, *next)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.live.Providers)) {
		if !kept[id] {
			p.plan.Batch.DropProviders = append(p.plan.Batch.DropProviders, id)
		}
	}
}

// known finds the provider that a document means: the live one of its id or else of its name,
// or the one that was.
func (p *planner) known(d *point.DocumentProvider) (old *point.Provider, live bool) {
	same := func(x *point.Provider) bool { return x != nil && x.Kind == d.Kind && !declared(x.ManagedBy) }
	if x := p.live.Providers[d.ID]; same(x) {
		return x, true
	}
	if x, ok := p.live.Provider(d.Name); ok && same(x) && !p.wanted(x.ID) {
		return x, true
	}
	if x := p.parked[d.ID]; same(x) {
		return x, false
	}
	return nil, false
}

// wanted reports whether the document has a provider of an id.
func (p *planner) wanted(id string) bool {
	return slices.ContainsFunc(p.doc.Providers, func(d point.DocumentProvider) bool { return d.ID == id })
}

// provider is d as it is to be live.
func (p *planner) provider(at string, d *point.DocumentProvider) (*point.Provider, bool) {
	kind, _ := provider.Lookup(d.Kind)
	old, live := p.known(d)
	if d.ManagedBy == point.ManagedByDemo {
		return p.demo(at, d, old)
	}
	next := &point.Provider{ID: d.ID, Name: d.Name, Type: point.TypeAPI, Kind: d.Kind, Status: d.Status}
	var before point.ProviderConfig
	if old != nil {
		next.ID, before = old.ID, old.Config
	}
	if !live {
		before.AllowPrivate = false // whoever brings it back must be allowed to
	}
	if next.ID == "" || old == nil && p.idTaken(next.ID) {
		next.ID = p.newID()
	}
	if next.Status == "" {
		next.Status = point.StatusActive
	}
	gone := map[string]bool{}
	next.Config = provider.ReadStored(kind, d.Config, &before, p.rules.Grant, point.Fault(p.mistakes.add).In(at+".config."), func(name string) { gone[name] = true })
	p.missing(d, next, gone)
	p.aside(at, d.Name, &before, &next.Config)
	if len(gone) > 0 {
		next.Status = point.StatusInactive
		p.find(at+".secrets", d.Name, "It becomes inactive, since these secrets are not there for the place that it leads to: %s. Give them to the provider, then activate it.", join(listed(gone, d.Secrets)))
	}
	return next, true
}

func (p *planner) newID() string { return store.NewID(time.Now()) }

// idTaken reports whether an id belongs to a provider of another kind, which is or was live.
func (p *planner) idTaken(id string) bool {
	return p.live.Providers[id] != nil || p.parked[id] != nil
}

// missing adds to gone the secrets that a document speaks of and the provider has not. One key
// stands for another: they may have been exchanged since.
func (p *planner) missing(d *point.DocumentProvider, next *point.Provider, gone map[string]bool) {
	has := len(next.Config.Credentials()) > 0 || next.Config.APIKeyEnv != ""
	for _, name := range d.Secrets {
		_, there := next.Config.Secrets[name]
		if !there && (!point.IsCredential(name) || !has) {
			gone[name] = true
		}
	}
}

// listed are the secrets to tell of, all at once: those that are gone, but for the key under the name
// by which the kind asks for it, where the document lists it under another.
func listed(gone map[string]bool, names []string) map[string]bool {
	credential := func(name string) bool { return gone[name] && point.IsCredential(name) }
	if !slices.ContainsFunc(names, credential) {
		return gone
	}
	tell := map[string]bool{}
	for name := range gone {
		if !point.IsCredential(name) || slices.Contains(names, name) {
			tell[name] = true
		}
	}
	return tell
}

// aside tells which secrets are put aside: none is lost by an activation.
func (p *planner) aside(at, name string, before, next *point.ProviderConfig) {
	kept := map[string]bool{}
	for full, secret := range next.Parked {
		if before.Parked[full] != secret {
			secret, _, _ := strings.Cut(full, point.SecretParked)
			kept[secret] = true
		}
	}
	if len(kept) > 0 {
		p.find(at+".secrets", name, "It leads to another place now, or takes its key from a variable. These secrets are kept aside until it changes back: %s.", join(kept))
	}
}

// demo is a simulated service's provider: where it is only Point itself knows.
func (p *planner) demo(at string, d *point.DocumentProvider, old *point.Provider) (*point.Provider, bool) {
	if old == nil || old.ManagedBy != point.ManagedByDemo {
		p.find(at, d.Name, "The simulated services are not there, so this provider of theirs is left out.")
		return nil, false
	}
	next := *old
	next.DeletedAt = nil
	if d.Status != "" {
		next.Status = d.Status
	}
	return &next, true
}

func sameProvider(a, b *point.Provider) bool {
	return a.Name == b.Name && a.Status == b.Status && a.ManagedBy == b.ManagedBy && SameConfig(&a.Config, &b.Config)
}

// SameConfig reports whether two configs and their secrets, also those that are put aside, are
// alike.
func SameConfig(a, b *point.ProviderConfig) bool {
	plainA, plainB := *a, *b
	plainA.Secrets, plainB.Secrets, plainA.Parked, plainB.Parked = nil, nil, nil, nil
	for _, c := range []*point.ProviderConfig{&plainA, &plainB} {
		if len(c.Options) == 0 {
			c.Options = nil
		}
		if len(c.Models) == 0 {
			c.Models = nil
		}
	}
	return sameJSON(plainA.Options, plainB.Options) && maps.Equal(a.Kept(), b.Kept()) && func() bool {
		plainA.Options, plainB.Options = nil, nil
		return reflect.DeepEqual(plainA, plainB)
	}()
}

func (p *planner) endpoints() {
	want := map[string]int{}
	for i, e := range p.doc.Endpoints {
		want[e.Path] = i
	}
	for _, path := range slices.Sorted(maps.Keys(p.live.Endpoints)) {
		old := p.live.Endpoints[path]
		i, inDoc := want[path]
		switch {
		case declared(old.ManagedBy) && inDoc:
			p.find(fmt.Sprintf("endpoints[%d]", i), path, "The configuration file declares this endpoint, which stays as it is.")
			continue
		case declared(old.ManagedBy):
			continue
		}
		next := *old
		next.Active, next.Mapping = true, nil
		if inDoc {
			next.Active, next.Mapping = p.doc.Endpoints[i].Active, p.mapping(fmt.Sprintf("endpoints[%d].mapping.", i), p.doc.Endpoints[i].Mapping)
		}
		if next.Active != old.Active || !sameJSON(next.Mapping, named(old.Mapping, nil)) {
			p.plan.Batch.PutEndpoints = append(p.plan.Batch.PutEndpoints, next)
		}
	}
}

// mapping is m with its providers by id.
func (p *planner) mapping(at string, m *point.Mapping) *point.Mapping {
	if m == nil {
		return nil
	}
	targets := func(way string, list []point.TargetRef) {
		for i, t := range list {
			p.target(fmt.Sprintf("%s%s[%d].provider", at, way, i), t.Provider)
		}
	}
	targets("fallbacks", m.Fallbacks)
	for i, r := range m.Rules {
		targets(fmt.Sprintf("rules[%d].targets", i), r.Targets)
		targets(fmt.Sprintf("rules[%d].fallbacks", i), r.Fallbacks)
	}
	return named(m, p.ids)
}

// target is the id of a provider that something at a place refers to by name.
func (p *planner) target(at, name string) string {
	switch id, ok := p.ids[name]; {
	case ok:
		return id
	case isID(name):
		p.find(at, name, "This leads to a provider that was deleted; it is kept and leads nowhere.")
	default:
		p.mistakes.add(at, "There is no provider of this name.")
	}
	return name
}

func (p *planner) aliases() {
	known := map[string]point.Alias{}
	for _, a := range p.live.aliases {
		known[a.Name] = a
	}
	for i, d := range p.doc.Aliases {
		old, there := known[d.Name]
		if delete(known, d.Name); there && declared(old.ManagedBy) {
			p.taken(fmt.Sprintf("aliases[%d].name", i), d.Name)
			continue
		}
		if !there || old.Target != d.Target {
			p.plan.Batch.PutAliases = append(p.plan.Batch.PutAliases, point.Alias{Name: d.Name, Target: d.Target, ManagedBy: old.ManagedBy})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !declared(known[name].ManagedBy) {
			p.plan.Batch.DropAliases = append(p.plan.Batch.DropAliases, name)
		}
	}
}

func (p *planner) settings() {
	next := p.doc.Settings
	next.DefaultMapping = p.mapping("settings.default_mapping.", next.DefaultMapping)
	now := p.live.Settings
	now.DefaultMapping = named(now.DefaultMapping, nil)
	if !sameJSON(next, now) {
		p.plan.Batch.PutSettings = &next
	}
}
