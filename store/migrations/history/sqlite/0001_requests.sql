-- +goose Up
-- Ids are 16 bytes, so that the indexes stay small; rows lie in the order of the id, which
-- is the order of time. provider_id refers to a row of another file, so it has no foreign key.

CREATE TABLE requests (
  id UUID PRIMARY KEY,
  timestamp TIMESTAMPTZ NOT NULL,
  endpoint VARCHAR(255) NOT NULL,
  provider_id UUID,
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
) WITHOUT ROWID;

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
) WITHOUT ROWID;

-- +goose Down
DROP TABLE rollups;
DROP TABLE requests;
