package provider

import (
	"cmp"
	"net/http"
	"strings"

	"point"
)

const ollamaURL = "http://127.0.0.1:11434/v1"

func init() {
	Register(&Kind{
		Name:    "ollama",
		Title:   "Ollama",
		Dialect: point.DialectOpenAI,
		BaseURL: ollamaURL,
		Keyless: true,
		Service: ollama{chats: chats{saying: saying{names: maxTokens, message: []says{asSystem}}}},
	})
}

// ollama speaks OpenAI's API below /v1 and its own beside it, where it tells what models it has.
type ollama struct {
	chats
	completes
	floats
}

// Place is the server's root: what is above the /v1 of its base URL.
func (ollama) Place(c *point.ProviderConfig) string {
	return strings.TrimSuffix(strings.TrimRight(cmp.Or(c.BaseURL, ollamaURL), "/"), "/v1")
}

func (o ollama) Chat(req *Request) (*Exchange, error) { return below("/v1")(o.chats.Chat(req)) }
func (o ollama) Complete(req *Request) (*Exchange, error) {
	return below("/v1")(o.completes.Complete(req))
}
func (o ollama) Embed(req *Request) (*Exchange, error) { return below("/v1")(o.floats.Embed(req)) }

// below puts what an exchange asks for below a path.
func below(path string) func(*Exchange, error) (*Exchange, error) {
	return func(x *Exchange, err error) (*Exchange, error) {
		if err == nil {
			x.Outbound.Path = path + x.Outbound.Path
		}
		return x, err
	}
}

func (ollama) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out := &point.Outbound{Method: http.MethodGet, Path: "/api/tags", Header: http.Header{}}
	return out, func(body []byte) ([]string, error) { return modelIDs(body, "models", "name") }
}
