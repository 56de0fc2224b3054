package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"testing"
	"time"

	"point"
	"point/store"
)

// keyOf makes a stored key of a user; an empty owner: of nobody.
func keyOf(t *testing.T, s *store.Store, owner, name string, tags ...string) *point.Key {
	t.Helper()
	k := &point.Key{Name: name, OwnerID: owner, Status: point.StatusActive, Tags: tags}
	ok(t, s.CreateKey(t.Context(), k, token(name)))
	return k
}

// opens tells by which of the tokens the snapshot finds the key at a time.
func opens(s *store.Store, id string, at time.Time, names ...string) (list []string) {
	for _, name := range names {
		if k, there := s.Snapshot().KeyByToken(token(name).Reveal(), at); there && k.ID == id {
			list = append(list, name)
		}
	}
	return list
}

func rotatedKeys(t *testing.T, s *store.Store) {
	ctx := t.Context()
	k, other := keyOf(t, s, "", "first"), keyOf(t, s, "", "other")
	stale := *k
	ok(t, s.RotateKey(ctx, store.All(), k, token("second"), time.Hour))
	until := *k.PreviousExpiresAt
	equal(t, "rotated key", must(s.GetKey(ctx, store.All(), k.ID))(t), k)
	if k.Version != 2 || k.Prefix != token("second").Reveal()[:8] || !until.Equal(k.RotatedAt.Add(time.Hour)) {
		t.Errorf("%+v", k)
	}
	wantError(t, s.RotateKey(ctx, store.All(), &stale, token("third"), 0), store.ErrStale)
	wantConflict(t, s.RotateKey(ctx, store.All(), other, token("second"), 0), "hash")
	all := []string{"first", "second", "third", "fourth", "fifth"}
	equal(t, "within the overlap", opens(s, k.ID, until.Add(-time.Microsecond), all...), []string{"first", "second"})
	equal(t, "at its end", opens(s, k.ID, until, all...), []string{"second"})

	k.Name = "renamed"
	ok(t, s.UpdateKey(ctx, store.All(), k))
	equal(t, "after another change", opens(s, k.ID, now(), all...), []string{"first", "second"})
	ok(t, s.RotateKey(ctx, store.All(), k, token("third"), time.Hour))
	equal(t, "the token before the last ends", opens(s, k.ID, now(), all...), []string{"second", "third"})
	ok(t, s.RotateKey(ctx, store.All(), k, token("fourth"), 0))
	equal(t, "without an overlap", opens(s, k.ID, now(), all...), []string{"fourth"})
	ok(t, s.RotateKey(ctx, store.All(), k, token("fifth"), time.Hour))
	revokedRotated(t, s, k)
	ok(t, s.DeleteKey(ctx, store.All(), k.ID, k.Version))
	equal(t, "deleted", opens(s, k.ID, now(), all...), []string(nil))
	if n := len(s.Snapshot().Rotated); n != 0 {
		t.Errorf("the snapshot keeps %d old tokens of no key", n)
	}
	equal(t, "the other key", opens(s, other.ID, now(), "other"), []string{"other"})
}

// revokedRotated revokes k, whose tokens are fourth and fifth: both then find a key that is none to use.
func revokedRotated(t *testing.T, s *store.Store, k *point.Key) {
	t.Helper()
	k.Status = point.StatusInactive
	ok(t, s.UpdateKey(t.Context(), store.All(), k))
	for _, name := range []string{"fourth", "fifth"} {
		if found, there := s.Snapshot().KeyByToken(token(name).Reveal(), now()); !there || found.ID != k.ID || found.Status != point.StatusInactive {
			t.Errorf("%s opens %+v", name, found)
		}
	}
}

// userToken makes a personal access token.
func userToken(t *testing.T, s *store.Store, u *point.User, name string) *point.Token {
	t.Helper()
	x := &point.Token{UserID: u.ID, Name: name, Scopes: []string{"keys:read"}, ExpiresAt: now().Add(time.Hour)}
	ok(t, s.CreateToken(t.Context(), x, token(name)))
	return x
}

func userTokens(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := user(t, s, "a@example.com"), user(t, s, "b@example.com")
	before := s.Snapshot()
	x, y, z := userToken(t, s, a, "x"), userToken(t, s, a, "y"), userToken(t, s, b, "z")
	equal(t, "token", must(s.GetToken(ctx, store.All(), x.ID))(t), x)
	found, there := s.Snapshot().UserToken(token("x").Reveal())
	if !there {
		t.Fatal("the snapshot does not find the token")
	}
	equal(t, "token in the snapshot", found, x)
	if len(before.Tokens) != 0 {
		t.Error("an earlier snapshot changed")
	}
	wantConflict(t, s.CreateToken(ctx, &point.Token{UserID: a.ID, Name: "twin", ExpiresAt: now().Add(time.Hour)}, token("x")), "hash")
	wantError(t, s.CreateToken(ctx, &point.Token{UserID: store.NewID(now()), Name: "orphan", ExpiresAt: now().Add(time.Hour)}, token("orphan")), store.ErrNotFound)

	tokensInScope(t, s, x, z)
	ok(t, s.DeleteToken(ctx, x.ID))
	wantError(t, s.DeleteToken(ctx, x.ID), store.ErrNotFound)
	wantError(t, s.DeleteToken(ctx, "nothing"), store.ErrNotFound)
	wantTokens(t, s, "after a revocation", y, z)
	ok(t, s.DeleteUser(ctx, a.ID, a.Version))
	wantTokens(t, s, "after its user is deleted", z)
}

// wantTokens compares the tokens of the snapshot and the stored ones with list.
func wantTokens(t *testing.T, s *store.Store, when string, list ...*point.Token) {
	t.Helper()
	want := map[[32]byte]*point.Token{}
	for _, x := range list {
		want[x.Hash] = x
	}
	equal(t, "the snapshot's tokens "+when, s.Snapshot().Tokens, want)
	if l := must(s.ListTokens(t.Context(), store.All(), store.TokenFilter{}))(t); l.Total != int64(len(list)) {
		t.Errorf("%s: %d tokens", when, l.Total)
	}
}

// tokensInScope: x is one of two tokens of a user, z the only one of another.
func tokensInScope(t *testing.T, s *store.Store, x, z *point.Token) {
	t.Helper()
	ctx := t.Context()
	for name, c := range map[string]struct {
		scope  store.Scope
		filter store.TokenFilter
		want   int64
	}{
		"all":             {store.All(), store.TokenFilter{}, 3},
		"of one":          {store.All(), store.TokenFilter{UserID: x.UserID}, 2},
		"own":             {store.OwnedBy(x.UserID), store.TokenFilter{}, 2},
		"own of another":  {store.OwnedBy(x.UserID), store.TokenFilter{UserID: z.UserID}, 0},
		"nothing":         {store.Scope{}, store.TokenFilter{}, 0},
		"owned by nobody": {store.OwnedBy(""), store.TokenFilter{}, 0},
	} {
		if l := must(s.ListTokens(ctx, c.scope, c.filter))(t); l.Total != c.want || len(l.Items) != int(c.want) {
			t.Errorf("%s: %d of %d tokens, want %d", name, len(l.Items), l.Total, c.want)
		}
	}
	for _, scope := range []store.Scope{{}, store.OwnedBy(""), store.OwnedBy(z.UserID)} {
		_, err := s.GetToken(ctx, scope, x.ID)
		wantError(t, err, store.ErrNotFound)
	}
	must(s.GetToken(ctx, store.OwnedBy(x.UserID), x.ID))(t)
}

// tokenUses: what TokenUsed notes is written at the end of Run, the latest use of each token.
func tokenUses(t *testing.T, s *store.Store) {
	u := user(t, s, "a@example.com")
	x, y := userToken(t, s, u, "x"), userToken(t, s, u, "y")
	at := now()
	use := func(id string, at time.Time) {
		s.TokenUsed(id, at)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ok(t, s.Run(ctx))
	}
	s.TokenUsed(x.ID, at.Add(-time.Minute))
	s.TokenUsed(store.NewID(at), at) // gone meanwhile
	use(x.ID, at)
	use(x.ID, at.Add(-time.Hour)) // noted by a process that is late
	if got := must(s.GetToken(t.Context(), store.All(), x.ID))(t); got.LastUsedAt == nil || !got.LastUsedAt.Equal(at) {
		t.Errorf("used at %v, want %v", got.LastUsedAt, at)
	}
	if got := must(s.GetToken(t.Context(), store.All(), y.ID))(t); got.LastUsedAt != nil {
		t.Errorf("a token that nobody used was used at %v", got.LastUsedAt)
	}
}

func roles(t *testing.T, s *store.Store) {
	ctx := t.Context()
	r := &point.Role{Name: "auditor", Description: "Reads.", Permissions: []string{"audit:read"}}
	ok(t, s.CreateRole(ctx, r))
	equal(t, "role", must(s.GetRole(ctx, r.Name))(t), r)
	equal(t, "roles in the snapshot", s.Snapshot().Roles, map[string]*point.Role{r.Name: r})
	wantConflict(t, s.CreateRole(ctx, &point.Role{Name: r.Name}), "name")
	stale := *r
	r.Permissions = []string{"audit:read", "keys:own"}
	ok(t, s.UpdateRole(ctx, r))
	equal(t, "updated role in the snapshot", s.Snapshot().Roles[r.Name], r)
	wantError(t, s.UpdateRole(ctx, &stale), store.ErrStale)
	wantError(t, s.UpdateRole(ctx, &point.Role{Name: "nothing", Version: 1}), store.ErrNotFound)
	wantError(t, s.DeleteRole(ctx, "nothing", 1, false), store.ErrNotFound)
	wantError(t, s.DeleteRole(ctx, r.Name, 1, true), store.ErrStale)

	u := user(t, s, "a@example.com")
	user(t, s, "owner@example.com")
	u.Role = r.Name
	ok(t, s.UpdateUser(ctx, u))
	equal(t, "users of roles", must(s.RoleUsers(ctx))(t), map[string]int64{r.Name: 1, point.RoleOwner: 1})
	var used *store.InUse
	if err := s.DeleteRole(ctx, r.Name, r.Version, false); !errors.As(err, &used) || used.Users != 1 {
		t.Errorf("a role that a user has was deleted: %v", err)
	}
	deletedRole(t, s, r, u)
	ok(t, s.DeleteUser(ctx, u.ID, u.Version))
	ok(t, s.CreateRole(ctx, r))
	ok(t, s.DeleteRole(ctx, r.Name, r.Version, false))
	if _, err := s.GetRole(ctx, r.Name); !errors.Is(err, store.ErrNotFound) || len(s.Snapshot().Roles) != 0 {
		t.Errorf("a deleted role is left: %v", err)
	}
}

// deletedRole: u, whose role goes, keeps its name. Nobody else gets it, and no other role gets
// the name until nobody has it.
func deletedRole(t *testing.T, s *store.Store, r *point.Role, u *point.User) {
	t.Helper()
	ctx := t.Context()
	ok(t, s.DeleteRole(ctx, r.Name, r.Version, true))
	u.Email = "b@example.com"
	ok(t, s.UpdateUser(ctx, u))
	other := user(t, s, "c@example.com")
	other.Role = r.Name
	wantInvalid(t, "a role that is gone, given", s.UpdateUser(ctx, other), "role")
	wantInvalid(t, "a user of a role that is gone", s.CreateUser(ctx, &point.User{Email: "d@example.com", Role: r.Name}), "role")
	var used *store.InUse
	if err := s.CreateRole(ctx, &point.Role{Name: r.Name}); !errors.As(err, &used) || used.Users != 1 {
		t.Errorf("a new role takes over the users of an old one: %v", err)
	}
	ok(t, s.DeleteUser(ctx, other.ID, other.Version))
}

// racingRoles deletes a role while it is given: one of the two is refused.
func racingRoles(t *testing.T, s *store.Store) {
	ctx := t.Context()
	user(t, s, "owner@example.com")
	for i := range 10 {
		r := &point.Role{Name: "r" + strconv.Itoa(i)}
		ok(t, s.CreateRole(ctx, r))
		u := &point.User{Email: r.Name + "@example.com", Role: r.Name}
		given := make(chan error, 1)
		go func() { given <- s.CreateUser(ctx, u) }()
		deleted := s.DeleteRole(ctx, r.Name, r.Version, false)
		if err := <-given; (err == nil) == (deleted == nil) {
			t.Errorf("given: %v, deleted: %v", err, deleted)
		}
	}
}

// invitedUsers: a user is made with the invitation, or neither is.
func invitedUsers(t *testing.T, s *store.Store) {
	ctx := t.Context()
	first, second := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second"))
	u := &point.User{Email: "a@example.com", Role: point.RoleViewer}
	ok(t, s.CreateInvited(ctx, u, first, now().Add(time.Hour)))
	equal(t, "invited", must(s.Invited(ctx, first))(t), u)
	if list := must(s.ListAudit(ctx, store.AuditFilter{Event: point.AuditInvited}))(t); list.Total != 1 || list.Items[0].TargetID != u.ID {
		t.Errorf("the audit trail has %+v", list.Items)
	}
	wantConflict(t, s.CreateInvited(ctx, &point.User{Email: "A@example.com", Role: point.RoleViewer}, second, now().Add(time.Hour)), "email")
	wantConflict(t, s.CreateInvited(ctx, &point.User{Email: "b@example.com", Role: point.RoleViewer}, first, now().Add(time.Hour)), "hash")
	if n := must(s.CountUsers(ctx))(t); n != 1 {
		t.Errorf("%d users: one was made without the invitation", n)
	}
}

// fullUser: a user has at most 100 personal access tokens.
func fullUser(t *testing.T, s *store.Store) {
	u, other := user(t, s, "a@example.com"), user(t, s, "b@example.com")
	var last *point.Token
	for i := range 100 {
		last = userToken(t, s, u, "t"+strconv.Itoa(i))
	}
	create := func(u *point.User) error {
		return s.CreateToken(t.Context(), &point.Token{UserID: u.ID, Name: "more", ExpiresAt: now().Add(time.Hour)}, token("more"+u.Email))
	}
	var full *store.Full
	if err := create(u); !errors.As(err, &full) || full.Limit != 100 {
		t.Errorf("one more: %v", err)
	}
	ok(t, create(other))
	ok(t, s.DeleteToken(t.Context(), last.ID))
	ok(t, create(u))
}

func invitations(t *testing.T, s *store.Store) {
	ctx := t.Context()
	u, other := user(t, s, "a@example.com"), user(t, s, "b@example.com")
	first, second, old := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second")), sha256.Sum256([]byte("old"))
	unknown := func(when string, hash [32]byte) {
		t.Helper()
		if found, err := s.Invited(ctx, hash); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %+v, %v", when, found, err)
		}
	}
	unknown("never made", first)
	ok(t, s.PutInvitation(ctx, u, first, now().Add(time.Hour)))
	equal(t, "invited", must(s.Invited(ctx, first))(t), u)
	ok(t, s.PutInvitation(ctx, u, second, now().Add(time.Hour)))
	unknown("after a later one", first)
	stale := *u
	stale.Version++
	wantError(t, s.PutInvitation(ctx, &stale, first, now().Add(time.Hour)), store.ErrStale)
	must(s.Invited(ctx, second))(t)
	ok(t, s.PutInvitation(ctx, other, old, now().Add(-time.Second)))
	unknown("too old", old)

	u.PasswordHash = "$argon2id$y"
	ok(t, s.UpdateUser(ctx, u))
	unknown("with another password", second)
	ok(t, s.PutInvitation(ctx, u, first, now().Add(time.Hour)))
	u.Disabled = true
	ok(t, s.UpdateUser(ctx, u))
	unknown("of a disabled user", first)
	wantError(t, s.PutInvitation(ctx, u, second, now().Add(time.Hour)), store.ErrStale)
	ok(t, s.DeleteUser(ctx, u.ID, u.Version))
	unknown("of a deleted user", first)
}
