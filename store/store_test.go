package store_test

import (
	"fmt"
	"os"
	"testing"
	_ "time/tzdata" // as the binary has it

	"go.uber.org/goleak"

	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
	"point/store/storetest"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// engines are the ways to open an empty store; options may be opened again.
func engines(tb testing.TB) map[string]func() store.Options {
	return map[string]func() store.Options{
		store.SQLite: func() store.Options { return store.Options{DataDir: tb.TempDir()} },
		store.Postgres: func() store.Options {
			return store.Options{DatabaseURL: pgtest.Database(tb), MasterKey: seal.NewMaster()}
		},
	}
}

// open opens a store for the length of the test.
func open(tb testing.TB, opts store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) *store.Store { return open(t, options()) })
		})
	}
}
