-- +goose Up
-- A session keeps all tokens that were replaced a moment ago, not the last one alone.

ALTER TABLE sessions DROP COLUMN successor;
ALTER TABLE sessions DROP COLUMN previous_hash;
ALTER TABLE sessions DROP COLUMN rotated_at;
ALTER TABLE sessions ADD COLUMN replaced BYTEA; -- sealed

-- +goose Down
DELETE FROM sessions;
ALTER TABLE sessions DROP COLUMN replaced;
ALTER TABLE sessions ADD COLUMN previous_hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN successor BYTEA;
ALTER TABLE sessions ADD COLUMN rotated_at TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01';
