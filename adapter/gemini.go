package adapter

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/adapter/dialect"
)

// Google's URLs name the model and what to do with it:
//
//	POST /v1beta/models/MODEL:generateContent
//	POST /v1beta/models/MODEL:streamGenerateContent?alt=sse
//	POST /v1beta/models/MODEL:countTokens
//	POST /v1beta/models/MODEL:embedContent
//	POST /v1beta/models/MODEL:batchEmbedContents
//
// To count and to embed are endpoints of their own, whatever the dialect.
// A model's name holds slashes here, as it is or escaped. Google's own v1 works too.

// googleMethods are the methods that are served.
var googleMethods = []string{"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"}

// googleEndpoints are the endpoints of methods.
var googleEndpoints = map[string]endpoint{
	"generateContent":       {path: point.PathGemini, needs: []string{"contents"}},
	"streamGenerateContent": {path: point.PathGemini, needs: []string{"contents"}, stream: true},
	"countTokens":           {path: point.PathCountTokens},
	"embedContent":          {path: point.PathEmbeddings, needs: []string{"content"}},
	"batchEmbedContents":    {path: point.PathEmbeddings, needs: []string{"requests"}},
}

// googlesModel is what stands behind the models' path in a URL of Google's form.
func googlesModel(path string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(path, point.PathGemini+"/"); !ok {
		name, ok = strings.CutPrefix(path, point.PathModels+"/")
	}
	return strings.TrimPrefix(name, "models/"), ok
}

// geminiEndpoint finds the endpoint of a URL of Google's form, with the model and whether the
// answer is a stream.
func geminiEndpoint(path string) (at endpoint, ok bool) {
	name, ok := googlesModel(path)
	colon := strings.LastIndexByte(name, ':')
	if !ok || colon < 1 || !slices.Contains(googleMethods, name[colon+1:]) {
		return endpoint{}, false
	}
	at = googleEndpoints[name[colon+1:]]
	at.dialect, at.model, at.method = dialect.Gemini, name[:colon], name[colon+1:]
	return at, true
}

// isGoogles reports whether answers at a path are told in Google's words.
func isGoogles(path string) bool { return strings.HasPrefix(path, "/v1beta/") }

// isModels reports whether path is that of a list of models, or of one of them.
func isModels(path string) bool {
	if _, ok := geminiEndpoint(path); ok {
		return false
	}
	for _, list := range []string{point.PathModels, point.PathGemini} {
		if path == list || strings.HasPrefix(path, list+"/") {
			return true
		}
	}
	return false
}

// unknownMethod is the refusal of a URL of Google's form with a method that is not served, nil for
// any other request.
func unknownMethod(r *http.Request) error {
	name, ok := googlesModel(r.URL.Path)
	colon := strings.LastIndexByte(name, ':') // names of models have some
	if !ok || colon < 0 || r.Method != http.MethodPost {
		return nil
	}
	model, method := name[:colon], name[colon+1:]
	if model == "" {
		return &point.Error{Code: point.UnknownPath, Message: "The URL names no model: it is " + point.PathGemini + "/MODEL:" + googleMethods[0] + "."}
	}
	return &point.Error{Code: point.UnknownPath, Message: "There is no method " + clip(method, 60) + " of the model " + clip(model, 100) +
		" here. The methods are " + strings.Join(googleMethods, ", ") + "."}
}

// keyInURL is the refusal of a request with a key in its URL, which ends up in logs.
func keyInURL(r *http.Request) error {
	if r.URL.RawQuery == "" || r.URL.Query().Get("key") == "" {
		return nil
	}
	return &point.Error{Code: point.InvalidAPIKey, Message: "Send the key in the header x-goog-api-key: what stands in a URL ends up in logs. Take this one to be known."}
}

// countable refuses a request for a count that has nothing to count.
func countable(body []byte) error {
	field := "contents"
	contents := gjson.GetBytes(body, field)
	if !contents.Exists() && gjson.GetBytes(body, "generateContentRequest").IsObject() {
		field = "generateContentRequest.contents"
		contents = gjson.GetBytes(body, field)
	}
	switch {
	case !contents.Exists():
		return &point.Error{Code: point.MissingField, Param: field, Message: "The request has no \"" + field + "\"."}
	case contents.IsObject(), contents.IsArray() && contents.Get("#").Int() > 0:
		return nil
	}
	return &point.Error{Code: point.InvalidRequest, Param: field, Message: "The field \"" + field + "\" must be a list of at least one content, each with its \"parts\"."}
}

// readGoogles reads what routing and limits want to know from where Google's requests have it, and
// refuses what is out of its bounds.
func readGoogles(call *point.Call) (err error) {
	call.Envelope.Model = strings.TrimPrefix(call.Envelope.Model, "models/")
	if call.Path == point.PathCountTokens {
		if err := countable(call.Body); err != nil {
			return err
		}
	}
	for _, config := range []string{"generationConfig", "generation_config"} {
		gjson.GetBytes(call.Body, config).ForEach(func(key, value gjson.Result) bool {
			switch key.Str {
			case "maxOutputTokens", "max_output_tokens":
				err = googlesTokens.check(value.String()) // they write numbers as strings too
				call.Envelope.MaxTokens = value.Int()
			case "candidateCount", "candidate_count":
				err = googlesAnswers.check(value.String())
				call.Envelope.Choices = max(value.Int(), 0)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
