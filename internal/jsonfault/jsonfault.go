// Package jsonfault tells where in a JSON text a value is of the wrong type, and what it would have
// to be. encoding/json names the field without indexes and says what was there.
package jsonfault

import (
	"encoding/json"
	"errors"
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
// and what belongs there. at is the place of text itself, empty for a whole body; into is what it was
// decoded into. It is false for an error of another sort. Where the value is not found again, its
// field is named without indexes.
func Find(at string, text []byte, into any, err error) (place, want string, ok bool) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return "", "", false
	}
	found := fault{"." + wrong.Field, wrong.Type}
	if into != nil {
		if f := (finder{}).find(gjson.ParseBytes(text), reflect.TypeOf(into)); f != nil {
			found = *f
		}
	}
	return strings.Trim(at+found.place, "."), wants(found.want), true
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
