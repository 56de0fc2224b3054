package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"point"
)

// TestOwnKeys: who has keys:own and requests:own reaches nothing of others.
func TestOwnKeys(t *testing.T) {
	w := newWorld(t).withUsers()
	if err := w.store.CreateRole(t.Context(), &point.Role{Name: "own", Permissions: []string{"keys:own", "requests:own"}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob"} {
		w.tokens[name] = w.signIn(w.user(name, func(u *point.User) { u.Role = "own" }))
	}
	var key CreatedKey
	w.do("bob", http.MethodPost, "/api/keys", `{"name":"bobs-secret-name"}`).into(t, &key)
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	if err := w.store.CreateProvider(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	record := w.record(p, &point.Key{ID: key.ID}, time.Minute, 200)
	record.Model = "bobs-secret-model"
	if err := w.store.InsertRecords(t.Context(), []point.Record{record}); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"key": key.ID, "request": record.ID}
	hidden := []string{"bobs-secret", key.Prefix}
	w.run(vars, []apiCase{
		{"list", "ada", "GET", "/api/keys", "", nil, 200, []string{`"total":0`}, hidden},
		{"search", "ada", "GET", "/api/keys?search=bobs", "", nil, 200, []string{`"total":0`}, hidden},
		{"read", "ada", "GET", "/api/keys/{key}", "", nil, 404, nil, hidden},
		{"change", "ada", "PUT", "/api/keys/{key}", `{"name":"x"}`, nil, 404, nil, hidden},
		{"rotate", "ada", "POST", "/api/keys/{key}/rotate", `{}`, nil, 404, nil, hidden},
		{"delete", "ada", "DELETE", "/api/keys/{key}", "", nil, 404, nil, hidden},
		{"requests", "ada", "GET", "/api/requests", "", nil, 200, []string{`"total":0`}, hidden},
		{"requests of the key", "ada", "GET", "/api/requests?key={key}", "", nil, 200, []string{`"total":0`}, hidden},
		{"request", "ada", "GET", "/api/requests/{request}", "", nil, 404, nil, hidden},
		{"stats", "ada", "GET", "/api/requests/stats?by=model", "", nil, 200, nil, hidden},
		{"limits", "bob", "PUT", "/api/keys/{key}", `{"limits":{"rpm":9}}`, nil, 422, []string{"body.limits"}, nil},
		{"another owner", "bob", "PUT", "/api/keys/{key}", `{"owner_id":""}`, nil, 422, []string{"body.owner_id"}, nil},
		{"one's own key", "bob", "GET", "/api/keys/{key}", "", nil, 200, []string{"bobs-secret-name"}, nil},
		{"one's own request", "bob", "GET", "/api/requests/{request}", "", nil, 200, []string{"bobs-secret-model"}, nil},
		{"one's own stats", "bob", "GET", "/api/requests/stats?by=model", "", nil, 200, []string{"bobs-secret-model"}, nil},
		{"rotated", "bob", "POST", "/api/keys/{key}/rotate", `{}`, nil, 200, []string{`"token":"pt-`, `"previous_expires_at":"`}, nil},
	})
	if k, ok := w.store.Snapshot().KeyByToken(key.Token, w.clock.Now()); !ok || k.ID != key.ID {
		t.Error("the old token does not work beside the new one")
	}
	if _, ok := w.store.Snapshot().KeyByToken(key.Token, w.clock.Now().Add(rotateOverlap)); ok {
		t.Error("the old token works for ever")
	}
}

// TestPersonalTokens: a token gives what its scopes and its user's role both allow, while it lives.
func TestPersonalTokens(t *testing.T) {
	w := newWorld(t).withUsers()
	var made CreatedUserToken
	w.do(editing, http.MethodPost, "/api/tokens", `{"name":"t","scopes":["keys:read","providers:write"]}`).into(t, &made)
	w.tokens["pat"] = made.Token
	w.run(map[string]string{"id": made.ID}, []apiCase{
		{"more than one has", editing, "POST", "/api/tokens", `{"name":"t","scopes":["users:write"]}`, nil, 422, []string{"body.scopes[0]"}, nil},
		{"beyond a year", editing, "POST", "/api/tokens", `{"name":"t","scopes":["keys:read"],"expires_at":"2030-01-01T00:00:00Z"}`, nil, 422, []string{"body.expires_at"}, nil},
		{"in scope", "pat", "GET", "/api/keys", "", nil, 200, nil, nil},
		{"out of scope", "pat", "GET", "/api/requests", "", nil, 403, nil, nil},
		{"no tokens by token", "pat", "POST", "/api/tokens", `{"name":"t","scopes":["keys:read"]}`, nil, 403, nil, nil},
		{"no password by token", "pat", "PUT", "/api/auth/password", `{"current":"x","new":"0123456789abc"}`, nil, 403, nil, nil},
	})
	u := *w.users[editing]
	u.Role = viewing
	if err := w.store.UpdateUser(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	w.run(map[string]string{"id": made.ID}, []apiCase{
		{"what the role has left", "pat", "GET", "/api/keys", "", nil, 200, nil, nil},
		{"what the role has lost", "pat", "POST", "/api/providers", openAIProvider, nil, 403, nil, nil},
		{"revoked", owned, "DELETE", "/api/tokens/{id}", "", nil, 204, nil, nil},
		{"is revoked", "pat", "GET", "/api/keys", "", nil, 401, nil, nil},
	})
	w.do(owned, http.MethodPost, "/api/tokens", `{"name":"t","scopes":["keys:read"]}`).into(t, &made)
	w.clock.add(userTokenDefault)
	if a := w.send(request(http.MethodGet, "/api/keys", made.Token, "")); a.status != http.StatusUnauthorized {
		t.Error("an expired token", a)
	}
}

// TestEscalation: nobody grants more than they have.
func TestEscalation(t *testing.T) {
	w := newWorld(t).withUsers()
	admin := point.RoleAdmin
	w.run(map[string]string{"owner": w.users[owned].ID, "admin": w.users[admin].ID, "viewer": w.users[viewing].ID}, []apiCase{
		{"an owner made by an admin", admin, "POST", "/api/users", `{"email":"x@example.com","role":"owner"}`, nil, 422, []string{"body.role"}, nil},
		{"own role", owned, "PUT", "/api/users/{owner}", `{"role":"admin"}`, nil, 403, nil, nil},
		{"an owner's password", admin, "PUT", "/api/users/{owner}", `{"password":"0123456789abc"}`, nil, 403, nil, nil},
		{"an owner's invitation", admin, "POST", "/api/users/{owner}/invitation", "", nil, 403, nil, nil},
		{"an owner's sessions", admin, "DELETE", "/api/users/{owner}/sessions", "", nil, 403, nil, nil},
		{"an owner gone", admin, "DELETE", "/api/users/{owner}", "", nil, 403, nil, nil},
		{"the last owner gone", owned, "DELETE", "/api/users/{owner}", "", nil, 409, nil, nil},
		{"a role beyond oneself", admin, "POST", "/api/roles", `{"name":"more","permissions":["signing:rotate"]}`, nil, 422, []string{"body.permissions[0]"}, nil},
		{"a built-in role", owned, "PUT", "/api/roles/viewer", `{"permissions":[]}`, nil, 409, nil, nil},
		{"a role", admin, "POST", "/api/roles", `{"name":"less","permissions":["keys:own"]}`, nil, 201, nil, nil},
		{"given", admin, "PUT", "/api/users/{viewer}", `{"role":"less"}`, nil, 200, []string{`"role":"less"`}, nil},
		{"in use", admin, "DELETE", "/api/roles/less", "", nil, 409, []string{"1 user has", `"used_by":[{"entity":"user","id":"{viewer}","name":"viewer@example.com"}]`}, nil},
		{"who uses it is not for everybody", admin, "POST", "/api/roles", `{"name":"roles","permissions":["roles:write","keys:own"]}`, nil, 201, nil, nil},
	})
	w.tokens["roles"] = w.signIn(w.user("roles", func(u *point.User) { u.Role = "roles" }))
	w.run(map[string]string{"viewer": w.users[viewing].ID}, []apiCase{
		{"in use, by whom not said", "roles", "DELETE", "/api/roles/less", "", nil, 409, []string{"1 user has"}, []string{"used_by", "viewer@"}},
		{"deleted all the same", admin, "DELETE", "/api/roles/less?force=true", "", nil, 204, nil, nil},
		{"who had it has nothing", admin, "GET", "/api/users/{viewer}", "", nil, 200, []string{`"role":"less"`}, nil},
		{"no role is made of its name", admin, "POST", "/api/roles", `{"name":"less","permissions":["keys:read"]}`, nil, 409, []string{"1 user has"}, nil},
		{"nor is it given", admin, "POST", "/api/users", `{"email":"y@example.com","role":"less"}`, nil, 422, []string{"body.role"}, nil},
		{"another one is", admin, "PUT", "/api/users/{viewer}", `{"role":"viewer"}`, nil, 200, nil, nil},
		{"then the name is free", admin, "POST", "/api/roles", `{"name":"less","permissions":["keys:read"]}`, nil, 201, nil, nil},
	})
}

// TestFull: who has as many tokens as there may be is told so.
func TestFull(t *testing.T) {
	w := newWorld(t).withUsers()
	for i := range 100 {
		if a := w.do(viewing, http.MethodPost, "/api/tokens", `{"name":"t","scopes":["keys:read"]}`); a.status != http.StatusCreated {
			t.Fatal(i, a)
		}
	}
	w.run(nil, []apiCase{
		{"one more", viewing, "POST", "/api/tokens", `{"name":"t","scopes":["keys:read"]}`, nil, 409, []string{"A user may have 100 of these", "Delete one"}, nil},
		{"somebody else", editing, "POST", "/api/tokens", `{"name":"t","scopes":["keys:read"]}`, nil, 201, nil, nil},
	})
}

// TestEveryPermissionIsExplained: what a role or a token may be given is what routes ask for.
func TestEveryPermissionIsExplained(t *testing.T) {
	w := newWorld(t)
	var asked grants = owner
	for _, r := range w.api.routes() {
		asked = append(asked, r.permission, r.handler.own)
	}
	for _, p := range asked {
		if p != Public && p != SignedIn && p != "" && !isPermission(p) {
			t.Errorf("say in allowed what %s allows", p)
		}
	}
}

// TestInvitation: a token sets a password once; a changed password ends other sessions.
func TestInvitation(t *testing.T) {
	w := newWorld(t).withUsers()
	var made CreatedUser
	w.do(owned, http.MethodPost, "/api/users", `{"email":"new@example.com","role":"viewer"}`).into(t, &made)
	body := `{"token":"` + made.Invitation.Token + `","password":"0123456789abc"}`
	a := w.do("", http.MethodPost, "/api/auth/accept", body)
	if a.status != http.StatusOK {
		t.Fatal(a)
	}
	var access AccessToken
	a.into(t, &access)
	w.tokens["new"] = access.AccessToken
	w.run(nil, []apiCase{
		{"once", "", "POST", "/api/auth/accept", body, nil, 403, nil, nil},
		{"wrong password", "new", "PUT", "/api/auth/password", `{"current":"nope","new":"0123456789abcd"}`, nil, 422, []string{"body.current"}, nil},
		{"changed", "new", "PUT", "/api/auth/password", `{"current":"0123456789abc","new":"0123456789abcd"}`, nil, 200, []string{"access_token"}, nil},
		{"the old session", "new", "GET", "/api/auth/me", "", nil, 401, nil, nil},
	})
	before := w.tokens[owned]
	if a := w.do(owned, http.MethodPost, "/api/auth/keys/rotate", `{"at_once":false}`); a.status != http.StatusOK || strings.Count(a.body, `"kid"`) != 2 {
		t.Fatal(a)
	}
	if a := w.send(request(http.MethodGet, "/api/auth/me", before, "")); a.status != http.StatusOK {
		t.Error("a retired key does not verify", a)
	}
	w.do(owned, http.MethodPost, "/api/auth/keys/rotate", `{"at_once":true}`)
	if a := w.send(request(http.MethodGet, "/api/auth/me", before, "")); a.status != http.StatusUnauthorized {
		t.Error("a deleted key verifies", a)
	}
}
