package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"point"
	"point/store"
)

// RequestBodies are what a request and its answer said.
type RequestBodies struct {
	Request      string `json:"request" doc:"As the client sent it; empty if it was not kept." example:"{\"model\":\"gpt-4o-mini\",\"messages\":[]}"`
	RequestKept  bool   `json:"request_kept" doc:"False: it was empty, or too large." example:"true"`
	RequestSize  int64  `json:"request_size" doc:"Bytes, kept or not." example:"2048"`
	Response     string `json:"response" doc:"As the provider's answer was relayed, before Point put the cost in: a document, or server-sent events; empty if it was not kept, and for errors that Point answered with."`
	ResponseKept bool   `json:"response_kept" doc:"False: it was too large, or there was none." example:"true"`
	ResponseSize int64  `json:"response_size" doc:"Bytes, kept or not." example:"512"`
}

type bodiesOutput struct{ Body RequestBodies }

// Replay is the body that sends a kept request again.
type Replay struct {
	Provider string `json:"provider,omitempty" maxLength:"255" doc:"Send it to this provider, by name or id; default: where the request or the routing says." example:"anthropic"`
	Model    string `json:"model,omitempty" maxLength:"255" doc:"Ask for this model instead." example:"claude-sonnet-4-5"`
}

type replayInput struct {
	ByID
	Body *Replay
}

// getBodies shows what was said. Who looked is audited.
func (a *API) getBodies(ctx context.Context, in *ByID) (*bodiesOutput, error) {
	record, kept, err := a.kept(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	a.audit(ctx, point.AuditEntry{Event: point.AuditBodies, TargetKind: "request", TargetID: record.ID, TargetName: record.Endpoint})
	return &bodiesOutput{Body: RequestBodies{
		Request: shown(kept.Request), RequestKept: kept.Request != nil, RequestSize: kept.RequestSize,
		Response: shown(kept.Response), ResponseKept: kept.Response != nil, ResponseSize: kept.ResponseSize,
	}}, nil
}

// shown is a body as text that JSON holds.
func shown(body []byte) string { return strings.ToValidUTF8(string(body), "\uFFFD") }

// requestScope says whose requests the caller may see, whatever else a route asks for.
func requestScope(ctx context.Context) store.Scope {
	switch p := who(ctx); {
	case p.may(RequestsRead):
		return store.All()
	case p.may(RequestsOwn):
		return store.OwnedBy(p.user.ID)
	default:
		return store.Scope{}
	}
}

// kept finds a request that the caller may see, and its bodies.
func (a *API) kept(ctx context.Context, id string) (point.Record, *store.KeptBodies, error) {
	record, err := a.Store.GetRequest(ctx, requestScope(ctx), id)
	if err != nil {
		return record, nil, fromStore(err, "request")
	}
	kept, err := a.Store.GetBodies(ctx, record.ID)
	if errors.Is(err, store.ErrNotFound) {
		return record, nil, problem(http.StatusNotFound,
			"What this request said was not kept, or is kept no longer. POINT_BODIES=full keeps it from the next request on, for as long as POINT_RETENTION says.").as(codeNotKept)
	}
	return record, kept, err
}

// replayRequest sends a kept request through the present routing, as a test.
func (a *API) replayRequest(ctx context.Context, in *replayInput) (*testOutput, error) {
	record, kept, err := a.kept(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if kept.Request == nil {
		return nil, problem(http.StatusConflict, fmt.Sprintf("This request cannot be sent again: its body of %d bytes was empty, or too large to keep.", kept.RequestSize))
	}
	if a.Tester == nil {
		return nil, notHere("the gateway")
	}
	var change Replay
	if in.Body != nil {
		change = *in.Body
	}
	request, err := change.apply(a.Store.Snapshot(), kept.Request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, testLimit)
	defer cancel()
	result, err := a.Tester.TestEndpoint(ctx, record.Endpoint, request)
	a.auditTest(ctx, point.AuditReplay, "request", record.ID, record.Endpoint, err == nil && result.OK)
	return tested(result, err)
}

// apply puts what is asked for in place of what the request said.
func (r Replay) apply(s *point.Snapshot, request []byte) (json.RawMessage, error) {
	if r == (Replay{}) {
		return request, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(request, &members); err != nil {
		return nil, problem(http.StatusConflict, "This request is not a JSON object, so neither provider nor model can be put in: send it again without them.")
	}
	if r.Provider != "" { // and nowhere else
		_, named := members["provider"]
		members["provider"], _ = json.Marshal(r.Provider) // text always can be written
		delete(members, "fallback_providers")
		delete(members, "models")
		var model string
		if !named && json.Unmarshal(members["model"], &model) == nil && r.Model == "" { // else all of it is the model's name
			_, r.Model = s.SplitModel(model)
		}
	}
	if r.Model != "" {
		members["model"], _ = json.Marshal(r.Model)
	}
	out, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("encode a request to send again: %w", err)
	}
	return out, nil
}
