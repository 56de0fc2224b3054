package dialect

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// Gemini is the dialect of Google's generateContent and its neighbours:
// https://ai.google.dev/api/generate-content
var Gemini Translator = gemini{}

type gemini struct{}

func (gemini) Name() point.Dialect { return point.DialectGemini }

type googleError struct {
	Code    int    `json:"code"` // the HTTP status
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details"`
}

// googleInfo names the code, as google.rpc.ErrorInfo does.
type googleInfo struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"`
	Domain string `json:"domain"`
}

// googleRetry tells how long to wait, as google.rpc.RetryInfo does.
type googleRetry struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

// googleBadRequest names the field at fault, as google.rpc.BadRequest does.
type googleBadRequest struct {
	Type   string           `json:"@type"`
	Fields []googleBadField `json:"fieldViolations"`
}

type googleBadField struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// googleType begins the names of what details are.
const googleType = "type.googleapis.com/google.rpc."

// Error is Google's error object, with Point's code as the reason.
func (gemini) Error(e *point.Error) []byte {
	object := googleError{Code: e.HTTPStatus(), Message: e.Message, Status: googleStatus(e)}
	object.Details = append(object.Details, googleInfo{googleType + "ErrorInfo", string(e.Code), "point"})
	if e.Param != "" {
		object.Details = append(object.Details, googleBadRequest{googleType + "BadRequest", []googleBadField{{e.Param, e.Message}}})
	}
	if e.RetryAfter > 0 {
		delay := strconv.FormatFloat(e.RetryAfter.Round(time.Millisecond).Seconds(), 'f', -1, 64) + "s"
		object.Details = append(object.Details, googleRetry{googleType + "RetryInfo", delay})
	}
	b, _ := json.Marshal(map[string]googleError{"error": object}) // strings always marshal
	return b
}

// googleStatuses are the names that Google has for an HTTP status, the usual one first.
var googleStatuses = map[int][]string{
	http.StatusBadRequest: {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}, http.StatusUnauthorized: {"UNAUTHENTICATED"},
	http.StatusForbidden: {"PERMISSION_DENIED"}, http.StatusNotFound: {"NOT_FOUND"}, http.StatusMethodNotAllowed: {"UNIMPLEMENTED"},
	http.StatusRequestTimeout: {"DEADLINE_EXCEEDED"}, http.StatusConflict: {"ABORTED", "ALREADY_EXISTS"}, http.StatusTooManyRequests: {"RESOURCE_EXHAUSTED"},
	499: {"CANCELLED"}, http.StatusInternalServerError: {"INTERNAL", "UNKNOWN", "DATA_LOSS"}, http.StatusNotImplemented: {"UNIMPLEMENTED"},
	http.StatusBadGateway: {"UNAVAILABLE"}, http.StatusServiceUnavailable: {"UNAVAILABLE"}, http.StatusGatewayTimeout: {"DEADLINE_EXCEEDED"},
}

// googleStatus is the name of e's status: what Google itself said, if it did.
func googleStatus(e *point.Error) string {
	names := googleStatuses[e.HTTPStatus()]
	for _, name := range names {
		if name == e.UpstreamType {
			return name
		}
	}
	switch {
	case len(names) > 0:
		return names[0]
	case e.HTTPStatus() < http.StatusInternalServerError:
		return "INVALID_ARGUMENT"
	}
	return "UNKNOWN"
}

func (d gemini) Event(e *point.Error) []byte {
	b := append([]byte("data: "), d.Error(e)...)
	return append(b, "\n\n"...)
}

// KeyHeader is where Google's SDKs send the key.
func (gemini) KeyHeader() string { return "x-goog-api-key" }

func (gemini) Ping() []byte { return []byte(": ping\n\n") }

// Answer tells a chat's answer as generateContent does, or as streamGenerateContent?alt=sse.
func (gemini) Answer(call *point.Call, reply *point.Reply) point.Blocks {
	switch call.Path {
	case point.PathCountTokens:
		return translate(reply, geminiCount{})
	case point.PathEmbeddings:
		return translate(reply, geminiVectors{batch: call.Method == "batchEmbedContents"})
	}
	config := gjson.ParseBytes(call.Body)
	thoughts := googleMember(googleMember(googleMember(config, "generationConfig"), "thinkingConfig"), "includeThoughts")
	return translate(reply, &geminiEncoder{thoughts: thoughts.Bool()})
}

// googleName is a member's name as Google's documentation has it. Google takes snake_case too.
func googleName(key string) string {
	if !strings.Contains(key, "_") {
		return key
	}
	var b strings.Builder
	for word := range strings.SplitSeq(key, "_") {
		if b.Len() > 0 && word != "" {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	return b.String()
}

// googleMember is a member of an object under either of its names; the last one counts.
func googleMember(of gjson.Result, name string) (found gjson.Result) {
	if !of.IsObject() {
		return gjson.Result{}
	}
	of.ForEach(func(key, value gjson.Result) bool {
		if googleName(key.Str) == name {
			found = value
		}
		return true
	})
	return found
}
