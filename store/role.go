package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"point"
)

const (
	roleColumns = `name, description, permissions, version, created_at, updated_at`

	selectRoles = `SELECT ` + roleColumns + ` FROM roles`
	selectRole  = `SELECT ` + roleColumns + ` FROM roles WHERE name = $1`
	existsRole  = `SELECT 1 FROM roles WHERE name = $1`
)

// CreateRole stores r and sets its Version and times. A name that is taken is a *Conflict on
// name; one that users still have from a role that was deleted is *InUse, or they would come to
// its permissions unseen.
func (s *Store) CreateRole(ctx context.Context, r *point.Role) error {
	stored := *r
	stored.Version, stored.CreatedAt = 1, s.now()
	stored.UpdatedAt = stored.CreatedAt
	err := s.change(ctx, func(tx *configTx) error {
		if err := roleIsNew(ctx, tx, stored.Name); err != nil {
			return err
		}
		if err := tx.changed(ctx, entityRole, stored.Name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO roles (`+roleColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
			stored.Name, stored.Description, asJSON(stored.Permissions), stored.Version, stored.CreatedAt, stored.UpdatedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("create role %s: %w", r.Name, err)
	}
	*r = stored
	return nil
}

// GetRole finds a role by name.
func (s *Store) GetRole(ctx context.Context, name string) (*point.Role, error) {
	r, err := one(ctx, s.config.read, scanRole, selectRole, name)
	if err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	return r, nil
}

// UpdateRole replaces r's description and permissions, if r.Version is still the stored one
// (else ErrStale), and raises r.Version.
func (s *Store) UpdateRole(ctx context.Context, r *point.Role) error {
	updated := s.now()
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityRole, r.Name); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE roles SET description = $1, permissions = $2, version = version + 1, updated_at = $3 WHERE name = $4 AND version = $5`,
			r.Description, asJSON(r.Permissions), updated, r.Name, r.Version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsRole, r.Name)
	})
	if err != nil {
		return fmt.Errorf("update role %s: %w", r.Name, err)
	}
	r.Version++
	r.UpdatedAt = updated
	return nil
}

// DeleteRole removes a role that no user has; else the error is *InUse, unless it is forced:
// then these users may do nothing until they get another role.
func (s *Store) DeleteRole(ctx context.Context, name string, version int64, force bool) error {
	err := s.change(ctx, func(tx *configTx) error {
		if err := tx.changed(ctx, entityRole, name); err != nil {
			return err
		}
		if !force {
			if err := roleUnused(ctx, tx, name); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM roles WHERE name = $1 AND version = $2`, name, version)
		if err != nil {
			return err
		}
		return touched(ctx, tx, result, existsRole, name)
	})
	if err != nil {
		return fmt.Errorf("delete role %s: %w", name, err)
	}
	return nil
}

// roleUnused is *InUse if users have a role. What it finds holds until the commit.
func roleUnused(ctx context.Context, tx *configTx, name string) error {
	var used InUse
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE role = $1`, name).Scan(&used.Users)
	if err == nil && used.Users > 0 {
		err = &used
	}
	return err
}

// roleIsNew is roleUnused for a role that does not exist.
func roleIsNew(ctx context.Context, tx *configTx, name string) error {
	err := roleExists(ctx, tx, name)
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return roleUnused(ctx, tx, name)
	}
	return err // it exists: the insert says so
}

// roleExists is *Invalid if there is no such role to give. What it finds holds until the commit.
func roleExists(ctx context.Context, tx *configTx, name string) error {
	switch name {
	case point.RoleOwner, point.RoleAdmin, point.RoleOperator, point.RoleViewer:
		return nil
	}
	var found int
	err := tx.QueryRowContext(ctx, existsRole, name).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return &Invalid{"role", "There is no such role. GET /api/roles lists all."}
	}
	return err
}

// RoleUsers counts the users of each role that has any.
func (s *Store) RoleUsers(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	_, err := rows(ctx, s.config.read, func(r row) (none struct{}, err error) {
		var name string
		var n int64
		err = r.Scan(&name, &n)
		counts[name] = n
		return none, err
	}, `SELECT role, COUNT(*) FROM users GROUP BY role`)
	if err != nil {
		return nil, fmt.Errorf("count the users of roles: %w", err)
	}
	return counts, nil
}

func scanRole(r row) (x point.Role, err error) {
	err = r.Scan(&x.Name, &x.Description, jsonTo{&x.Permissions}, &x.Version, timeTo{&x.CreatedAt}, timeTo{&x.UpdatedAt})
	return x, err
}
