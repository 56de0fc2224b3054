// Package adapter is the client side of the ChatGPT Adapter: it serves the data plane, /v1 and
// /v1beta.
//
// chat.go holds the data flow, read top to bottom; the other files are its steps in order:
// endpoint.go and decode.go (client -> call), try.go (plan -> reply), relay.go (reply -> client),
// settle.go (the record). Package dialect has what clients speak.
package adapter

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"point"
	"point/internal/linger"
)

// Planner orders a call's targets. Explain does so for people: it gives a reason for every
// provider that is left out.
type Planner interface {
	Plan(call *point.Call) (*point.Plan, error)
	Explain(call *point.Call) (*point.Plan, error)
}

// Recorder keeps records. Available tells, cheaply, whether one could be kept now, so that
// nothing is asked and paid for that could not be answered; Keep returns when the record can no longer be lost, or with an
// error if it could not be kept and the answer must not be finished; Reject counts a call
// that was refused before a key was known.
type Recorder interface {
	Available() error
	Keep(record *point.Record) error
	Reject(path string, code point.Code)
}

// Budget bounds repeats on the same target.
type Budget interface {
	First(providerID string, percent int)
	Repeat(providerID string) bool
}

// Limiter holds client keys to their limits. Admit takes what call needs from all limits of its
// key, or nothing and says why; what it returns is settled once.
type Limiter interface {
	Admit(ctx context.Context, call *point.Call, need point.Need) (point.Lease, point.Standing, error)
	// Full refuses call if its key has nothing left for any request. It takes nothing.
	Full(call *point.Call) (point.Standing, error)
}

// ModelLister tells which models a provider has.
type ModelLister interface {
	List(p *point.Provider) []string
	// Discover asks the service itself, now.
	Discover(ctx context.Context, p *point.Provider) ([]string, error)
	Serves(p *point.Provider, path string) bool
}

// Deps are what a Handler needs. All fields are required but Kept, Responses, Answers, NoMetadata and CORSOrigins.
type Deps struct {
	Config      point.Snapshots
	Routes      Planner
	Senders     map[string]point.Sender // by Provider.Type
	Records     Recorder
	Budget      Budget
	Limits      Limiter
	Lists       ModelLister
	Kept        BodyKeeper     // nil: bodies are not kept
	Responses   ResponseKeeper // nil: responses are not kept
	Answers     AnswerCache    // nil: answers are not kept for equal requests
	NoMetadata  bool           // records get no metadata of request and answer
	Alerts      point.Alerter
	Log         *slog.Logger
	MaxBody     int64 // bytes of one request
	MaxBodies   int64 // bytes of all requests under way
	CORSOrigins []string
}

// Handler serves /v1.
type Handler struct {
	Deps
	bodies  bodyPool
	open    atomic.Int64  // answers under way
	heard   atomic.Int64  // bytes of their answers that are held to be kept
	silence time.Duration // after which a stream is pinged
	usual   usual
	flights flights
}

// New makes a Handler.
func New(d Deps) *Handler {
	return &Handler{Deps: d, bodies: bodyPool{limit: d.MaxBody, budget: d.MaxBodies}, silence: pingAfter}
}

// Open is the number of answers under way.
func (h *Handler) Open() int64 { return h.open.Load() }

// pings start after pingAfter of silence and repeat at that pace.
const pingAfter = 10 * time.Second

// ServeHTTP finds the endpoint of a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	at, ok := endpointOf(path)
	models := isModels(path)
	if !ok || models || r.Method != http.MethodPost { // nothing else reads a body
		linger.Bound(w, r)
	}
	if len(h.CORSOrigins) > 0 && h.cors(w, r) {
		return
	}
	if err := keyInURL(r); err != nil && isGoogles(path) {
		linger.Bound(w, r)
		h.refuse(w, r, err)
		return
	}
	if models {
		h.listOrOne(w, r)
		return
	}
	switch {
	case ok && r.Method != http.MethodPost:
		h.wrongMethod(w, r, "POST")
	case ok && at.path == point.PathGemini && at.stream && r.URL.Query().Get("alt") != "sse":
		list := &listWriter{ResponseWriter: w}
		h.serve(list, r, at)
		list.close()
	case ok:
		h.serve(w, r, at)
	case strings.HasPrefix(path, point.PathResponses+"/"):
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodDelete {
			h.wrongMethod(w, r, "GET, HEAD, DELETE")
			return
		}
		h.serveResponse(w, r)
	default:
		h.refuse(w, r, unknownPath(path))
	}
}

// listOrOne serves the list of models, or one of them.
func (h *Handler) listOrOne(w http.ResponseWriter, r *http.Request) {
	err := unknownMethod(r)
	switch {
	case err != nil:
		h.refuse(w, r, err)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.wrongMethod(w, r, "GET, HEAD")
	default:
		h.serveModels(w, r)
	}
}

// Misplaced reports whether path is that of an endpoint without its /v1: what a client asks for
// whose base URL lacks it.
func Misplaced(path string) bool {
	full := "/v1" + path
	return slices.Contains(point.Endpoints(), full) || strings.HasPrefix(full, point.PathModels+"/") || strings.HasPrefix(full, point.PathResponses+"/")
}

func unknownPath(path string) *point.Error {
	message := "There is no " + clip(path, 100) + " here. The endpoints are " + strings.Join(point.Endpoints(), ", ") + "."
	if Misplaced(path) {
		message = "There is no " + clip(path, 100) + " here, but /v1" + clip(path, 100) + ": the base URL must end in /v1."
	}
	if strings.HasPrefix(path, "/v1/v1/") { // of a client that adds it itself, as Anthropic's do
		message = "There is no " + clip(path, 100) + " here: give this client the base URL without /v1."
	}
	return &point.Error{Code: point.UnknownPath, Message: message}
}

func (h *Handler) wrongMethod(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	h.refuse(w, r, &point.Error{Code: point.MethodNotAllowed, Message: r.URL.Path + " takes " + allowed + ", not " + clip(r.Method, 20) + "."})
}

// clip bounds what is echoed of a client's text.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}
