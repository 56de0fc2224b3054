package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"point"
)

// checkOIDC finds what is missing to sign in at a provider, and what has no effect without one.
func (l *loader) checkOIDC() {
	o := &l.config.OIDC
	if !o.Enabled() {
		for _, name := range []string{"oidc_client_id", "oidc_client_secret", "oidc_roles", "oidc_default_role"} {
			if at, ok := l.origin[name]; ok {
				l.problem(at, "has no effect without POINT_OIDC_ISSUER: set that too, or take this out.")
			}
		}
		return
	}
	if o.ClientID == "" {
		l.problem(l.where("oidc_client_id"), "is missing: the provider gives it when Point is registered there.")
	}
	if l.config.PublicURL == "" {
		l.problem(l.where("public_url"), "is needed for sign-in by OpenID Connect: set it to the URL that people use, and register "+
			"that URL followed by /api/auth/oidc/callback at the provider.")
	}
	if len(o.Roles) == 0 && o.DefaultRole == "" {
		l.problem(l.where("oidc_roles"), "and POINT_OIDC_DEFAULT_ROLE are both empty, so nobody could sign in at the provider: set one of them.")
	}
}

// issuer takes the URL of a provider. Without TLS anybody on the way could sign in as anybody.
func issuer(to *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(v) > 512 {
		return fmt.Errorf("%q is not a URL such as https://id.example.com/realms/main", v)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(net.JoinHostPort(u.Hostname(), "0"))) {
		return errors.New("must begin with https://, since whoever can change its answers can sign in as anybody; http:// is for this machine alone")
	}
	*to = v
	return nil
}

func secret(to *point.Secret, v string) error {
	*to = point.NewSecret(v)
	return nil
}

// scopes splits at spaces and commas.
func scopes(to *[]string, v string) error {
	list := strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' })
	if !slices.Contains(list, "openid") {
		return errors.New("lacks openid, without which the provider does not say who signed in")
	}
	*to = list
	return nil
}

// groupRoles reads "admins=admin,staff=viewer". A group may hold an equals sign, a role not.
func groupRoles(to *[]GroupRole, v string) error {
	var parts []string
	if err := list(&parts, v); err != nil {
		return err
	}
	*to = nil
	for _, part := range parts {
		i := strings.LastIndexByte(part, '=')
		if i <= 0 {
			return fmt.Errorf("%q is not group=role", part)
		}
		g := GroupRole{Group: strings.TrimSpace(part[:i])}
		if err := roleName(&g.Role, strings.TrimSpace(part[i+1:])); err != nil {
			return err
		}
		*to = append(*to, g)
	}
	return nil
}

// aRole is what a role, built-in or made in Point, may be called.
var aRole = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func roleName(to *string, v string) error {
	if !aRole.MatchString(v) {
		return fmt.Errorf("%q is not the name of a role such as viewer", v)
	}
	*to = v
	return nil
}

func label(to *string, v string) error {
	if len([]rune(v)) > 60 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
		return errors.New("must be at most 60 characters in one line")
	}
	*to = v
	return nil
}
