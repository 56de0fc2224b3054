package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The tests that are generated read what is served, openapi.json, as a client's generator does.

// schema is JSON Schema as far as the document uses it.
type schema struct {
	Ref           string             `json:"$ref"`
	Type          typeNames          `json:"type"`
	Format        string             `json:"format"`
	Enum          []any              `json:"enum"`
	Minimum       *float64           `json:"minimum"`
	Maximum       *float64           `json:"maximum"`
	MinLength     *int               `json:"minLength"`
	MaxLength     *int               `json:"maxLength"`
	Pattern       string             `json:"pattern"`
	MinItems      *int               `json:"minItems"`
	MaxItems      *int               `json:"maxItems"`
	MaxProperties *int               `json:"maxProperties"`
	Items         *schema            `json:"items"`
	Properties    map[string]*schema `json:"properties"`
	Required      []string           `json:"required"`
	Additional    additional         `json:"additionalProperties"`
	Examples      []any              `json:"examples"`
	Default       any                `json:"default"`
}

// typeNames is a type, or a list of them.
type typeNames []string

func (t *typeNames) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = typeNames{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// additional says whether an object may have members that properties does not name.
type additional struct {
	closed bool
	schema *schema // of each, nil for any
}

func (a *additional) UnmarshalJSON(raw []byte) error {
	var allowed bool
	if json.Unmarshal(raw, &allowed) == nil {
		a.closed = !allowed
		return nil
	}
	return json.Unmarshal(raw, &a.schema)
}

// is reports whether s has a type, or none.
func (s *schema) is(name string) bool { return slices.Contains(s.Type, name) }

// parameter is one parameter of an operation.
type parameter struct {
	Name     string  `json:"name"`
	In       string  `json:"in"`
	Required bool    `json:"required"`
	Schema   *schema `json:"schema"`
}

// operation is one route as the document tells of it.
type operation struct {
	method, path string
	ID           string      `json:"operationId"`
	Parameters   []parameter `json:"parameters"`
	RequestBody  *struct {
		Required bool               `json:"required"`
		Content  map[string]content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]content `json:"content"`
	} `json:"responses"`
	Permission string `json:"x-permission"`

	creates bool
}

type content struct {
	Schema   *schema `json:"schema"`
	Example  any     `json:"example"`
	Examples map[string]struct {
		Value any `json:"value"`
	} `json:"examples"`
}

func (o *operation) String() string { return o.method + " " + o.path }

// body is the schema of o's body, or nil.
func (o *operation) body() *schema {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Content["application/json"].Schema
}

// streams reports whether o answers without an end.
func (o *operation) streams() bool {
	_, yes := o.Responses["200"].Content["text/event-stream"]
	return yes
}

// apiDocument is the served document.
type apiDocument struct {
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`

	operations []*operation // in order of path and method
}

// readDocument reads the document that a serves, and fails if a route of the table is not in it.
func readDocument(t testing.TB, a *API) *apiDocument {
	t.Helper()
	var d apiDocument
	if err := json.Unmarshal(written, &d); err != nil {
		t.Fatal(err)
	}
	for _, r := range a.routes() {
		op := d.Paths[r.path][strings.ToLower(r.method)]
		if op == nil {
			t.Fatalf("%s %s is not in the document", r.method, r.path)
		}
		op.method, op.path, op.creates = r.method, r.path, r.handler.creates
		if op.Permission != string(r.permission) {
			t.Errorf("%s needs %s; the document says %s", op, r.permission, op.Permission)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			op := d.Paths[path][method]
			if op.method == "" {
				t.Fatalf("%s %s is in the document, but is no route", method, path)
			}
			d.operations = append(d.operations, op)
		}
	}
	return &d
}

// resolve follows a reference.
func (d *apiDocument) resolve(s *schema) *schema {
	for s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	return s
}

// node is a value that a request may hold: a parameter, or something in the body.
type node struct {
	in       string // body, or where a parameter stands
	way      []any  // names and indexes from there; a parameter has its name alone
	schema   *schema
	required bool
	open     bool // stands in an object of an open set of members
}

// location is the node as problems name it.
func (n *node) location() string {
	var b strings.Builder
	b.WriteString(n.in)
	for _, step := range n.way {
		if i, ok := step.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, ".%s", step)
		}
	}
	return b.String()
}

// parent is the location of the object that the node is a member of.
func (n *node) parent() string {
	p := node{in: n.in, way: n.way[:max(0, len(n.way)-1)]}
	return p.location()
}

// nodes are all values that a request to o may hold, each list with one item, each open object
// with one member.
func (d *apiDocument) nodes(o *operation) (all []*node) {
	for _, p := range o.Parameters {
		s := d.resolve(p.Schema)
		all = append(all, &node{in: p.In, way: []any{p.Name}, schema: s, required: p.Required})
		if s.is("array") { // comma separated
			all = append(all, &node{in: p.In, way: []any{p.Name, 0}, schema: d.resolve(s.Items), required: true})
		}
	}
	if s := o.body(); s != nil {
		d.visit(&node{in: "body", schema: d.resolve(s), required: o.RequestBody.Required}, func(n *node) { all = append(all, n) })
	}
	return all
}

// visit calls f with n and all below it, parents first.
func (d *apiDocument) visit(n *node, f func(*node)) {
	f(n)
	below := func(step any, s *schema, required, open bool) {
		d.visit(&node{in: n.in, way: append(slices.Clone(n.way), step), schema: d.resolve(s), required: required, open: open}, f)
	}
	if n.schema.Items != nil {
		below(0, n.schema.Items, true, false)
	}
	for _, name := range slices.Sorted(maps.Keys(n.schema.Properties)) {
		below(name, n.schema.Properties[name], slices.Contains(n.schema.Required, name), false)
	}
	if n.schema.Additional.schema != nil {
		below("x-any", n.schema.Additional.schema, true, true)
	}
}

// setAt sets what stands at a way within a body, making objects and lists on the way.
func setAt(body any, way []any, value any) any {
	if len(way) == 0 {
		return value
	}
	switch step := way[0].(type) {
	case string:
		object, _ := body.(map[string]any)
		object = maps.Clone(object)
		if object == nil {
			object = map[string]any{}
		}
		object[step] = setAt(object[step], way[1:], value)
		return object
	default:
		list, _ := body.([]any)
		var first any
		if len(list) > 0 {
			first = list[0]
		}
		return append([]any{setAt(first, way[1:], value)}, list[min(1, len(list)):]...)
	}
}

// dropAt takes away the member at a way.
func dropAt(body any, way []any) any {
	if len(way) == 1 {
		object, _ := body.(map[string]any)
		object = maps.Clone(object)
		delete(object, fmt.Sprint(way[0]))
		return object
	}
	return setAt(body, way[:len(way)-1], dropAt(valueAt(body, way[:len(way)-1]), way[len(way)-1:]))
}

// valueAt is what stands at a way, or nil.
func valueAt(body any, way []any) any {
	for _, step := range way {
		switch v := body.(type) {
		case map[string]any:
			body = v[fmt.Sprint(step)]
		case []any:
			i, _ := step.(int)
			if i >= len(v) {
				return nil
			}
			body = v[i]
		default:
			return nil
		}
	}
	return body
}

// last is the last step of the node's way; a body as a whole has none.
func (n *node) last() any {
	if len(n.way) == 0 {
		return nil
	}
	return n.way[len(n.way)-1]
}
