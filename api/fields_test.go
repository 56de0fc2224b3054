package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"point"
)

// unboundedNodes are values that a request may hold without a bound of their own, with the
// reason. The body as a whole has one.
var unboundedNodes = map[string]string{
	"query.state": comesBack,
	"query.code":  comesBack,
	"query.iss":   comesBack,
	"query.error": comesBack,
	"body.config": "of a saved configuration: its own reader bounds every member",
}

const comesBack = "an OpenID provider sends it through a browser: whatever it is ends on a page, which a refusal is not"

// TestEveryWritableValueIsBounded: whatever a caller may send has a bound in the document.
func TestEveryWritableValueIsBounded(t *testing.T) {
	a, _ := described(t)
	d := readDocument(t, a)
	count := 0
	for _, o := range d.operations {
		for _, n := range d.nodes(o) {
			count++
			if n.open && len(n.schema.Type) == 0 {
				continue // any JSON, handed on as it is
			}
			if lacks := n.schema.unbounded(); lacks != "" && unboundedNodes[n.location()] == "" {
				t.Errorf("%s: %s needs %s", o, n.location(), lacks)
			}
		}
	}
	t.Logf("%d values", count)
}

// TestEveryConstraintIsKept breaks each constraint of each parameter and member, one at a time:
// the answer names the place and does not repeat what was sent.
func TestEveryConstraintIsKept(t *testing.T) {
	w := newFullWorld(t)
	kinds, places := map[string]int{}, map[string]bool{}
	for _, o := range w.doc.operations {
		base := call{op: o, path: w.fill(o), token: w.tokens[point.RoleOwner]}
		if list := w.bodies(o); len(list) > 0 {
			base.body = list[0]
		}
		for _, n := range w.doc.nodes(o) {
			tried := map[string]bool{}
			for _, b := range w.doc.breaches(n) {
				tried[b.what] = true
				c := base
				w.breach(&c, n, b)
				kinds[b.what]++
				places[o.String()+n.location()] = true
				w.refused(&c, n, b.what)
			}
			for _, constraint := range n.constraints() {
				if !tried[constraint] && untried[constraint+" of "+n.location()] == "" {
					t.Errorf("%s: nothing breaks the %s of %s", o, constraint, n.location())
				}
			}
		}
		if o.String() == "GET /api/auth/oidc/callback" {
			continue // providers add parameters of their own
		}
		c := base
		c.put(&node{in: "query", way: []any{"zq_unknown"}}, mirror)
		kinds["unknown"]++
		w.refused(&c, &node{in: "query", way: []any{"zq_unknown"}}, "unknown")
	}
	total := 0
	for _, n := range kinds {
		total += n
	}
	t.Logf("%d requests at %d places: %v", total, len(places), kinds)
}

// untried are constraints that no request here breaks, with the reason.
var untried = map[string]string{}

// constraints are the names of all that a schema asks of the values at n.
func (n *node) constraints() (list []string) {
	s := n.schema
	add := func(name string, is bool) {
		if is {
			list = append(list, name)
		}
	}
	body := n.in == "body"
	_, item := n.last().(int)
	add("required", n.required && !n.open && !item && len(n.way) > 0 && n.in != "path")
	add("type", body && len(s.Type) > 0 || s.is("integer") || s.is("number") || s.is("boolean"))
	add("enum", len(s.Enum) > 0)
	add("minimum", s.Minimum != nil)
	add("maximum", s.Maximum != nil && *s.Maximum < 1<<52) // beyond, JSON has no whole numbers
	add("minLength", orZero(s.MinLength) > 1 || orZero(s.MinLength) == 1 && body)
	add("maxLength", s.MaxLength != nil)
	add("pattern", s.Pattern != "")
	add("format", slices.Contains([]string{"date-time", "uuid", "email", "uri"}, s.Format))
	add("minItems", orZero(s.MinItems) > 0)
	add("maxItems", s.MaxItems != nil)
	add("maxProperties", s.MaxProperties != nil)
	add("unknown", body && s.is("object") && s.Additional.closed)
	return list
}

// breach puts a value that is wrong into c.
func (w *fullWorld) breach(c *call, n *node, b breach) {
	_, missing := b.value.(absent)
	switch {
	case n.in != "body":
		c.put(n, b.value)
	case missing:
		c.body = dropAt(w.doc.with(c.op, c.body, n, nil), n.way)
	default:
		c.body = w.doc.with(c.op, c.body, n, b.value)
	}
}

// refused sends c, in which the node n is wrong.
func (w *fullWorld) refused(c *call, n *node, what string) {
	w.t.Helper()
	a := w.send(c.request())
	if strings.Contains(a.body, mirror) {
		w.t.Errorf("%s, %s of %s: the answer repeats the value: %s", c.op, what, n.location(), a.body)
	}
	var p Problem
	a.into(w.t, &p)
	place := n.location()
	if _, item := n.last().(int); len(n.way) > 0 && (item || n.open) {
		place = n.parent() // a list of texts may be refused as a whole
	}
	names := func(f ProblemField) bool {
		return f.Location == place || strings.HasPrefix(f.Location, place+".") || strings.HasPrefix(f.Location, place+"[")
	}
	if a.status != http.StatusUnprocessableEntity || !slices.ContainsFunc(p.Errors, names) {
		w.t.Errorf("%s, %s of %s: %d %.600s\n%.600s", c.op, what, n.location(), a.status, a.body, c)
	}
}
