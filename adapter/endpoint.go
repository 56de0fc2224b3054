package adapter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"point"
	"point/adapter/dialect"
)

// endpoint is where a request of the data plane goes.
type endpoint struct {
	path    string // as point.Endpoint has it
	dialect dialect.Dialect
	needs   []string // members that its body must have
	form    bool     // the body may be multipart/form-data
	upload  bool     // and must be

	usual string // the model, if the body names none

	// Of requests whose URL says what others say in the body.
	model, method string
	stream        bool
}

// endpoints are those that have a model behind them, by path.
var endpoints = map[string]endpoint{
	point.PathChat:        {needs: []string{"messages"}, dialect: dialect.OpenAI},
	point.PathResponses:   {dialect: dialect.Responses},
	point.PathCompletions: {needs: []string{"prompt"}, dialect: dialect.OpenAI},
	point.PathEmbeddings:  {needs: []string{"input"}, dialect: dialect.OpenAI},
	point.PathImages:      {needs: []string{"prompt"}, dialect: dialect.OpenAI},
	point.PathImageEdits:  {needs: []string{"prompt"}, form: true, dialect: dialect.OpenAI},
	point.PathSpeech:      {needs: []string{"input"}, dialect: dialect.OpenAI},
	point.PathTranscribe:  {needs: []string{"file"}, form: true, upload: true, dialect: dialect.OpenAI},
	point.PathTranslate:   {needs: []string{"file"}, form: true, upload: true, dialect: dialect.OpenAI},
	point.PathModerations: {needs: []string{"input"}, usual: "omni-moderation-latest", dialect: dialect.OpenAI},
	point.PathRerank:      {needs: []string{"query", "documents"}, dialect: dialect.OpenAI},
	point.PathGemini:      {needs: []string{"contents"}, dialect: dialect.Gemini},
	point.PathMessages:    {needs: []string{"messages"}, dialect: dialect.Messages},
	point.PathCountTokens: {needs: []string{"messages"}, dialect: dialect.Messages},
}

// endpointOf finds the endpoint of a URL's path.
func endpointOf(path string) (at endpoint, ok bool) {
	if at, ok = geminiEndpoint(path); ok {
		return at, ok
	}
	at, ok = endpoints[path]
	at.path = path
	return at, ok
}

// pathOf is the endpoint's path for a URL's, or the URL's own if it is no endpoint's.
func pathOf(path string) string {
	if at, ok := endpointOf(path); ok {
		return at.path
	}
	return path
}

// dialectOf is the dialect in which answers at a path are told, whether it is an endpoint or not.
func dialectOf(path string) dialect.Dialect {
	if at, ok := endpointOf(path); ok {
		return at.dialect
	}
	if isGoogles(path) {
		return dialect.Gemini
	}
	if strings.HasPrefix(path, point.PathMessages+"/") {
		return dialect.Messages
	}
	return dialect.OpenAI
}

// spokenBy is the dialect of a call: Google's clients count and embed at endpoints of others too.
func spokenBy(call *point.Call) dialect.Dialect {
	if call.Dialect == point.DialectGemini {
		return dialect.Gemini
	}
	return dialectOf(call.Path)
}

// read reads the envelope of a call's body, and refuses what no provider could answer.
func (at endpoint) read(call *point.Call) (err error) {
	switch {
	case call.Form != nil:
		call.Envelope, err = point.FormEnvelope(call.Form)
	case at.upload:
		return &point.Error{Code: point.InvalidRequest, Message: "Send the request as multipart/form-data, with the file in it."}
	default:
		call.Envelope, err = point.ScanEnvelope(call.Body)
	}
	if err != nil {
		return err
	}
	env := &call.Envelope
	env.Model = cmp.Or(env.Model, at.usual)
	if at.model != "" {
		env.Model, env.Stream = at.model, at.stream
	}
	if at.dialect.Name() == point.DialectGemini {
		if err := readGoogles(call); err != nil {
			return err
		}
	}
	if env.Model == "" {
		return noModel
	}
	for _, need := range at.needs {
		if !slices.Contains(env.Params, need) {
			return &point.Error{Code: point.MissingField, Param: need, Message: fmt.Sprintf("The request has no %q.", need)}
		}
	}
	if err := bounded(call); err != nil {
		return err
	}
	if in, ok := at.dialect.(dialect.Translator); ok {
		call.Inner = sync.OnceValues(func() (*point.Call, error) { return in.Inner(call) })
	}
	settleForm(call)
	return readHints(call)
}

var noModel = &point.Error{Code: point.MissingField, Param: "model", Message: "The request names no model; set \"model\" to one of GET /v1/models."}

// settleForm decides by the endpoint whether the answer is a stream, where the body asks for
// one, and whether its input is a conversation.
func settleForm(call *point.Call) {
	switch call.Path {
	case point.PathEmbeddings, point.PathModerations, point.PathSpeech:
		call.Envelope.Messages = 0
	}
	switch call.Path {
	case point.PathEmbeddings, point.PathModerations, point.PathRerank, point.PathTranslate, point.PathCountTokens: // have no stream, and nobody takes notice of the field
		call.Envelope.Stream = false
	case point.PathSpeech:
		call.Envelope.Stream = gjson.GetBytes(call.Body, "stream_format").Str == "sse"
	}
}
