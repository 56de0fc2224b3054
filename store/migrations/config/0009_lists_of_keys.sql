-- Lists of many keys, newest first, are read in order instead of being sorted.

-- +goose Up
CREATE INDEX keys_created ON keys (created_at, id);
CREATE INDEX keys_status_created ON keys (status, created_at, id);
CREATE INDEX keys_owner_created ON keys (owner_id, created_at, id);
CREATE INDEX keys_owner_status_created ON keys (owner_id, status, created_at, id);
DROP INDEX keys_owner;

-- +goose Down
CREATE INDEX keys_owner ON keys (owner_id);
DROP INDEX keys_owner_status_created;
DROP INDEX keys_owner_created;
DROP INDEX keys_status_created;
DROP INDEX keys_created;
