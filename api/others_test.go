package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// Kinds of things that people own, and what is nobody's own.
const (
	aKey     = "key"
	aRequest = "request"
	aToken   = "token"
	aSession = "session"
	shared   = ""
)

// whose says what the parameters of each path name. A route that is missing here fails the test.
var whose = map[string]string{
	"/api/keys/{id}":            aKey,
	"/api/keys/{id}/rotate":     aKey,
	"/api/requests/{id}":        aRequest,
	"/api/requests/{id}/bodies": shared,
	"/api/requests/{id}/replay": shared,
	"/api/tokens/{id}":          aToken,
	"/api/auth/sessions/{id}":   aSession,

	"/api/providers/{id}":               shared,
	"/api/providers/{id}/test":          shared,
	"/api/endpoints/{id}":               shared,
	"/api/endpoints/{id}/test":          shared,
	"/api/aliases/{name}":               shared,
	"/api/users/{id}":                   shared,
	"/api/users/{id}/invitation":        shared,
	"/api/users/{id}/sessions":          shared,
	"/api/roles/{name}":                 shared,
	"/api/configs/{id}":                 shared,
	"/api/configs/{id}/diff":            shared,
	"/api/configs/{id}/activate":        shared,
	"/api/revisions/{version}":          shared,
	"/api/revisions/{version}/diff":     shared,
	"/api/revisions/{version}/rollback": shared,
	"/api/alerts/{id}":                  shared,
	"/api/alerts/{id}/acknowledge":      shared,
	"/api/alerts/{id}/resolve":          shared,
	"/api/alert-rules/{id}":             shared,
	"/api/notifiers/{id}":               shared,
	"/api/notifiers/{id}/test":          shared,
	"/api/silences/{id}":                shared,
	"/api/prices/{kind}/{model}":        shared,
	"/api/models/{kind}/{model}":        shared,
}

// ownRole is a role that reaches nothing but what is one's own.
var ownRole = grants{KeysOwn, RequestsOwn, TokensOwn}

// person is a user of ownRole, and what they own.
type person struct {
	user    *point.User
	session string            // access token
	pat     string            // personal access token
	own     map[string]string // ids by kind
	record  point.Record      // the request
	filters []string          // what lists may be asked for to find what they own
	hidden  []string          // what nobody else may see
}

// person makes one, who owns one thing of each kind.
func (w *world) person() *person {
	w.t.Helper()
	mark := "foreign-" + strings.ToLower(rand.Text())
	p := &person{user: w.user(mark, func(u *point.User) { u.Role = "own" }), own: map[string]string{}}
	p.session = w.signIn(p.user)
	ask := func(url, body string, into any) {
		w.t.Helper()
		w.send(request(http.MethodPost, url, p.session, body)).into(w.t, into)
	}
	var key CreatedKey
	ask("/api/keys", fmt.Sprintf(`{"name":%q,"tags":[%q],"models":[%q]}`, mark+" key", mark, mark+"*"), &key)
	var token CreatedUserToken
	ask("/api/tokens", fmt.Sprintf(`{"name":%q,"scopes":["keys:own","requests:own","tokens:own"]}`, mark), &token)
	out, err := w.api.startSession(w.t.Context(), p.user, caller{address: "2001:db8::" + mark[len(mark)-4:], userAgent: mark})
	if err != nil {
		w.t.Fatal(err)
	}
	other, err := w.api.tokens.verify(w.t.Context(), out.Body.AccessToken)
	if err != nil {
		w.t.Fatal(err)
	}
	p.record = w.record(&point.Provider{}, &point.Key{ID: key.ID}, time.Minute, http.StatusBadGateway)
	p.record.Model, p.record.ClientRequestID, p.record.ErrorMessage, p.record.Request = mark, mark, mark, []byte(`{"model":"`+mark+`"}`)
	if err := w.store.InsertRecords(w.t.Context(), []point.Record{p.record}); err != nil {
		w.t.Fatal(err)
	}
	p.pat = token.Token
	p.own[aKey], p.own[aRequest], p.own[aToken], p.own[aSession] = key.ID, p.record.ID, token.ID, other.SessionID
	p.hidden = []string{mark, p.user.ID, key.ID, key.Prefix, key.Token, token.ID, token.Prefix, p.record.ID, other.SessionID, p.session, cursor(p.record.ID)}
	p.filters = append(slices.Clone(p.hidden), p.user.Email, mark+" key", "0", "foreign-")
	return p
}

// cursor is where a list of requests goes on behind one of them, as the store writes it.
func cursor(id string) string {
	raw, _ := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	return base64.RawURLEncoding.EncodeToString(append([]byte{1}, raw...))
}

// people makes the role and two who have it.
func (w *world) people() (a, b *person) {
	w.t.Helper()
	r := &point.Role{Name: "own"}
	for _, p := range ownRole {
		r.Permissions = append(r.Permissions, string(p))
	}
	if err := w.store.CreateRole(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	return w.person(), w.person()
}

// reachable reports whether somebody of ownRole gets past the permission of a route.
func (r route) reachable(token bool) bool {
	return (ownRole.has(r.permission) || r.handler.own != "" && ownRole.has(r.handler.own)) && !(r.handler.session && token)
}

// attempt is one request for what somebody else owns.
type attempt struct {
	url, body string
	header    []string
	want      int    // status; 0: any that is no failure of Point
	nothing   string // url of a thing that is not there, whose answer must be the same; empty: none
}

// attempts are the ways to ask a route for what other owns, by a session or by a personal
// access token.
func (w *world) attempts(r route, other *person, token bool) (list []attempt) {
	op := w.operation(request(r.method, nothingAt(r.path), "", ""))
	kind := whose[r.path]
	add := func(x attempt) {
		if !r.reachable(token) {
			x.want, x.nothing = http.StatusForbidden, ""
		}
		list = append(list, x)
	}
	if !strings.Contains(r.path, "{") {
		all := queries(op, other)
		if !r.reachable(token) {
			all = all[:times(1, len(all))]
		}
		for _, query := range all {
			add(attempt{url: r.path + query})
		}
		for _, body := range w.bodies(op, other) {
			add(attempt{url: r.path, body: body})
		}
		return list
	}
	headers := [][]string{nil, {"If-Match", `"1"`}, {"X-Http-Method-Override", "GET"}}
	for of, id := range other.own {
		if of != kind && of != aKey && !*full {
			continue // one of another kind is enough
		}
		for _, body := range w.bodies(op, other) {
			for _, header := range headers[:times(1, len(headers))] {
				x := attempt{url: pathParameter.ReplaceAllString(r.path, id), body: body, header: header, want: http.StatusNotFound}
				if of == kind {
					x.nothing = nothingAt(r.path)
				}
				add(x)
				if hasParameter(op, "force") {
					x.url += "?force=true"
					add(x)
				}
			}
		}
	}
	return list
}

// nothingAt is a path whose parameters name nothing that is there.
func nothingAt(path string) string {
	return pathParameter.ReplaceAllString(path, "01890000-0000-7000-8000-000000000000")
}

func hasParameter(op *huma.Operation, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == name })
}

// queries asks a list for each of what other owns, by each parameter, and without any.
func queries(op *huma.Operation, other *person) []string {
	list := []string{""}
	for _, p := range op.Parameters {
		for _, value := range other.filters {
			if p.In == "query" {
				list = append(list, "?"+url.Values{p.Name: {value}}.Encode())
			}
		}
	}
	if hasParameter(op, "by") {
		list = append(list, "?by=key,model&groupBy=minute", "?by=key&"+url.Values{"key": {other.own[aKey]}}.Encode())
	}
	return list
}

// bodies are bodies that the route may take: an empty one, a change, and each that names other.
func (w *world) bodies(op *huma.Operation, other *person) []string {
	if op.RequestBody == nil {
		return []string{""}
	}
	schema := op.RequestBody.Content["application/json"].Schema
	if schema.Ref != "" {
		schema = w.api.spec.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	list := []string{"{}"}
	for name := range schema.Properties {
		switch {
		case name == "name":
			list = append(list, `{"name":"taken over"}`)
		case strings.HasSuffix(name, "_id"):
			list = append(list, fmt.Sprintf(`{"name":"given away",%q:%q}`, name, other.user.ID))
		}
	}
	return list
}

// leaks are the answers of a route that p gets of what other owns, and changes of it.
func (w *world) leaks(r route, p, other *person, count func()) iter.Seq[string] {
	return func(yield func(string) bool) {
		for credential, token := range map[string]bool{p.session: false, p.pat: true} {
			for _, x := range w.attempts(r, other, token) {
				count()
				before := w.store.Snapshot().Version
				a := w.send(leaving(request(r.method, x.url, credential, x.body, x.header...)))
				fault := w.leak(r, x, a, other)
				if fault == "" && w.store.Snapshot().Version != before && !r.handler.creates {
					fault = "something was changed"
				}
				if fault == "" && x.nothing != "" {
					miss := w.send(request(r.method, x.nothing, credential, x.body, x.header...))
					if fmt.Sprint(miss) != fmt.Sprint(a) {
						fault = fmt.Sprintf("what is not there is told apart: %v", miss)
					}
				}
				if fault != "" && !yield(fmt.Sprintf("%s %s %s (by token: %v): %s: %d %v %s", r.method, x.url, x.body, token, fault, a.status, a.header, a.body)) {
					return
				}
			}
		}
	}
}

// leak is what is wrong with the answer to an attempt, empty for nothing.
func (w *world) leak(r route, x attempt, a answer, other *person) string {
	switch {
	case a.status >= http.StatusInternalServerError:
		return "Point failed"
	case x.want != 0 && a.status != x.want:
		return fmt.Sprintf("status %d was wanted", x.want)
	case x.want == 0 && x.body != "" && strings.Contains(x.body, other.user.ID) && a.status < http.StatusBadRequest:
		return "it was given to somebody else"
	}
	text := fmt.Sprint(a.header) + a.body
	for _, hidden := range other.hidden {
		if strings.Contains(text, hidden) {
			return "it shows " + hidden
		}
	}
	return ""
}

// leaving makes the reader of a stream leave before it begins.
func leaving(r *http.Request) *http.Request {
	if !strings.HasSuffix(r.URL.Path, "/events") {
		return r
	}
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	return r.WithContext(ctx)
}

// belongings is everything that people own, as it is stored.
func (w *world) belongings(people ...*person) string {
	w.t.Helper()
	var text strings.Builder
	for _, p := range people {
		sessions, err := w.store.ListSessions(w.t.Context(), p.user.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		key, err := w.store.GetKey(w.t.Context(), store.All(), p.own[aKey])
		if err != nil {
			w.t.Fatal(err)
		}
		token, err := w.store.GetToken(w.t.Context(), store.All(), p.own[aToken])
		if err != nil {
			w.t.Fatal(err)
		}
		record, err := w.store.GetRequest(w.t.Context(), store.All(), p.own[aRequest])
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&text, "%+v %+v %+v %+v %+v\n", *w.store.Snapshot().Users[p.user.ID], sessions, *key, *token, record.ID)
	}
	return text.String()
}

// TestOthers: of two people who reach their own alone, neither learns of or changes what the
// other owns, on any route, by any parameter.
func TestOthers(t *testing.T) {
	w := newWorld(t).withUsers()
	a, b := w.people()
	count, before := 0, w.belongings(a, b)
	left := maps.Clone(whose)
	for _, r := range w.api.routes() {
		if _, known := whose[r.path]; !known && strings.Contains(r.path, "{") {
			t.Errorf("say in whose what the parameters of %s name", r.path)
		}
		delete(left, r.path)
		if r.permission == Public {
			continue
		}
		for fault := range w.leaks(r, a, b, func() { count++ }) {
			t.Error(fault)
		}
		for fault := range w.leaks(r, b, a, func() { count++ }) {
			t.Error(fault)
		}
	}
	for path := range left {
		t.Errorf("%s is in whose, but is no route", path)
	}
	if now := w.belongings(a, b); now != before {
		t.Errorf("what they own was changed from\n%s\nto\n%s", before, now)
	}
	if count < 300 {
		t.Error("too little was tried")
	}
	t.Logf("%d requests", count)
}

// reachesOwn reports whether a route is about what people own.
func (r route) reachesOwn() bool {
	list := map[string]bool{"GET /api/keys": true, "GET /api/tokens": true, "GET /api/requests": true, "GET /api/requests/stats": true, "GET /api/auth/sessions": true, "GET /api/auth/me": true}
	return whose[r.path] != shared || list[r.method+" "+r.path]
}

// TestOthersIsSeen: the check finds what people do with their own things, and what a route lets
// out whose scope is dropped, in memory.
func TestOthersIsSeen(t *testing.T) {
	w := newWorld(t).withUsers()
	w.people()
	w.quiet = true
	found := func(r route, p, other *person) bool {
		next, stop := iter.Pull(w.leaks(r, p, other, func() {}))
		defer stop()
		_, found := next()
		return found
	}
	dropped := 0
	for _, r := range w.api.routes() {
		if !r.reachesOwn() {
			continue
		}
		if own := w.person(); !found(r, own, own) {
			t.Errorf("%s %s: the check does not see what is reached", r.method, r.path)
		}
		if r.handler.own == "" {
			continue
		}
		dropped++
		policies := w.operation(request(r.method, nothingAt(r.path), "", "")).Metadata
		policies[metaPermission] = SignedIn // which reaches everybody's
		if !found(r, w.person(), w.person()) {
			t.Errorf("%s %s: without its scope no check fails", r.method, r.path)
		}
		policies[metaPermission] = r.permission
	}
	if dropped < 8 {
		t.Errorf("%d scopes were dropped", dropped)
	}
}

// follow reads events as somebody until a record comes, after others were settled.
func (w *world) follow(credential string, settled ...point.Record) string {
	w.t.Helper()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/events", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+credential)
	response, err := server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	for _, record := range settled {
		w.ports.events <- record
	}
	text, buf, last := fmt.Sprint(response.Header), make([]byte, 64<<10), settled[len(settled)-1].ID
	for !strings.Contains(text, "id: "+last+"\ndata: ") {
		n, err := response.Body.Read(buf)
		if err != nil && err != io.EOF {
			w.t.Fatal(err, text)
		}
		text += string(buf[:n])
	}
	return text
}

// TestOthersEvents: who follows requests sees those of their own keys, those that are nobody's
// are nobody's.
func TestOthersEvents(t *testing.T) {
	w := newWorld(t).withUsers()
	a, b := w.people()
	unkeyed := w.record(&point.Provider{}, &point.Key{}, time.Minute, http.StatusOK)
	unkeyed.Model = "foreign-unkeyed"
	for _, c := range []struct{ reader, other *person }{{a, b}, {b, a}} {
		for _, credential := range []string{c.reader.session, c.reader.pat} {
			text := w.follow(credential, c.other.record, unkeyed, c.reader.record)
			for _, hidden := range append([]string{unkeyed.Model}, c.other.hidden...) {
				if strings.Contains(text, hidden) {
					t.Errorf("%s is in %s", hidden, text)
				}
			}
		}
	}
	policies := w.operation(request(http.MethodGet, "/api/events", "", "")).Metadata
	policies[metaPermission] = SignedIn
	if text := w.follow(a.session, b.record, a.record); !strings.Contains(text, b.record.ID) {
		t.Error("without a scope the check sees nothing", text)
	}
}

// TestOthersRepeats: who knows an Idempotency-Key of somebody else, and what was made with it,
// gets a thing of their own.
func TestOthersRepeats(t *testing.T) {
	w := newWorld(t).withUsers()
	a, b := w.people()
	for _, c := range []struct{ url, body string }{{"/api/keys", `{"name":"same"}`}, {"/api/tokens", `{"name":"same","scopes":["keys:own"]}`}} {
		first := w.send(request(http.MethodPost, c.url, b.session, c.body, "Idempotency-Key", "guessed"))
		second := w.send(request(http.MethodPost, c.url, a.session, c.body, "Idempotency-Key", "guessed"))
		var made, got struct{ ID, Token string }
		first.into(t, &made)
		second.into(t, &got)
		if second.status != http.StatusCreated || second.header.Get(replayedHeader) != "" || got == made {
			t.Error(c.url, second)
		}
	}
}
