package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

// closedSchema makes a JSON schema fit for Anthropic's output format: objects are closed,
// and constraints that it would refuse are told in the description. Order is kept, since the
// model answers in it.
func closedSchema(schema json.RawMessage) json.RawMessage {
	return appendClosed(nil, gjson.ParseBytes(schema))
}

// unheld are the constraints that Anthropic's output format refuses.
var unheld = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
	"maxItems", "uniqueItems", "minProperties", "maxProperties", "$schema",
}

func appendClosed(b []byte, s gjson.Result) []byte {
	switch {
	case s.IsArray():
		b = append(b, '[')
		s.ForEach(func(_, item gjson.Result) bool {
			b = comma(b)
			b = appendClosed(b, item)
			return true
		})
		return append(b, ']')
	case !s.IsObject():
		return append(b, s.Raw...)
	}
	b = append(b, '{')
	var notes []string
	var description string
	closed := false
	s.ForEach(func(key, value gjson.Result) bool {
		switch name := key.Str; {
		case name == "$schema":
		case name == "description":
			description = value.String()
		case slices.Contains(unheld, name), name == "minItems" && value.Num > 1:
			notes = append(notes, name+": "+value.Raw)
		default:
			closed = closed || name == "additionalProperties"
			b = comma(b)
			b = append(b, key.Raw...)
			b = append(b, ':')
			b = appendMember(b, name, value)
		}
		return true
	})
	if !closed && isObjectSchema(s) {
		b = append(comma(b), `"additionalProperties":false`...)
	}
	if len(notes) > 0 {
		description = strings.TrimSpace(description + " (" + strings.Join(notes, ", ") + ")")
	}
	if description != "" {
		b = append(comma(b), `"description":`...)
		b = jsontext.AppendString(b, description)
	}
	return append(b, '}')
}

// appendMember appends a keyword's value, closing the schemas in it.
func appendMember(b []byte, name string, value gjson.Result) []byte {
	switch name {
	case "properties", "$defs", "definitions":
		b = append(b, '{')
		value.ForEach(func(key, schema gjson.Result) bool {
			b = comma(b)
			b = append(b, key.Raw...)
			b = append(b, ':')
			b = appendClosed(b, schema)
			return true
		})
		return append(b, '}')
	case "items", "anyOf", "oneOf", "allOf", "prefixItems", "not":
		return appendClosed(b, value)
	}
	return append(b, value.Raw...)
}

// comma appends a comma, unless the list or object in b has just begun.
func comma(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' {
		return b
	}
	return append(b, ',')
}

func isObjectSchema(s gjson.Result) bool {
	return s.Get("type").Str == "object" || s.Get("properties").IsObject()
}

// geminiSchema is Gemini's subset of OpenAPI's schema:
// https://ai.google.dev/api/caching#Schema
type geminiSchema struct {
	Type             string                   `json:"type,omitempty"`
	Format           string                   `json:"format,omitempty"`
	Title            string                   `json:"title,omitempty"`
	Description      string                   `json:"description,omitempty"`
	Nullable         bool                     `json:"nullable,omitempty"`
	Enum             []string                 `json:"enum,omitempty"`
	Properties       map[string]*geminiSchema `json:"properties,omitempty"`
	PropertyOrdering []string                 `json:"propertyOrdering,omitempty"`
	Required         []string                 `json:"required,omitempty"`
	Items            *geminiSchema            `json:"items,omitempty"`
	AnyOf            []*geminiSchema          `json:"anyOf,omitempty"`
	MinItems         json.RawMessage          `json:"minItems,omitempty"`
	MaxItems         json.RawMessage          `json:"maxItems,omitempty"`
	MinLength        json.RawMessage          `json:"minLength,omitempty"`
	MaxLength        json.RawMessage          `json:"maxLength,omitempty"`
	Minimum          json.RawMessage          `json:"minimum,omitempty"`
	Maximum          json.RawMessage          `json:"maximum,omitempty"`
	Pattern          string                   `json:"pattern,omitempty"`
}

// maxSchemas bounds how many schemas one may unfold to: references are copied out.
const maxSchemas = 5000

// unfolding turns a JSON schema into Gemini's form.
type unfolding struct {
	root  gjson.Result
	known map[string]gjson.Result // references resolved
	count int                     // of schemas visited; walks to find one weigh more
}

// toGeminiSchema translates a JSON schema; what Gemini does not know is left out, and
// references are replaced by what they refer to (a recursive one by any object).
func toGeminiSchema(schema json.RawMessage) (*geminiSchema, error) {
	u := newUnfolding(schema)
	g := u.schema(u.root, nil)
	if u.count > maxSchemas {
		return nil, &point.Error{
			Code:    point.InvalidRequest,
			Message: fmt.Sprintf("A JSON schema unfolds to more than %d parts; Gemini knows no references.", maxSchemas),
		}
	}
	return g, nil
}

func newUnfolding(schema json.RawMessage) *unfolding {
	u := &unfolding{root: gjson.ParseBytes(schema), known: map[string]gjson.Result{}}
	u.define("$defs")
	u.define("definitions")
	return u
}

// define notes the definitions under a member of the root.
func (u *unfolding) define(member string) {
	u.root.Get(gjson.Escape(member)).ForEach(func(key, schema gjson.Result) bool {
		u.known["#/"+member+"/"+key.Str] = schema
		return true
	})
}

func (u *unfolding) schema(s gjson.Result, refs []string) *geminiSchema {
	g := &geminiSchema{}
	u.fill(g, s, refs)
	if g.Type == "" && len(g.AnyOf) == 0 {
		g.guess()
	}
	g.tidy()
	return g
}

// guess names a type for a schema without one: Gemini wants each to have it.
func (g *geminiSchema) guess() {
	switch {
	case g.Properties != nil:
		g.Type = "object"
	case g.Items != nil:
		g.Type = "array"
	default:
		g.Type = "string"
	}
}

// tidy removes what Gemini refuses in combination.
func (g *geminiSchema) tidy() {
	if g.Type != "string" {
		g.Enum = nil
	}
	if g.Type == "array" && g.Items == nil {
		g.Items = &geminiSchema{Type: "string"}
	}
	g.Required = slices.DeleteFunc(g.Required, func(name string) bool { return g.Properties[name] == nil })
}

// fill takes the keywords of s over into g.
func (u *unfolding) fill(g *geminiSchema, s gjson.Result, refs []string) {
	if u.count++; u.count > maxSchemas {
		return
	}
	if ref := s.Get("$ref").Str; ref != "" {
		if slices.Contains(refs, ref) || len(refs) > 32 {
			g.Type = "object"
		} else {
			u.fill(g, u.resolve(ref), append(slices.Clone(refs), ref))
		}
	}
	s.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "type":
			u.setType(g, value)
		case "title":
			g.Title = value.Str
		case "description":
			g.Description = value.Str
		case "nullable":
			g.Nullable = value.Bool()
		case "enum":
			u.setEnum(g, value.Array())
		case "const":
			u.setEnum(g, []gjson.Result{value})
		case "pattern":
			g.Pattern = value.Str
		case "properties":
			u.setProperties(g, value, refs)
		case "required":
			for _, name := range value.Array() {
				g.Required = append(g.Required, name.Str)
			}
		case "items":
			g.Items = u.schema(value, refs)
		case "anyOf", "oneOf":
			u.setAny(g, value, refs)
		case "allOf":
			for _, part := range value.Array() {
				u.fill(g, part, refs)
			}
		case "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum":
			g.setBound(key.Str, value)
		}
		return true
	})
	g.setFormat(s.Get("format").Str)
}

// resolve finds what a reference within the schema points at.
func (u *unfolding) resolve(ref string) gjson.Result {
	if at, ok := u.known[ref]; ok {
		return at
	}
	u.count += 50 // each is a walk over the whole
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return gjson.Result{}
	}
	at := u.root
	for _, name := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		if name != "" {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			at = at.Get(gjson.Escape(name))
		}
	}
	return at
}

func (u *unfolding) setType(g *geminiSchema, value gjson.Result) {
	var types []string
	for _, t := range value.Array() { // a string is a list of one
		if t.Str == "null" {
			g.Nullable = true
		} else {
			types = append(types, t.Str)
		}
	}
	switch len(types) {
	case 0:
	case 1:
		g.Type = types[0]
	default:
		for _, t := range types {
			one := &geminiSchema{Type: t}
			one.tidy()
			g.AnyOf = append(g.AnyOf, one)
		}
	}
}

// setEnum keeps enumerations of strings; of others the description tells.
func (u *unfolding) setEnum(g *geminiSchema, values []gjson.Result) {
	var names, others []string
	for _, v := range values {
		switch {
		case v.Type == gjson.String && v.Str != "":
			names = append(names, v.Str)
		case v.Type == gjson.Null:
			g.Nullable = true
		default:
			others = append(others, v.Raw)
		}
	}
	if len(others) > 0 {
		for _, n := range names {
			others = append(others, strconv.Quote(n))
		}
		g.Description = strings.TrimSpace(g.Description + " (one of " + strings.Join(others, ", ") + ")")
		if g.Type == "" {
			g.Type = jsonType(values[0])
		}
		return
	}
	g.Enum = names
}

func jsonType(v gjson.Result) string {
	switch v.Type {
	case gjson.Number:
		if v.Num == float64(int64(v.Num)) {
			return "integer"
		}
		return "number"
	case gjson.True, gjson.False:
		return "boolean"
	}
	return "string"
}

func (u *unfolding) setProperties(g *geminiSchema, value gjson.Result, refs []string) {
	value.ForEach(func(key, schema gjson.Result) bool {
		if g.Properties == nil {
			g.Properties = map[string]*geminiSchema{}
		}
		if g.Properties[key.Str] == nil {
			g.PropertyOrdering = append(g.PropertyOrdering, key.Str)
		}
		g.Properties[key.Str] = u.schema(schema, refs)
		return true
	})
}

// setAny takes alternatives over; null among them makes the schema nullable, and a single
// one left is the schema itself.
func (u *unfolding) setAny(g *geminiSchema, value gjson.Result, refs []string) {
	var left []gjson.Result
	for _, s := range value.Array() {
		if s.Get("type").Str == "null" {
			g.Nullable = true
		} else {
			left = append(left, s)
		}
	}
	if len(left) == 1 {
		u.fill(g, left[0], refs)
		return
	}
	for _, s := range left {
		g.AnyOf = append(g.AnyOf, u.schema(s, refs))
	}
}

func (g *geminiSchema) setBound(name string, value gjson.Result) {
	if value.Type != gjson.Number {
		return
	}
	raw := json.RawMessage(value.Raw)
	switch name {
	case "minItems":
		g.MinItems = raw
	case "maxItems":
		g.MaxItems = raw
	case "minLength":
		g.MinLength = raw
	case "maxLength":
		g.MaxLength = raw
	case "minimum":
		g.Minimum = raw
	case "maximum":
		g.Maximum = raw
	}
}

// setFormat keeps the formats that Gemini knows for a type; others it refuses.
func (g *geminiSchema) setFormat(format string) {
	known := map[string][]string{"string": {"date-time", "enum"}, "integer": {"int32", "int64"}, "number": {"float", "double"}}
	if slices.Contains(known[g.Type], format) {
		g.Format = format
	}
}
