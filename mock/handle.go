package mock

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// invalidKey is the credential that every service refuses.
const invalidKey = "invalid"

// Kinds of failures that a status does not tell.
const (
	kindModel   = "model"   // no such model
	kindContext = "context" // prompt too long
	kindQuota   = "quota"   // nothing left to spend
	kindKey     = "key"     // wrong key
)

// maxBody bounds request bodies.
const maxBody = 256 << 20

func (s *Server) routes() {
	for _, svc := range []service{openAI{}, anthropic{}, gemini{}, bedrock{}, cohere{}} {
		s.mux.Handle("/"+svc.name()+"/", s.handler(svc))
	}
	s.mux.HandleFunc("GET /mock/faults", s.getFaults)
	s.mux.HandleFunc("GET /mock/stats", s.getStats)
	s.mux.HandleFunc("POST /mock/reset", s.postReset)
	s.mux.HandleFunc("GET /{$}", getIndex)
}

func getIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "Simulated AI services: /openai/v1, /anthropic, /gemini, /bedrock, /cohere. Faults: /mock/faults. Counters: /mock/stats.\n")
}

// handler serves all paths of one service.
func (s *Server) handler(svc service) http.HandlerFunc {
	prefix := "/" + svc.name()
	return func(w http.ResponseWriter, r *http.Request) {
		buf := takeBuffer()
		defer giveBuffer(buf)
		err := buf.read(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
		path := strings.TrimPrefix(r.URL.Path, prefix)
		if err == nil && s.fast(w, r, svc, buf.b) {
			return
		}
		req := &request{Request: r, server: s, path: path, body: buf.b, n: s.stats.next(), key: svc.key(r)}
		svc.route(req)
		req.peek()
		s.stats.begin(svc, req)
		defer s.stats.end(svc, req)
		s.respond(w, svc, req, err)
	}
}

// peek finds the model and stream flag in a body that may be anything.
func (r *request) peek() {
	if r.model != "" || len(r.body) == 0 {
		return
	}
	var body struct {
		Model  string `json:"model"`
		Stream bool   `json:"stream"`
	}
	_ = json.Unmarshal(r.body, &body) // the service refuses what cannot be read
	r.model, r.stream = body.Model, body.Stream
}

// respond answers one request, as a script, a fault or the service will have it.
func (s *Server) respond(w http.ResponseWriter, svc service, req *request, readErr error) {
	req.Request.Body = io.NopCloser(newReader(req.body)) // scripts may read it again
	if s.script.run(w, req.Request) {
		return
	}
	if f := refuse(req, readErr); f != nil {
		s.deliver(w, req, svc.fail(req, f.complete()))
		return
	}
	var err error
	if req.faults, err = findFaults(req); err != nil {
		s.deliver(w, req, svc.fail(req, bad("", err.Error())))
		return
	}
	if s.spoil(w, svc, req) {
		return
	}
	rep, f := s.serveRequest(svc, req)
	if f != nil {
		rep = svc.fail(req, f.complete())
	} else {
		req.bend(svc, rep)
	}
	s.deliver(w, req, rep)
}

// refuse tells what is wrong with a request before a service looks at it.
func refuse(req *request, readErr error) *failure {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readErr, &tooLarge):
		return &failure{status: http.StatusRequestEntityTooLarge}
	case readErr != nil:
		return bad("", "The request body could not be read.")
	case req.op == "":
		return &failure{status: http.StatusNotFound, message: "Unknown request URL: " + req.Method + " " + req.URL.Path + "."}
	case req.Method != req.op.method():
		return &failure{status: http.StatusMethodNotAllowed, message: "Not allowed to " + req.Method + " on " + req.URL.Path + "."}
	}
	return nil
}

func (s *Server) serveRequest(svc service, req *request) (*reply, *failure) {
	if f := svc.admit(req); f != nil {
		return nil, f
	}
	if s.opts.StrictModels && req.model != "" && req.op != opModel && !req.faults.byModel && !known(svc, req.model) {
		if s, ok := svc.(interface{ unknown() *failure }); ok {
			return nil, s.unknown()
		}
		return nil, noModel(req.model)
	}
	return svc.answer(req)
}

func known(svc service, id string) bool {
	list := slices.Concat(openAIList)
	switch svc.(type) {
	case anthropic:
		list = anthropicList
	case gemini:
		list = geminiList
	case bedrock:
		list = bedrockList
		id = bedrockModel(id)
	case cohere:
		list = cohereList
	}
	return hasModel(list, id)
}

// statusMessages are what failures say that have no message of their own.
var statusMessages = map[int]string{
	302: "It is somewhere else.",
	400: "The request is not valid.",
	401: "Incorrect API key provided.",
	402: "Your account has no credit left.",
	403: "This key may not use what was asked for.",
	404: "There is nothing here.",
	408: "The request took too long.",
	409: "The request collided with another one.",
	413: "The request is too large.",
	422: "The request cannot be processed.",
	429: "Rate limit reached. Please try again later.",
	500: "The server had an error while processing your request.",
	502: "Bad gateway.",
	503: "The service is overloaded or not ready yet.",
	504: "The upstream timed out.",
	529: "Overloaded",
}

// complete fills in the message.
func (f *failure) complete() *failure {
	if f.message == "" {
		f.message = statusMessages[f.status]
	}
	return f
}

// pause waits for d, or less if the request or the server ends; it reports whether the whole
// time went by.
func (r *request) pause(d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-r.server.closing:
	}
	return false
}

// hang waits until the client goes away or the server is closed.
func (r *request) hang() {
	select {
	case <-r.Context().Done():
	case <-r.server.closing:
	}
}
