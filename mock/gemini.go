package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// gemini is the service at /gemini.
type gemini struct{}

func (gemini) name() string { return "gemini" }

func (gemini) route(req *request) {
	rest, ok := strings.CutPrefix(req.path, "/v1beta/models")
	if !ok {
		return
	}
	if rest == "" {
		req.op = opModels
		return
	}
	rest, ok = strings.CutPrefix(rest, "/")
	if !ok || rest == "" {
		return
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		req.op, req.model = opModel, rest
		return
	}
	req.model = rest[:i]
	switch rest[i+1:] {
	case "generateContent":
		req.op = opChat
	case "streamGenerateContent":
		req.op, req.stream = opChat, true
	case "embedContent":
		req.op = opEmbeddings
	case "batchEmbedContents":
		req.op = opBatchEmbed
	case "countTokens":
		req.op = opCountTokens
	}
}

func (gemini) key(r *http.Request) string {
	if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
		return key
	}
	return r.URL.Query().Get("key")
}

// admit refuses a wrong key with 400, as Gemini does.
func (gemini) admit(req *request) *failure {
	switch req.key {
	case "":
		return &failure{status: http.StatusForbidden, message: "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."}
	case invalidKey:
		return &failure{status: http.StatusBadRequest, kind: kindKey, message: "API key not valid. Please pass a valid API key."}
	}
	return nil
}

func (g gemini) answer(req *request) (*reply, *failure) {
	switch req.op {
	case opModels:
		return geminiModels(req), nil
	case opModel:
		return geminiModel(req)
	case opEmbeddings:
		return geminiEmbed(req)
	case opBatchEmbed:
		return geminiBatchEmbed(req)
	case opCountTokens:
		return g.countTokens(req)
	}
	return g.generate(req)
}

// generateRequest is the body of generateContent as far as it changes the answer.
type generateRequest struct {
	Contents          []content         `json:"contents"`
	SystemInstruction *content          `json:"systemInstruction"`
	SystemSnake       *content          `json:"system_instruction"`
	Tools             []geminiTool      `json:"tools"`
	ToolConfig        geminiToolConfig  `json:"toolConfig"`
	CachedContent     string            `json:"cachedContent"`
	Config            generationOptions `json:"generationConfig"`
}

type geminiTool struct {
	FunctionDeclarations []geminiFunction `json:"functionDeclarations"`
}

type geminiFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	JSONSchema  json.RawMessage `json:"parametersJsonSchema"`
}

type geminiToolConfig struct {
	FunctionCallingConfig struct {
		Mode    string   `json:"mode"`
		Allowed []string `json:"allowedFunctionNames"`
	} `json:"functionCallingConfig"`
}

type generationOptions struct {
	MaxOutputTokens    int             `json:"maxOutputTokens"`
	StopSequences      []string        `json:"stopSequences"`
	CandidateCount     *int            `json:"candidateCount"`
	ResponseMIMEType   string          `json:"responseMimeType"`
	ResponseSchema     json.RawMessage `json:"responseSchema"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
	ThinkingConfig     struct {
		IncludeThoughts bool `json:"includeThoughts"`
		ThinkingBudget  *int `json:"thinkingBudget"`
	} `json:"thinkingConfig"`
}

type content struct {
	Role  string        `json:"role"`
	Parts []contentPart `json:"parts"`
}

// contentPart is one part of a turn. Pointers tell what the part is.
type contentPart struct {
	Text             string           `json:"text"`
	Thought          bool             `json:"thought"`
	ThoughtSignature string           `json:"thoughtSignature"`
	InlineData       *json.RawMessage `json:"inlineData"`
	FileData         *json.RawMessage `json:"fileData"`
	FunctionCall     *struct {
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	FunctionResponse *struct {
		Name     string          `json:"name"`
		Response json.RawMessage `json:"response"`
	} `json:"functionResponse"`
}

// prompt checks the request as the service does and tells what it asks.
func (g *generateRequest) prompt(model string) (*prompt, *failure) {
	if len(g.Contents) == 0 {
		return nil, bad("", "* GenerateContentRequest.contents: contents is not specified")
	}
	c := &g.Config
	if c.CandidateCount != nil && *c.CandidateCount != 1 {
		return nil, bad("", "Multiple candidates is not enabled for this model")
	}
	p := &prompt{Model: model, MaxTokens: c.MaxOutputTokens, Stop: c.StopSequences, Parallel: true}
	p.Think = c.ThinkingConfig.ThinkingBudget == nil || *c.ThinkingConfig.ThinkingBudget != 0
	if g.CachedContent != "" {
		p.CacheMarked = 1024
		p.Tokens = 1024
	}
	for _, check := range []func(*prompt) *failure{g.readFormat, g.readTools} {
		if f := check(p); f != nil {
			return nil, f
		}
	}
	for _, system := range []*content{g.SystemInstruction, g.SystemSnake} {
		if system != nil {
			text := system.text()
			p.System += text
			p.Tokens += countTokens(text)
		}
	}
	return p, g.readContents(p)
}

func (g *generateRequest) readFormat(p *prompt) *failure {
	c := &g.Config
	schema := c.ResponseJSONSchema
	if len(c.ResponseSchema) > 0 {
		if name := unknownKeyword(c.ResponseSchema); name != "" {
			return bad("", fmt.Sprintf("Invalid JSON payload received. Unknown name \"%s\" at 'generation_config.response_schema': Cannot find field.", name))
		}
		schema = c.ResponseSchema
	}
	switch {
	case len(schema) > 0 && c.ResponseMIMEType != "application/json":
		return bad("", "Unable to submit request because it has a response schema but the response mimetype is not application/json.")
	case len(schema) > 0:
		p.Format, p.Schema = "schema", schema
	case c.ResponseMIMEType == "application/json":
		p.Format = "json"
	}
	return nil
}

// unknownKeyword finds a schema keyword that Gemini's own Schema type lacks.
func unknownKeyword(raw json.RawMessage) string {
	for _, name := range []string{"$schema", "additionalProperties", "$defs", "$ref", "const"} {
		if hasKeyword(raw, name) {
			return name
		}
	}
	return ""
}

// hasKeyword looks for a member of that name in any object but one that names properties.
func hasKeyword(raw json.RawMessage, name string) bool {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) == nil {
		for k, v := range m {
			if k == name || k != "properties" && k != "enum" && hasKeyword(v, name) {
				return true
			}
			var named map[string]json.RawMessage
			if k == "properties" && json.Unmarshal(v, &named) == nil {
				for _, inner := range named {
					if hasKeyword(inner, name) {
						return true
					}
				}
			}
		}
		return false
	}
	var list []json.RawMessage
	return json.Unmarshal(raw, &list) == nil && slices.ContainsFunc(list, func(v json.RawMessage) bool { return hasKeyword(v, name) })
}

func (g *generateRequest) readTools(p *prompt) *failure {
	for _, t := range g.Tools {
		for _, fn := range t.FunctionDeclarations {
			if fn.Name == "" {
				return bad("", "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name.")
			}
			if name := unknownKeyword(fn.Parameters); name != "" {
				return bad("", fmt.Sprintf("Invalid JSON payload received. Unknown name \"%s\" at 'tools[0].function_declarations[0].parameters': Cannot find field.", name))
			}
			schema := fn.Parameters
			if len(schema) == 0 {
				schema = fn.JSONSchema
			}
			p.Tools = append(p.Tools, tool{fn.Name, fn.Description, schema})
			p.Tokens += countTokens(fn.Name) + countTokens(string(schema))
		}
	}
	config := g.ToolConfig.FunctionCallingConfig
	switch config.Mode {
	case "", "AUTO", "VALIDATED", "MODE_UNSPECIFIED":
		p.Choice = "auto"
	case "NONE":
		p.Choice = "none"
	case "ANY":
		p.Choice = "required"
		if len(config.Allowed) == 1 {
			p.Choice = config.Allowed[0]
		}
	default:
		return bad("", fmt.Sprintf("Invalid value at 'tool_config.function_calling_config.mode' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), \"%s\"", config.Mode))
	}
	return nil
}

func (c *content) text() string {
	var b strings.Builder
	for _, p := range c.Parts {
		if !p.Thought {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// readContents checks that each turn of function calls is answered by as many responses, by
// the functions' names, and that Gemini 3 gets its signatures back.
func (g *generateRequest) readContents(p *prompt) *failure {
	var open []string // names of calls that wait
	for i := range g.Contents {
		turn := &g.Contents[i]
		if turn.Role != "" && turn.Role != "user" && turn.Role != "model" && turn.Role != "function" {
			return bad("", "Please use a valid role: user, model.")
		}
		if len(turn.Parts) == 0 {
			return bad("", fmt.Sprintf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.", i))
		}
		calls, results, images := turn.sort(p)
		if len(results) != len(open) {
			return bad("", "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
		for k, r := range results {
			if !slices.Contains(open, r.Name) {
				return bad("", fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].function_response.name: %q answers no function call.", i, k, r.Name))
			}
		}
		if len(calls) > 0 && turn.Role != "model" {
			return bad("", "Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		}
		if len(calls) > 0 && strings.HasPrefix(p.Model, "gemini-3") && !turn.signed() {
			return bad("", "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance.")
		}
		open, p.Results = calls, results
		if text := turn.text(); turn.Role != "model" && (text != "" || images > 0) {
			p.User, p.Images = text, images
		}
	}
	if len(open) > 0 {
		return bad("", "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	return nil
}

// sort counts the turn's tokens and tells its calls, results and images.
func (c *content) sort(p *prompt) (calls []string, results []toolResult, images int) {
	for _, part := range c.Parts {
		p.Tokens += countTokens(part.Text)
		switch {
		case part.FunctionCall != nil:
			calls = append(calls, part.FunctionCall.Name)
			p.Tokens += countTokens(string(part.FunctionCall.Args))
		case part.FunctionResponse != nil:
			results = append(results, toolResult{part.FunctionResponse.Name, string(part.FunctionResponse.Response)})
			p.Tokens += countTokens(string(part.FunctionResponse.Response))
		case part.InlineData != nil || part.FileData != nil:
			images++
			p.Tokens += imageTokens
		}
	}
	return calls, results, images
}

// signed tells whether the turn's first call has a signature.
func (c *content) signed() bool {
	for _, p := range c.Parts {
		if p.FunctionCall != nil {
			return p.ThoughtSignature != ""
		}
	}
	return true
}

var geminiStatus = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}

func (gemini) errorObject(f *failure) object {
	status, ok := geminiStatus[f.status]
	if !ok {
		status = "UNKNOWN"
	}
	e := object{"code": f.status, "message": f.message, "status": status}
	if f.kind == kindKey {
		e["details"] = []object{{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}}
	}
	if delay := f.header.Get("Retry-After"); delay != "" && f.status == http.StatusTooManyRequests && len(delay) < 6 {
		e["details"] = []object{{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay + "s"}}
	}
	return e
}

func (g gemini) fail(_ *request, f *failure) *reply {
	return &reply{status: f.status, header: f.header, body: encode(object{"error": g.errorObject(f)})}
}

func (g gemini) failFrame(f *failure) frame {
	return frame{data: encode(object{"error": g.errorObject(f)})}
}
