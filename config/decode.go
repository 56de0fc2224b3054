package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"point"
)

// decoder fills Go values from YAML by the same json tags that /api uses, and notes every
// problem with its line, in words for people. (The YAML library's own strict decoding stops
// at tags of its own and speaks of Go types.)
type decoder struct {
	path    string
	problem func(where, format string, args ...any)
}

// nodeDecoder is a type that reads its own YAML.
type nodeDecoder interface {
	decodeNode(d *decoder, n *yaml.Node)
}

func (d *decoder) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", d.path, n.Line) }

func (d *decoder) place(n *yaml.Node) Place { return Place{d.path, n} }

func (d *decoder) wrong(n *yaml.Node, name, want string) {
	d.problem(d.at(n), "%s must be %s.", name, want)
}

// decode fills to, which is settable; name is what the value is called in problems.
func (d *decoder) decode(n *yaml.Node, name string, to reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if to.CanAddr() && d.special(n, name, to) {
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		d.pointer(n, name, to)
	case reflect.Struct:
		d.object(n, name, to)
	case reflect.Slice:
		d.list(n, name, to)
	case reflect.Map:
		d.dictionary(n, name, to)
	default:
		d.scalar(n, name, to)
	}
}

// special handles the types that know their own form.
func (d *decoder) special(n *yaml.Node, name string, to reflect.Value) bool {
	switch v := to.Addr().Interface().(type) {
	case nodeDecoder:
		v.decodeNode(d, n)
	case *point.Secret:
		var s string
		d.scalar(n, name, reflect.ValueOf(&s).Elem())
		*v = point.NewSecret(s)
	case *json.RawMessage:
		*v = d.raw(n, name)
	case encoding.TextUnmarshaler:
		if n.Kind != yaml.ScalarNode {
			d.wrong(n, name, "a single value")
		} else if err := v.UnmarshalText([]byte(n.Value)); err != nil {
			d.problem(d.at(n), "%s: %v.", name, err)
		}
	default:
		return false
	}
	return true
}

func (d *decoder) raw(n *yaml.Node, name string) json.RawMessage {
	var v any
	datesAreText(n)
	if err := n.Decode(&v); err != nil {
		d.wrong(n, name, "plain YAML")
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		d.wrong(n, name, "a value that JSON can say")
	}
	return b
}

// datesAreText keeps what looks like a date as it is written: JSON has no dates.
func datesAreText(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, part := range n.Content {
		datesAreText(part)
	}
}

func (d *decoder) pointer(n *yaml.Node, name string, to reflect.Value) {
	if n.Tag == "!!null" {
		to.SetZero()
		return
	}
	to.Set(reflect.New(to.Type().Elem()))
	d.decode(n, name, to.Elem())
}

func (d *decoder) object(n *yaml.Node, name string, to reflect.Value) {
	fields, names := fieldsOf(to)
	d.members(n, name, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			hint := suggestion(key.Value, names)
			if _, ok := fields["settings"]; ok && isSetting(key.Value) {
				hint = "; put it under settings"
			}
			d.problem(d.at(key), "%s has no field %q%s.", name, key.Value, hint)
			return
		}
		d.decode(value, key.Value, field)
	})
}

func (d *decoder) list(n *yaml.Node, name string, to reflect.Value) {
	if n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, name, "a list")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.decode(item, fmt.Sprintf("%s[%d]", name, i), to.Index(i))
	}
}

func (d *decoder) dictionary(n *yaml.Node, name string, to reflect.Value) {
	to.Set(reflect.MakeMap(to.Type()))
	d.members(n, name, func(key, value *yaml.Node) {
		v := reflect.New(to.Type().Elem()).Elem()
		d.decode(value, key.Value, v)
		to.SetMapIndex(reflect.ValueOf(key.Value), v)
	})
}

// members visits each pair of a mapping, and notes keys that occur twice.
func (d *decoder) members(n *yaml.Node, name string, visit func(key, value *yaml.Node)) {
	if n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.wrong(n, name, "a mapping of names to values")
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if line, twice := seen[key.Value]; twice {
			d.problem(d.at(key), "%q stands in line %d already.", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		visit(key, value)
	}
}

func (d *decoder) scalar(n *yaml.Node, name string, to reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, name, "a single value")
		return
	}
	want := ""
	switch to.Kind() {
	case reflect.String:
		if n.Tag != "!!null" {
			to.SetString(n.Value)
		}
		return
	case reflect.Bool:
		want = "true or false"
	case reflect.Float64:
		want = "a number"
	default:
		want = "a whole number"
	}
	if n.Decode(to.Addr().Interface()) != nil {
		d.wrong(n, name, want)
	}
}

// fieldsOf maps the JSON names of a struct's exported fields to its values.
func fieldsOf(v reflect.Value) (fields map[string]reflect.Value, names []string) {
	fields = map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	return fields, names
}
