package mock

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// converseRequest is the body of Converse as far as it changes the answer.
type converseRequest struct {
	Messages   []converseMessage `json:"messages"`
	System     []converseBlock   `json:"system"`
	Inference  inferenceConfig   `json:"inferenceConfig"`
	ToolConfig *converseTools    `json:"toolConfig"`
	Output     struct {
		TextFormat struct {
			Type      string `json:"type"`
			Structure struct {
				JSONSchema struct {
					Schema string `json:"schema"`
				} `json:"jsonSchema"`
			} `json:"structure"`
		} `json:"textFormat"`
	} `json:"outputConfig"`
	Additional map[string]json.RawMessage `json:"additionalModelRequestFields"`

	model string // without area and ARN
	ttl   string // of the last cache point
}

type inferenceConfig struct {
	MaxTokens     *int     `json:"maxTokens"`
	Temperature   *float64 `json:"temperature"`
	TopP          *float64 `json:"topP"`
	StopSequences []string `json:"stopSequences"`
}

type converseMessage struct {
	Role    string          `json:"role"`
	Content []converseBlock `json:"content"`
}

// converseBlock is a block of content, of system or of a tool's result: one member is there.
type converseBlock struct {
	Text       *string           `json:"text"`
	JSON       json.RawMessage   `json:"json"`
	Image      *converseFile     `json:"image"`
	Document   *converseFile     `json:"document"`
	ToolUse    *converseUse      `json:"toolUse"`
	ToolResult *converseResult   `json:"toolResult"`
	Reasoning  *converseThinking `json:"reasoningContent"`
	CachePoint *cachePoint       `json:"cachePoint"`
}

type converseFile struct {
	Format string `json:"format"`
	Name   string `json:"name"`
	Source struct {
		Bytes []byte `json:"bytes"`
		Text  string `json:"text"`
	} `json:"source"`
}

type converseUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type converseResult struct {
	ID      string          `json:"toolUseId"`
	Content []converseBlock `json:"content"`
	Status  string          `json:"status"`
}

type converseThinking struct {
	Text     *reasoningText `json:"reasoningText,omitempty"`
	Redacted []byte         `json:"redactedContent,omitempty"`
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type cachePoint struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

type converseTools struct {
	Tools  []converseTool `json:"tools"`
	Choice struct {
		Auto *struct{} `json:"auto"`
		Any  *struct{} `json:"any"`
		Tool *struct {
			Name string `json:"name"`
		} `json:"tool"`
	} `json:"toolChoice"`
}

type converseTool struct {
	Spec *struct {
		Name        string  `json:"name"`
		Description *string `json:"description"`
		InputSchema struct {
			JSON json.RawMessage `json:"json"`
		} `json:"inputSchema"`
	} `json:"toolSpec"`
	CachePoint *cachePoint `json:"cachePoint"`
}

// caches tells the models that take cache points.
func (c *converseRequest) caches() bool {
	return isClaude(c.model) || strings.Contains(c.model, "nova")
}

// prompt checks the request as the service does and tells what it asks.
func (c *converseRequest) prompt(s *Server) (*prompt, *failure) {
	p := &prompt{Model: c.model, Stop: c.Inference.StopSequences, Parallel: true}
	if c.Inference.MaxTokens != nil {
		p.MaxTokens = *c.Inference.MaxTokens
	}
	checks := []func(*prompt) *failure{
		c.checkInference, c.readTools, c.readAdditional, c.readFormat, c.readSystem,
		func(p *prompt) *failure { return c.readMessages(p, s) },
	}
	for _, check := range checks {
		if f := check(p); f != nil {
			return nil, f
		}
	}
	return p, nil
}

// constraint is how the service tells that a value is beyond its bounds.
func constraint(value any, at, rule string) *failure {
	return bad("", fmt.Sprintf("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, at, rule))
}

func (c *converseRequest) checkInference(*prompt) *failure {
	i := &c.Inference
	if i.MaxTokens != nil && *i.MaxTokens < 1 {
		return constraint(*i.MaxTokens, "inferenceConfig.maxTokens", "have value greater than or equal to 1")
	}
	for name, v := range map[string]*float64{"temperature": i.Temperature, "topP": i.TopP} {
		switch {
		case v != nil && *v > 1:
			return constraint(*v, "inferenceConfig."+name, "have value less than or equal to 1")
		case v != nil && *v < 0:
			return constraint(*v, "inferenceConfig."+name, "have value greater than or equal to 0")
		}
	}
	if len(i.StopSequences) > 2500 {
		return constraint(len(i.StopSequences), "inferenceConfig.stopSequences", "have length less than or equal to 2500")
	}
	for k, stop := range i.StopSequences {
		if stop == "" {
			return constraint(stop, fmt.Sprintf("inferenceConfig.stopSequences.%d.member", k+1), "have length greater than or equal to 1")
		}
	}
	return nil
}

// Names: of tools, and ids of their calls.
var (
	toolName    = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	namePattern = "satisfy regular expression pattern: [a-zA-Z0-9_-]+ and have length less than or equal to 64"
)

func (c *converseRequest) readTools(p *prompt) *failure {
	p.Choice = "auto"
	if c.ToolConfig == nil {
		return nil
	}
	if len(c.ToolConfig.Tools) == 0 {
		return constraint("[]", "toolConfig.tools", "have length greater than or equal to 1")
	}
	for i, t := range c.ToolConfig.Tools {
		at := fmt.Sprintf("toolConfig.tools.%d.member", i+1)
		switch {
		case t.CachePoint != nil:
			if f := c.cache(p, t.CachePoint); f != nil {
				return f
			}
			continue
		case t.Spec == nil:
			return bad("", "The provided request is not valid: "+at+" has no member that is known.")
		case !toolName.MatchString(t.Spec.Name):
			return constraint(t.Spec.Name, at+".toolSpec.name", namePattern)
		case t.Spec.Description != nil && *t.Spec.Description == "":
			return constraint("", at+".toolSpec.description", "have length greater than or equal to 1")
		case slices.ContainsFunc(p.Tools, func(have tool) bool { return have.Name == t.Spec.Name }):
			return bad("", "The tool "+t.Spec.Name+" is already defined at toolConfig.tools.")
		}
		var schema struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(t.Spec.InputSchema.JSON, &schema) != nil || schema.Type != "object" {
			return bad("", fmt.Sprintf("The value at toolConfig.tools.%d.toolSpec.inputSchema.json.type must be one of the following: object.", i))
		}
		description := ""
		if t.Spec.Description != nil {
			description = *t.Spec.Description
		}
		p.Tools = append(p.Tools, tool{t.Spec.Name, description, t.Spec.InputSchema.JSON})
		p.Tokens += countTokens(t.Spec.Name) + countTokens(string(t.Spec.InputSchema.JSON))
		p.CacheKey += t.Spec.Name + "\x00"
	}
	return c.readChoice(p)
}

func (c *converseRequest) readChoice(p *prompt) *failure {
	choice := &c.ToolConfig.Choice
	switch {
	case choice.Any != nil:
		p.Choice = "required"
	case choice.Tool != nil:
		p.Choice = choice.Tool.Name
		if !slices.ContainsFunc(p.Tools, func(t tool) bool { return t.Name == p.Choice }) {
			return bad("", "The provided tool name in toolChoice.tool.name does not match any of the tools in toolConfig.tools.")
		}
	}
	return nil
}

// makerFields are what the models of a maker take beside Converse's own fields.
var makerFields = map[string][]string{
	"anthropic": {"anthropic_beta", "thinking", "output_config", "top_k", "tool_choice", "context_management", "metadata"},
	"amazon":    {"inferenceConfig", "reasoningConfig"},
	"openai":    {"reasoning_effort"},
}

func (c *converseRequest) readAdditional(p *prompt) *failure {
	maker, _, _ := strings.Cut(c.model, ".")
	fields, known := makerFields[maker]
	for _, name := range slices.Sorted(maps.Keys(c.Additional)) {
		if known && !slices.Contains(fields, name) {
			return malformed("#: extraneous key [" + name + "] is not permitted")
		}
	}
	p.Think = maker == "openai" || strings.Contains(c.model, "deepseek.r1") // they always do
	var nova struct {
		Type string `json:"type"`
	}
	if raw, ok := c.Additional["reasoningConfig"]; ok && json.Unmarshal(raw, &nova) == nil {
		p.Think = nova.Type == "enabled"
	}
	if raw, ok := c.Additional["thinking"]; ok {
		return c.readThinking(raw, p)
	}
	return nil
}

// readThinking has Claude's own checks made, by Claude's own fields.
func (c *converseRequest) readThinking(raw json.RawMessage, p *prompt) *failure {
	most := 64_000
	if p.MaxTokens > 0 {
		most = p.MaxTokens
	}
	m := messageRequest{MaxTokens: &most}
	if json.Unmarshal(raw, &m.Thinking) != nil {
		return modelSays(bad("", "thinking: Input should be a valid dictionary"))
	}
	if p.Choice == "required" || slices.ContainsFunc(p.Tools, func(t tool) bool { return t.Name == p.Choice }) {
		m.Choice.Type = "any"
	}
	return modelSays(m.readThinking(p))
}

// modelSays is a refusal of the model, which Converse passes on.
func modelSays(f *failure) *failure {
	if f != nil {
		f.message = "The model returned the following errors: " + f.message
	}
	return f
}

func (c *converseRequest) readFormat(p *prompt) *failure {
	format := &c.Output.TextFormat
	switch {
	case format.Type == "":
		return nil
	case format.Type != "json_schema":
		return constraint(format.Type, "outputConfig.textFormat.type", "satisfy enum value set: [json_schema]")
	case !json.Valid([]byte(format.Structure.JSONSchema.Schema)):
		return bad("", "The schema at outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON.")
	}
	p.Format, p.Schema = "schema", json.RawMessage(format.Structure.JSONSchema.Schema)
	return nil
}

func (c *converseRequest) readSystem(p *prompt) *failure {
	for i, b := range c.System {
		switch {
		case b.CachePoint != nil:
			if f := c.cache(p, b.CachePoint); f != nil {
				return f
			}
		case b.Text == nil:
			return bad("", fmt.Sprintf("The SystemContentBlock at system.%d has no member that is known.", i))
		case *b.Text == "":
			return constraint("", fmt.Sprintf("system.%d.member.text", i+1), "have length greater than or equal to 1")
		default:
			p.System += *b.Text + "\n"
			p.Tokens += countTokens(*b.Text)
			p.CacheKey += *b.Text + "\x00"
		}
	}
	return nil
}

// cache notes that the input up to here may be cached.
func (c *converseRequest) cache(p *prompt, at *cachePoint) *failure {
	switch {
	case !c.caches():
		return &failure{status: http.StatusForbidden, kind: kindDenied, message: "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information."}
	case at.Type != "default":
		return constraint(at.Type, "cachePoint.type", "satisfy enum value set: [default]")
	case at.TTL != "" && at.TTL != "5m" && at.TTL != "1h":
		return constraint(at.TTL, "cachePoint.ttl", "satisfy enum value set: [5m, 1h]")
	}
	c.ttl = at.TTL
	p.CacheMarked = p.Tokens
	return nil
}
