package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// TestOpenFailures: each way a start can fail is a sentence that says what to do and holds
// no password.
func TestOpenFailures(t *testing.T) {
	write := func(t *testing.T, dir, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	postgres := func(change func(*url.URL)) func(*testing.T) store.Options {
		return func(t *testing.T) store.Options {
			u, err := url.Parse(pgtest.Database(t))
			if err != nil {
				t.Fatal(err)
			}
			change(u)
			return store.Options{DatabaseURL: u.String(), MasterKey: seal.NewMaster()}
		}
	}
	for name, c := range map[string]struct {
		options func(*testing.T) store.Options
		want    []string
	}{
		"data folder is a file": {func(t *testing.T) store.Options {
			dir := t.TempDir()
			write(t, dir, "data", "")
			return store.Options{DataDir: filepath.Join(dir, "data")}
		}, []string{"is not a folder", "POINT_DATA_DIR"}},
		"data folder cannot be made": {func(*testing.T) store.Options {
			return store.Options{DataDir: "/proc/point"}
		}, []string{"the data folder /proc/point", "POINT_DATA_DIR"}},
		"database file is a folder": {func(t *testing.T) store.Options {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "config.db"), 0o700); err != nil {
				t.Fatal(err)
			}
			return store.Options{DataDir: dir}
		}, []string{"config.db is not writable", "chown"}},
		"database file is none": {func(t *testing.T) store.Options {
			dir := t.TempDir()
			write(t, dir, "history.db", strings.Repeat("not a database ", 100))
			return store.Options{DataDir: dir}
		}, []string{"history.db is not a database", "backup"}},
		"weak master key": {func(t *testing.T) store.Options {
			return store.Options{DataDir: t.TempDir(), MasterKey: point.NewSecret("short")}
		}, []string{"does not start", "POINT_MASTER_KEY", "32 random bytes"}},
		"no master key": {postgresWithout, []string{"POINT_MASTER_KEY is not set", "openssl rand"}},
		"not a URL": {func(*testing.T) store.Options {
			return store.Options{DatabaseURL: "postgres://u:hunter2@[::1", MasterKey: seal.NewMaster()}
		}, []string{"POINT_DATABASE_URL cannot be read", "postgres://user"}},
		"another scheme": {func(*testing.T) store.Options {
			return store.Options{DatabaseURL: "mysql://u:hunter2@h/db", MasterKey: seal.NewMaster()}
		}, []string{"POINT_DATABASE_URL cannot be read"}},
		"unreachable": {func(*testing.T) store.Options {
			return store.Options{DatabaseURL: "postgres://u:hunter2@127.0.0.1:1/db", MasterKey: seal.NewMaster()}
		}, []string{"127.0.0.1:1 does not answer", "POINT_DATABASE_URL"}},
		"unknown host": {func(*testing.T) store.Options {
			return store.Options{DatabaseURL: "postgres://u:hunter2@no-such-host.invalid/db", MasterKey: seal.NewMaster()}
		}, []string{"no-such-host.invalid"}},
		"wrong password":   {postgres(func(u *url.URL) { u.User = url.UserPassword("postgres", "hunter2") }), []string{"does not let user \"postgres\" in", "password"}},
		"unknown user":     {postgres(func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }), []string{"does not let user \"nobody\" in"}},
		"missing database": {postgres(func(u *url.URL) { u.Path = "/missing" }), []string{"has no database \"missing\"", "createdb missing"}},
		"not migrated": {func(t *testing.T) store.Options {
			return store.Options{DataDir: t.TempDir(), SkipMigrate: true}
		}, []string{"point migrate"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), c.options(t))
			if err == nil {
				t.Fatal("it opened", s.Close())
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "throw-away") || strings.Contains(text, "\n") {
				t.Errorf("the error holds a password, or more than a sentence: %q", text)
			}
		})
	}
}

func postgresWithout(t *testing.T) store.Options {
	return store.Options{DatabaseURL: pgtest.Database(t)}
}

func TestMasterKeyFile(t *testing.T) {
	dir := t.TempDir()
	first := open(t, store.Options{DataDir: dir})
	p := &point.Provider{Name: "p", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive,
		Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-1")}}}
	if err := first.CreateProvider(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "master.key")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("master.key: %v, %v", info, err)
	}
	second := open(t, store.Options{DataDir: dir})
	if got := second.Snapshot().Providers[p.ID].Config.Secrets[point.SecretAPIKey]; got.Reveal() != "sk-1" {
		t.Fatalf("secret %q after a second start", got.Reveal())
	}
	if !bytes.Equal(first.Snapshot().KeySecret, second.Snapshot().KeySecret) {
		t.Fatal("client keys are hashed differently after a second start")
	}
	_, err = store.Open(t.Context(), store.Options{DataDir: dir, MasterKey: seal.NewMaster()})
	if !errors.Is(err, seal.ErrWrongKey) || !strings.Contains(err.Error(), "POINT_MASTER_KEY") {
		t.Fatalf("a wrong master key: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err = store.Open(t.Context(), store.Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Fatalf("a lost master key: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a new master key was made for an encrypted database")
	}
}

// rawDB opens the configuration database beside the store.
func rawDB(t *testing.T, opts store.Options) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", filepath.Join(opts.DataDir, "config.db")
	if opts.DatabaseURL != "" {
		driver, dsn = "pgx", opts.DatabaseURL
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSchemaOfAnotherVersion(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			if opts.DataDir != "" {
				opts.DataDir = t.TempDir()
			}
			s := open(t, opts)
			list, err := s.Migrations(t.Context())
			if err != nil || len(list) < 4 || list[0].Database != "config" || list[0].AppliedAt.IsZero() || list[0].Version > list[1].Version {
				t.Fatalf("migrations %+v, %v", list, err)
			}
			opts.SkipMigrate = true
			open(t, opts)
			opts.SkipMigrate = false

			raw := rawDB(t, opts)
			for _, c := range []struct{ change, want string }{
				{`INSERT INTO schema_config (version_id, is_applied) VALUES (99, true)`, "made by a newer Point"},
				{`DELETE FROM schema_config WHERE version_id = 99`, ""},
			} {
				if _, err := raw.Exec(c.change); err != nil {
					t.Fatal(err)
				}
				s, err := store.Open(t.Context(), opts)
				if c.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					_ = s.Close()
					continue
				}
				if !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "start that version") {
					t.Fatalf("opened with %v", err)
				}
			}
		})
	}
}

// TestHalfWaySchema: a later step is there and an earlier one is not.
func TestHalfWaySchema(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			open(t, opts)
			if _, err := rawDB(t, opts).Exec(`DELETE FROM schema_config WHERE version_id = 1`); err != nil {
				t.Fatal(err)
			}
			_, err := store.Open(t.Context(), opts)
			if !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), "half-way") {
				t.Fatalf("opened with %v", err)
			}
		})
	}
}

// TestOpenAtOnce: several processes start on an empty database.
func TestOpenAtOnce(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			var stores [4]*store.Store
			var group errgroup.Group
			for i := range stores {
				group.Go(func() (err error) {
					stores[i], err = store.Open(t.Context(), opts)
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			for _, s := range stores {
				if !bytes.Equal(s.Snapshot().KeySecret, stores[0].Snapshot().KeySecret) || len(s.Snapshot().Endpoints) != len(point.Endpoints()) {
					t.Errorf("version %d, %d endpoints", s.Snapshot().Version, len(s.Snapshot().Endpoints))
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestSecretsAtRest searches what is written for what must not be readable there.
func TestSecretsAtRest(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	s := open(t, store.Options{DataDir: dir, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	const canary = "canary-7f3a9c55e1"
	secret := point.NewSecret(canary)
	p := &point.Provider{Name: "p", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive,
		Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: secret, point.SecretHeader + "X": secret}}}
	u := &point.User{Email: "a@b.c", Role: point.RoleOwner}
	for _, err := range []error{
		s.CreateProvider(t.Context(), p), s.CreateUser(t.Context(), u),
		s.CreateKey(t.Context(), &point.Key{Name: "k", Prefix: "pt-", Status: point.StatusActive}, secret),
		s.CreateSession(t.Context(), &point.Session{UserID: u.ID, Replaced: []byte(canary), ExpiresAt: p.CreatedAt}, u.Version),
		reserve(t, s),
		s.KeepIdempotent(t.Context(), store.Idempotent{Key: "k", Status: 201, Body: []byte(canary)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) || bytes.Contains(log.Bytes(), []byte(canary)) {
			t.Errorf("the secret is readable in %s, or in the log", f.Name())
		}
	}
}

func reserve(t *testing.T, s *store.Store) error {
	_, err := s.ReserveIdempotent(t.Context(), store.Idempotent{Key: "k"})
	return err
}

// TestDamagedSecret: one secret that does not open does not stop the others, and a secret
// that was moved to another row does not open.
func TestDamagedSecret(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s := open(t, opts)
			for _, name := range []string{"a", "b"} {
				p := &point.Provider{Name: name, Type: point.TypeAPI, Kind: "k", Status: point.StatusActive,
					Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-" + name)}}}
				if err := s.CreateProvider(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := rawDB(t, opts).Exec(`UPDATE provider_secrets SET sealed = (SELECT sealed FROM provider_secrets WHERE provider_id = (SELECT id FROM providers WHERE name = 'a'))
				WHERE provider_id = (SELECT id FROM providers WHERE name = 'b')`); err != nil {
				t.Fatal(err)
			}
			again := open(t, opts)
			a, _ := again.Snapshot().Provider("a")
			b, _ := again.Snapshot().Provider("b")
			if a.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-a" || len(b.Config.Secrets) != 0 {
				t.Fatalf("%d and %d secrets open", len(a.Config.Secrets), len(b.Config.Secrets))
			}
		})
	}
}

// TestSetUpIsWhole: a set-up that fails half-way leaves its token good.
func TestSetUpIsWhole(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s, raw := open(t, opts), rawDB(t, opts)
			if err := s.PutSetupToken(t.Context(), [32]byte{1}, time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			u := &point.User{Email: "a@example.com", Role: point.RoleOwner}
			for _, c := range []struct {
				change string
				fails  bool
			}{{`ALTER TABLE users RENAME COLUMN disabled TO away`, true}, {`ALTER TABLE users RENAME COLUMN away TO disabled`, false}} {
				if _, err := raw.Exec(c.change); err != nil {
					t.Fatal(err)
				}
				if err := s.SetUp(t.Context(), [32]byte{1}, u); (err != nil) != c.fails {
					t.Fatalf("after %s: %v", c.change, err)
				}
			}
		})
	}
}
