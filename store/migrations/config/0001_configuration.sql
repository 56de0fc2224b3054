-- +goose Up
-- Types are PostgreSQL's; SQLite takes the same words. On SQLite times are integers
-- (microseconds since 1970, UTC) and JSON is text.

CREATE TABLE providers (
  id UUID PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  type VARCHAR(50) NOT NULL,
  provider VARCHAR(100) NOT NULL,
  config JSONB NOT NULL,
  status VARCHAR(50) NOT NULL,
  managed_by VARCHAR(50) NOT NULL DEFAULT '',
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  deleted_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX providers_name_unique ON providers (name) WHERE deleted_at IS NULL;

CREATE TABLE provider_secrets (
  provider_id UUID NOT NULL REFERENCES providers (id),
  name VARCHAR(255) NOT NULL,
  sealed BYTEA NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (provider_id, name)
);

CREATE TABLE endpoints (
  id UUID PRIMARY KEY,
  path VARCHAR(255) NOT NULL,
  active BOOLEAN NOT NULL DEFAULT true,
  mapping JSONB NOT NULL, -- {}: the default mapping
  managed_by VARCHAR(50) NOT NULL DEFAULT '',
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX endpoints_path_unique ON endpoints (path);

CREATE TABLE configurations (
  id UUID PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  description TEXT,
  is_default BOOLEAN NOT NULL DEFAULT false,
  config JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX configurations_is_default_unique ON configurations (is_default) WHERE is_default;

CREATE TABLE aliases (
  name VARCHAR(255) PRIMARY KEY,
  target VARCHAR(512) NOT NULL,
  managed_by VARCHAR(50) NOT NULL DEFAULT '',
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
  id UUID PRIMARY KEY,
  email VARCHAR(320) NOT NULL,
  password_hash TEXT NOT NULL,
  role VARCHAR(100) NOT NULL,
  disabled BOOLEAN NOT NULL DEFAULT false,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX users_email_unique ON users (email);

CREATE TABLE sessions (
  id UUID PRIMARY KEY,
  user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  current_hash BYTEA NOT NULL,
  previous_hash BYTEA NOT NULL,
  successor BYTEA, -- sealed
  rotated_at TIMESTAMPTZ NOT NULL,
  user_agent TEXT NOT NULL,
  address VARCHAR(100) NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  last_used_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  revoked_at TIMESTAMPTZ
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE keys (
  id UUID PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  prefix VARCHAR(50) NOT NULL,
  hash BYTEA NOT NULL,
  owner_id UUID REFERENCES users (id) ON DELETE CASCADE,
  status VARCHAR(50) NOT NULL,
  tags JSONB NOT NULL,
  models JSONB NOT NULL,
  endpoints JSONB NOT NULL,
  limits JSONB NOT NULL,
  expires_at TIMESTAMPTZ,
  managed_by VARCHAR(50) NOT NULL DEFAULT '',
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX keys_hash_unique ON keys (hash);
CREATE INDEX keys_owner ON keys (owner_id);

CREATE TABLE signing_keys (
  id UUID PRIMARY KEY,
  public BYTEA NOT NULL,
  private BYTEA NOT NULL, -- sealed
  created_at TIMESTAMPTZ NOT NULL,
  retired_at TIMESTAMPTZ
);

CREATE TABLE data_keys (
  purpose VARCHAR(50) PRIMARY KEY, -- ring: seals, wrapped by the master key; client_keys: hashes, sealed by the ring
  sealed BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE settings (
  name VARCHAR(255) PRIMARY KEY,
  value TEXT NOT NULL, -- JSON; text, since it may be a bare number
  version BIGINT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE instances (
  id VARCHAR(255) PRIMARY KEY,
  components JSONB NOT NULL,
  version VARCHAR(100) NOT NULL,
  url TEXT NOT NULL,
  state VARCHAR(50) NOT NULL,
  seen_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE idempotency (
  key VARCHAR(255) NOT NULL,
  route VARCHAR(255) NOT NULL,
  user_id VARCHAR(255) NOT NULL,
  fingerprint BYTEA NOT NULL,
  status INTEGER NOT NULL,
  body BYTEA NOT NULL, -- sealed
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (key, route, user_id)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE setup_tokens (
  hash BYTEA PRIMARY KEY,
  expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);

-- The one counter that every change of the live configuration raises, and what each changed.
CREATE TABLE config_version (
  id INTEGER PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO config_version (id, version) VALUES (1, 1);

CREATE TABLE changes (
  version BIGINT NOT NULL,
  entity VARCHAR(50) NOT NULL,
  row_id VARCHAR(255) NOT NULL,
  changed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (version, entity, row_id)
);

-- +goose Down
DROP TABLE changes;
DROP TABLE config_version;
DROP TABLE setup_tokens;
DROP TABLE idempotency;
DROP TABLE instances;
DROP TABLE settings;
DROP TABLE data_keys;
DROP TABLE signing_keys;
DROP TABLE keys;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE aliases;
DROP TABLE configurations;
DROP TABLE endpoints;
DROP TABLE provider_secrets;
DROP TABLE providers;
