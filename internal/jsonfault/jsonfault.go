// Package jsonfault tells where in a JSON text a value is of the wrong type, and what it would have
// to be. encoding/json names the field without indexes and says what was there.
package jsonfault

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/tidwall/gjson"
)

// Wanter is a type that JSON has in several forms.
type Wanter interface {
	// Wants names them for people: "a string or a list of parts".
	Wants() string
}

// Union makes err, of decoding one of U's forms as L, tell that it was to be a U. Errors of what
// stands within an L stay as they are.
func Union[L any, U Wanter](err error) error {
	var wrong *json.UnmarshalTypeError
	if err != nil && errors.As(err, &wrong) && wrong.Field == "" && wrong.Type == reflect.TypeFor[L]() {
		wrong.Type = reflect.TypeFor[U]()
	}
	return err
}

// Find tells what json.Unmarshal of text could not take: the place, such as "messages[2].content",
// and what belongs there. at is the place of text itself, empty for a whole body. It is false for an
// error of another sort. Where the value is not found again, its field is named without indexes.
func Find(at string, text []byte, err error) (place, want string, ok bool) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return "", "", false
	}
	var names []string
	if wrong.Field != "" {
		names = strings.Split(wrong.Field, ".")
	}
	place, found := find(gjson.ParseBytes(text), names, wrong.Value)
	if !found {
		place = "." + wrong.Field
	}
	return strings.Trim(at+place, "."), wants(wrong.Type), true
}

// find is the place of the first value of a kind below v, under names and the lists between them.
func find(v gjson.Result, names []string, kind string) (place string, found bool) {
	switch {
	case v.IsArray():
		i := -1
		v.ForEach(func(_, element gjson.Result) bool {
			i++
			place, found = find(element, names, kind)
			return !found
		})
		if found {
			return fmt.Sprintf("[%d]%s", i, place), true
		}
	case len(names) > 0 && v.IsObject():
		place, found = find(v.Get(names[0]), names[1:], kind)
		return "." + names[0] + place, found
	}
	return "", len(names) == 0 && isKind(v, kind)
}

// isKind reports whether v is what encoding/json calls kind: "array", or "number 1.5".
func isKind(v gjson.Result, kind string) bool {
	kind, number, _ := strings.Cut(kind, " ")
	switch kind {
	case "string":
		return v.Type == gjson.String
	case "bool":
		return v.Type == gjson.True || v.Type == gjson.False
	case "number":
		return v.Type == gjson.Number && (number == "" || v.Raw == number)
	case "object":
		return v.IsObject()
	case "array":
		return v.IsArray()
	}
	return false
}

// wants names what a type is in JSON.
func wants(t reflect.Type) string {
	if w, ok := reflect.Zero(t).Interface().(Wanter); ok {
		return w.Wants()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wants(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.String {
			return "a list of strings"
		}
		return "a list"
	}
	return "an object"
}
