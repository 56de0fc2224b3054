package provider

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "openai",
		Title:   "OpenAI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.openai.com/v1",
		EnvKeys: []string{"OPENAI_API_KEY"},
		Probe:   "gpt-4o-mini",
		Fields: []Field{
			{Name: "organization", Title: "Organization", Type: "string", Help: "Sent as OpenAI-Organization, for accounts that belong to several."},
			{Name: "project", Title: "Project", Type: "string", Help: "Sent as OpenAI-Project, to bill calls to one project."},
		},
		Service: openAIOwn{openAI{strict: true, passes: []string{
			point.PathImageEdits, point.PathSpeech, point.PathTranscribe, point.PathTranslate, point.PathModerations,
		}}},
	})
	Register(&Kind{
		Name:    "openai-compatible",
		Title:   "OpenAI-compatible",
		Dialect: point.DialectOpenAI,
		Keyless: true,
		Fields: []Field{
			{Name: "stream_usage", Title: "Ask for usage in streams", Type: "boolean", Help: "Adds stream_options.include_usage to streamed calls; switch it off for servers that refuse the field. On by default."},
		},
		Service: openAI{passes: []string{
			point.PathImageEdits, point.PathSpeech, point.PathTranscribe, point.PathTranslate, point.PathModerations, point.PathRerank,
		}},
	})
}

// openAI serves every provider that speaks OpenAI's API. Requests are forwarded as they came
// but for a few splices; answers are relayed. Unless it is strict, what imitators commonly
// get wrong in their answers is mended on the way.
type openAI struct {
	strict bool
	rules  bool     // its models are OpenAI's: told chats keep to OpenAI's own rules for them
	passes []string // paths that it serves beside those of its methods
}

func (openAI) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("Authorization", "Bearer "+credential.Reveal())
	}
}

func (openAI) Failure(status int, header http.Header, body []byte) *point.Error {
	return failure(status, header, body, openAIComplaint(body))
}

func (s openAI) Chat(req *Request) (*Exchange, error) {
	return s.forward(req, "/chat/completions", s.decoder("choices"))
}

func (s openAI) Complete(req *Request) (*Exchange, error) {
	return s.forward(req, "/completions", s.decoder("choices"))
}

func (s openAI) Image(req *Request) (*Exchange, error) {
	body := gjson.GetManyBytes(req.Call.Body, "n", "size", "quality")
	f := forwarded{member: "data", images: min(max(body[0].Int(), 1), 1000), kind: imageKind(body[1].Str, body[2].Str)}
	if req.Call.Envelope.Stream {
		exchange, err := s.forward(req, "/images/generations", &passed{forwarded: f})
		if err == nil {
			exchange.Whole = true
		}
		return exchange, err
	}
	return s.forward(req, "/images/generations", relay{&f})
}

// maxImageKind is more than any size or quality is long.
const maxImageKind = 20

// imageKind is what a client asked for, if it can be a kind of image.
func imageKind(size, quality string) string {
	if len(size) > maxImageKind || len(quality) > maxImageKind {
		return ""
	}
	return point.ImageKind(size, quality)
}

// Embed relays the answer, unless the client asked for base64 and the server may not know it.
func (s openAI) Embed(req *Request) (*Exchange, error) {
	f := &forwarded{member: "data"}
	if !s.strict && wantsBase64(req.Call.Body) {
		return s.forward(req, "/embeddings", encoded{f})
	}
	return s.forward(req, "/embeddings", relay{f})
}

// decoder is one whose documents may be relayed in parts, unless they need mending.
func (s openAI) decoder(member string) Decoder {
	if s.strict {
		return relay{&forwarded{member: member}}
	}
	return &forwarded{member: member, mend: &mender{}}
}

func (s openAI) forward(req *Request, path string, decoder Decoder) (*Exchange, error) {
	options := req.Provider.Config.Options
	header := http.Header{"Content-Type": {"application/json"}}
	askUsage := true
	if s.strict {
		setOption(header, "Openai-Organization", options["organization"])
		setOption(header, "Openai-Project", options["project"])
	} else {
		askUsage = string(options["stream_usage"]) != "false"
	}
	if path != "/chat/completions" && path != "/completions" {
		askUsage = false
	}
	out := &point.Outbound{Method: http.MethodPost, Path: path, Header: header}
	switch {
	case req.Call.Form != nil:
		out.Form = forwardForm(req)
	case req.Told:
		var dropped []string
		var err error
		out.Body, dropped, err = toldBody(req, s.strict || s.rules, askUsage)
		return &Exchange{Outbound: out, Decoder: decoder, Dropped: dropped}, err
	default:
		out.Body = forwardBody(req, askUsage)
	}
	return &Exchange{Outbound: out, Decoder: decoder}, nil
}

// setOption sets a header to a string option, if it is there.
func setOption(header http.Header, name string, option json.RawMessage) {
	if len(option) == 0 {
		return
	}
	var value string
	if json.Unmarshal(option, &value) == nil && value != "" {
		header.Set(name, value)
	}
}

func (openAI) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out := &point.Outbound{Method: http.MethodGet, Path: "/models", Header: http.Header{}}
	return out, func(body []byte) ([]string, error) { return modelIDs(body, "data", "id") }
}

// modelIDs reads the ids of a list of objects under member, in the list's order. Imitators
// also answer with the bare list.
func modelIDs(body []byte, member, id string) ([]string, error) {
	if !validJSON(body) {
		return nil, badDocument(body)
	}
	list := gjson.ParseBytes(body)
	if list.IsObject() {
		list = list.Get(member)
	}
	if !list.IsArray() {
		return nil, badDocument(bytes.TrimSpace(body))
	}
	return distinct(list, func(m gjson.Result) string { return text(m.Get(id)) }), nil
}

// MaxModels bounds a service's list of models; what is beyond is left out.
const MaxModels = 10_000

// distinct are the ids of a list's members, each once; an empty one leaves its member out.
func distinct(list gjson.Result, id func(gjson.Result) string) []string {
	ids := make([]string, 0, 64)
	seen := make(map[string]bool, 64)
	list.ForEach(func(_, m gjson.Result) bool {
		if name := id(m); name != "" && !seen[name] {
			seen[name] = true
			ids = append(ids, name)
		}
		return len(ids) < MaxModels
	})
	return ids
}
