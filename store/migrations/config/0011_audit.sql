-- +goose Up
-- The audit trail is a chain: each row's hash covers the row and the hash before it. Rows are
-- never changed and never deleted.

CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  id UUID NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  event VARCHAR(100) NOT NULL,
  actor_kind VARCHAR(50) NOT NULL,
  actor_id VARCHAR(255) NOT NULL,
  actor_name VARCHAR(320) NOT NULL,
  token_id VARCHAR(255) NOT NULL,
  address VARCHAR(100) NOT NULL,
  target_kind VARCHAR(100) NOT NULL,
  target_id VARCHAR(255) NOT NULL,
  target_name VARCHAR(320) NOT NULL,
  result VARCHAR(20) NOT NULL,
  detail TEXT NOT NULL, -- JSON; text, since the hash covers it as it was written
  prev_hash BYTEA NOT NULL,
  hash BYTEA NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_event ON audit (event, seq);
CREATE INDEX audit_actor_id ON audit (actor_id, seq);
CREATE INDEX audit_actor_name ON audit (actor_name, seq);
CREATE INDEX audit_target_id ON audit (target_id, seq);
CREATE INDEX audit_target_name ON audit (target_name, seq);
CREATE INDEX audit_result ON audit (result, seq);

-- The end of the chain. Its row is locked by whoever adds to it.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

-- Signed marks of how far the chain had come.
CREATE TABLE audit_checkpoints (
  seq BIGINT PRIMARY KEY,
  hash BYTEA NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  signature BYTEA NOT NULL
);

-- +goose Down
DROP TABLE audit_checkpoints;
DROP TABLE audit_head;
DROP TABLE audit;
