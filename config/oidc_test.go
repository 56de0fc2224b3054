package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"point"
)

func TestOIDC(t *testing.T) {
	c, warnings, err := load(t, nil, []string{
		"POINT_PUBLIC_URL=https://point.example.com", "POINT_OIDC_ISSUER=https://id.example.com/realms/main", "POINT_OIDC_CLIENT_ID=point",
		"POINT_OIDC_CLIENT_SECRET=s3cret", "POINT_OIDC_SCOPES=openid,email groups", "POINT_OIDC_GROUPS_CLAIM=roles",
		"POINT_OIDC_ROLES=cn=admins=admin, staff = viewer,billing=cost-reader", "POINT_OIDC_DEFAULT_ROLE=viewer", "POINT_OIDC_NAME=Example",
	}, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := OIDC{
		Issuer: "https://id.example.com/realms/main", ClientID: "point", ClientSecret: point.NewSecret("s3cret"),
		Scopes: []string{"openid", "email", "groups"}, GroupsClaim: "roles",
		Roles:       []GroupRole{{"cn=admins", "admin"}, {"staff", "viewer"}, {"billing", "cost-reader"}},
		DefaultRole: "viewer", Name: "Example",
	}
	secrets := cmp.Comparer(func(a, b point.Secret) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, c.OIDC, secrets); diff != "" {
		t.Error(diff)
	}
}

func TestOIDCProblems(t *testing.T) {
	complete := []string{"POINT_PUBLIC_URL=https://point.example.com", "POINT_OIDC_ISSUER=https://id.example.com", "POINT_OIDC_CLIENT_ID=point", "POINT_OIDC_DEFAULT_ROLE=viewer"}
	for name, c := range map[string]struct {
		without string
		with    string
		want    string // empty: it is good
	}{
		"complete":                     {},
		"without a public URL":         {"POINT_PUBLIC_URL", "", "POINT_PUBLIC_URL: is needed for sign-in by OpenID Connect"},
		"the first domain is public":   {"POINT_PUBLIC_URL", "POINT_TLS_DOMAINS=point.example.com", ""},
		"without a client id":          {"POINT_OIDC_CLIENT_ID", "", "POINT_OIDC_CLIENT_ID: is missing"},
		"without any role":             {"POINT_OIDC_DEFAULT_ROLE", "", "nobody could sign in"},
		"without an issuer":            {"POINT_OIDC_ISSUER", "", "POINT_OIDC_CLIENT_ID: has no effect without POINT_OIDC_ISSUER"},
		"plain issuer":                 {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=http://id.example.com", "must begin with https://"},
		"plain issuer, this machine":   {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=http://127.0.0.1:5556/dex", ""},
		"issuer that is a name":        {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=id.example.com", "is not a URL"},
		"issuer with a user":           {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=https://a:b@id.example.com", "is not a URL"},
		"scopes without openid":        {"", "POINT_OIDC_SCOPES=email", "lacks openid"},
		"a group without a role":       {"", "POINT_OIDC_ROLES=staff", `"staff" is not group=role`},
		"a role without a group":       {"", "POINT_OIDC_ROLES==viewer", "is not group=role"},
		"a role that cannot be one":    {"", "POINT_OIDC_ROLES=staff=the boss", "is not the name of a role"},
		"a default that cannot be":     {"POINT_OIDC_DEFAULT_ROLE", "POINT_OIDC_DEFAULT_ROLE=a/b", "is not the name of a role"},
		"a name of more than a line":   {"", "POINT_OIDC_NAME=a\nb", "in one line"},
		"a name of too many letters":   {"", "POINT_OIDC_NAME=" + strings.Repeat("x", 61), "at most 60"},
		"the issuer is case and all":   {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=https://id.example.com/Realm/", ""},
		"an issuer with a query":       {"POINT_OIDC_ISSUER", "POINT_OIDC_ISSUER=https://id.example.com/?tenant=a", "is not a URL"},
		"the secret by a file, absent": {"", "POINT_OIDC_CLIENT_SECRET_FILE=none", "cannot be read"},
	} {
		env := []string{}
		for _, entry := range complete {
			if c.without == "" || !strings.HasPrefix(entry, c.without+"=") {
				env = append(env, entry)
			}
		}
		if c.with != "" {
			env = append(env, c.with)
		}
		_, _, err := load(t, nil, env, nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
