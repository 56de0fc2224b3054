-- +goose Up
-- What alerts are raised by, where they are sent to and what keeps them from it; and what an
-- operator says that models cost.

CREATE TABLE alert_rules (
  id UUID PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  enabled BOOLEAN NOT NULL,
  kind VARCHAR(50) NOT NULL,
  scope JSONB NOT NULL,
  threshold DOUBLE PRECISION NOT NULL, -- in the kind's unit
  window_ms BIGINT NOT NULL,
  min_requests BIGINT NOT NULL,
  severity VARCHAR(20) NOT NULL,
  cooldown_ms BIGINT NOT NULL,
  managed_by VARCHAR(50) NOT NULL DEFAULT '',
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX alert_rules_name_unique ON alert_rules (name);

CREATE TABLE notifiers (
  id UUID PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  type VARCHAR(50) NOT NULL,
  config JSONB NOT NULL,
  enabled BOOLEAN NOT NULL,
  min_severity VARCHAR(20) NOT NULL,
  kinds JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX notifiers_name_unique ON notifiers (name);

CREATE TABLE notifier_secrets (
  notifier_id UUID NOT NULL REFERENCES notifiers (id) ON DELETE CASCADE,
  name VARCHAR(255) NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (notifier_id, name)
);

CREATE TABLE silences (
  id UUID PRIMARY KEY,
  kind VARCHAR(255) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  rule_id VARCHAR(36) NOT NULL, -- empty: any
  until_at TIMESTAMPTZ NOT NULL,
  comment TEXT NOT NULL,
  created_by VARCHAR(320) NOT NULL,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE prices (
  kind VARCHAR(100) NOT NULL,
  model VARCHAR(255) NOT NULL,
  price JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (kind, model)
);

-- +goose Down
DROP TABLE prices;
DROP TABLE silences;
DROP TABLE notifier_secrets;
DROP TABLE notifiers;
DROP TABLE alert_rules;
