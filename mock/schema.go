package mock

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// maxSampleDepth bounds recursive schemas.
const maxSampleDepth = 12

// schema is the part of JSON Schema that samples honour. Gemini writes types in capitals.
type schema struct {
	Type        json.RawMessage    `json:"type"` // a name or a list of names
	Properties  properties         `json:"properties"`
	Required    []string           `json:"required"`
	Items       *schema            `json:"items"`
	PrefixItems []*schema          `json:"prefixItems"`
	MinItems    int                `json:"minItems"`
	MinLength   int                `json:"minLength"`
	MaxLength   *int               `json:"maxLength"`
	Minimum     *float64           `json:"minimum"`
	Maximum     *float64           `json:"maximum"`
	Enum        []json.RawMessage  `json:"enum"`
	Const       json.RawMessage    `json:"const"`
	Default     json.RawMessage    `json:"default"`
	Format      string             `json:"format"`
	AnyOf       []*schema          `json:"anyOf"`
	OneOf       []*schema          `json:"oneOf"`
	AllOf       []*schema          `json:"allOf"`
	Ref         string             `json:"$ref"`
	Defs        map[string]*schema `json:"$defs"`
	Definitions map[string]*schema `json:"definitions"`
}

// properties keep the order in which a schema lists them.
type properties []property

type property struct {
	name   string
	schema *schema
}

func (p *properties) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		s := new(schema)
		if err := dec.Decode(s); err != nil {
			return err
		}
		*p = append(*p, property{name.(string), s}) // keys are always strings
	}
	return nil
}

// sampler makes a value for a schema out of words of the user's text.
type sampler struct {
	root *schema
	text string
}

// sampleArgs is a JSON object for a tool's arguments. A tool without arguments gets {}.
func sampleArgs(raw json.RawMessage, text string) []byte {
	if b := sampleJSON(raw, text); len(b) > 0 && b[0] == '{' {
		return b
	}
	return []byte("{}")
}

// sampleJSON is a value that fits the schema, or {} if there is none to read.
func sampleJSON(raw json.RawMessage, text string) []byte {
	root := new(schema)
	if len(raw) == 0 || json.Unmarshal(raw, root) != nil {
		return []byte("{}")
	}
	s := sampler{root, text}
	return s.value(nil, "", root, 0)
}

// value appends a value of the given property name.
func (s *sampler) value(b []byte, name string, sc *schema, depth int) []byte {
	sc = s.resolve(sc)
	switch {
	case sc == nil || depth > maxSampleDepth:
		return append(b, "null"...)
	case len(sc.Const) > 0:
		return appendCompact(b, sc.Const)
	case len(sc.Enum) > 0:
		return appendCompact(b, s.pick(sc.Enum))
	}
	switch sc.kind() {
	case "object":
		return s.object(b, sc, depth)
	case "array":
		return s.array(b, name, sc, depth)
	case "integer", "number":
		return s.number(b, sc)
	case "boolean":
		return append(b, "true"...)
	case "null":
		return append(b, "null"...)
	}
	return appendString(b, s.word(name, sc))
}

// resolve follows references and takes the first alternative that is not null.
func (s *sampler) resolve(sc *schema) *schema {
	for range maxSampleDepth {
		switch {
		case sc == nil:
			return nil
		case sc.Ref != "":
			sc = s.lookup(sc.Ref)
		case len(sc.AnyOf) > 0:
			sc = firstReal(sc.AnyOf)
		case len(sc.OneOf) > 0:
			sc = firstReal(sc.OneOf)
		case len(sc.AllOf) == 1 && len(sc.Properties) == 0:
			sc = sc.AllOf[0]
		default:
			return sc
		}
	}
	return nil
}

func (s *sampler) lookup(ref string) *schema {
	if ref == "#" {
		return s.root
	}
	if name, ok := strings.CutPrefix(ref, "#/$defs/"); ok {
		return s.root.Defs[name]
	}
	name, _ := strings.CutPrefix(ref, "#/definitions/")
	return s.root.Definitions[name]
}

func firstReal(list []*schema) *schema {
	for _, sc := range list {
		if sc != nil && sc.kind() != "null" {
			return sc
		}
	}
	return list[0]
}

// kind is the schema's type in lower case, guessed if it is not told.
func (sc *schema) kind() string {
	var one string
	if json.Unmarshal(sc.Type, &one) == nil && one != "" {
		return strings.ToLower(one)
	}
	var many []string
	if json.Unmarshal(sc.Type, &many) == nil {
		for _, k := range many {
			if k = strings.ToLower(k); k != "null" {
				return k
			}
		}
	}
	switch {
	case len(sc.Properties) > 0 || len(sc.AllOf) > 0:
		return "object"
	case sc.Items != nil:
		return "array"
	}
	return "string"
}

// object has the required properties; all of them if none is required. Near the depth limit
// only required ones are left, which ends recursion through optional properties.
func (s *sampler) object(b []byte, sc *schema, depth int) []byte {
	b = append(b, '{')
	first := true
	for _, part := range append([]*schema{sc}, sc.AllOf...) {
		part = s.resolve(part)
		if part == nil {
			continue
		}
		for _, p := range part.Properties {
			required := slices.Contains(part.Required, p.name)
			if !required && (len(part.Required) > 0 || depth > 2) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendString(b, p.name), ':')
			b = s.value(b, p.name, p.schema, depth+1)
		}
	}
	return append(b, '}')
}

func (s *sampler) array(b []byte, name string, sc *schema, depth int) []byte {
	b = append(b, '[')
	items := sc.PrefixItems
	for len(items) < max(sc.MinItems, 1) && len(items) < 100 && sc.Items != nil && depth < maxSampleDepth/2 {
		items = append(items, sc.Items)
	}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.value(b, strings.TrimSuffix(name, "s"), item, depth+1)
	}
	return append(b, ']')
}

var numberWord = regexp.MustCompile(`-?\b\d{1,9}\b`)

func (s *sampler) number(b []byte, sc *schema) []byte {
	n := json.Number(numberWord.FindString(s.text))
	v, err := n.Float64()
	if err != nil {
		v = 1
	}
	if sc.Minimum != nil {
		v = max(v, *sc.Minimum)
	}
	if sc.Maximum != nil {
		v = min(v, *sc.Maximum)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return append(b, '1')
	}
	return append(b, out...)
}

// pick is the value that the text names, or the first.
func (s *sampler) pick(values []json.RawMessage) json.RawMessage {
	text := strings.ToLower(s.text)
	for _, v := range values {
		var word string
		if json.Unmarshal(v, &word) == nil && word != "" && strings.Contains(text, strings.ToLower(word)) {
			return v
		}
	}
	return values[0]
}

// byFormat are values of the string formats that clients check.
var byFormat = map[string]string{
	"date":      "2026-01-31",
	"time":      "12:00:00Z",
	"date-time": "2026-01-31T12:00:00Z",
	"duration":  "PT1H",
	"email":     "someone@example.com",
	"uri":       "https://example.com/",
	"hostname":  "example.com",
	"ipv4":      "192.0.2.1",
	"ipv6":      "2001:db8::1",
	"uuid":      "00000000-0000-4000-8000-000000000000",
}

var properName = regexp.MustCompile(`\b(?:in|of|for|at|from|to|about|named|called)\s+(\p{Lu}[\p{L}'-]*(?:\s+\p{Lu}[\p{L}'-]*)*)`)

// word is a string for a property: a fitting format, a name that the text has, or a phrase
// made of the property's own name.
func (s *sampler) word(name string, sc *schema) string {
	word, ok := byFormat[sc.Format]
	if !ok {
		if m := properName.FindStringSubmatch(s.text); m != nil {
			word = m[1]
		} else {
			word = strings.TrimSpace("example " + strings.ReplaceAll(name, "_", " "))
		}
	}
	for len(word) < min(sc.MinLength, 4096) {
		word += "."
	}
	if sc.MaxLength != nil && *sc.MaxLength >= 0 && len(word) > *sc.MaxLength {
		word = strings.ToValidUTF8(word[:*sc.MaxLength], "")
	}
	return word
}

func appendString(b []byte, s string) []byte {
	out, _ := json.Marshal(s) // strings always marshal
	return append(b, out...)
}

func appendCompact(b []byte, raw json.RawMessage) []byte {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return append(b, "null"...)
	}
	return append(b, out.Bytes()...)
}
