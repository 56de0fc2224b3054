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
		Roles:     map[string]*point.Role{},
		Tokens:    map[[32]byte]*point.Token{},
		Rotated:   map[[32]byte]point.Rotated{},
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
	err = each(ctx, tx, scanKey, func(k *point.Key) { s.putKey(next, k) }, selectKeys)
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
	next.SignersVersion = next.Version
	return errors.Join(readRoles(ctx, tx, next), readTokens(ctx, tx, next), s.readRest(ctx, tx, next))
}

func readRoles(ctx context.Context, tx *sql.Tx, next *point.Snapshot) error {
	roles, err := rows(ctx, tx, scanRole, selectRoles)
	for i := range roles {
		next.Roles[roles[i].Name] = &roles[i]
	}
	return err
}

func readTokens(ctx context.Context, tx *sql.Tx, next *point.Snapshot) error {
	tokens, err := rows(ctx, tx, scanToken, selectTokens)
	for i := range tokens {
		tokens[i].LastUsedAt = nil
		next.Tokens[tokens[i].Hash] = &tokens[i]
	}
	return err
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
	if next.Prices, next.PriceOverrides, err = s.readPrices(ctx, tx); err != nil {
		return err
	}
	next.Models, next.ModelOverrides, err = s.readModels(ctx, tx)
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
		s.ring.again(limited, tx)
		if next.Version, err = readVersion(limited, tx); err != nil || next.Version == seen {
			return err
		}
		changes, complete, err := readChanges(limited, tx, seen, next.Version)
		if err != nil {
			return err
		}
		if !complete || len(changes) > changesAtOnce {
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
	if s.ring.missed.Load() {
		return s.readMissed(ctx, next.KeySecret)
	}
	if next.Version != seen {
		next.Index()
		s.snapshot.Store(&next)
	}
	return nil
}

// readMissed reads everything anew, since secrets were left out while the ring did not open.
func (s *Store) readMissed(ctx context.Context, secret []byte) error {
	s.ring.missed.Store(false)
	err := s.load(ctx, secret)
	if err != nil {
		s.ring.missed.Store(true)
	}
	return err
}

// errForgotten: the changes since a version are no longer written down, or are so many that reading
// everything is quicker than each of them.
var errForgotten = errors.New("changes were forgotten")

// changesAtOnce is how many changes are read one by one.
const changesAtOnce = 500

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

// readWhole are the entities that are read as a whole, once for all of their changes.
var readWhole = map[string]bool{
	entityAlias: true, entitySetting: true, entitySession: true, entityAlertRule: true, entityNotifier: true, entitySilence: true, entityPrice: true,
	entityModel: true,
}

// apply replaces what changed.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, next *point.Snapshot, changes []change) error {
	copied := map[string]bool{}
	done := map[change]bool{}
	for _, c := range changes {
		if readWhole[c.entity] {
			c.id = ""
		}
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
		next.Keys, next.Rotated = maps.Clone(next.Keys), maps.Clone(next.Rotated)
	case entityUser:
		next.Users = maps.Clone(next.Users)
	case entityRole:
		next.Roles = maps.Clone(next.Roles)
	case entityToken:
		next.Tokens = maps.Clone(next.Tokens)
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
		return s.applyKey(ctx, tx, next, c.id)
	case entityUser:
		return applyUser(ctx, tx, next, c.id)
	case entityRole:
		return applyRole(ctx, tx, next, c.id)
	case entityToken:
		return applyToken(ctx, tx, next, c.id)
	case entitySigner:
		next.SignersVersion = next.Version
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

// applyRest replaces what alerts, costs and models go by, each read as a whole.
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
	case entityModel:
		next.Models, next.ModelOverrides, err = s.readModels(ctx, tx)
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

// applyKey replaces a key. Only a rotation changes its hash.
func (s *Store) applyKey(ctx context.Context, tx *sql.Tx, next *point.Snapshot, id string) error {
	k, err := one(ctx, tx, scanKey, selectKey, id)
	gone := errors.Is(err, ErrNotFound)
	if err != nil && !gone {
		return err
	}
	if gone || k.RotatedAt != nil {
		dropKey(next, id)
	}
	if !gone {
		s.putKey(next, k)
	}
	return nil
}

// dropKey takes a key out under all of its hashes.
func dropKey(next *point.Snapshot, id string) {
	maps.DeleteFunc(next.Rotated, func(_ [32]byte, r point.Rotated) bool {
		k, ok := next.Keys[r.Hash]
		return !ok || k.ID == id
	})
	maps.DeleteFunc(next.Keys, func(_ [32]byte, k *point.Key) bool { return k.ID == id })
}

// putKey puts a key in under its hash, and under the one before it while that may still work.
func (s *Store) putKey(next *point.Snapshot, k *point.Key) {
	next.Keys[k.Hash] = k
	if k.PreviousExpiresAt != nil && s.opts.Now().Before(*k.PreviousExpiresAt) {
		next.Rotated[k.PreviousHash] = point.Rotated{Hash: k.Hash, Until: *k.PreviousExpiresAt}
	}
}

func applyUser(ctx context.Context, tx *sql.Tx, next *point.Snapshot, id string) error {
	u, err := one(ctx, tx, scanUser, selectUser, id)
	switch {
	case errors.Is(err, ErrNotFound):
		delete(next.Users, id)
		return nil
	case err != nil:
		return err
	}
	next.Users[id] = u
	return nil
}

func applyRole(ctx context.Context, tx *sql.Tx, next *point.Snapshot, name string) error {
	r, err := one(ctx, tx, scanRole, selectRole, name)
	switch {
	case errors.Is(err, ErrNotFound):
		delete(next.Roles, name)
		return nil
	case err != nil:
		return err
	}
	next.Roles[name] = r
	return nil
}

// applyToken puts a token in or takes it out; nothing else ever changes of one.
func applyToken(ctx context.Context, tx *sql.Tx, next *point.Snapshot, id string) error {
	t, err := one(ctx, tx, scanToken, selectToken, id)
	switch {
	case errors.Is(err, ErrNotFound):
		maps.DeleteFunc(next.Tokens, func(_ [32]byte, t *point.Token) bool { return t.ID == id })
		return nil
	case err != nil:
		return err
	}
	t.LastUsedAt = nil
	next.Tokens[t.Hash] = t
	return nil
}
