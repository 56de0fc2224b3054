-- +goose Up
-- What became of an alert, and the messages about it that are still to be sent.

ALTER TABLE alerts ADD COLUMN rule_id UUID;
ALTER TABLE alerts ADD COLUMN silence_id UUID;
ALTER TABLE alerts ADD COLUMN notified_at TIMESTAMPTZ;
ALTER TABLE alerts ADD COLUMN acknowledged_at TIMESTAMPTZ;
ALTER TABLE alerts ADD COLUMN acknowledged_by VARCHAR(320);
ALTER TABLE alerts ADD COLUMN resolved_by VARCHAR(320);
CREATE INDEX alerts_kind ON alerts (kind, subject, last_at);

CREATE TABLE notifications (
  alert_id UUID NOT NULL,
  notifier_id UUID NOT NULL,
  event VARCHAR(20) NOT NULL,
  alert JSONB NOT NULL, -- as it was then
  attempts INTEGER NOT NULL,
  next_at TIMESTAMPTZ, -- null: settled
  error TEXT, -- of the last attempt that failed
  created_at TIMESTAMPTZ NOT NULL,
  sent_at TIMESTAMPTZ,
  PRIMARY KEY (alert_id, notifier_id, event)
);
CREATE INDEX notifications_next ON notifications (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX notifications_notifier ON notifications (notifier_id, created_at);

-- Work that one process at a time does.
CREATE TABLE leases (
  name VARCHAR(100) PRIMARY KEY,
  holder VARCHAR(255) NOT NULL,
  until_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE leases;
DROP TABLE notifications;
DROP INDEX alerts_kind;
ALTER TABLE alerts DROP COLUMN resolved_by;
ALTER TABLE alerts DROP COLUMN acknowledged_by;
ALTER TABLE alerts DROP COLUMN acknowledged_at;
ALTER TABLE alerts DROP COLUMN notified_at;
ALTER TABLE alerts DROP COLUMN silence_id;
ALTER TABLE alerts DROP COLUMN rule_id;
