package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"point"
	"point/internal/openid"
	"point/internal/openidtest"
)

// preparations make what an operation needs to succeed beyond a fitting body, by its id: they put
// the ids and tokens of earlier answers into a call of it.
var preparations = map[string]func(*fullWorld, *call){
	"login": func(w *fullWorld, c *call) {
		c.body = map[string]any{"email": w.newcomer().Email, "password": password}
	},
	"refresh": func(w *fullWorld, c *call) { w.withCookie(c) },
	"logout":  func(w *fullWorld, c *call) { w.withCookie(c) },
	"accept": func(w *fullWorld, c *call) {
		invitation, hash := w.api.newInvitation()
		if err := w.store.PutInvitation(w.t.Context(), w.newcomer(), hash, invitation.ExpiresAt); err != nil {
			w.t.Fatal(err)
		}
		c.body = map[string]any{"token": invitation.Token, "password": "a much longer one"}
	},
	"startOIDC":  func(w *fullWorld, c *call) { c.token = "" },
	"finishOIDC": func(w *fullWorld, c *call) { w.atProvider(c) },
	"changePassword": func(w *fullWorld, c *call) {
		c.token = w.signIn(w.newcomer())
		c.body = map[string]any{"current": password, "new": "a much longer one"}
	},
	"deleteSession": func(w *fullWorld, c *call) {
		c.token = w.signIn(w.newcomer())
		var me Me
		w.send(request(http.MethodGet, "/api/auth/me", c.token, "")).into(w.t, &me)
		c.at(me.SessionID)
	},

	"createUser": func(w *fullWorld, c *call) {
		c.body = map[string]any{"email": w.unused("bob") + "@example.com", "role": point.RoleViewer}
	},
	"getUser":            toNewcomer,
	"deleteUser":         toNewcomer,
	"inviteUser":         toNewcomer,
	"deleteUserSessions": toNewcomer,
	"updateUser": func(w *fullWorld, c *call) {
		toNewcomer(w, c)
		c.body = map[string]any{"role": point.RoleOperator}
	},
	"updateRole": func(w *fullWorld, c *call) {
		toNewRole(w, c)
		c.body = map[string]any{"permissions": []any{"audit:read", "requests:read", "status:read"}}
	},
	"deleteRole": toNewRole,

	"deletePrice": func(w *fullWorld, c *call) {
		p := &point.PriceOverride{Kind: "openai", Model: w.unused("gpt-4o")}
		if err := w.store.PutPrice(w.t.Context(), p); err != nil {
			w.t.Fatal(err)
		}
		c.at(p.Kind, p.Model)
	},
	"putModel":      func(_ *fullWorld, c *call) { c.at("openai", "gpt-4o-mini") },
	"getModel":      toNewModel,
	"deleteModel":   toNewModel,
	"rotateSecrets": func(w *fullWorld, _ *call) { w.api.rotation.Store(nil) },
}

func toNewcomer(w *fullWorld, c *call) {
	u := w.newcomer()
	w.signIn(u)
	c.at(u.ID)
}

func toNewModel(w *fullWorld, c *call) {
	m := &point.ModelOverride{Kind: "openai", Model: w.unused("gpt-4o"), Facts: point.ModelFacts{ContextWindow: 128_000, Abilities: []string{point.AbilityTools}}}
	w.must(w.store.PutModel(w.t.Context(), m))
	c.at(m.Kind, m.Model)
}

func toNewRole(w *fullWorld, c *call) {
	r := &point.Role{Name: w.unused("auditor"), Permissions: []string{"status:read"}}
	if err := w.store.CreateRole(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	c.at(r.Name)
}

// likely is a call of o by an owner that should succeed.
func (w *fullWorld) likely(o *operation) *call {
	c := &call{op: o, path: w.fill(o), token: w.tokens[owned]}
	if list := w.bodies(o); len(list) > 0 {
		c.body = list[0]
		if object, ok := c.body.(map[string]any); ok && o.creates && object["name"] != nil {
			c.body = setAt(c.body, []any{"name"}, w.unused(fmt.Sprint(object["name"])))
		}
	}
	for _, p := range o.Parameters {
		if p.Required && p.In == "query" {
			c.put(&node{in: p.In, way: []any{p.Name}}, w.doc.plain(p.Schema))
		}
	}
	if prepare := preparations[o.ID]; prepare != nil {
		prepare(w, c)
	}
	return c
}

// at is c at these values of its path's parameters.
func (c *call) at(values ...string) {
	c.path = c.op.path
	for i, p := range pathParameter.FindAllString(c.op.path, -1) {
		c.path = strings.Replace(c.path, p, url.PathEscape(values[i]), 1)
	}
}

// unused is name with an end that no other has.
func (w *fullWorld) unused(name string) string {
	w.made++
	return fmt.Sprintf("%s-zq%d", name, w.made)
}

// newcomer is a user with a password who has done nothing yet.
func (w *fullWorld) newcomer() *point.User {
	w.t.Helper()
	hash, err := HashPassword(point.NewSecret(password))
	if err != nil {
		w.t.Fatal(err)
	}
	w.api.gate = newGate(w.clock.Now) // whoever guessed before
	return w.user(w.unused("ada"), func(u *point.User) { u.Role, u.PasswordHash = point.RoleViewer, hash })
}

// withCookie gives c the refresh cookie of a session.
func (w *fullWorld) withCookie(c *call) {
	out, err := w.api.startSession(w.t.Context(), w.newcomer(), caller{address: "127.0.0.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	pair, _, _ := strings.Cut(out.SetCookie, ";")
	c.header = append(c.header, [2]string{"Cookie", pair})
}

// withProvider lets people of w sign in at an OpenID provider.
func (w *fullWorld) withProvider(t *testing.T) *fullWorld {
	w.openID = openidtest.New(t, callback, &openidtest.Account{Subject: "ada-1", Email: "ada@example.com", Verified: true, Groups: []string{"staff"}})
	w.api.OpenID = &OpenID{
		Name: "Example",
		Client: openid.New(openid.Options{
			Issuer: w.openID.URL, ClientID: openidtest.ClientID, ClientSecret: point.NewSecret(openidtest.ClientSecret),
			Scopes: []string{"openid", "email"}, GroupsClaim: "groups", RedirectURL: callback, Now: time.Now,
		}),
		Roles: []GroupRole{{"staff", point.RoleViewer}},
	}
	return w
}

// atProvider signs somebody in at the provider, up to where c comes back from it.
func (w *fullWorld) atProvider(c *call) {
	begun := w.send(request(http.MethodGet, "/api/auth/oidc/start", "", ""))
	c.query = w.openID.SignIn(begun.header.Get("Location"), "ada-1")
	for _, cookie := range (&http.Response{Header: begun.header}).Cookies() {
		c.header = append(c.header, [2]string{"Cookie", cookie.Name + "=" + cookie.Value})
	}
}

// emptyWorld is one that waits to be set up, and the token for it.
func emptyWorld(t testing.TB) (w *world, token string) {
	w = newWorld(t)
	secret, err := NewSetupToken(t.Context(), w.store, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return w, secret.Reveal()
}
