package app

import (
	"point/api"
	"point/config"
	"point/internal/openid"
)

// openID is the provider that people may sign in at, nil for none. It is not asked for
// anything before somebody does.
func openID(cfg *config.Config) *api.OpenID {
	o := cfg.OIDC
	if !o.Enabled() {
		return nil
	}
	roles := make([]api.GroupRole, len(o.Roles))
	for i, r := range o.Roles {
		roles[i] = api.GroupRole(r)
	}
	return &api.OpenID{
		Name: o.Name, Roles: roles, DefaultRole: o.DefaultRole,
		Client: openid.New(openid.Options{
			Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Scopes: o.Scopes, GroupsClaim: o.GroupsClaim,
			RedirectURL: cfg.PublicURL + "/api/auth/oidc/callback",
		}),
	}
}
