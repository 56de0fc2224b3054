// Package wiretest holds answers to the shapes that the services document: which members there
// must be, of which types, with which values, and no others. It is for tests.
package wiretest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A shape is what a JSON value must be.
type shape interface {
	// check tells the first thing in v that is not of the shape; at is where v lies.
	check(c checker, at string, v any) error
}

// checker is how a value is looked at.
type checker struct {
	open bool // what is not documented is let pass, and what may be null may be absent
}

// A kind is a JSON type.
type kind string

const (
	text    kind = "a string"
	number  kind = "a number"
	integer kind = "an integer that is not negative"
	boolean kind = "true or false"
	null    kind = "null"
	struct_ kind = "an object" // of any members
	any_    kind = "anything"
)

func (k kind) check(_ checker, at string, v any) error {
	if k == any_ || kindOf(v) == k || k == number && kindOf(v) == integer {
		return nil
	}
	return fmt.Errorf("%s is %s, not %s", at, show(v), string(k))
}

func kindOf(v any) kind {
	switch v := v.(type) {
	case string:
		return text
	case json.Number:
		if strings.Trim(v.String(), "0123456789") == "" {
			return integer
		}
		return number
	case bool:
		return boolean
	case map[string]any:
		return struct_
	case nil:
		return null
	}
	return "a list"
}

func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw[:min(len(raw), 200)])
}

// words are the strings that a value may be.
type words []string

func is(list ...string) words { return list }

func (w words) check(_ checker, at string, v any) error {
	if s, ok := v.(string); ok && slices.Contains(w, s) {
		return nil
	}
	return fmt.Errorf("%s is %s, not one of %q", at, show(v), []string(w))
}

// maybe is a shape, or null.
type maybe struct{ shape }

func (m maybe) check(c checker, at string, v any) error {
	if v == nil {
		return nil
	}
	return m.shape.check(c, at, v)
}

// either is one of several shapes of different types.
type either []shape

func (e either) check(c checker, at string, v any) (err error) {
	for _, s := range e {
		if err = s.check(c, at, v); err == nil {
			return nil
		}
	}
	return err
}

// open is a shape for what other services say.
type open struct{ shape }

func (o open) check(c checker, at string, v any) error {
	if !c.open {
		return fmt.Errorf("%s is %s", at, show(v))
	}
	return o.shape.check(c, at, v)
}

// list is a list of a shape.
type list struct{ of shape }

func (l list) check(c checker, at string, v any) error {
	values, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is %s, not a list", at, show(v))
	}
	for i, one := range values {
		if err := l.of.check(c, fmt.Sprintf("%s[%d]", at, i), one); err != nil {
			return err
		}
	}
	return nil
}

// object has these members; a name that ends in "?" may be absent.
type object map[string]shape

func (o object) check(c checker, at string, v any) error {
	members, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %s, not an object", at, show(v))
	}
	for name, s := range o {
		name, optional := strings.CutSuffix(name, "?")
		value, there := members[name]
		switch {
		case there && optional && value == nil && c.open:
		case there:
			if err := s.check(c, at+"."+name, value); err != nil {
				return err
			}
		case !optional && !(c.open && nullable(s)):
			return fmt.Errorf("%s has no %q: %s", at, name, show(v))
		}
	}
	return o.known(c, at, members)
}

func nullable(s shape) bool {
	_, ok := s.(maybe)
	return ok
}

// known tells of a member that the shape does not have.
func (o object) known(c checker, at string, members map[string]any) error {
	if c.open {
		return nil
	}
	for name := range members {
		if o[name] == nil && o[name+"?"] == nil {
			return fmt.Errorf("%s has a %q that nobody documents", at, name)
		}
	}
	return nil
}

// and is o with more members.
func (o object) and(more object) object {
	all := object{}
	for _, part := range []object{o, more} {
		for name, s := range part {
			all[name] = s
		}
	}
	return all
}

// but is o without a member.
func (o object) but(name string) object {
	rest := o.and(nil)
	delete(rest, name)
	return rest
}

// tagged is one of several objects, told apart by their "type".
type tagged map[string]object

func (t tagged) check(c checker, at string, v any) error {
	members, _ := v.(map[string]any)
	tag, _ := members["type"].(string)
	o, ok := t[tag]
	if !ok {
		if c.open && tag != "" {
			return nil
		}
		return fmt.Errorf("%s is of the type %q that nobody documents: %s", at, tag, show(v))
	}
	return o.and(object{"type": is(tag)}).check(c, at, v)
}
