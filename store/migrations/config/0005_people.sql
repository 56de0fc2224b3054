-- +goose Up
-- Roles that people make, personal access tokens, invitations, and client keys with a new token.

CREATE TABLE roles (
  name VARCHAR(63) PRIMARY KEY,
  description TEXT NOT NULL,
  permissions JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE tokens (
  id UUID PRIMARY KEY,
  user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name VARCHAR(255) NOT NULL,
  prefix VARCHAR(50) NOT NULL,
  hash BYTEA NOT NULL,
  scopes JSONB NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  last_used_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX tokens_hash_unique ON tokens (hash);
CREATE INDEX tokens_user ON tokens (user_id, created_at, id);
CREATE INDEX tokens_created ON tokens (created_at, id);
CREATE INDEX tokens_expires ON tokens (expires_at);

CREATE TABLE invitations (
  user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  hash BYTEA NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX invitations_hash_unique ON invitations (hash);

ALTER TABLE keys ADD COLUMN rotated_at TIMESTAMPTZ;
ALTER TABLE keys ADD COLUMN previous_hash BYTEA;
ALTER TABLE keys ADD COLUMN previous_expires_at TIMESTAMPTZ;

CREATE INDEX users_role ON users (role, created_at, id);
CREATE INDEX users_created ON users (created_at, id);

-- +goose Down
DROP INDEX users_created;
DROP INDEX users_role;
ALTER TABLE keys DROP COLUMN previous_expires_at;
ALTER TABLE keys DROP COLUMN previous_hash;
ALTER TABLE keys DROP COLUMN rotated_at;
DROP TABLE invitations;
DROP TABLE tokens;
DROP TABLE roles;
