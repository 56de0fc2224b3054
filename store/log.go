package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"point"
)

const (
	logColumns = `id, timestamp, level, component, message, context`
	insertLog  = `INSERT INTO logs (` + logColumns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`

	logLength   = 10_000 // of a message, in bytes
	searchMin   = 3
	searchLimit = 2 * time.Second
)

// InsertLogs stores log entries, each once. An entry without an ID gets one of its time.
func (s *Store) InsertLogs(ctx context.Context, entries []point.LogEntry) error {
	if len(entries) == 0 {
		return nil
	}
	err := s.history.transact(ctx, func(tx *sql.Tx) error {
		statement, err := tx.PrepareContext(ctx, insertLog)
		if err != nil {
			return err
		}
		defer statement.Close()
		for i := range entries {
			e := &entries[i]
			id := parseID(e.ID)
			if !id.Valid {
				id = parseID(NewID(e.Timestamp))
			}
			_, err := statement.ExecContext(ctx, id, at(e.Timestamp), clip(e.Level, 20), clip(e.Component, 100), clip(e.Message, logLength), column(mend(e.Context)))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %d log entries: %w", len(entries), err)
	}
	return nil
}

// errShortSearch refuses what would find everything.
var errShortSearch = &Invalid{"search", fmt.Sprintf("Search for at least %d characters.", searchMin)}

// errSlow ends a search.
var errSlow = &Invalid{"search", fmt.Sprintf("The search took longer than %v. Narrow it by from and to, level or component.", searchLimit)}

// ListLogs lists log entries, the newest first. A search that takes longer than 2 s is *Invalid.
func (s *Store) ListLogs(ctx context.Context, f LogFilter) (List[point.LogEntry], error) {
	l := listing[point.LogEntry]{columns: logColumns, order: "id DESC", page: f.Page, scan: scanLog}
	l.from.add(" FROM logs")
	if f.Level != "" {
		l.from.where("level = ?", f.Level)
	}
	if f.Component != "" {
		l.from.where("component = ?", f.Component)
	}
	filterTime(&l.from, f.From, f.To)
	if f.Search != "" {
		if len(f.Search) < searchMin {
			return List[point.LogEntry]{}, errShortSearch
		}
		l.from.where(`lower(message) LIKE lower(?) ESCAPE '\'`, containing(f.Search))
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, searchLimit, errSlow)
		defer cancel()
	}
	if f.Cursor != "" {
		if err := continueAt(&l, f.Cursor); err != nil {
			return List[point.LogEntry]{}, fmt.Errorf("list logs: %w", err)
		}
	}
	out, err := list(ctx, s.history.read, l)
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		err = errSlow
	}
	if err != nil {
		return out, fmt.Errorf("list logs: %w", err)
	}
	if out.More {
		out.Cursor = cursor(out.Items[len(out.Items)-1].ID)
	}
	return out, nil
}

// containing is a LIKE pattern for text, in which nothing is a wildcard.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(clip(text, logLength)) + "%"
}

func scanLog(r row) (e point.LogEntry, err error) {
	var id uid
	err = r.Scan(&id, timeTo{&e.Timestamp}, &e.Level, &e.Component, &e.Message, rawTo{&e.Context})
	e.ID = id.String()
	return e, err
}
