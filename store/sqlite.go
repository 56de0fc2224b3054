package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readers is how many connections read one SQLite file.
const readers = 4

// sqliteConnector opens connections of a driver of our own, which knows our functions.
type sqliteConnector struct {
	driver *sqlite.Driver
	dsn    string
}

func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.driver.Open(c.dsn)
}

func (c sqliteConnector) Driver() driver.Driver { return c.driver }

// openSQLite opens one file of dir. A durable one loses nothing that was stored to a power
// cut (synchronous FULL); otherwise the last transactions may be gone (NORMAL).
func openSQLite(ctx context.Context, dir, name string, durable bool) (*database, error) {
	file := filepath.Join(dir, name+".db")
	options := url.Values{
		"_txlock":              {"immediate"},
		"_time_integer_format": {"unix_micro"},
		"_auto_vacuum":         {"INCREMENTAL"},
		"_busy_timeout":        {"5000"},
		"_foreign_keys":        {"1"},
		"_journal_mode":        {"WAL"},
		"_synchronous":         {"FULL"},
		"_pragma":              {"cache_size(-2000)", "temp_store(MEMORY)", "journal_size_limit(67108864)", "wal_autocheckpoint(4000)"},
		"_dqs":                 {"0"},
		"_defensive":           {"1"},
	}
	if !durable {
		options.Set("_synchronous", "NORMAL")
	}
	if name == "history" {
		options.Add("_pragma", "cache_size(-16000)") // of the one writer
	}
	if err := prepareFile(file); err != nil {
		return nil, err
	}
	own := &sqlite.Driver{}
	if err := own.RegisterDeterministicScalarFunction("point_histogram_add", 2, addHistograms); err != nil {
		return nil, fmt.Errorf("prepare SQLite: %w", err)
	}
	write := sql.OpenDB(sqliteConnector{own, dsn(file, options)})
	write.SetMaxOpenConns(1)
	// The writer goes first: it makes the file.
	err := patiently(ctx, func() error {
		if err := write.PingContext(ctx); err != nil {
			return err
		}
		return writable(ctx, write)
	})
	if err != nil {
		return nil, errors.Join(sqliteFailure(file, err), write.Close())
	}
	// A reader must not ask for what needs the writer's lock.
	for _, name := range []string{"_auto_vacuum", "_journal_mode", "_synchronous"} {
		options.Del(name)
	}
	options.Add("_pragma", "cache_size(-2000)")
	options.Set("_query_only", "1")
	options.Set("_txlock", "deferred")
	aside := func() *sql.DB { return sql.OpenDB(sqliteConnector{own, dsn(file, options)}) }
	read := aside()
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	read.SetConnMaxIdleTime(time.Minute)
	return &database{name: name, engine: SQLite, read: read, write: write, aside: aside}, nil
}

func dsn(file string, options url.Values) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: options.Encode()}).String()
}

// prepareFile makes the file readable for its owner alone; SQLite gives the same mode to the
// files that it puts beside it.
func prepareFile(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EISDIR):
		return notWritable(file, err)
	}
	return dirFailure(filepath.Dir(file), err)
}

func notWritable(file string, err error) error {
	return fmt.Errorf("the database file %s is not writable for user %d: give this user the file and its folder (chown %d), or set POINT_DATA_DIR to another folder: %w", file, os.Geteuid(), os.Geteuid(), err)
}

// Of processes that start at once on a new file all change it to WAL. For that SQLite does not wait
// itself, whatever its busy timeout is.
const (
	patience = 5 * time.Second
	nextTry  = 20 * time.Millisecond
)

// patiently does again what met a file that was locked.
func patiently(ctx context.Context, do func() error) error {
	for end := time.Now().Add(patience); ; {
		err := do()
		var lite *sqlite.Error
		if !errors.As(err, &lite) || lite.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(nextTry):
		}
	}
}

// writable tries a write transaction that changes nothing.
func writable(ctx context.Context, db *sql.DB) error {
	var version int64
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, `PRAGMA user_version = 1`)
	return err
}

// sqliteFailure says in one sentence why file cannot be used, and what to do.
func sqliteFailure(file string, err error) error {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return fmt.Errorf("the database file %s cannot be opened: %w", file, err)
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return notWritable(file, err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file %s is not a database, or damaged: restore it from a backup, or move it away to start empty: %w", file, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk that holds %s is full: free some space on it: %w", file, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("the database file %s is locked by another program: end that program: %w", file, err)
	}
	return fmt.Errorf("the database file %s cannot be opened: %w", file, err)
}

// prepareDir makes the data folder and proves that files can be made in it.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return dirFailure(dir, err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return dirFailure(dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func dirFailure(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data folder %s is not writable for user %d: give it to this user (chown %d), or set POINT_DATA_DIR to another folder: %w", dir, os.Geteuid(), os.Geteuid(), err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the data folder %s is not a folder: move that file away, or set POINT_DATA_DIR to another folder: %w", dir, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk that holds the data folder %s is full: free some space on it: %w", dir, err)
	}
	return fmt.Errorf("the data folder %s cannot be used: set POINT_DATA_DIR to a folder that can: %w", dir, err)
}
