package api

import (
	"net/http"
	"strings"
	"testing"
)

// TestNamesInPlaceOfIDs gives a name to every route whose path has an id.
func TestNamesInPlaceOfIDs(t *testing.T) {
	w := newFullWorld(t)
	lists := map[string]bool{}
	for _, o := range w.doc.operations {
		lists[o.method+" "+o.path] = true
	}
	tried := 0
	for _, o := range w.doc.operations {
		list, _, byID := strings.Cut(o.path, "/{id}")
		if !byID {
			continue
		}
		tried++
		named := strings.HasPrefix(o.path, "/api/providers/")
		c := call{op: o, token: w.tokens[owned], path: strings.Replace(o.path, "{id}", "some%20name", 1)}
		if list := w.bodies(o); len(list) > 0 {
			c.body = list[0]
		}
		a := w.send(c.request())
		hint := "GET " + list + " lists them."
		if a.status != http.StatusNotFound || strings.Contains(a.body, hint) == named {
			t.Errorf("%s: %d %s", o, a.status, a.body)
		}
		if !lists["GET "+list] {
			t.Errorf("%s: no route lists %s", o, list)
		}
		c.path = strings.Replace(o.path, "{id}", "01890000-0000-7000-8000-000000000000", 1)
		if a := w.send(c.request()); a.status != http.StatusNotFound || strings.Contains(a.body, "lists them") {
			t.Errorf("%s with an unknown id: %d %s", o, a.status, a.body)
		}
	}
	if tried < 30 {
		t.Errorf("%d routes were tried", tried)
	}
	for _, o := range w.doc.operations {
		if !strings.HasPrefix(o.path, "/api/providers/{id}") || o.method == http.MethodDelete {
			continue
		}
		c := call{op: o, token: w.tokens[owned], path: strings.Replace(o.path, "{id}", "second", 1)}
		if list := w.bodies(o); len(list) > 0 {
			c.body = list[0]
		}
		if a := w.send(c.request()); a.status != http.StatusOK {
			t.Errorf("%s by name: %d %s", o, a.status, a.body)
		}
	}
}
