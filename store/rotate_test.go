package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
	"point/store/migrations"
)

// vault is a store with sealed values of every kind, and knows what each has to be.
type vault struct {
	providers map[string]map[string]point.Secret // by id
	sessions  map[string]string                  // by id
	answers   []store.Idempotent
	user      *point.User
	client    *point.Key
	signing   store.SigningKey
}

var clientToken = point.NewSecret("pt-" + strings.Repeat("c", 40))

// fill stores n secrets of providers, and a few values of every other kind.
func fill(t *testing.T, s *store.Store, n int) *vault {
	t.Helper()
	v := &vault{providers: map[string]map[string]point.Secret{}, sessions: map[string]string{}, client: &point.Key{Name: "k", Status: point.StatusActive}}
	for i := range 4 {
		secrets := map[string]point.Secret{}
		for j := range n / 4 {
			secrets[fmt.Sprintf("headers.h%05d", j)] = point.NewSecret(fmt.Sprintf("secret %d of %d", j, i))
		}
		p := &point.Provider{Name: fmt.Sprintf("p%d", i), Type: point.TypeAPI, Kind: "k", Status: point.StatusActive, Config: point.ProviderConfig{Secrets: secrets}}
		check(t, s.CreateProvider(t.Context(), p))
		v.providers[p.ID] = secrets
	}
	v.user = &point.User{Email: "a@b.c", Role: point.RoleOwner}
	check(t, s.CreateUser(t.Context(), v.user))
	check(t, s.CreateKey(t.Context(), v.client, clientToken))
	for i := range 10 {
		x := &point.Session{UserID: v.user.ID, Replaced: []byte(fmt.Sprint("replaced ", i)), ExpiresAt: time.Now().Add(time.Hour)}
		check(t, s.CreateSession(t.Context(), x, v.user.Version))
		v.sessions[x.ID] = string(x.Replaced)
		v.answers = append(v.answers, answered(t, s, fmt.Sprint("fill ", i)))
	}
	var err error
	v.signing, err = s.CreateSigningKey(t.Context())
	check(t, err)
	return v
}

// answered stores an answer under an idempotency key.
func answered(t *testing.T, s *store.Store, key string) store.Idempotent {
	t.Helper()
	x := store.Idempotent{Key: key, Route: "POST /x", UserID: "u", Status: 201, Body: []byte("answer to " + key)}
	_, err := s.ReserveIdempotent(t.Context(), x)
	check(t, errors.Join(err, s.KeepIdempotent(t.Context(), x)))
	return x
}

// intact proves that every value opens and is what it was.
func (v *vault) intact(t *testing.T, s *store.Store) {
	t.Helper()
	for id, want := range v.providers {
		p, err := s.GetProvider(t.Context(), id)
		check(t, err)
		if !maps.EqualFunc(p.Config.Secrets, want, func(a, b point.Secret) bool { return a.Reveal() == b.Reveal() }) {
			t.Fatalf("provider %s has %d secrets, want %d", p.Name, len(p.Config.Secrets), len(want))
		}
	}
	for id, want := range v.sessions {
		if x, err := s.GetSession(t.Context(), id); err != nil || string(x.Replaced) != want {
			t.Fatalf("session %s: %v", id, err)
		}
	}
	for _, want := range v.answers {
		if x, err := s.ReserveIdempotent(t.Context(), want); err != nil || x == nil || !bytes.Equal(x.Body, want.Body) {
			t.Fatalf("the answer to %s: %v", want.Key, err)
		}
	}
	signing, err := s.SigningKeys(t.Context())
	check(t, err)
	if len(signing) != 1 || signing[0].Private.Reveal() != v.signing.Private.Reveal() {
		t.Fatal("the signing key is another one")
	}
	if point.HashToken(s.Snapshot().KeySecret, clientToken.Reveal()) != v.client.Hash {
		t.Fatal("the client key is not valid any more")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// oneKey proves that all values are sealed by one key, and returns it.
func oneKey(t *testing.T, s *store.Store) store.SealKey {
	t.Helper()
	keys, lost, err := s.SealKeys(t.Context())
	check(t, err)
	if len(keys) != 1 || lost != 0 || !keys[0].Seals || keys[0].Values == 0 {
		t.Fatalf("keys %+v, %d values sealed by none of them", keys, lost)
	}
	return keys[0]
}

// sealedValues is how many values a rotation under load has to do; nightly runs set more.
func sealedValues() int {
	if n, err := strconv.Atoi(os.Getenv("POINT_TEST_SEALED")); err == nil {
		return n
	}
	return 1600
}

// TestRotateUnderLoad rotates many values while one process that follows and one that hears
// of nothing read and write sealed values all the time.
func TestRotateUnderLoad(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			a, b, deaf := open(t, opts), open(t, opts), open(t, opts)
			run(t, b)
			v := fill(t, a, sealedValues())
			before := oneKey(t, a)
			var load sync.WaitGroup
			var stop atomic.Bool
			var written atomic.Int64
			var mu sync.Mutex
			for i, s := range []*store.Store{b, deaf} {
				load.Go(func() {
					for n := 0; !stop.Load(); n++ {
						x := &point.Session{UserID: v.user.ID, Replaced: []byte(fmt.Sprint("load ", i, n)), ExpiresAt: time.Now().Add(time.Hour)}
						if err := s.CreateSession(t.Context(), x, v.user.Version); err != nil {
							t.Error(err)
							return
						}
						if y, err := s.GetSession(t.Context(), x.ID); err != nil || !bytes.Equal(y.Replaced, x.Replaced) {
							t.Error("a session just written", err)
							return
						}
						kept := answered(t, s, fmt.Sprint("load ", i, n))
						mu.Lock()
						v.sessions[x.ID], v.answers = string(x.Replaced), append(v.answers, kept)
						mu.Unlock()
						written.Add(1)
					}
				})
			}
			begin := time.Now()
			var progress int64
			err := a.RotateKeys(t.Context(), func(n int64) { progress = n })
			took := time.Since(begin)
			stop.Store(true)
			load.Wait()
			check(t, err)
			if after := oneKey(t, a); after.ID == before.ID || progress < int64(sealedValues()) {
				t.Errorf("the key %d seals still, %d values were sealed anew", after.ID, progress)
			}
			t.Logf("%d values in %s, %d times written meanwhile", progress, took.Round(time.Millisecond), written.Load())
			for _, s := range []*store.Store{a, b, deaf, open(t, opts)} {
				v.intact(t, s)
			}
		})
	}
}

// TestRotateOnce: of two at once one is refused; one beside the caller is the same.
func TestRotateOnce(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			a, b := open(t, opts), open(t, opts)
			v := fill(t, a, 1000)
			before := oneKey(t, a)
			second := errors.New("not tried")
			check(t, a.RotateKeys(t.Context(), func(int64) {
				if !errors.Is(second, store.ErrRotating) {
					second = b.RotateKeys(t.Context(), nil)
				}
			}))
			if !errors.Is(second, store.ErrRotating) {
				t.Errorf("a second rotation: %v", second)
			}
			if oneKey(t, b).ID == before.ID {
				t.Error("the key is the same")
			}
			v.intact(t, b)
			ended := make(chan error, 1)
			check(t, b.StartRotation(t.Context(), func(err error) { ended <- err }))
			if got := rotationsOf(t, a); !strings.HasPrefix(got, "secrets.rotation_begun ok") {
				t.Errorf("it has begun, and the trail tells %q", got)
			}
			check(t, <-ended)
			v.intact(t, a)
		})
	}
}

// TestRotateUnreadable: a damaged value keeps the old key, is told of, and harms no other.
func TestRotateUnreadable(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s := open(t, opts)
			v := fill(t, s, 8)
			raw := rawDB(t, opts)
			id := slices.Sorted(maps.Keys(v.providers))[0]
			if _, err := raw.Exec(`UPDATE provider_secrets SET sealed = (SELECT private FROM signing_keys) WHERE provider_id = $1 AND name = 'headers.h00000'`, id); err != nil {
				t.Fatal(err)
			}
			var unreadable *store.Unreadable
			for range 2 {
				if err := s.RotateKeys(t.Context(), nil); !errors.As(err, &unreadable) || unreadable.Count != 1 || unreadable.First.Row != id {
					t.Fatal(err)
				}
			}
			if keys, _, err := s.SealKeys(t.Context()); err != nil || len(keys) != 2 || keys[0].Values == 0 || keys[1].Values != 1 {
				t.Fatalf("%+v, %v", keys, err)
			}
			if _, err := raw.Exec(`DELETE FROM provider_secrets WHERE provider_id = $1 AND name = 'headers.h00000'`, id); err != nil {
				t.Fatal(err)
			}
			delete(v.providers[id], "headers.h00000")
			check(t, s.RotateKeys(t.Context(), nil))
			oneKey(t, s)
			v.intact(t, s)
			want := "secrets.rotation_begun ok, secrets.rotated failed, secrets.rotation_begun ok, secrets.rotation_begun ok, secrets.rotated ok"
			if got := rotationsOf(t, s); got != want { // the second failure is counted beside the first
				t.Errorf("the trail tells %s", got)
			}
		})
	}
}

// TestRotateKilled kills a rotation at any moment, over and over: what is called again goes
// on, and no value is lost.
func TestRotateKilled(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			opts.MasterKey = seal.NewMaster()
			s := open(t, opts)
			v := fill(t, s, 1200)
			for round := range max(5, killRounds()) {
				killRotation(t, opts, time.Duration(round%7)*7*time.Millisecond)
				again, err := store.Open(t.Context(), opts)
				check(t, err)
				v.intact(t, again)
				check(t, again.Close())
			}
			v.intact(t, s)
			// A server may take a moment to notice that the last one was killed.
			eventually(t, 10*time.Second, "the last rotation", func() bool { return !errors.Is(s.RotateKeys(t.Context(), nil), store.ErrRotating) })
			oneKey(t, s)
			v.intact(t, s)
		})
	}
}

const childRotates = "STORE_CHILD_ROTATES"

// TestKilledRotation is the child: it rotates until it is killed.
func TestKilledRotation(t *testing.T) {
	if os.Getenv(childRotates) == "" {
		return // not the child
	}
	s := open(t, store.Options{DataDir: os.Getenv(childDir), DatabaseURL: os.Getenv(childURL), MasterKey: point.NewSecret(os.Getenv(childKey))})
	fmt.Println("begins")
	for {
		if err := s.RotateKeys(t.Context(), nil); !errors.Is(err, store.ErrRotating) { // of the one that was killed before
			check(t, err)
		}
	}
}

// killRotation starts a process that rotates, and kills it after a while.
func killRotation(t *testing.T, opts store.Options, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRotation$")
	cmd.Env = append(os.Environ(), childRotates+"=1", childDir+"="+opts.DataDir, childURL+"="+opts.DatabaseURL, childKey+"="+opts.MasterKey.Reveal())
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	line := make([]byte, 6)
	if _, err := out.Read(line); err != nil || string(line) != "begins" {
		t.Fatalf("the rotation says %q, %v", line, err)
	}
	<-time.After(after)
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

// TestSealedColumns: every column that a migration calls sealed, by its name or beside it, is sealed anew by a rotation.
func TestSealedColumns(t *testing.T) {
	note := regexp.MustCompile(`(?m)^\s*(?:ALTER TABLE (\w+) ADD COLUMN )?(?:(sealed|sealed_\w+|\w+_sealed) BYTEA|(\w+) BYTEA\b.*-- sealed)`)
	table := regexp.MustCompile(`CREATE TABLE (\w+)`)
	listed := store.SealedColumns()
	files, err := fs.Glob(migrations.For("config", store.Postgres), "*.sql")
	check(t, err)
	found := 0
	for _, file := range files {
		text, err := fs.ReadFile(migrations.For("config", store.Postgres), file)
		check(t, err)
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, at := range note.FindAllStringSubmatchIndex(up, -1) {
			m := note.FindStringSubmatch(up[at[0]:at[1]])
			name := m[1]
			if name == "" {
				all := table.FindAllStringSubmatch(up[:at[0]], -1)
				name = all[len(all)-1][1]
			}
			if column := name + "." + m[2] + m[3]; column != "sessions.successor" { // dropped since
				if found++; !slices.Contains(listed, column) {
					t.Errorf("%s is sealed and is not in sealedColumns", column)
				}
			}
		}
	}
	if found < 6 {
		t.Errorf("found %d columns", found)
	}
}

// TestMovedCiphertext puts a sealed value of every column in the place of one of every
// column: none opens.
func TestMovedCiphertext(t *testing.T) {
	sources := []string{
		`SELECT sealed FROM provider_secrets WHERE name = 'headers.h00001'`,
		`SELECT private FROM signing_keys`,
		`SELECT sealed FROM data_keys WHERE purpose = 'client_keys'`,
		`SELECT replaced FROM sessions ORDER BY id DESC`,
		`SELECT body FROM idempotency WHERE key <> 'fill 0'`,
	}
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s := open(t, opts)
			v := fill(t, s, 8)
			id, session := slices.Min(slices.Collect(maps.Keys(v.providers))), slices.Min(slices.Collect(maps.Keys(v.sessions)))
			places := []struct {
				was, move string
				ask       func() error
			}{
				{`SELECT sealed FROM provider_secrets WHERE name = 'headers.h00000' AND provider_id = '` + id + `'`, `UPDATE provider_secrets SET sealed = $1 WHERE name = 'headers.h00000' AND provider_id = '` + id + `'`, func() error {
					p, err := s.GetProvider(t.Context(), id)
					if err == nil && len(p.Config.Secrets) < 2 {
						err = seal.ErrSealed // left out, so that all others work
					}
					return err
				}},
				{sources[1], `UPDATE signing_keys SET private = $1`, func() error { _, err := s.SigningKeys(t.Context()); return err }},
				{sources[2], `UPDATE data_keys SET sealed = $1 WHERE purpose = 'client_keys'`, func() error {
					s, err := store.Open(t.Context(), opts)
					if err == nil {
						err = s.Close()
					}
					return err
				}},
				{`SELECT replaced FROM sessions WHERE id = '` + session + `'`, `UPDATE sessions SET replaced = $1 WHERE id = '` + session + `'`, func() error {
					_, err := s.GetSession(t.Context(), session)
					return err
				}},
				{`SELECT body FROM idempotency WHERE key = 'fill 0'`, `UPDATE idempotency SET body = $1 WHERE key = 'fill 0'`, func() error {
					_, err := s.ReserveIdempotent(t.Context(), v.answers[0])
					return err
				}},
			}
			raw := rawDB(t, opts)
			for _, from := range sources {
				var sealed, was []byte
				check(t, raw.QueryRow(from).Scan(&sealed))
				for _, to := range places {
					check(t, raw.QueryRow(to.was).Scan(&was))
					move := func(value []byte) {
						_, err := raw.Exec(to.move, value)
						check(t, err)
					}
					move(sealed)
					if err := to.ask(); errors.Is(err, seal.ErrSealed) == bytes.Equal(was, sealed) {
						t.Errorf("%s: given what %s gives: %v", to.move, from, err)
					}
					move(was)
				}
			}
			v.intact(t, s)
		})
	}
}

// TestChangeMasterKey: the new key opens everything and the old one nothing; client keys stay
// valid, and whatever a crash leaves behind can be opened.
func TestChangeMasterKey(t *testing.T) {
	old, next := seal.NewMaster(), seal.NewMaster()
	for name, opts := range map[string]store.Options{
		"file":     {DataDir: t.TempDir()},
		"variable": {DataDir: t.TempDir(), MasterKey: old},
		"postgres": {DatabaseURL: pgtest.Database(t), MasterKey: old},
	} {
		t.Run(name, func(t *testing.T) {
			s, twin := open(t, opts), open(t, opts)
			v := fill(t, s, 8)
			if err := s.ChangeMasterKey(t.Context(), point.NewSecret("weak")); !errors.Is(err, seal.ErrWeakKey) {
				t.Fatal(err)
			}
			check(t, s.ChangeMasterKey(t.Context(), next))
			v.intact(t, twin) // it goes on with what it has
			after := opts
			if !opts.MasterKey.IsZero() {
				if _, err := store.Open(t.Context(), opts); !errors.Is(err, seal.ErrWrongKey) {
					t.Fatalf("the old master key: %v", err)
				}
				after.MasterKey = next
			}
			again := open(t, after)
			v.intact(t, again)
			check(t, again.RotateKeys(t.Context(), nil))
			v.intact(t, open(t, after))
		})
	}
}

// TestChangeMasterKeyCutOff: before the change the old file serves, after it the new one takes
// its place at the next start.
func TestChangeMasterKeyCutOff(t *testing.T) {
	opts := store.Options{DataDir: t.TempDir()}
	file := filepath.Join(opts.DataDir, "master.key")
	v := fill(t, open(t, opts), 8)
	check(t, os.WriteFile(file+".next", []byte("cut off while it was wri"), 0o600))
	v.intact(t, open(t, opts))
	old, err := os.ReadFile(file)
	check(t, err)
	next := seal.NewMaster()
	check(t, open(t, opts).ChangeMasterKey(t.Context(), next))
	check(t, os.WriteFile(file+".next", []byte(next.Reveal()), 0o600)) // as if it had not been moved yet
	check(t, os.WriteFile(file, old, 0o600))
	v.intact(t, open(t, opts))
	if text, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(text)) != next.Reveal() {
		t.Error("the next master key is not in its place", err)
	}
	if _, err := os.Stat(file + ".next"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// rotationsOf is what the audit trail tells of rotations, in its order.
func rotationsOf(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := s.ListAudit(t.Context(), store.AuditFilter{})
	check(t, err)
	var told []string
	for _, e := range slices.Backward(list.Items) {
		if e.TargetKind == "secrets" {
			told = append(told, e.Event+" "+e.Result)
		}
	}
	return strings.Join(told, ", ")
}

// TestRotationCutOff: of a rotation that its process's end cuts off, the trail tells that it
// began, and that it was cut off.
func TestRotationCutOff(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s := open(t, opts)
			fill(t, s, 8)
			ctx, cut := context.WithCancel(t.Context())
			if err := s.RotateKeys(ctx, func(int64) { cut() }); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if got := rotationsOf(t, s); got != "secrets.rotation_begun ok, secrets.rotated failed" {
				t.Errorf("the trail tells %s", got)
			}
		})
	}
}
