package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// eventually waits until cond holds, at most limit. What it waits for happens in another
// process or on a database's own clock.
func eventually(t *testing.T, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(limit)
	for !cond() {
		select {
		case <-ticker.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// run runs a store for the length of the test.
func run(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestFollowsOtherProcesses: what one store writes, another on the same database serves.
func TestFollowsOtherProcesses(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			ctx := t.Context()
			opts := options()
			a, b := open(t, opts), open(t, opts)
			run(t, b)
			p := &point.Provider{Name: "p", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive}
			u := &point.User{Email: "a@b.c", Role: point.RoleOwner}
			x := &point.Session{ExpiresAt: time.Now().Add(time.Hour)}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(a.CreateProvider(ctx, p))
			must(a.CreateUser(ctx, u))
			x.UserID = u.ID
			must(a.CreateSession(ctx, x, 1))
			must(a.CreateKey(ctx, &point.Key{Name: "k", Status: point.StatusActive}, point.NewSecret("pt-token")))
			must(a.PutAlias(ctx, &point.Alias{Name: "fast", Target: "m"}))
			must(a.RevokeSession(ctx, x.ID))
			eventually(t, 10*time.Second, "the other store", func() bool { return b.Snapshot().Version == a.Snapshot().Version })
			snap := b.Snapshot()
			_, key := snap.KeyByToken("pt-token", time.Now())
			_, revoked := snap.RevokedSessions[x.ID]
			if snap.Providers[p.ID] == nil || snap.Users[u.ID] == nil || !key || !revoked || snap.Aliases["fast"] != "m" {
				t.Fatalf("the other store has %+v", snap)
			}
			must(a.DeleteProvider(ctx, p.ID, p.Version))
			eventually(t, 10*time.Second, "the deletion", func() bool { return b.Snapshot().Providers[p.ID] == nil })
		})
	}
}

// TestForgottenChanges: a store that is too far behind reads everything.
func TestForgottenChanges(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			a, b := open(t, opts), open(t, opts)
			for _, name := range []string{"x", "y"} {
				if err := a.PutAlias(t.Context(), &point.Alias{Name: name, Target: "m"}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := rawDB(t, opts).Exec(`DELETE FROM changes`); err != nil {
				t.Fatal(err)
			}
			if err := b.PutAlias(t.Context(), &point.Alias{Name: "z", Target: "m"}); err != nil {
				t.Fatal(err)
			}
			if got := b.Snapshot(); len(got.Aliases) != 3 || len(got.Endpoints) != len(point.Endpoints()) {
				t.Fatalf("the store has %+v", got)
			}
		})
	}
}

// TestPostgresAway: while the server is down the last snapshot serves and writes fail; then
// the store goes on by itself.
func TestPostgresAway(t *testing.T) {
	cluster, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	address, err := cluster.Create()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Options{DatabaseURL: address, MasterKey: seal.NewMaster()})
	run(t, s)
	if err := s.PutAlias(t.Context(), &point.Alias{Name: "x", Target: "m"}); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	records := []point.Record{{ID: store.NewID(at), Timestamp: at, Endpoint: point.PathChat, Status: 200, Outcome: point.OutcomeComplete}}
	if err := s.InsertRecords(t.Context(), records); err == nil {
		t.Fatal("records were stored in a server that is down")
	}
	if err := s.PutAlias(t.Context(), &point.Alias{Name: "y", Target: "m"}); err == nil || s.Ping(t.Context()) == nil {
		t.Fatal("a server that is down took a change, or answered")
	}
	if s.Snapshot().Aliases["x"] != "m" || len(s.Snapshot().Aliases) != 1 {
		t.Fatalf("the snapshot has %v", s.Snapshot().Aliases)
	}
	if err := cluster.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the records", func() bool { return s.InsertRecords(t.Context(), records) == nil })
	if _, err := s.GetRequest(t.Context(), store.All(), records[0].ID); err != nil {
		t.Fatal(err)
	}
}

// TestSQLiteLocked: a lock of another program is waited for, and then is an error that lets
// the records be sent again.
func TestSQLiteLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{DataDir: dir})
	raw := rawDB(t, store.Options{DataDir: dir})
	if err := raw.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(`ATTACH DATABASE $1 AS history`, filepath.Join(dir, "history.db")); err != nil {
		t.Fatal(err)
	}
	raw.SetMaxOpenConns(1)
	if _, err := raw.Exec(`BEGIN IMMEDIATE; UPDATE history.alerts SET count = count`); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	done := make(chan error, 1)
	go func() {
		done <- s.InsertRecords(context.WithoutCancel(t.Context()), []point.Record{{ID: store.NewID(at), Timestamp: at, Status: 200, Outcome: point.OutcomeComplete}})
	}()
	select {
	case err := <-done:
		t.Fatalf("the lock was not waited for: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if l, err := s.ListRequests(t.Context(), store.All(), store.RequestFilter{}); err != nil || l.Total != 0 {
		t.Fatalf("readers are held up by a writer: %v, %v", l, err)
	}
	if _, err := raw.Exec(`COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestClosed: a closed store answers with errors, not panics, and closes again.
func TestClosed(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s.Ping(t.Context()) == nil || s.PutAlias(t.Context(), &point.Alias{Name: "x", Target: "m"}) == nil {
		t.Fatal("a closed store works")
	}
	if s.Snapshot() == nil {
		t.Fatal("a closed store has no snapshot")
	}
}
