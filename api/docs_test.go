package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are addresses of other hosts, and code within the page.
var elsewhere = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]|<script[^>]*>[^<]|<style|\son[a-z]+=|style=|innerHTML|\beval\(`)

func TestDocs(t *testing.T) {
	w := newWorld(t)
	for path, kind := range map[string]string{"/api/docs": "text/html", "/api/docs/docs.js": "text/javascript", "/api/docs/docs.css": "text/css"} {
		a := w.send(request(http.MethodGet, path, "", ""))
		if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), kind) || a.body == "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		if policy := a.header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: %s", path, policy)
		}
		for _, found := range elsewhere.FindAllString(strings.ReplaceAll(a.body, "https://example.com", ""), -1) {
			t.Errorf("%s has %q", path, found)
		}
	}
}
