package tokens

import (
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// figures are what is counted for what is no text, whatever its size, by service. They are what
// the services' own documentation gives for a common case: an image of 1,024 pixels a side, half a
// minute of sound, a page of a document.
//
//	https://platform.openai.com/docs/guides/images-vision
//	https://platform.claude.com/docs/en/build-with-claude/vision
//	https://ai.google.dev/gemini-api/docs/tokens
type figures struct{ image, low, sound, file int64 }

var (
	openAI    = figures{image: 765, low: 85, sound: 300, file: 765}
	anthropic = figures{image: 1400, low: 1400, sound: 300, file: 2000}
	google    = figures{image: 258, low: 258, sound: 960, file: 258}
)

// figuresOf chooses by what a service speaks, and by a model that says whose it is.
func figuresOf(d point.Dialect, model string) figures {
	switch model = strings.ToLower(model); {
	case d == point.DialectAnthropic, strings.Contains(model, "claude"):
		return anthropic
	case d == point.DialectGemini, strings.Contains(model, "gemini"):
		return google
	}
	return openAI
}

// Around a message, and before the answer.
const (
	perMessage = 3
	perAnswer  = 3
)

// prompt are the members of a body that a model reads, by whether they are counted as they are
// written (schemas) or text by text.
var prompt = map[string]bool{
	"messages": false, "system": false, "input": false, "instructions": false, "contents": false, "systemInstruction": false, "system_instruction": false,
	"prompt": false, "suffix": false, "query": false, "documents": false, "content": false, "requests": false,
	"tools": true, "functions": true, "response_format": true, "text": true, "output_format": true, "output_config": true,
}

// silent are members of a conversation that are no text: nobody reads them, or they are counted
// as something else.
var silent = map[string]bool{
	"role": true, "type": true, "id": true, "tool_call_id": true, "tool_use_id": true, "call_id": true, "cache_control": true, "signature": true, "thoughtSignature": true,
	"thought_signature": true, "encrypted_content": true, "status": true, "detail": true, "mimeType": true, "mime_type": true, "media_type": true, "data": true,
	"file_id": true, "file_data": true, "file_url": true, "url": true, "format": true, "reasoning_details": true, "extra_content": true, "index": true, "model": true, "taskType": true,
}

// Prompt counts what call asks of a model at a service that speaks d. The call's body is JSON.
func Prompt(call *point.Call, model string, d point.Dialect) int64 {
	p := promptCounter{Counter: NewCounter(model), figures: figuresOf(d, model)}
	body, messages := gjson.ParseBytes(call.Body), int64(call.Envelope.Messages)
	if wrapped := body.Get("generateContentRequest"); call.Path == point.PathCountTokens && wrapped.IsObject() { // Google's other way to ask
		body, messages = wrapped, wrapped.Get("contents.#").Int()
	}
	body.ForEach(func(key, v gjson.Result) bool {
		switch written, ok := prompt[key.Str]; {
		case !ok:
		case written:
			p.written(v)
		default:
			p.said(v)
		}
		return true
	})
	tokens := p.Tokens() + p.other
	if messages > 0 && call.Path != point.PathEmbeddings {
		tokens += messages*perMessage + perAnswer
	}
	return min(tokens, point.MaxCount)
}

// promptCounter counts a prompt.
type promptCounter struct {
	*Counter
	figures figures
	other   int64 // what is no text
}

// said counts the texts of a value.
func (p *promptCounter) said(v gjson.Result) {
	switch {
	case v.Type == gjson.String:
		p.text(v.Str)
	case v.Type == gjson.Number:
		p.other++ // embeddings are asked for with tokens too
	case v.IsArray():
		v.ForEach(func(_, element gjson.Result) bool {
			p.said(element)
			return true
		})
	case v.IsObject():
		if n := p.medium(v); n > 0 {
			p.other += n
			return
		}
		v.ForEach(func(key, member gjson.Result) bool {
			p.member(key.Str, member)
			return true
		})
	}
}

// member counts a member of a part of a conversation. What calls say and return is read as it is
// written.
func (p *promptCounter) member(key string, v gjson.Result) {
	switch key {
	case "input", "args", "response":
		if v.IsObject() {
			p.written(v)
			return
		}
	}
	if !silent[key] && v.Type != gjson.Number {
		p.said(v)
	}
}

// text counts a text. One that is a file is none.
func (p *promptCounter) text(s string) {
	if strings.HasPrefix(s, "data:") && strings.Contains(s[:min(len(s), 200)], ";base64,") {
		p.other += p.figures.image
		return
	}
	p.Add(s)
}

// written counts a value as it is written.
func (p *promptCounter) written(v gjson.Result) {
	if v.Type != gjson.Null {
		p.Add(v.Raw)
	}
}

// medium is what is counted for a part that is an image, sound or a file; 0: it is none of them.
func (p *promptCounter) medium(part gjson.Result) int64 {
	for _, name := range []string{"inlineData", "inline_data", "fileData", "file_data"} { // Google's
		if data := part.Get(name); data.IsObject() {
			return p.byType(data.Get("mimeType").Str + data.Get("mime_type").Str)
		}
	}
	switch part.Get("type").Str {
	case "image_url", "input_image", "image":
		if part.Get("image_url.detail").Str == "low" || part.Get("detail").Str == "low" {
			return p.figures.low
		}
		return p.figures.image
	case "input_audio":
		return p.figures.sound
	case "file", "input_file":
		return p.figures.file
	case "document":
		if kind := part.Get("source.type").Str; kind == "base64" || kind == "url" || kind == "file" {
			return p.figures.file
		}
	}
	return 0
}

func (p *promptCounter) byType(media string) int64 {
	switch {
	case strings.HasPrefix(media, "image/"):
		return p.figures.image
	case strings.HasPrefix(media, "audio/"), strings.HasPrefix(media, "video/"):
		return p.figures.sound
	}
	return p.figures.file
}
