package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"point"
)

// Snapshot is the live configuration. It never changes; a later call may return another.
func (s *Store) Snapshot() *point.Snapshot { return s.snapshot.Load() }

// reload reads the whole configuration and publishes it.
func (s *Store) reload(ctx context.Context) error {
	secret, err := s.clientKeySecret(ctx)
	if err != nil {
		return err
	}
	s.publish.Lock()
	defer s.publish.Unlock()
	return s.load(ctx, secret)
}

// load is reload under the lock.
func (s *Store) load(ctx context.Context, secret []byte) error {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	next := &point.Snapshot{
		Providers: map[string]*point.Provider{},
		Endpoints: map[string]*point.Endpoint{},
		Aliases:   map[string]string{},
		Keys:      map[[32]byte]*point.Key{},
		Users:     map[string]*point.User{},
		KeySecret: secret,

		DemoServes: s.opts.DemoServes,
	}
	err := s.config.view(ctx, func(tx *sql.Tx) error { return s.readAll(ctx, tx, next) })
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	next.Index()
	s.snapshot.Store(next)
	return nil
}

func (s *Store) readAll(ctx context.Context, tx *sql.Tx, next *point.Snapshot) (err error) {
	if next.Version, err = readVersion(ctx, tx); err != nil {
		return err
	}
	providers, err := s.readProviders(ctx, tx)
	if err != nil {
		return err
	}
	for i := range providers {
		next.Providers[providers[i].ID] = &providers[i]
	}
	endpoints, err := rows(ctx, tx, scanEndpoint, selectEndpoints)
	if err != nil {
		return err
	}
	for i := range endpoints {
		next.Endpoints[endpoints[i].Path] = &endpoints[i]
	}
	err = each(ctx, tx, scanKey, func(k *point.Key) { next.Keys[k.Hash] = k }, selectKeys)
	if err != nil {
		return err
	}
	users, err := rows(ctx, tx, scanUser, selectUsers)
	if err != nil {
		return err
	}
	for i := range users {
		next.Users[users[i].ID] = &users[i]
	}
	return s.readRest(ctx, tx, next)
}

// readRest reads the small parts, which are never read one by one.
func (s *Store) readRest(ctx context.Context, tx *sql.Tx, next *point.Snapshot) (err error) {
	if next.Aliases, err = readAliases(ctx, tx); err != nil {
		return err
	}
	if err = s.readSettings(ctx, tx, next); err != nil {
		return err
	}
	if next.RevokedSessions, err = s.readRevoked(ctx, tx); err != nil {
		return err
	}
	if next.AlertRules, err = readAlertRules(ctx, tx); err != nil {
		return err
	}
	if next.Notifiers, err = s.readNotifiers(ctx, tx); err != nil {
		return err
	}
	if next.Silences, err = rows(ctx, tx, scanSilence, selectSilences); err != nil {
		return err
	}
	next.Prices, next.PriceOverrides, err = s.readPrices(ctx, tx)
	return err
}

// How long reading the configuration may take: what changed, and everything.
const (
	refreshLimit = 5 * time.Second
	loadLimit    = 30 * time.Second
)

// refresh brings the snapshot to what is committed: it copies the maps of what changed
// since, replaces the changed rows in the copies, and shares the rest. It gives up after a
// while, since a change waits for it, and others for the lock.
func (s *Store) refresh(ctx context.Context) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	next := *s.snapshot.Load()
	seen := next.Version
	limited, cancel := context.WithTimeout(ctx, refreshLimit)
	defer cancel()
	err := s.config.view(limited, func(tx *sql.Tx) (err error) {
		if next.Version, err = readVersion(limited, tx); err != nil || next.Version == seen {
			return err
		}
		changes, complete, err := readChanges(limited, tx, seen, next.Version)
		if err != nil {
			return err
		}
		if !complete {
			return errForgotten
		}
		return s.apply(limited, tx, &next, changes)
	})
	if errors.Is(err, errForgotten) {
		return s.load(ctx, next.KeySecret)
	}
	if err != nil {
		return fmt.Errorf("read the changed configuration: %w", err)
	}
	if next.Version != seen {
		next.Index()
		s.snapshot.Store(&next)
	}
	return nil
}

// errForgotten: the changes since a version are no longer written down.
var errForgotten = errors.New("changes were forgotten")

func readVersion(ctx context.Context, tx *sql.Tx) (version int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT version FROM config_version WHERE id = 1`).Scan(&version)
	return version, err
}

// readChanges lists what changed after a version, and whether that is all.
func readChanges(ctx context.Context, tx *sql.Tx, after, version int64) (list []change, complete bool, err error) {
	versions := map[int64]bool{}
	list, err = rows(ctx, tx, func(r row) (c change, err error) {
		var v int64
		err = r.Scan(&v, &c.entity, &c.id)
		versions[v] = true
		return c, err
	}, `SELECT version, entity, row_id FROM changes WHERE version > $1 AND version <= $2 ORDER BY version`, after, version)
	return list, int64(len(versions)) == version-after, err
}

// apply replaces what changed.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, next *point.Snapshot, changes []change) error {
	copied := map[string]bool{}
	done := map[change]bool{}
	for _, c := range changes {
		if done[c] {
			continue
		}
		done[c] = true
		if !copied[c.entity] {
			copied[c.entity] = true
			copyMap(next, c.entity)
		}
		if err := s.applyOne(ctx, tx, next, c); err != nil {
			return fmt.Errorf("%s %s: %w", c.entity, c.id, err)
		}
	}
	return nil
}

// copyMap makes a map of the snapshot one's own before it is written to.
func copyMap(next *point.Snapshot, entity string) {
	switch entity {
	case entityProvider:
		next.Providers = maps.Clone(next.Providers)
	case entityEndpoint:
		next.Endpoints = maps.Clone(next.Endpoints)
	case entityKey:
		next.Keys = maps.Clone(next.Keys)
	case entityUser:
		next.Users = maps.Clone(next.Users)
	}
}

func (s *Store) applyOne(ctx context.Context, tx *sql.Tx, next *point.Snapshot, c change) (err error) {
	switch c.entity {
	case entityProvider:
		return s.applyProvider(ctx, tx, next, c.id)
	case entityEndpoint:
		e, err := one(ctx, tx, scanEndpoint, selectEndpoint, c.id)
		if err == nil {
			next.Endpoints[e.Path] = e
		}
		return err
	case entityKey:
		return applyKey(ctx, tx, next, c.id)
	case entityUser:
		u, err := one(ctx, tx, scanUser, selectUser, c.id)
		if errors.Is(err, ErrNotFound) {
			delete(next.Users, c.id)
			return nil
		}
		if err == nil {
			next.Users[c.id] = u
		}
		return err
	case entityRing:
		s.ring.follow(ctx, tx)
	case entityAlias:
		next.Aliases, err = readAliases(ctx, tx)
	case entitySetting:
		err = s.readSettings(ctx, tx, next)
	case entitySession:
		next.RevokedSessions, err = s.readRevoked(ctx, tx)
	default:
		return s.applyRest(ctx, tx, next, c)
	}
	return err
}

// applyRest replaces what alerts and costs go by, each read as a whole.
func (s *Store) applyRest(ctx context.Context, tx *sql.Tx, next *point.Snapshot, c change) (err error) {
	switch c.entity {
	case entityAlertRule:
		next.AlertRules, err = readAlertRules(ctx, tx)
	case entityNotifier:
		next.Notifiers, err = s.readNotifiers(ctx, tx)
	case entitySilence:
		next.Silences, err = rows(ctx, tx, scanSilence, selectSilences)
	case entityPrice:
		next.Prices, next.PriceOverrides, err = s.readPrices(ctx, tx)
	}
	return err
}

func (s *Store) applyProvider(ctx context.Context, tx *sql.Tx, next *point.Snapshot, id string) error {
	p, err := s.readProvider(ctx, tx, selectProvider, id)
	switch {
	case errors.Is(err, ErrNotFound):
		delete(next.Providers, id)
		return nil
	case err != nil:
		return err
	}
	next.Providers[id] = p
	return nil
}

// applyKey replaces a key, whose hash never changes.
func applyKey(ctx context.Context, tx *sql.Tx, next *point.Snapshot, id string) error {
	k, err := one(ctx, tx, scanKey, selectKey, id)
	switch {
	case errors.Is(err, ErrNotFound):
		maps.DeleteFunc(next.Keys, func(_ [32]byte, k *point.Key) bool { return k.ID == id })
		return nil
	case err != nil:
		return err
	}
	next.Keys[k.Hash] = k
	return nil
}
