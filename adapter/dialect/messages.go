package dialect

import (
	"encoding/json"
	"slices"

	"point"
)

// Messages is Anthropic's dialect.
//
//	https://platform.claude.com/docs/en/api/messages
var Messages Translator = messages{}

type messages struct{}

func (messages) Name() point.Dialect { return point.DialectAnthropic }

// IDHeader is where Anthropic's SDKs look for a request's id.
func (messages) IDHeader() string { return "Request-Id" }

// KeyHeader is where Anthropic's SDKs send the key.
func (messages) KeyHeader() string { return "x-api-key" }

func (messages) Ping() []byte { return []byte("event: ping\ndata: {\"type\":\"ping\"}\n\n") }

// messagesErrors are the error types by status, and what stands for the other statuses.
var messagesErrors = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
	404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error",
	503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}

// messagesErrorType keeps a provider's own type if it is one of Anthropic's.
func messagesErrorType(e *point.Error) string {
	for _, known := range messagesErrors {
		if e.UpstreamType == known {
			return known
		}
	}
	status := e.HTTPStatus()
	kind, ok := messagesErrors[status]
	switch {
	case ok:
		return kind
	case status >= 500:
		return "api_error"
	}
	return "invalid_request_error"
}

type messagesError struct {
	Type  string `json:"type"`
	Error struct {
		Type    string     `json:"type"`
		Message string     `json:"message"`
		Code    point.Code `json:"code"`
		Param   string     `json:"param,omitempty"`
	} `json:"error"`
	RequestID *string `json:"request_id"`
}

// Error is Anthropic's error object, with Point's code and the field at fault beside the type.
func (messages) Error(e *point.Error) []byte {
	object := messagesError{Type: "error"}
	object.Error.Type, object.Error.Message, object.Error.Code, object.Error.Param = messagesErrorType(e), e.Message, e.Code, e.Param
	if e.RequestID != "" {
		object.RequestID = &e.RequestID
	}
	b, _ := json.Marshal(object) // strings always marshal
	return b
}

func (d messages) Event(e *point.Error) []byte {
	return slices.Concat([]byte("event: error\ndata: "), d.Error(e), []byte("\n\n"))
}

// Answer tells a chat's answer as a message.
func (messages) Answer(call *point.Call, reply *point.Reply) point.Blocks {
	return translate(reply, newMessagesEncoder(call))
}

// Inner is call as a chat.
func (messages) Inner(call *point.Call) (*point.Call, error) {
	t := messagesTelling{call: call, dropping: droppingOf(call)}
	body, err := t.tell()
	if err != nil {
		return nil, err
	}
	inner := *call
	inner.Path, inner.Dialect, inner.Inner, inner.Buffer, inner.Header = point.PathChat, point.DialectOpenAI, nil, nil, nil
	inner.Body, inner.Dropped, inner.Field = body, t.dropped, t.names().field
	if inner.Envelope, err = point.ScanEnvelope(body); err != nil {
		return nil, err
	}
	return &inner, nil
}
