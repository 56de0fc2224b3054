package adapter

import (
	"net/http"

	"github.com/google/uuid"

	"point"
	"point/adapter/dialect"
)

// writeError answers with e, in a dialect.
func writeError(w http.ResponseWriter, in dialect.Dialect, e *point.Error) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	if e.RetryAfter > 0 {
		h["Retry-After"] = []string{retryAfterSeconds(e.RetryAfter)}
	}
	if e.Final {
		h["X-Should-Retry"] = []string{"false"}
	}
	if e.Code == point.MissingAPIKey || e.Code == point.InvalidAPIKey {
		h["Www-Authenticate"] = []string{"Bearer"}
	}
	w.WriteHeader(e.HTTPStatus())
	_, _ = w.Write(append(in.Error(identified(e, h.Get("X-Request-Id"))), '\n')) // a client that left is nobody to tell
}

// identified is e with the id of the request that failed.
func identified(e *point.Error, id string) *point.Error {
	named := *e
	named.RequestID = id
	return &named
}

// setID names a request to its client.
func setID(h http.Header, in dialect.Dialect, id string) {
	h["X-Request-Id"] = []string{id}
	if in, ok := in.(dialect.Named); ok {
		h[in.IDHeader()] = []string{id}
	}
}

// refuse answers a request that has no call: it is counted, not recorded.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := point.AsError(err)
	h.Records.Reject(pathOf(r.URL.Path), e.Code)
	in := dialectOf(r.URL.Path)
	setID(w.Header(), in, uuid.Must(uuid.NewV7()).String())
	writeError(w, in, e)
}
