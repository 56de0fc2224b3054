package provider

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "gemini",
		Title:   "Google Gemini",
		Dialect: point.DialectGemini,
		BaseURL: "https://generativelanguage.googleapis.com",
		EnvKeys: []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"},
		Probe:   "gemini-2.5-flash",
		Service: gemini{},
	})
}

// gemini serves the Gemini API: https://ai.google.dev/api/generate-content
type gemini struct{}

// Authorize uses the header: a key in the URL would stand in every log on the way.
func (gemini) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("X-Goog-Api-Key", credential.Reveal())
	}
}

func (gemini) Failure(status int, header http.Header, body []byte) *point.Error {
	return failure(status, header, body, googleComplaint(body))
}

// googleComplaint reads {"error": {"code", "message", "status", "details": [...]}}, or the
// same in a list; the details tell the reason and how long to wait.
func googleComplaint(body []byte) *complaint {
	c := openAIComplaint(body)
	if c == nil {
		return nil
	}
	doc := gjson.ParseBytes(body)
	if doc.IsArray() {
		doc = doc.Get("0")
	}
	if status := text(doc.Get("error.status")); status != "" {
		c.kind, c.code = status, "" // the code is the HTTP status once more
	}
	doc.Get("error.details").ForEach(func(_, detail gjson.Result) bool {
		if reason := text(detail.Get("reason")); reason != "" {
			c.code = reason
		}
		if wait, err := time.ParseDuration(text(detail.Get("retryDelay"))); err == nil {
			c.retry = seconds(wait.Seconds())
		}
		return true
	})
	return c
}

func (gemini) ListModels() (*point.Outbound, func([]byte) ([]string, error)) {
	out := &point.Outbound{Method: http.MethodGet, Path: "/v1beta/models?pageSize=1000", Header: http.Header{}}
	return out, func(body []byte) ([]string, error) {
		ids, err := modelIDs(body, "models", "name")
		for i := range ids {
			ids[i] = strings.TrimPrefix(ids[i], "models/")
		}
		return ids, err
	}
}

// Chat translates a chat completion into generateContent.
func (gemini) Chat(req *Request) (*Exchange, error) {
	chat, err := readChat(req)
	if err != nil {
		return nil, err
	}
	t := geminiTranslation{translation: translation{kind: "gemini", req: req, chat: chat}, model: parseGemini(req.Model)}
	if err := t.translate(); err != nil {
		return nil, err
	}
	method := "generateContent"
	if chat.Stream {
		method = "streamGenerateContent?alt=sse"
	}
	out, err := geminiOutbound(req.Model, method, &t.out)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: out,
		Dropped:  t.dropped,
		Decoder: &geminiDecoder{
			created: req.Call.Start.Unix(), fallbackID: req.Call.ID, fallbackModel: req.Model,
			oneCall: chat.ParallelToolCalls != nil && !*chat.ParallelToolCalls,
		},
	}, nil
}

// geminiOutbound posts body to a method of a model.
func geminiOutbound(model, method string, body any) (*point.Outbound, error) {
	raw, err := marshal(body)
	if err != nil {
		return nil, err
	}
	return &point.Outbound{
		Method: http.MethodPost,
		Path:   "/v1beta/" + geminiResource(model) + ":" + method,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   raw,
	}, nil
}

// geminiResource is a model's name in a path: models/M, with nothing in M that could lead
// elsewhere.
func geminiResource(model string) string {
	collection, name, ok := strings.Cut(model, "/")
	if !ok || collection != "models" && collection != "tunedModels" {
		collection, name = "models", model
	}
	return collection + "/" + url.PathEscape(name)
}

// geminiRequest is the body of generateContent.
type geminiRequest struct {
	SystemInstruction *geminiContent    `json:"systemInstruction,omitempty"`
	Contents          []geminiContent   `json:"contents"`
	Tools             []geminiTools     `json:"tools,omitempty"`
	ToolConfig        *geminiToolConfig `json:"toolConfig,omitempty"`
	GenerationConfig  *geminiConfig     `json:"generationConfig,omitempty"`
}

type geminiContent struct {
	Role  string       `json:"role,omitempty"` // user or model
	Parts []geminiPart `json:"parts"`
}

type geminiPart struct {
	Text             *string         `json:"text,omitempty"`
	InlineData       *geminiBlob     `json:"inlineData,omitempty"`
	FileData         *geminiFile     `json:"fileData,omitempty"`
	FunctionCall     *geminiCall     `json:"functionCall,omitempty"`
	FunctionResponse *geminiResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string          `json:"thoughtSignature,omitempty"`
}

type geminiBlob struct {
	MimeType string `json:"mimeType"`
	Data     string `json:"data"`
}

type geminiFile struct {
	MimeType string `json:"mimeType,omitempty"`
	FileURI  string `json:"fileUri"`
}

type geminiCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

type geminiResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

type geminiTools struct {
	FunctionDeclarations []geminiFunction `json:"functionDeclarations"`
}

type geminiFunction struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Parameters  *geminiSchema `json:"parameters,omitempty"`
}

type geminiToolConfig struct {
	FunctionCallingConfig struct {
		Mode    string   `json:"mode"` // AUTO, ANY, NONE
		Allowed []string `json:"allowedFunctionNames,omitempty"`
	} `json:"functionCallingConfig"`
}

type geminiConfig struct {
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	TopK               *int64          `json:"topK,omitempty"`
	MaxOutputTokens    int64           `json:"maxOutputTokens,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	Seed               *int64          `json:"seed,omitempty"`
	PresencePenalty    *float64        `json:"presencePenalty,omitempty"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty,omitempty"`
	ResponseMimeType   string          `json:"responseMimeType,omitempty"`
	ResponseSchema     *geminiSchema   `json:"responseSchema,omitempty"`
	ResponseModalities []string        `json:"responseModalities,omitempty"`
	ThinkingConfig     *geminiThinking `json:"thinkingConfig,omitempty"`
}

type geminiThinking struct {
	IncludeThoughts bool   `json:"includeThoughts,omitempty"`
	ThinkingBudget  *int64 `json:"thinkingBudget,omitempty"`
	ThinkingLevel   string `json:"thinkingLevel,omitempty"`
}

// geminiModel is what a model's name tells of its abilities.
type geminiModel struct {
	version int // major * 10 + minor; a name without one is taken for the newest
	pro     bool
}

// parseGemini reads names such as gemini-2.5-flash-lite and gemini-flash-latest.
func parseGemini(model string) geminiModel {
	m := geminiModel{version: 999, pro: strings.Contains(model, "pro")}
	for word := range strings.SplitSeq(strings.ToLower(model), "-") {
		if v, err := strconv.ParseFloat(word, 64); err == nil && v >= 1 && v < 90 {
			m.version = int(v*10 + 0.5)
			return m
		}
	}
	return m
}

// signs reports whether the model refuses function calls of its own that come back without
// their thought signature.
func (m geminiModel) signs() bool { return m.version >= 30 }

// thinks reports whether the model can think before it answers.
func (m geminiModel) thinks() bool { return m.version >= 25 }

// thinking maps OpenAI's reasoning effort: to a level from Gemini 3 on, to a budget before.
// It is nil for an effort that does not exist.
func (m geminiModel) thinking(effort string) *geminiThinking {
	budget, ok := map[string]int64{"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 24_576, "max": 24_576}[effort]
	if !ok {
		return nil
	}
	t := &geminiThinking{IncludeThoughts: effort != "none"}
	if m.version < 30 {
		if m.pro { // cannot be kept from thinking, and does so from 128 tokens on
			budget = max(budget, 128)
		}
		t.ThinkingBudget = &budget
		return t
	}
	t.ThinkingLevel = m.level(effort)
	return t
}

// level is the nearest thinking level that the model has: Pro models lack the least, and
// the first of them the middle too.
func (m geminiModel) level(effort string) string {
	switch effort {
	case "none", "minimal":
		if m.pro {
			return "low"
		}
		return "minimal"
	case "medium":
		if m.pro && m.version == 30 {
			return "high"
		}
		return "medium"
	case "low":
		return "low"
	}
	return "high"
}
