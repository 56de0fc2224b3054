// Package sse reads server-sent events as the HTML standard defines them.
package sse

// Event is one server-sent event. Its slices are valid until the next call of the reader.
type Event struct {
	Name string // the event field, empty for none
	Data []byte // data lines joined by "\n"
	Raw  []byte // the bytes it came in, its blank line included; comments before it too
}
