package api

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"

	"point"
	"point/internal/openid"
	"point/store"
)

// providerUser is the user of an account at the provider, with the role that its groups give
// now: the user it was before, or one who was invited by address, or a new one.
func (a *API) providerUser(ctx context.Context, account openid.Account) (*point.User, error) {
	ctx = point.WithActor(ctx, point.Actor{Kind: point.ActorSystem, Name: "OpenID provider", Address: point.ActorOf(ctx).Address})
	x, err := a.Store.GetIdentity(ctx, account.Issuer, account.Subject)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.newcomer(ctx, account)
	case err != nil:
		return nil, err
	}
	user, err := a.Store.GetUser(ctx, x.UserID)
	if err != nil {
		return nil, err
	}
	return a.returning(ctx, user, x, account)
}

// returning brings the role of a known user up to date. Who lost every role is suspended, and
// comes back when a group gives one again; whom a person disabled stays out.
func (a *API) returning(ctx context.Context, u *point.User, x *point.Identity, account openid.Account) (*point.User, error) {
	if u.Disabled && !x.Suspended(u) {
		return nil, failure(failDisabled, "the user is disabled")
	}
	role := u.Role
	if len(a.OpenID.Roles) > 0 {
		role = a.groupRole(ctx, account.Groups)
	}
	switch {
	case role == "":
		return nil, a.suspend(ctx, u, x)
	case role == u.Role && !u.Disabled:
		return u, nil
	}
	changed := *u
	changed.Role, changed.Disabled = role, false
	err := a.Store.UpdateUser(ctx, &changed)
	if errors.Is(err, store.ErrLastOwner) {
		a.Log.WarnContext(ctx, "api: the last owner stays one, though the groups say otherwise; make another user owner", "email", u.Email, "groups_give", role)
		return u, nil
	}
	return &changed, err
}

// suspend keeps a user out for whom no group gives a role.
func (a *API) suspend(ctx context.Context, u *point.User, x *point.Identity) error {
	if !u.Disabled {
		err := a.Store.SuspendUser(ctx, u, x.Issuer, x.Subject)
		if errors.Is(err, store.ErrLastOwner) {
			a.Log.WarnContext(ctx, "api: the last owner is not disabled, though no group gives a role; make another user owner", "email", u.Email)
		} else if err != nil {
			return err
		}
	}
	return failure(failRole, "no group gives the user a role any more")
}

// newcomer links an account that was not seen before to the user who was invited under its
// address, or makes a user of it. Users who have a password, or come from another account, are
// theirs alone: an address may change hands at a provider, and is no proof of who somebody is.
func (a *API) newcomer(ctx context.Context, account openid.Account) (*point.User, error) {
	email := normalEmail(account.Email)
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email || len(email) > maxEmail || !account.EmailVerified {
		return nil, failure(failEmail, "the provider vouches for no address")
	}
	role := a.groupRole(ctx, account.Groups)
	user, err := a.Store.UserByEmail(ctx, email)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.makeUser(ctx, account, email, role)
	case err != nil:
		return nil, err
	}
	if role == "" && len(a.OpenID.Roles) > 0 {
		return nil, failure(failRole, "no group gives a role")
	}
	return a.link(ctx, user, account)
}

const maxEmail = 254

// makeUser makes a user of an account. The first user of all must be an owner.
func (a *API) makeUser(ctx context.Context, account openid.Account, email, role string) (*point.User, error) {
	if role == "" {
		return nil, failure(failRole, "no group gives a role")
	}
	n, err := a.Store.CountUsers(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 && role != point.RoleOwner {
		return nil, failure(failSetup, "there is no owner yet")
	}
	user := &point.User{Email: email, Role: role}
	return user, taken(a.Store.CreateUserOf(ctx, user, account.Issuer, account.Subject))
}

// link gives an account to the user who was invited under its address.
func (a *API) link(ctx context.Context, u *point.User, account openid.Account) (*point.User, error) {
	switch {
	case u.PasswordHash != "":
		return nil, failure(failTaken, "a user with this address signs in by password")
	case u.Disabled:
		return nil, failure(failDisabled, "the user is disabled")
	}
	if err := taken(a.Store.LinkIdentity(ctx, u, account.Issuer, account.Subject)); err != nil {
		return nil, err
	}
	a.auditUser(ctx, point.AuditIdentity, point.AuditOK, u)
	a.Log.InfoContext(ctx, "api: a user was linked to an account at the OpenID provider", "email", u.Email, "subject", account.Subject)
	x := &point.Identity{Issuer: account.Issuer, Subject: account.Subject, UserID: u.ID}
	return a.returning(ctx, u, x, account)
}

// taken turns a conflict into the answer that the address belongs to somebody.
func taken(err error) error {
	var conflict *store.Conflict
	if errors.As(err, &conflict) || errors.Is(err, store.ErrStale) {
		return &signInFailure{failTaken, err}
	}
	return err
}

// groupRole is the highest role that the groups give: the one with the most permissions. A role
// that does not exist gives nothing.
func (a *API) groupRole(ctx context.Context, groups []string) string {
	best := ""
	for _, gives := range a.OpenID.Roles {
		if slices.Contains(groups, gives.Group) && a.higher(ctx, gives.Role, best) {
			best = gives.Role
		}
	}
	if best == "" && a.OpenID.DefaultRole != "" && a.higher(ctx, a.OpenID.DefaultRole, "") {
		return a.OpenID.DefaultRole
	}
	return best
}

// higher reports whether role stands above other; of two with as many permissions the built-in
// order, else the order of the setting, decides.
func (a *API) higher(ctx context.Context, role, other string) bool {
	n, m := len(permissionsOf(a.Store.Snapshot(), role)), len(permissionsOf(a.Store.Snapshot(), other))
	if n == 0 {
		a.Log.ErrorContext(ctx, "api: a group gives a role that does not exist; mend POINT_OIDC_ROLES or make the role", "role", fmt.Sprintf("%.63s", role))
	}
	return n > m || n == m && n > 0 && slices.Index(ranked, role) > slices.Index(ranked, other)
}

// ranked orders the built-in roles.
var ranked = []string{point.RoleViewer, point.RoleOperator, point.RoleAdmin, point.RoleOwner}
