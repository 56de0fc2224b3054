package provider

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "azure",
		Title:   "Azure OpenAI",
		Dialect: point.DialectOpenAI,
		EnvKeys: []string{"AZURE_OPENAI_API_KEY"},
		Listing: ListingWishes,
		Probe:   "gpt-4o-mini",
		Fields: []Field{
			{Name: "resource_name", Title: "Resource name", Type: "string", Help: "Name of the Azure resource, in place of the base URL https://NAME.openai.azure.com."},
			{Name: "api_version", Title: "API version", Type: "string", Default: "v1", Help: "A date, such as 2024-10-21, calls deployments by the older API; v1 and preview by the present one."},
			{Name: "deployments", Title: "Deployments", Type: "map", Help: "Names of deployments by the models that they serve: the provider's models are these. Without any, a model is its deployment's name."},
		},
		Service: azure{},
	})
}

// azure serves OpenAI's API for the deployments of one Azure resource.
type azure struct{}

func (azure) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("Api-Key", credential.Reveal())
	}
}

// Failure: a deployment that is not there is a model that is not there, and a path that is not
// there is most often a version that is not.
func (azure) Failure(status int, header http.Header, body []byte) *point.Error {
	c := openAIComplaint(body)
	lost := c != nil && c.message == "Resource not found"
	switch {
	case c == nil:
	case c.code == "DeploymentNotFound":
		c.code = "model_not_found"
	case lost:
		c.message += ": check base_url and api_version."
	}
	e := failure(status, header, body, c)
	e.Place = e.Place || lost
	return e
}

// Place is the resource's root. A base URL may name the API below it, as OpenAI's SDK wants it.
func (azure) Place(c *point.ProviderConfig) string {
	if c.BaseURL != "" {
		base := strings.TrimRight(c.BaseURL, "/")
		return strings.TrimSuffix(strings.TrimSuffix(base, "/v1"), "/openai")
	}
	name := setting(c, "resource_name")
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r != '-' && notAlphanumeric(r) }) {
		return ""
	}
	return "https://" + strings.ToLower(name) + ".openai.azure.com"
}

// PlacedBy: see Place.
func (azure) PlacedBy() string { return "resource_name" }

// azureVersion is the form of api_version.
var azureVersion = regexp.MustCompile(`^(v1|preview|latest|\d{4}-\d{2}-\d{2}(-preview)?)?$`)

// Check wants a resource, and a version that there could be.
func (s azure) Check(c *point.ProviderConfig, fault point.Fault) {
	if s.Place(c) == "" {
		fault("resource_name", "Name the Azure resource, with letters, digits and hyphens alone, or give base_url.")
	}
	if name := setting(c, "resource_name"); name != "" && c.BaseURL != "" && s.Place(c) != s.Place(&point.ProviderConfig{Options: c.Options}) {
		fault("resource_name", "The base_url leads to another place than this resource's: give one of the two.")
	}
	if !azureVersion.MatchString(setting(c, "api_version")) {
		fault("api_version", "This is v1, preview, or the date of a version, such as 2024-10-21.")
	}
}

// Models are those that have a deployment of their own.
func (azure) Models(c *point.ProviderConfig) []string {
	return slices.Sorted(maps.Keys(deployments(c)))
}

// ListModels asks for the models that the resource may deploy: with a key alone, nobody is told
// which it has deployed.
func (azure) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out, read := openAI{}.ListModels()
	out.Path = "/openai/v1" + out.Path
	return out, read
}

func (s azure) Chat(req *Request) (*Exchange, error) {
	x, err := s.ask(req, openAI{rules: knowsLimits(&req.Provider.Config)}.Chat)
	if err != nil {
		return nil, err
	}
	if d, ok := x.Decoder.(*forwarded); ok {
		x.Decoder = &azureDecoder{forwarded: d}
	}
	return x, nil
}

func (s azure) Complete(req *Request) (*Exchange, error) { return s.ask(req, openAI{}.Complete) }
func (s azure) Embed(req *Request) (*Exchange, error)    { return s.ask(req, openAI{}.Embed) }
func (s azure) Image(req *Request) (*Exchange, error)    { return s.ask(req, openAI{}.Image) }

// Passes: the API has OpenAI's sound and edits of images, by deployment.
func (azure) Passes(path string) bool {
	return slices.Contains([]string{point.PathImageEdits, point.PathSpeech, point.PathTranscribe, point.PathTranslate}, path)
}

func (s azure) Pass(req *Request) (*Exchange, error) { return s.ask(req, openAI{}.Pass) }

// Speaks: dated versions of the API have responses elsewhere; these are told as chats.
func (azure) Speaks(path, _ string, c *point.ProviderConfig) bool {
	return path == point.PathResponses && !dated(setting(c, "api_version"))
}

func (s azure) Respond(req *Request) (*Exchange, error) { return s.ask(req, openAIOwn{}.Respond) }

// dated reports whether a version of the API is one of those that are called by their date.
func dated(version string) bool { return version != "" && version[0] >= '0' && version[0] <= '9' }

// firstUsage is the first dated version of the API that knows stream_options and
// max_completion_tokens.
const firstUsage = "2024-09-01"

// knowsLimits reports whether the API's version is one that has max_completion_tokens.
func knowsLimits(c *point.ProviderConfig) bool {
	version := setting(c, "api_version")
	return !dated(version) || version >= firstUsage
}

// ask makes an exchange that goes to the deployment of the request's model.
func (azure) ask(req *Request, say func(*Request) (*Exchange, error)) (*Exchange, error) {
	config := &req.Provider.Config
	deployed := *req
	if name := deployments(config)[req.Model]; name != "" {
		deployed.Model, deployed.Known = name, req.Model
	}
	x, err := say(&deployed)
	if err != nil {
		return nil, err
	}
	switch version := setting(config, "api_version"); version {
	case "", "v1", "latest":
		x.Outbound.Path = "/openai/v1" + x.Outbound.Path
	case "preview":
		x.Outbound.Path = "/openai/v1" + x.Outbound.Path + "?api-version=preview"
	default:
		x.Outbound.Path = "/openai/deployments/" + url.PathEscape(deployed.Model) + x.Outbound.Path + "?api-version=" + url.QueryEscape(version)
		if version < firstUsage {
			saying{silent: []string{"stream_options"}}.say(req, x)
		}
	}
	return x, nil
}

// deployments are a provider's, by model.
func deployments(c *point.ProviderConfig) (names map[string]string) {
	_ = json.Unmarshal(c.Options["deployments"], &names) // was checked when it was saved
	return names
}
