package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// service is one simulated AI service: its way to ask, to answer and to fail.
type service interface {
	name() string
	// route sets op from the path, and what else the path tells; it leaves op empty on an
	// unknown one.
	route(req *request)
	// key is the credential, wherever the service looks for it.
	key(r *http.Request) string
	// admit refuses what the service refuses before it reads the body.
	admit(req *request) *failure
	// answer serves a request that no fault spoils.
	answer(req *request) (*reply, *failure)
	// fail is the error answer.
	fail(req *request, f *failure) *reply
	// failFrame is an error told within a stream.
	failFrame(f *failure) frame
	// delta is a stream event of one piece of text, text a JSON string.
	delta(req *request, text []byte) frame
}

// operation is what a path asks for.
type operation string

const (
	opChat        operation = "chat"
	opResponses   operation = "responses"
	opCompletions operation = "completions"
	opEmbeddings  operation = "embeddings"
	opImages      operation = "images"
	opModels      operation = "models"
	opModel       operation = "model"
	opCountTokens operation = "count_tokens"
	opImageEdits  operation = "image_edits"
	opSpeech      operation = "speech"
	opTranscribe  operation = "transcribe"
	opTranslate   operation = "translate"
	opModerations operation = "moderations"
	opRerank      operation = "rerank"
	opInvoke      operation = "invoke"             // a chat in the model's own dialect
	opProfiles    operation = "inference_profiles" // further names of models
)

// method is what the operation is asked with.
func (o operation) method() string {
	if o == opModels || o == opModel || o == opProfiles {
		return http.MethodGet
	}
	return http.MethodPost
}

// request is one request on its way through a service.
type request struct {
	*http.Request
	server *Server
	path   string // below the service's prefix
	op     operation
	model  string
	stream bool
	binary bool // streams are frames of AWS, not server-sent events
	key    string
	body   []byte
	n      uint64 // counts all requests
	faults faults
	done   bool // all was sent that was to be sent
}

// failure is an error that a service tells. Kind is the service-neutral name.
type failure struct {
	status  int
	kind    string // such as rate_limit; empty: by status
	message string
	param   string
	header  http.Header
}

// bad is a refusal of the request's content.
func bad(param, message string) *failure {
	return &failure{status: http.StatusBadRequest, param: param, message: message}
}

// reply is an answer before it is delivered: a document, or the frames of a stream.
type reply struct {
	status int
	header http.Header
	body   []byte
	frames []frame
	stream bool // frames are events
	crlf   bool // lines end in CR LF, as this service's do
}

// frame is one event of a stream.
type frame struct {
	event string // empty: no event line
	data  []byte
	last  bool // tells that the stream is whole: [DONE], message_stop
	chunk bool // data is sent in Base64 within an object, as Bedrock wraps a model's own events
}

// document makes a reply of a value that always marshals.
func document(v any) *reply { return &reply{status: http.StatusOK, body: encode(v)} }

// encode marshals v without HTML escapes.
func encode(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("mock: " + err.Error()) // only on a value that no request can bring about
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// decode reads the body into v.
func (r *request) decode(v any) *failure {
	err := json.Unmarshal(r.body, v)
	var typed *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typed) && typed.Field != "":
		return bad(typed.Field, fmt.Sprintf("Invalid type for '%s': it may not be of type %s.", typed.Field, typed.Value))
	}
	return bad("", "The JSON body of the request could not be parsed.")
}

// id makes an identifier that is the same for the same seed and position.
func (r *request) id(prefix string, i int) string {
	return prefix + hashID(r.server.opts.Seed, r.n, uint64(i))
}

// object is a JSON object of few members, in order of their names.
type object = map[string]any
