package api

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"point"
)

// otherPaths are spellings of a path below /api that some part of a system may take for it.
var otherPaths = map[string]func(path string) string{
	"slash twice":           func(p string) string { return "/" + p },
	"slash twice within":    func(p string) string { return strings.Replace(p, "/api/", "/api//", 1) },
	"slash at the end":      func(p string) string { return p + "/" },
	"dot":                   func(p string) string { return strings.Replace(p, "/api/", "/api/./", 1) },
	"dot at the end":        func(p string) string { return p + "/." },
	"escaped dot":           func(p string) string { return strings.Replace(p, "/api/", "/api/%2e/", 1) },
	"up from a public path": func(p string) string { return "/api/setup/.." + strings.TrimPrefix(p, "/api") },
	"escaped up":            func(p string) string { return "/api/setup/%2e%2e" + strings.TrimPrefix(p, "/api") },
	"up by escaped slashes": func(p string) string { return "/api/setup%2f..%2f" + strings.TrimPrefix(p, "/api/") },
	"twice escaped up":      func(p string) string { return "/api/setup/%252e%252e" + strings.TrimPrefix(p, "/api") },
	"up behind a semicolon": func(p string) string { return "/api/setup/..;" + strings.TrimPrefix(p, "/api") },
	"from outside":          func(p string) string { return "/.." + p },
	"semicolon":             func(p string) string { return p + ";x=1" },
	"semicolon within":      func(p string) string { return strings.Replace(p, "/api/", "/api;x/", 1) },
	"escaped slash":         func(p string) string { return strings.Replace(p, "/api/", "/api%2f", 1) },
	"backslash":             func(p string) string { return strings.Replace(p, "/api/", "/api\\", 1) },
	"escaped backslash":     func(p string) string { return strings.Replace(p, "/api/", "/api%5c", 1) },
	"upper case":            strings.ToUpper,
	"one upper case letter": func(p string) string { return strings.Replace(p, "/api/", "/Api/", 1) },
	"NUL":                   func(p string) string { return p + "%00" },
	"NUL and an ending":     func(p string) string { return p + "%00.json" },
	"line break":            func(p string) string { return p + "%0a" },
	"space":                 func(p string) string { return p + "%20" },
	"ending":                func(p string) string { return p + ".json" },
	"no UTF-8":              func(p string) string { return p + "%ff" },
	"long form of a dot":    func(p string) string { return strings.Replace(p, "/api/", "/api/%c0%ae/", 1) },
	"escaped question mark": func(p string) string { return p + "%3f" },
	"absolute":              func(p string) string { return "http://evil.example" + p },
	"absolute, same host":   func(p string) string { return "http://localhost:8080/" + p },
}

// otherRequests are changes of a request in ways that some part of a system may look at in place of its
// method, path, host or credential.
func otherRequests() map[string]func(*http.Request) {
	all := map[string]func(r *http.Request){
		"HEAD":                     func(r *http.Request) { r.Method = http.MethodHead },
		"OPTIONS":                  func(r *http.Request) { r.Method = http.MethodOptions },
		"TRACE":                    func(r *http.Request) { r.Method = http.MethodTrace },
		"CONNECT":                  func(r *http.Request) { r.Method = http.MethodConnect },
		"PROPFIND":                 func(r *http.Request) { r.Method = "PROPFIND" },
		"lower case method":        func(r *http.Request) { r.Method = strings.ToLower(r.Method) },
		"another public page":      func(r *http.Request) { r.Header.Set("Referer", "http://localhost:8080/api/setup") },
		"from this machine":        func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") },
		"from this machine (real)": func(r *http.Request) { r.Header.Set("X-Real-Ip", "127.0.0.1") },
		"forwarded":                func(r *http.Request) { r.Header.Set("Forwarded", "for=127.0.0.1;host=localhost;proto=https") },
		"other host":               func(r *http.Request) { r.Host = "evil.example" },
		"other host, same name":    func(r *http.Request) { r.Host = "localhost@evil.example" },
		"other host forwarded":     func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") },
		"no host":                  func(r *http.Request) { r.Host = "" },
		"host with a path":         func(r *http.Request) { r.Host = "localhost/api/setup?" },
		"named user":               func(r *http.Request) { r.Header.Set("X-Forwarded-User", "owner@example.com") },
		"remote user":              func(r *http.Request) { r.Header.Set("X-Remote-User", "owner@example.com") },
	}
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		for _, method := range []string{"GET", "DELETE", "OPTIONS"} {
			all[header+" "+method] = func(r *http.Request) { r.Header.Set(header, method) }
		}
	}
	for _, header := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Original-Uri", "X-Forwarded-Prefix", "X-Accel-Redirect"} {
		all[header] = func(r *http.Request) { r.Header.Set(header, "/api/setup") }
	}
	for _, name := range []string{"access_token", "token", "api_key", "key", "authorization", "_method"} {
		all["?"+name] = func(r *http.Request) { r.URL.RawQuery = name + "=" + r.Header.Get("Good") }
	}
	for _, name := range []string{"access_token", "token", "Authorization", "session"} {
		all["cookie "+name] = func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: r.Header.Get("Good")}) }
	}
	return all
}

// TestMatrixOfPaths tries to reach every route that is not public under other names, as nobody
// and as a user without a permission.
func TestMatrixOfPaths(t *testing.T) {
	w := newWorld(t).withUsers().withMember()
	w.quiet = true // HEAD and the like have no answer to look at
	count := 0
	try := func(x target, trick string, r *http.Request, token string) {
		count++
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		r.Header.Set("Good", w.tokens[point.RoleOwner])
		if a := w.send(r); a.status < 400 || a.status >= 500 {
			t.Errorf("%s, %s, signed in %v: %d %s", x.name, trick, token != "", a.status, a.body)
		}
	}
	for _, x := range targets() {
		if x.role == "" {
			continue
		}
		for _, token := range []string{"", w.tokens[member]} {
			if token != "" && x.role == member {
				continue
			}
			for trick, path := range otherPaths {
				r, err := overTheWire(x, path(x.path))
				if err != nil {
					count++ // no server hands this on
					continue
				}
				try(x, trick, r, token)
			}
			for trick, change := range otherRequests() {
				r := x.request()
				r.Header.Set("Good", w.tokens[point.RoleOwner])
				change(r)
				try(x, trick, r, token)
			}
		}
	}
	t.Logf("%d requests", count)
}

// overTheWire reads a request as a server does, its target as it came over the wire.
func overTheWire(x target, path string) (*http.Request, error) {
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", x.method, path, len(x.body), x.body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r, nil
}
