package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"

	"point/store/migrations"
)

// Migrations lists the steps of both schemas with the time each was applied.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	var list []Migration
	for _, d := range s.databases() {
		steps, err := d.steps()
		if err != nil {
			return nil, err
		}
		status, err := steps.Status(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the %s schema: %w", d.name, err)
		}
		slices.SortFunc(status, func(a, b *goose.MigrationStatus) int { return cmp.Compare(a.Source.Version, b.Source.Version) })
		for _, m := range status {
			list = append(list, Migration{Database: d.name, Version: m.Source.Version, Name: filepath.Base(m.Source.Path), AppliedAt: m.AppliedAt})
		}
	}
	return list, nil
}

// Migrate brings both schemas to what this binary needs. One process does it, the others
// wait. A schema that is newer, or that misses a step in the middle, is refused (ErrSchema).
func (s *Store) Migrate(ctx context.Context) error {
	unlock, err := s.lockSchema(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.migrate(ctx)
}

// Alone runs fn, on the newest snapshot, while no other process opens this database or is
// alone on it: of several that start together, one makes what all share.
func (s *Store) Alone(ctx context.Context, fn func(context.Context) error) error {
	unlock, err := s.lockSchema(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.refresh(ctx); err != nil {
		return err
	}
	return fn(ctx)
}

// migrate is Migrate under the lock.
func (s *Store) migrate(ctx context.Context) error {
	for _, d := range s.databases() {
		if err := d.migrate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// databases are the two, config first: history refers to it.
func (s *Store) databases() []*database { return []*database{s.config, s.history} }

// versions is the table that tells which steps were applied.
func (d *database) versions() (goosedb.Store, error) {
	dialect := goose.DialectSQLite3
	if d.engine == Postgres {
		dialect = goose.DialectPostgres
	}
	table, err := goosedb.NewStore(dialect, "schema_"+d.name)
	if err != nil {
		return nil, fmt.Errorf("read the %s schema: %w", d.name, err)
	}
	return table, nil
}

func (d *database) steps() (*goose.Provider, error) {
	table, err := d.versions()
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectCustom, d.write, migrations.For(d.name, d.engine),
		goose.WithStore(table), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read the migrations of the %s database: %w", d.name, err)
	}
	return p, nil
}

func (d *database) migrate(ctx context.Context) error {
	steps, err := d.steps()
	if err != nil {
		return err
	}
	if err := d.checkSchema(ctx, steps); err != nil {
		return err
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("migrating the %s database failed and was undone; nothing is lost, start the former version or mend the cause: %w", d.name, err)
	}
	return nil
}

// checkSchema refuses a schema that this binary cannot take further.
func (d *database) checkSchema(ctx context.Context, steps *goose.Provider) error {
	applied, err := d.applied(ctx)
	if err != nil {
		return err
	}
	var known []int64
	for _, source := range steps.ListSources() {
		known = append(known, source.Version)
	}
	newest := slices.Max(known)
	for _, v := range applied {
		if !slices.Contains(known, v) {
			return fmt.Errorf("%w: the %s database was made by a newer Point (schema %d, this version knows %d): start that version, or restore a backup from before it", ErrSchema, d.name, v, newest)
		}
	}
	for _, v := range known {
		if len(applied) > 0 && v < slices.Max(applied) && !slices.Contains(applied, v) {
			return fmt.Errorf("%w: the %s database is half-way: step %d is missing though later ones are there: restore it from a backup", ErrSchema, d.name, v)
		}
	}
	return nil
}

// currentSchema refuses a schema with steps to go.
func (d *database) currentSchema(ctx context.Context) error {
	steps, err := d.steps()
	if err != nil {
		return err
	}
	if err := d.checkSchema(ctx, steps); err != nil {
		return err
	}
	pending, err := steps.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the %s schema: %w", d.name, err)
	}
	if pending {
		return fmt.Errorf("%w: the %s database has migrations to go: run `point migrate`", ErrSchema, d.name)
	}
	return nil
}

// applied lists the versions of the steps that were applied.
func (d *database) applied(ctx context.Context) ([]int64, error) {
	table, err := d.versions()
	if err != nil {
		return nil, err
	}
	list, err := table.ListMigrations(ctx, d.write)
	if err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read the %s schema: %w", d.name, err)
	}
	var versions []int64
	for _, m := range list {
		if m.IsApplied && m.Version > 0 {
			versions = append(versions, m.Version)
		}
	}
	return versions, nil
}

// lockSchema waits until no other process migrates.
func (s *Store) lockSchema(ctx context.Context) (unlock func(), err error) {
	if s.config.engine == Postgres {
		return s.lockPostgres(ctx)
	}
	file, err := os.OpenFile(filepath.Join(s.opts.DataDir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, dirFailure(s.opts.DataDir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the schema: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func (s *Store) lockPostgres(ctx context.Context) (unlock func(), err error) {
	conn, err := s.config.write.Conn(ctx)
	if err != nil {
		return nil, failure(err)
	}
	// A connection of its own waits as long as it takes. The number is any that nothing else uses.
	for _, statement := range []string{`SET statement_timeout = 0`, `SELECT pg_advisory_lock(7236571091)`} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("lock the schema: %w", err), conn.Close())
		}
	}
	return func() {
		ctx := context.WithoutCancel(ctx)
		_, _ = conn.ExecContext(ctx, `SELECT pg_advisory_unlock(7236571091)`)
		_, _ = conn.ExecContext(ctx, `RESET statement_timeout`)
		_ = conn.Close()
	}, nil
}
