package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"

	"point"
	"point/internal/jsontext"
)

// geminiSaid are the fields that are translated.
var geminiSaid = []string{
	"tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "reasoning", "modalities",
	"stop", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty",
}

// unsignedCall is what Google's documentation gives for calls that have no signature, such
// as those of a conversation that began with another model.
const unsignedCall = "skip_thought_signature_validator"

// geminiTranslation is one chat request on its way into generateContent.
type geminiTranslation struct {
	translation
	model  geminiModel
	out    geminiRequest
	config geminiConfig
	names  map[string]string // of called functions, by call id
}

func (t *geminiTranslation) translate() error {
	dropped, err := fields(t.req, t.kind, geminiSaid)
	if err != nil {
		return err
	}
	t.dropped = dropped
	c := t.chat
	t.config = geminiConfig{
		Temperature: c.Temperature, TopP: c.TopP, TopK: c.TopK, MaxOutputTokens: max(c.maxTokens(), 0), StopSequences: c.Stop,
		Seed: c.Seed, PresencePenalty: c.PresencePenalty, FrequencyPenalty: c.FrequencyPenalty,
	}
	for _, step := range []func() error{t.messages, t.tools, t.format, t.modalities, t.thinking} {
		if err := step(); err != nil {
			return err
		}
	}
	t.uncached()
	t.out.GenerationConfig = &t.config
	return nil
}

func (t *geminiTranslation) messages() error {
	t.names = map[string]string{}
	system, list, err := turns(&t.translation, t)
	if err != nil {
		return err
	}
	if len(system) > 0 {
		t.out.SystemInstruction = &geminiContent{Parts: system}
	}
	t.out.Contents = make([]geminiContent, len(list))
	for i, turn := range list {
		role := turn.role
		if role == "assistant" {
			role = "model"
		}
		t.out.Contents[i] = geminiContent{role, turn.parts}
	}
	return nil
}

func (t *geminiTranslation) said(i int, m chatMessage) ([]geminiPart, error) {
	return t.parts(i, m.Content)
}

// assistant translates text and calls, each with the signature that came with it.
func (t *geminiTranslation) assistant(i int, m chatMessage) ([]geminiPart, error) {
	parts, err := t.parts(i, m.Content)
	if err != nil {
		return nil, err
	}
	signatures := map[string]string{} // by call id; the text's is under ""
	for _, d := range m.ReasoningDetails {
		if d.Format == formatGemini && d.Data != "" {
			signatures[d.ID] = d.Data
		}
	}
	if len(parts) > 0 && signatures[""] != "" {
		parts[len(parts)-1].ThoughtSignature = signatures[""]
	}
	for j, call := range m.ToolCalls {
		args, err := call.arguments(i, j)
		if err != nil {
			return nil, err
		}
		t.names[call.ID] = call.Function.Name
		signature := signatures[call.ID]
		if signature == "" && call.Extra != nil {
			signature = call.Extra.Google.ThoughtSignature
		}
		if signature == "" && j == 0 && t.model.signs() {
			signature = unsignedCall
		}
		parts = append(parts, geminiPart{
			FunctionCall:     &geminiCall{ID: googleID(call.ID), Name: call.Function.Name, Args: args},
			ThoughtSignature: signature,
		})
	}
	return parts, nil
}

// result answers a call: by the function's name, which OpenAI does not repeat.
func (t *geminiTranslation) result(i int, m chatMessage) ([]geminiPart, error) {
	name := t.names[m.ToolCallID]
	if name == "" {
		name = m.Name
	}
	if name == "" {
		return nil, &point.Error{
			Code: point.InvalidRequest, Param: fmt.Sprintf("messages[%d].tool_call_id", i),
			Message: "A tool message must answer a tool call that stands before it.",
		}
	}
	parts, err := t.parts(i, m.Content)
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	media := slices.DeleteFunc(parts, func(p geminiPart) bool {
		if p.Text != nil {
			said.WriteString(*p.Text)
		}
		return p.Text != nil
	})
	response := bytes.TrimSpace([]byte(said.String()))
	if m.IsError {
		response = append(jsontext.AppendString([]byte(`{"error":`), said.String()), '}')
	} else if len(response) == 0 || response[0] != '{' || !json.Valid(response) {
		wrapped := jsontext.AppendString([]byte(`{"result":`), said.String())
		response = append(wrapped, '}')
	}
	answer := geminiPart{FunctionResponse: &geminiResponse{ID: googleID(m.ToolCallID), Name: name, Response: response}}
	return append([]geminiPart{answer}, media...), nil
}

// madeID begins the ids that Point makes for Gemini's calls, which have none.
const madeID = "call_"

// googleID is a call's id as Gemini gave it, empty if it gave none.
func googleID(id string) string {
	if strings.HasPrefix(id, madeID) {
		return ""
	}
	return id
}

// parts translates a message's content; empty text is left out.
func (t *geminiTranslation) parts(i int, list content) ([]geminiPart, error) {
	parts := make([]geminiPart, 0, len(list))
	for j, p := range list {
		part, err := t.part(p, fmt.Sprintf("messages[%d].content[%d]", i, j))
		if err != nil {
			return nil, err
		}
		if part != (geminiPart{}) {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// part translates one part; the zero part is to be left out.
func (t *geminiTranslation) part(p contentPart, at string) (geminiPart, error) {
	if given(p.Citations) != nil {
		t.drop("citations")
	}
	switch {
	case p.Type == "refusal" && p.Refusal != "":
		return geminiPart{Text: &p.Refusal}, nil
	case p.Type == "text" && p.Text != "":
		return geminiPart{Text: &p.Text}, nil
	case p.Type == "text", p.Type == "refusal":
		return geminiPart{}, nil
	case p.Type == "image_url":
		if p.ImageURL.Detail != "" && p.ImageURL.Detail != "auto" {
			t.drop("image_url.detail")
		}
		return media(p.ImageURL.URL, "image/jpeg", at+".image_url.url")
	case p.Type == "input_audio" && p.InputAudio.Data != "":
		return geminiPart{InlineData: &geminiBlob{"audio/" + p.InputAudio.Format, p.InputAudio.Data}}, nil
	case p.Type == "file" && p.File.Data != "":
		return media(p.File.Data, "application/pdf", at+".file.file_data")
	case p.Type == "file" && strings.HasPrefix(p.File.ID, "https://"):
		return media(p.File.ID, "", at+".file.file_id")
	}
	return geminiPart{}, t.refuse(at+"."+printable(p.Type), "use text, image_url, input_audio or file parts with their data")
}

// media is a part for a data URL, or for a URL that Google fetches; its type is guessed from
// the name, else it is kind.
func media(address, kind, at string) (geminiPart, error) {
	if typ, data, ok := splitDataURL(address); ok {
		return geminiPart{InlineData: &geminiBlob{typ, data}}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "gs" {
		return geminiPart{}, &point.Error{Code: point.InvalidRequest, Param: at, Message: "Give a file as a URL or as a data URL of base64."}
	}
	if guess, _, _ := mime.ParseMediaType(mediaTypes[strings.ToLower(path.Ext(u.Path))]); guess != "" {
		kind = guess
	}
	return geminiPart{FileData: &geminiFile{kind, address}}, nil
}

// mediaTypes are the types of files that Gemini reads, by extension.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif", ".heic": "image/heic",
	".heif": "image/heif", ".pdf": "application/pdf", ".mp3": "audio/mp3", ".wav": "audio/wav", ".mp4": "video/mp4", ".txt": "text/plain",
}

// tools declares the functions, and says how they may be used.
func (t *geminiTranslation) tools() error {
	choice, err := t.chat.choice()
	if err != nil {
		return err
	}
	functions, err := t.chat.functions(func(_ json.RawMessage, kind string) error {
		return t.refuse("tools."+printable(kind), "only tools of type function can be translated")
	})
	if err != nil || len(functions) == 0 {
		return err
	}
	var declared []geminiFunction
	for _, f := range functions {
		if !choice.allows(f.Function.Name) {
			continue
		}
		parameters, err := geminiParameters(f.Function.Parameters)
		if err != nil {
			return err
		}
		declared = append(declared, geminiFunction{f.Function.Name, f.Function.Description, parameters})
	}
	if len(declared) > 0 {
		t.out.Tools = []geminiTools{{declared}}
	}
	if choice.mode == "" {
		return nil
	}
	config := &geminiToolConfig{}
	config.FunctionCallingConfig.Mode = map[string]string{"auto": "AUTO", "none": "NONE", "required": "ANY"}[choice.mode]
	if choice.mode == "required" {
		config.FunctionCallingConfig.Allowed = choice.names
	}
	t.out.ToolConfig = config
	return nil
}

// geminiParameters is nil for a function without parameters: an empty object is refused.
func geminiParameters(parameters json.RawMessage) (*geminiSchema, error) {
	if given(parameters) == nil {
		return nil, nil
	}
	schema, err := toGeminiSchema(parameters)
	if err != nil || len(schema.Properties) == 0 && len(schema.AnyOf) == 0 {
		return nil, err
	}
	return schema, nil
}

func (t *geminiTranslation) format() error {
	f := t.chat.ResponseFormat
	if f == nil || f.Type == "text" || f.Type == "" {
		return nil
	}
	if f.Type != "json_object" && f.Type != "json_schema" {
		return t.refuse("response_format", "use the type text, json_object or json_schema")
	}
	t.config.ResponseMimeType = "application/json"
	if f.Type == "json_schema" {
		if given(f.JSONSchema.Schema) == nil {
			return &point.Error{Code: point.MissingField, Param: "response_format.json_schema.schema", Message: "Give the schema of the answer."}
		}
		schema, err := toGeminiSchema(f.JSONSchema.Schema)
		if err != nil {
			return err
		}
		t.config.ResponseSchema = schema
	}
	return nil
}

// modalities asks for images beside text; audio cannot be had through chat.
func (t *geminiTranslation) modalities() error {
	for _, m := range t.chat.Modalities {
		switch m {
		case "text", "image":
			t.config.ResponseModalities = append(t.config.ResponseModalities, strings.ToUpper(m))
		default:
			if err := t.refuse("modalities", `ask for "text" and "image" only`); err != nil {
				return err
			}
		}
	}
	if len(t.config.ResponseModalities) == 1 && t.config.ResponseModalities[0] == "TEXT" {
		t.config.ResponseModalities = nil
	}
	return nil
}

func (t *geminiTranslation) thinking() error {
	effort := t.chat.effort()
	limit := int64(0)
	if t.chat.Reasoning != nil {
		limit = t.chat.Reasoning.MaxTokens
	}
	switch {
	case effort == "" && limit <= 0:
		return nil
	case !t.model.thinks():
		if effort != "none" {
			t.drop("reasoning_effort")
		}
		return nil
	case effort == "":
		t.config.ThinkingConfig = &geminiThinking{IncludeThoughts: true, ThinkingBudget: &limit}
		return nil
	}
	if t.config.ThinkingConfig = t.model.thinking(effort); t.config.ThinkingConfig == nil {
		return &point.Error{Code: point.InvalidRequest, Param: "reasoning_effort", Message: "Give reasoning_effort as none, minimal, low, medium, high or xhigh."}
	}
	return nil
}
