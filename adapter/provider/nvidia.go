package provider

import (
	"net/http"
	"strings"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "nvidia",
		Title:   "NVIDIA NIM",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://integrate.api.nvidia.com/v1",
		EnvKeys: []string{"NVIDIA_API_KEY"},
		Probe:   "meta/llama-3.1-8b-instruct",
		Service: nvidia{chats: chats{saying: saying{names: maxTokens, message: []says{asSystem}}}},
	})
}

type nvidia struct {
	chats
	completes
	embeds
}

// Failure: models are functions there, and one that is not there is a 404 that names no model.
func (n nvidia) Failure(status int, header http.Header, body []byte) *point.Error {
	c := openAIComplaint(body)
	if status == http.StatusNotFound && c != nil && strings.HasPrefix(c.message, "Function '") {
		c.code = "model_not_found"
	}
	return failure(status, header, body, c)
}
