package provider

import (
	"net/http"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "perplexity",
		Title:   "Perplexity",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.perplexity.ai",
		EnvKeys: []string{"PERPLEXITY_API_KEY", "PPLX_API_KEY"},
		Probe:   "sonar",
		Service: perplexity{chats{
			saying: saying{names: maxTokens, silent: []string{"stream_options"}, message: []says{asSystem}},
			usage:  usageSearching,
		}},
	})
}

// perplexity chats and has no list of models. Its usage comes unasked.
type perplexity struct{ of chats }

func (p perplexity) Authorize(header http.Header, credential point.Secret) {
	p.of.Authorize(header, credential)
}

func (p perplexity) Failure(status int, header http.Header, body []byte) *point.Error {
	return p.of.Failure(status, header, body)
}

func (p perplexity) Chat(req *Request) (*Exchange, error) { return p.of.Chat(req) }
