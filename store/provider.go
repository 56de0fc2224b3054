package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"point"
	"point/internal/seal"
)

const (
	providerColumns = `id, name, type, provider, config, status, managed_by, version, created_at, updated_at, deleted_at`

	selectProviders      = `SELECT ` + providerColumns + ` FROM providers WHERE deleted_at IS NULL ORDER BY name`
	selectAnyProviders   = `SELECT ` + providerColumns + ` FROM providers`
	selectProvider       = `SELECT ` + providerColumns + ` FROM providers WHERE deleted_at IS NULL AND id = $1`
	selectProviderByName = `SELECT ` + providerColumns + ` FROM providers WHERE deleted_at IS NULL AND name = $1`
	existsProvider       = `SELECT 1 FROM providers WHERE deleted_at IS NULL AND id = $1`
)

// CreateProvider stores p and sets its ID (if empty), Version and times. Its name must not
// be another's (*Conflict), nor look like an id, by which a provider may be asked for too
// (*Invalid).
func (s *Store) CreateProvider(ctx context.Context, p *point.Provider) error {
	if isID(p.Name) {
		return errNameIsID
	}
	stored := *p
	if stored.ID == "" {
		stored.ID = NewID(s.opts.Now())
	}
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt, stored.DeletedAt = stored.CreatedAt, nil
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityProvider, stored.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO providers (`+providerColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL)`,
			stored.ID, stored.Name, stored.Type, stored.Kind, asJSON(stored.Config), stored.Status, stored.ManagedBy, stored.Version, stored.CreatedAt, stored.UpdatedAt)
		if err != nil {
			return err
		}
		return s.putSecrets(ctx, tx, stored.ID, &stored.Config)
	})
	if err != nil {
		return fmt.Errorf("create provider %s: %w", p.Name, err)
	}
	*p = stored
	return nil
}

var errNameIsID = &Invalid{"name", "A name must not look like an id. Choose another one."}

// GetProvider finds a provider that is not deleted, with its secrets.
func (s *Store) GetProvider(ctx context.Context, idOrName string) (p *point.Provider, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) error {
		if isID(idOrName) {
			p, err = s.readProvider(ctx, tx, selectProvider, idArg(idOrName))
			return err
		}
		p, err = s.readProvider(ctx, tx, selectProviderByName, clip(idOrName, nameLength))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", idOrName, err)
	}
	return p, nil
}

// ListProviders lists providers that are not deleted, by name, with their secrets.
func (s *Store) ListProviders(ctx context.Context, f ProviderFilter) (List[point.Provider], error) {
	l := listing[point.Provider]{columns: providerColumns, order: "name", page: f.Page, scan: scanProvider}
	l.from.add(" FROM providers")
	l.from.where("deleted_at IS NULL")
	if f.Type != "" {
		l.from.where("type = ?", f.Type)
	}
	if f.Status != "" {
		l.from.where("status = ?", f.Status)
	}
	var out List[point.Provider]
	err := s.config.view(ctx, func(tx *sql.Tx) (err error) {
		if out, err = list(ctx, tx, l); err != nil {
			return err
		}
		return s.readSecrets(ctx, tx, out.Items)
	})
	if err != nil {
		return out, fmt.Errorf("list providers: %w", err)
	}
	return out, nil
}

// UpdateProvider replaces p's name, config (secrets included), status and managed_by, if
// p.Version is still the stored one (else ErrStale), and raises p.Version. Names are refused
// as CreateProvider does.
func (s *Store) UpdateProvider(ctx context.Context, p *point.Provider) error {
	if isID(p.Name) {
		return errNameIsID
	}
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityProvider, p.ID); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE providers SET name = $1, config = $2, status = $3, managed_by = $4, version = version + 1, updated_at = $5
			WHERE id = $6 AND version = $7 AND deleted_at IS NULL`,
			p.Name, asJSON(p.Config), p.Status, p.ManagedBy, updated, idArg(p.ID), p.Version)
		if err != nil {
			return err
		}
		if err := touched(ctx, tx, result, existsProvider, idArg(p.ID)); err != nil {
			return err
		}
		return s.putSecrets(ctx, tx, idText(p.ID), &p.Config)
	})
	if err != nil {
		return fmt.Errorf("update provider %s: %w", p.Name, err)
	}
	p.Version++
	p.UpdatedAt = updated
	return nil
}

// DeleteProvider hides a provider and forgets its secrets. The row stays for history; the
// name is free again.
func (s *Store) DeleteProvider(ctx context.Context, id string, version int64) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityProvider, id); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE providers SET deleted_at = $1, updated_at = $1, version = version + 1
			WHERE id = $2 AND version = $3 AND deleted_at IS NULL`, s.now(), idArg(id), version)
		if err != nil {
			return err
		}
		if err := touched(ctx, tx, result, existsProvider, idArg(id)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM provider_secrets WHERE provider_id = $1`, idArg(id))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete provider %s: %w", id, err)
	}
	return nil
}

// ProviderNames gives the name of every provider by id, deleted ones included: for history.
func (s *Store) ProviderNames(ctx context.Context) (map[string]string, error) {
	type pair struct{ id, name string }
	list, err := rows(ctx, s.config.read, func(r row) (p pair, err error) {
		return p, r.Scan(&p.id, &p.name)
	}, `SELECT id, name FROM providers`)
	if err != nil {
		return nil, fmt.Errorf("list the names of providers: %w", err)
	}
	names := make(map[string]string, len(list))
	for _, p := range list {
		names[p.id] = p.name
	}
	return names, nil
}

func scanProvider(r row) (p point.Provider, err error) {
	err = r.Scan(&p.ID, &p.Name, &p.Type, &p.Kind, jsonTo{&p.Config}, &p.Status, &p.ManagedBy, &p.Version,
		timeTo{&p.CreatedAt}, timeTo{&p.UpdatedAt}, timePtrTo{&p.DeletedAt})
	return p, err
}

func (s *Store) readProvider(ctx context.Context, tx querier, question string, arg any) (*point.Provider, error) {
	p, err := one(ctx, tx, scanProvider, question, arg)
	if err != nil {
		return nil, err
	}
	found := []point.Provider{*p}
	err = s.readSecrets(ctx, tx, found)
	return &found[0], err
}

// readProviders reads all providers that are not deleted, with their secrets.
func (s *Store) readProviders(ctx context.Context, tx querier) ([]point.Provider, error) {
	list, err := rows(ctx, tx, scanProvider, selectProviders)
	if err != nil {
		return nil, err
	}
	return list, s.readSecrets(ctx, tx, list)
}

type sealedSecret struct {
	providerID, name string
	sealed           []byte
	at               time.Time // when it was set
}

func scanSecret(r row) (x sealedSecret, err error) {
	return x, r.Scan(&x.providerID, &x.name, &x.sealed, timeTo{&x.at})
}

// sealedSecrets reads the secrets of providers.
func sealedSecrets(ctx context.Context, db querier, ids ...any) ([]sealedSecret, error) {
	var q query
	q.add("SELECT provider_id, name, sealed, updated_at FROM provider_secrets")
	q.whereIn("provider_id", ids)
	q.add(" ORDER BY provider_id, name") // whoever writes to several locks them in this order
	return rows(ctx, db, scanSecret, q.sql.String(), q.args...)
}

// secretsAtOnce is for how many providers the secrets are asked for in one question.
const secretsAtOnce = 10_000

// readSecrets fills Config.Secrets of all of list. A secret that does not open is left out
// and logged: one damaged row must not stop all others.
func (s *Store) readSecrets(ctx context.Context, db querier, list []point.Provider) error {
	for part := range slices.Chunk(list, secretsAtOnce) {
		ids := make([]any, len(part))
		byID := make(map[string]*point.Provider, len(part))
		for i := range part {
			part[i].Config.Secrets = map[string]point.Secret{}
			ids[i], byID[part[i].ID] = part[i].ID, &part[i]
		}
		sealed, err := sealedSecrets(ctx, db, ids...)
		if err != nil {
			return err
		}
		for _, x := range sealed {
			if err := s.openSecret(byID[x.providerID], x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) openSecret(p *point.Provider, x sealedSecret) error {
	plain, err := s.ring.Open(x.sealed, secretPlace(p.ID, x.name))
	switch {
	case errors.Is(err, seal.ErrSealed):
		s.opts.Log.Error("a provider's secret cannot be read: set it again", "provider", p.Name, "secret", x.name, "error", err)
		return nil
	case errors.Is(err, errOtherMaster):
		return nil // told by the ring; what else was changed must go on
	case err != nil:
		return err
	}
	secret := point.NewSecret(string(plain))
	if !strings.Contains(x.name, point.SecretParked) {
		p.Config.Secrets[x.name] = secret
		return nil
	}
	if p.Config.Parked == nil {
		p.Config.Parked = map[string]point.Secret{}
	}
	p.Config.Parked[x.name] = secret
	return nil
}

func secretPlace(providerID, name string) seal.Place {
	return seal.Place{Table: "provider_secrets", Row: providerID, Column: name}
}

// putSecrets makes the stored secrets those of a config. What did not change is not written, and
// what is put aside or taken up again keeps its time: updated_at tells a secret's age.
func (s *Store) putSecrets(ctx context.Context, tx *configTx, providerID string, config *point.ProviderConfig) error {
	stored, err := sealedSecrets(ctx, tx, providerID)
	if err != nil {
		return err
	}
	want, same, since := config.Kept(), map[string]bool{}, map[string]time.Time{}
	for _, x := range stored {
		secret, wanted := want[x.name]
		plain, err := s.ring.Open(x.sealed, secretPlace(providerID, x.name))
		if errors.Is(err, errOtherMaster) {
			return err // it would be taken for another one, and go
		}
		since[string(plain)] = x.at
		if same[x.name] = wanted && err == nil && bytes.Equal(plain, []byte(secret.Reveal())); same[x.name] {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM provider_secrets WHERE provider_id = $1 AND name = $2`, providerID, x.name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if same[name] || want[name].IsZero() {
			continue
		}
		at, known := since[want[name].Reveal()]
		if !known {
			at = s.now()
		}
		if err := s.insertSecret(ctx, tx, providerID, name, want[name], at); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) insertSecret(ctx context.Context, tx *configTx, providerID, name string, secret point.Secret, at time.Time) error {
	sealed, err := s.ring.Seal(ctx, tx, []byte(secret.Reveal()), secretPlace(providerID, name))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO provider_secrets (provider_id, name, sealed, updated_at) VALUES ($1, $2, $3, $4)`,
		providerID, name, sealed, at)
	return err
}

// providerID resolves a filter's "id or name". A deleted provider is found by its id; of
// several with a name, the one that is not deleted, else the one deleted last.
func (s *Store) providerID(ctx context.Context, idOrName string) (string, error) {
	if id := idText(idOrName); id != "" {
		return id, nil
	}
	var id string
	err := s.config.read.QueryRowContext(ctx, `SELECT id FROM providers WHERE name = $1
		ORDER BY CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END, deleted_at DESC LIMIT 1`, idOrName).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, failure(err)
}

// SecretAges tells when each secret of providers was set, by the provider's id and the secret's
// name.
func (s *Store) SecretAges(ctx context.Context, ids ...string) (map[string]map[string]time.Time, error) {
	ages, err := secretAges(ctx, s.config.read, idArgs("id", ids))
	if err != nil {
		return nil, fmt.Errorf("read the age of secrets: %w", err)
	}
	return ages, nil
}
