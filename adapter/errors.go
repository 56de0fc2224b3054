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
	_, _ = w.Write(append(in.Error(e), '\n')) // a client that left is nobody to tell
}

// refuse answers a request that has no call: it is counted, not recorded.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := point.AsError(err)
	h.Records.Reject(pathOf(r.URL.Path), e.Code)
	w.Header()["X-Request-Id"] = []string{uuid.Must(uuid.NewV7()).String()}
	writeError(w, dialectOf(r.URL.Path), e)
}
