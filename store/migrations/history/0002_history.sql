-- +goose Up
-- The hot table has one index for each filter of a list, each in the order of the list. Most
-- requests succeed, so those that look for failures cost a success nothing.

CREATE INDEX requests_provider ON requests (provider_id, id);
CREATE INDEX requests_endpoint ON requests (endpoint, id);
CREATE INDEX requests_model ON requests (model, id);
CREATE INDEX requests_key ON requests (key_id, id);
CREATE INDEX requests_failed ON requests ((status / 100), id, status) WHERE status >= 300;
CREATE INDEX requests_unfinished ON requests (outcome, id) WHERE outcome <> 'complete';

CREATE TABLE logs (
  id UUID PRIMARY KEY,
  timestamp TIMESTAMPTZ NOT NULL,
  level VARCHAR(20) NOT NULL,
  component VARCHAR(100) NOT NULL,
  message TEXT NOT NULL,
  context JSONB
);
CREATE INDEX logs_level ON logs (level, id);
CREATE INDEX logs_component ON logs (component, id);

CREATE TABLE alerts (
  id UUID PRIMARY KEY,
  kind VARCHAR(100) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  severity VARCHAR(20) NOT NULL,
  message TEXT NOT NULL,
  detail JSONB,
  count BIGINT NOT NULL,
  first_at TIMESTAMPTZ NOT NULL,
  last_at TIMESTAMPTZ NOT NULL,
  resolved_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX alerts_open_unique ON alerts (kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_last ON alerts (last_at);

-- +goose Down
DROP TABLE alerts;
DROP TABLE logs;
DROP INDEX requests_unfinished;
DROP INDEX requests_failed;
DROP INDEX requests_key;
DROP INDEX requests_model;
DROP INDEX requests_endpoint;
DROP INDEX requests_provider;
