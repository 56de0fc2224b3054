package adapter

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"point"
	"point/internal/linger"
)

// released is memory or disk that a request holds until it is settled.
type released interface{ release() }

// decode turns a request into a call. Without a call the client is not known; with a call
// and an error it is, and the refusal is recorded.
func (h *Handler) decode(w http.ResponseWriter, r *http.Request, at endpoint) (*point.Call, released, error) {
	start, read := time.Now(), false
	defer func() {
		if !read {
			linger.Bound(w, r)
		}
	}()
	snapshot := h.Config.Snapshot()
	key, err := admit(snapshot, r.Header, start)
	if err != nil {
		return nil, (*body)(nil), err
	}
	call := &point.Call{
		ID: uuid.Must(uuid.NewV7()).String(), ClientRequestID: clip(r.Header.Get("X-Request-Id"), 128),
		Path: at.path, Dialect: at.dialect.Name(), Method: at.method, Header: r.Header,
		Key: key, Snapshot: snapshot, Start: start, Deadline: snapshot.Mapping(at.path).Timeout.Deadline(start),
	}
	if err := enabled(call); err != nil {
		return call, (*body)(nil), err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return call, (*body)(nil), &point.Error{Code: point.UnsupportedEncoding, Message: "Send the request body without Content-Encoding."}
	}
	if boundary, ok := at.takesForm(r); ok {
		f, err := h.bodies.form(w, r, boundary)
		if err != nil {
			return call, f, bodyError(err, h.MaxBody)
		}
		read = true
		call.Form = &f.Form
		return call, f, at.read(call)
	}
	b, err := h.bodies.read(w, r)
	if err != nil {
		return call, b, bodyError(err, h.MaxBody)
	}
	read = true
	call.Body, call.Buffer = b.bytes, b.retainer()
	return call, b, at.read(call)
}

// admit finds the client key of a request. All ways to carry one are read by this function
// alone, and two different ones are refused.
func admit(snapshot *point.Snapshot, header http.Header, now time.Time) (*point.Key, error) {
	token, err := Credential(header)
	if err != nil {
		return nil, err
	}
	key, ok := snapshot.KeyByToken(token, now)
	switch {
	case !ok:
		return nil, &point.Error{Code: point.InvalidAPIKey, Message: noKey(token)}
	case key.Status != point.StatusActive:
		return nil, &point.Error{Code: point.KeyDisabled, Message: "This API key has been revoked."}
	case key.ExpiresAt != nil && !now.Before(*key.ExpiresAt):
		return nil, &point.Error{Code: point.KeyExpired, Message: "This API key has expired."}
	}
	return key, nil
}

// noKey says what is wrong with a credential that is no client key.
func noKey(token string) string {
	const made = "the console's Keys page, POST /api/keys or `point key create` makes one."
	switch {
	case strings.HasPrefix(token, point.UserTokenPrefix):
		return "This is a personal access token, which is for /api alone; /v1 takes a client key: " + made
	case strings.HasPrefix(token, "eyJ"):
		return "This is an access token of a session, which is for /api alone; /v1 takes a client key: " + made
	}
	return "The API key is not one of Point's client keys; " + made
}

// maxToken bounds a credential before it is hashed.
const maxToken = 4 << 10

// Credential is the client key that a request carries in Authorization, x-api-key or
// x-goog-api-key. How to send one is for refuse to say.
func Credential(header http.Header) (string, error) {
	token := ""
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
		for _, value := range header[name] {
			if name == "Authorization" {
				scheme, rest, _ := strings.Cut(value, " ")
				if scheme != "" && !strings.EqualFold(scheme, "Bearer") {
					return "", &point.Error{Code: point.InvalidAPIKey, Message: "Send the key as \"Authorization: Bearer KEY\"."}
				}
				value = rest
			}
			if value = strings.TrimSpace(value); value == "" { // of a client whose setting is empty
				continue
			}
			if token != "" && value != token {
				return "", &point.Error{Code: point.ConflictingKeys, Message: "The request carries two different API keys; send one."}
			}
			token = value
		}
	}
	switch {
	case token == "":
		return "", &point.Error{Code: point.MissingAPIKey, Message: "The request carries no key."}
	case len(token) > maxToken:
		return "", &point.Error{Code: point.InvalidAPIKey, Message: "The API key is too long to be one."}
	}
	return token, nil
}

// enabled checks the endpoint's switch and the key's list of endpoints.
func enabled(call *point.Call) error {
	if e, ok := call.Snapshot.Endpoints[call.Path]; ok && !e.Active {
		return &point.Error{Code: point.EndpointDisabled, Message: call.Path + " is switched off; the console's Endpoints page switches it on."}
	}
	if list := call.Key.Endpoints; len(list) > 0 && !slices.Contains(list, call.Path) {
		return &point.Error{Code: point.NotAllowed, Message: "This API key may not use " + call.Path + "."}
	}
	return nil
}

// allowed checks every target that the request may end up at against the key's list of
// models. Where the operator's alias or mapping chose a target, the name asked for counts.
func allowed(call *point.Call, plan *point.Plan) error {
	if len(call.Key.Models) == 0 {
		return nil
	}
	for _, target := range plan.Targets {
		full := target.Provider.Name + "/" + target.Model
		if mayUse(call.Snapshot, call.Key, full) || target.Asked != "" && mayUse(call.Snapshot, call.Key, target.Asked) {
			continue
		}
		return &point.Error{Code: point.NotAllowed, Param: "model", Message: fmt.Sprintf("This API key may not use the model %q.", clip(full, 100))}
	}
	return nil
}

// bodyError says why a body could not be read.
func bodyError(err error, limit int64) error {
	var known *point.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooLarge):
		return &point.Error{Code: point.BodyTooLarge, Message: fmt.Sprintf("The request body is larger than %d bytes; POINT_MAX_BODY sets the limit.", limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &point.Error{Code: point.RequestTimeout, Message: "The request body arrived too slowly; send it at 1 KiB a second or faster.", Cause: err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &point.Error{Code: point.ClientCancelled, Message: "The client went away while it sent its request.", Cause: err}
	default:
		return &point.Error{Code: point.InvalidRequest, Message: "The request body could not be read whole.", Cause: err}
	}
}
