package mock

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// readMessages checks that roles alternate, that each turn of calls is answered by the next one,
// and that the blocks are what they may be.
func (c *converseRequest) readMessages(p *prompt, s *Server) *failure {
	if len(c.Messages) == 0 {
		return constraint("[]", "messages", "have length greater than or equal to 1")
	}
	open := map[string]string{} // calls of the turn before: id -> name
	names := map[string]bool{}  // of documents
	for i := range c.Messages {
		t := converseTurn{converseRequest: c, prompt: p, server: s, at: i, open: open, names: names}
		if f := t.read(&c.Messages[i]); f != nil {
			return f
		}
		p.Tokens += 4
		open = t.calls
	}
	if len(open) > 0 {
		return expected(len(c.Messages), open)
	}
	return nil
}

// expected is the refusal of calls without results.
func expected(at int, open map[string]string) *failure {
	ids := []string{}
	for id := range open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return bad("", fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", at, strings.Join(ids, ", ")))
}

// converseTurn reads one message.
type converseTurn struct {
	*converseRequest
	prompt *prompt
	server *Server
	at     int
	open   map[string]string // what this turn must answer
	calls  map[string]string // what the next one must
	names  map[string]bool
	texts  []string
}

func (t *converseTurn) read(m *converseMessage) *failure {
	want := "user"
	if t.at%2 == 1 {
		want = "assistant"
	}
	switch {
	case m.Role != "user" && m.Role != "assistant":
		return constraint(m.Role, fmt.Sprintf("messages.%d.member.role", t.at+1), "satisfy enum value set: [user, assistant]")
	case m.Role != want && t.at == 0:
		return bad("", "A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	case m.Role != want:
		return bad("", "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
	case len(m.Content) == 0:
		return bad("", fmt.Sprintf("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", t.at))
	}
	t.prompt.Results = nil
	if m.Role == "user" {
		t.prompt.Images = 0
	}
	t.calls = map[string]string{}
	for i := range m.Content {
		if f := t.block(m.Role, i, &m.Content[i]); f != nil {
			return f
		}
	}
	if len(t.open) > 0 {
		return expected(t.at, t.open)
	}
	return t.end(m)
}

// end looks at the turn as a whole.
func (t *converseTurn) end(m *converseMessage) *failure {
	if m.Role == "user" && len(t.texts) > 0 {
		t.prompt.User = strings.Join(t.texts, "\n")
	}
	if t.prompt.Think && isClaude(t.model) && len(t.calls) > 0 && m.Content[0].Reasoning == nil {
		return modelSays(bad("", fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.", t.at)))
	}
	return nil
}

func (t *converseTurn) block(role string, i int, b *converseBlock) *failure {
	p := t.prompt
	at := fmt.Sprintf("messages.%d.content.%d", t.at, i)
	switch {
	case b.Text != nil:
		if strings.TrimSpace(*b.Text) == "" {
			return bad("", "The text field in the ContentBlock object at "+at+" is blank. Add text to the text field, and try again.")
		}
		p.Tokens += countTokens(*b.Text)
		p.CacheKey += *b.Text + "\x00"
		t.texts = append(t.texts, *b.Text)
	case b.CachePoint != nil:
		return t.cache(p, b.CachePoint)
	case b.Image != nil, b.Document != nil:
		if role != "user" {
			return bad("", "The ContentBlock object at "+at+" may stand in user messages alone.")
		}
		return t.file(at, b)
	case b.ToolUse != nil:
		return t.use(role, at, b.ToolUse)
	case b.ToolResult != nil:
		return t.result(role, at, b.ToolResult)
	case b.Reasoning != nil:
		return t.thinking(role, at, b.Reasoning)
	default:
		return bad("", "The ContentBlock object at "+at+" must set one of the following keys: text, image, toolUse, toolResult, document, video, audio, cachePoint, reasoningContent.")
	}
	return nil
}

var (
	imageFormats    = []string{"png", "jpeg", "gif", "webp"}
	documentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
	documentName    = regexp.MustCompile(`^[A-Za-z0-9()\[\]-]+(\s[A-Za-z0-9()\[\]-]+)*$`)
)

// file checks an image or a document.
func (t *converseTurn) file(at string, b *converseBlock) *failure {
	file, kind, formats := b.Image, "image", imageFormats
	if file == nil {
		file, kind, formats = b.Document, "document", documentFormats
	}
	at += "." + kind
	switch {
	case !slices.Contains(formats, file.Format):
		return constraint(file.Format, at+".format", "satisfy enum value set: ["+strings.Join(formats, ", ")+"]")
	case len(file.Source.Bytes) == 0 && file.Source.Text == "":
		return bad("", "The source at "+at+".source is empty.")
	case kind == "document" && (len(file.Name) > 200 || !documentName.MatchString(file.Name)):
		return bad("", "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.")
	case kind == "document" && t.names[file.Name]:
		return bad("", "Messages contains duplicate document names "+file.Name+". Document names must be unique.")
	}
	if kind == "document" {
		t.names[file.Name] = true
	}
	t.prompt.Images++
	t.prompt.Tokens += imageTokens
	return nil
}

var useID = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)

func (t *converseTurn) use(role, at string, u *converseUse) *failure {
	switch {
	case role != "assistant":
		return bad("", "The toolUse block at "+at+" may stand in assistant messages alone.")
	case t.ToolConfig == nil:
		return noTools()
	case !useID.MatchString(u.ID):
		return constraint(u.ID, at+".toolUse.toolUseId", "satisfy regular expression pattern: [a-zA-Z0-9_.:-]+ and have length less than or equal to 64")
	case !toolName.MatchString(u.Name):
		return constraint(u.Name, at+".toolUse.name", namePattern)
	case !strings.HasPrefix(strings.TrimSpace(string(u.Input)), "{"):
		return bad("", "The format of the value at "+at+".toolUse.input is invalid. Provide a json object for the field and try again.")
	case t.calls[u.ID] != "":
		return bad("", fmt.Sprintf("The toolUse blocks at messages.%d.content contain duplicate Ids: %s", t.at, u.ID))
	}
	t.calls[u.ID] = u.Name
	t.prompt.Tokens += countTokens(u.Name) + countTokens(string(u.Input))
	return nil
}

func noTools() *failure {
	return bad("", "The toolConfig field must be defined when using toolUse and toolResult content blocks.")
}

func (t *converseTurn) result(role, at string, r *converseResult) *failure {
	name, known := t.open[r.ID]
	switch {
	case role != "user":
		return bad("", "The toolResult block at "+at+" may stand in user messages alone.")
	case t.ToolConfig == nil:
		return noTools()
	case !toolName.MatchString(r.ID):
		return constraint(r.ID, at+".toolResult.toolUseId", namePattern)
	case r.Status != "" && r.Status != "success" && r.Status != "error":
		return constraint(r.Status, at+".toolResult.status", "satisfy enum value set: [success, error]")
	case r.Status != "" && !t.caches():
		return bad("", "This model doesn't support the status field. Remove status and try again.")
	case !known:
		return bad("", fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", t.at))
	}
	delete(t.open, r.ID)
	said, f := t.said(at+".toolResult", r.Content)
	t.prompt.Results = append(t.prompt.Results, toolResult{name, said})
	return f
}

// said is the text of a result.
func (t *converseTurn) said(at string, list []converseBlock) (string, *failure) {
	var b strings.Builder
	for i := range list {
		inner := fmt.Sprintf("%s.content.%d", at, i)
		switch block := &list[i]; {
		case block.Text != nil:
			if *block.Text == "" {
				return "", bad("", "The text field in the ToolResultContentBlock object at "+inner+" is blank. Add text to the text field, and try again.")
			}
			b.WriteString(*block.Text)
		case block.JSON != nil:
			if !strings.HasPrefix(strings.TrimSpace(string(block.JSON)), "{") {
				return "", bad("", "The format of the value at "+inner+".json is invalid. Provide a json object for the field and try again.")
			}
			b.Write(block.JSON)
		case block.Image != nil, block.Document != nil:
			if f := t.file(inner, block); f != nil {
				return "", f
			}
		default:
			return "", bad("", "The ToolResultContentBlock object at "+inner+" must set one of the following keys: json, text, image, document, video.")
		}
	}
	text := b.String()
	t.prompt.Tokens += countTokens(text)
	t.prompt.CacheKey += text + "\x00"
	return text, nil
}

// thinking checks that Claude gets its thoughts back as it signed them.
func (t *converseTurn) thinking(role, at string, r *converseThinking) *failure {
	switch {
	case role != "assistant":
		return bad("", "The reasoningContent block at "+at+" may stand in assistant messages alone.")
	case r.Text == nil && len(r.Redacted) == 0:
		return bad("", "The ReasoningContentBlock object at "+at+".reasoningContent must set one of the following keys: reasoningText, redactedContent.")
	case r.Text == nil:
		return nil
	case isClaude(t.model) && r.Text.Signature == "":
		return modelSays(bad("", at+".thinking.signature: Field required"))
	case isClaude(t.model) && !t.server.signed(r.Text.Text, r.Text.Signature):
		return modelSays(bad("", fmt.Sprintf("messages.%d.content.%s: Invalid `signature` in `thinking` block", t.at, at[strings.LastIndexByte(at, '.')+1:])))
	case !isClaude(t.model) && r.Text.Signature != "":
		return bad("", "This model doesn't support the reasoningContent.reasoningText.signature field. Remove reasoningContent.reasoningText.signature and try again.")
	}
	t.prompt.Tokens += countTokens(r.Text.Text)
	return nil
}
