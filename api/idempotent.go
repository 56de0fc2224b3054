package api

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point/store"
)

// replayedHeader marks an answer that was given before.
const replayedHeader = "Idempotency-Replayed"

// repeats are the creations with an Idempotency-Key that are under way in this process.
type repeats struct {
	mu      sync.Mutex
	running map[string]bool
}

// start is false while the same creation is under way.
func (r *repeats) start(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[key] {
		return false
	}
	r.running[key] = true
	return true
}

func (r *repeats) end(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, key)
}

// idempotent gives a creation that is repeated under the same Idempotency-Key its first
// answer again. Only successes are kept: what failed made nothing.
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	key := r.Header.Get("Idempotency-Key")
	if creates, _ := ctx.Operation().Metadata[metaCreates].(bool); !creates || !idempotencyKey.MatchString(key) {
		next(ctx)
		return
	}
	x := store.Idempotent{Key: key, Route: r.Method + " " + ctx.Operation().Path, UserID: who(r.Context()).user.ID}
	id := x.Route + "\x00" + x.UserID + "\x00" + key
	if !a.repeats.start(id) {
		writeProblem(w, problem(http.StatusConflict, "The first request with this Idempotency-Key is still being handled. Repeat it in a moment."))
		return
	}
	defer a.repeats.end(id)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		writeProblem(w, unreadable(err))
		return
	}
	x.Fingerprint = sha256.Sum256(body)
	if a.replay(w, r, x) {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &recorder{header: w.Header(), status: http.StatusOK}
	next(withRequest(ctx, r, answer))
	if answer.status < http.StatusMultipleChoices {
		x.Status, x.Body, x.CreatedAt = answer.status, answer.body.Bytes(), a.Now().UTC()
		if err := a.Store.SaveIdempotent(r.Context(), x); err != nil {
			a.Log.ErrorContext(r.Context(), "api: an answer could not be kept for its Idempotency-Key", "error", err)
		}
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

// replay answers from what was kept, if there is something.
func (a *API) replay(w http.ResponseWriter, r *http.Request, x store.Idempotent) bool {
	kept, err := a.Store.FindIdempotent(r.Context(), x.Key, x.Route, x.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false
	case err != nil:
		a.Log.ErrorContext(r.Context(), "api: a kept answer could not be read", "error", err)
		writeProblem(w, problem(http.StatusServiceUnavailable, "Point cannot tell whether this request was handled before. Repeat it in a moment."))
	case kept.Fingerprint != x.Fingerprint:
		p := problem(http.StatusUnprocessableEntity, "This Idempotency-Key was used with another body. Take a new key for a new request.")
		p.Errors = []ProblemField{{Location: "header.Idempotency-Key", Message: "This was used for another request."}}
		writeProblem(w, p)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(replayedHeader, "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body)
	}
	return true
}

func unreadable(err error) *Problem {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return tooLargeProblem(tooLarge.Limit)
	}
	return problem(http.StatusBadRequest, "The body could not be read to its end.")
}

// recorder holds an answer back until it is kept.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
