package api

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"point"
)

// TestMatrixOfOrigins: from a page of another origin nothing is written, whatever the browser
// adds by itself, and the events are not followed. No answer lets such a page read it.
func TestMatrixOfOrigins(t *testing.T) {
	w := newWorld(t).withUsers()
	login := w.do("", http.MethodPost, "/api/auth/login", `{"email":"owner@example.com","password":"`+password+`"}`)
	cookie, _, _ := strings.Cut(login.header.Get("Set-Cookie"), ";")
	origins := map[string][]string{
		"null":         {"Origin", "null"},
		"foreign":      {"Origin", "https://evil.example"},
		"subdomain":    {"Origin", "https://x.console.example"},
		"other port":   {"Origin", "https://console.example:8443"},
		"other scheme": {"Origin", "http://console.example", "Host", "console.example"},
		"none":         {"Sec-Fetch-Site", "cross-site"}, // a form of old: the browser tells no origin
	}
	count, version := 0, w.store.Snapshot().Version
	for _, x := range targets() {
		if x.method == http.MethodGet && !strings.HasSuffix(x.path, "/events") {
			continue
		}
		for name, header := range origins {
			for _, credential := range [][]string{{"Cookie", cookie}, {"Authorization", "Bearer " + w.tokens[point.RoleOwner]}} {
				count++
				a := w.send(x.request(append(credential, header...)...))
				if a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
					t.Errorf("%s from %s with %s: %d %s", x.name, name, credential[0], a.status, a.body)
				}
				w.checkHeaders(x.name, a)
			}
		}
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
			if x.method != http.MethodPost && x.method != http.MethodPut {
				continue
			}
			count++
			r := x.request("Authorization", "Bearer "+w.tokens[point.RoleOwner])
			if r.Header.Del("Content-Type"); kind != "" {
				r.Header.Set("Content-Type", kind)
			}
			if a := w.send(r); a.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s as %q: %d %s", x.name, kind, a.status, a.body)
			}
		}
	}
	if now := w.store.Snapshot().Version; now != version {
		t.Errorf("the configuration went from version %d to %d", version, now)
	}
	if a := w.send(request(http.MethodPost, "/api/auth/refresh", "", "", "Cookie", cookie)); a.status != http.StatusOK {
		t.Error("the session was touched", a)
	}
	t.Logf("%d requests", count)
}

// checkHeaders looks for what every answer has, and for what none has.
func (w *world) checkHeaders(name string, a answer) {
	w.t.Helper()
	for header, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if a.header.Get(header) != want {
			w.t.Errorf("%s: %s is %q", name, header, a.header.Get(header))
		}
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		w.t.Errorf("%s: %v", name, a.header)
	}
	for header := range a.header {
		if strings.HasPrefix(header, "Access-Control-") {
			w.t.Errorf("%s may be read by others: %s", name, header)
		}
	}
}

// TestHeadersOfErrors: whatever goes wrong, the answer has them.
func TestHeadersOfErrors(t *testing.T) {
	w := newWorld(t).withUsers()
	for status, r := range map[int]*http.Request{
		401: request(http.MethodGet, "/api/keys", "", ""),
		403: request(http.MethodGet, "/api/audit", w.tokens[viewing], ""),
		404: request(http.MethodGet, "/api/nowhere", "", ""),
		405: request(http.MethodPatch, "/api/keys", "", ""),
		400: request(http.MethodPost, "/api/keys", w.tokens[owned], "{"),
		413: request(http.MethodPost, "/api/keys", w.tokens[owned], strings.Repeat("x", maxBody+1)),
		415: request(http.MethodPost, "/api/keys", w.tokens[owned], "{}", "Content-Encoding", "gzip"),
		421: request(http.MethodGet, "/api/keys", w.tokens[owned], "", "Host", "evil.example"),
		422: request(http.MethodPost, "/api/keys", w.tokens[owned], "{}"),
		200: request(http.MethodGet, "/api/docs", "", ""),
	} {
		a := w.send(r)
		if a.status != status {
			t.Errorf("%d, want %d: %s", a.status, status, a.body)
		}
		w.checkHeaders(r.URL.Path, a)
	}
}

// TestDowngrade: over TLS, a page of the same host that came without is another origin.
func TestDowngrade(t *testing.T) {
	w := newWorld(t).withUsers()
	for origin, status := range map[string]int{"http://localhost:8080": 403, "https://localhost:8080": 200} {
		r := request(http.MethodPost, "/api/auth/login", "", `{"email":"owner@example.com","password":"`+password+`"}`, "Origin", origin)
		r.TLS = &tls.ConnectionState{}
		a := w.send(r)
		if a.status != status {
			t.Errorf("%s: %d %s", origin, a.status, a.body)
		}
		if set := a.header.Get("Set-Cookie"); status == 200 && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "Secure") || !strings.Contains(set, "SameSite=Strict") || !strings.Contains(set, "Path=/api/auth")) {
			t.Error(set)
		}
	}
}
