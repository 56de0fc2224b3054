package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"point"
)

const (
	batchRows     = 2000 // a transaction
	nameLength    = 255  // of a VARCHAR(255), in bytes
	messageLength = 2000
)

const (
	requestColumns = `id, timestamp, endpoint, provider_id, model, status, response_time, tokens_input, tokens_output, cost, request, response,
		client_request_id, upstream_model, key_id, outcome, error_code, error_message, ttft, overhead_us, stream, cache_hit, usage, attempts, route`

	requestArgs   = 25
	insertRequest = `INSERT INTO requests (` + requestColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`

	// insertRequests takes all rows as one JSON list and returns the ids of the new ones. A
	// provider that is not in the database is left out: it must not stop the journal.
	insertRequests = `INSERT INTO requests (` + requestColumns + `)
		SELECT r.id, to_timestamp(r.timestamp / 1000000) + (r.timestamp % 1000000) * INTERVAL '1 microsecond', r.endpoint, p.id, r.model, r.status, r.response_time,
			r.tokens_input, r.tokens_output, r.cost, r.request, r.response, r.client_request_id, r.upstream_model, r.key_id, r.outcome, r.error_code,
			r.error_message, r.ttft, r.overhead_us, r.stream, r.cache_hit, r.usage, r.attempts, r.route
		FROM json_to_recordset($1::JSON) AS r(id UUID, timestamp BIGINT, endpoint TEXT, provider_id UUID, model TEXT, status INTEGER, response_time INTEGER,
			tokens_input INTEGER, tokens_output INTEGER, cost BIGINT, request JSONB, response JSONB, client_request_id TEXT, upstream_model TEXT, key_id UUID,
			outcome TEXT, error_code TEXT, error_message TEXT, ttft INTEGER, overhead_us BIGINT, stream BOOLEAN, cache_hit BOOLEAN, usage JSONB, attempts JSONB, route JSONB)
		LEFT JOIN providers p ON p.id = r.provider_id
		ORDER BY r.id
		ON CONFLICT (id) DO NOTHING
		RETURNING id`
)

// InsertRecords stores records, each once however often it is sent, and counts the new ones
// in the rollups of the same transaction. A record never fails for what is in it: text that
// is too long or not valid is cut and mended, and one without a UUIDv7 is logged and left
// out. An error therefore means that the database could not be written, and that the same
// records may be sent again.
func (s *Store) InsertRecords(ctx context.Context, records []point.Record) error {
	for batch := range slices.Chunk(records, batchRows) {
		if err := s.insertBatch(ctx, batch); err != nil {
			return fmt.Errorf("store %d records: %w", len(records), err)
		}
	}
	return nil
}

func (s *Store) insertBatch(ctx context.Context, records []point.Record) error {
	batch := s.requestRows(records)
	if len(batch) == 0 {
		return nil
	}
	if s.postgres == nil {
		// A context that can end would cost every statement a watcher; a batch takes ms.
		ctx = context.WithoutCancel(ctx)
	} else if err := s.ensurePartitions(ctx, batch); err != nil {
		return err
	}
	return s.history.transactOn(ctx, func(conn *sql.Conn, tx *sql.Tx) error {
		var fresh []*point.Record
		var err error
		if s.postgres != nil {
			fresh, err = s.insertAll(ctx, tx, batch)
		} else {
			fresh, err = insertEach(ctx, conn, batch)
		}
		if err != nil || len(fresh) == 0 {
			return err
		}
		if err := addBodies(ctx, tx, fresh); err != nil {
			return err
		}
		return s.addRollups(ctx, tx, fresh)
	})
}

// requestRow is a record as the table holds it.
type requestRow struct {
	ID              uid             `json:"id"`
	Timestamp       int64           `json:"timestamp"` // us since 1970
	Endpoint        string          `json:"endpoint"`
	ProviderID      uid             `json:"provider_id"`
	Model           *string         `json:"model"`
	Status          int             `json:"status"`
	ResponseTime    int64           `json:"response_time"`
	TokensInput     *int64          `json:"tokens_input"`
	TokensOutput    *int64          `json:"tokens_output"`
	Cost            *int64          `json:"cost"`
	Request         json.RawMessage `json:"request"`
	Response        json.RawMessage `json:"response"`
	ClientRequestID *string         `json:"client_request_id"`
	UpstreamModel   *string         `json:"upstream_model"`
	KeyID           uid             `json:"key_id"`
	Outcome         string          `json:"outcome"`
	ErrorCode       *string         `json:"error_code"`
	ErrorMessage    *string         `json:"error_message"`
	TTFT            *int64          `json:"ttft"`
	OverheadUS      int64           `json:"overhead_us"`
	Stream          bool            `json:"stream"`
	CacheHit        bool            `json:"cache_hit"`
	Usage           json.RawMessage `json:"usage"`
	Attempts        json.RawMessage `json:"attempts"`
	Route           json.RawMessage `json:"route"`

	record *point.Record
}

// requestRows prepares records for the table.
func (s *Store) requestRows(records []point.Record) []requestRow {
	batch := make([]requestRow, 0, len(records))
	for i := range records {
		r := &records[i]
		id := parseID(r.ID)
		if !id.Valid || id.UUID.Version() != 7 {
			s.opts.Log.Error("a request record was left out: its id is not a UUIDv7", "id", clip(r.ID, 100))
			continue
		}
		batch = append(batch, newRequestRow(id, r))
	}
	return batch
}

func newRequestRow(id uid, r *point.Record) requestRow {
	row := requestRow{
		ID: id, Timestamp: r.Timestamp.UnixMicro(), Endpoint: clip(r.Endpoint, nameLength), ProviderID: parseID(r.ProviderID), Model: text(r.Model, nameLength),
		Status: r.Status, ResponseTime: bound(r.ResponseTime), Request: mend(r.Request), Response: mend(r.Response),
		ClientRequestID: text(r.ClientRequestID, nameLength), UpstreamModel: text(r.UpstreamModel, nameLength), KeyID: parseID(r.KeyID), Outcome: clip(string(r.Outcome), 50),
		ErrorCode: text(string(r.ErrorCode), 100), ErrorMessage: text(r.ErrorMessage, messageLength), OverheadUS: r.OverheadUS, Stream: r.Stream, CacheHit: r.CacheHit, record: r,
	}
	if row.Request == nil {
		row.Request = emptyObject
	}
	if r.TTFT != nil {
		row.TTFT = new(bound(*r.TTFT))
	}
	if r.Cost != nil {
		row.Cost = new(int64(boundCost(*r.Cost)))
	}
	if u := r.Usage; u != nil {
		row.TokensInput, row.TokensOutput = new(bound(u.Input)), new(bound(u.Output))
		row.Usage = encode(u)
	}
	if len(r.Attempts) > 0 {
		row.Attempts = encode(r.Attempts)
	}
	if rt := &r.Route; rt.Rule != "" || rt.Strategy != "" || rt.Reason != "" || len(rt.Skipped) > 0 {
		row.Route = encode(rt)
	}
	return row
}

// bound keeps a number within the column's 32 bits.
func bound(n int64) int64 { return min(max(n, 0), math.MaxInt32) }

// boundCost keeps a cost to at most 10,000 USD, which no request comes near. So 900,000 such
// requests fit into one rollup's 64 bits, and even 4 billion with the most tokens do.
func boundCost(n point.NanoUSD) point.NanoUSD { return min(max(n, 0), 10_000*point.USD) }

// insertEach inserts rows one by one with a prepared statement, which SQLite does fastest. It
// speaks to the driver itself: database/sql would cost as much again for each row.
func insertEach(ctx context.Context, conn *sql.Conn, batch []requestRow) (fresh []*point.Record, err error) {
	err = conn.Raw(func(driverConn any) (err error) {
		defer func() { // a panic would end in a connection that waits for its own transaction
			if p := recover(); p != nil {
				err = fmt.Errorf("insert a record: %v", p)
			}
		}()
		prepared, err := driverConn.(driver.ConnPrepareContext).PrepareContext(ctx, insertRequest)
		if err != nil {
			return err
		}
		defer prepared.Close()
		statement := prepared.(driver.StmtExecContext)
		args := make([]driver.NamedValue, requestArgs)
		for i := range args {
			args[i].Ordinal = i + 1
		}
		fresh = make([]*point.Record, 0, len(batch))
		for i := range batch {
			batch[i].bind(args)
			result, err := statement.ExecContext(ctx, args)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				fresh = append(fresh, batch[i].record)
			}
		}
		return nil
	})
	return fresh, err
}

// bind fills in the arguments of insertRequest, in the order of requestColumns, as values
// that a driver takes.
func (r *requestRow) bind(args []driver.NamedValue) {
	for i, v := range [requestArgs]driver.Value{
		r.ID.bytes(), r.Timestamp, r.Endpoint, r.ProviderID.bytes(), value(r.Model), int64(r.Status), r.ResponseTime, value(r.TokensInput), value(r.TokensOutput), value(r.Cost),
		column(r.Request), column(r.Response), value(r.ClientRequestID), value(r.UpstreamModel), r.KeyID.bytes(), r.Outcome, value(r.ErrorCode), value(r.ErrorMessage),
		value(r.TTFT), r.OverheadUS, r.Stream, r.CacheHit, column(r.Usage), column(r.Attempts), column(r.Route),
	} {
		args[i].Value = v
	}
}

// value is what p points to, null for nil.
func value[T any](p *T) driver.Value {
	if p == nil {
		return nil
	}
	return *p
}

// column is a JSON text for its column, null for none.
func column(raw json.RawMessage) driver.Value {
	if raw == nil {
		return nil
	}
	return string(raw)
}

// insertAll inserts rows with one statement, which saves PostgreSQL the way to and fro.
func (s *Store) insertAll(ctx context.Context, tx *sql.Tx, batch []requestRow) ([]*point.Record, error) {
	list, err := json.Marshal(batch)
	if err != nil {
		return nil, err
	}
	ids, err := rows(ctx, tx, func(r row) (id uid, err error) { return id, r.Scan(&id) }, insertRequests, string(list))
	if err != nil {
		return nil, err
	}
	byID := make(map[uid]*point.Record, len(batch))
	for i := range batch {
		byID[batch[i].ID] = batch[i].record
	}
	fresh := make([]*point.Record, 0, len(ids))
	for _, id := range ids {
		fresh = append(fresh, byID[id])
	}
	return fresh, nil
}

// ensurePartitions makes the partitions of the months that a batch falls in.
func (s *Store) ensurePartitions(ctx context.Context, batch []requestRow) error {
	for i := range batch {
		month := idTime(batch[i].ID).Format("2006-01")
		if _, ok := s.months.Load(month); ok {
			continue
		}
		if err := s.makePartition(ctx, idTime(batch[i].ID)); err != nil {
			return err
		}
		s.months.Store(month, true)
	}
	return nil
}

// makePartitions makes the partitions of this month and the next two.
func (s *Store) makePartitions(ctx context.Context) error {
	if s.postgres == nil {
		return nil
	}
	first, _ := startOf(GroupMonth, s.now())
	for range 3 {
		if err := s.makePartition(ctx, first); err != nil {
			return err
		}
		first = next(GroupMonth, first)
	}
	return nil
}

func (s *Store) makePartition(ctx context.Context, month time.Time) error {
	if _, err := s.history.write.ExecContext(ctx, `SELECT point_request_partition($1)`, month); err != nil {
		return fmt.Errorf("make the partition of %s: %w", month.Format("2006-01"), failure(err))
	}
	return nil
}
