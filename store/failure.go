package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// PostgreSQL's codes of errors that the store tells apart.
const (
	pgUniqueViolation  = "23505"
	pgForeignViolation = "23503"
	pgBadPassword      = "28P01"
	pgBadAuthorization = "28000"
	pgNoDatabase       = "3D000"
)

// failure turns a driver's error into one that callers may test for.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case pgUniqueViolation:
			return &Conflict{Field: constraintField(pg.TableName, pg.ConstraintName)}
		case pgForeignViolation:
			return fmt.Errorf("the row it refers to: %w", ErrNotFound)
		}
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return &Conflict{Field: columnField(lite.Error())}
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return fmt.Errorf("the row it refers to: %w", ErrNotFound)
		}
	}
	return err
}

// constraintField reads "name" from the index providers_name_unique; a primary key is "id",
// but in tables whose rows go by their names.
func constraintField(table, constraint string) string {
	field, ok := strings.CutSuffix(strings.TrimPrefix(constraint, table+"_"), "_unique")
	switch {
	case ok:
		return field
	case table == "roles" || table == "aliases":
		return "name"
	}
	return "id"
}

// columnField reads "name" from "... UNIQUE constraint failed: providers.name (2067)".
func columnField(message string) string {
	_, columns, _ := strings.Cut(message, "constraint failed: ")
	if _, after, ok := strings.Cut(columns, "constraint failed: "); ok {
		columns = after
	}
	column, _, _ := strings.Cut(columns, " ")
	column, _, _ = strings.Cut(column, ",")
	if i := strings.LastIndexByte(column, '.'); i >= 0 {
		column = column[i+1:]
	}
	return column
}

// pgUndefinedTable is PostgreSQL's code for a table that is not there.
const pgUndefinedTable = "42P01"

// absent reports whether a statement failed because its table is not there.
func absent(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == pgUndefinedTable
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && strings.Contains(lite.Error(), "no such table")
}

// pgLockTimeout is PostgreSQL's code for a lock that was not had in time.
const pgLockTimeout = "55P03"

// lockTimedOut reports whether a statement gave up waiting for a lock.
func lockTimedOut(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == pgLockTimeout
}

// stale turns "no row met" into ErrStale, where the row is known to be there.
func stale(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrStale
	}
	return err
}

// notFoundIsNil lets pass that there is no such row.
func notFoundIsNil(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
