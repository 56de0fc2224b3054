package store

import (
	"context"
	"errors"

	"point"
)

// This file fixes the signatures while the bodies are written, entity by entity.

var errUnbuilt = errors.New("store: being built")

func (s *Store) Run(ctx context.Context) error { return errUnbuilt }

func (s *Store) RequestStats(ctx context.Context, f StatsFilter) ([]StatsBucket, error) {
	return nil, errUnbuilt
}
func (s *Store) InsertLogs(ctx context.Context, entries []point.LogEntry) error { return errUnbuilt }
func (s *Store) ListLogs(ctx context.Context, f LogFilter) (List[point.LogEntry], error) {
	return List[point.LogEntry]{}, errUnbuilt
}
func (s *Store) UpsertAlert(ctx context.Context, a point.Alert) error { return errUnbuilt }
func (s *Store) GetAlert(ctx context.Context, id string) (*point.Alert, error) {
	return nil, errUnbuilt
}
func (s *Store) ListAlerts(ctx context.Context, f AlertFilter) (List[point.Alert], error) {
	return List[point.Alert]{}, errUnbuilt
}
func (s *Store) ResolveAlert(ctx context.Context, id string) error            { return errUnbuilt }
func (s *Store) Prune(ctx context.Context, before PruneBefore) (int64, error) { return 0, errUnbuilt }
