package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// constant is SQL written in the source. An untyped constant converts to it by itself and a
// variable string does not, so that no value can slip into a statement.
type constant string

// query is a statement put together from constants; "?" stands for the next argument.
type query struct {
	sql  strings.Builder
	args []any
	any  bool // a condition has been added
}

// add appends sql, its question marks numbered as $n.
func (q *query) add(sql constant, args ...any) {
	n := len(q.args)
	for part := range strings.SplitSeq(string(sql), "?") {
		if n > len(q.args) {
			q.sql.WriteByte('$')
			q.sql.WriteString(strconv.Itoa(n))
		}
		q.sql.WriteString(part)
		n++
	}
	q.args = append(q.args, args...)
}

// where adds a condition; all must hold.
func (q *query) where(cond constant, args ...any) {
	if q.any {
		q.add(" AND ")
	} else {
		q.add(" WHERE ")
	}
	q.any = true
	q.add(cond, args...)
}

// whereIn adds the condition that column is one of values; it never holds if there are none. A
// single one is compared for equality, with which an index gives its rows in order.
func (q *query) whereIn(column constant, values []any) {
	q.where(column)
	if len(values) == 1 {
		q.add(" = ?", values[0])
		return
	}
	q.add(" IN (NULL")
	for _, v := range values {
		q.add(", ?", v)
	}
	q.add(")")
}

const (
	defaultLimit = 50
	maxLimit     = 500
	exactTotal   = 10_000
)

func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, maxLimit)
}

func (p Page) offset() int { return max(p.Number-1, 0) * p.limit() }

// row is what Scan needs: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// listing is a question for a page of a list.
type listing[T any] struct {
	columns constant // SELECT list
	from    query    // " FROM ... WHERE ..."
	after   func(*query)
	order   constant
	page    Page
	scan    func(row) (T, error)
}

// list answers l: the page, whether there is more, and the total.
func list[T any](ctx context.Context, db querier, l listing[T]) (List[T], error) {
	out := List[T]{Items: []T{}}
	if l.page.offset() >= exactTotal {
		return out, &Invalid{"page", "Pages end at the 10,000th item. Go on with the cursor of the page before, where the list has one, or narrow the list."}
	}
	var count query
	count.add("SELECT COUNT(*) FROM (SELECT 1")
	count.sql.WriteString(l.from.sql.String())
	count.args = append(count.args, l.from.args...)
	count.add(" LIMIT ?) counted", exactTotal+1)
	if err := db.QueryRowContext(ctx, count.sql.String(), count.args...).Scan(&out.Total); err != nil {
		return out, failure(err)
	}
	if out.Total > exactTotal {
		out.Total = -1
	}
	if out.Total == 0 {
		return out, nil
	}
	items, err := page(ctx, db, l)
	if err != nil {
		return out, err
	}
	if limit := l.page.limit(); len(items) > limit {
		items, out.More = items[:limit], true
	}
	out.Items = items
	return out, nil
}

// page reads one item more than the page holds.
func page[T any](ctx context.Context, db querier, l listing[T]) ([]T, error) {
	var q query
	q.add("SELECT ")
	q.add(l.columns)
	q.sql.WriteString(l.from.sql.String())
	q.args, q.any = append(q.args, l.from.args...), l.from.any
	if l.after != nil {
		l.after(&q)
	}
	q.add(" ORDER BY ")
	q.add(l.order)
	q.add(" LIMIT ? OFFSET ?", l.page.limit()+1, l.page.offset())
	return rows(ctx, db, l.scan, q.sql.String(), q.args...)
}

// querier is *sql.DB or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// rows reads all rows of a question.
func rows[T any](ctx context.Context, db querier, scan func(row) (T, error), sql string, args ...any) ([]T, error) {
	items := []T{}
	if err := each(ctx, db, scan, func(item *T) { items = append(items, *item) }, sql, args...); err != nil {
		return nil, err
	}
	return items, nil
}

// each reads the rows of a question one by one: where there are many, a list would be copied
// again and again as it grows.
func each[T any](ctx context.Context, db querier, scan func(row) (T, error), take func(*T), sql string, args ...any) error {
	result, err := db.QueryContext(ctx, sql, args...)
	if err != nil {
		return failure(err)
	}
	defer result.Close()
	for result.Next() {
		item, err := scan(result)
		if err != nil {
			return err
		}
		take(&item)
	}
	return failure(result.Err())
}

// one reads the only row of a question, ErrNotFound if there is none.
func one[T any](ctx context.Context, db querier, scan func(row) (T, error), sql string, args ...any) (*T, error) {
	item, err := scan(db.QueryRowContext(ctx, sql, args...))
	if err != nil {
		return nil, failure(err)
	}
	return &item, nil
}

// placeholdersAtOnce is how many placeholders a statement has that names or inserts many rows. Both
// engines bound their number, and SQLite looks each up among all of them, twice.
const placeholdersAtOnce = 240

// insertRows runs an INSERT that ends in VALUES for all of list, whose members are as long as
// each other; rest goes on behind them.
func insertRows(ctx context.Context, db querier, into constant, list [][]any, rest ...constant) error {
	if len(list) == 0 {
		return nil
	}
	for part := range slices.Chunk(list, max(placeholdersAtOnce/len(list[0]), 1)) {
		var q query
		q.add(into)
		for i, values := range part {
			if i > 0 {
				q.add(", ")
			}
			q.add("(")
			for j, value := range values {
				if j > 0 {
					q.add(", ")
				}
				q.add("?", value)
			}
			q.add(")")
		}
		for _, more := range rest {
			q.add(more)
		}
		if _, err := db.ExecContext(ctx, q.sql.String(), q.args...); err != nil {
			return err
		}
	}
	return nil
}

// rowsIn reads the rows of a SELECT whose column is one of values.
func rowsIn[T any](ctx context.Context, db querier, scan func(row) (T, error), selects, column constant, values []any) (all []T, err error) {
	for part := range slices.Chunk(values, placeholdersAtOnce) {
		var q query
		q.add(selects)
		q.whereIn(column, part)
		some, err := rows(ctx, db, scan, q.sql.String(), q.args...)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
