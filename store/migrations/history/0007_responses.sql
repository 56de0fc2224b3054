-- +goose Up
-- Answers of /v1/responses that clients may go on from: compressed, then encrypted.

CREATE TABLE responses (
  id UUID PRIMARY KEY, -- of the request that it answered
  key_id UUID NOT NULL, -- the client key that it belongs to
  items BYTEA NOT NULL, -- the conversation
  items_size BIGINT NOT NULL, -- bytes, before they were compressed
  response BYTEA NOT NULL, -- the answer as the client got it
  response_size BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX responses_expires ON responses (expires_at);

-- +goose Down
DROP TABLE responses;
