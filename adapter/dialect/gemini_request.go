package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// geminiTelling is one request on its way into a chat.
type geminiTelling struct {
	dropping
	chat geminiChat

	turns  []geminiTurn
	tool   int             // of tools, in hand
	calls  int             // made so far, over all turns
	open   []geminiCalled  // calls of the last model turn that wait for their results
	format geminiFormat    // response_format as far as it was read
	tooled map[string]bool // functions that may be called, nil: all
	choice any             // tool_choice, nil: nothing is said of it
}

// geminiChat is a chat request as it is put together: its members in order.
type geminiChat struct {
	model    string
	messages []geminiMessage
	tools    []geminiTool
	rest     []byte // further members, each with a comma before it
}

type geminiMessage struct {
	Role       string            `json:"role"`
	Content    any               `json:"content"` // a string, a list of geminiPart, or nil
	ToolCalls  []geminiToolCall  `json:"tool_calls,omitempty"`
	ToolCallID string            `json:"tool_call_id,omitempty"`
	Details    []json.RawMessage `json:"reasoning_details,omitempty"`

	at string // where it stands in the request
}

type geminiToolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type geminiTool struct {
	Type     string         `json:"type"`
	Function geminiFunction `json:"function"`

	at string // where it stands in the request
}

type geminiFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
}

// Inner tells a generateContent request as a chat.
func (d gemini) Inner(call *point.Call) (*point.Call, error) {
	switch call.Path {
	case point.PathEmbeddings:
		return d.embedding(call)
	case point.PathCountTokens:
		call = geminiCounted(call)
	}
	if !json.Valid(call.Body) {
		return nil, &point.Error{Code: point.InvalidJSON, Message: "The request body is not valid JSON."}
	}
	t := geminiTelling{dropping: droppingOf(call)}
	t.chat.model = call.Envelope.Model
	if err := t.members(gjson.ParseBytes(call.Body), "", geminiRequestFields); err != nil {
		return nil, err
	}
	body, err := t.body(call.Envelope.Stream)
	if err != nil {
		return nil, err
	}
	inner := *call
	inner.Path, inner.Dialect, inner.Body = point.PathChat, point.DialectOpenAI, body
	inner.Buffer, inner.Header, inner.Inner, inner.Dropped = nil, nil, nil, t.dropped
	inner.Field = t.names().field
	if inner.Envelope, err = point.ScanEnvelope(body); err != nil {
		return nil, err
	}
	return &inner, nil
}

// names are the client's of what the chat says.
func (t *geminiTelling) names() *names {
	n := &names{members: map[string]string{"messages": "contents", "tools": "tools", "tool_choice": "toolConfig", "max_completion_tokens": "generationConfig.maxOutputTokens"}}
	for chat, member := range map[string]string{
		"max_tokens": "maxOutputTokens", "temperature": "temperature", "top_p": "topP", "top_k": "topK", "n": "candidateCount", "seed": "seed", "stop": "stopSequences",
		"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty", "response_format": "responseSchema", "modalities": "responseModalities",
		"reasoning": "thinkingConfig", "reasoning_effort": "thinkingConfig",
	} {
		n.members[chat] = "generationConfig." + member
	}
	if t.format.schema == nil {
		n.members["response_format"] = "generationConfig.responseMimeType"
	}
	for _, m := range t.chat.messages {
		n.messages = append(n.messages, m.at)
	}
	for _, tool := range t.chat.tools {
		n.tools = append(n.tools, tool.at)
	}
	return n
}

// body is the whole chat request.
func (t *geminiTelling) body(stream bool) ([]byte, error) {
	if err := t.converse(); err != nil {
		return nil, err
	}
	t.offer()
	t.format.tell(&t.chat)
	b := appendMember([]byte{'{'}, "model", t.chat.model)
	b = appendMember(b, "messages", t.chat.messages)
	if len(t.chat.tools) > 0 {
		b = appendMember(b, "tools", t.chat.tools)
	}
	b = append(b, t.chat.rest...)
	if stream {
		b = append(b, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	return append(b, '}'), nil
}

// appendMember appends a member of an object, with a comma if it is not the first.
func appendMember(b []byte, name string, value any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // strings, lists of them and checked JSON always marshal
	if n := len(b); n == 0 || b[n-1] != '{' {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), '"', ':')
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})...)
}

// add adds a message that stands somewhere in the request.
func (t *geminiTelling) add(m geminiMessage, at string) {
	m.at = at
	t.chat.messages = append(t.chat.messages, m)
}

// put adds a member to the chat.
func (c *geminiChat) put(name string, v any) { c.rest = appendMember(c.rest, name, v) }

// system puts what the system says first.
func (t *geminiTelling) system(v gjson.Result) error {
	text := v.Str // some clients send the bare text
	if v.IsObject() {
		var parts []string
		for _, part := range googleMember(v, "parts").Array() {
			if s := part.Get("text").Str; s != "" {
				parts = append(parts, s)
			}
		}
		text = strings.Join(parts, "\n\n")
	}
	if text != "" {
		t.add(geminiMessage{Role: "system", Content: text}, "systemInstruction")
	}
	return nil
}

func (t *geminiTelling) generationConfig(v gjson.Result) error {
	return t.members(v, "generationConfig.", geminiConfigFields)
}

func (t *geminiTelling) stop(v gjson.Result) error {
	if list := v.Array(); len(list) > 0 {
		t.chat.put("stop", json.RawMessage(v.Raw))
	}
	return nil
}

// modalities asks for more than text; sound cannot be had through a chat.
func (t *geminiTelling) modalities(v gjson.Result) error {
	var asked []string
	for _, m := range v.Array() {
		switch word := strings.ToLower(m.Str); word {
		case "text", "image":
			asked = append(asked, word)
		case "modality_unspecified":
		default:
			if err := t.refuse("generationConfig.responseModalities", `ask for "TEXT" and "IMAGE" only`); err != nil {
				return err
			}
		}
	}
	if slices.Contains(asked, "image") {
		t.chat.put("modalities", asked)
	}
	return nil
}

// thinking tells how much thought is wanted; how much is up to the model where nothing is said.
func (t *geminiTelling) thinking(v gjson.Result) error {
	level, budget := googleMember(v, "thinkingLevel").Str, googleMember(v, "thinkingBudget")
	switch level = strings.ToLower(level); {
	case level == "thinking_level_unspecified":
	case level != "":
		t.chat.put("reasoning_effort", level)
	case !budget.Exists() || budget.Int() < 0:
	case budget.Int() == 0:
		t.chat.put("reasoning_effort", "none")
	default:
		t.chat.put("reasoning", map[string]int64{"max_tokens": budget.Int()})
	}
	return nil
}

// geminiFormat is the form that the answer must have, as its parts come.
type geminiFormat struct {
	json   bool
	schema json.RawMessage
}

func (t *geminiTelling) mimeType(v gjson.Result) error {
	switch v.Str {
	case "", "text/plain":
		return nil
	case "application/json":
		t.format.json = true
		return nil
	}
	return t.refuse("generationConfig.responseMimeType", `use "text/plain" or "application/json"`)
}

func (t *geminiTelling) schema(v gjson.Result) error {
	t.format.schema = jsonSchema(v)
	return nil
}

func (t *geminiTelling) jsonSchema(v gjson.Result) error {
	t.format.schema = json.RawMessage(v.Raw)
	return nil
}

// tell adds the format to a chat.
func (f *geminiFormat) tell(chat *geminiChat) {
	switch {
	case f.schema != nil:
		chat.put("response_format", map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": f.schema}})
	case f.json:
		chat.put("response_format", map[string]string{"type": "json_object"})
	}
}

// tools takes the functions of all elements over.
func (t *geminiTelling) tools(v gjson.Result) (err error) {
	for i, tool := range v.Array() {
		t.tool = i
		if err := t.members(tool, "tools.", geminiToolFields); err != nil {
			return err
		}
	}
	return nil
}

func (t *geminiTelling) functions(v gjson.Result) error {
	for i, f := range v.Array() {
		name := googleMember(f, "name").Str
		if name == "" {
			return &point.Error{Code: point.MissingField, Param: "tools.functionDeclarations.name", Message: "Each function needs a name."}
		}
		told := geminiFunction{Name: name, Description: googleMember(f, "description").Str}
		if schema := googleMember(f, "parameters"); schema.IsObject() {
			told.Parameters = jsonSchema(schema)
		} else if schema := googleMember(f, "parametersJsonSchema"); schema.IsObject() {
			told.Parameters = json.RawMessage(schema.Raw)
		}
		t.chat.tools = append(t.chat.tools, geminiTool{"function", told, fmt.Sprintf("tools[%d].functionDeclarations[%d]", t.tool, i)})
	}
	return nil
}

// toolConfig says which functions may, must or must not be called.
func (t *geminiTelling) toolConfig(v gjson.Result) error {
	config := googleMember(v, "functionCallingConfig")
	var names []string
	for _, name := range googleMember(config, "allowedFunctionNames").Array() {
		names = append(names, name.Str)
	}
	mode := googleMember(config, "mode").Str
	switch {
	case mode == "ANY" && len(names) == 1:
		t.choice = map[string]any{"type": "function", "function": map[string]string{"name": names[0]}}
		return nil
	case mode == "ANY":
		t.choice = "required"
	case mode == "NONE":
		t.choice = "none"
		return nil
	case mode == "AUTO", mode == "VALIDATED":
		t.choice = "auto"
	case mode != "" && mode != "MODE_UNSPECIFIED":
		return wrongType("toolConfig.functionCallingConfig.mode", "AUTO, ANY or NONE")
	}
	for _, name := range names {
		if t.tooled == nil {
			t.tooled = map[string]bool{}
		}
		t.tooled[name] = true
	}
	return nil
}

// offer leaves out the functions that may not be called. Without any there is no choice to make.
func (t *geminiTelling) offer() {
	if t.tooled != nil {
		t.chat.tools = slices.DeleteFunc(t.chat.tools, func(tool geminiTool) bool { return !t.tooled[tool.Function.Name] })
	}
	if len(t.chat.tools) > 0 && t.choice != nil {
		t.chat.put("tool_choice", t.choice)
	}
}
