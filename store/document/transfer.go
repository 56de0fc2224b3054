package document

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"point"
	"point/adapter/provider"
	"point/store"
)

// Export is the live configuration; with a passphrase its secrets are in it, sealed.
func Export(ctx context.Context, s *store.Store, passphrase point.Secret) (*Imported, error) {
	l, err := read(ctx, s)
	if err != nil {
		return nil, err
	}
	out := &Imported{Document: *l.document()}
	if passphrase.IsZero() {
		return out, nil
	}
	secrets := Secrets{}
	for _, p := range l.Providers {
		if declared(p.ManagedBy) || p.ManagedBy == point.ManagedByDemo {
			continue
		}
		for name, secret := range p.Config.Secrets {
			if secrets[p.Name] == nil {
				secrets[p.Name] = map[string]point.Secret{}
			}
			secrets[p.Name][provider.BoundTo(p.Kind, name, &p.Config)] = secret
		}
	}
	out.Sealed, err = Seal(secrets, passphrase)
	return out, err
}

// Importing is how a document is imported.
type Importing struct {
	Passphrase     point.Secret // opens what is sealed in it
	WithoutSecrets bool         // what is sealed stays out, if there is no passphrase
	DryRun         bool         // find out what would be found, and save nothing
	Allow          Allow        // asked about providers, if some would get secrets; nil: all is allowed

	// Opening is called before something is opened, which takes as much memory as a password, and
	// leave after it; nil: nobody waits.
	Opening func(context.Context) (leave func(), err error)
}

// ErrNoPassphrase: something is sealed, and nobody said to leave it out.
var ErrNoPassphrase = errors.New("the configuration holds sealed secrets: give its passphrase, or say that it is to be imported without them")

// SecretsLeftOut tells of an import without the passphrase of what is sealed.
var SecretsLeftOut = Finding{"sealed", "", "The file holds sealed secrets, which stay out: import it with its passphrase to have them."}

// open gives the secrets that are sealed in a document.
func (how *Importing) open(ctx context.Context, x *Sealed) (Secrets, []Finding, error) {
	switch {
	case x == nil:
		return nil, nil, nil
	case how.Passphrase.IsZero() && !how.WithoutSecrets:
		return nil, nil, ErrNoPassphrase
	case how.Passphrase.IsZero():
		return nil, []Finding{SecretsLeftOut}, nil
	}
	if how.Opening != nil {
		leave, err := how.Opening(ctx)
		if err != nil {
			return nil, nil, err
		}
		defer leave()
	}
	secrets, err := x.Open(how.Passphrase)
	if err == nil {
		err = secrets.bound()
	}
	return secrets, nil, err
}

// bound refuses secrets that are not bound to a place: who made the file could give them to a
// provider wherever it leads.
func (s Secrets) bound() error {
	for _, own := range s {
		for full := range own {
			if name, place, _ := strings.Cut(full, point.SecretParked); name == "" || place == "" {
				return Mistakes{{Path: "sealed", What: "A secret in it does not say which place it is for. Export it again."}}
			}
		}
	}
	return nil
}

// Import saves what was read under c's name, and keeps the secrets that are sealed in it for
// providers that have none. Nothing becomes live, but for a secret that a live provider lacks. A
// secret is given to the place that it was exported for alone, and else put aside.
func Import(ctx context.Context, s *store.Store, in *Imported, c *point.Configuration, how Importing) ([]Finding, error) {
	secrets, findings, err := how.open(ctx, in.Sealed)
	if err != nil {
		return nil, err
	}
	if err := Number(ctx, s, &in.Document); err != nil {
		return nil, err
	}
	c.Document = encode(in.Document)
	for range tries {
		b := &store.Batch{Base: s.Snapshot().Version, SaveConfiguration: c}
		told, err := place(ctx, s, &in.Document, secrets, b)
		if err != nil {
			return nil, err
		}
		if given := entities(b); how.Allow != nil && len(given) > 0 {
			if err := how.Allow(given); err != nil {
				return nil, err
			}
		}
		if how.DryRun {
			return append(findings, told...), nil
		}
		if err := s.Apply(ctx, b); !errors.Is(err, store.ErrStale) {
			return append(findings, told...), err
		}
		if err := s.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return nil, store.ErrStale
}

// place puts secrets where there are none.
func place(ctx context.Context, s *store.Store, d *point.Document, secrets Secrets, b *store.Batch) (findings []Finding, err error) {
	parked, err := s.ParkedProviders(ctx, idsOf(d))
	if err != nil {
		return nil, err
	}
	live := s.Snapshot()
	for i := range d.Providers {
		p := &d.Providers[i]
		if len(secrets[p.Name]) == 0 || p.ManagedBy == point.ManagedByDemo {
			continue
		}
		old, isLive := live.Providers[p.ID]
		if !isLive {
			old = parked[p.ID]
		}
		g := giveSecrets(p, old, secrets[p.Name])
		findings = append(findings, g.findings(fmt.Sprintf("providers[%d].secrets", i), p.Name)...)
		switch {
		case !g.added:
		case old == nil:
			b.ParkProviders = append(b.ParkProviders, g.next)
		case isLive:
			b.PutProviders = append(b.PutProviders, g.next)
		default:
			b.ParkSecrets = append(b.ParkSecrets, g.next)
		}
	}
	return findings, nil
}

// given is what became of a provider's sealed secrets.
type given struct {
	next        point.Provider
	added       bool            // next has more than the provider had
	kept, aside map[string]bool // those it has already; those that are for another place
}

// giveSecrets gives a provider, nil for one that was never here, the secrets that it lacks.
func giveSecrets(d *point.DocumentProvider, old *point.Provider, sealed map[string]point.Secret) given {
	if old == nil {
		old = stranger(d)
	}
	g := given{next: *old, kept: map[string]bool{}, aside: map[string]bool{}}
	c := &g.next.Config
	c.Secrets, c.Parked = copied(c.Secrets), copied(c.Parked)
	had := len(c.Credentials()) > 0 || c.APIKeyEnv != ""
	for full, secret := range sealed {
		name, _, _ := strings.Cut(full, point.SecretParked)
		_, there := c.Secrets[name]
		_, apart := c.Parked[full]
		switch here := full == provider.BoundTo(d.Kind, name, c); {
		case here && (there || point.IsCredential(name) && had), apart:
			g.kept[name] = true
			continue
		case here:
			c.Secrets[name] = secret
		default:
			c.Parked[full], g.aside[name] = secret, true
		}
		g.added = true
	}
	return g
}

func copied(secrets map[string]point.Secret) map[string]point.Secret {
	if secrets == nil {
		return map[string]point.Secret{}
	}
	return maps.Clone(secrets)
}

func (g *given) findings(at, name string) (list []Finding) {
	if len(g.kept) > 0 {
		list = append(list, Finding{at, name, "The provider has these secrets already; they stay as they are: " + join(g.kept) + "."})
	}
	if len(g.aside) > 0 {
		list = append(list, Finding{at, name, "These secrets were exported for another base URL than the provider has. They are kept aside, and are sent nowhere until it has that one: " + join(g.aside) + "."})
	}
	return list
}

// stranger is a provider of a document that was never here.
func stranger(d *point.DocumentProvider) *point.Provider {
	kind, _ := provider.Lookup(d.Kind)
	config := provider.ReadStored(kind, d.Config, nil, provider.Grant{}, func(string, string, ...any) {}, func(string) {})
	return &point.Provider{ID: d.ID, Name: d.Name, Type: point.TypeAPI, Kind: d.Kind, Status: point.StatusInactive, Config: config, CreatedAt: time.Now()}
}
