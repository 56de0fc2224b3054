-- +goose Up
-- Every version of the live configuration that changed something tells who made it, and what
-- each row was and became, without secrets.

CREATE TABLE revisions (
  version BIGINT PRIMARY KEY,
  at TIMESTAMPTZ NOT NULL,
  actor_kind VARCHAR(50) NOT NULL,
  actor_id VARCHAR(255) NOT NULL,
  actor_name VARCHAR(320) NOT NULL,
  actor_address VARCHAR(100) NOT NULL,
  token_id VARCHAR(255) NOT NULL,
  reason TEXT NOT NULL,
  action VARCHAR(50) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  summary TEXT NOT NULL,
  changes INTEGER NOT NULL
);
CREATE INDEX revisions_at ON revisions (at);

CREATE TABLE revision_changes (
  version BIGINT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
  entity VARCHAR(50) NOT NULL,
  row_id VARCHAR(255) NOT NULL,
  action VARCHAR(50) NOT NULL,
  before JSONB, -- null: there was none
  after JSONB,  -- null: there is none any more
  PRIMARY KEY (version, entity, row_id)
);
CREATE INDEX revision_changes_row ON revision_changes (row_id);

ALTER TABLE configurations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE configurations ADD COLUMN created_by VARCHAR(320) NOT NULL DEFAULT '';
CREATE UNIQUE INDEX configurations_name_unique ON configurations (name);

-- +goose Down
DROP INDEX configurations_name_unique;
ALTER TABLE configurations DROP COLUMN created_by;
ALTER TABLE configurations DROP COLUMN version;
DROP TABLE revision_changes;
DROP TABLE revisions;
