package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"point/internal/panics"
)

const (
	pollEvery    = time.Second         // PostgreSQL, which tells of changes too; sessions that end elsewhere end here within 2 s
	pollSQLite   = time.Second / 4     // one read of a file of this machine
	listenPause  = time.Second         // before listening again after a lost connection
	upkeepFirst  = time.Minute         // after the start
	upkeepEvery  = time.Hour           // then
	changesLife  = 24 * time.Hour      // a process that is further behind reads everything
	minuteLife   = 48 * time.Hour      // of rollups by the minute
	sessionsLife = 30 * 24 * time.Hour // of sessions that ended
	parkedLife   = time.Hour           // of secrets that nothing speaks of, at least
	tokensLife   = 30 * 24 * time.Hour // of personal access tokens that expired
	alertsLife   = 7 * 24 * time.Hour  // of open alerts that are not raised again
	silencesLife = 30 * 24 * time.Hour // of silences that ended
)

// Run follows what other processes change and keeps the databases in shape, until ctx ends.
// A database that is away is waited for; the last snapshot stays in use meanwhile.
func (s *Store) Run(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	group, ctx := errgroup.WithContext(ctx)
	parts := []func(context.Context) error{
		func(ctx context.Context) error { return s.follow(ctx, wake) },
		s.keepUp,
		s.writeRepeats,
		s.noteUses,
	}
	if s.postgres != nil {
		parts = append(parts, func(ctx context.Context) error { return s.listen(ctx, wake) })
	}
	for _, part := range parts {
		group.Go(func() (err error) {
			defer panics.Catch(s.opts.Log, "the store", &err)
			return part(ctx)
		})
	}
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Refresh brings the snapshot to what is committed now, which Run does within a second.
func (s *Store) Refresh(ctx context.Context) error { return s.refresh(ctx) }

// KnownWithin is how soon a change is known to the other processes that run on a database which
// answers.
func (s *Store) KnownWithin() time.Duration { return pollSQLite + pollSQLite/2 }

// pollEvery is how often the database is asked for changes.
func (s *Store) pollEvery() time.Duration {
	if s.postgres == nil {
		return pollSQLite
	}
	return pollEvery
}

// follow refreshes the snapshot every so often, and whenever it is woken.
func (s *Store) follow(ctx context.Context, wake <-chan struct{}) error {
	ticker := time.NewTicker(s.pollEvery())
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-wake:
		}
		err := s.refresh(ctx)
		if failed := err != nil && ctx.Err() == nil; failed != failing {
			failing = failed
			s.reportFollowing(err)
		}
	}
}

func (s *Store) reportFollowing(err error) {
	if err != nil {
		s.opts.Log.Error("the database does not answer; the last configuration stays in use", "error", err)
		return
	}
	s.opts.Log.Info("the database answers again")
}

// listen wakes follow when PostgreSQL tells of a change. It connects anew when it must.
func (s *Store) listen(ctx context.Context, wake chan<- struct{}) error {
	for {
		_ = s.listenOnce(ctx, wake) // follow polls meanwhile, and reports what is wrong
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(listenPause):
		}
	}
}

func (s *Store) listenOnce(ctx context.Context, wake chan<- struct{}) error {
	cfg := s.postgres.Copy()
	cfg.RuntimeParams["application_name"] = "point-listen"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	for {
		// What changed before LISTEN is caught by the first round.
		select {
		case wake <- struct{}{}:
		default:
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}

// keepUp does the upkeep, the first time soon after the start.
func (s *Store) keepUp(ctx context.Context) error {
	timer := time.NewTimer(upkeepFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err := s.Upkeep(ctx); err != nil && ctx.Err() == nil {
			s.opts.Log.Warn("upkeep of the database failed and is tried again in an hour", "error", err)
		}
		timer.Reset(upkeepEvery)
	}
}

// Upkeep deletes what serves no more, closes alerts that have gone quiet, makes the partitions of the months to come, and lets
// the engines look after statistics and free space. Run calls it every hour.
func (s *Store) Upkeep(ctx context.Context) error {
	if err := s.sweep(ctx); err != nil {
		return fmt.Errorf("delete what serves no more: %w", err)
	}
	if err := s.Checkpoint(ctx); err != nil {
		return err
	}
	if err := s.forgetRevisions(ctx); err != nil {
		return fmt.Errorf("delete old revisions: %w", err)
	}
	if err := s.forgetParked(ctx, s.now().Add(-parkedLife)); err != nil {
		return fmt.Errorf("forget secrets that serve no more: %w", err)
	}
	if err := s.renewSigningKey(ctx); err != nil {
		return fmt.Errorf("renew the signing key: %w", err)
	}
	if _, err := s.history.write.ExecContext(ctx, closeAlerts, s.now(), s.now().Add(-alertsLife)); err != nil {
		return fmt.Errorf("close alerts that have gone quiet: %w", failure(err))
	}
	if _, err := s.history.write.ExecContext(ctx, pruneNotifications, s.now().Add(-notificationsLife)); err != nil {
		return fmt.Errorf("delete messages that were sent: %w", failure(err))
	}
	if _, err := s.pruneRollups(ctx, minuteSpan, s.now().Add(-minuteLife)); err != nil {
		return fmt.Errorf("delete old rollups: %w", err)
	}
	if s.postgres != nil {
		return s.upkeepPostgres(ctx)
	}
	return s.upkeepSQLite(ctx)
}

// sweeps are the rows of configuration that serve no more, in the order in which every
// process deletes them.
var sweeps = []struct {
	statement string
	life      time.Duration
}{
	{`DELETE FROM changes WHERE changed_at < $1`, changesLife},
	{`DELETE FROM instances WHERE seen_at < $1`, instanceLife},
	{`DELETE FROM idempotency WHERE created_at < $1`, idempotentLife},
	{`DELETE FROM setup_tokens WHERE expires_at < $1`, 0},
	{`DELETE FROM silences WHERE until_at < $1`, silencesLife},
	{`DELETE FROM invitations WHERE expires_at < $1`, 0},
	{`DELETE FROM sessions WHERE expires_at < $1`, sessionsLife},
	{`DELETE FROM sessions WHERE revoked_at IS NOT NULL AND revoked_at < $1`, sessionsLife},
}

// sweep deletes rows of configuration that have had their time, and publishes a snapshot
// without the sessions that need not be remembered any more.
func (s *Store) sweep(ctx context.Context) error {
	err := s.change(ctx, func(tx *configTx) error {
		if len(s.Snapshot().RevokedSessions) > 0 {
			if err := tx.changed(ctx, entitySession, ""); err != nil {
				return err
			}
		}
		if err := sweepTokens(ctx, tx, s.now().Add(-tokensLife)); err != nil {
			return err
		}
		for _, old := range sweeps {
			if _, err := tx.ExecContext(ctx, old.statement, s.now().Add(-old.life)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// upkeepPostgres leaves vacuum to the server, which does it by itself.
func (s *Store) upkeepPostgres(ctx context.Context) error {
	if err := s.makePartitions(ctx); err != nil {
		return err
	}
	if _, err := s.history.write.ExecContext(ctx, `ANALYZE requests`); err != nil {
		return fmt.Errorf("analyze: %w", failure(err))
	}
	return nil
}

// upkeepSQLite refreshes the planner's statistics and gives free pages back.
func (s *Store) upkeepSQLite(ctx context.Context) error {
	for _, d := range s.databases() {
		for _, statement := range []string{`PRAGMA analysis_limit = 1000`, `PRAGMA optimize`, `PRAGMA incremental_vacuum(2000)`, `PRAGMA wal_checkpoint(PASSIVE)`} {
			if err := drain(ctx, d.write, statement); err != nil {
				return fmt.Errorf("%s of the %s database: %w", statement, d.name, err)
			}
		}
	}
	return s.dropBackups()
}

// drain runs a statement and reads all it says, which makes it finish its work.
func drain(ctx context.Context, db *sql.DB, statement string) error {
	result, err := db.QueryContext(ctx, statement)
	if err != nil {
		return failure(err)
	}
	defer result.Close()
	for result.Next() {
	}
	return failure(result.Err())
}
