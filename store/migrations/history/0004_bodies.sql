-- +goose Up
-- What requests and their answers said, where that is kept: compressed, then encrypted.

CREATE TABLE bodies (
  request_id UUID PRIMARY KEY,
  request BYTEA, -- null: not kept
  request_size BIGINT NOT NULL, -- bytes, before they were compressed
  response BYTEA,
  response_size BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL -- when the request arrived
);
CREATE INDEX bodies_created ON bodies (created_at);

-- +goose Down
DROP TABLE bodies;
