-- +goose Up
-- Of the errors, those for a mistake of the caller or a limit that the operator set; older rows do not tell.

ALTER TABLE rollups ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE rollups DROP COLUMN refused;
