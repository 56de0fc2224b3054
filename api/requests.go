package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// RequestRecord is what is kept of one request.
type RequestRecord struct {
	ID              string          `json:"id" format:"uuid"`
	ClientRequestID string          `json:"client_request_id,omitempty" doc:"The client's own x-request-id."`
	Timestamp       time.Time       `json:"timestamp" doc:"When it arrived."`
	Endpoint        string          `json:"endpoint" example:"/v1/chat/completions"`
	ProviderID      string          `json:"provider_id" doc:"Provider that answered, or was tried last; empty: none."`
	Provider        string          `json:"provider" doc:"Its name." example:"openai-main"`
	Model           string          `json:"model" doc:"As asked." example:"gpt-4o-mini"`
	UpstreamModel   string          `json:"upstream_model" doc:"As sent."`
	KeyID           string          `json:"key_id"`
	Key             string          `json:"key" doc:"The client key's name."`
	Status          int             `json:"status" doc:"HTTP status sent; 499: the client left." example:"200"`
	Outcome         string          `json:"outcome" enum:"complete,client_cancelled,upstream_error,truncated,rejected"`
	ErrorCode       string          `json:"error_code,omitempty"`
	ErrorMessage    string          `json:"error_message,omitempty"`
	ResponseTime    int64           `json:"response_time" doc:"ms from arrival to the last byte." example:"812"`
	TTFT            *int64          `json:"ttft" doc:"ms from arrival to the first content."`
	OverheadUS      int64           `json:"overhead_us" doc:"Microseconds in Point before the first upstream byte was asked for."`
	Stream          bool            `json:"stream"`
	CacheHit        bool            `json:"cache_hit"`
	Test            bool            `json:"test" doc:"It tried a provider or an endpoint; statistics leave it out."`
	TokensInput     *int64          `json:"tokens_input"`
	TokensOutput    *int64          `json:"tokens_output"`
	Cost            *point.NanoUSD  `json:"cost" doc:"USD; null: unknown." example:"0.000847"`
	Usage           *point.Usage    `json:"usage,omitempty"`
	Attempts        []point.Attempt `json:"attempts"`
	Route           point.Route     `json:"route" doc:"Why it went where it went."`
	Request         json.RawMessage `json:"request" doc:"Metadata of the request: model, counts, parameter names."`
	Response        json.RawMessage `json:"response,omitempty" doc:"Metadata of the answer: finish reason, counts."`
}

type requestOutput struct{ Body RequestRecord }

// RequestFilter is what requests and their statistics are narrowed by.
type RequestFilter struct {
	Provider string    `query:"provider" maxLength:"64" doc:"Id or name."`
	Endpoint string    `query:"endpoint" maxLength:"255" doc:"Path." example:"/v1/chat/completions"`
	Model    string    `query:"model" maxLength:"255" doc:"As asked."`
	Key      string    `query:"key" maxLength:"64" doc:"Id of a client key."`
	From     time.Time `query:"from" doc:"Not before."`
	To       time.Time `query:"to" doc:"Before."`
}

type listRequestsInput struct {
	Paging
	RequestFilter
	Status  string   `query:"status" pattern:"^[1-5]([0-9]{2}|xx)$" patternDescription:"a status such as 404 or a class such as 4xx" doc:"HTTP status, or a class." example:"4xx"`
	Outcome Outcomes `query:"outcome,explode" maxItems:"5" doc:"Only these, comma separated or repeated."`
	Failed  string   `query:"failed" enum:"true,false" doc:"Whether it failed: neither complete nor cancelled by the client."`
	Test    string   `query:"test" enum:"true,false" doc:"Whether it is a test."`
	Cursor  string   `query:"cursor" maxLength:"512" doc:"cursor of the page before; takes the place of page."`
}

// Outcomes are outcomes, each item one or several with commas between them.
type Outcomes []string

const outcomePattern = "(complete|client_cancelled|upstream_error|truncated|rejected)"

// TransformSchema says what an item is.
func (Outcomes) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Items = &huma.Schema{
		Type: huma.TypeString, Pattern: "^" + outcomePattern + "(," + outcomePattern + "){0,4}$", PatternDescription: "one or several of complete, client_cancelled, upstream_error, truncated, rejected, with commas between them",
		MaxLength: new(255), Examples: []any{"upstream_error,truncated"},
	}
	return s
}

func (o Outcomes) list() (all []point.Outcome) {
	for _, item := range o {
		for one := range strings.SplitSeq(item, ",") {
			all = append(all, point.Outcome(one))
		}
	}
	return all
}

// asked is the yes or no of a query, nil if it is not asked.
func asked(value string) *bool {
	if value == "" {
		return nil
	}
	return new(value == "true")
}

func (a *API) listRequests(ctx context.Context, in *listRequestsInput) (*listOutput[RequestRecord], error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	list, err := a.Store.ListRequests(ctx, scopeOf(ctx), store.RequestFilter{
		Provider: in.Provider, Endpoint: in.Endpoint, Model: in.Model, KeyID: in.Key, From: in.From, To: in.To,
		Status: in.Status, Outcomes: in.Outcome.list(), Failed: asked(in.Failed), Test: asked(in.Test), Page: in.page(), Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	names, err := a.names(ctx)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, names.shape), nil
}

// check refuses a span that ends before it begins, and an endpoint that does not exist.
func (in *RequestFilter) check() error {
	f := checkSpan(in.From, in.To)
	f.oneOfThese("endpoint", in.Endpoint, point.Endpoints())
	return f.err()
}

func checkSpan(from, to time.Time) (f faults) {
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		f.add("query.to", "This must be later than from.")
	}
	return f
}

func (a *API) getRequest(ctx context.Context, in *ByID) (*requestOutput, error) {
	record, err := a.Store.GetRequest(ctx, scopeOf(ctx), in.ID)
	if err != nil {
		return nil, fromStore(err, "request")
	}
	names, err := a.names(ctx)
	if err != nil {
		return nil, err
	}
	return &requestOutput{Body: names.shape(&record)}, nil
}

// names are what history's ids are called now.
type names struct {
	providers map[string]string
	keys      map[string]string
}

// names reads the names of providers, deleted ones too, and of keys.
func (a *API) names(ctx context.Context) (names, error) {
	providers, err := a.Store.ProviderNames(ctx)
	if err != nil {
		return names{}, fmt.Errorf("name the providers: %w", err)
	}
	return names{providers: providers, keys: keyNames(a.Store.Snapshot())}, nil
}

func keyNames(s *point.Snapshot) map[string]string {
	keys := make(map[string]string, len(s.Keys))
	for _, k := range s.Keys {
		keys[k.ID] = k.Name
	}
	return keys
}

// shape is r as answers show it.
func (n names) shape(r *point.Record) RequestRecord {
	out := RequestRecord{
		ID: r.ID, ClientRequestID: r.ClientRequestID, Timestamp: r.Timestamp.UTC(), Endpoint: r.Endpoint,
		ProviderID: r.ProviderID, Provider: n.provider(r), Model: r.Model, UpstreamModel: r.UpstreamModel,
		KeyID: r.KeyID, Key: n.keys[r.KeyID], Status: r.Status, Outcome: string(r.Outcome),
		ErrorCode: string(r.ErrorCode), ErrorMessage: r.ErrorMessage,
		ResponseTime: r.ResponseTime, TTFT: r.TTFT, OverheadUS: r.OverheadUS, Stream: r.Stream, CacheHit: r.CacheHit, Test: r.Test(),
		Cost: r.Cost, Usage: r.Usage, Attempts: r.Attempts, Route: r.Route, Request: r.Request, Response: r.Response,
	}
	if r.Usage != nil {
		out.TokensInput, out.TokensOutput = &r.Usage.Input, &r.Usage.Output
	}
	if len(out.Request) == 0 {
		out.Request = json.RawMessage("{}")
	}
	notNull(&out.Attempts)
	return out
}

// provider is what r's provider is called, or was when it was asked.
func (n names) provider(r *point.Record) string {
	if name, ok := n.providers[r.ProviderID]; ok {
		return name
	}
	for _, attempt := range r.Attempts {
		if attempt.ProviderID == r.ProviderID {
			return attempt.Provider
		}
	}
	return ""
}
