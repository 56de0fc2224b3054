package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"point"
	"point/store"
)

// unseenRefusals are refusals that the document announces and no test provokes, with the reason: an
// operation and a code.
var unseenRefusals = map[string]string{}

// seenRefusals are the operations and codes that the tests of this run saw.
var seenRefusals sync.Map

// everyTest reports whether this run leaves out no test.
func everyTest() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

// announcedUnseen are the refusals that the document announces and no test saw, and the exceptions
// that are none.
func announcedUnseen() (wrong []string) {
	a, err := build(Deps{})
	if err == nil {
		_, err = a.describe()
	}
	if err != nil {
		return []string{err.Error()}
	}
	for op := range operationsOf(a.spec) {
		for _, code := range refusalsOf(op) {
			key := op.OperationID + " " + string(code)
			_, seen := seenRefusals.Load(key)
			switch _, excepted := unseenRefusals[key]; {
			case !seen && !excepted:
				wrong = append(wrong, "the document announces, and no test sees, the refusal "+key+": provoke it, or take it from its row in refusals")
			case seen && excepted:
				wrong = append(wrong, "a test sees the refusal "+key+": take it from unseenRefusals")
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// sweep sends a request to every operation that announces a code, which is what it must get.
func (w *fullWorld) sweep(code Code, change func(*call, *http.Request)) {
	w.t.Helper()
	for _, c := range w.announcing(code) {
		r := c.request()
		change(c, r)
		w.refusedAs(c.op, w.send(r), code)
	}
}

// announcing are likely calls of the operations that announce a code, made beforehand.
func (w *fullWorld) announcing(code Code) (calls []*call) {
	announced := map[string]bool{}
	for op := range operationsOf(w.api.spec) {
		announced[op.OperationID] = slices.Contains(refusalsOf(op), code)
	}
	for _, o := range w.doc.operations {
		if announced[o.ID] {
			calls = append(calls, w.likely(o))
		}
	}
	if len(calls) == 0 {
		w.t.Errorf("no operation announces %s", code)
	}
	return calls
}

// refusedAs fails if a is not a refusal with a code.
func (w *fullWorld) refusedAs(o *operation, a answer, code Code) {
	w.t.Helper()
	var p Problem
	_ = json.Unmarshal([]byte(a.body), &p)
	if status, _ := code.describe(); p.Code != code || a.status != status {
		w.t.Errorf("%s (%s) answers %d %.300s, not %s", o, o.ID, a.status, a.body, code)
	}
}

// failingBody is a body of which no byte comes in time.
type failingBody struct{}

func (failingBody) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// TestRefusalsOfEveryOperation provokes what any operation may answer, at each that announces it.
func TestRefusalsOfEveryOperation(t *testing.T) {
	w := newFullWorld(t).withProvider(t)
	w.sweep(codeHost, func(_ *call, r *http.Request) { r.Host = "evil.example" })
	w.sweep(codeMalformed, func(_ *call, r *http.Request) { r.URL.RawQuery = "x=%00" })
	w.sweep(codeTooLarge, func(_ *call, r *http.Request) { r.ContentLength = 1 << 40 })
	w.sweep(codeMediaType, func(_ *call, r *http.Request) { r.Header.Set("Content-Encoding", "gzip") })
	w.sweep(codeTooSlow, func(_ *call, r *http.Request) { r.Body, r.ContentLength = io.NopCloser(failingBody{}), 10 })
	for _, c := range w.announcing(codeStale) {
		if slices.ContainsFunc(c.op.Parameters, func(p parameter) bool { return p.Name == "If-Match" }) {
			c.header = append(c.header, [2]string{"If-Match", `"999"`})
			w.refusedAs(c.op, w.send(c.request()), codeStale)
		}
	}
	w.sweep(codeInProgress, func(_ *call, r *http.Request) { w.reserve(r) })

	w.sweep(codeRate, func(c *call, _ *http.Request) {
		w.api.limiter.perSecond = 0.001 // a first request, and no second one
		w.send(request(http.MethodGet, "/api/auth/me", "", ""))
		w.send(request(http.MethodGet, "/api/auth/me", c.token, ""))
	})
	w.api.limiter.perSecond = 0

	w.sweep(codeInternal, func(*call, *http.Request) {
		w.api.Now = func() time.Time { panic("the clock is broken") }
	})
}

// reserve makes r the second one under its Idempotency-Key.
func (w *fullWorld) reserve(r *http.Request) {
	w.t.Helper()
	body, err := io.ReadAll(r.Body)
	w.must(err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	key := "reserved-" + r.URL.Path
	r.Header.Set("Idempotency-Key", strings.ReplaceAll(key, "/", "-"))
	_, pattern := w.api.mux.Handler(r)
	first := store.Idempotent{Key: r.Header.Get("Idempotency-Key"), Route: pattern, UserID: w.users[owned].ID, Fingerprint: fingerprint(r, body)}
	_, err = w.store.ReserveIdempotent(w.t.Context(), first)
	w.must(err)
}

// TestRefusalsWithoutADatabase: each operation that announces it says so.
func TestRefusalsWithoutADatabase(t *testing.T) {
	w := newFullWorld(t).withProvider(t)
	calls, creations := w.announcing(codeDatabase), w.announcing(codeInProgress)
	w.must(w.store.Close())
	w.clock.add(2 * reloadPause) // since keys were read
	for _, c := range calls {
		w.refusedAs(c.op, w.send(c.request()), codeDatabase)
	}
	for _, c := range creations {
		r := c.request()
		r.Header.Set("Idempotency-Key", "0123456789abcdef")
		w.refusedAs(c.op, w.send(r), codeUnavailable)
	}
}

// exec runs a statement on the database, past the store.
func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.opts.DataDir, "config.db"))
	w.must(err)
	_, err = db.Exec(statement, args...)
	w.must(err)
	w.must(db.Close())
}

// meanwhile is what another process does between what a request reads and what it writes, over and
// over until the end of f.
func (w *world) meanwhile(statement string, f func()) {
	w.t.Helper()
	w.exec(`CREATE TRIGGER meanwhile AFTER UPDATE ON config_version BEGIN ` + statement + `; END`)
	f()
	w.exec(`DROP TRIGGER meanwhile`)
}

// TestRefusalsOfPeople provokes what is said of users, roles and tokens.
func TestRefusalsOfPeople(t *testing.T) {
	w := newWorld(t).withUsers()
	w.must(w.store.CreateRole(t.Context(), &point.Role{Name: "less", Permissions: []string{"roles:write", "tokens:write", "users:write"}}))
	w.must(w.store.CreateRole(t.Context(), &point.Role{Name: "more", Permissions: []string{"signing:rotate"}}))
	less := w.user("less", func(u *point.User) { u.Role = "less" })
	guest := w.user("guest", func(u *point.User) { u.Role = point.RoleOwner }) // has no password
	disabled := w.user("disabled", func(u *point.User) { u.Role, u.Disabled = viewing, true })
	token, pat := w.pat(w.users[owned], time.Hour, owner...)
	w.tokens["less"], w.tokens["guest"], w.tokens["pat"] = w.signIn(less), w.signIn(guest), pat
	w.run(map[string]string{"owner": w.users[owned].ID, "viewer": w.users[viewing].ID, "disabled": disabled.ID, "token": token.ID, "less": less.ID}, []apiCase{
		{"one's own role", "less", "PUT", "/api/roles/less", `{"description":"x"}`, nil, 403, []string{`"own_account"`}, nil},
		{"one's own role gone", "less", "DELETE", "/api/roles/less", "", nil, 403, []string{`"own_account"`}, nil},
		{"a role above", "less", "PUT", "/api/roles/more", `{"description":"x"}`, nil, 403, []string{`"above_you"`}, nil},
		{"a role above gone", "less", "DELETE", "/api/roles/more", "", nil, 403, []string{`"above_you"`}, nil},
		{"a built-in role gone", owned, "DELETE", "/api/roles/viewer", "", nil, 409, []string{`"built_in"`}, nil},
		{"a role again", owned, "POST", "/api/roles", `{"name":"less","permissions":[]}`, nil, 409, []string{`"taken"`}, nil},
		{"a token of somebody above", "less", "DELETE", "/api/tokens/{token}", "", nil, 403, []string{`"above_you"`}, nil},
		{"inviting oneself", owned, "POST", "/api/users/{owner}/invitation", "", nil, 403, []string{`"own_account"`}, nil},
		{"inviting who is disabled", owned, "POST", "/api/users/{disabled}/invitation", "", nil, 409, []string{`"user_disabled"`}, nil},
		{"a password by token", "pat", "PUT", "/api/users/{viewer}", `{"password":"0123456789abc"}`, nil, 403, []string{`"session_needed"`}, nil},
		{"the last owner who has a password", "guest", "PUT", "/api/users/{owner}", `{"role":"viewer"}`, nil, 409, []string{`"last_owner"`}, nil},
		{"an address again", owned, "POST", "/api/users", `{"email":"owner@example.com","role":"viewer"}`, nil, 409, []string{`"taken"`}, nil},
		{"the address of another", owned, "PUT", "/api/users/{viewer}", `{"email":"owner@example.com"}`, nil, 409, []string{`"taken"`}, nil},
	})
	w.meanwhile(`UPDATE users SET version = version + 1`, func() {
		w.run(map[string]string{"viewer": w.users[viewing].ID}, []apiCase{
			{"inviting who changes meanwhile", owned, "POST", "/api/users/{viewer}/invitation", "", nil, 412, []string{`"stale"`}, nil},
			{"a password of who changes meanwhile", owned, "PUT", "/api/auth/password", `{"current":"` + password + `","new":"0123456789abc"}`, nil, 412, []string{`"stale"`}, nil},
		})
	})
	twin := w.twin()
	gone := *w.users[viewing]
	w.must(twin.store.DeleteUser(t.Context(), gone.ID, gone.Version))
	w.run(nil, []apiCase{
		{"the password of who is gone", viewing, "PUT", "/api/auth/password", `{"current":"` + password + `","new":"0123456789abc"}`, nil, 404, []string{`"not_found"`}, nil},
	})
}

// TestRefusalsOfNames: what has another one's name is refused, and what is declared elsewhere, and
// what this version does not know.
func TestRefusalsOfNames(t *testing.T) {
	w := newWorld(t).withUsers()
	ctx := t.Context()
	key := &point.Key{Name: "file", Status: point.StatusActive, ManagedBy: point.ManagedByFile}
	w.must(w.store.CreateKey(ctx, key, point.NewSecret("pt-file-0123456789abcdef")))
	endpoint, err := w.store.GetEndpoint(ctx, point.PathChat)
	w.must(err)
	endpoint.ManagedBy = point.ManagedByFile
	rule := point.AlertRule{ID: store.NewID(w.clock.Now()), Name: "file", Kind: point.RuleErrorRate, Threshold: 1, WindowMS: 60_000, Severity: point.SeverityInfo, ManagedBy: point.ManagedByFile}
	w.must(w.store.Apply(ctx, &store.Batch{PutEndpoints: []point.Endpoint{*endpoint}, PutAlertRules: []point.AlertRule{rule}}))
	w.must(w.store.CreateProvider(ctx, &point.Provider{Name: "future", Type: point.TypeAPI, Kind: "of-the-future", Status: point.StatusActive}))
	notifier := `{"name":"%s","type":"webhook","config":{"url":"https://hooks.example.com/canary","secret":"canary-0123456789abcdef0123456789"}}`
	vars := map[string]string{"key": key.ID, "endpoint": endpoint.ID, "rule": rule.ID, "first": w.make("/api/notifiers", fmt.Sprintf(notifier, "first"))}
	w.make("/api/notifiers", fmt.Sprintf(notifier, "second"))
	w.make("/api/providers", openAIProvider)
	w.make("/api/configs", `{"name":"one"}`)
	vars["two"] = w.make("/api/configs", `{"name":"two"}`)
	w.make("/api/alert-rules", `{"name":"errors","kind":"error_rate","threshold":25}`)
	vars["other"] = w.make("/api/alert-rules", `{"name":"others","kind":"error_rate","threshold":25}`)
	w.run(vars, []apiCase{
		{"provider", owned, "PUT", "/api/providers/future", `{"name":"main"}`, nil, 409, []string{`"taken"`}, nil},
		{"notifier", owned, "PUT", "/api/notifiers/{first}", `{"name":"second"}`, nil, 409, []string{`"taken"`}, nil},
		{"configuration", owned, "PUT", "/api/configs/{two}", `{"name":"one"}`, nil, 409, []string{`"taken"`}, nil},
		{"alert rule", owned, "PUT", "/api/alert-rules/{other}", `{"name":"errors"}`, nil, 409, []string{`"taken"`}, nil},
		{"a kind of the future", owned, "PUT", "/api/providers/future", `{"config":{"weight":2}}`, nil, 409, []string{`"unknown_kind"`}, nil},
		{"a declared key's token", owned, "POST", "/api/keys/{key}/rotate", `{}`, nil, 409, []string{`"declared_elsewhere"`}, nil},
		{"a declared endpoint", owned, "PUT", "/api/endpoints/{endpoint}", `{"active":false}`, nil, 409, []string{`"declared_elsewhere"`}, nil},
		{"a declared rule", owned, "DELETE", "/api/alert-rules/{rule}", "", nil, 409, []string{`"declared_elsewhere"`}, nil},
	})
}

// TestRefusalsWhenFull: who makes their own keys alone has 1,000 at most.
func TestRefusalsWhenFull(t *testing.T) {
	w := newWorld(t).withUsers()
	w.must(w.store.CreateRole(t.Context(), &point.Role{Name: "own", Permissions: []string{"keys:own"}}))
	u := w.user("own", func(u *point.User) { u.Role = "own" })
	w.tokens["own"] = w.signIn(u)
	w.run(nil, []apiCase{{"the first", "own", "POST", "/api/keys", `{"name":"k"}`, nil, 201, nil, nil}})
	w.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
		INSERT INTO keys (id, name, prefix, hash, owner_id, status, tags, models, endpoints, limits, managed_by, version, created_at, updated_at)
		SELECT printf('01890000-0000-7000-8000-%012d', i), name, prefix, randomblob(32), owner_id, status, tags, models, endpoints, limits, managed_by, version, created_at, updated_at FROM n, keys WHERE owner_id = $1`, u.ID)
	w.run(nil, []apiCase{{"one too many", "own", "POST", "/api/keys", `{"name":"k"}`, nil, 409, []string{`"too_many"`}, nil}})
}

// TestRefusalsWhenBusy: what hashes a password waits for its turn, and then is sent away.
func TestRefusalsWhenBusy(t *testing.T) {
	w := newFullWorld(t)
	calls := w.announcing(codeBusy)
	w.api.gate = newGate(w.clock.Now)
	w.api.gate.queue = time.Millisecond
	sealed := w.do(owned, http.MethodPost, "/api/configs/export", `{"passphrase":"`+password+`"}`).body
	busy(w.world)
	for _, c := range calls {
		switch c.op.ID {
		case "setUp":
			continue
		case "createUser":
			c.body = setAt(c.body, []any{"password"}, password)
		case "updateUser":
			c.body = map[string]any{"password": password}
		case "importConfig":
			c.body = map[string]any{"config": json.RawMessage(sealed), "passphrase": password}
		}
		w.refusedAs(c.op, w.send(c.request()), codeBusy)
	}
	empty, token := emptyWorld(t)
	empty.api.gate.queue = time.Millisecond
	busy(empty)
	body := `{"token":"` + token + `","email":"me@example.com","password":"` + password + `"}`
	empty.run(nil, []apiCase{{"setting up", "", "POST", "/api/setup", body, nil, 503, []string{`"busy"`}, nil}})
}

// busy makes w hash as much as it may, for ever.
func busy(w *world) {
	for range passwordsAtOnce {
		w.api.gate.slots <- struct{}{}
	}
}

// TestRefusalsOfRaces: what others change all the time cannot be done at this moment.
func TestRefusalsOfRaces(t *testing.T) {
	w := newFullWorld(t)
	w.make("/api/configs", `{"name":"races"}`)
	ops := map[string]*call{}
	for _, o := range w.doc.operations {
		if slices.Contains([]string{"activateConfig", "rollBack", "refresh", "importConfig", "updateConfig", "importPrices", "rotateSecrets", "replayRequest"}, o.ID) {
			ops[o.ID] = w.likely(o)
		}
	}
	ops["activateConfig"].body = map[string]any{}
	w.make("/api/aliases", `{"name":"stays","target":"gpt-4o"}`)
	version := w.store.Snapshot().Version
	w.make("/api/aliases", `{"name":"undone","target":"gpt-4o"}`)
	ops["rollBack"].at(fmt.Sprint(version))
	ops["activateConfig"].at(w.make("/api/configs", `{"name":"before"}`))
	w.make("/api/aliases", `{"name":"undone-too","target":"gpt-4o"}`)
	w.meanwhile(`UPDATE config_version SET version = version + 1`, func() {
		for _, id := range []string{"activateConfig", "rollBack"} {
			w.refusedAs(ops[id].op, w.send(ops[id].request()), codeUnavailable)
		}
	})
	w.exec(`CREATE TRIGGER races BEFORE UPDATE ON sessions BEGIN SELECT RAISE(IGNORE); END`)
	w.refusedAs(ops["refresh"].op, w.send(ops["refresh"].request()), codeUnavailable)
	w.exec(`DROP TRIGGER races`)

	w.api.arriving.queue = time.Millisecond
	w.api.MaxBody = 4 << 20
	for range largeAtOnce {
		w.api.arriving.places <- struct{}{}
	}
	for _, id := range []string{"importConfig", "updateConfig", "importPrices"} {
		r := ops[id].request()
		r.ContentLength = -1
		w.refusedAs(ops[id].op, w.send(r), codeUnavailable)
	}

	file, err := os.OpenFile(filepath.Join(w.opts.DataDir, ".rotate"), os.O_CREATE|os.O_RDWR, 0o600)
	w.must(err)
	defer file.Close()
	w.must(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)) // as another process that rotates
	w.refusedAs(ops["rotateSecrets"].op, w.send(ops["rotateSecrets"].request()), codeRotating)

	w.api.Tester = nil
	w.refusedAs(ops["replayRequest"].op, w.send(ops["replayRequest"].request()), codeNotConnected)
}

// TestRefusalsOfSignIns: whoever is changed while they sign in has to do it again.
func TestRefusalsOfSignIns(t *testing.T) {
	changed := func(w *world) {
		w.exec(`CREATE TRIGGER changed AFTER INSERT ON audit BEGIN UPDATE users SET version = version + 1; END`)
	}
	w := newWorld(t).withUsers()
	invitation, hash := w.api.newInvitation()
	w.must(w.store.PutInvitation(t.Context(), w.user("invited", func(*point.User) {}), hash, invitation.ExpiresAt))
	changed(w)
	w.run(map[string]string{"token": invitation.Token}, []apiCase{
		{"signing in", "", "POST", "/api/auth/login", `{"email":"owner@example.com","password":"` + password + `"}`, nil, 401, []string{`"unauthenticated"`, "changed at this moment"}, nil},
		{"accepting", "", "POST", "/api/auth/accept", `{"token":"{token}","password":"` + password + `"}`, nil, 401, []string{`"unauthenticated"`, "changed at this moment"}, nil},
	})
	empty := newWorld(t)
	secret := sha256.Sum256([]byte("token"))
	w.must(empty.store.PutSetupToken(context.Background(), secret, empty.clock.Now().Add(time.Hour)))
	changed(empty)
	empty.run(nil, []apiCase{
		{"setting up", "", "POST", "/api/setup", `{"token":"token","email":"me@example.com","password":"` + password + `"}`, nil, 401, []string{`"unauthenticated"`, "changed at this moment"}, nil},
	})
}

// TestRefusalsOfTheGateway: what the gateway refuses of a test or an explanation is handed on.
func TestRefusalsOfTheGateway(t *testing.T) {
	w := newFullWorld(t)
	for _, o := range w.doc.operations {
		for _, code := range asking[o.ID] {
			w.ports.refusal = &point.Error{Code: code, Message: "No."}
			w.refusedAs(o, w.send(w.likely(o).request()), Code(code))
		}
	}
}
