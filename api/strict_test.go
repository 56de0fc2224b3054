package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point"
	"point/store"
)

// TestUnknownQueriesAreRefused sends every read route a parameter it does not have.
func TestUnknownQueriesAreRefused(t *testing.T) {
	w := newWorld(t).withUsers()
	each(func(name, _ string, make func(...string) *http.Request) {
		if strings.HasSuffix(name, "/oidc/callback") {
			return // providers add parameters of their own
		}
		r := make("Authorization", "Bearer "+w.tokens[point.RoleOwner])
		r.URL.RawQuery = "nope=1"
		if a := w.send(r); r.Method == http.MethodGet && (a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "query.nope")) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	})
}

func TestBodies(t *testing.T) {
	w := newWorld(t).withUsers()
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"empty", "", 400},
		{"space", " ", 400},
		{"broken", `{"name":`, 400},
		{"text after it", `{"name":"x"} x`, 400},
		{"two values", `{"name":"x"}{"name":"y"}`, 400},
		{"twice the same", `{"name":"x","name":"y"}`, 400},
		{"twice, deep down", `{"name":"x","limits":{"rpm":1,"rpm":2}}`, 400},
		{"not UTF-8", "{\"name\":\"\xff\"}", 400},
		{"too deep", deep, 400},
		{"a list", `[]`, 422},
		{"null", `null`, 422},
		{"huge number", `{"name":"x","limits":{"rpm":1e400}}`, 400},
		{"number out of range", `{"name":"x","limits":{"rpm":1e30}}`, 422},
		{"wrong types", `{"name":1,"tags":"x","limits":[]}`, 422},
		{"just within the limit", `{"name":"` + strings.Repeat("x", maxBody-11) + `"}`, 422},
		{"just above the limit", `{"name":"` + strings.Repeat("x", maxBody-10) + `"}`, 413},
	} {
		a := w.do(owned, http.MethodPost, "/api/keys", c.body, "Content-Type", "application/json")
		if a.status != c.status {
			t.Errorf("%s: %d, want %d: %.300s", c.name, a.status, c.status, a.body)
		}
		chunked := request(http.MethodPost, "/api/keys", w.tokens[owned], c.body, "Content-Type", "application/json")
		chunked.ContentLength = -1
		if a := w.send(chunked); a.status != c.status {
			t.Errorf("%s, chunked: %d, want %d: %.300s", c.name, a.status, c.status, a.body)
		}
	}
	if a := w.do(owned, http.MethodPost, "/api/keys", "{}", "Content-Encoding", "gzip"); a.status != http.StatusUnsupportedMediaType {
		t.Error(a)
	}
}

// TestErrorsDoNotEcho sends a secret where it is wrong in every way.
func TestErrorsDoNotEcho(t *testing.T) {
	w := newWorld(t).withUsers()
	send := func(r *http.Request) {
		if a := w.send(r); a.status >= 400 && strings.Contains(a.body, "mirror") {
			t.Errorf("%s %s: %s", r.Method, r.URL, a.body)
		}
	}
	for _, value := range []string{`"mirror"`, `["mirror"]`, `{"a":"mirror"}`, `"mirror` + strings.Repeat("x", 5000) + `"`, `"mirror\u0000"`} {
		each(func(name, _ string, make func(...string) *http.Request) {
			r := make()
			op := w.operation(r)
			if op.RequestBody == nil {
				return
			}
			schema := w.api.spec.Components.Schemas.SchemaFromRef(op.RequestBody.Content["application/json"].Schema.Ref)
			for field := range schema.Properties {
				send(request(r.Method, r.URL.Path, w.tokens[owned], fmt.Sprintf(`{%q:%s}`, field, value)))
			}
			send(request(r.Method, r.URL.Path, w.tokens[owned], value))
			send(request(r.Method, r.URL.Path, w.tokens[owned], `{"x":mirror}`))
		})
	}
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t).withUsers()
	body := `{"name":"once"}`
	first := w.do(owned, http.MethodPost, "/api/keys", body, "Idempotency-Key", "k1")
	again := w.do(owned, http.MethodPost, "/api/keys", body, "Idempotency-Key", "k1")
	if first.status != http.StatusCreated || again.status != first.status || again.body != first.body || again.header.Get(replayedHeader) != "true" {
		t.Error(first, again)
	}
	again.header.Del(replayedHeader)
	if first.header.Get("ETag") == "" || !maps.EqualFunc(first.header, again.header, slices.Equal) {
		t.Errorf("headers %v, then %v", first.header, again.header)
	}
	w.run(nil, []apiCase{
		{"another body", owned, "POST", "/api/keys", `{"name":"other"}`, []string{"Idempotency-Key", "k1"}, 422, []string{"header.Idempotency-Key"}, nil},
		{"another URL", owned, "POST", "/api/keys?nope=1", body, []string{"Idempotency-Key", "k1"}, 422, []string{"header.Idempotency-Key"}, nil},
		{"another user", editing, "POST", "/api/keys", body, []string{"Idempotency-Key", "k1"}, 201, nil, nil},
		{"another route", owned, "POST", "/api/providers", openAIProvider, []string{"Idempotency-Key", "k1"}, 201, nil, nil},
		{"a failure is not kept", owned, "POST", "/api/keys", `{"name":""}`, []string{"Idempotency-Key", "k2"}, 422, nil, nil},
		{"so it may be mended", owned, "POST", "/api/keys", body, []string{"Idempotency-Key", "k2"}, 201, nil, nil},
		{"too long a key", owned, "POST", "/api/keys", body, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 422, nil, nil},
		{"three keys", owned, "GET", "/api/keys", "", nil, 200, []string{`"total":3`}, nil},
	})
	twin, err := build(w.api.Deps) // another Point on the same database
	if err != nil {
		t.Fatal(err)
	}
	statuses := parallel(20, func(i int) int {
		rec := httptest.NewRecorder()
		[]*API{w.api, twin}[i%2].mux.ServeHTTP(rec, request(http.MethodPost, "/api/keys", w.tokens[owned], `{"name":"race"}`, "Idempotency-Key", "k3"))
		return rec.Code
	})
	list, err := w.store.ListKeys(t.Context(), store.All(), store.KeyFilter{})
	if err != nil || len(list.Items) != 4 || statuses[201]+statuses[409] != 20 {
		t.Error(len(list.Items), statuses, err)
	}
	w.clock.add(25 * 3600 * 1e9)
	w.tokens[owned] = w.signIn(w.users[owned])
	if a := w.do(owned, http.MethodPost, "/api/keys", body, "Idempotency-Key", "k1"); a.status != http.StatusCreated || a.header.Get(replayedHeader) != "" {
		t.Error("kept for longer than a day", a)
	}
}

// TestCutOff lets what can happen to a creation under an Idempotency-Key happen: however it
// ends, a repeat makes no second thing.
func TestCutOff(t *testing.T) {
	w := newWorld(t).withUsers()
	body := `{"name":"once"}`
	for name, c := range map[string]struct {
		next   func(ctx context.Context, leave func()) (status int)
		repeat int
		replay bool
	}{
		"the client leaves": {func(ctx context.Context, leave func()) int {
			leave()
			if ctx.Err() != nil {
				t.Error("the work ends with its client")
			}
			return http.StatusCreated
		}, http.StatusCreated, true},
		"the database is lost":   {func(context.Context, func()) int { return http.StatusServiceUnavailable }, http.StatusConflict, false},
		"the process is killed":  {func(context.Context, func()) int { panic(http.ErrAbortHandler) }, http.StatusConflict, false},
		"the thing was refused":  {func(context.Context, func()) int { return http.StatusConflict }, http.StatusCreated, false},
		"the client leaves late": {func(_ context.Context, leave func()) int { leave(); return http.StatusUnprocessableEntity }, http.StatusCreated, false},
	} {
		ctx, leave := context.WithCancel(context.WithValue(t.Context(), principalContext{}, &principal{user: w.users[owned]}))
		r := request(http.MethodPost, "/api/keys", "", body, "Idempotency-Key", strings.ReplaceAll(name, " ", "-")).WithContext(ctx)
		op := &huma.Operation{Method: http.MethodPost, Path: "/api/keys", Metadata: map[string]any{metaCreates: true}}
		func() {
			defer func() { _ = recover() }()
			w.api.idempotent(humago.NewContext(op, r, httptest.NewRecorder()), func(ctx huma.Context) {
				_, answer := humago.Unwrap(ctx)
				answer.WriteHeader(c.next(ctx.Context(), leave))
			})
		}()
		leave()
		a := httptest.NewRecorder()
		w.handler.ServeHTTP(a, request(http.MethodPost, "/api/keys", w.tokens[owned], body, "Idempotency-Key", r.Header.Get("Idempotency-Key")))
		if a.Code != c.repeat || (a.Header().Get(replayedHeader) != "") != c.replay {
			t.Errorf("%s: the repeat gets %d %v %s", name, a.Code, a.Header(), a.Body)
		}
		if a.Code == http.StatusConflict && (a.Header().Get("Retry-After") == "" || !strings.Contains(a.Body.String(), "new key")) {
			t.Errorf("%s: %v %s", name, a.Header(), a.Body)
		}
	}
}

func TestEvents(t *testing.T) {
	w := newWorld(t).withUsers()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[viewing])
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	w.ports.events <- point.Record{ID: "one", Timestamp: w.clock.Now(), Endpoint: point.PathChat, Status: 200, Outcome: point.OutcomeComplete}
	buf, text := make([]byte, 4096), ""
	for !strings.Contains(text, "\ndata: ") || !strings.HasSuffix(text, "\n\n") {
		n, err := response.Body.Read(buf)
		if err != nil {
			t.Fatal(err, text)
		}
		text += string(buf[:n])
	}
	if response.Header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(text, ": open\n\nevent: request\nid: one\ndata: {") {
		t.Errorf("%v %s", response.Header, text)
	}
	_, data, _ := strings.Cut(text, "data: ")
	var record RequestRecord
	if err := json.Unmarshal([]byte(data), &record); err != nil || record.Endpoint != point.PathChat || record.Attempts == nil {
		t.Error(record, err)
	}
}

// TestEventsEndWithTheSession: whoever may read no more is sent no record, and is not kept
// waiting for the next one to learn of it.
func TestEventsEndWithTheSession(t *testing.T) {
	w := newWorld(t).withUsers()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	for name, end := range map[string]func(){
		"the session is revoked": func() {
			var me Me
			w.do(viewing, http.MethodGet, "/api/auth/me", "").into(t, &me)
			if err := w.store.RevokeSession(t.Context(), me.SessionID); err != nil {
				t.Error(err)
			}
		},
		"the token is too old": func() { w.clock.add(tokenLife + 2*tokenLeeway) },
	} {
		for _, settles := range []bool{true, false} {
			w.tokens[viewing] = w.signIn(w.users[viewing])
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/events", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+w.tokens[viewing])
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			end()
			if settles {
				select {
				case w.ports.events <- point.Record{ID: "one", Timestamp: w.clock.Now(), Endpoint: point.PathChat}:
				case <-time.After(2 * eventCheck): // it has ended already
				}
			}
			began := time.Now()
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || string(text) != ": open\n\n" || time.Since(began) > eventPing/2 {
				t.Errorf("%s, a record settles: %v: %q after %s, %v", name, settles, text, time.Since(began), err)
			}
		}
	}
}

// TestRefusal: an error that says nothing to the caller lets nobody in.
func TestRefusal(t *testing.T) {
	if p := refusal(errors.New("away")); p.Status != http.StatusInternalServerError || strings.Contains(p.Detail, "away") {
		t.Error(p)
	}
	if p := refusal(fmt.Errorf("wrapped: %w", unauthorized("No."))); p.Status != http.StatusUnauthorized {
		t.Error(p)
	}
}

func TestPortsThatAreNotThere(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", openAIProvider)
	w.api.Tester, w.api.Explainer, w.api.Models, w.api.Health, w.api.Events = nil, nil, nil, nil, nil
	w.run(map[string]string{"endpoint": w.endpointID(point.PathChat)}, []apiCase{
		{"test", owned, "POST", "/api/providers/main/test", `{}`, nil, 503, nil, nil},
		{"test", owned, "POST", "/api/endpoints/{endpoint}/test", `{"request":{}}`, nil, 503, nil, nil},
		{"explain", owned, "POST", "/api/route/explain", `{"request":{}}`, nil, 503, nil, nil},
		{"models", owned, "GET", "/api/models", "", nil, 503, nil, nil},
		{"events", owned, "GET", "/api/events", "", nil, 503, nil, nil},
		{"health", owned, "GET", "/api/status/health", "", nil, 200, []string{`"database"`}, nil},
		{"providers", owned, "GET", "/api/providers", "", nil, 200, []string{`"unknown"`}, nil},
	})
}

// FuzzCheckJSON looks for a text that checkJSON takes and encoding/json does not.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[[[]]]`, `1e400`, `"\ud800"`, `{"a"`, `tru`, `{} {}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := checkJSON(data); err == nil && !json.Valid(data) {
			t.Errorf("%q", data)
		}
	})
}
