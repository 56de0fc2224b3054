package document

import (
	"context"
	"errors"
	"fmt"
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
		if !declared(p.ManagedBy) && p.ManagedBy != point.ManagedByDemo && len(p.Config.Secrets) > 0 {
			secrets[p.Name] = p.Config.Secrets
		}
	}
	out.Sealed, err = Seal(secrets, passphrase)
	return out, err
}

// Import saves what was read under c's name, and keeps the secrets that are sealed in it, opened
// by passphrase, for providers that have none. Nothing becomes live, but for a secret that a live
// provider lacks.
func Import(ctx context.Context, s *store.Store, in *Imported, c *point.Configuration, passphrase point.Secret) ([]Finding, error) {
	var secrets Secrets
	var findings []Finding
	switch {
	case in.Sealed != nil && passphrase.IsZero():
		findings = append(findings, Finding{"sealed", "", "The file holds sealed secrets, which stay out: import it with its passphrase to have them."})
	case in.Sealed != nil:
		var err error
		if secrets, err = in.Sealed.Open(passphrase); err != nil {
			return nil, err
		}
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
		own := secrets[p.Name]
		at := fmt.Sprintf("providers[%d].secrets", i)
		if len(own) == 0 || p.ManagedBy == point.ManagedByDemo {
			continue
		}
		old, isLive := live.Providers[p.ID]
		if !isLive {
			old = parked[p.ID]
		}
		next, kept := withSecrets(p, old, own)
		if len(kept) > 0 {
			findings = append(findings, Finding{at, p.Name, "The provider has these secrets already, or leads to another place; they stay as they are: " + join(kept) + "."})
		}
		switch {
		case next == nil:
		case old == nil:
			b.ParkProviders = append(b.ParkProviders, *next)
		case isLive:
			b.PutProviders = append(b.PutProviders, *next)
		default:
			b.ParkSecrets = append(b.ParkSecrets, *next)
		}
	}
	return findings, nil
}

// withSecrets is a provider with the secrets that it lacks, nil if it lacks none; kept are those
// that it does not get. A secret is given to the place that it was exported for alone.
func withSecrets(d *point.DocumentProvider, old *point.Provider, own map[string]point.Secret) (next *point.Provider, kept map[string]bool) {
	kept = map[string]bool{}
	fresh := stranger(d)
	if old == nil {
		fresh.Config.Secrets = own
		return fresh, kept
	}
	changed := *old
	changed.Config.Secrets = map[string]point.Secret{}
	for name, secret := range old.Config.Secrets {
		changed.Config.Secrets[name] = secret
	}
	has := len(old.Config.Credentials()) > 0 || old.Config.APIKeyEnv != ""
	elsewhere := !provider.SamePlace(d.Kind, old.Config.BaseURL, fresh.Config.BaseURL)
	added := false
	for name, secret := range own {
		if _, there := old.Config.Secrets[name]; there || elsewhere || point.IsCredential(name) && has {
			kept[name] = true
			continue
		}
		changed.Config.Secrets[name] = secret
		added = true
	}
	if !added {
		return nil, kept
	}
	return &changed, kept
}

// stranger is a provider of a document that was never here.
func stranger(d *point.DocumentProvider) *point.Provider {
	kind, _ := provider.Lookup(d.Kind)
	config := provider.ReadStored(kind, d.Config, nil, provider.Grant{}, func(string, string, ...any) {}, func(string) {})
	return &point.Provider{ID: d.ID, Name: d.Name, Type: point.TypeAPI, Kind: d.Kind, Status: point.StatusInactive, Config: config, CreatedAt: time.Now()}
}
