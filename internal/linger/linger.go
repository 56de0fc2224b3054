// Package linger bounds how long a server waits for the rest of a request's body that nobody reads.
// net/http reads up to 256 KiB of it before it answers, so that a client which sends a byte at a
// time would hold its connection for days, whoever it is.
package linger

import (
	"net/http"
	"time"
)

// Time is how long is waited.
const Time = time.Second

// Bound is called by whoever answers r without having read its body to the end, before the answer.
// Writers without deadlines, such as recorders in tests, have no server that waits.
func Bound(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(Time))
	}
}

// Unread serves a handler that reads no body.
func Unread(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Bound(w, r)
		h.ServeHTTP(w, r)
	})
}
