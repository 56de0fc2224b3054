package api

import (
	"encoding/json"
	"time"

	"point"
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
	Status  string `query:"status" pattern:"^[1-5]([0-9]{2}|xx)$" patternDescription:"a status such as 404 or a class such as 4xx" doc:"HTTP status, or a class." example:"4xx"`
	Outcome string `query:"outcome" enum:"complete,client_cancelled,upstream_error,truncated,rejected"`
	Cursor  string `query:"cursor" maxLength:"512" doc:"cursor of the page before; takes the place of page."`
}
