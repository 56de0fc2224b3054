package dialect

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point/internal/jsontext"
)

// jsonSchema turns Gemini's schema, a subset of OpenAPI's, into a JSON schema: its types are in
// upper case, null is a mark of its own, and numbers may stand in strings. What it does not know is
// taken over.
func jsonSchema(s gjson.Result) json.RawMessage {
	return appendSchema(nil, s)
}

// onlyGoogles are keywords that a JSON schema lacks, or that would tell the model nothing.
var onlyGoogles = []string{"nullable", "propertyOrdering", "example"}

func appendSchema(b []byte, s gjson.Result) []byte {
	if !s.IsObject() {
		return append(b, s.Raw...)
	}
	nullable := googleMember(s, "nullable").Bool()
	b = append(b, '{')
	s.ForEach(func(key, v gjson.Result) bool {
		name := googleName(key.Str)
		if slices.Contains(onlyGoogles, name) || v.Type == gjson.Null {
			return true
		}
		if name == "format" && slices.Contains([]string{"enum", "int32", "int64", "float", "double"}, v.Str) {
			return true
		}
		if name == "type" && v.Str == "TYPE_UNSPECIFIED" {
			return true
		}
		b = appendKey(b, name)
		b = appendKeyword(b, name, v, nullable, s)
		return true
	})
	return append(b, '}')
}

func appendKey(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(jsontext.AppendString(b, name), ':')
}

// appendKeyword appends a keyword's value in a JSON schema.
func appendKeyword(b []byte, name string, v gjson.Result, nullable bool, of gjson.Result) []byte {
	switch name {
	case "type":
		return appendType(b, v, nullable)
	case "enum":
		if nullable && v.IsArray() && len(v.Array()) > 0 {
			return append(append(b, strings.TrimSuffix(strings.TrimSpace(v.Raw), "]")...), `,null]`...)
		}
	case "properties":
		return appendProperties(b, v, googleMember(of, "propertyOrdering"))
	case "items", "additionalProperties", "not":
		return appendSchema(b, v)
	case "anyOf", "oneOf", "allOf", "prefixItems":
		b = append(b, '[')
		for i, one := range v.Array() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSchema(b, one)
		}
		if nullable && name == "anyOf" && v.IsArray() && len(v.Array()) > 0 { // each of them would refuse null
			b = append(b, `,{"type":"null"}`...)
		}
		return append(b, ']')
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
		if v.Type == gjson.String && json.Valid([]byte(v.Str)) {
			return append(b, v.Str...)
		}
	}
	return append(b, v.Raw...)
}

// appendType appends a type in lower case, and null beside it if that is allowed too.
func appendType(b []byte, v gjson.Result, nullable bool) []byte {
	if v.Type != gjson.String {
		return append(b, v.Raw...)
	}
	name := strings.ToLower(v.Str)
	if !nullable || name == "null" {
		return jsontext.AppendString(b, name)
	}
	b = jsontext.AppendString(append(b, '['), name)
	return append(b, `,"null"]`...)
}

// appendProperties appends the schemas of properties, those first that order names.
func appendProperties(b []byte, v, order gjson.Result) []byte {
	if !v.IsObject() {
		return append(b, v.Raw...)
	}
	schemas, names := map[string]gjson.Result{}, []string{}
	v.ForEach(func(key, schema gjson.Result) bool {
		if _, twice := schemas[key.Str]; !twice {
			names = append(names, key.Str)
		}
		schemas[key.Str] = schema
		return true
	})
	place := map[string]int{}
	for i, name := range order.Array() {
		place[name.Str] = i - len(order.Array())
	}
	slices.SortStableFunc(names, func(a, b string) int { return place[a] - place[b] })
	b = append(b, '{')
	for _, name := range names {
		b = appendKey(b, name)
		b = appendSchema(b, schemas[name])
	}
	return append(b, '}')
}
