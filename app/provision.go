package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"point"
	"point/config"
	"point/monitor"
	"point/store"
)

// provisioner brings into the store what the file, the environment and demo mode declare. An
// object belongs to whoever declared it; nothing is mixed.
type provisioner struct {
	store *store.Store
	cfg   *config.Config
	log   *slog.Logger
	self  string // id of this process
}

// alertRules makes the rules of a fresh installation.
func (p *provisioner) alertRules(ctx context.Context) error {
	ctx = point.WithActor(ctx, startActor)
	return p.store.SeedAlertRules(ctx, monitor.DefaultRules())
}

// startActor makes what an installation has from its start.
var startActor = point.Actor{Kind: point.ActorSystem, Name: "start"}

// environmentActor makes the changes that variables ask for.
var environmentActor = point.Actor{Kind: point.ActorSystem, Name: "environment"}

// environment makes a provider for each well-known variable that is set, unless the operator
// has one of that name.
func (p *provisioner) environment(ctx context.Context) error {
	ctx = point.WithActor(ctx, environmentActor)
	declared, _ := declaredProviders(p.cfg)
	want, known := map[string]*point.Provider{}, p.providers()
	for _, one := range environmentProviders(p.cfg.Getenv, declared) {
		if other, taken := known[one.Name]; !taken || other.ManagedBy == point.ManagedByEnv {
			want[one.Name] = &one
		}
	}
	// The variables of another process are not these.
	shared, err := p.othersLive(ctx)
	if err != nil {
		return err
	}
	for name, one := range known {
		if _, wanted := want[name]; shared && !wanted && one.ManagedBy == point.ManagedByEnv {
			want[name] = one
			p.log.Info("provider kept, another Point may have its variable", "provider", name, "variable", one.Config.APIKeyEnv)
		}
	}
	return p.sync(ctx, point.ManagedByEnv, want)
}

// silent is how long a process may not have been heard of before it counts as gone: three beats.
const silent = 15 * time.Second

// othersLive reports whether another process runs on this database.
func (p *provisioner) othersLive(ctx context.Context) (bool, error) {
	instances, err := p.store.Instances(ctx)
	return slices.ContainsFunc(instances, func(i point.Instance) bool {
		return i.ID != p.self && i.State != monitor.StateDraining && time.Since(i.SeenAt) < silent
	}), err
}

// providers are those in the store, by name.
func (p *provisioner) providers() map[string]*point.Provider {
	byName := map[string]*point.Provider{}
	for _, known := range p.store.Snapshot().Providers {
		byName[known.Name] = known
	}
	return byName
}

// sync makes the providers that one owner manages be those it wants.
func (p *provisioner) sync(ctx context.Context, owner string, want map[string]*point.Provider) error {
	known := p.providers()
	for name, old := range known {
		if _, wanted := want[name]; old.ManagedBy == owner && !wanted {
			if err := p.store.DeleteProvider(ctx, old.ID, old.Version); err != nil {
				return err
			}
			p.log.Info("provider removed, it is no longer declared", "provider", name, "managed_by", owner)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		next := *want[name]
		next.ManagedBy = owner
		if err := p.put(ctx, known[name], &next); err != nil {
			return fmt.Errorf("provider %s: %w", name, err)
		}
	}
	return nil
}

// put makes or changes one provider. One that another owner has is replaced whole.
func (p *provisioner) put(ctx context.Context, old, next *point.Provider) error {
	switch {
	case old == nil:
		return p.store.CreateProvider(ctx, next)
	case old.Kind != next.Kind || old.Type != next.Type:
		if err := p.store.DeleteProvider(ctx, old.ID, old.Version); err != nil {
			return err
		}
		return p.store.CreateProvider(ctx, next)
	case sameProvider(old, next):
		return nil
	}
	next.ID, next.Version, next.CreatedAt = old.ID, old.Version, old.CreatedAt
	return p.store.UpdateProvider(ctx, next)
}

// putKey makes or changes a key, found by its hash.
func (p *provisioner) putKey(ctx context.Context, key *point.Key, token point.Secret) error {
	old, ok := p.store.Snapshot().Keys[key.Hash]
	if !ok {
		return p.store.CreateKey(ctx, key, token)
	}
	next := *key
	next.ID, next.Prefix, next.OwnerID, next.Version = old.ID, old.Prefix, old.OwnerID, old.Version
	next.CreatedAt, next.UpdatedAt = old.CreatedAt, old.UpdatedAt
	if sameKey(old, &next) {
		return nil
	}
	return p.store.UpdateKey(ctx, store.All(), &next)
}

// dropKeys deletes the keys of an owner that are not wanted.
func (p *provisioner) dropKeys(ctx context.Context, owner string, wanted map[[32]byte]bool) error {
	for hash, old := range p.store.Snapshot().Keys {
		if old.ManagedBy != owner || wanted[hash] {
			continue
		}
		if err := p.store.DeleteKey(ctx, store.All(), old.ID, old.Version); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// bootstrap brings the key of POINT_BOOTSTRAP_KEY, and takes away an earlier one.
func (p *provisioner) bootstrap(ctx context.Context) error {
	ctx = point.WithActor(ctx, environmentActor)
	wanted := map[[32]byte]bool{}
	if token := p.cfg.BootstrapKey; !token.IsZero() {
		key := &point.Key{
			Name: "bootstrap", Status: point.StatusActive, ManagedBy: point.ManagedByEnv,
			Hash: point.HashToken(p.store.Snapshot().KeySecret, token.Reveal()),
		}
		wanted[key.Hash] = true
		if err := p.putKey(ctx, key, token); err != nil {
			return fmt.Errorf("POINT_BOOTSTRAP_KEY: %w", err)
		}
	}
	return p.dropKeys(ctx, point.ManagedByEnv, wanted)
}
