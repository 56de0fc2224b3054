package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	pgConnections  = 20
	pgConnectLimit = 10 * time.Second
	pgStatements   = 30 * time.Second // longest a statement may run
)

// parsePostgres reads a POINT_DATABASE_URL. Its errors never quote the URL, which holds a
// password.
func parsePostgres(address string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil || !isPostgresURL(address) {
		return nil, errors.New("POINT_DATABASE_URL cannot be read: write postgres://user:password@host:5432/database (with %-codes for special characters in the password), or leave it empty for SQLite")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = pgConnectLimit
	}
	// A server that vanished without a word is noticed within half a minute, also by the
	// connection that only listens.
	dialer := &net.Dialer{Timeout: cfg.ConnectTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	cfg.DialFunc = dialer.DialContext
	cfg.RuntimeParams["application_name"] = "point"
	cfg.RuntimeParams["timezone"] = "UTC"
	if _, ok := cfg.RuntimeParams["statement_timeout"]; !ok {
		cfg.RuntimeParams["statement_timeout"] = strconv.FormatInt(pgStatements.Milliseconds(), 10)
	}
	return cfg, nil
}

func isPostgresURL(address string) bool {
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if len(address) > len(scheme) && address[:len(scheme)] == scheme {
			return true
		}
	}
	return false
}

// openPostgres connects a pool and proves that it answers.
func openPostgres(ctx context.Context, cfg *pgx.ConnConfig) (*database, error) {
	aside := func() *sql.DB { return stdlib.OpenDB(*cfg) }
	pool := aside()
	pool.SetMaxOpenConns(pgConnections)
	pool.SetMaxIdleConns(pgConnections / 2)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(postgresFailure(cfg, err), pool.Close())
	}
	return &database{name: "config", engine: Postgres, read: pool, write: pool, aside: aside}, nil
}

// postgresFailure says in one sentence why the server cannot be used, and what to do.
func postgresFailure(cfg *pgx.ConnConfig, err error) error {
	server := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case pgBadPassword, pgBadAuthorization:
			return fmt.Errorf("PostgreSQL at %s does not let user %q in: correct the user or the password in POINT_DATABASE_URL", server, cfg.User)
		case pgNoDatabase:
			return fmt.Errorf("PostgreSQL at %s has no database %q: create it (createdb %s), or correct its name in POINT_DATABASE_URL", server, cfg.Database, cfg.Database)
		}
		return fmt.Errorf("PostgreSQL at %s refuses to work: %s (%s)", server, pg.Message, pg.Code)
	}
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		return fmt.Errorf("the host %q in POINT_DATABASE_URL is not known: correct its name", cfg.Host)
	case errors.Is(err, context.Canceled):
		return err
	}
	return fmt.Errorf("PostgreSQL at %s does not answer: start it, or correct host, port and sslmode in POINT_DATABASE_URL (%w)", server, cause(err))
}

// cause is what lies at the bottom of a failed connection, in one line.
func cause(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) {
		return dial.Err
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
