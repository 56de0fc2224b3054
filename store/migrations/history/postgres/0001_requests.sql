-- +goose Up
-- The id is ordered by time, so its ranges are spans of time: one partition a month.

CREATE TABLE requests (
  id UUID PRIMARY KEY,
  timestamp TIMESTAMPTZ NOT NULL,
  endpoint VARCHAR(255) NOT NULL,
  provider_id UUID REFERENCES providers (id),
  model VARCHAR(255),
  status INTEGER NOT NULL,
  response_time INTEGER NOT NULL, -- ms
  tokens_input INTEGER,
  tokens_output INTEGER,
  cost BIGINT, -- nano-USD
  request JSONB NOT NULL,
  response JSONB,
  client_request_id VARCHAR(255),
  upstream_model VARCHAR(255),
  key_id UUID,
  outcome VARCHAR(50) NOT NULL,
  error_code VARCHAR(100),
  error_message TEXT,
  ttft INTEGER, -- ms
  overhead_us BIGINT,
  stream BOOLEAN NOT NULL,
  cache_hit BOOLEAN NOT NULL,
  usage JSONB,
  attempts JSONB,
  route JSONB
) PARTITION BY RANGE (id);

-- +goose StatementBegin
CREATE FUNCTION point_month_id(month TIMESTAMP) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$
  -- The smallest UUID of the month: milliseconds since 1970 in 48 bits, then zeros.
  SELECT (lpad(to_hex((extract(epoch FROM month) * 1000)::BIGINT), 12, '0') || repeat('0', 20))::UUID
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION point_request_partition(at TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
  -- Makes the partition of the month of at, if it is not there.
DECLARE
  month TIMESTAMP := date_trunc('month', at AT TIME ZONE 'UTC');
  name TEXT := 'requests_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(7236571092);
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF requests FOR VALUES FROM (%L) TO (%L)',
    name, point_month_id(month), point_month_id(month + INTERVAL '1 month'));
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION point_drop_request_partitions(before TIMESTAMPTZ) RETURNS BIGINT LANGUAGE plpgsql AS $$
  -- Drops the partitions that end before, and tells about how many rows went with them.
DECLARE
  month TIMESTAMP := date_trunc('month', before AT TIME ZONE 'UTC');
  part RECORD;
  gone BIGINT := 0;
BEGIN
  FOR part IN
    SELECT c.relname, c.reltuples FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'requests'::REGCLASS AND c.relname < 'requests_' || to_char(month, 'YYYY_MM')
  LOOP
    EXECUTE format('DROP TABLE %I', part.relname);
    gone := gone + GREATEST(part.reltuples, 0)::BIGINT;
  END LOOP;
  RETURN gone;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION point_histogram_add(a JSONB, b JSONB) RETURNS JSONB LANGUAGE sql IMMUTABLE AS $$
  -- Adds two histograms, bin by bin. On SQLite a function of the program does the same.
  SELECT COALESCE(jsonb_object_agg(bin, n), '{}') FROM (
    SELECT key AS bin, SUM(value::BIGINT)::BIGINT AS n
    FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) bins
    GROUP BY key
  ) sums
$$;
-- +goose StatementEnd

-- What happened in each span of time (in seconds: 60 or 900). view tells which of the
-- dimensions a row keeps, as a sum of 1 endpoint, 2 provider, 4 model, 8 key; the others are
-- empty and summed over. Histograms are {"bin": count}, see histogram.go.
CREATE TABLE rollups (
  span INTEGER NOT NULL,
  view INTEGER NOT NULL,
  bucket TIMESTAMPTZ NOT NULL,
  endpoint VARCHAR(255) NOT NULL,
  provider_id VARCHAR(36) NOT NULL,
  model VARCHAR(255) NOT NULL,
  key_id VARCHAR(36) NOT NULL,
  requests BIGINT NOT NULL,
  errors BIGINT NOT NULL,
  tokens_input BIGINT NOT NULL,
  tokens_output BIGINT NOT NULL,
  cost BIGINT NOT NULL, -- nano-USD
  unpriced BIGINT NOT NULL,
  cache_hits BIGINT NOT NULL,
  latency JSONB NOT NULL,
  ttft JSONB NOT NULL,
  PRIMARY KEY (span, view, bucket, endpoint, provider_id, model, key_id)
);

-- +goose Down
DROP TABLE rollups;
DROP FUNCTION point_histogram_add;
DROP FUNCTION point_drop_request_partitions;
DROP FUNCTION point_request_partition;
DROP FUNCTION point_month_id;
DROP TABLE requests;
