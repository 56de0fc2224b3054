package store

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"point"
)

// Store is an open Configuration Store. It is safe for concurrent use.
type Store struct {
	opts     Options
	postgres *pgx.ConnConfig // nil on SQLite
	config   *database
	history  *database // on PostgreSQL the same pools as config
	ring     keyring
	auditKey ed25519.PrivateKey // signs checkpoints of the audit trail
	repeats  repeats

	publish sync.Mutex // one refresh at a time

	publishing sync.Mutex // one writer of the file of checkpoints
	backing    sync.Mutex // one backup at a time

	bodies   atomic.Pointer[Bodies]
	snapshot atomic.Pointer[point.Snapshot]
	closed   sync.Once
	living   context.Context // ends with Close
	end      context.CancelFunc
	work     sync.WaitGroup // what has to end before the connections do
	months   sync.Map       // "2006-01" of the partitions of requests that are known to exist

	using sync.Mutex
	uses  map[string]time.Time // of tokens, by id, until they are written down
}

var _ point.Snapshots = (*Store)(nil)

// Open connects, migrates, opens the keys and loads the first snapshot. Every way it can
// fail is one sentence that says what to do, and none holds a secret.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{opts: opts}
	s.ring.store = s
	s.living, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	// Of several processes that start on an empty database, one makes what all then share.
	unlock, err := s.lockSchema(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for _, step := range []func(context.Context) error{s.prepare, s.openKeys, s.openAuditKey, s.seedEndpoints, s.reload, s.makePartitions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// connect opens both databases.
func (s *Store) connect(ctx context.Context) (err error) {
	if s.opts.DatabaseURL != "" {
		return s.connectPostgres(ctx)
	}
	if err := prepareDir(s.opts.DataDir); err != nil {
		return err
	}
	if s.opts.DataDir, err = filepath.Abs(s.opts.DataDir); err != nil {
		return fmt.Errorf("the data folder: %w", err)
	}
	if s.config, err = openSQLite(ctx, s.opts.DataDir, "config", true); err != nil {
		return err
	}
	s.history, err = openSQLite(ctx, s.opts.DataDir, "history", s.opts.Durable)
	return err
}

func (s *Store) connectPostgres(ctx context.Context) (err error) {
	if s.postgres, err = parsePostgres(s.opts.DatabaseURL); err != nil {
		return err
	}
	if s.opts.MasterKey.IsZero() {
		return errors.New("POINT_MASTER_KEY is not set and PostgreSQL needs it: set it to 32 random bytes in base64 (openssl rand -base64 32), the same for every Point on this database, and keep a copy")
	}
	if s.config, err = openPostgres(ctx, s.postgres); err != nil {
		return err
	}
	history := *s.config
	history.name = "history"
	s.history = &history
	return nil
}

// prepare migrates, or proves that there is nothing to migrate.
func (s *Store) prepare(ctx context.Context) error {
	if !s.opts.SkipMigrate {
		return s.migrate(ctx)
	}
	for _, d := range s.databases() {
		if err := d.currentSchema(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close writes down what was counted for the audit trail and ends all connections. It may be
// called more than once.
func (s *Store) Close() (err error) {
	s.closed.Do(func() {
		if s.end != nil {
			s.end()
		}
		s.work.Wait()
		s.lastRepeats()
		err = s.config.close()
		if s.postgres == nil {
			err = errors.Join(err, s.history.close())
		}
	})
	return err
}

// Ping asks the databases for an answer.
func (s *Store) Ping(ctx context.Context) error {
	for _, d := range s.databases() {
		if err := d.ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Engine is SQLite or Postgres.
func (s *Store) Engine() string { return s.config.engine }
