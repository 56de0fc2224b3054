package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"point/internal/seal"
)

// sealedColumn is a column whose values the ring seals. Every such column is in sealedColumns,
// or the rotation of keys would forget it.
type sealedColumn struct {
	table, column string

	// first is below the key of the first row; its length is how many columns the key has.
	first []any
	// next lists at most $2 rows behind the key $3, $4, ... whose value does not begin with $1,
	// in the order of their keys: the key, the value.
	next string
	// swap replaces the value $2 by $1 in the row of the key $3, $4, ...
	swap string
	// count tells how many values begin with the same five bytes, and with which.
	count string
	// place is where the value of a row is sealed for.
	place func(key []string) seal.Place
}

const noID = "00000000-0000-0000-0000-000000000000"

// sealedColumns are all columns that hold sealed values.
var sealedColumns = []sealedColumn{
	{
		"provider_secrets", "sealed", []any{noID, ""},
		`SELECT provider_id, name, sealed FROM provider_secrets WHERE (provider_id, name) > ($3, $4) AND substr(sealed, 1, 5) <> $1 ORDER BY provider_id, name LIMIT $2`,
		`UPDATE provider_secrets SET sealed = $1 WHERE sealed = $2 AND provider_id = $3 AND name = $4`,
		`SELECT substr(sealed, 1, 5), COUNT(*) FROM provider_secrets GROUP BY 1`,
		func(key []string) seal.Place { return secretPlace(key[0], key[1]) },
	},
	{
		"notifier_secrets", "sealed", []any{noID, ""},
		`SELECT notifier_id, name, sealed FROM notifier_secrets WHERE (notifier_id, name) > ($3, $4) AND substr(sealed, 1, 5) <> $1 ORDER BY notifier_id, name LIMIT $2`,
		`UPDATE notifier_secrets SET sealed = $1 WHERE sealed = $2 AND notifier_id = $3 AND name = $4`,
		`SELECT substr(sealed, 1, 5), COUNT(*) FROM notifier_secrets GROUP BY 1`,
		func(key []string) seal.Place { return notifierPlace(key[0], key[1]) },
	},
	{
		"signing_keys", "private", []any{noID},
		`SELECT id, private FROM signing_keys WHERE id > $3 AND substr(private, 1, 5) <> $1 ORDER BY id LIMIT $2`,
		`UPDATE signing_keys SET private = $1 WHERE private = $2 AND id = $3`,
		`SELECT substr(private, 1, 5), COUNT(*) FROM signing_keys GROUP BY 1`,
		func(key []string) seal.Place { return signingPlace(key[0]) },
	},
	{
		"data_keys", "sealed", []any{""},
		`SELECT purpose, sealed FROM data_keys WHERE purpose > $3 AND purpose <> 'ring' AND substr(sealed, 1, 5) <> $1 ORDER BY purpose LIMIT $2`,
		`UPDATE data_keys SET sealed = $1 WHERE sealed = $2 AND purpose = $3`,
		`SELECT substr(sealed, 1, 5), COUNT(*) FROM data_keys WHERE purpose <> 'ring' GROUP BY 1`,
		func(key []string) seal.Place { return dataKeyPlace(key[0]) },
	},
	{
		"sessions", "replaced", []any{noID},
		`SELECT id, replaced FROM sessions WHERE id > $3 AND substr(replaced, 1, 5) <> $1 ORDER BY id LIMIT $2`,
		`UPDATE sessions SET replaced = $1 WHERE replaced = $2 AND id = $3`,
		`SELECT substr(replaced, 1, 5), COUNT(*) FROM sessions WHERE replaced IS NOT NULL GROUP BY 1`,
		func(key []string) seal.Place { return replacedPlace(key[0]) },
	},
	{
		"idempotency", "body", []any{"", "", ""},
		`SELECT key, route, user_id, body FROM idempotency WHERE (key, route, user_id) > ($3, $4, $5) AND status <> 0 AND substr(body, 1, 5) <> $1 ORDER BY key, route, user_id LIMIT $2`,
		`UPDATE idempotency SET body = $1 WHERE body = $2 AND key = $3 AND route = $4 AND user_id = $5`,
		`SELECT substr(body, 1, 5), COUNT(*) FROM idempotency WHERE status <> 0 GROUP BY 1`,
		func(key []string) seal.Place {
			return idempotentPlace(Idempotent{Key: key[0], Route: key[1], UserID: key[2]})
		},
	},
}

// SealKey is one key of the ring.
type SealKey struct {
	ID      uint32
	Seals   bool // it is the one that seals now
	AddedAt time.Time
	Values  int64 // that it sealed
}

// SealKeys lists the keys of the ring, the one that seals first, with how many values each
// sealed. What is sealed by none of them cannot be read and is counted in lost.
func (s *Store) SealKeys(ctx context.Context) (keys []SealKey, lost int64, err error) {
	err = s.config.view(ctx, func(tx *sql.Tx) (err error) {
		if err := s.ring.read(ctx, tx); err != nil {
			return err
		}
		keys, lost, err = s.sealKeys(ctx, tx)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("count what the encryption keys sealed: %w", err)
	}
	return keys, lost, nil
}

func (s *Store) sealKeys(ctx context.Context, db querier) (keys []SealKey, lost int64, err error) {
	counts, err := countSealed(ctx, db)
	if err != nil {
		return nil, 0, err
	}
	keys, err = rows(ctx, db, func(r row) (k SealKey, err error) {
		var id int64
		err = r.Scan(&id, timeTo{&k.AddedAt})
		k.ID = uint32(id)
		return k, err
	}, `SELECT id, added_at FROM ring_keys ORDER BY added_at DESC, id`)
	primary := s.ring.KeyID()
	for i := range keys {
		keys[i].Seals, keys[i].Values = keys[i].ID == primary, counts[keys[i].ID]
		delete(counts, keys[i].ID)
	}
	for _, n := range counts {
		lost += n
	}
	return keys, lost, err
}

// countSealed counts all sealed values by the key that sealed them.
func countSealed(ctx context.Context, db querier) (map[uint32]int64, error) {
	type group struct {
		prefix []byte
		n      int64
	}
	counts := map[uint32]int64{}
	for _, c := range sealedColumns {
		groups, err := rows(ctx, db, func(r row) (g group, err error) { return g, r.Scan(&g.prefix, &g.n) }, c.count)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			counts[seal.SealedBy(g.prefix)] += g.n
		}
	}
	return counts, nil
}

// SealedColumns names the columns that a rotation of keys seals anew, as table.column.
func SealedColumns() (names []string) {
	for _, c := range sealedColumns {
		names = append(names, c.table+"."+c.column)
	}
	return names
}
