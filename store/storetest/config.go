package storetest

import (
	"context"
	"testing"
	"time"

	"point"
	"point/store"
)

func providers(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a, b := provider(t, s, "alpha"), provider(t, s, "beta")
	if a.ID == "" || a.Version != 1 || a.CreatedAt.IsZero() || a.CreatedAt != a.UpdatedAt {
		t.Fatalf("created %+v", a)
	}
	for _, by := range []string{a.ID, "alpha"} {
		equal(t, "provider by "+by, must(s.GetProvider(ctx, by))(t), a)
	}
	equal(t, "provider in the snapshot", s.Snapshot().Providers[a.ID], a)
	wantConflict(t, s.CreateProvider(ctx, &point.Provider{Name: "alpha", Type: point.TypeAPI, Kind: "x", Status: point.StatusActive}), "name")

	b.Status, b.Name = point.StatusInactive, "gamma"
	ok(t, s.UpdateProvider(ctx, b))
	if b.Version != 2 {
		t.Fatalf("version %d after an update", b.Version)
	}
	equal(t, "updated provider", must(s.GetProvider(ctx, "gamma"))(t), b)
	b.Name = "alpha"
	wantConflict(t, s.UpdateProvider(ctx, b), "name")

	inactive := must(s.ListProviders(ctx, store.ProviderFilter{Status: point.StatusInactive}))(t)
	if inactive.Total != 1 || inactive.Items[0].Name != "gamma" || inactive.Items[0].Config.Secrets[point.SecretAPIKey].IsZero() {
		t.Fatalf("inactive: %+v", inactive)
	}
	second := must(s.ListProviders(ctx, store.ProviderFilter{Type: point.TypeAPI, Page: store.Page{Number: 2, Limit: 1}}))(t)
	if second.Total != 2 || second.More || len(second.Items) != 1 || second.Items[0].Name != "gamma" {
		t.Fatalf("second page: %+v", second)
	}

	ok(t, s.DeleteProvider(ctx, a.ID, a.Version))
	_, err := s.GetProvider(ctx, a.ID)
	wantError(t, err, store.ErrNotFound)
	if _, there := s.Snapshot().Provider("alpha"); there {
		t.Fatal("a deleted provider is in the snapshot")
	}
	again := provider(t, s, "alpha") // the name is free again
	names := must(s.ProviderNames(ctx))(t)
	equal(t, "names", names, map[string]string{a.ID: "alpha", b.ID: "gamma", again.ID: "alpha"})
}

func providerSecrets(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p := provider(t, s, "alpha")
	p.Config.Secrets = map[string]point.Secret{
		point.SecretAPIKeys + "0":       point.NewSecret("first"),
		point.SecretAPIKeys + "1":       point.NewSecret("second"),
		point.SecretHeader + "X-Org-Id": point.NewSecret("org"),
		"gone":                          {},
	}
	ok(t, s.UpdateProvider(ctx, p))
	delete(p.Config.Secrets, "gone")
	equal(t, "secrets", must(s.GetProvider(ctx, p.ID))(t).Config.Secrets, p.Config.Secrets)
	equal(t, "secrets in the snapshot", s.Snapshot().Providers[p.ID].Config.Secrets, p.Config.Secrets)
	p.Config.Secrets = nil
	ok(t, s.UpdateProvider(ctx, p))
	if left := must(s.GetProvider(ctx, p.ID))(t).Config.Secrets; len(left) != 0 {
		t.Fatalf("%d secrets are left", len(left))
	}
}

func staleVersions(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p, mine := provider(t, s, "alpha"), point.Provider{}
	mine = *p
	ok(t, s.UpdateProvider(ctx, p))
	wantError(t, s.UpdateProvider(ctx, &mine), store.ErrStale)
	wantError(t, s.DeleteProvider(ctx, p.ID, 1), store.ErrStale)
	wantError(t, s.DeleteProvider(ctx, store.NewID(now()), 1), store.ErrNotFound)

	k := &point.Key{Name: "k", Status: point.StatusActive}
	ok(t, s.CreateKey(ctx, k, token("k")))
	k.Version = 7
	wantError(t, s.UpdateKey(ctx, store.All(), k), store.ErrStale)
	wantError(t, s.DeleteKey(ctx, store.All(), k.ID, 7), store.ErrStale)

	u := user(t, s, "a@example.com")
	u.Version = 7
	wantError(t, s.UpdateUser(ctx, u), store.ErrStale)

	e := must(s.GetEndpoint(ctx, point.PathChat))(t)
	e.Version = 7
	wantError(t, s.UpdateEndpoint(ctx, e), store.ErrStale)

	a := &point.Alias{Name: "fast", Target: "m"}
	ok(t, s.PutAlias(ctx, a))
	a.Version = 7
	wantError(t, s.PutAlias(ctx, a), store.ErrStale)
}

func endpoints(t *testing.T, s *store.Store) {
	ctx := context.Background()
	all := must(s.ListEndpoints(ctx, store.EndpointFilter{}))(t)
	var paths []string
	for _, e := range all {
		paths = append(paths, e.Path)
		if !e.Active || e.Mapping != nil {
			t.Fatalf("a new endpoint is %+v", e)
		}
	}
	equal(t, "paths", paths, point.Endpoints())

	e := must(s.GetEndpoint(ctx, point.PathEmbeddings))(t)
	mapping := point.DefaultMapping()
	mapping.Strategy = point.StrategyWeighted
	mapping.Rules = []point.Rule{{Name: "r", When: point.When{Model: []string{"gpt-*"}}, Targets: []point.TargetRef{{Provider: "p", Weight: 2}}}}
	e.Active, e.Mapping = false, &mapping
	ok(t, s.UpdateEndpoint(ctx, e))
	equal(t, "endpoint", must(s.GetEndpoint(ctx, e.ID))(t), e)
	equal(t, "endpoint in the snapshot", s.Snapshot().Endpoints[e.Path], e)
	yes := true
	if active := must(s.ListEndpoints(ctx, store.EndpointFilter{Active: &yes}))(t); len(active) != len(all)-1 {
		t.Fatalf("%d active endpoints", len(active))
	}
	_, err := s.GetEndpoint(ctx, "/v1/none")
	wantError(t, err, store.ErrNotFound)
}

func aliases(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a := &point.Alias{Name: "fast", Target: "groq/llama"}
	ok(t, s.PutAlias(ctx, a))
	equal(t, "alias", must(s.GetAlias(ctx, "fast"))(t), a)
	a.Target = "openai/gpt-4o-mini"
	ok(t, s.PutAlias(ctx, a))
	if a.Version != 2 {
		t.Fatalf("version %d", a.Version)
	}
	equal(t, "aliases in the snapshot", s.Snapshot().Aliases, map[string]string{"fast": "openai/gpt-4o-mini"})
	equal(t, "aliases", must(s.ListAliases(ctx))(t), []point.Alias{*a})
	wantError(t, s.DeleteAlias(ctx, "fast", 1), store.ErrStale)
	ok(t, s.DeleteAlias(ctx, "fast", 2))
	wantError(t, s.DeleteAlias(ctx, "fast", 2), store.ErrNotFound)
	equal(t, "aliases in the snapshot", s.Snapshot().Aliases, map[string]string{})
}

func keys(t *testing.T, s *store.Store) {
	ctx := context.Background()
	u := user(t, s, "a@example.com")
	rpm, budget, expires := int64(60), 5*point.USD, now().Add(time.Hour)
	k := &point.Key{
		Name: "app", OwnerID: u.ID, Status: point.StatusActive, Tags: []string{"team-a"}, Models: []string{"gpt-*"}, Endpoints: []string{point.PathChat},
		Limits: point.KeyLimits{RPM: &rpm, BudgetDay: &budget}, ExpiresAt: &expires,
	}
	ok(t, s.CreateKey(ctx, k, token("app")))
	equal(t, "key", must(s.GetKey(ctx, store.All(), k.ID))(t), k)
	found, there := s.Snapshot().KeyByToken(token("app").Reveal(), now())
	if !there {
		t.Fatal("the snapshot does not find the token")
	}
	equal(t, "key in the snapshot", found, k)
	wantConflict(t, s.CreateKey(ctx, &point.Key{Name: "twin", Status: point.StatusActive}, token("app")), "hash")
	wantError(t, s.CreateKey(ctx, &point.Key{Name: "orphan", Status: point.StatusActive, OwnerID: store.NewID(now())}, token("orphan")), store.ErrNotFound)

	ok(t, s.CreateKey(ctx, &point.Key{Name: "other", Status: point.StatusActive}, token("other")))
	k.Status, k.ExpiresAt, k.Limits = point.StatusInactive, nil, point.KeyLimits{}
	ok(t, s.UpdateKey(ctx, store.All(), k))
	equal(t, "updated key", must(s.GetKey(ctx, store.All(), k.ID))(t), k)
	if found, _ := s.Snapshot().KeyByToken(token("app").Reveal(), now()); found.Status != point.StatusInactive {
		t.Fatal("the snapshot has the old key")
	}
	for _, c := range []struct {
		filter store.KeyFilter
		want   int64
	}{{store.KeyFilter{}, 2}, {store.KeyFilter{OwnerID: u.ID}, 1}, {store.KeyFilter{Status: point.StatusActive}, 1}, {store.KeyFilter{OwnerID: "nobody"}, 0}} {
		if got := must(s.ListKeys(ctx, store.All(), c.filter))(t); got.Total != c.want {
			t.Errorf("%+v: %d keys, want %d", c.filter, got.Total, c.want)
		}
	}
	ok(t, s.DeleteKey(ctx, store.All(), k.ID, k.Version))
	if _, there := s.Snapshot().KeyByToken(token("app").Reveal(), now()); there {
		t.Fatal("the snapshot finds a deleted key")
	}
	_, err := s.GetKey(ctx, store.All(), k.ID)
	wantError(t, err, store.ErrNotFound)
}

func users(t *testing.T, s *store.Store) {
	ctx := context.Background()
	u := user(t, s, "Ada@Example.com")
	if u.Email != "ada@example.com" {
		t.Fatalf("email %s", u.Email)
	}
	equal(t, "user", must(s.UserByEmail(ctx, "ADA@example.com"))(t), u)
	wantConflict(t, s.CreateUser(ctx, &point.User{Email: "ada@EXAMPLE.com", Role: point.RoleViewer}), "email")
	u.Role, u.Disabled = point.RoleViewer, true
	user(t, s, "zoe@example.com") // an owner who stays
	ok(t, s.UpdateUser(ctx, u))
	equal(t, "user in the snapshot", s.Snapshot().Users[u.ID], u)
	equal(t, "user", must(s.GetUser(ctx, u.ID))(t), u)
	if n := must(s.CountUsers(ctx))(t); n != 2 {
		t.Fatalf("%d users", n)
	}
	k := &point.Key{Name: "kept", OwnerID: u.ID, Status: point.StatusActive}
	ok(t, s.CreateKey(ctx, k, token("kept")))
	wantError(t, s.CreateSession(ctx, &point.Session{UserID: u.ID, ExpiresAt: now().Add(time.Hour)}, u.Version), store.ErrStale) // disabled
	u.Disabled = false
	ok(t, s.UpdateUser(ctx, u))
	wantError(t, s.CreateSession(ctx, &point.Session{UserID: u.ID, ExpiresAt: now().Add(time.Hour)}, u.Version-1), store.ErrStale)
	ok(t, s.CreateSession(ctx, &point.Session{UserID: u.ID, ExpiresAt: now().Add(time.Hour)}, u.Version))
	wantError(t, s.DeleteUser(ctx, u.ID, u.Version-1), store.ErrStale)
	ok(t, s.DeleteUser(ctx, u.ID, u.Version))
	wantError(t, s.DeleteUser(ctx, u.ID, u.Version), store.ErrNotFound)
	if kept := s.Snapshot().Keys[k.Hash]; s.Snapshot().Users[u.ID] != nil || kept == nil || kept.OwnerID != "" {
		t.Errorf("the user is left: %v; the key is %+v", s.Snapshot().Users[u.ID], kept)
	}
}

// changedUsers end their sessions, in the transaction of the change and in no other's.
func changedUsers(t *testing.T, s *store.Store) {
	ctx := context.Background()
	other := user(t, s, "other@example.com")
	elsewhere := &point.Session{UserID: other.ID, ExpiresAt: now().Add(time.Hour)}
	ok(t, s.CreateSession(ctx, elsewhere, other.Version))
	u := user(t, s, "a@example.com")
	for name, c := range map[string]struct {
		change func(*point.User)
		ends   bool
	}{
		"email":    {func(u *point.User) { u.Email = "b@example.com" }, false},
		"nothing":  {func(*point.User) {}, false},
		"password": {func(u *point.User) { u.PasswordHash = "$argon2id$y" }, true},
		"role":     {func(u *point.User) { u.Role = point.RoleViewer }, true},
		"disabled": {func(u *point.User) { u.Disabled = true }, true},
	} {
		if u.Disabled {
			u.Disabled = false
			ok(t, s.UpdateUser(ctx, u))
		}
		x := &point.Session{UserID: u.ID, Replaced: []byte("token"), ExpiresAt: now().Add(time.Hour)}
		ok(t, s.CreateSession(ctx, x, u.Version))
		stale := *u
		stale.Version--
		c.change(&stale)
		wantError(t, s.UpdateUser(ctx, &stale), store.ErrStale)
		if got := must(s.GetSession(ctx, x.ID))(t); got.RevokedAt != nil {
			t.Fatalf("%s: a change that was refused ended a session", name)
		}
		c.change(u)
		ok(t, s.UpdateUser(ctx, u))
		got := must(s.GetSession(ctx, x.ID))(t)
		if _, there := s.Snapshot().RevokedSessions[x.ID]; there != c.ends || (got.RevokedAt != nil) != c.ends || (got.Replaced == nil) != c.ends {
			t.Errorf("%s: the session is %+v, in the snapshot as ended: %v", name, got, there)
		}
		ok(t, s.RevokeSession(ctx, x.ID))
	}
	if got := must(s.GetSession(ctx, elsewhere.ID))(t); got.RevokedAt != nil {
		t.Error("another user's session has ended")
	}
}

func sessions(t *testing.T, s *store.Store) {
	ctx := context.Background()
	u := user(t, s, "a@example.com")
	x := &point.Session{UserID: u.ID, Current: [32]byte{1}, UserAgent: "ua", Address: "10.0.0.1", ExpiresAt: now().Add(time.Hour)}
	ok(t, s.CreateSession(ctx, x, u.Version))
	x.Current, x.Replaced, x.LastUsedAt = [32]byte{2}, []byte("token"), now()
	ok(t, s.UpdateSession(ctx, x, [32]byte{1}))
	wantError(t, s.UpdateSession(ctx, x, [32]byte{1}), store.ErrStale) // swapped already
	equal(t, "session", must(s.GetSession(ctx, x.ID))(t), x)

	y := &point.Session{UserID: u.ID, Current: [32]byte{9}, ExpiresAt: now().Add(time.Hour)}
	ok(t, s.CreateSession(ctx, y, u.Version))
	ok(t, s.CreateSession(ctx, &point.Session{UserID: u.ID, ExpiresAt: now().Add(-time.Hour)}, u.Version))
	if l := must(s.ListSessions(ctx, u.ID))(t); len(l) != 2 {
		t.Fatalf("%d sessions", len(l))
	}
	ok(t, s.RevokeSession(ctx, x.ID))
	ok(t, s.RevokeSession(ctx, x.ID))
	if _, there := s.Snapshot().RevokedSessions[x.ID]; !there || len(s.Snapshot().RevokedSessions) != 1 {
		t.Fatalf("revoked: %v", s.Snapshot().RevokedSessions)
	}
	wantError(t, s.UpdateSession(ctx, x, [32]byte{2}), store.ErrStale)
	if got := must(s.GetSession(ctx, x.ID))(t); got.RevokedAt == nil || got.Replaced != nil {
		t.Fatalf("ended session: %+v", got)
	}
	if l := must(s.ListSessions(ctx, u.ID))(t); len(l) != 1 || l[0].ID != y.ID {
		t.Fatalf("open sessions: %+v", l)
	}
}

func signingKeys(t *testing.T, s *store.Store) {
	ctx := context.Background()
	a := must(s.CreateSigningKey(ctx))(t)
	b := must(s.CreateSigningKey(ctx))(t)
	l := must(s.SigningKeys(ctx))(t)
	if len(l) != 2 || l[0].ID != b.ID || l[1].ID != a.ID {
		t.Fatalf("signing keys: %+v", l)
	}
	equal(t, "signing key", l[0], b)
}

func idempotency(t *testing.T, s *store.Store) {
	ctx := context.Background()
	x := store.Idempotent{Key: "k", Route: "POST /api/keys", UserID: "u", Fingerprint: [32]byte{1}}
	reserve := func(x store.Idempotent) *store.Idempotent { return must(s.ReserveIdempotent(ctx, x))(t) }
	if kept := reserve(x); kept != nil {
		t.Fatalf("a new key has %+v", kept)
	}
	repeat := x
	repeat.Fingerprint = [32]byte{2}
	if kept := reserve(repeat); kept == nil || kept.Status != 0 || kept.Fingerprint != x.Fingerprint {
		t.Fatalf("a reserved key has %+v", kept)
	}
	ok(t, s.ReleaseIdempotent(ctx, x))
	wantError(t, s.KeepIdempotent(ctx, x), store.ErrNotFound)
	if kept := reserve(x); kept != nil {
		t.Fatalf("a released key has %+v", kept)
	}
	done := x
	done.Status, done.Header, done.Body = 201, map[string][]string{"Etag": {`"1"`}}, []byte(`{"token":"pt-secret"}`)
	ok(t, s.KeepIdempotent(ctx, done))
	wantError(t, s.ReleaseIdempotent(ctx, x), store.ErrNotFound)
	late := done
	late.Status = 409
	wantError(t, s.KeepIdempotent(ctx, late), store.ErrNotFound)
	kept := reserve(x)
	done.CreatedAt = kept.CreatedAt
	equal(t, "answer", *kept, done)
	x.UserID = "other"
	if kept := reserve(x); kept != nil {
		t.Fatalf("another user's key has %+v", kept)
	}
}

func setUp(t *testing.T, s *store.Store) {
	ctx := context.Background()
	first := &point.User{Email: "A@example.com", Role: point.RoleOwner}
	ok(t, s.PutSetupToken(ctx, [32]byte{3}, now().Add(-time.Second)))
	wantError(t, s.SetUp(ctx, [32]byte{3}, first), store.ErrNotFound) // too old
	ok(t, s.PutSetupToken(ctx, [32]byte{1}, now().Add(time.Minute)))
	ok(t, s.PutSetupToken(ctx, [32]byte{2}, now().Add(time.Minute)))
	wantError(t, s.SetUp(ctx, [32]byte{1}, first), store.ErrNotFound) // replaced
	if n := must(s.CountUsers(ctx))(t); n != 0 {
		t.Fatalf("%d users without a token", n)
	}
	broken, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.SetUp(broken, [32]byte{2}, first); err == nil {
		t.Fatal("set up by one who had left")
	}
	ok(t, s.SetUp(ctx, [32]byte{2}, first))
	equal(t, "first user", s.Snapshot().Users[first.ID], first)
	wantConflict(t, s.SetUp(ctx, [32]byte{2}, &point.User{Email: "b@example.com"}), "users")
}

func instances(t *testing.T, s *store.Store) {
	ctx := context.Background()
	i := point.Instance{ID: "host-1", Components: []string{"api", "gateway"}, Version: "1.0", URL: "https://10.0.0.1:9000", State: "starting", SeenAt: now()}
	ok(t, s.Heartbeat(ctx, i))
	i.State = "ready"
	ok(t, s.Heartbeat(ctx, i))
	ok(t, s.Heartbeat(ctx, point.Instance{ID: "old", SeenAt: now().AddDate(0, 0, -2)}))
	equal(t, "instances", must(s.Instances(ctx))(t), []point.Instance{i})
}
