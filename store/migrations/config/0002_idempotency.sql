-- +goose Up
-- A row is reserved (status 0) before the thing is made, and completed by its answer.

ALTER TABLE idempotency ADD COLUMN header TEXT NOT NULL DEFAULT '{}'; -- JSON

-- +goose Down
DELETE FROM idempotency WHERE status = 0;
ALTER TABLE idempotency DROP COLUMN header;
