package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// Endpoint is one path of the data plane.
type Endpoint struct {
	ID         string    `json:"id" format:"uuid"`
	Path       string    `json:"path" example:"/v1/chat/completions"`
	Active     bool      `json:"active" doc:"An inactive endpoint answers 404 endpoint_disabled."`
	Mapping    Mapping   `json:"mapping" doc:"What applies: its own mapping, or the default one."`
	OwnMapping bool      `json:"own_mapping" doc:"It has a mapping of its own."`
	ManagedBy  string    `json:"managed_by" enum:"user,file,env,demo" example:"user"`
	Version    int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

type endpointOutput struct {
	Tagged
	Body Endpoint
}

type listEndpointsInput struct {
	Status string `query:"status" enum:"active,inactive" doc:"Only those with this status."`
}

// UpdateEndpoint is the body that changes an endpoint; absent members stay as they are.
type UpdateEndpoint struct {
	Active  *bool        `json:"active,omitempty"`
	Mapping MappingInput `json:"mapping,omitzero" doc:"Replaces the endpoint's mapping; absent members of it take their defaults. null: it has none of its own any more."`
}

type updateEndpointInput struct {
	ByID
	Precondition
	Body UpdateEndpoint

	mapping *point.Mapping // what the body gives, read; nil for none
}

// Resolve reads the mapping, so that its mistakes are listed beside those of its shape.
func (in *updateEndpointInput) Resolve(ctx huma.Context) []error {
	var f faults
	if a, _ := apiOf(ctx); in.Body.Mapping.given() && !in.Body.Mapping.dropped() {
		in.mapping = readMapping(in.Body.Mapping, a.Store.Snapshot(), "body.mapping", &f)
	}
	return f.errors()
}

// EndpointTest is the body that tests an endpoint.
type EndpointTest struct {
	Request map[string]any `json:"request" maxProperties:"500" doc:"A request as a client would send it to the endpoint's path." example:"{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]}"`
}

type testEndpointInput struct {
	ByID
	Body EndpointTest
}

// ExplainRoute is the body that asks where a request would go.
type ExplainRoute struct {
	Endpoint string         `json:"endpoint,omitempty" enum:"/v1/chat/completions,/v1/responses,/v1/completions,/v1/embeddings,/v1/images/generations,/v1/messages,/v1/messages/count_tokens,/v1beta/models" default:"/v1/chat/completions"`
	Request  map[string]any `json:"request" maxProperties:"500" doc:"A request as a client would send it." example:"{\"model\":\"gpt-4o-mini\",\"messages\":[]}"`
	KeyID    string         `json:"key_id,omitempty" maxLength:"64" doc:"As if this client key had sent it."`
}

type explainRouteInput struct{ Body ExplainRoute }

type explanationOutput struct{ Body point.Explanation }

func (a *API) listEndpoints(ctx context.Context, in *listEndpointsInput) (*listOutput[Endpoint], error) {
	var filter store.EndpointFilter
	if in.Status != "" {
		active := in.Status == point.StatusActive
		filter.Active = &active
	}
	list, err := a.Store.ListEndpoints(ctx, filter)
	if err != nil {
		return nil, err
	}
	snapshot := a.Store.Snapshot()
	return whole(list, func(e *point.Endpoint) Endpoint { return shapeEndpoint(e, snapshot) }), nil
}

func (a *API) getEndpoint(ctx context.Context, in *ByID) (*endpointOutput, error) {
	e, err := a.Store.GetEndpoint(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "endpoint")
	}
	return a.answerEndpoint(e), nil
}

func (a *API) updateEndpoint(ctx context.Context, in *updateEndpointInput) (*endpointOutput, error) {
	e, err := a.Store.GetEndpoint(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "endpoint")
	}
	if err := Locked(e.ManagedBy, "endpoint"); err != nil {
		return nil, err
	}
	if err := matches(in.IfMatch, e.Version, "endpoint"); err != nil {
		return nil, err
	}
	if in.Body.Active != nil {
		e.Active = *in.Body.Active
	}
	if in.Body.Mapping.given() {
		e.Mapping = in.mapping
	}
	if err := a.Store.UpdateEndpoint(ctx, e); err != nil {
		return nil, fromStore(err, "endpoint")
	}
	return a.answerEndpoint(e), nil
}

func (a *API) answerEndpoint(e *point.Endpoint) *endpointOutput {
	return &endpointOutput{Tagged: tagOf(e.Version), Body: shapeEndpoint(e, a.Store.Snapshot())}
}

func shapeEndpoint(e *point.Endpoint, s *point.Snapshot) Endpoint {
	mapping := e.Mapping
	if mapping == nil {
		mapping = &s.Default
	}
	return Endpoint{
		ID: e.ID, Path: e.Path, Active: e.Active, Mapping: shapeMapping(mapping, s), OwnMapping: e.Mapping != nil,
		ManagedBy: managedBy(e.ManagedBy), Version: e.Version, CreatedAt: e.CreatedAt.UTC(), UpdatedAt: e.UpdatedAt.UTC(),
	}
}

// testEndpoint sends a request through the endpoint's mapping.
func (a *API) testEndpoint(ctx context.Context, in *testEndpointInput) (*testOutput, error) {
	e, err := a.Store.GetEndpoint(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "endpoint")
	}
	if a.Tester == nil {
		return nil, notHere("the gateway")
	}
	request, err := json.Marshal(in.Body.Request)
	if err != nil {
		return nil, fmt.Errorf("encode a test request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, testLimit)
	defer cancel()
	result, err := a.Tester.TestEndpoint(ctx, e.Path, request)
	a.auditTest(ctx, point.AuditEndpointTest, point.EntityEndpoint, e.ID, e.Path, err == nil && result.OK)
	return tested(result, err)
}

// explainRoute tells where a request would go; nothing is sent.
func (a *API) explainRoute(ctx context.Context, in *explainRouteInput) (*explanationOutput, error) {
	if a.Explainer == nil {
		return nil, notHere("the gateway")
	}
	request, err := json.Marshal(in.Body.Request)
	if err != nil {
		return nil, fmt.Errorf("encode a request to explain: %w", err)
	}
	explanation, err := a.Explainer.Explain(ctx, in.Body.Endpoint, request, in.Body.KeyID)
	if err != nil {
		return nil, fromPoint(err)
	}
	notNull(&explanation.Targets)
	notNull(&explanation.Skipped)
	notNull(&explanation.On)
	return &explanationOutput{Body: explanation}, nil
}
