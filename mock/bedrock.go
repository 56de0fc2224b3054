package mock

import (
	"net/http"
	"net/url"
	"strings"

	"point/internal/awsframes"
)

// bedrock is the service at /bedrock: Amazon Bedrock's runtime, and the lists of its control
// plane, which the real one has at another host.
//
//	https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
//	https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
type bedrock struct{}

func (bedrock) name() string { return "bedrock" }

// route reads the path as it was sent: an id is one part of it, however it is called.
func (b bedrock) route(req *request) {
	parts := strings.Split(strings.TrimPrefix(req.URL.EscapedPath(), "/"+b.name()+"/"), "/")
	if len(parts) > 1 {
		id, err := url.PathUnescape(parts[1])
		if err != nil {
			return
		}
		req.model = id
	}
	switch {
	case len(parts) == 1 && parts[0] == "foundation-models":
		req.op = opModels
	case len(parts) == 1 && parts[0] == "inference-profiles":
		req.op = opProfiles
	case len(parts) == 2 && parts[0] == "foundation-models":
		req.op = opModel
	case len(parts) == 3 && parts[0] == "model" && parts[1] != "":
		req.op = bedrockOperations[parts[2]]
		req.stream = strings.HasSuffix(parts[2], "-stream")
	}
	req.binary = req.stream
}

var bedrockOperations = map[string]operation{
	"converse": opChat, "converse-stream": opChat, "invoke": opInvoke, "invoke-with-response-stream": opInvoke,
}

// key is an API key, or the id of the access key that signed.
func (bedrock) key(r *http.Request) string {
	header := r.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(header, "Bearer "); ok {
		return token
	}
	return readSignature(header).keyID
}

// The exceptions that a client may get: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
const (
	kindUnsigned  = "MissingAuthenticationTokenException"
	kindUnknownID = "UnrecognizedClientException"
	kindDenied    = "AccessDeniedException"
	kindSignature = "InvalidSignatureException"
	kindHalfAuth  = "IncompleteSignatureException"
	kindBearer    = "bearer" // an AccessDeniedException of what stands before the service
)

func (bedrock) admit(req *request) *failure {
	header := req.Header.Get("Authorization")
	switch {
	case header == "":
		return &failure{status: http.StatusForbidden, kind: kindUnsigned, message: "Missing Authentication Token"}
	case header == "Bearer "+invalidKey:
		return &failure{status: http.StatusForbidden, kind: kindBearer, message: "Authentication failed: Please make sure your API Key is valid."}
	case strings.HasPrefix(header, "Bearer "):
		return nil
	}
	return req.checkSignature()
}

// unknown refuses a model that is not in the list.
func (bedrock) unknown() *failure { return bad("", "The provided model identifier is invalid.") }

func (b bedrock) answer(req *request) (*reply, *failure) {
	rep, f := b.serve(req)
	if f == nil && rep.header == nil {
		rep.header = b.ids(req)
	}
	return rep, f
}

func (b bedrock) serve(req *request) (*reply, *failure) {
	switch req.op {
	case opModels:
		return bedrockModels(req), nil
	case opModel:
		return bedrockOne(req)
	case opProfiles:
		return bedrockProfiles(req), nil
	}
	if f := callable(req.model); f != nil {
		return nil, f
	}
	if req.op == opInvoke {
		return b.invoke(req)
	}
	return b.converse(req)
}

func (bedrock) ids(req *request) http.Header {
	return http.Header{"X-Amzn-Requestid": {req.id("", 0)}}
}

// bedrockKinds are the exceptions by status. Those of statuses that the service never has are
// what its SDKs would make of them.
var bedrockKinds = map[int]string{
	400: "ValidationException", 401: kindUnknownID, 402: kindDenied, 403: kindDenied, 404: "ResourceNotFoundException", 405: "UnknownOperationException",
	408: "ModelTimeoutException", 409: "ConflictException", 413: "ValidationException", 422: "ValidationException", 424: "ModelErrorException",
	429: "ThrottlingException", 500: "InternalServerException",
}

// bedrockMessages are what the service says in place of words that hold for all services.
var bedrockMessages = map[string]string{
	kindModel:                 "Could not resolve the foundation model from the provided model identifier.",
	kindQuota:                 "Too many tokens per day, please wait before trying again.",
	"ThrottlingException":     "Too many requests, please wait before trying again.",
	"InternalServerException": "The system encountered an unexpected error during processing. Try your request again.",
}

// exception is the failure's name and message.
func (bedrock) exception(f *failure) (name, message string) {
	name, ok := bedrockKinds[f.status]
	if !ok {
		name = "ServiceUnavailableException"
	}
	if strings.HasSuffix(f.kind, "Exception") {
		return f.kind, f.message
	}
	if said, ok := bedrockMessages[f.kind]; ok {
		return name, said
	}
	if said, ok := bedrockMessages[name]; ok && f.message == statusMessages[f.status] {
		return name, said
	}
	return name, f.message
}

// fail tells {"message"}, and the exception's name in a header. A wrong API key is told by what
// stands before the service, which writes "Message".
func (b bedrock) fail(req *request, f *failure) *reply {
	name, message := b.exception(f)
	if req.op == "" {
		name = "UnknownOperationException"
	}
	header := b.ids(req)
	for k, v := range f.header {
		header[k] = v
	}
	header.Set("X-Amzn-Errortype", name+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	if f.kind == kindBearer {
		return &reply{status: f.status, header: header, body: encode(object{"Message": message})}
	}
	return &reply{status: f.status, header: header, body: encode(object{"message": message})}
}

// failFrame is an exception in place of an event; its name begins with a small letter.
func (b bedrock) failFrame(f *failure) frame {
	name, message := b.exception(f)
	return frame{event: awsframes.Exception + strings.ToLower(name[:1]) + name[1:], data: encode(object{"message": message})}
}

func (bedrock) delta(req *request, text []byte) frame {
	if req.op == opInvoke {
		return asChunk(anthropic{}.delta(req, text))
	}
	return frame{event: "contentBlockDelta", data: []byte(`{"contentBlockIndex":0,"delta":{"text":` + string(text) + `}}`)}
}
