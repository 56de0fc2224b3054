-- +goose Up
-- How grave an alert was when it was sent: one that got worse since is sent again.

ALTER TABLE alerts ADD COLUMN notified_severity VARCHAR(20);
UPDATE alerts SET notified_severity = severity WHERE notified_at IS NOT NULL;

-- +goose Down
ALTER TABLE alerts DROP COLUMN notified_severity;
