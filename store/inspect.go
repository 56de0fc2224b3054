package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadMigrations lists the steps of both schemas, as Migrations does, of a database that is
// not to be migrated, nor made, by this. Options that concern keys are not needed.
func ReadMigrations(ctx context.Context, opts Options) ([]Migration, error) {
	if _, err := os.Stat(filepath.Join(opts.DataDir, "config.db")); opts.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist) {
		empty, err := os.MkdirTemp("", "point-schema-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(empty)
		opts.DataDir = empty // has the same steps to go
	}
	s := &Store{opts: opts}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	list, err := s.Migrations(ctx)
	return list, errors.Join(err, s.Close())
}
