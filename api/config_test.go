package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"point"
	"point/adapter/provider"
	"point/store"
)

// ownKind is a kind with a setting of every type.
var ownKind = &provider.Kind{
	Name: "own", Title: "Own", BaseURL: "https://own.example",
	Fields: []provider.Field{
		{Name: "region", Title: "Region", Type: "string", Required: true},
		{Name: "secret_access_key", Title: "Secret", Type: "secret", Required: true},
		{Name: "token_url", Title: "Token URL", Type: "url"},
		{Name: "depth", Title: "Depth", Type: "integer"},
		{Name: "beta", Title: "Beta", Type: "boolean"},
		{Name: "names", Title: "Names", Type: "map"},
		{Name: "base_url", Title: "Resource URL", Type: "url", Required: true},
	},
}

func TestOwnFields(t *testing.T) {
	a, nobody := &API{}, &principal{user: &point.User{}}
	for _, c := range []struct {
		name, config string
		faults       string // locations below body.config
	}{
		{"all", `{"region":"eu","secret_access_key":"canary-1234567890","token_url":"https://t.example","depth":3,"beta":true,"names":{"a":"b"},"base_url":"https://x.example"}`, ""},
		{"the required ones", `{"region":"eu","secret_access_key":"canary-1","base_url":"https://x.example"}`, ""},
		{"nothing", `{}`, "base_url secret_access_key region"},
		{"empty", `{"region":"","secret_access_key":"","base_url":""}`, "region secret_access_key base_url"},
		{"null", `{"region":null,"secret_access_key":null,"base_url":null,"depth":null}`, "base_url region secret_access_key"},
		{"wrong types", `{"region":1,"secret_access_key":{},"token_url":"x","depth":"3","beta":1,"names":["a"],"base_url":"https://x.example"}`, "region secret_access_key token_url depth beta names"},
	} {
		var config ProviderConfig
		if err := json.Unmarshal([]byte(c.config), &config); err != nil {
			t.Fatal(err)
		}
		var f faults
		out := a.readConfig(ownKind, config, nil, nobody, &f)
		for _, field := range strings.Fields(c.faults) {
			if !strings.Contains(string(mustJSON(t, f)), `"body.config.`+field+`"`) {
				t.Errorf("%s: %s is not among %v", c.name, field, f)
			}
		}
		if c.faults == "" && len(f) > 0 {
			t.Errorf("%s: %v", c.name, f)
		}
		if c.name == "all" {
			shown := string(mustJSON(t, shapeConfig(&out)))
			if !strings.Contains(shown, `"depth":3`) || !strings.Contains(shown, `"names":{"a":"b"}`) || !strings.Contains(shown, `"secret_access_key":"***7890"`) {
				t.Error(shown)
			}
			kept := a.readConfig(ownKind, shapeConfig(&out), &out, nobody, &f)
			if len(f) > 0 || kept.Secrets["secret_access_key"] != out.Secrets["secret_access_key"] {
				t.Error("what is shown cannot be sent back", f)
			}
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestNew(t *testing.T) {
	if _, err := New(Deps{}); err == nil {
		t.Error("an API without a store starts")
	}
	w := newWorld(t)
	h, err := New(Deps{Store: w.store})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, request(http.MethodGet, "/api/setup", "", ""))
	if rec.Code != http.StatusOK {
		t.Error(rec.Code, rec.Body)
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	w := newWorld(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("canary") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.handler = w.api.secure(mux)
	if a := w.do("", http.MethodGet, "/panic", ""); a.status != http.StatusInternalServerError || a.body == "" {
		t.Error(a)
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Error(p)
		}
	}()
	w.do("", http.MethodGet, "/abort", "")
}

func TestErrorsBecomeAnswers(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{setupRefusal(&store.Conflict{Field: "users"}), http.StatusConflict},
		{setupRefusal(store.ErrNotFound), http.StatusForbidden},
		{setupRefusal(errors.New("x")), 0},
		{fromStore(store.ErrStale, "key"), http.StatusPreconditionFailed},
		{fromPoint(&point.Error{Code: point.ProviderCredentials, Message: "No."}), http.StatusBadGateway},
		{fromPoint(&point.Error{Code: point.InvalidAPIKey, Message: "No."}), http.StatusBadGateway},
		{fromPoint(&point.Error{Code: point.Internal, Message: "No."}), 0},
		{unreadable(&http.MaxBytesError{Limit: 5}), http.StatusRequestEntityTooLarge},
		{unreadable(errors.New("cut")), http.StatusBadRequest},
	} {
		var p *Problem
		if errors.As(c.err, &p); p == nil && c.status != 0 || p != nil && p.Status != c.status {
			t.Errorf("%v: %+v, want %d", c.err, p, c.status)
		}
	}
}
