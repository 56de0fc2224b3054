package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// User is a person who may sign in.
type User struct {
	ID        string    `json:"id" format:"uuid"`
	Email     string    `json:"email" example:"ada@example.com"`
	Role      string    `json:"role" example:"viewer"`
	Status    string    `json:"status" enum:"active,disabled"`
	Invited   bool      `json:"invited" doc:"They have no password yet."`
	Version   int64     `json:"version" doc:"Counts changes; the ETag." example:"1"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// CreatedUser is a new user, with an invitation if no password was given.
type CreatedUser struct {
	User
	Invitation *Invitation `json:"invitation,omitempty" doc:"Absent if a password was given."`
}

type userOutput struct {
	Tagged
	Body User
}

type createdUserOutput struct {
	Tagged
	Body CreatedUser
}

type listUsersInput struct {
	Paging
	Role   string `query:"role" maxLength:"63" doc:"Only those with this role."`
	Status string `query:"status" enum:"active,disabled" doc:"Only those with this status."`
	Search string `query:"search" minLength:"3" maxLength:"254" doc:"Part of the email address."`
}

// CreateUser is the body that creates a user.
type CreateUser struct {
	Email    string `json:"email" format:"email" maxLength:"254" example:"ada@example.com"`
	Password string `json:"password,omitempty" minLength:"12" maxLength:"1024" writeOnly:"true" doc:"Absent: the answer has an invitation, with which they set one."`
	Role     string `json:"role" minLength:"1" maxLength:"63" example:"viewer" doc:"A role that may no more than you."`
}

type createUserInput struct {
	Repeatable
	Body CreateUser
}

// Resolve finds what a schema cannot see.
func (in *createUserInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, p := apiOf(ctx)
	f.role(a, in.Body.Role, p)
	return f.errors()
}

// UpdateUser is the body that changes a user; absent members stay as they are.
type UpdateUser struct {
	Email    string `json:"email,omitempty" format:"email" maxLength:"254" example:"ada@example.com"`
	Password string `json:"password,omitempty" minLength:"12" maxLength:"1024" writeOnly:"true" doc:"A new one; all their sessions end. Your own you change at /api/auth/password."`
	Role     string `json:"role,omitempty" minLength:"1" maxLength:"63" example:"viewer" doc:"A role that may no more than you; all their sessions end."`
	Disabled *bool  `json:"disabled,omitempty" doc:"true: they cannot sign in, and their sessions and tokens end."`
}

type updateUserInput struct {
	ByID
	Precondition
	Body UpdateUser
}

// Resolve finds what a schema cannot see.
func (in *updateUserInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, p := apiOf(ctx)
	if in.Body.Role != "" {
		f.role(a, in.Body.Role, p)
	}
	return f.errors()
}

// role refuses a role that does not exist, or that may more than its giver.
func (f *faults) role(a *API, role string, giver *principal) {
	s := a.Store.Snapshot()
	switch {
	case role == "": // the schema says so
	case !RoleExists(s, role):
		f.add("body.role", "There is no such role. GET /api/roles lists all.")
	case role == point.RoleOwner && giver.user.Role != point.RoleOwner, !giver.grants.hasAll(permissionsOf(s, role)):
		f.add("body.role", "This role may more than you, so you cannot give it.")
	}
}

func (a *API) listUsers(ctx context.Context, in *listUsersInput) (*listOutput[User], error) {
	filter := store.UserFilter{Role: in.Role, Search: in.Search, Page: in.page()}
	if in.Status != "" {
		disabled := in.Status == "disabled"
		filter.Disabled = &disabled
	}
	list, err := a.Store.ListUsers(ctx, filter)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeUser), nil
}

func (a *API) getUser(ctx context.Context, in *ByID) (*userOutput, error) {
	u, err := a.Store.GetUser(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "user")
	}
	return answerUser(u), nil
}

// createUser makes a user, with a password or with an invitation to set one.
func (a *API) createUser(ctx context.Context, in *createUserInput) (*createdUserOutput, error) {
	u := &point.User{Email: normalEmail(in.Body.Email), Role: in.Body.Role}
	invitation, err := a.storeUser(ctx, u, in.Body.Password)
	if err != nil {
		return nil, fromStore(err, "user")
	}
	return &createdUserOutput{Tagged: tagOf(u.Version), Body: CreatedUser{User: shapeUser(u), Invitation: invitation}}, nil
}

// storeUser stores a new user, with an invitation if there is no password.
func (a *API) storeUser(ctx context.Context, u *point.User, password string) (invitation *Invitation, err error) {
	if password == "" {
		invitation, hash := a.newInvitation()
		return invitation, a.Store.CreateInvited(ctx, u, hash, invitation.ExpiresAt)
	}
	if u.PasswordHash, err = a.gate.hash(ctx, password); err != nil {
		return nil, err
	}
	return nil, a.Store.CreateUser(ctx, u)
}

func (a *API) updateUser(ctx context.Context, in *updateUserInput) (*userOutput, error) {
	u, err := a.changeableUser(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	p, body := who(ctx), &in.Body
	switch own := u.ID == p.user.ID; {
	case own && body.Role != "" && body.Role != u.Role, own && body.Disabled != nil && *body.Disabled:
		return nil, problem(http.StatusForbidden, "Nobody changes their own role or disables themselves. Ask another owner or admin.").as(codeOwnAccount)
	case own && body.Password != "":
		return nil, problem(http.StatusForbidden, "Change your own password at /api/auth/password, with the one you have.").as(codeOwnAccount)
	case body.Password != "" && p.token != nil:
		return nil, errSession
	}
	if body.Email != "" {
		u.Email = normalEmail(body.Email)
	}
	if body.Role != "" {
		u.Role = body.Role
	}
	if body.Disabled != nil {
		u.Disabled = *body.Disabled
	}
	if body.Password != "" {
		if u.PasswordHash, err = a.gate.hash(ctx, body.Password); err != nil {
			return nil, err
		}
	}
	if err := userRefusal(a.Store.UpdateUser(ctx, u)); err != nil {
		return nil, err
	}
	return answerUser(u), nil
}

func (a *API) deleteUser(ctx context.Context, in *deleteInput) (*empty, error) {
	u, err := a.changeableUser(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return nil, userRefusal(a.Store.DeleteUser(ctx, u.ID, u.Version))
}

// userRefusal is the answer to why the store does not change a user.
func userRefusal(err error) error {
	if errors.Is(err, store.ErrLastOwner) {
		return problem(http.StatusConflict, "This is the last owner who can sign in. Make another user owner first.").as(codeLastOwner)
	}
	return fromStore(err, "user")
}

// changeableUser is a user whom the caller may change.
func (a *API) changeableUser(ctx context.Context, id, ifMatch string) (*point.User, error) {
	u, err := a.Store.GetUser(ctx, id)
	if err != nil {
		return nil, fromStore(err, "user")
	}
	if err := a.mayTouch(who(ctx), u); err != nil {
		return nil, err
	}
	return u, matches(ifMatch, u.Version, "user")
}

// mayTouch refuses to change who may more than the caller: to set such a user's password would
// be to become them. Owners are for owners alone.
func (a *API) mayTouch(p *principal, u *point.User) error {
	if u.Role == point.RoleOwner && p.user.Role != point.RoleOwner || !p.grants.hasAll(permissionsOf(a.Store.Snapshot(), u.Role)) {
		return problem(http.StatusForbidden, fmt.Sprintf("This user's role %s may more than you, so you cannot change them.", u.Role)).as(codeAbove)
	}
	return nil
}

// listUserSessions lists a user's sessions that have not ended.
func (a *API) listUserSessions(ctx context.Context, in *ByID) (*listOutput[Session], error) {
	u, err := a.Store.GetUser(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "user")
	}
	return a.sessionsOf(ctx, u.ID)
}

// deleteUserSessions ends all sessions of a user, everywhere within 2 s.
func (a *API) deleteUserSessions(ctx context.Context, in *ByID) (*empty, error) {
	u, err := a.changeableUser(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	if err := a.Store.RevokeSessions(ctx, u.ID); err != nil {
		return nil, fmt.Errorf("end a user's sessions: %w", err)
	}
	a.audit(ctx, point.AuditEntry{Event: point.AuditSessionEnded, TargetKind: point.EntityUser, TargetID: u.ID, TargetName: u.Email})
	return nil, nil
}

func answerUser(u *point.User) *userOutput {
	return &userOutput{Tagged: tagOf(u.Version), Body: shapeUser(u)}
}

func shapeUser(u *point.User) User {
	out := User{
		ID: u.ID, Email: u.Email, Role: u.Role, Status: "active", Invited: u.PasswordHash == "",
		Version: u.Version, CreatedAt: u.CreatedAt.UTC(), UpdatedAt: u.UpdatedAt.UTC(),
	}
	if u.Disabled {
		out.Status = "disabled"
	}
	return out
}
