// Package sse reads server-sent events as the HTML standard defines them.
//
// A Reader takes bytes in whatever pieces they come and yields whole events. The same bytes
// give the same events however they were split. Nothing is copied on the usual path: an
// event of one data line is handed out as slices of the read buffer.
package sse

import "errors"

// ErrTooLong tells that an event is longer than the reader's limit.
var ErrTooLong = errors.New("sse: event too long")

// Event is one server-sent event. Its slices are valid until the next call of the reader.
type Event struct {
	Name string // the event field, empty for none
	Data []byte // data lines joined by "\n"
	Raw  []byte // the bytes it came in, its blank line included; comments before it too

	// DataAt is where Data stands in Raw, or -1 if Data was joined from several lines.
	DataAt int
	// Partial is true for a last event that the stream ended without a blank line behind.
	Partial bool
}
