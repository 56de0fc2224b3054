-- +goose Up
-- Who a user is at an OpenID provider.
CREATE TABLE identities (
  issuer VARCHAR(512) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  suspended_version BIGINT NOT NULL DEFAULT 0, -- the version of the user that was disabled because no group gave a role
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX identities_user_id_unique ON identities (user_id);

-- The sign-ins that came back from the provider: none comes back twice.
CREATE TABLE used_sign_ins (
  state BYTEA PRIMARY KEY, -- SHA-256
  expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX used_sign_ins_expires ON used_sign_ins (expires_at);

-- +goose Down
DROP TABLE used_sign_ins;
DROP TABLE identities;
