package adapter

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"point"
)

// errorBody is OpenAI's error object.
type errorBody struct {
	Error errorObject `json:"error"`
}

type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func encodeError(e *point.Error) []byte {
	object := errorObject{Message: e.Message, Type: e.UpstreamType}
	if object.Type == "" {
		object.Type = e.Code.Type()
	}
	code := e.UpstreamCode
	if code == "" {
		code = string(e.Code)
	}
	object.Code = &code
	if e.Param != "" {
		object.Param = &e.Param
	}
	b, _ := json.Marshal(errorBody{object}) // strings always marshal
	return b
}

// errorEvent is the server-sent event that ends a stream which failed.
func errorEvent(e *point.Error) []byte {
	b := append([]byte("data: "), encodeError(e)...)
	return append(b, "\n\n"...)
}

// writeError answers with e.
func writeError(w http.ResponseWriter, e *point.Error) {
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
	_, _ = w.Write(append(encodeError(e), '\n')) // a client that left is nobody to tell
}

// refuse answers a request that has no call: it is counted, not recorded.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := point.AsError(err)
	h.Records.Reject(r.URL.Path, e.Code)
	w.Header()["X-Request-Id"] = []string{uuid.Must(uuid.NewV7()).String()}
	writeError(w, e)
}
