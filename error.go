package point

import (
	"errors"
	"net/http"
	"time"
)

// Code names what went wrong, from one closed list. docs/errors.md explains each.
type Code string

// The codes, grouped by who can mend them.
const (
	// The caller.
	InvalidAPIKey       Code = "invalid_api_key"
	MissingAPIKey       Code = "missing_api_key"
	ConflictingKeys     Code = "conflicting_credentials"
	KeyExpired          Code = "key_expired"
	KeyDisabled         Code = "key_disabled"
	NotAllowed          Code = "not_allowed"
	InvalidJSON         Code = "invalid_json"
	InvalidRequest      Code = "invalid_request"
	UnsupportedField    Code = "unsupported_field"
	UnsupportedEncoding Code = "unsupported_encoding"
	MissingField        Code = "missing_required_parameter"
	ModelNotFound       Code = "model_not_found"
	ProviderNotFound    Code = "provider_not_found"
	ResponseNotFound    Code = "response_not_found"
	UnknownPath         Code = "unknown_url"
	MethodNotAllowed    Code = "method_not_allowed"
	BodyTooLarge        Code = "request_too_large"
	RequestTimeout      Code = "request_timeout"
	ContextLength       Code = "context_length_exceeded"

	// The operator.
	EndpointDisabled     Code = "endpoint_disabled"
	RateLimited          Code = "rate_limited"
	KeyBudgetExceeded    Code = "key_budget_exceeded"
	ProviderCredentials  Code = "provider_credentials"
	ProviderQuota        Code = "provider_quota"
	UnsafeAddress        Code = "unsafe_address"
	RecordingUnavailable Code = "recording_unavailable"

	// The provider.
	ProviderRateLimited Code = "provider_rate_limited"
	ProviderUnavailable Code = "provider_unavailable"
	ProviderTimeout     Code = "provider_timeout"
	ProviderRejected    Code = "provider_rejected"
	ProviderBadResponse Code = "provider_bad_response"
	StreamTruncated     Code = "stream_truncated"

	// Point itself, and the client that left.
	Overloaded      Code = "overloaded"
	ShuttingDown    Code = "shutting_down"
	ClientCancelled Code = "client_cancelled"
	Internal        Code = "internal_error"
)

// codeTable maps each code to its HTTP status and OpenAI error type.
var codeTable = map[Code]struct {
	status int
	kind   string
}{
	InvalidAPIKey:        {http.StatusUnauthorized, "authentication_error"},
	MissingAPIKey:        {http.StatusUnauthorized, "authentication_error"},
	ConflictingKeys:      {http.StatusBadRequest, "invalid_request_error"},
	KeyExpired:           {http.StatusUnauthorized, "authentication_error"},
	KeyDisabled:          {http.StatusUnauthorized, "authentication_error"},
	NotAllowed:           {http.StatusForbidden, "permission_error"},
	InvalidJSON:          {http.StatusBadRequest, "invalid_request_error"},
	InvalidRequest:       {http.StatusBadRequest, "invalid_request_error"},
	UnsupportedField:     {http.StatusBadRequest, "invalid_request_error"},
	UnsupportedEncoding:  {http.StatusUnsupportedMediaType, "invalid_request_error"},
	MissingField:         {http.StatusBadRequest, "invalid_request_error"},
	ModelNotFound:        {http.StatusNotFound, "invalid_request_error"},
	ProviderNotFound:     {http.StatusNotFound, "invalid_request_error"},
	ResponseNotFound:     {http.StatusNotFound, "invalid_request_error"},
	UnknownPath:          {http.StatusNotFound, "invalid_request_error"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "invalid_request_error"},
	BodyTooLarge:         {http.StatusRequestEntityTooLarge, "invalid_request_error"},
	RequestTimeout:       {http.StatusRequestTimeout, "invalid_request_error"},
	ContextLength:        {http.StatusBadRequest, "invalid_request_error"},
	EndpointDisabled:     {http.StatusNotFound, "invalid_request_error"},
	RateLimited:          {http.StatusTooManyRequests, "rate_limit_error"},
	KeyBudgetExceeded:    {http.StatusTooManyRequests, "insufficient_quota"},
	ProviderCredentials:  {http.StatusBadGateway, "provider_error"},
	ProviderQuota:        {http.StatusBadGateway, "provider_error"},
	UnsafeAddress:        {http.StatusBadGateway, "provider_error"},
	RecordingUnavailable: {http.StatusServiceUnavailable, "server_error"},
	ProviderRateLimited:  {http.StatusTooManyRequests, "rate_limit_error"},
	ProviderUnavailable:  {http.StatusServiceUnavailable, "provider_error"},
	ProviderTimeout:      {http.StatusGatewayTimeout, "provider_error"},
	ProviderRejected:     {http.StatusBadRequest, "invalid_request_error"},
	ProviderBadResponse:  {http.StatusBadGateway, "provider_error"},
	StreamTruncated:      {http.StatusBadGateway, "provider_error"},
	Overloaded:           {http.StatusServiceUnavailable, "server_error"},
	ShuttingDown:         {http.StatusServiceUnavailable, "server_error"},
	ClientCancelled:      {499, "client_cancelled"},
	Internal:             {http.StatusInternalServerError, "server_error"},
}

// Codes lists every code, in no order: for documentation and its test.
func Codes() []Code {
	list := make([]Code, 0, len(codeTable))
	for code := range codeTable {
		list = append(list, code)
	}
	return list
}

// Status is the HTTP status that goes with c.
func (c Code) Status() int { return codeTable[c].status }

// Type is OpenAI's error type that goes with c.
func (c Code) Type() string { return codeTable[c].kind }

// Refusal reports whether c is a mistake of the caller, or a limit that the operator set.
func (c Code) Refusal() bool {
	status := c.Status()
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError && c != ProviderRateLimited && c != ClientCancelled
}

// Error is a failure with a code. Message is safe to show to the client and says what to do;
// Cause is for the log alone.
type Error struct {
	Code    Code
	Message string
	Param   string // the request field at fault, or empty

	RequestID string // of the request that failed, for dialects whose errors name it

	// What a provider said, kept when it is passed on; zero values mean the code's own.
	Status       int    // HTTP status
	UpstreamType string // the error object's type
	UpstreamCode string // the error object's code

	// UpstreamStatus is the HTTP status that the provider sent, for the record; 0: none.
	UpstreamStatus int

	RetryAfter time.Duration // how long to wait, 0 if unknown
	Final      bool          // every fallback is exhausted: the client should not repeat
	Unsent     bool          // nothing was sent to the provider: this was no attempt
	Place      bool          // Message ends with words of Point's that name base_url
	Key        int           // which of the provider's keys was used, from 0
	OtherKey   bool          // the provider has another key that can be tried at once
	Cause      error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus is the status to answer with.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return e.Code.Status()
}

// AsError returns err as an *Error; what is none becomes Internal with err as its cause.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "Point failed to handle this request; its log has the details under this request id.", Cause: err}
}

// Failure is the class of a failed attempt, the words that a mapping's "on" list uses.
type Failure string

const (
	FailRateLimited  Failure = "rate_limited"
	FailUnavailable  Failure = "unavailable"
	FailTimeout      Failure = "timeout"
	FailCredentials  Failure = "credentials"
	FailModelMissing Failure = "model_missing"
	FailContext      Failure = "context_length"
	FailCaller       Failure = "caller" // never moves on
)

// Failure classes e, as an answer to the question whether another target may do better.
func (e *Error) Failure() Failure {
	switch e.Code {
	case ProviderRateLimited:
		return FailRateLimited
	case ProviderUnavailable, ProviderBadResponse, StreamTruncated, UnsafeAddress:
		return FailUnavailable
	case ProviderTimeout:
		return FailTimeout
	case ProviderCredentials, ProviderQuota:
		return FailCredentials
	case ModelNotFound:
		return FailModelMissing
	case ContextLength:
		return FailContext
	default:
		return FailCaller
	}
}
