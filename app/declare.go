package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"point"
	"point/config"
	"point/store"
	"point/store/document"
)

// fileActor makes the changes that the configuration file asks for.
var fileActor = point.Actor{Kind: point.ActorSystem, Name: "configuration file"}

// declareTries is how often a declaration begins anew because somebody changed the configuration
// meanwhile.
const declareTries = 20

// declared makes the sections of the file live, whole or not at all. What is live already is no
// change.
func (p *provisioner) declared(ctx context.Context) error {
	ctx = point.WithActor(ctx, fileActor)
	for range declareTries {
		d, err := p.declaration(ctx)
		if err != nil {
			return err
		}
		if d.empty() {
			return nil
		}
		err = p.store.Apply(ctx, &d.batch)
		if err == nil {
			p.tellDeclared(&d.batch)
			return nil
		}
		if !errors.Is(err, store.ErrStale) {
			return fmt.Errorf("apply the configuration file: %w", err)
		}
		if err := p.store.Refresh(ctx); err != nil {
			return err
		}
	}
	return store.ErrStale
}

// tellDeclared logs what the file changed.
func (p *provisioner) tellDeclared(b *store.Batch) {
	p.log.Info("configuration file applied", "file", b.Subject,
		"providers", len(b.PutProviders), "providers_removed", len(b.DropProviders), "endpoints", len(b.PutEndpoints),
		"aliases", len(b.PutAliases), "aliases_removed", len(b.DropAliases), "keys", len(b.PutKeys), "keys_removed", len(b.DropKeys),
		"alert_rules", len(b.PutAlertRules), "alert_rules_removed", len(b.DropAlertRules))
}

// declaration is what has to change for the file to be live.
type declaration struct {
	cfg   *config.Config
	live  *point.Snapshot
	batch store.Batch

	keyIDs map[string]string // of the declared client keys, by name
}

func (p *provisioner) declaration(ctx context.Context) (*declaration, error) {
	d := &declaration{cfg: p.cfg, live: p.store.Snapshot(), keyIDs: map[string]string{}}
	d.batch = store.Batch{Action: point.RevisionDeclare, Subject: p.cfg.File, Base: d.live.Version, ForgetSecrets: true}
	aliases, err := p.store.ListAliases(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.providers(p.providers()); err != nil {
		return nil, err
	}
	d.endpoints()
	d.aliases(aliases)
	if err := d.keys(); err != nil {
		return nil, err
	}
	return d, d.alertRules()
}

func (d *declaration) empty() bool {
	b := &d.batch
	return len(b.PutProviders)+len(b.DropProviders)+len(b.PutEndpoints)+len(b.PutAliases)+len(b.DropAliases)+len(b.PutKeys)+len(b.DropKeys)+len(b.PutAlertRules)+len(b.DropAlertRules) == 0
}

// providers brings the declared providers, which known ones of the same name and kind become.
func (d *declaration) providers(known map[string]*point.Provider) error {
	list, _ := declaredProviders(d.cfg)
	wanted := map[string]bool{}
	for _, next := range list {
		old := known[next.Name]
		wanted[next.Name] = true
		if old != nil && old.ManagedBy != point.ManagedByFile && !replaceable(old) {
			return d.problem("the provider %q was made in the console already: delete it there or rename one.", next.Name)
		}
		switch {
		case old == nil:
			next.ID = store.NewID(time.Now())
		case old.Kind != next.Kind || old.Type != next.Type:
			d.batch.DropProviders = append(d.batch.DropProviders, old.ID)
			next.ID = store.NewID(time.Now())
		case sameProvider(old, &next):
			continue
		default:
			next.ID = old.ID
		}
		d.batch.PutProviders = append(d.batch.PutProviders, next)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if old := known[name]; old.ManagedBy == point.ManagedByFile && !wanted[name] {
			d.batch.DropProviders = append(d.batch.DropProviders, old.ID)
		}
	}
	return nil
}

// problem is one thing that keeps the file from being taken.
func (d *declaration) problem(format string, args ...any) config.Problems {
	return config.Problems{{Where: filepath.Base(d.cfg.File), What: fmt.Sprintf(format, args...)}}
}

// replaceable reports whether p may give way to a declared provider of the same name.
func replaceable(p *point.Provider) bool {
	return p.ManagedBy == point.ManagedByEnv || p.ManagedBy == point.ManagedByDemo
}

func sameProvider(a, b *point.Provider) bool {
	return a.Status == b.Status && a.ManagedBy == b.ManagedBy && document.SameConfig(&a.Config, &b.Config)
}

// endpoints brings the declared endpoints. One that is declared no more is as it was made, and
// the console's again: its mapping would lead to providers that went with the file.
func (d *declaration) endpoints() {
	want := map[string]config.Endpoint{}
	for _, e := range d.cfg.Declared.Endpoints {
		want[e.Path] = e
	}
	for _, path := range slices.Sorted(maps.Keys(d.live.Endpoints)) {
		old := d.live.Endpoints[path]
		next := *old
		if declared, ok := want[path]; ok {
			next.Active, next.Mapping, next.ManagedBy = declared.Active, declared.Mapping, point.ManagedByFile
		} else if old.ManagedBy == point.ManagedByFile {
			next.Active, next.Mapping, next.ManagedBy = true, nil, point.ManagedByUser
		}
		if old.ManagedBy != next.ManagedBy || !sameJSON(old.Document(), next.Document()) {
			d.batch.PutEndpoints = append(d.batch.PutEndpoints, next)
		}
	}
}

func (d *declaration) aliases(known []point.Alias) {
	want := map[string]point.Alias{}
	for _, a := range d.cfg.Declared.Aliases {
		want[a.Name] = a
	}
	for _, old := range known {
		next, ok := want[old.Name]
		switch {
		case ok && old.ManagedBy == point.ManagedByFile && old.Target == next.Target:
			delete(want, old.Name)
		case !ok && old.ManagedBy == point.ManagedByFile:
			d.batch.DropAliases = append(d.batch.DropAliases, old.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		d.batch.PutAliases = append(d.batch.PutAliases, want[name])
	}
}

// keys brings the declared client keys, which known ones of the same token become, and takes
// away those that are declared no more.
func (d *declaration) keys() error {
	names := map[[32]byte]string{}
	for i := range d.cfg.Declared.Keys {
		declared := &d.cfg.Declared.Keys[i]
		next := declared.Key
		if !declared.Token.IsZero() {
			next.Hash = point.HashToken(d.live.KeySecret, declared.Token.Reveal())
		}
		if other, twice := names[next.Hash]; twice {
			return d.problem("the keys %q and %q have the same token: give one of them another.", other, next.Name)
		}
		names[next.Hash] = next.Name
		old, known := d.live.Keys[next.Hash]
		if known {
			d.keyIDs[next.Name] = old.ID
		}
		switch {
		case !known:
			next.ID, next.Prefix = store.NewID(time.Now()), store.KeyPrefix(declared.Token)
			d.keyIDs[next.Name] = next.ID
		case sameKey(old, &next):
			continue
		default:
			next.ID, next.OwnerID = old.ID, old.OwnerID
		}
		d.batch.PutKeys = append(d.batch.PutKeys, next)
	}
	for hash, old := range d.live.Keys {
		if _, wanted := names[hash]; old.ManagedBy == point.ManagedByFile && !wanted {
			d.batch.DropKeys = append(d.batch.DropKeys, old.ID)
		}
	}
	slices.Sort(d.batch.DropKeys)
	return nil
}

// sameKey reports whether two keys are alike in what a file says of a key.
func sameKey(a, b *point.Key) bool {
	one, other := a.Document(), b.Document()
	one.ID, other.ID = "", ""
	sameEnd := a.ExpiresAt == nil && b.ExpiresAt == nil || a.ExpiresAt != nil && b.ExpiresAt != nil && a.ExpiresAt.Equal(*b.ExpiresAt)
	return sameEnd && a.Status == b.Status && a.ManagedBy == b.ManagedBy && sameJSON(one, other)
}

// sameJSON reports whether two values are alike in JSON, which both can be written in.
func sameJSON(a, b any) bool {
	one, errOne := json.Marshal(a)
	other, errOther := json.Marshal(b)
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}
