package store

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"point"
)

// BenchmarkOpen measures a start with 10,000 client keys, and a change among them.
func BenchmarkOpen(b *testing.B) {
	opts := Options{DataDir: b.TempDir()}
	s, err := Open(b.Context(), opts)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	k := &point.Key{Name: "k", Status: point.StatusActive, Tags: []string{"team"}}
	if err := s.CreateKey(b.Context(), k, point.NewSecret("pt-0")); err != nil {
		b.Fatal(err)
	}
	err = s.config.transact(b.Context(), func(tx *sql.Tx) error {
		for i := range 10_000 {
			hash := point.HashToken(s.Snapshot().KeySecret, fmt.Sprint(i))
			if _, err := tx.Exec(`INSERT INTO keys (`+keyColumns+`) SELECT $1, name, prefix, $2, owner_id, status, tags, models, endpoints, limits, expires_at,
				managed_by, version, created_at, updated_at FROM keys WHERE id = $3`, NewID(time.Now()), hash[:], k.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("10,000 keys", func(b *testing.B) {
		for b.Loop() {
			again, err := Open(b.Context(), opts)
			if err != nil {
				b.Fatal(err)
			}
			if err := again.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := s.reload(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("change", func(b *testing.B) {
		for b.Loop() {
			if err := s.UpdateKey(b.Context(), k); err != nil {
				b.Fatal(err)
			}
		}
	})
}
