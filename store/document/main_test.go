package document_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
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
		store.SQLite: func() store.Options { return store.Options{DataDir: tb.TempDir(), MasterKey: seal.NewMaster()} },
		store.Postgres: func() store.Options {
			return store.Options{DatabaseURL: pgtest.Database(tb), MasterKey: seal.NewMaster()}
		},
	}
}

// openWith opens a store for the length of the test.
func openWith(tb testing.TB, opts store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), opts)
	ok(tb, err)
	tb.Cleanup(func() { ok(tb, s.Close()) })
	return s
}
