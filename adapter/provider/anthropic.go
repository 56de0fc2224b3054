package provider

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "anthropic",
		Title:   "Anthropic",
		Dialect: point.DialectAnthropic,
		BaseURL: "https://api.anthropic.com",
		EnvKeys: []string{"ANTHROPIC_API_KEY"},
		Probe:   "claude-haiku-4-5",
		Service: anthropic{},
	})
}

// anthropic serves the Messages API: https://platform.claude.com/docs/en/api/messages
type anthropic struct{}

const anthropicVersion = "2023-06-01"

func (anthropic) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("X-Api-Key", credential.Reveal())
	}
}

// Failure reads {"type": "error", "error": {"type", "message"}}.
func (anthropic) Failure(status int, header http.Header, body []byte) *point.Error {
	return failure(status, header, body, openAIComplaint(body))
}

func (anthropic) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out := &point.Outbound{Method: http.MethodGet, Path: "/v1/models?limit=1000", Header: http.Header{"Anthropic-Version": {anthropicVersion}}}
	return out, func(body []byte) ([]string, error) { return modelIDs(body, "data", "id") }
}

// Chat translates a chat completion into a message.
func (anthropic) Chat(req *Request) (*Exchange, error) {
	chat, err := readChat(req)
	if err != nil {
		return nil, err
	}
	t := anthropicTranslation{translation: translation{kind: "anthropic", req: req, chat: chat}, model: parseClaude(req.Model)}
	if err := t.translate(); err != nil {
		return nil, err
	}
	body, err := marshal(&t.out)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: &point.Outbound{
			Method: http.MethodPost,
			Path:   "/v1/messages",
			Header: http.Header{"Content-Type": {"application/json"}, "Anthropic-Version": {anthropicVersion}},
			Body:   body,
		},
		Dropped: t.dropped,
		Decoder: &anthropicDecoder{created: req.Call.Start.Unix(), jsonTool: t.jsonTool, fallbackID: req.Call.ID, fallbackModel: req.Model},
	}, nil
}

// anthropicRequest is the body of POST /v1/messages.
type anthropicRequest struct {
	Model         string                 `json:"model,omitempty"`             // on Vertex AI it stands in the path
	Version       string                 `json:"anthropic_version,omitempty"` // on Vertex AI alone
	MaxTokens     int64                  `json:"max_tokens"`
	System        []anthropicBlock       `json:"system,omitempty"`
	Messages      []anthropicMessage     `json:"messages"`
	Tools         []json.RawMessage      `json:"tools,omitempty"`
	ToolChoice    *anthropicChoice       `json:"tool_choice,omitempty"`
	Thinking      json.RawMessage        `json:"thinking,omitempty"`
	OutputConfig  *anthropicOutputConfig `json:"output_config,omitempty"`
	CacheControl  json.RawMessage        `json:"cache_control,omitempty"`
	StopSequences []string               `json:"stop_sequences,omitempty"`
	Temperature   *float64               `json:"temperature,omitempty"`
	TopP          *float64               `json:"top_p,omitempty"`
	TopK          *int64                 `json:"top_k,omitempty"`
	Metadata      *anthropicMetadata     `json:"metadata,omitempty"`
	Stream        bool                   `json:"stream,omitempty"`
}

type anthropicMessage struct {
	Role    string           `json:"role"`
	Content []anthropicBlock `json:"content"`
}

// anthropicBlock is a content block of a request, of any type. Thinking must be there in a
// block of thinking even when it is empty, so it is a pointer.
type anthropicBlock struct {
	Type         string           `json:"type"`
	Text         string           `json:"text,omitempty"`
	Thinking     *string          `json:"thinking,omitempty"`
	Signature    string           `json:"signature,omitempty"`
	Data         string           `json:"data,omitempty"`
	Source       *anthropicSource `json:"source,omitempty"`
	Title        string           `json:"title,omitempty"`
	ID           string           `json:"id,omitempty"`
	Name         string           `json:"name,omitempty"`
	Input        json.RawMessage  `json:"input,omitempty"`
	ToolUseID    string           `json:"tool_use_id,omitempty"`
	Content      []anthropicBlock `json:"content,omitempty"`
	IsError      bool             `json:"is_error,omitempty"`
	Citations    json.RawMessage  `json:"citations,omitempty"`
	CacheControl json.RawMessage  `json:"cache_control,omitempty"`
}

type anthropicSource struct {
	Type      string `json:"type"` // base64, url, text
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
}

type anthropicTool struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"input_schema"`
	Strict       bool            `json:"strict,omitempty"`
	CacheControl json.RawMessage `json:"cache_control,omitempty"`
}

type anthropicChoice struct {
	Type            string `json:"type"` // auto, any, tool, none
	Name            string `json:"name,omitempty"`
	DisableParallel bool   `json:"disable_parallel_tool_use,omitempty"`
}

type anthropicOutputConfig struct {
	Effort string           `json:"effort,omitempty"`
	Format *anthropicFormat `json:"format,omitempty"`
}

type anthropicFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type anthropicMetadata struct {
	UserID string `json:"user_id"`
}

// claude is what a model's name tells of its abilities.
type claude struct {
	family  string
	version int  // major * 10 + minor; a name without one is taken for the newest
	plain   bool // it is reached by an API without output formats and strict tools
}

// parseClaude reads names such as claude-3-5-haiku-20241022, claude-sonnet-4-5 and
// anthropic/claude-opus-4.6.
func parseClaude(model string) claude {
	c := claude{}
	name := strings.ToLower(model)
	if i := strings.LastIndexAny(name, "/"); i >= 0 {
		name = name[i+1:]
	}
	digits := 0
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == ':' }) {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil && (word == "opus" || word == "sonnet" || word == "haiku" || word == "instant"):
			c.family = word
		case err == nil && n < 100 && digits == 0:
			c.version, digits = n*10, 1
		case err == nil && n < 10 && digits == 1:
			c.version, digits = c.version+n, 2
		}
	}
	if digits == 0 {
		c.version = 999
	}
	return c
}

// thinks reports whether the model can think before it answers.
func (c claude) thinks() bool { return c.version >= 37 }

// adapts reports whether the model chooses how much to think itself, by effort; the newest
// ones refuse a budget.
func (c claude) adapts() bool { return c.version >= 46 }

// samples reports whether the model takes temperature, top_p and top_k.
func (c claude) samples() bool { return c.version < 47 }

// formats reports whether the model takes an output format and strict tools.
func (c claude) formats() bool {
	return !c.plain && (c.version >= 45 || c.version == 41 && c.family == "opus")
}

// maxTokens is the most the model can answer: max_tokens is required.
func (c claude) maxTokens() int64 {
	switch {
	case c.version < 35:
		return 4096
	case c.version < 37:
		return 8192
	case c.family == "opus" && c.version < 45:
		return 32_000
	case c.family == "opus" && c.version >= 46 && c.version < 999:
		return 128_000
	}
	return 64_000
}

// effort maps OpenAI's reasoning effort to the model's words.
func (c claude) effort(effort string) string {
	switch effort {
	case "minimal":
		return "low"
	case "xhigh", "max":
		switch {
		case c.version >= 47:
			return effort
		case c.family == "opus":
			return "max"
		}
		return "high"
	}
	return effort
}
