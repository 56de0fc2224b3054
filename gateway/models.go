package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"point"
	"point/adapter/provider"
)

const (
	discoverEvery  = 10 * time.Minute
	discoverAgain  = time.Minute // after a failure
	discoverLimit  = 10 * time.Second
	discoverAtOnce = 4
	maxModelList   = 8 << 20
)

// Models knows which models each provider has: its explicit list, else what the service
// itself told, else what the embedded catalogue knows of its kind or the operator sends to it.
type Models struct {
	gateway *Gateway
	config  point.Snapshots
	known   func(kind string) []string
	lists   sync.Map // provider id -> *discovered
	sets    sync.Map // kind -> map[string]bool, of what is known; it never changes
}

// discovered is what a service told about its models.
type discovered struct {
	provider *point.Provider
	ids      []string
	has      map[string]bool
	due      time.Time
	err      error
}

// NewModels makes a Models; known is the catalogue's list of a kind.
func NewModels(g *Gateway, config point.Snapshots, known func(kind string) []string) *Models {
	return &Models{gateway: g, config: config, known: known}
}

// List is p's models, sorted as the service or the operator lists them. Where the catalogue's are
// not shown (see provider.Listing), they are those that mappings and aliases send to p.
func (m *Models) List(p *point.Provider) []string {
	if list := named(p); len(list) > 0 {
		return list
	}
	if d := m.discovered(p); d != nil && d.err == nil {
		return d.ids
	}
	if listing(p) != provider.ListingSure {
		return mapped(m.config.Snapshot(), p)
	}
	return m.known(p.Kind)
}

func listing(p *point.Provider) provider.Listing {
	if kind, ok := provider.Lookup(p.Kind); ok {
		return kind.Listing
	}
	return provider.ListingSure
}

// mapped are the models that mappings and aliases send to p, sorted.
func mapped(s *point.Snapshot, p *point.Provider) []string {
	var list []string
	add := func(refs []point.TargetRef) {
		for _, ref := range refs {
			if ref.Model != "" && (ref.Provider == p.ID || ref.Provider == p.Name) {
				list = append(list, ref.Model)
			}
		}
	}
	mappings := []*point.Mapping{&s.Default}
	for _, e := range s.Endpoints {
		if e.Mapping != nil {
			mappings = append(mappings, e.Mapping)
		}
	}
	for _, mapping := range mappings {
		add(mapping.Fallbacks)
		for i := range mapping.Rules {
			add(mapping.Rules[i].Targets)
			add(mapping.Rules[i].Fallbacks)
		}
	}
	for _, target := range s.Aliases {
		if to, model := s.SplitModel(target); to == p {
			list = append(list, model)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// named are the models that p's settings name, its explicit list first of all.
func named(p *point.Provider) []string {
	if len(p.Config.Models) > 0 {
		return p.Config.Models
	}
	if kind, ok := provider.Lookup(p.Kind); ok {
		return kind.Named(&p.Config)
	}
	return nil
}

// Discover asks p's service for its models, now. What it says is not kept: p may not be saved.
func (m *Models) Discover(ctx context.Context, p *point.Provider) ([]string, error) {
	return m.gateway.ListModels(ctx, p)
}

// Has reports whether p has model, as far as is known.
func (m *Models) Has(p *point.Provider, model string) bool {
	if list := named(p); len(list) > 0 {
		return slices.Contains(list, model)
	}
	if d := m.discovered(p); d != nil && d.err == nil {
		return d.has[model]
	}
	return m.set(p.Kind)[model]
}

// set is the catalogue's list of a kind, to look names up in.
func (m *Models) set(kind string) map[string]bool {
	if known, ok := m.sets.Load(kind); ok {
		return known.(map[string]bool)
	}
	set := setOf(m.known(kind))
	m.sets.Store(kind, set)
	return set
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// Serves reports whether p's kind has the ability that path needs.
func (m *Models) Serves(p *point.Provider, path string) bool {
	if p.Type == point.TypeWeb {
		return path == point.PathChat
	}
	kind, ok := provider.Lookup(p.Kind)
	return ok && kind.Serves(path)
}

func (m *Models) discovered(p *point.Provider) *discovered {
	if d, ok := m.lists.Load(p.ID); ok {
		return d.(*discovered)
	}
	return nil
}

// Run asks the services for their models, at once for a new or changed provider and from
// time to time for the others, until ctx ends.
func (m *Models) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		m.refresh(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// refresh asks those services whose list is missing or due.
func (m *Models) refresh(ctx context.Context) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, discoverAtOnce)
	now := time.Now()
	for _, p := range m.config.Snapshot().Providers {
		d := m.discovered(p)
		fresh := d != nil && d.provider == p && now.Before(d.due)
		if !p.Active() || p.Type != point.TypeAPI || len(named(p)) > 0 || listing(p) == provider.ListingWishes || fresh {
			continue
		}
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			defer m.survive(p)
			m.lists.Store(p.ID, m.ask(ctx, p, d))
		})
	}
	wait.Wait()
}

// survive keeps a service whose list breaks its reader from taking the process down. It is
// asked again when lists are due, like one that could not be reached.
func (m *Models) survive(p *point.Provider) {
	fault := recover()
	if fault == nil {
		return
	}
	m.gateway.options.Log.Error("reading a model list panicked", "provider", p.Name, "panic", fault, "stack", string(debug.Stack()))
	d := &discovered{provider: p, due: time.Now().Add(discoverAgain), err: errors.New("its list cannot be read")}
	m.lists.Store(p.ID, d)
}

// ask fetches p's list. A failure keeps the list that was known.
func (m *Models) ask(ctx context.Context, p *point.Provider, before *discovered) *discovered {
	ids, err := m.gateway.ListModels(ctx, p)
	if err != nil {
		d := &discovered{provider: p, err: err, due: time.Now().Add(discoverAgain)}
		if before != nil && before.err == nil {
			d.ids, d.has, d.err = before.ids, before.has, nil
		}
		m.gateway.options.Log.Debug("model list not available", "provider", p.Name, "error", err)
		return d
	}
	return &discovered{provider: p, ids: ids, has: setOf(ids), due: time.Now().Add(discoverEvery)}
}

// ListModels asks a service for its models. Of several lists those are enough that it tells; an
// error is that of the first.
func (g *Gateway) ListModels(ctx context.Context, p *point.Provider) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverLimit)
	defer cancel()
	b, err := g.backend(p)
	if err != nil {
		return nil, err
	}
	lists := b.kind.ModelLists(&p.Config)
	if len(lists) == 0 {
		return nil, fmt.Errorf("services of kind %s have no list of models", p.Kind)
	}
	var all []string
	seen := map[string]bool{}
	var failed []error
	for _, list := range lists {
		ids, err := g.listModels(ctx, b, list)
		if err != nil {
			failed = append(failed, err)
		}
		for _, id := range ids {
			if !seen[id] && len(all) < provider.MaxModels {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	if len(failed) == len(lists) {
		return nil, failed[0]
	}
	return all, nil
}

// listModels asks for one list.
func (g *Gateway) listModels(ctx context.Context, b *backend, list provider.ModelList) ([]string, error) {
	p := b.provider
	a := &attempt{backend: b, key: b.keys[0], exchange: &provider.Exchange{Outbound: list.Outbound}, ctx: ctx}
	if list.Base != "" {
		base, err := url.Parse(list.Base)
		if err != nil {
			return nil, fmt.Errorf("listing models of %s: %w", p.Name, err)
		}
		a.base = base
	}
	request, err := g.request(a)
	if err != nil {
		return nil, a.told(err)
	}
	response, err := g.transport(p, defaultConnect).RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("listing models of %s: %w", p.Name, a.failure(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxModelList))
	if err != nil {
		return nil, fmt.Errorf("listing models of %s: %w", p.Name, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, a.told(b.kind.Failure(response.StatusCode, response.Header, body))
	}
	return list.Read(body)
}
