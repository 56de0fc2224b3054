package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Flags holds what the command line said. Its struct is made from the table of settings, so
// that a row there is a flag without a second list.
type Flags struct{ target reflect.Value }

// NewFlags makes an empty set.
func NewFlags() Flags {
	var fields []reflect.StructField
	for _, s := range Settings() {
		if s.Secret {
			continue
		}
		tag := fmt.Sprintf(`name:%q help:%q placeholder:%q group:"Settings (flag, environment, file)"`,
			s.Flag(), s.Help, placeholder(s))
		fields = append(fields, reflect.StructField{
			Name: fieldName(s),
			Type: reflect.TypeFor[*string](),
			Tag:  reflect.StructTag(tag),
		})
	}
	return Flags{reflect.New(reflect.StructOf(fields))}
}

// Target is the pointer to a struct that kong.Embed fills.
func (f Flags) Target() any { return f.target.Interface() }

// get is the flag of s, if it was given.
func (f Flags) get(s Setting) (string, bool) {
	if !f.target.IsValid() || s.Secret {
		return "", false
	}
	v := f.target.Elem().FieldByName(fieldName(s))
	if v.IsNil() {
		return "", false
	}
	return v.Elem().String(), true
}

func placeholder(s Setting) string {
	if s.Default == "" {
		return s.Env()
	}
	return s.Default
}

// fieldName is an exported Go name: MAX_BODY.
func fieldName(s Setting) string { return strings.ToUpper(s.Name) }
