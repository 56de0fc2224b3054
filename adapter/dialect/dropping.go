package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"point"
	"point/internal/jsonfault"
)

// ownFields are read by Point itself, whatever the dialect.
var ownFields = []string{"provider", "fallback_providers", "models"}

// maxDropped bounds how many dropped fields are named; their names are the client's.
const maxDropped = 32

// dropping notes what a translation leaves out of a request.
type dropping struct {
	lax     bool // leave out too what would be refused (mapping: unsupported)
	dropped []string
}

// droppingOf is what call's mapping says of fields that a chat cannot say.
func droppingOf(call *point.Call) dropping {
	return dropping{lax: call.Snapshot.Mapping(call.Path).Unsupported == "drop"}
}

// drop notes that a field is left out.
func (d *dropping) drop(name string) {
	if name = printable(name); len(d.dropped) < maxDropped && !slices.Contains(d.dropped, name) {
		d.dropped = append(d.dropped, name)
	}
}

// refuse refuses a part of the request, which changes what the answer is, or drops it if that is
// wished. why is a clause, or empty.
func (d *dropping) refuse(param, why string) error {
	if d.lax {
		d.drop(param)
		return nil
	}
	if why != "" {
		why = ": " + why
	}
	return &point.Error{
		Code: point.UnsupportedField, Param: printable(param),
		Message: fmt.Sprintf(`Only a provider that serves this endpoint itself can honour %q%s. Leave it out, choose such a provider, or set "unsupported" to "drop" in the endpoint's mapping.`, printable(param), why),
	}
}

// badType tells which field has the wrong type, and what it must be, of a part of the body: at is its
// place, empty for all of it, into what it was decoded into.
func badType(at string, part []byte, into any, err error) error {
	var known *point.Error
	place, want, ok := jsonfault.Find(at, part, into, err)
	switch {
	case errors.As(err, &known):
		return known
	case ok:
		return &point.Error{Code: point.InvalidRequest, Param: place, Message: fmt.Sprintf("The field %q must be %s.", place, want)}
	}
	return &point.Error{Code: point.InvalidJSON, Message: "The request body is not valid JSON.", Cause: err}
}

// printable is a client's word as it may stand in a header.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '?'
		}
		return r
	}, name[:min(len(name), 80)])
}
