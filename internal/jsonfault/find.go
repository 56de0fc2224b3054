package jsonfault

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// fault is a place below a value, and the type that its value is not of.
type fault struct {
	place string
	want  reflect.Type
}

// finder looks for a value that is not of its type. It holds the members of the structs that it met.
type finder map[reflect.Type][]member

type member struct {
	name string
	of   reflect.Type
}

// find is the first fault in v, that is to be a t, nil if there is none. It goes down as encoding/json
// does, and decodes by itself each value that has no values of its own.
func (f finder) find(v gjson.Result, t reflect.Type) *fault {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case v.Type == gjson.Null, t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface:
		return nil
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return alone(v, t)
	case t.Kind() == reflect.Slice && v.IsArray():
		return f.elements(v, t.Elem())
	case t.Kind() == reflect.Struct && v.IsObject():
		return f.members(v, t)
	case t.Kind() == reflect.Map && v.IsObject():
		return each(v, func(key, value gjson.Result) *fault { return below("."+key.Str, f.find(value, t.Elem())) })
	}
	return alone(v, t)
}

func (f finder) elements(v gjson.Result, t reflect.Type) *fault {
	i := -1
	return each(v, func(_, value gjson.Result) *fault {
		i++
		found := f.find(value, t)
		if found == nil {
			return nil
		}
		return below("["+strconv.Itoa(i)+"]", found)
	})
}

func (f finder) members(v gjson.Result, t reflect.Type) *fault {
	known := f.of(t)
	return each(v, func(key, value gjson.Result) *fault {
		for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
			for _, m := range known {
				if same(key.Str, m.name) {
					return below("."+m.name, f.find(value, m.of))
				}
			}
		}
		return nil
	})
}

// of are the members of a struct, by their names in JSON.
func (f finder) of(t reflect.Type) []member {
	known, ok := f[t]
	if ok {
		return known
	}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" || field.Anonymous && name == "" || strings.Contains(options, "string") {
			continue
		}
		if name == "" {
			name = field.Name
		}
		known = append(known, member{name, field.Type})
	}
	f[t] = known
	return known
}

// each is the first fault that look finds in the values of a list or an object.
func each(v gjson.Result, look func(key, value gjson.Result) *fault) (found *fault) {
	v.ForEach(func(key, value gjson.Result) bool {
		found = look(key, value)
		return found == nil
	})
	return found
}

// below puts a fault's place below another.
func below(place string, f *fault) *fault {
	if f != nil {
		f.place = place + f.place
	}
	return f
}

// alone is the fault of v itself.
func alone(v gjson.Result, t reflect.Type) *fault {
	var wrong *json.UnmarshalTypeError
	if t.Kind() == reflect.String && v.Type == gjson.String || !errors.As(json.Unmarshal([]byte(v.Raw), reflect.New(t).Interface()), &wrong) {
		return nil
	}
	return &fault{want: wrong.Type}
}
