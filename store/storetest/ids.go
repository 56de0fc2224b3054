package storetest

import (
	"context"
	"strings"
	"testing"

	"point"
	"point/store"
)

// oddIDs asks with what no id looks like: the answer is "not found", never a failure.
func oddIDs(t *testing.T, s *store.Store) {
	ctx := context.Background()
	for _, id := range []string{"", "x", "' OR 1=1 --", "00000000-0000-0000-0000-00000000000g", "{00000000-0000-0000-0000-000000000000}", "\x00"} {
		for name, ask := range map[string]func() error{
			"key":      func() error { _, err := s.GetKey(ctx, store.All(), id); return err },
			"user":     func() error { _, err := s.GetUser(ctx, id); return err },
			"session":  func() error { _, err := s.GetSession(ctx, id); return err },
			"request":  func() error { _, err := s.GetRequest(ctx, store.All(), id); return err },
			"delete":   func() error { return s.DeleteKey(ctx, store.All(), id, 1) },
			"update":   func() error { return s.UpdateProvider(ctx, &point.Provider{ID: id}) },
			"provider": func() error { _, err := s.GetProvider(ctx, id); return err },
			"endpoint": func() error { _, err := s.GetEndpoint(ctx, id); return err },
			"removal":  func() error { return s.DeleteProvider(ctx, id, 1) },
		} {
			if err := ask(); err == nil {
				t.Errorf("%s %q was found", name, id)
			} else {
				wantError(t, err, store.ErrNotFound)
			}
		}
	}
}

// upperCaseIDs asks by ids as other systems write them: they find the same rows.
func upperCaseIDs(t *testing.T, s *store.Store) {
	ctx := context.Background()
	upper := strings.ToUpper
	p, u := provider(t, s, "alpha"), user(t, s, "a@example.com")
	k := &point.Key{Name: "k", Status: point.StatusActive, OwnerID: u.ID}
	ok(t, s.CreateKey(ctx, k, token("k")))
	e := must(s.GetEndpoint(ctx, point.PathChat))(t)
	insert(t, s, record(now(), func(r *point.Record) { r.ProviderID, r.KeyID = p.ID, k.ID }))
	equal(t, "provider", must(s.GetProvider(ctx, upper(p.ID)))(t), p)
	equal(t, "key", must(s.GetKey(ctx, store.All(), upper(k.ID)))(t), k)
	equal(t, "user", must(s.GetUser(ctx, upper(u.ID)))(t), u)
	equal(t, "endpoint", must(s.GetEndpoint(ctx, upper(e.ID)))(t), e)
	if l := must(s.ListKeys(ctx, store.All(), store.KeyFilter{OwnerID: upper(u.ID)}))(t); l.Total != 1 {
		t.Errorf("%d keys", l.Total)
	}
	if l := must(s.ListRequests(ctx, store.All(), store.RequestFilter{Provider: upper(p.ID), KeyID: upper(k.ID)}))(t); l.Total != 1 {
		t.Errorf("%d requests", l.Total)
	}
	for name, f := range map[string]store.StatsFilter{"provider": {Provider: upper(p.ID)}, "key": {KeyID: upper(k.ID)}} {
		if got := sum(t, s, f).Requests; got != 1 {
			t.Errorf("%d requests in the statistics of a %s", got, name)
		}
	}
	loud := *p
	loud.ID = upper(p.ID)
	loud.Config.Secrets = map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-new-0123456789")}
	ok(t, s.UpdateProvider(ctx, &loud))
	if got := s.Snapshot().Providers[p.ID]; got.Version != 2 || got.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-new-0123456789" {
		t.Errorf("the snapshot has %+v", got)
	}
	ok(t, s.DeleteProvider(ctx, upper(p.ID), 2))
	ok(t, s.DeleteKey(ctx, store.All(), upper(k.ID), 1))
	if snap := s.Snapshot(); len(snap.Providers) != 0 || len(snap.Keys) != 0 {
		t.Errorf("the snapshot has %+v", snap)
	}
	loud.Name = store.NewID(now())
	wantInvalid(t, "a provider named as an id", s.CreateProvider(ctx, &loud), "name")
	wantInvalid(t, "a provider renamed to an id", s.UpdateProvider(ctx, &loud), "name")
}
