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

// noCredential is the refusal of a request without a key: it names the header in which the dialect's
// own clients send one.
func noCredential(in dialect.Dialect) *point.Error {
	how := `"Authorization: Bearer KEY"`
	if in, ok := in.(dialect.Keyed); ok {
		how = `"` + in.KeyHeader() + `: KEY" or ` + how
	}
	return &point.Error{Code: point.MissingAPIKey, Message: "Send a client key as " + how + "; the console's Keys page makes one."}
}

// setID names a request to its client.
func setID(h http.Header, in dialect.Dialect, id string) {
	h["X-Request-Id"] = []string{id}
	if in, ok := in.(dialect.Named); ok {
		h[in.IDHeader()] = []string{id}
	}
}

// begin sets the headers of a JSON document that no call stands behind.
func begin(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Type"] = []string{"application/json"}
	setID(w.Header(), dialectOf(r.URL.Path), uuid.Must(uuid.NewV7()).String())
}

// refuse answers a request that has no call: it is counted, not recorded.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := point.AsError(err)
	h.Records.Reject(pathOf(r.URL.Path), e.Code)
	in := dialectOf(r.URL.Path)
	if e.Code == point.MissingAPIKey {
		e = noCredential(in)
	}
	begin(w, r)
	writeError(w, in, e)
}
