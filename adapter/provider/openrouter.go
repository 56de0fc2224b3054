package provider

import (
	"net/http"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "openrouter",
		Title:   "OpenRouter",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://openrouter.ai/api/v1",
		EnvKeys: []string{"OPENROUTER_API_KEY"},
		Probe:   "openai/gpt-oss-20b",
		Service: openRouter{},
	})
}

// openRouter takes reasoning_details back as it gave them.
type openRouter struct {
	chats
	completes
	embeds
}

// Failure: a prompt that the model's provider will not have for what it says is a 403 there,
// though the key is as it should be.
func (o openRouter) Failure(status int, header http.Header, body []byte) *point.Error {
	if status == http.StatusForbidden && validJSON(body) && whole(body).get("error").get("metadata").get("reasons").isList() {
		status = http.StatusBadRequest
	}
	return o.chats.Failure(status, header, body)
}
