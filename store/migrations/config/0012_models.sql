-- What models are, beside their prices, in front of the embedded catalogue.

-- +goose Up
CREATE TABLE models (
  kind VARCHAR(100) NOT NULL,
  model VARCHAR(255) NOT NULL,
  facts JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (kind, model)
);

-- +goose Down
DROP TABLE models;
