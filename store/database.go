package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// database is one database: on SQLite a file with one writing connection and a pool of
// readers, on PostgreSQL one pool for both.
type database struct {
	name   string // "config" or "history"
	engine string
	read   *sql.DB
	write  *sql.DB
	aside  func() *sql.DB // opens one more, for who must not wait for the pools
}

func (d *database) close() error {
	if d == nil {
		return nil
	}
	if d.read == d.write {
		return d.write.Close()
	}
	// The writer goes last, so that it can fold the write-ahead log into the file.
	err := d.read.Close()
	return errors.Join(err, d.write.Close())
}

// ping asks both sides for an answer.
func (d *database) ping(ctx context.Context) error {
	if err := d.read.PingContext(ctx); err != nil {
		return fmt.Errorf("read the %s database: %w", d.name, err)
	}
	return nil
}

// transact runs fn in a writing transaction and commits it if fn returns nil. Its error is
// one of failure's.
func (d *database) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	return d.transactOn(ctx, func(_ *sql.Conn, tx *sql.Tx) error { return fn(tx) })
}

// transactOn is transact for what needs the transaction's connection too.
func (d *database) transactOn(ctx context.Context, fn func(*sql.Conn, *sql.Tx) error) (err error) {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return failure(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return failure(err)
	}
	if err := fn(conn, tx); err != nil {
		return errors.Join(failure(err), rollback(tx))
	}
	return failure(tx.Commit())
}

// view runs fn in a reading transaction that sees one moment.
func (d *database) view(ctx context.Context, fn func(*sql.Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if d.engine == Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.read.BeginTx(ctx, options)
	if err != nil {
		return failure(err)
	}
	err = fn(tx)
	return errors.Join(failure(err), rollback(tx))
}

// rollback ends a transaction that may have ended already.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
