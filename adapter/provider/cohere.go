package provider

import (
	"encoding/json"
	"net/http"
	"strings"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "cohere",
		Title:   "Cohere",
		Dialect: point.DialectCohere,
		BaseURL: "https://api.cohere.com",
		EnvKeys: []string{"COHERE_API_KEY", "CO_API_KEY"},
		Probe:   "command-r7b-12-2024",
		Service: cohere{},
	})
}

// cohere serves Cohere's API, version 2: https://docs.cohere.com/reference/chat
type cohere struct{}

func (cohere) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("Authorization", "Bearer "+credential.Reveal())
	}
}

// Failure reads {"id", "message"}.
func (cohere) Failure(status int, header http.Header, body []byte) *point.Error {
	return failure(status, header, body, openAIComplaint(body))
}

func (cohere) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out := &point.Outbound{Method: http.MethodGet, Path: "/v1/models?page_size=1000", Header: http.Header{}}
	return out, func(body []byte) ([]string, error) { return modelIDs(body, "models", "name") }
}

// Passes: what everybody's rerank is modelled on is Cohere's own.
func (cohere) Passes(path string) bool { return path == point.PathRerank }

// Pass forwards a call to rerank documents.
func (cohere) Pass(req *Request) (*Exchange, error) {
	x, err := openAI{}.Pass(req)
	if err == nil {
		x.Outbound.Path = "/v2/rerank"
	}
	return x, err
}

// Chat translates a chat completion into Cohere's chat.
func (cohere) Chat(req *Request) (*Exchange, error) {
	chat, err := readChat(req)
	if err != nil {
		return nil, err
	}
	t := cohereTranslation{translation: translation{kind: "cohere", req: req, chat: chat}}
	if err := t.translate(); err != nil {
		return nil, err
	}
	out, err := coherePost("/v2/chat", &t.out)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: out, Dropped: t.dropped,
		Decoder: &cohereDecoder{
			created: req.Call.Start.Unix(), fallbackID: req.Call.ID, model: req.Model,
			oneCall: chat.ParallelToolCalls != nil && !*chat.ParallelToolCalls,
		},
	}, nil
}

func coherePost(path string, body any) (*point.Outbound, error) {
	raw, err := marshal(body)
	if err != nil {
		return nil, err
	}
	return &point.Outbound{Method: http.MethodPost, Path: path, Header: http.Header{"Content-Type": {"application/json"}}, Body: raw}, nil
}

// cohereRequest is the body of POST /v2/chat.
type cohereRequest struct {
	Model            string          `json:"model"`
	Messages         []cohereMessage `json:"messages"`
	Tools            []cohereTool    `json:"tools,omitempty"`
	ToolChoice       string          `json:"tool_choice,omitempty"` // REQUIRED, NONE; absent: as the model likes
	StrictTools      bool            `json:"strict_tools,omitempty"`
	ResponseFormat   *cohereFormat   `json:"response_format,omitempty"`
	Thinking         *cohereThinking `json:"thinking,omitempty"`
	MaxTokens        int64           `json:"max_tokens,omitempty"`
	StopSequences    []string        `json:"stop_sequences,omitempty"`
	Temperature      *float64        `json:"temperature,omitempty"`
	P                *float64        `json:"p,omitempty"`
	K                *int64          `json:"k,omitempty"`
	Seed             *int64          `json:"seed,omitempty"`
	PresencePenalty  *float64        `json:"presence_penalty,omitempty"`
	FrequencyPenalty *float64        `json:"frequency_penalty,omitempty"`
	Stream           bool            `json:"stream,omitempty"`
}

type cohereMessage struct {
	Role       string        `json:"role"` // system, user, assistant, tool
	Content    cohereContent `json:"content,omitempty"`
	ToolPlan   string        `json:"tool_plan,omitempty"`
	ToolCalls  []toolCall    `json:"tool_calls,omitempty"`
	ToolCallID string        `json:"tool_call_id,omitempty"`
}

// cohereContent is a list of parts; text alone is written as a string.
type cohereContent []coherePart

type coherePart struct {
	Type     string       `json:"type"` // text, thinking, image_url
	Text     string       `json:"text,omitempty"`
	Thinking string       `json:"thinking,omitempty"`
	ImageURL *cohereImage `json:"image_url,omitempty"`
}

type cohereImage struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

func (c cohereContent) MarshalJSON() ([]byte, error) {
	if len(c) == 1 && c[0].Type == "text" {
		return marshal(c[0].Text)
	}
	return marshal([]coherePart(c))
}

type cohereTool struct {
	Type     string         `json:"type"`
	Function cohereFunction `json:"function"`
}

type cohereFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

type cohereFormat struct {
	Type   string          `json:"type"` // json_object
	Schema json.RawMessage `json:"json_schema,omitempty"`
}

type cohereThinking struct {
	Type   string `json:"type"` // enabled, disabled
	Budget int64  `json:"token_budget,omitempty"`
}

// unthinking begin the names of the models that cannot think before they answer. A name that
// is none of them is taken for a newer model.
var unthinking = []string{"command-r", "command-a-03", "command-a-vision", "command-a-translate", "command-light", "command-nightly", "c4ai-"}

// cohereThinks reports whether a model takes settings of its thinking.
func cohereThinks(model string) bool {
	name := strings.ToLower(model)
	for _, prefix := range unthinking {
		if name == "command" || strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}
