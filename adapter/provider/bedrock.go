package provider

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "bedrock",
		Title:   "Amazon Bedrock",
		Dialect: point.DialectBedrock,
		EnvKeys: []string{"AWS_BEARER_TOKEN_BEDROCK"},
		Keyless: true, // the process's environment may have the keys
		Listing: ListingOwn,
		Probe:   "amazon.nova-micro-v1:0",
		Fields: []Field{
			{Name: "region", Title: "Region", Type: "string", Required: true, Help: "AWS region of the models, such as us-east-1; it makes the base URL."},
			{Name: "access_key_id", Title: "Access key ID", Type: "string", Help: "Of the IAM user or role that may invoke the models, if there is no API key."},
			{Name: "secret_access_key", Title: "Secret access key", Type: "secret", Help: "Belongs to the access key ID; without both, and without an API key, the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY count."},
			{Name: "session_token", Title: "Session token", Type: "secret", Help: "Of temporary credentials."},
		},
		Service: bedrock{},
	})
}

// bedrock serves Amazon Bedrock by its Converse API, which is the same for all models:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
type bedrock struct{}

// awsRegion is the form of a region's name.
var awsRegion = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}$`)

// Place is the region's own host, if base_url names no other.
func (bedrock) Place(c *point.ProviderConfig) string {
	region := setting(c, "region")
	switch {
	case c.BaseURL != "" || !awsRegion.MatchString(region):
		return c.BaseURL
	case strings.HasPrefix(region, "cn-"):
		return "https://bedrock-runtime." + region + ".amazonaws.com.cn"
	}
	return "https://bedrock-runtime." + region + ".amazonaws.com"
}

// PlacedBy: see Place.
func (bedrock) PlacedBy() string { return "region" }

// Check wants a region, and both of a pair of keys or neither.
func (bedrock) Check(c *point.ProviderConfig, fault point.Fault) {
	if region := setting(c, "region"); region != "" && !awsRegion.MatchString(region) {
		fault("region", "This is no region of AWS; they are called us-east-1 or eu-central-1.")
	}
	_, secret := c.Secrets["secret_access_key"]
	switch id := setting(c, "access_key_id") != ""; {
	case id && !secret:
		fault("secret_access_key", "An access_key_id needs its secret_access_key.")
	case !id && secret:
		fault("access_key_id", "A secret_access_key needs its access_key_id.")
	case !id && !c.Secrets["session_token"].IsZero():
		fault("session_token", "A session_token belongs to an access_key_id and a secret_access_key; give all three.")
	}
}

// Failure reads {"message"}, with the exception's name in a header.
func (bedrock) Failure(status int, header http.Header, body []byte) *point.Error {
	c := awsComplaint(body)
	name, _, _ := strings.Cut(header.Get("X-Amzn-Errortype"), ":")
	if c != nil {
		c.kind = cmp.Or(name, c.kind)
	}
	if status == http.StatusFailedDependency { // the model failed, not the request
		status = http.StatusBadGateway
	}
	return failure(status, header, body, c)
}

// awsComplaint reads AWS's error object; some of its services write Message.
func awsComplaint(body []byte) *complaint {
	c := openAIComplaint(body)
	if said := gjson.GetBytes(body, "Message"); c == nil && validJSON(body) && said.Type == gjson.String {
		c = &complaint{message: said.Str}
	}
	if c == nil {
		return nil
	}
	if kind := text(gjson.GetBytes(body, "__type")); kind != "" {
		c.kind = kind[strings.LastIndexByte(kind, '#')+1:]
	}
	if c.says("model identifier is invalid", "invalid model identifier") {
		c.code = "model_not_found"
	}
	return c
}

// Chat translates a chat completion into Converse, or ConverseStream.
func (bedrock) Chat(req *Request) (*Exchange, error) {
	chat, err := readChat(req)
	if err != nil {
		return nil, err
	}
	t := newBedrockTranslation(req, chat)
	if err := t.translate(); err != nil {
		return nil, err
	}
	raw, err := marshal(&t.converse)
	if err != nil {
		return nil, err
	}
	method := "/converse"
	if chat.Stream {
		method = "/converse-stream"
	}
	decoder := &bedrockDecoder{oneCall: chat.ParallelToolCalls != nil && !*chat.ParallelToolCalls}
	decoder.anthropicDecoder = anthropicDecoder{created: req.Call.Start.Unix(), jsonTool: t.jsonTool, fallbackID: req.Call.ID, fallbackModel: req.Model}
	return &Exchange{
		Outbound: &point.Outbound{Method: http.MethodPost, Path: "/model/" + awsEscape(req.Model) + method, Header: http.Header{"Content-Type": {"application/json"}}, Body: raw},
		Dropped:  t.dropped, Decoder: decoder,
	}, nil
}

// awsEscape writes a model's id or ARN as one part of a path.
func awsEscape(model string) string {
	return strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
}

// converseRequest is the body of Converse.
type converseRequest struct {
	System     []converseBlock   `json:"system,omitempty"`
	Messages   []converseMessage `json:"messages"`
	Inference  *converseConfig   `json:"inferenceConfig,omitempty"`
	ToolConfig *converseTools    `json:"toolConfig,omitempty"`
	Additional *converseExtra    `json:"additionalModelRequestFields,omitempty"`
}

type converseMessage struct {
	Role    string          `json:"role"` // user, assistant
	Content []converseBlock `json:"content"`
}

// converseBlock is a block of content: one of its members is there.
type converseBlock struct {
	Text       *string             `json:"text,omitempty"`
	Image      *converseFile       `json:"image,omitempty"`
	Document   *converseFile       `json:"document,omitempty"`
	ToolUse    *converseCall       `json:"toolUse,omitempty"`
	ToolResult *converseResult     `json:"toolResult,omitempty"`
	Reasoning  *converseReasoning  `json:"reasoningContent,omitempty"`
	CachePoint *converseCachePoint `json:"cachePoint,omitempty"`
	JSON       json.RawMessage     `json:"json,omitempty"` // in results alone
}

type converseFile struct {
	Format string `json:"format"`
	Name   string `json:"name,omitempty"`
	Source struct {
		Bytes string `json:"bytes"` // base64
	} `json:"source"`
	Citations json.RawMessage `json:"citations,omitempty"`
}

type converseCall struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type converseResult struct {
	ID      string          `json:"toolUseId"`
	Content []converseBlock `json:"content"`
	Status  string          `json:"status,omitempty"` // error; of Claude and Nova alone
}

type converseReasoning struct {
	Text     *converseThought `json:"reasoningText,omitempty"`
	Redacted string           `json:"redactedContent,omitempty"` // base64
}

type converseThought struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type converseCachePoint struct {
	Type string `json:"type"` // default
	TTL  string `json:"ttl,omitempty"`
}

type converseConfig struct {
	MaxTokens     int64    `json:"maxTokens,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"topP,omitempty"`
	StopSequences []string `json:"stopSequences,omitempty"`
}

type converseTools struct {
	Tools  []converseTool             `json:"tools"`
	Choice map[string]json.RawMessage `json:"toolChoice,omitempty"` // auto, any or tool
}

type converseTool struct {
	Spec       *converseSpec       `json:"toolSpec,omitempty"`
	CachePoint *converseCachePoint `json:"cachePoint,omitempty"`
}

type converseSpec struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	InputSchema struct {
		JSON json.RawMessage `json:"json"`
	} `json:"inputSchema"`
}

// converseExtra are fields that only some models have, as the model's maker calls them.
type converseExtra struct {
	Thinking        json.RawMessage        `json:"thinking,omitempty"`
	OutputConfig    *anthropicOutputConfig `json:"output_config,omitempty"`
	TopK            *int64                 `json:"top_k,omitempty"`
	ReasoningEffort string                 `json:"reasoning_effort,omitempty"`
}
