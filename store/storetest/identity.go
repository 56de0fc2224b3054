package storetest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"point"
	"point/store"
)

const testIssuer = "https://id.example"

func identities(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if _, err := s.GetIdentity(ctx, testIssuer, "1"); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	u := &point.User{Email: "New@example.com", Role: point.RoleViewer}
	ok(t, s.CreateUserOf(ctx, u, testIssuer, "1"))
	x := must(s.GetIdentity(ctx, testIssuer, "1"))(t)
	if x.UserID != u.ID || x.Issuer != testIssuer || x.Subject != "1" || x.CreatedAt.IsZero() || u.Email != "new@example.com" {
		t.Errorf("%+v of %+v", x, u)
	}
	conflicting(t, s.CreateUserOf(ctx, &point.User{Email: "other@example.com", Role: point.RoleViewer}, testIssuer, "1"))
	if _, err := s.UserByEmail(ctx, "other@example.com"); !errors.Is(err, store.ErrNotFound) {
		t.Error("half of it was stored:", err)
	}
	conflicting(t, s.CreateUserOf(ctx, &point.User{Email: "new@example.com", Role: point.RoleViewer}, testIssuer, "2"))
	if _, err := s.GetIdentity(ctx, testIssuer, "2"); !errors.Is(err, store.ErrNotFound) {
		t.Error("half of it was stored:", err)
	}
	linkIdentities(t, s)
	suspended(t, s, u)
	ok(t, s.DeleteUser(ctx, u.ID, u.Version))
	if _, err := s.GetIdentity(ctx, testIssuer, "1"); !errors.Is(err, store.ErrNotFound) {
		t.Error("it outlives its user:", err)
	}
}

func linkIdentities(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	invited := &point.User{Email: "invited@example.com", Role: point.RoleAdmin}
	ok(t, s.CreateUser(ctx, invited))
	if _, err := s.IdentityOf(ctx, invited.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	stale := *invited
	stale.Version++
	if err := s.LinkIdentity(ctx, &stale, testIssuer, "3"); !errors.Is(err, store.ErrStale) {
		t.Error(err)
	}
	conflicting(t, s.LinkIdentity(ctx, invited, testIssuer, "1"))
	invitation := sha256.Sum256([]byte("invitation"))
	ok(t, s.PutInvitation(ctx, invited, invitation, time.Now().Add(time.Hour)))
	ok(t, s.LinkIdentity(ctx, invited, testIssuer, "3"))
	if _, err := s.Invited(ctx, invitation); !errors.Is(err, store.ErrNotFound) {
		t.Error("whoever holds the invitation may still set a password:", err)
	}
	if x := must(s.IdentityOf(ctx, invited.ID))(t); x.Subject != "3" {
		t.Errorf("%+v", x)
	}
	conflicting(t, s.LinkIdentity(ctx, invited, testIssuer, "4"))
	local := &point.User{Email: "local@example.com", Role: point.RoleOwner, PasswordHash: "x"}
	ok(t, s.CreateUser(ctx, local))
	if err := s.LinkIdentity(ctx, local, testIssuer, "5"); !errors.Is(err, store.ErrStale) {
		t.Error("a user with a password was linked:", err)
	}
}

func suspended(t *testing.T, s *store.Store, u *point.User) {
	t.Helper()
	ctx := t.Context()
	token := &point.Token{UserID: u.ID, Name: "t", Scopes: []string{"keys:read"}, ExpiresAt: time.Now().Add(time.Hour)}
	ok(t, s.CreateToken(ctx, token, point.NewSecret("ptp_"+rand.Text())))
	ok(t, s.SuspendUser(ctx, u, testIssuer, "1"))
	if _, live := s.Snapshot().Tokens[token.Hash]; live {
		t.Error("a token of a disabled user lives, and would come back with the user")
	}
	x := must(s.GetIdentity(ctx, testIssuer, "1"))(t)
	if stored := must(s.GetUser(ctx, u.ID))(t); !stored.Disabled || !x.Suspended(stored) {
		t.Errorf("%+v, %+v", stored, x)
	}
	ok(t, s.UpdateUser(ctx, u)) // by hand: disabled for another reason now
	if x.Suspended(must(s.GetUser(ctx, u.ID))(t)) {
		t.Error("what a hand did is taken for the groups'")
	}
}

func conflicting(t *testing.T, err error) {
	t.Helper()
	var conflict *store.Conflict
	if !errors.As(err, &conflict) {
		t.Errorf("no conflict: %v", err)
	}
}

func usedSignIns(t *testing.T, s *store.Store) {
	ctx, now := t.Context(), time.Now()
	state := sha256.Sum256([]byte("state"))
	ok(t, s.UseSignIn(ctx, state, now.Add(time.Minute)))
	conflicting(t, s.UseSignIn(ctx, state, now.Add(time.Minute)))
	ok(t, s.UseSignIn(ctx, sha256.Sum256([]byte("other")), now.Add(-2*time.Hour)))
	ok(t, s.UseSignIn(ctx, sha256.Sum256([]byte("other")), now.Add(time.Minute))) // the old one is forgotten

	sealed := must(s.SealSignIn([]byte("text")))(t)
	if bytes.Contains(sealed, []byte("text")) {
		t.Error("it can be read")
	}
	if opened := must(s.OpenSignIn(sealed))(t); string(opened) != "text" {
		t.Errorf("%q", opened)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := s.OpenSignIn(sealed); err == nil {
		t.Error("a changed one opens")
	}
}
