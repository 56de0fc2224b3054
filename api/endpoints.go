package api

import (
	"time"

	"point"
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
}

// EndpointTest is the body that tests an endpoint.
type EndpointTest struct {
	Request map[string]any `json:"request" doc:"A request as a client would send it to the endpoint's path." example:"{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]}"`
}

type testEndpointInput struct {
	ByID
	Body EndpointTest
}

// ExplainRoute is the body that asks where a request would go.
type ExplainRoute struct {
	Endpoint string         `json:"endpoint,omitempty" enum:"/v1/chat/completions,/v1/completions,/v1/embeddings,/v1/images/generations" default:"/v1/chat/completions"`
	Request  map[string]any `json:"request" doc:"A request as a client would send it." example:"{\"model\":\"gpt-4o-mini\",\"messages\":[]}"`
	KeyID    string         `json:"key_id,omitempty" maxLength:"64" doc:"As if this client key had sent it."`
}

type explainRouteInput struct{ Body ExplainRoute }

type explanationOutput struct{ Body point.Explanation }
