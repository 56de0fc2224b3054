package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// cohere is the service at /cohere: version 2 of Cohere's API.
//
//	https://docs.cohere.com/reference/chat
//	https://docs.cohere.com/reference/errors
type cohere struct{}

func (cohere) name() string { return "cohere" }

func (cohere) route(req *request) {
	switch req.path {
	case "/v2/chat":
		req.op = opChat
	case "/v2/embed":
		req.op = opEmbeddings
	case "/v2/rerank":
		req.op = opRerank
	case "/v1/models":
		req.op = opModels
	default:
		if id, ok := strings.CutPrefix(req.path, "/v1/models/"); ok && id != "" {
			req.op, req.model = opModel, id
		}
	}
}

func (cohere) key(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return token
}

func (cohere) admit(req *request) *failure {
	switch req.key {
	case "":
		return &failure{status: http.StatusUnauthorized, message: "no api key supplied"}
	case invalidKey:
		return &failure{status: http.StatusUnauthorized, message: "invalid api token"}
	}
	return nil
}

func (c cohere) answer(req *request) (*reply, *failure) {
	switch req.op {
	case opModels:
		return cohereModels(req), nil
	case opModel:
		return cohereModel(req)
	case opEmbeddings:
		return cohereEmbed(req)
	case opRerank:
		return cohereRerank(req)
	}
	return c.chat(req)
}

// fail tells {"id", "message"}.
func (cohere) fail(req *request, f *failure) *reply {
	message := f.message
	if f.kind == kindModel {
		message = "model '" + req.model + "' not found, make sure the correct model ID was used and that you have access to the model."
	}
	return &reply{status: f.status, header: f.header, body: encode(object{"id": req.uuid(), "message": message})}
}

// failFrame is how a stream ends that the model could not finish.
func (cohere) failFrame(f *failure) frame {
	return cohereFrame("message-end", -1, object{"error": f.message, "finish_reason": "ERROR"})
}

func (cohere) delta(_ *request, text []byte) frame {
	return frame{event: "content-delta", data: slices.Concat([]byte(`{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":`), text, []byte(`}}}}`))}
}

// uuid is the request's id in the form that Cohere's have.
func (r *request) uuid() string {
	const from = "0123456789abcdef"
	id := []byte(hashID(r.server.opts.Seed, r.n, 0) + hashID(r.server.opts.Seed, r.n, 1))[:36]
	for i := range id {
		id[i] = from[id[i]%16]
	}
	for _, i := range []int{8, 13, 18, 23} {
		id[i] = '-'
	}
	id[14], id[19] = '4', '8'
	return string(id)
}

// cohereRequest is the body of /v2/chat as far as it changes the answer.
type cohereRequest struct {
	Model            string            `json:"model"`
	Stream           bool              `json:"stream"`
	Messages         []cohereMessage   `json:"messages"`
	Tools            []cohereTool      `json:"tools"`
	ToolChoice       string            `json:"tool_choice"`
	Documents        []json.RawMessage `json:"documents"`
	CitationOptions  citationOptions   `json:"citation_options"`
	ResponseFormat   cohereFormat      `json:"response_format"`
	MaxTokens        *int              `json:"max_tokens"`
	StopSequences    []string          `json:"stop_sequences"`
	Temperature      *float64          `json:"temperature"`
	P                *float64          `json:"p"`
	K                *float64          `json:"k"`
	FrequencyPenalty *float64          `json:"frequency_penalty"`
	PresencePenalty  *float64          `json:"presence_penalty"`
	Thinking         *struct {
		Type   string `json:"type"`
		Budget *int   `json:"token_budget"`
	} `json:"thinking"`
}

type citationOptions struct {
	Mode string `json:"mode"`
}

type cohereFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"json_schema"`
}

type cohereMessage struct {
	Role       string           `json:"role"`
	Content    json.RawMessage  `json:"content"`
	ToolPlan   string           `json:"tool_plan"`
	ToolCalls  []cohereToolCall `json:"tool_calls"`
	ToolCallID string           `json:"tool_call_id"`
}

type cohereToolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type cohereTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// coherePart is one item of content.
type coherePart struct {
	Type     string `json:"type"` // text, thinking, image_url; in results of tools also document
	Text     string `json:"text"`
	Thinking string `json:"thinking"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
	Document struct {
		Data json.RawMessage `json:"data"`
	} `json:"document"`
}

// wrong is a refusal in the words in which all of them begin.
func wrong(format string, args ...any) *failure {
	return bad("", "invalid request: "+fmt.Sprintf(format, args...))
}

// prompt checks the request as the service does and tells what it asks.
func (c *cohereRequest) prompt() (*prompt, *failure) {
	switch {
	case c.Model == "":
		return nil, bad("", "a model parameter is required for this endpoint.")
	case len(c.Messages) == 0:
		return nil, wrong("list of messages must not be empty")
	}
	p := &prompt{Model: c.Model, Stop: c.StopSequences, Parallel: true}
	for _, check := range []func(*prompt) *failure{c.checkNumbers, c.readTools, c.readFormat, c.readThinking, c.readMessages} {
		if f := check(p); f != nil {
			return nil, f
		}
	}
	return p, nil
}

func (c *cohereRequest) checkNumbers(p *prompt) *failure {
	for _, b := range []struct {
		name     string
		value    *float64
		min, max float64
	}{
		{"temperature", c.Temperature, 0, 1}, {"p", c.P, 0.01, 0.99}, {"k", c.K, 0, 500},
		{"frequency_penalty", c.FrequencyPenalty, 0, 1}, {"presence_penalty", c.PresencePenalty, 0, 1},
	} {
		if b.value != nil && (*b.value < b.min || *b.value > b.max) {
			return wrong("%s must be between %v and %v inclusive.", b.name, b.min, b.max)
		}
	}
	switch {
	case c.MaxTokens != nil && *c.MaxTokens < 1:
		return wrong("max_tokens must be at least 1.")
	case len(c.StopSequences) > 5:
		return wrong("at most 5 stop_sequences can be specified.")
	case c.MaxTokens != nil:
		p.MaxTokens = *c.MaxTokens
	}
	return nil
}

func (c *cohereRequest) readTools(p *prompt) *failure {
	for i, t := range c.Tools {
		var schema struct {
			Type string `json:"type"`
		}
		switch {
		case t.Type != "function":
			return wrong("tools[%d].type must be 'function'.", i)
		case t.Function.Name == "":
			return wrong("tools[%d].function.name must not be empty.", i)
		case len(t.Function.Parameters) > 0 && (json.Unmarshal(t.Function.Parameters, &schema) != nil || schema.Type != "object"):
			return wrong("tools[%d].function.parameters must be a JSON schema of type object.", i)
		}
		p.Tools = append(p.Tools, tool{t.Function.Name, t.Function.Description, t.Function.Parameters})
		p.Tokens += countTokens(t.Function.Name) + countTokens(string(t.Function.Parameters))
	}
	switch c.ToolChoice {
	case "":
		p.Choice = "auto"
	case "REQUIRED", "NONE":
		if len(c.Tools) == 0 {
			return wrong("tool_choice cannot be specified without tools.")
		}
		p.Choice = strings.ToLower(c.ToolChoice)
	default:
		return wrong("tool_choice must be one of REQUIRED, NONE.")
	}
	return nil
}

func (c *cohereRequest) readFormat(p *prompt) *failure {
	f := &c.ResponseFormat
	switch {
	case f.Type == "" || f.Type == "text":
		if len(f.Schema) > 0 {
			return wrong("json_schema can only be specified with the response_format type json_object.")
		}
		return nil
	case f.Type != "json_object":
		return wrong("response_format type must be one of text, json_object.")
	case len(c.Documents) > 0:
		return wrong("response_format is not supported with RAG.")
	case len(c.Tools) > 0:
		return wrong("response_format is not supported with tools.")
	case len(f.Schema) == 0:
		p.Format = "json"
		return nil
	}
	p.Format, p.Schema = "schema", f.Schema
	var s schema
	if json.Unmarshal(f.Schema, &s) != nil || s.kind() != "object" {
		return wrong("json_schema must be of type object.")
	}
	return nil
}

func (c *cohereRequest) readThinking(p *prompt) *failure {
	p.Think = strings.Contains(c.Model, "reasoning")
	switch t := c.Thinking; {
	case t == nil:
	case t.Type != "enabled" && t.Type != "disabled":
		return wrong("thinking type must be one of enabled, disabled.")
	case t.Budget != nil && *t.Budget < 1:
		return wrong("thinking token_budget must be at least 1.")
	case t.Type == "disabled":
		p.Think = false
	}
	return nil
}
