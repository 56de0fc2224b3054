package store

import (
	"context"
	"encoding/json"
	"fmt"

	"point"
)

const settingColumns = `name, value, version, updated_at`

// GetSetting reads a setting's JSON value.
func (s *Store) GetSetting(ctx context.Context, name string) (json.RawMessage, error) {
	x, err := one(ctx, s.config.read, scanSetting, `SELECT `+settingColumns+` FROM settings WHERE name = $1`, name)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	return x.Value, nil
}

// PutSetting stores a setting's JSON value. That of a setting which the store reads itself
// must have its form.
func (s *Store) PutSetting(ctx context.Context, name string, value json.RawMessage) error {
	if !json.Valid(value) {
		return fmt.Errorf("store setting %s: its value is not JSON", name)
	}
	if name == SettingDefaultMapping {
		if err := json.Unmarshal(value, new(point.Mapping)); err != nil {
			return fmt.Errorf("store setting %s: its value is not a mapping: %w", name, err)
		}
	}
	err := s.change(ctx, func(tx *configTx) error {
		tx.changed(entitySetting, name)
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (`+settingColumns+`) VALUES ($1, $2, 1, $3)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = settings.version + 1, updated_at = excluded.updated_at`,
			name, string(value), s.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("store setting %s: %w", name, err)
	}
	return nil
}

// ListSettings lists all settings by name.
func (s *Store) ListSettings(ctx context.Context) ([]Setting, error) {
	list, err := rows(ctx, s.config.read, scanSetting, `SELECT `+settingColumns+` FROM settings ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list settings: %w", err)
	}
	return list, nil
}

func scanSetting(r row) (x Setting, err error) {
	err = r.Scan(&x.Name, rawTo{&x.Value}, &x.Version, timeTo{&x.UpdatedAt})
	return x, err
}
