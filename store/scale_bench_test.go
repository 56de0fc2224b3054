package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
)

// The size that a large installation has.
const (
	manyKeys      = 100_000
	manyProviders = 1_000
)

const (
	// Each copies the first key or provider under the ids and hashes, or names, of a JSON list.
	manyKeysSQLite = `INSERT INTO keys (` + newKeyColumns + `) SELECT json_extract(value, '$[0]'), name || key, prefix, unhex(json_extract(value, '$[1]')), owner_id,
		CASE WHEN key % 10 = 0 THEN 'inactive' ELSE status END, tags, models, endpoints, limits, expires_at, managed_by, version, created_at + key, updated_at FROM keys, json_each($1)`
	manyKeysPostgres = `INSERT INTO keys (` + newKeyColumns + `) SELECT (value->>0)::UUID, name || n, prefix, decode(value->>1, 'hex'), owner_id,
		CASE WHEN n % 10 = 0 THEN 'inactive' ELSE status END, tags, models, endpoints, limits, expires_at, managed_by, version, created_at + n * INTERVAL '1 microsecond', updated_at
		FROM keys, json_array_elements($1::JSON) WITH ORDINALITY AS list(value, n)`
	manyProvidersSQLite = `INSERT INTO providers (` + providerColumns + `) SELECT json_extract(value, '$[0]'), name || key, providers.type, provider, config,
		status, managed_by, version, created_at, updated_at, deleted_at FROM providers, json_each($1)`
	manyProvidersPostgres = `INSERT INTO providers (` + providerColumns + `) SELECT (value->>0)::UUID, name || n, type, provider, config,
		status, managed_by, version, created_at, updated_at, deleted_at FROM providers, json_array_elements($1::JSON) WITH ORDINALITY AS list(value, n)`
)

// BenchmarkScale measures a start, a change and lists among 100,000 keys and 1,000 providers.
func BenchmarkScale(b *testing.B) {
	for _, engine := range []string{SQLite, Postgres} {
		b.Run(engine, func(b *testing.B) {
			opts := Options{DataDir: b.TempDir()}
			if engine == Postgres {
				opts = Options{DatabaseURL: pgtest.Database(b), MasterKey: seal.NewMaster()}
			}
			k := fillLarge(b, opts)
			b.Run("open", func(b *testing.B) { benchOpen(b, opts) })
			s := openBench(b, opts)
			b.Run("change", func(b *testing.B) { benchChange(b, s, k, nil) })
			b.Run("change elsewhere", func(b *testing.B) { benchChange(b, s, k, openBench(b, opts)) })
			benchLists(b, s, k.OwnerID)
		})
	}
}

func openBench(b *testing.B, opts Options) *Store {
	b.Helper()
	s, err := Open(b.Context(), opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// fillLarge makes the keys and providers, and gives one of the keys.
func fillLarge(b *testing.B, opts Options) *point.Key {
	b.Helper()
	s := openBench(b, opts)
	defer s.Close()
	u := &point.User{Email: "owner@example.com", Role: point.RoleOwner}
	if err := s.CreateUser(b.Context(), u); err != nil {
		b.Fatal(err)
	}
	k := &point.Key{Name: "k", OwnerID: u.ID, Status: point.StatusActive, Tags: []string{"team"}, Limits: point.KeyLimits{RPM: new(int64(60))}}
	if err := s.CreateKey(b.Context(), k, point.NewSecret("pt-0")); err != nil {
		b.Fatal(err)
	}
	p := &point.Provider{Name: "p", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{
		BaseURL: "https://api.openai.com/v1", Models: []string{"gpt-4o", "gpt-4o-mini"}, Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-0")},
	}}
	if err := s.CreateProvider(b.Context(), p); err != nil {
		b.Fatal(err)
	}
	keys, providers := manyKeysSQLite, manyProvidersSQLite
	if s.postgres != nil {
		keys, providers = manyKeysPostgres, manyProvidersPostgres
	}
	err := s.config.transact(b.Context(), func(tx *sql.Tx) error {
		for _, fill := range []struct {
			sql string
			n   int
		}{{keys, manyKeys}, {providers, manyProviders}} {
			if _, err := tx.Exec(fill.sql, idsAndHashes(s, fill.n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return k
}

// idsAndHashes is a JSON list of n pairs.
func idsAndHashes(s *Store, n int) string {
	list := make([][2]string, n)
	for i := range list {
		hash := point.HashToken(s.Snapshot().KeySecret, fmt.Sprint("pt-", i+1))
		list[i] = [2]string{NewID(time.Now()), hex.EncodeToString(hash[:])}
	}
	text, _ := json.Marshal(list) // strings always marshal
	return string(text)
}

func benchOpen(b *testing.B, opts Options) {
	defer reportCPU(b, cpuTime())
	for b.Loop() {
		s, err := Open(b.Context(), opts)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(s.Snapshot().Keys); n != manyKeys+1 {
			b.Fatalf("%d keys", n)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchChange changes k at s, until other, if there is one, has it too.
func benchChange(b *testing.B, s *Store, k *point.Key, other *Store) {
	if other != nil {
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error)
		go func() { done <- other.Run(ctx) }()
		defer func() { cancel(); <-done }()
	}
	poll := time.NewTicker(100 * time.Microsecond)
	defer poll.Stop()
	defer reportCPU(b, cpuTime())
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := s.UpdateKey(b.Context(), All(), k); err != nil {
			b.Fatal(err)
		}
		for _, store := range []*Store{s, other} {
			for store != nil && store.Snapshot().Keys[k.Hash].Version != k.Version {
				if time.Since(start) > 10*time.Second {
					b.Fatal("the change does not arrive")
				}
				<-poll.C
			}
		}
		times = append(times, time.Since(start))
	}
	reportP95(b, times)
}

func benchLists(b *testing.B, s *Store, owner string) {
	for _, page := range []Page{{}, {Number: 90, Limit: 100}} {
		for name, f := range map[string]KeyFilter{
			"all": {}, "active": {Status: point.StatusActive}, "inactive": {Status: point.StatusInactive}, "owner": {OwnerID: owner},
			"nobody's": {OwnerID: NewID(time.Now())}, "inactive of owner": {OwnerID: owner, Status: point.StatusInactive},
		} {
			f.Page = page
			benchList(b, fmt.Sprintf("keys, %s, page %d", name, page.Number), func() error { _, err := s.ListKeys(b.Context(), All(), f); return err })
		}
	}
	for name, f := range map[string]ProviderFilter{
		"all": {}, "active": {Status: point.StatusActive}, "web": {Type: point.TypeWeb}, "500 of them": {Page: Page{Limit: 500}},
	} {
		benchList(b, "providers, "+name, func() error { _, err := s.ListProviders(b.Context(), f); return err })
	}
}

func benchList(b *testing.B, name string, list func() error) {
	b.Run(name, func(b *testing.B) {
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			if err := list(); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
		reportP95(b, times)
	})
}

// reportCPU tells what this process used since before, which its neighbours blur less than time.
func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func reportP95(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
}

// BenchmarkKeyByToken measures the check of a client key, by how many there are.
func BenchmarkKeyByToken(b *testing.B) {
	for _, n := range []int{100, manyKeys} {
		b.Run(fmt.Sprint(n, " keys"), func(b *testing.B) {
			s := &point.Snapshot{Keys: map[[32]byte]*point.Key{}, KeySecret: make([]byte, 32)}
			tokens := make([]string, n)
			for i := range tokens {
				tokens[i] = fmt.Sprintf("pt-%040d", i)
				hash := point.HashToken(s.KeySecret, tokens[i])
				s.Keys[hash] = &point.Key{Hash: hash}
			}
			s.Index()
			b.ReportAllocs()
			i, now := 0, time.Now()
			for b.Loop() {
				if _, ok := s.KeyByToken(tokens[i%n], now); !ok {
					b.Fatal("not found")
				}
				i += 7919
			}
		})
	}
}

// TestKeyCheckNeedsNoDatabase: a closed store still knows its keys.
func TestKeyCheckNeedsNoDatabase(t *testing.T) {
	s, err := Open(t.Context(), Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	k := &point.Key{Name: "k", Status: point.StatusActive}
	if err := s.CreateKey(t.Context(), k, point.NewSecret("pt-known")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found, ok := s.Snapshot().KeyByToken("pt-known", time.Now()); !ok || found.ID != k.ID {
		t.Error("a key is not known without the database")
	}
	if _, ok := s.Snapshot().KeyByToken("pt-other", time.Now()); ok {
		t.Error("a token that nobody has is known")
	}
}
