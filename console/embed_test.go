package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var built = fstest.MapFS{
	".keep":                 {},
	"index.html":            {Data: []byte("<!doctype html>index")},
	"index.html.gz":         {Data: []byte("index-gzip")},
	"theme.js":              {Data: []byte("theme")},
	"assets/app-a1b2.js":    {Data: []byte("app")},
	"assets/app-a1b2.js.br": {Data: []byte("app-brotli")},
	"assets/app-a1b2.js.gz": {Data: []byte("app-gzip")},
	"assets/sans.woff2":     {Data: []byte("font")},
}

func TestHandler(t *testing.T) {
	t.Parallel()
	const forever, anew = "public, max-age=31536000, immutable", "no-cache"
	type answer struct {
		Status                      int
		Type, Cache, Encoding, Body string
	}
	for _, test := range []struct {
		name, method, url, accept string
		want                      answer
	}{
		{"the root", "GET", "/", "", answer{200, "text/html; charset=utf-8", anew, "", "<!doctype html>index"}},
		{"a page of the application", "GET", "/requests/0192-ab", "", answer{200, "text/html; charset=utf-8", anew, "", "<!doctype html>index"}},
		{"a page whose id has a dot", "GET", "/providers/a.b", "", answer{200, "text/html; charset=utf-8", anew, "", "<!doctype html>index"}},
		{"index.html packed", "GET", "/", "gzip, deflate", answer{200, "text/html; charset=utf-8", anew, "gzip", "index-gzip"}},
		{"a hashed file", "GET", "/assets/app-a1b2.js", "", answer{200, "text/javascript; charset=utf-8", forever, "", "app"}},
		{"brotli before gzip", "GET", "/assets/app-a1b2.js", "gzip, br;q=0.9", answer{200, "text/javascript; charset=utf-8", forever, "br", "app-brotli"}},
		{"brotli refused", "GET", "/assets/app-a1b2.js", "br;q=0, gzip", answer{200, "text/javascript; charset=utf-8", forever, "gzip", "app-gzip"}},
		{"a font", "GET", "/assets/sans.woff2", "br", answer{200, "font/woff2", forever, "", "font"}},
		{"a file without a hash", "GET", "/theme.js", "", answer{200, "text/javascript; charset=utf-8", anew, "", "theme"}},
		{"a file of an older build", "GET", "/assets/app-old.js", "", answer{404, "text/plain; charset=utf-8", "no-store", "", "There is no such file.\n"}},
		{"a packed form by its name", "GET", "/assets/app-a1b2.js.gz", "", answer{404, "text/plain; charset=utf-8", "no-store", "", "There is no such file.\n"}},
		{"a hidden file", "GET", "/.keep", "", answer{404, "text/plain; charset=utf-8", "no-store", "", "There is no such file.\n"}},
		{"a way out", "GET", "/../../etc/passwd", "", answer{200, "text/html; charset=utf-8", anew, "", "<!doctype html>index"}},
		{"HEAD", "HEAD", "/", "", answer{200, "text/html; charset=utf-8", anew, "", ""}},
		{"POST", "POST", "/", "", answer{405, "text/plain; charset=utf-8", "", "", "The console answers GET and HEAD alone.\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(test.method, test.url, nil)
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			handler(built).ServeHTTP(w, r)
			h := w.Header()
			got := answer{w.Code, h.Get("Content-Type"), h.Get("Cache-Control"), h.Get("Content-Encoding"), w.Body.String()}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", test.method, test.url, diff)
			}
		})
	}
}

func TestHandlerAnswersNotModified(t *testing.T) {
	t.Parallel()
	h := handler(built)
	first := httptest.NewRecorder()
	h.ServeHTTP(first, httptest.NewRequest("GET", "/", nil))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	second := httptest.NewRecorder()
	h.ServeHTTP(second, r)
	if second.Code != http.StatusNotModified {
		t.Errorf("status %d, want 304", second.Code)
	}
}

func TestHandlerSetsSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/", "/assets/app-a1b2.js", "/assets/none.js"} {
		w := httptest.NewRecorder()
		handler(built).ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") {
			t.Errorf("%s: policy %q", url, policy)
		}
		for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"} {
			if w.Header().Get(name) == "" {
				t.Errorf("%s: no %s", url, name)
			}
		}
	}
}

func TestHandlerWithoutBuild(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler(fstest.MapFS{".keep": {}}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

// TestEmbedded serves whatever this binary was built with.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}
