package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point"
)

// instanceLife is how long a silent process is still listed, as gone.
const instanceLife = 24 * time.Hour

// Heartbeat writes down that a process runs. SeenAt zero is now.
func (s *Store) Heartbeat(ctx context.Context, i point.Instance) error {
	if i.SeenAt.IsZero() {
		i.SeenAt = s.now()
	}
	err := s.config.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO instances (id, components, version, url, state, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET components = excluded.components, version = excluded.version, url = excluded.url, state = excluded.state, seen_at = excluded.seen_at`,
			i.ID, asJSON(i.Components), i.Version, i.URL, i.State, at(i.SeenAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("write the heartbeat: %w", err)
	}
	return nil
}

// Instances lists the processes of the last 24 h by id; SeenAt tells which still run.
func (s *Store) Instances(ctx context.Context) ([]point.Instance, error) {
	list, err := rows(ctx, s.config.read, scanInstance, `SELECT id, components, version, url, state, seen_at FROM instances WHERE seen_at > $1 ORDER BY id`,
		s.now().Add(-instanceLife))
	if err != nil {
		return nil, fmt.Errorf("list the instances: %w", err)
	}
	return list, nil
}

func scanInstance(r row) (i point.Instance, err error) {
	err = r.Scan(&i.ID, jsonTo{&i.Components}, &i.Version, &i.URL, &i.State, timeTo{&i.SeenAt})
	return i, err
}
