package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/internal/plural"
	"point/store"
)

// Role is a set of permissions under a name.
type Role struct {
	Name        string       `json:"name" example:"auditor"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions" example:"[\"requests:read\"]"`
	BuiltIn     bool         `json:"built_in" doc:"It cannot be changed."`
	Users       int64        `json:"users" doc:"How many have it."`
	Version     int64        `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt   *time.Time   `json:"created_at" doc:"null: it is built in."`
	UpdatedAt   *time.Time   `json:"updated_at" doc:"null: it is built in."`
}

type roleOutput struct {
	Tagged
	Body Role
}

// CreateRole is the body that creates a role.
type CreateRole struct {
	Name        string      `json:"name" pattern:"^[a-z][a-z0-9-]{0,62}$" patternDescription:"lower-case letters, digits and -, beginning with a letter" example:"auditor" doc:"It never changes."`
	Description string      `json:"description,omitempty" maxLength:"1000"`
	Permissions Permissions `json:"permissions" maxItems:"100" example:"[\"requests:read\"]" doc:"Permissions that you have."`
}

type createRoleInput struct {
	Repeatable
	Body CreateRole
}

// Resolve finds what a schema cannot see.
func (in *createRoleInput) Resolve(ctx huma.Context) []error {
	var f faults
	_, p := apiOf(ctx)
	f.permissions("body.permissions", in.Body.Permissions, p.grants)
	return f.errors()
}

// UpdateRole is the body that changes a role; absent members stay as they are.
type UpdateRole struct {
	Description *string      `json:"description,omitempty" maxLength:"1000"`
	Permissions *Permissions `json:"permissions,omitempty" maxItems:"100" example:"[\"requests:read\"]" doc:"Permissions that you have. They hold at once for all who have the role."`
}

// ByRole is the input of a route about one role.
type ByRole struct {
	Name string `path:"name" minLength:"1" maxLength:"63" doc:"Name of the role."`
}

type updateRoleInput struct {
	ByRole
	Precondition
	Body UpdateRole
}

// Resolve finds what a schema cannot see.
func (in *updateRoleInput) Resolve(ctx huma.Context) []error {
	var f faults
	_, p := apiOf(ctx)
	if in.Body.Permissions != nil {
		f.permissions("body.permissions", *in.Body.Permissions, p.grants)
	}
	return f.errors()
}

type deleteRoleInput struct {
	ByRole
	Precondition
	Forced
}

// builtInRoles are the names of the built-in roles, in order.
var builtInRoles = []string{point.RoleOwner, point.RoleAdmin, point.RoleOperator, point.RoleViewer}

var aboutBuiltIn = map[string]string{
	point.RoleOwner:    "May do everything, and alone change owners.",
	point.RoleAdmin:    "Manages people and all settings.",
	point.RoleOperator: "Manages providers, endpoints and client keys.",
	point.RoleViewer:   "Sees providers, keys, requests and status.",
}

// listRoles lists the built-in roles, then the others by name.
func (a *API) listRoles(ctx context.Context, _ *none) (*listOutput[Role], error) {
	users, err := a.Store.RoleUsers(ctx)
	if err != nil {
		return nil, err
	}
	var list []Role
	for _, name := range builtInRoles {
		list = append(list, shapeBuiltIn(name, users[name]))
	}
	s := a.Store.Snapshot()
	for _, r := range s.Roles {
		list = append(list, shapeRole(r, users[r.Name]))
	}
	slices.SortFunc(list[len(builtInRoles):], func(x, y Role) int { return strings.Compare(x.Name, y.Name) })
	return whole(list, func(r *Role) Role { return *r }), nil
}

func (a *API) getRole(ctx context.Context, in *ByRole) (*roleOutput, error) {
	users, err := a.Store.RoleUsers(ctx)
	if err != nil {
		return nil, err
	}
	if _, ok := builtIn[in.Name]; ok {
		return &roleOutput{Tagged: tagOf(1), Body: shapeBuiltIn(in.Name, users[in.Name])}, nil
	}
	r, err := a.Store.GetRole(ctx, in.Name)
	if err != nil {
		return nil, fromStore(err, "role")
	}
	return &roleOutput{Tagged: tagOf(r.Version), Body: shapeRole(r, users[r.Name])}, nil
}

func (a *API) createRole(ctx context.Context, in *createRoleInput) (*roleOutput, error) {
	if _, ok := builtIn[in.Body.Name]; ok {
		return nil, fromStore(&store.Conflict{Field: "name"}, "role")
	}
	r := &point.Role{Name: in.Body.Name, Description: in.Body.Description, Permissions: roleNames(in.Body.Permissions)}
	err := a.Store.CreateRole(ctx, r)
	var used *store.InUse
	if errors.As(err, &used) {
		return nil, problem(http.StatusConflict, plural.Of(used.Users, "user has", "users have")+" a role of this name that was deleted. Give them another role first, or choose another name.").as(codeInUse)
	}
	if err != nil {
		return nil, fromStore(err, "role")
	}
	return &roleOutput{Tagged: tagOf(r.Version), Body: shapeRole(r, 0)}, nil
}

func (a *API) updateRole(ctx context.Context, in *updateRoleInput) (*roleOutput, error) {
	r, err := a.changeableRole(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if in.Body.Description != nil {
		r.Description = *in.Body.Description
	}
	if in.Body.Permissions != nil {
		r.Permissions = roleNames(*in.Body.Permissions)
	}
	if err := a.Store.UpdateRole(ctx, r); err != nil {
		return nil, fromStore(err, "role")
	}
	return a.getRole(ctx, &in.ByRole)
}

func (a *API) deleteRole(ctx context.Context, in *deleteRoleInput) (*empty, error) {
	r, err := a.changeableRole(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	err = a.Store.DeleteRole(ctx, r.Name, r.Version, in.Force)
	var used *store.InUse
	if errors.As(err, &used) {
		p := problem(http.StatusConflict, fmt.Sprintf("This role cannot be deleted: %s it. Give them another role first, or delete it all the same with ?force=true: then they may do nothing.", plural.Of(used.Users, "user has", "users have"))).as(codeInUse)
		if who(ctx).may(UsersRead) {
			p.UsedBy = usesOfRole(a.Store.Snapshot(), r.Name)
		}
		return nil, p
	}
	return nil, fromStore(err, "role")
}

// changeableRole is a role that the caller may change: one that people made, that gives nothing
// the caller lacks, and that is not the caller's own.
func (a *API) changeableRole(ctx context.Context, name, ifMatch string) (*point.Role, error) {
	if _, ok := builtIn[name]; ok {
		return nil, problem(http.StatusConflict, "This role is built in and cannot be changed. Create one of your own.").as(codeBuiltIn)
	}
	r, err := a.Store.GetRole(ctx, name)
	if err != nil {
		return nil, fromStore(err, "role")
	}
	p := who(ctx)
	switch {
	case p.user.Role == name:
		return nil, problem(http.StatusForbidden, "This is your own role: somebody else must change it.").as(codeOwnAccount)
	case !p.grants.hasAll(rolePermissions(r)):
		return nil, problem(http.StatusForbidden, "This role has permissions that you lack, so you cannot change it.").as(codeAbove)
	}
	return r, matches(ifMatch, r.Version, "role")
}

func rolePermissions(r *point.Role) []Permission {
	list := []Permission{}
	for _, name := range r.Permissions {
		list = append(list, Permission(name))
	}
	return list
}

// roleNames are permissions as a role keeps them: each once, in order.
func roleNames(list []Permission) []string {
	names := []string{}
	for _, p := range list {
		names = append(names, string(p))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func shapeBuiltIn(name string, users int64) Role {
	return Role{Name: name, Description: aboutBuiltIn[name], Permissions: slices.Clone(builtIn[name]), BuiltIn: true, Users: users, Version: 1}
}

func shapeRole(r *point.Role, users int64) Role {
	return Role{
		Name: r.Name, Description: r.Description, Permissions: rolePermissions(r), Users: users, Version: r.Version,
		CreatedAt: utc(&r.CreatedAt), UpdatedAt: utc(&r.UpdatedAt),
	}
}
