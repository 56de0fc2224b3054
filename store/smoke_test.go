package store

import (
	"context"
	"os"
	"testing"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestSmoke(t *testing.T) {
	for _, o := range []Options{{DataDir: t.TempDir()}, {DatabaseURL: pgtest.Database(t), MasterKey: seal.NewMaster()}} {
		s, err := Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx := context.Background()
		p := &point.Provider{Name: "a", Type: "api", Kind: "openai", Status: "active", Config: point.ProviderConfig{Secrets: map[string]point.Secret{"api_key": point.NewSecret("sk-1234567890")}}}
		if err := s.CreateProvider(ctx, p); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateProvider(ctx, &point.Provider{Name: "a"}); err == nil {
			t.Fatal("double")
		} else {
			t.Log(err)
		}
		t.Log(s.Snapshot().Version, s.Snapshot().Providers[p.ID].Config.Secrets["api_key"].Reveal())
		u := &point.User{Email: "A@b.c", Role: "owner"}
		if err := s.CreateFirstUser(ctx, u); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateFirstUser(ctx, &point.User{Email: "x"}); err == nil {
			t.Fatal("double")
		} else {
			t.Log(err)
		}
		k := &point.Key{Name: "k", Status: "active", OwnerID: u.ID}
		if err := s.CreateKey(ctx, k, point.NewSecret("pt-1234567890123456789012345678901234567890")); err != nil {
			t.Fatal(err)
		}
		x := &point.Session{UserID: u.ID, Successor: []byte("abc"), ExpiresAt: s.now().Add(1e12)}
		if err := s.CreateSession(ctx, x); err != nil {
			t.Fatal(err)
		}
		if x, err = s.GetSession(ctx, x.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeUserSessions(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", x)
		t.Logf("%+v", s.Snapshot())
		ms, err := s.Migrations(ctx)
		t.Log(ms, err)
	}
}
