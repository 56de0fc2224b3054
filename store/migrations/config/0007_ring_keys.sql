-- +goose Up
-- The keys of the ring that may seal. A transaction that stores what a key sealed holds its
-- row, so that a key which is dropped has nothing left in flight.

CREATE TABLE ring_keys (
  id BIGINT PRIMARY KEY,
  added_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE ring_keys;
