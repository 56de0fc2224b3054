package wiretest

import (
	"fmt"
	"net/http"
	"strings"
)

// At is what the endpoint at a path answers; not all have a documented shape.
func At(path string) (API, bool) {
	switch _, method, _ := strings.Cut(path, ":"); {
	case method == "generateContent", method == "streamGenerateContent":
		return Gemini, true
	case method == "countTokens":
		return GeminiCount, true
	case method == "embedContent", method == "batchEmbedContents":
		return GeminiVectors, true
	case path == "/v1beta/models":
		return GeminiModels, true
	}
	if strings.HasPrefix(path, "/v1/models/") {
		return Model, true
	}
	api, ok := map[string]API{
		"/v1/chat/completions": Chat, "/v1/completions": Completions, "/v1/embeddings": Embeddings, "/v1/models": Models,
		"/v1/images/generations": Images, "/v1/images/edits": Images, "/v1/moderations": Moderations, "/v1/responses": Responses,
		"/v1/rerank": Rerank, "/v1/messages": Messages, "/v1/messages/count_tokens": Count,
	}[path]
	return api, ok
}

// Answer tells what is wrong with an answer to a request, a refusal too. What a service said is
// Relayed; what has no documented shape is right.
func Answer(asked *http.Request, got *http.Response, body []byte) error {
	api, ok := At(asked.URL.Path)
	if !ok || asked.Method == http.MethodHead || asked.Method == http.MethodOptions {
		return nil
	}
	if api.name == Models.name && asked.Header.Get("Anthropic-Version") != "" {
		api = MessagesModels
	}
	api = api.Relayed()
	check := api.Document
	switch kind := got.Header.Get("Content-Type"); {
	case got.StatusCode >= http.StatusBadRequest:
		check = api.Failure
	case strings.HasPrefix(kind, "text/event-stream"):
		check = api.Stream
	}
	if err := check(body); err != nil {
		return fmt.Errorf("%s %s, %d: %w", asked.Method, asked.URL.Path, got.StatusCode, err)
	}
	return nil
}
