package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
)

func init() {
	Register(&Kind{
		Name:    "vertex",
		Title:   "Google Vertex AI",
		Dialect: point.DialectGemini,
		Probe:   "gemini-2.5-flash",
		Fields: []Field{
			{Name: "project", Title: "Project", Type: "string", Help: "ID of the Google Cloud project; absent, it is the service account's. An API key of express mode needs none."},
			{Name: "location", Title: "Location", Type: "string", Default: "global", Help: "Where the models run, such as global or us-east5; it makes the base URL."},
			{Name: "service_account", Title: "Service account", Type: "secret", Help: "The JSON file with the account's key, if there is no API key."},
		},
		Service: vertex{},
	})
}

// vertex serves Gemini and Claude on Vertex AI: the dialects are theirs, paths and credentials
// are Google Cloud's.
//
//	https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
//	https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
type vertex struct{}

// vertexVersion stands in the body of Claude's requests, in place of the model.
const vertexVersion = "vertex-2023-10-16"

// vertexLocation and vertexProject are the forms of a location's name and a project's ID.
var (
	vertexLocation = regexp.MustCompile(`^[a-z]+(-[a-z]+\d+)?$`)
	vertexProject  = regexp.MustCompile(`^[a-z0-9.:-]+$`)
)

func location(c *point.ProviderConfig) string { return cmp.Or(setting(c, "location"), "global") }

// Place is the location's own host, if base_url names no other.
func (vertex) Place(c *point.ProviderConfig) string {
	switch at := location(c); {
	case c.BaseURL != "" || !vertexLocation.MatchString(at):
		return c.BaseURL
	case at == "global":
		return "https://aiplatform.googleapis.com"
	case !strings.Contains(at, "-"): // us, eu: several regions
		return "https://aiplatform." + at + ".rep.googleapis.com"
	default:
		return "https://" + at + "-aiplatform.googleapis.com"
	}
}

// PlacedBy: see Place.
func (vertex) PlacedBy() string { return "location" }

// Check wants a place, and an account that can be read.
func (s vertex) Check(c *point.ProviderConfig, fault point.Fault) {
	if s.Place(c) == "" {
		fault("location", "This is no location of Vertex AI; they are called global, eu or us-east5.")
	}
	if _, given := c.Secrets["service_account"]; !given {
		return
	}
	if _, err := s.ServiceAccount(c); err != nil {
		fault("service_account", "%s", point.AsError(err).Message)
	}
}

// Authorize puts an API key of express mode on a request.
func (vertex) Authorize(header http.Header, credential point.Secret) {
	gemini{}.Authorize(header, credential)
}

// Sign puts the service account's token, or the API key, on a request.
func (s vertex) Sign(r *http.Request, _ []byte, with Proof) error {
	if with.Token.IsZero() {
		s.Authorize(r.Header, with.Key)
	} else {
		r.Header.Set("Authorization", "Bearer "+with.Token.Reveal())
	}
	return nil
}

// accountFile is what a service account's JSON file tells beside its key.
type accountFile struct {
	Type      string `json:"type"`
	ProjectID string `json:"project_id"`
	Email     string `json:"client_email"`
	KeyID     string `json:"private_key_id"`
	TokenURL  string `json:"token_uri"`
}

// googleTokens are the addresses at which Google gives tokens: the file of an account leads to no
// other place.
var googleTokens = []string{"https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token"}

// ServiceAccount reads the account's file; an API key goes before it.
func (vertex) ServiceAccount(c *point.ProviderConfig) (*ServiceAccount, error) {
	if c.APIKeyEnv != "" || len(c.Credentials()) > 0 {
		return nil, nil
	}
	file := accountOf(c)
	key := point.NewSecret(gjson.Get(c.Secrets["service_account"].Reveal(), "private_key").Str)
	switch {
	case file.Type != "service_account" || file.Email == "" || key.IsZero():
		return nil, &point.Error{Code: point.ProviderCredentials, Message: "service_account is not the JSON file of a service account's key; enter it again."}
	case file.TokenURL != "" && !slices.Contains(googleTokens, file.TokenURL):
		return nil, &point.Error{Code: point.ProviderCredentials, Message: "The token_uri of service_account is none of Google's."}
	}
	return &ServiceAccount{
		Email: file.Email, KeyID: file.KeyID, PrivateKey: key,
		TokenURL: cmp.Or(file.TokenURL, googleTokens[0]), Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
	}, nil
}

// accountOf is the account's file, empty if there is none that can be read.
func accountOf(c *point.ProviderConfig) (file accountFile) {
	secret, ok := c.Secrets["service_account"]
	if !ok || json.Unmarshal([]byte(secret.Reveal()), &file) != nil {
		return accountFile{}
	}
	return file
}

func (vertex) Failure(status int, header http.Header, body []byte) *point.Error {
	return failure(status, header, body, googleComplaint(body))
}

// Speaks: Claude speaks Anthropic's dialect, Gemini its own.
func (vertex) Speaks(path, model string, _ *point.ProviderConfig) bool {
	isClaude := strings.HasPrefix(vertexModel(model), "claude")
	return isClaude && (path == point.PathMessages || path == point.PathCountTokens) || !isClaude && path == point.PathGemini
}

// vertexContents puts a conversation in Vertex AI's form: each turn has a role, and calls have no
// ids.
func vertexContents(body []byte) []byte {
	var list edits
	for turn := range whole(body).get("contents").oneOrMore() {
		if role := turn.get("role"); turn.isObject() && (!role.exists() || role.isNull()) {
			list.set(turn, "role", `"user"`)
		}
		for part := range turn.get("parts").oneOrMore() {
			for _, name := range []string{"functionCall", "function_call", "functionResponse", "function_response"} {
				list.cut(part.get(name), func(key []byte, _ value) bool { return string(key) == "id" })
			}
		}
	}
	return splice(body, list)
}

// Generate sends a generateContent request on as it came, but for what Vertex AI refuses of it.
func (vertex) Generate(req *Request) (*Exchange, error) {
	body, err := googlesBody(req)
	if err != nil {
		return nil, err
	}
	body = vertexContents(body)
	method := "generateContent"
	if req.Call.Envelope.Stream {
		method = "streamGenerateContent?alt=sse"
	}
	out, err := vertexOutbound(&req.Provider.Config, "google", vertexModel(req.Model), method, body)
	return &Exchange{Outbound: out, Decoder: &generated{}}, err
}

// CountContents asks for a count of Gemini's.
func (vertex) CountContents(req *Request) (*Exchange, error) {
	body, err := googlesBody(req)
	if err != nil {
		return nil, err
	}
	out, err := vertexOutbound(&req.Provider.Config, "google", vertexModel(req.Model), "countTokens", vertexContents(body))
	return &Exchange{Outbound: out, Decoder: googleMemberOf{"totalTokens"}}, err
}

// Messages sends a message request to Claude in its own dialect.
func (vertex) Messages(req *Request) (*Exchange, error) {
	method := "rawPredict"
	if req.Call.Envelope.Stream {
		method = "streamRawPredict"
	}
	return vertexMessages(req, &messageRelay{}, vertexModel(req.Model), method, "")
}

// CountTokens asks for a count: there is a model for it, which is told the model that is meant.
func (vertex) CountTokens(req *Request) (*Exchange, error) {
	return vertexMessages(req, countRelay{}, "count-tokens", "rawPredict", vertexModel(req.Model))
}

func vertexMessages(req *Request, decoder Decoder, model, method, meant string) (*Exchange, error) {
	x := &Exchange{Decoder: decoder}
	body, betas, err := x.hosted("vertex", req, vertexVersion, req.Call.Path == point.PathMessages)
	if err != nil {
		return nil, err
	}
	if meant != "" {
		list := edits{}
		list.set(whole(body), "model", string(jsontext.AppendString(nil, meant)))
		body = splice(body, list)
	}
	if x.Outbound, err = vertexOutbound(&req.Provider.Config, "anthropic", model, method, body); err != nil {
		return nil, err
	}
	if len(betas) > 0 {
		x.Outbound.Header.Set("Anthropic-Beta", strings.Join(betas, ","))
	}
	return x, nil
}

// Chat translates a chat completion for the model's own dialect.
func (s vertex) Chat(req *Request) (*Exchange, error) {
	chat, err := readChat(req)
	if err != nil {
		return nil, err
	}
	model := vertexModel(req.Model)
	if strings.HasPrefix(model, "claude") {
		return s.claude(req, chat, model)
	}
	return s.gemini(req, chat, model)
}

// vertexModel is a model's name without what may stand before it: publishers/P/models/.
func vertexModel(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func (s vertex) gemini(req *Request, chat *chatRequest, model string) (*Exchange, error) {
	t := geminiTranslation{translation: translation{kind: "vertex", req: req, chat: chat}, model: parseGemini(model)}
	if err := t.translate(); err != nil {
		return nil, err
	}
	for _, content := range t.out.Contents { // calls have no ids there
		for _, part := range content.Parts {
			if part.FunctionCall != nil {
				part.FunctionCall.ID = ""
			}
			if part.FunctionResponse != nil {
				part.FunctionResponse.ID = ""
			}
		}
	}
	method := "generateContent"
	if chat.Stream {
		method = "streamGenerateContent?alt=sse"
	}
	body, err := marshal(&t.out)
	if err != nil {
		return nil, err
	}
	out, err := vertexOutbound(&req.Provider.Config, "google", model, method, body)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: out, Dropped: t.dropped,
		Decoder: &geminiDecoder{
			created: req.Call.Start.Unix(), fallbackID: req.Call.ID, fallbackModel: req.Model,
			oneCall: chat.ParallelToolCalls != nil && !*chat.ParallelToolCalls,
		},
	}, nil
}

func (s vertex) claude(req *Request, chat *chatRequest, model string) (*Exchange, error) {
	t := anthropicTranslation{translation: translation{kind: "vertex", req: req, chat: chat}, model: parseClaude(model)}
	if err := t.translate(); err != nil {
		return nil, err
	}
	t.out.Model, t.out.Version = "", vertexVersion
	method := "rawPredict"
	if chat.Stream {
		method = "streamRawPredict"
	}
	body, err := marshal(&t.out)
	if err != nil {
		return nil, err
	}
	out, err := vertexOutbound(&req.Provider.Config, "anthropic", model, method, body)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: out, Dropped: t.dropped,
		Decoder: &anthropicDecoder{created: req.Call.Start.Unix(), jsonTool: t.jsonTool, fallbackID: req.Call.ID, fallbackModel: req.Model},
	}, nil
}

// vertexOutbound posts body to a method of a publisher's model, within the project if there is
// one.
func vertexOutbound(c *point.ProviderConfig, publisher, model, method string, body []byte) (*point.Outbound, error) {
	project := cmp.Or(setting(c, "project"), accountOf(c).ProjectID)
	path := "/v1/"
	switch at := location(c); {
	case project == "" && publisher != "google":
		return nil, &point.Error{Code: point.ProviderCredentials, Message: "This model needs the provider's project: set it, and a service account."}
	case project == "":
	case !vertexProject.MatchString(project) || !vertexLocation.MatchString(at):
		return nil, &point.Error{Code: point.ProviderCredentials, Message: "The provider's project or location is not the name of one; check them."}
	default:
		path += fmt.Sprintf("projects/%s/locations/%s/", project, at)
	}
	return &point.Outbound{
		Method: http.MethodPost, Path: path + "publishers/" + publisher + "/models/" + url.PathEscape(model) + ":" + method,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body,
	}, nil
}
