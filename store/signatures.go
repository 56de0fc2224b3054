package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"point"
)

// This file fixes the signatures while the bodies are written, entity by entity.

var errUnbuilt = errors.New("store: being built")

type Store struct{}

func Open(ctx context.Context, opts Options) (*Store, error) { return nil, errUnbuilt }
func (s *Store) Run(ctx context.Context) error               { return errUnbuilt }
func (s *Store) Close() error                                { return errUnbuilt }
func (s *Store) Ping(ctx context.Context) error              { return errUnbuilt }
func (s *Store) Engine() string                              { return SQLite }
func (s *Store) Snapshot() *point.Snapshot                   { return nil }
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	return nil, errUnbuilt
}
func (s *Store) Migrate(ctx context.Context) error { return errUnbuilt }

func (s *Store) CreateProvider(ctx context.Context, p *point.Provider) error { return errUnbuilt }
func (s *Store) GetProvider(ctx context.Context, idOrName string) (*point.Provider, error) {
	return nil, errUnbuilt
}
func (s *Store) ListProviders(ctx context.Context, f ProviderFilter) (List[point.Provider], error) {
	return List[point.Provider]{}, errUnbuilt
}
func (s *Store) UpdateProvider(ctx context.Context, p *point.Provider) error { return errUnbuilt }
func (s *Store) DeleteProvider(ctx context.Context, id string, version int64) error {
	return errUnbuilt
}

func (s *Store) ListEndpoints(ctx context.Context, f EndpointFilter) ([]point.Endpoint, error) {
	return nil, errUnbuilt
}
func (s *Store) GetEndpoint(ctx context.Context, idOrPath string) (*point.Endpoint, error) {
	return nil, errUnbuilt
}
func (s *Store) UpdateEndpoint(ctx context.Context, e *point.Endpoint) error { return errUnbuilt }

func (s *Store) ListAliases(ctx context.Context) ([]point.Alias, error) { return nil, errUnbuilt }
func (s *Store) GetAlias(ctx context.Context, name string) (*point.Alias, error) {
	return nil, errUnbuilt
}
func (s *Store) PutAlias(ctx context.Context, a *point.Alias) error { return errUnbuilt }
func (s *Store) DeleteAlias(ctx context.Context, name string) error { return errUnbuilt }

func (s *Store) CreateKey(ctx context.Context, k *point.Key, token point.Secret) error {
	return errUnbuilt
}
func (s *Store) GetKey(ctx context.Context, id string) (*point.Key, error) { return nil, errUnbuilt }
func (s *Store) ListKeys(ctx context.Context, f KeyFilter) (List[point.Key], error) {
	return List[point.Key]{}, errUnbuilt
}
func (s *Store) UpdateKey(ctx context.Context, k *point.Key) error             { return errUnbuilt }
func (s *Store) DeleteKey(ctx context.Context, id string, version int64) error { return errUnbuilt }

func (s *Store) CreateUser(ctx context.Context, u *point.User) error         { return errUnbuilt }
func (s *Store) CreateFirstUser(ctx context.Context, u *point.User) error    { return errUnbuilt }
func (s *Store) GetUser(ctx context.Context, id string) (*point.User, error) { return nil, errUnbuilt }
func (s *Store) UserByEmail(ctx context.Context, email string) (*point.User, error) {
	return nil, errUnbuilt
}
func (s *Store) ListUsers(ctx context.Context, p Page) (List[point.User], error) {
	return List[point.User]{}, errUnbuilt
}
func (s *Store) UpdateUser(ctx context.Context, u *point.User) error { return errUnbuilt }
func (s *Store) CountUsers(ctx context.Context) (int64, error)       { return 0, errUnbuilt }

func (s *Store) CreateSession(ctx context.Context, x *point.Session) error { return errUnbuilt }
func (s *Store) GetSession(ctx context.Context, id string) (*point.Session, error) {
	return nil, errUnbuilt
}
func (s *Store) UpdateSession(ctx context.Context, x *point.Session, current [32]byte) error {
	return errUnbuilt
}
func (s *Store) RevokeSession(ctx context.Context, id string) error          { return errUnbuilt }
func (s *Store) RevokeUserSessions(ctx context.Context, userID string) error { return errUnbuilt }
func (s *Store) ListSessions(ctx context.Context, userID string) ([]point.Session, error) {
	return nil, errUnbuilt
}

func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) { return nil, errUnbuilt }
func (s *Store) CreateSigningKey(ctx context.Context) (SigningKey, error) {
	return SigningKey{}, errUnbuilt
}
func (s *Store) RetireSigningKey(ctx context.Context, id string) error { return errUnbuilt }

func (s *Store) GetSetting(ctx context.Context, name string) (json.RawMessage, error) {
	return nil, errUnbuilt
}
func (s *Store) PutSetting(ctx context.Context, name string, value json.RawMessage) error {
	return errUnbuilt
}
func (s *Store) ListSettings(ctx context.Context) ([]Setting, error) { return nil, errUnbuilt }

func (s *Store) SaveIdempotent(ctx context.Context, x Idempotent) error { return errUnbuilt }
func (s *Store) FindIdempotent(ctx context.Context, key, route, userID string) (*Idempotent, error) {
	return nil, errUnbuilt
}
func (s *Store) PutSetupToken(ctx context.Context, hash [32]byte, expires time.Time) error {
	return errUnbuilt
}
func (s *Store) TakeSetupToken(ctx context.Context, hash [32]byte) error { return errUnbuilt }
func (s *Store) Heartbeat(ctx context.Context, i point.Instance) error   { return errUnbuilt }
func (s *Store) Instances(ctx context.Context) ([]point.Instance, error) { return nil, errUnbuilt }

func (s *Store) InsertRecords(ctx context.Context, records []point.Record) error { return errUnbuilt }
func (s *Store) GetRequest(ctx context.Context, id string) (point.Record, error) {
	return point.Record{}, errUnbuilt
}
func (s *Store) ListRequests(ctx context.Context, f RequestFilter) (List[point.Record], error) {
	return List[point.Record]{}, errUnbuilt
}
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

// NewID makes a UUIDv7 of time t.
func NewID(t time.Time) string { return "" }
