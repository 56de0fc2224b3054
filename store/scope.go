package store

import (
	"context"
	"fmt"
)

// Scope says whose client keys, and requests made with whose keys, a caller may reach. What is
// outside of it does not exist for the caller. The zero Scope reaches nothing.
type Scope struct {
	all   bool
	owner string
}

// All reaches everybody's.
func All() Scope { return Scope{all: true} }

// OwnedBy reaches those of a user alone.
func OwnedBy(userID string) Scope { return Scope{owner: userID} }

// maxOwnKeys is how many keys requests are looked up by at once, and so how many those may make
// who reach only their own.
const maxOwnKeys = 1000

// reaches is ErrNotFound if the key is outside of the scope.
func (c Scope) reaches(ctx context.Context, db querier, keyID string) error {
	if c.all {
		return nil
	}
	var found int
	return failure(db.QueryRowContext(ctx, `SELECT 1 FROM keys WHERE id = $1 AND owner_id = $2`, idArg(keyID), idArg(c.owner)).Scan(&found))
}

// keys are the ids of the keys in a scope that is not All; of one of them, if asked is not
// empty. With more than maxOwnKeys the error is *Invalid.
func (c Scope) keys(ctx context.Context, db querier, asked string) ([]string, error) {
	if asked != "" {
		err := c.reaches(ctx, db, asked)
		if err == nil {
			return []string{asked}, nil
		}
		return nil, notFoundIsNil(err)
	}
	ids, err := rows(ctx, db, func(r row) (id string, err error) { return id, r.Scan(&id) },
		`SELECT id FROM keys WHERE owner_id = $1 LIMIT $2`, idArg(c.owner), maxOwnKeys+1)
	if len(ids) > maxOwnKeys {
		return nil, &Invalid{"key", fmt.Sprintf("You have more than %d keys. Ask for the requests of one of them.", maxOwnKeys)}
	}
	return ids, err
}
