package store

import (
	"context"
	"errors"
)

// ReadMigrations lists the steps of both schemas, as Migrations does, of a database that is
// not to be migrated by this. Options that concern keys are not needed.
func ReadMigrations(ctx context.Context, opts Options) ([]Migration, error) {
	s := &Store{opts: opts}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	list, err := s.Migrations(ctx)
	return list, errors.Join(err, s.Close())
}
