package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"point"
)

// Names of the settings; each is a row whose value is JSON. A row is never deleted, so that the
// sum of the versions goes up with every change.
const (
	settingDefaultMapping   = "default_mapping"
	settingDefaultKeyLimits = "default_key_limits"
)

// fieldOf is where a setting's value lies; nil for one that this version does not know.
func fieldOf(x *point.Settings, name string) any {
	switch name {
	case settingDefaultMapping:
		return &x.DefaultMapping
	case settingDefaultKeyLimits:
		return &x.DefaultKeyLimits
	}
	return nil
}

// setting is a row of the table settings.
type setting struct {
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	version int64
}

const selectSettings = `SELECT name, value, version FROM settings`

func scanSetting(r row) (x setting, err error) {
	return x, r.Scan(&x.Name, rawTo{&x.Value}, &x.version)
}

// readSettings reads the settings into a snapshot. One that is damaged must not stop all other
// changes: it is logged, and its default serves.
func (s *Store) readSettings(ctx context.Context, db querier, next *point.Snapshot) error {
	list, err := rows(ctx, db, scanSetting, selectSettings)
	if err != nil {
		return err
	}
	next.Settings, next.Default = point.Settings{}, point.DefaultMapping()
	for _, row := range list {
		next.Settings.Version += row.version
		if err := readSetting(&next.Settings, row); err != nil {
			s.opts.Log.Error("a setting is damaged: store it again", "setting", row.Name, "error", err)
		}
	}
	if m := next.Settings.DefaultMapping; m != nil {
		next.Default = *m
	}
	return nil
}

func readSetting(x *point.Settings, row setting) error {
	if row.Name != settingDefaultMapping {
		if to := fieldOf(x, row.Name); to != nil {
			return json.Unmarshal(row.Value, to)
		}
		return nil
	}
	m := point.DefaultMapping()
	if string(row.Value) == "null" {
		return nil
	}
	if err := json.Unmarshal(row.Value, &m); err != nil {
		return err
	}
	x.DefaultMapping = &m
	return nil
}

// UpdateSettings replaces all settings, if x.Version is still the stored one (else ErrStale),
// and sets x.Version.
func (s *Store) UpdateSettings(ctx context.Context, x *point.Settings) error {
	const versions = `SELECT COALESCE(SUM(version), 0) FROM settings`
	var version int64
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.QueryRowContext(ctx, versions).Scan(&version); err != nil {
			return err
		}
		if version != x.Version {
			return ErrStale
		}
		if err := s.putSettings(ctx, tx, x); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, versions).Scan(&version)
	})
	if err != nil {
		return fmt.Errorf("update the settings: %w", err)
	}
	x.Version = version
	return nil
}

// putSettings writes the settings that differ from those stored.
func (s *Store) putSettings(ctx context.Context, tx *configTx, x *point.Settings) error {
	list, err := rows(ctx, tx, scanSetting, selectSettings)
	if err != nil {
		return err
	}
	var stored point.Settings
	for _, row := range list {
		_ = readSetting(&stored, row) // what is damaged differs
	}
	for _, name := range []string{settingDefaultMapping, settingDefaultKeyLimits} {
		value := encode(fieldOf(x, name))
		if bytes.Equal(value, encode(fieldOf(&stored, name))) {
			continue
		}
		if err := s.putSetting(ctx, tx, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putSetting(ctx context.Context, tx *configTx, name string, value json.RawMessage) error {
	if err := tx.changed(ctx, entitySetting, name); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value, version, updated_at) VALUES ($1, $2, 1, $3)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = settings.version + 1, updated_at = excluded.updated_at`,
		name, column(value), s.now())
	return err
}
