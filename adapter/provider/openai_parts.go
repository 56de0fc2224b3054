package provider

import (
	"net/http"
	"slices"

	"point"
)

// Services that imitate OpenAI's API have parts of it. A kind is put together of those that it
// has, so that it serves what the service serves:
//
//	Service: struct{ chats; embeds }{}

// chats is what all of them have: chat and a list of models.
type chats struct {
	saying
	usage usageForm
}

func (chats) Authorize(header http.Header, credential point.Secret) {
	openAI{}.Authorize(header, credential)
}

func (chats) Failure(status int, header http.Header, body []byte) *point.Error {
	return openAI{}.Failure(status, header, body)
}

func (chats) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	return openAI{}.ListModels()
}

func (c chats) Chat(req *Request) (*Exchange, error) {
	x, err := openAI{}.forward(req, "/chat/completions", &forwarded{member: "choices", mend: &mender{usage: c.usage}})
	if err != nil {
		return nil, err
	}
	c.say(req, x)
	return x, nil
}

// completes is the older completions of a text.
type completes struct{}

func (completes) Complete(req *Request) (*Exchange, error) { return openAI{}.Complete(req) }

// embeds is embeddings.
type embeds struct{}

func (embeds) Embed(req *Request) (*Exchange, error) { return openAI{}.Embed(req) }

// floats is embeddings of a service that knows no base64: it is not asked for it, and its numbers
// are encoded for those who asked.
type floats struct{ saying }

func (f floats) Embed(req *Request) (*Exchange, error) {
	x, err := openAI{}.Embed(req)
	if err != nil {
		return nil, err
	}
	f.silent = []string{"encoding_format"}
	f.say(req, x)
	return x, nil
}

// passes is what else the service has of OpenAI's paths, whose requests go on as they came.
type passes []string

func (p passes) Passes(path string) bool              { return slices.Contains(p, path) }
func (p passes) Pass(req *Request) (*Exchange, error) { return openAI{}.Pass(req) }

// images is the making of images.
type images struct{}

func (images) Image(req *Request) (*Exchange, error) { return openAI{}.Image(req) }
