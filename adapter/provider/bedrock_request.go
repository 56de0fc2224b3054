package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"point"
)

// bedrockTranslation is one chat request on its way into Converse. It goes by way of a message
// for Claude, whose blocks, tools and choices Converse has under other names.
type bedrockTranslation struct {
	anthropicTranslation
	claude   bool // the model is Claude, whose own fields may be used
	caches   bool // the model takes cache points
	converse converseRequest
	named    map[string]int // documents: no two may have one name; how many have begun with it
}

func newBedrockTranslation(req *Request, chat *chatRequest) *bedrockTranslation {
	name := strings.ToLower(req.Model)
	t := &bedrockTranslation{claude: strings.Contains(name, "claude")}
	t.translation = translation{kind: "bedrock", req: req, chat: chat}
	if t.claude {
		t.model = parseClaude(req.Model)
	}
	t.model.plain = true
	t.caches = t.claude || strings.Contains(name, "nova")
	return t
}

func (t *bedrockTranslation) translate() error {
	thinking := given(t.chat.Thinking) != nil && !t.claude
	if thinking {
		t.chat.Thinking = nil
	}
	if err := t.anthropicTranslation.translate(); err != nil {
		return err
	}
	if thinking {
		t.drop("thinking")
	}
	if t.out.Metadata != nil {
		t.dropUser()
	}
	for _, step := range []func() error{t.conversation, t.toolConfig} {
		if err := step(); err != nil {
			return err
		}
	}
	t.inference()
	t.additional()
	return nil
}

func (t *bedrockTranslation) dropUser() {
	if t.chat.SafetyIdentifier != "" {
		t.drop("safety_identifier")
	}
	if t.chat.User != "" {
		t.drop("user")
	}
}

func (t *bedrockTranslation) conversation() (err error) {
	if t.converse.System, err = t.blocks(t.out.System); err != nil {
		return err
	}
	for _, m := range t.out.Messages {
		blocks, err := t.blocks(m.Content)
		if err != nil {
			return err
		}
		if len(blocks) > 0 {
			t.converse.Messages = append(t.converse.Messages, converseMessage{m.Role, blocks})
		}
	}
	if len(t.converse.Messages) == 0 {
		return &point.Error{Code: point.InvalidRequest, Param: "messages", Message: "Give at least one message with content."}
	}
	if cache := t.cachePoint(t.out.CacheControl); cache != nil {
		last := &t.converse.Messages[len(t.converse.Messages)-1]
		last.Content = append(last.Content, converseBlock{CachePoint: cache})
	}
	return nil
}

// blocks translates content; a cache mark becomes a block of its own behind what it marks.
func (t *bedrockTranslation) blocks(list []anthropicBlock) ([]converseBlock, error) {
	var blocks []converseBlock
	for _, b := range list {
		block, ok, err := t.block(b)
		if err != nil {
			return nil, err
		}
		if ok {
			blocks = append(blocks, block)
		}
		if cache := t.cachePoint(b.CacheControl); cache != nil && len(blocks) > 0 {
			blocks = append(blocks, converseBlock{CachePoint: cache})
		}
	}
	return blocks, nil
}

// block translates one block; it is not ok if it is left out.
func (t *bedrockTranslation) block(b anthropicBlock) (block converseBlock, ok bool, err error) {
	switch b.Type {
	case "text":
		return converseBlock{Text: &b.Text}, true, nil
	case "image":
		return t.image(b)
	case "document":
		return t.document(b)
	case "tool_use":
		return converseBlock{ToolUse: &converseCall{useID(b.ID), b.Name, b.Input}}, true, nil
	case "tool_result":
		result, err := t.result(b)
		return converseBlock{ToolResult: result}, true, err
	case "thinking":
		return converseBlock{Reasoning: &converseReasoning{Text: &converseThought{*b.Thinking, b.Signature}}}, t.claude, nil
	case "redacted_thinking":
		return converseBlock{Reasoning: &converseReasoning{Redacted: base64.StdEncoding.EncodeToString([]byte(b.Data))}}, t.claude, nil
	}
	return block, false, nil
}

// result is a tool's. Models without a word for a failure are told of it in text.
func (t *bedrockTranslation) result(b anthropicBlock) (*converseResult, error) {
	content, err := t.blocks(b.Content)
	result := &converseResult{ID: useID(b.ToolUseID)}
	switch {
	case b.IsError && t.caches:
		result.Status = "error"
	case b.IsError:
		failed := "Error:"
		content = append([]converseBlock{{Text: &failed}}, content...)
	}
	if len(content) == 0 {
		content = []converseBlock{{JSON: json.RawMessage("{}")}} // it must have content, and text must not be empty
	}
	result.Content = content
	return result, err
}

// useID is a call's id of at most 64 characters, which is all that Converse takes: a longer one
// keeps its beginning.
func useID(id string) string {
	if len(id) <= 64 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return id[:31] + "_" + hex.EncodeToString(sum[:16])
}

// imageFormats are those that Converse takes.
var imageFormats = []string{"png", "jpeg", "gif", "webp"}

func (t *bedrockTranslation) image(b anthropicBlock) (converseBlock, bool, error) {
	format := strings.Replace(strings.TrimPrefix(strings.ToLower(b.Source.MediaType), "image/"), "jpg", "jpeg", 1)
	if b.Source.Type != "base64" || !slices.Contains(imageFormats, format) {
		return converseBlock{}, false, t.refuse("image_url.url", "give images as data URLs of PNG, JPEG, GIF or WebP")
	}
	file := &converseFile{Format: format}
	file.Source.Bytes = b.Source.Data
	return converseBlock{Image: file}, true, nil
}

// notInName is what may not be in a document's name, of at most maxName characters.
var notInName = regexp.MustCompile(`[^A-Za-z0-9()\[\]-]+`)

const maxName = 190 // of 200, with room for a number

// documentName is a name that no other document of the conversation has: Converse refuses two.
func (t *bedrockTranslation) documentName(title string) string {
	name := strings.TrimSpace(notInName.ReplaceAllString(title, " "))
	name = strings.TrimSpace(name[:min(len(name), maxName)])
	if name == "" {
		name = "document"
	}
	if t.named == nil {
		t.named = map[string]int{}
	}
	for {
		t.named[name]++
		n := t.named[name]
		if n == 1 {
			return name
		}
		if free := name + "-" + strconv.Itoa(n); t.named[free] == 0 {
			t.named[free] = 1
			return free
		}
	}
}

func (t *bedrockTranslation) document(b anthropicBlock) (converseBlock, bool, error) {
	file := &converseFile{Format: "pdf", Name: t.documentName(b.Title), Citations: b.Citations}
	switch b.Source.Type {
	case "base64":
		file.Source.Bytes = b.Source.Data
	case "text":
		file.Format, file.Source.Bytes = "txt", base64.StdEncoding.EncodeToString([]byte(b.Source.Data))
	default:
		return converseBlock{}, false, t.refuse("file.file_data", "give files as data URLs of a PDF or of text")
	}
	return converseBlock{Document: file}, true, nil
}

// cachePoint translates a cache mark; nil if there is none, or the model takes none.
func (t *bedrockTranslation) cachePoint(mark json.RawMessage) *converseCachePoint {
	if given(mark) == nil {
		return nil
	}
	if !t.caches {
		t.drop("cache_control")
		return nil
	}
	var m struct {
		TTL string `json:"ttl"`
	}
	_ = json.Unmarshal(mark, &m) // a mark of another form has the usual lifetime
	return &converseCachePoint{"default", m.TTL}
}

// toolConfig declares the tools. Converse cannot keep a model from calling those it has: they are
// left out where none may be called, which it takes only if none was called before.
func (t *bedrockTranslation) toolConfig() error {
	if c := t.out.ToolChoice; c != nil && c.Type == "none" && len(t.chat.Tools) > 0 {
		if !t.called() {
			return nil
		}
		if err := t.refuse("tool_choice", "after calls, Bedrock's models cannot be kept from calling again"); err != nil {
			return err
		}
	}
	if err := t.functionsAlone(); err != nil {
		return err
	}
	config := &converseTools{}
	for _, raw := range t.out.Tools {
		var tool anthropicTool
		_ = json.Unmarshal(raw, &tool) // was made here
		spec := &converseSpec{Name: tool.Name, Description: tool.Description}
		spec.InputSchema.JSON = tool.InputSchema
		config.Tools = append(config.Tools, converseTool{Spec: spec})
		if cache := t.cachePoint(tool.CacheControl); cache != nil {
			config.Tools = append(config.Tools, converseTool{CachePoint: cache})
		}
	}
	if len(config.Tools) == 0 {
		return nil
	}
	if c := t.out.ToolChoice; c != nil {
		config.Choice = converseChoice(c)
	}
	t.converse.ToolConfig = config
	return nil
}

// functionsAlone leaves the tools that Anthropic runs itself out, where that may be, and declares
// the functions of past calls if no tool is left: Converse wants to know one for every call.
func (t *bedrockTranslation) functionsAlone() error {
	var functions []json.RawMessage
	for _, raw := range t.out.Tools {
		var tool struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(raw, &tool); err == nil && tool.Type == "" {
			functions = append(functions, raw)
			continue
		}
		if err := t.refuse("tools."+printable(tool.Type), "only tools of type function can be translated"); err != nil {
			return err
		}
	}
	t.out.Tools = functions
	return t.calledTools()
}

// called reports whether the conversation holds a call.
func (t *bedrockTranslation) called() bool {
	return slices.ContainsFunc(t.chat.Messages, func(m chatMessage) bool { return len(m.ToolCalls) > 0 || m.Role == "tool" })
}

func converseChoice(c *anthropicChoice) map[string]json.RawMessage {
	switch c.Type {
	case "any":
		return map[string]json.RawMessage{"any": json.RawMessage("{}")}
	case "tool":
		name, _ := marshal(map[string]string{"name": c.Name}) // a string always marshals
		return map[string]json.RawMessage{"tool": name}
	}
	return nil // auto, as it is by itself
}

func (t *bedrockTranslation) inference() {
	c := converseConfig{MaxTokens: t.out.MaxTokens, Temperature: t.out.Temperature, TopP: t.out.TopP, StopSequences: t.out.StopSequences}
	if !t.claude {
		c.Temperature, c.TopP = t.chat.Temperature, t.chat.TopP // 1 is Claude's default, not everybody's
		if v := c.Temperature; v != nil && *v > 1 {
			most := 1.0
			c.Temperature = &most
		}
		if t.chat.maxTokens() <= 0 {
			c.MaxTokens = 0 // the model knows its limit
		}
	}
	if c.MaxTokens > 0 || c.Temperature != nil || c.TopP != nil || len(c.StopSequences) > 0 {
		t.converse.Inference = &c
	}
}

// additional are the fields of the model's maker.
func (t *bedrockTranslation) additional() {
	extra := &converseExtra{}
	switch effort := t.chat.effort(); {
	case t.claude:
		extra.Thinking, extra.OutputConfig, extra.TopK = t.out.Thinking, t.out.OutputConfig, t.out.TopK
	case strings.Contains(t.req.Model, "gpt-oss") && slices.Contains([]string{"low", "medium", "high"}, effort):
		extra.ReasoningEffort = effort
		t.dropped = slices.DeleteFunc(t.dropped, func(name string) bool { return name == "reasoning_effort" || name == "reasoning" })
	}
	if !t.claude && t.out.TopK != nil {
		t.drop("top_k")
	}
	if extra.Thinking != nil || extra.OutputConfig != nil || extra.TopK != nil || extra.ReasoningEffort != "" {
		t.converse.Additional = extra
	}
}
