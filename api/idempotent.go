package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point/store"
)

// replayedHeader marks an answer that was given before.
const replayedHeader = "Idempotency-Replayed"

const (
	creationLimit = 30 * time.Second // of making a thing, whether its client waits or not
	settleLimit   = 5 * time.Second  // of keeping the answer
)

// idempotent makes at most one thing under an Idempotency-Key. The key is reserved in the
// database before anything is made, which holds for every Point on it, and completed with
// the answer, which a repeat gets again. A client that leaves changes nothing: the work goes
// on. What was refused made nothing and gives the key back; of what broke off (a killed
// process, a lost database) nobody knows whether it made something, so the key stays taken.
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	key := r.Header.Get("Idempotency-Key")
	if creates, _ := ctx.Operation().Metadata[metaCreates].(bool); !creates || !idempotencyKey.MatchString(key) {
		next(ctx)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		writeProblem(w, unreadable(err))
		return
	}
	x := store.Idempotent{Key: key, Route: r.Method + " " + ctx.Operation().Path, UserID: who(r.Context()).user.ID, Fingerprint: fingerprint(r, body)}
	work, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), creationLimit)
	defer cancel()
	kept, err := a.Store.ReserveIdempotent(work, x)
	switch {
	case err != nil:
		a.Log.ErrorContext(r.Context(), "api: an Idempotency-Key could not be reserved", "error", err)
		writeProblem(w, retryAfter(http.StatusServiceUnavailable, settleLimit, "Point cannot tell whether this request was handled before. Repeat it in a moment."))
		return
	case kept != nil:
		replay(w, kept, x.Fingerprint)
		return
	}
	r = r.WithContext(work)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	next(withRequest(ctx, r, answer))
	a.settle(work, x, answer)
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

// fingerprint tells requests under one key apart: by what they are about, and by their body.
func fingerprint(r *http.Request, body []byte) [32]byte {
	return sha256.Sum256(append([]byte(r.URL.RequestURI()+"\n"), body...))
}

// settle completes a reservation, or gives it back.
func (a *API) settle(work context.Context, x store.Idempotent, answer *recorder) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(work), settleLimit)
	defer cancel()
	var err error
	switch {
	case answer.status < http.StatusMultipleChoices:
		x.Status, x.Header, x.Body = answer.status, answer.header, answer.body.Bytes()
		err = a.Store.KeepIdempotent(ctx, x)
	case answer.status < http.StatusInternalServerError && work.Err() == nil:
		err = a.Store.ReleaseIdempotent(ctx, x)
	}
	if err != nil {
		a.Log.ErrorContext(ctx, "api: the answer to an Idempotency-Key could not be kept", "error", err)
	}
}

// replay answers from what is kept.
func replay(w http.ResponseWriter, kept *store.Idempotent, fingerprint [32]byte) {
	switch {
	case kept.Fingerprint != fingerprint:
		p := problem(http.StatusUnprocessableEntity, "This Idempotency-Key was used for another request. Take a new key for a new request.").as(codeKeyReused)
		p.Errors = []ProblemField{{Location: "header.Idempotency-Key", Message: "This was used for another request."}}
		writeProblem(w, p)
	case kept.Status == 0:
		writeProblem(w, retryAfter(http.StatusConflict, time.Second,
			"The first request with this Idempotency-Key is still being handled, or was cut off. Repeat it in a moment. If this answer stays, look whether the thing was made, and if not, send it under a new key.").as(codeInProgress))
	default:
		maps.Copy(w.Header(), kept.Header)
		w.Header().Set(replayedHeader, "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body)
	}
}

func unreadable(err error) *Problem {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return tooLargeProblem(tooLarge.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem(http.StatusRequestTimeout, tooSlow)
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
