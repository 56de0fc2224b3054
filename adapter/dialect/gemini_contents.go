package dialect

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// geminiTurn is what one side says until the other does.
type geminiTurn struct {
	model bool
	parts []geminiSaid
}

// geminiSaid is one part of a turn, and where it stands in the request.
type geminiSaid struct {
	part gjson.Result
	at   string
}

// geminiCalled is a call that waits for its result.
type geminiCalled struct{ id, name string }

// geminiPart is a part of a chat message's content.
type geminiPart struct {
	Type     string `json:"type"`
	Text     string `json:"text,omitempty"`
	ImageURL any    `json:"image_url,omitempty"`
	Audio    any    `json:"input_audio,omitempty"`
	File     any    `json:"file,omitempty"`
}

// contents gathers the conversation into turns: SDKs keep each piece of a streamed answer as a
// content of its own.
func (t *geminiTelling) contents(v gjson.Result) error {
	list := v.Array() // an object or a string is a list of one
	for i, content := range list {
		at := fmt.Sprintf("contents[%d]", i)
		if content.Type == gjson.String {
			t.say(false, geminiSaid{gjson.Parse(`{"text":` + content.Raw + `}`), at})
			continue
		}
		role := googleMember(content, "role").Str
		if !content.IsObject() || !slices.Contains([]string{"", "user", "model", "function"}, role) {
			return wrongType(at+".role", "user or model")
		}
		parts := googleMember(content, "parts")
		if parts.Exists() && !parts.IsArray() && !parts.IsObject() && parts.Type != gjson.Null {
			return wrongType(at+".parts", "a list of parts")
		}
		for j, part := range parts.Array() {
			said := geminiSaid{part, fmt.Sprintf("%s.parts[%d]", at, j)}
			if err := said.check(); err != nil {
				return err
			}
			t.say(role == "model", said)
		}
	}
	return nil
}

// check refuses a part of which nothing could be told.
func (s geminiSaid) check() error {
	if !s.part.IsObject() {
		return wrongType(s.at, "an object")
	}
	if kind, v := partKind(s.part); kind == "text" && v.Type != gjson.String {
		return wrongType(s.at+".text", "a string")
	}
	return nil
}

func (t *geminiTelling) say(model bool, said geminiSaid) {
	last := len(t.turns) - 1
	if last < 0 || t.turns[last].model != model {
		t.turns = append(t.turns, geminiTurn{model: model})
		last++
	}
	t.turns[last].parts = append(t.turns[last].parts, said)
}

// turnAt is where a turn begins.
func turnAt(parts []geminiSaid) string {
	at, _, _ := strings.Cut(parts[0].at, ".")
	return at
}

// converse tells the turns as messages.
func (t *geminiTelling) converse() error {
	for _, turn := range t.turns {
		tell := t.user
		if turn.model {
			tell = t.assistant
		}
		if err := tell(turn.parts); err != nil {
			return err
		}
	}
	if len(t.turns) == 0 {
		return &point.Error{Code: point.MissingField, Param: "contents", Message: "Give at least one content with parts."}
	}
	return nil
}

// assistant tells a turn of the model's as one message.
func (t *geminiTelling) assistant(parts []geminiSaid) error {
	m := geminiMessage{Role: "assistant"}
	var text strings.Builder
	var media []geminiPart
	t.open = nil
	for _, said := range parts {
		signature := googleMember(said.part, "thoughtSignature").Str
		call := ""
		switch kind, v := partKind(said.part); kind {
		case "functionCall":
			c := t.call(v)
			m.ToolCalls, call = append(m.ToolCalls, c), c.ID
		case "text":
			if !googleMember(said.part, "thought").Bool() {
				text.WriteString(v.Str)
			}
		case "":
		default:
			part, err := t.media(kind, v, said.at)
			if err != nil {
				return err
			}
			media = appendPart(media, part)
		}
		m.Details = appendDetails(m.Details, signature, call)
	}
	switch {
	case len(media) > 0:
		m.Content = append(appendPart(nil, geminiPart{Type: "text", Text: text.String()}), media...)
	case text.Len() > 0 || len(m.ToolCalls) == 0:
		m.Content = text.String()
	}
	if text.Len() > 0 || len(media) > 0 || len(m.ToolCalls) > 0 || len(m.Details) > 0 {
		t.add(m, turnAt(parts))
	}
	return nil
}

// appendPart leaves out what says nothing.
func appendPart(list []geminiPart, part geminiPart) []geminiPart {
	if part.Type == "" || part == (geminiPart{Type: "text"}) {
		return list
	}
	return append(list, part)
}

// call tells a call; one without an id gets one, in the form that is taken away again on the way to
// Gemini.
func (t *geminiTelling) call(v gjson.Result) geminiToolCall {
	c := geminiToolCall{ID: googleMember(v, "id").Str, Type: "function"}
	if c.ID == "" {
		c.ID = fmt.Sprintf("call_%d", t.calls)
	}
	t.calls++
	c.Function.Name, c.Function.Arguments = googleMember(v, "name").Str, "{}"
	if args := googleMember(v, "args"); args.IsObject() {
		c.Function.Arguments = args.Raw
	}
	t.open = append(t.open, geminiCalled{c.ID, c.Function.Name})
	return c
}

// user tells a turn of the user's: the results of calls, then what is said.
func (t *geminiTelling) user(parts []geminiSaid) error {
	var list []geminiPart
	for _, said := range parts {
		kind, v := partKind(said.part)
		var part geminiPart
		var err error
		switch kind {
		case "":
		case "text":
			part = geminiPart{Type: "text", Text: v.Str}
		case "functionResponse":
			err = t.result(v, said.at+".functionResponse")
		default:
			part, err = t.media(kind, v, said.at)
		}
		if err != nil {
			return err
		}
		list = appendPart(list, part)
	}
	switch {
	case len(list) == 1 && list[0].Type == "text":
		t.add(geminiMessage{Role: "user", Content: list[0].Text}, turnAt(parts))
	case len(list) > 0:
		t.add(geminiMessage{Role: "user", Content: list}, turnAt(parts))
	}
	return nil
}

// result answers a call: by its id, else the first one of the function's that waits.
func (t *geminiTelling) result(v gjson.Result, at string) error {
	id, name := googleMember(v, "id").Str, googleMember(v, "name").Str
	i := slices.IndexFunc(t.open, func(c geminiCalled) bool { return c.id == id })
	if i < 0 {
		i = slices.IndexFunc(t.open, func(c geminiCalled) bool { return c.name == name })
	}
	if i < 0 {
		return &point.Error{Code: point.InvalidRequest, Param: at, Message: fmt.Sprintf("The result of %q answers no function call of the turn before it.", printable(name))}
	}
	m := geminiMessage{Role: "tool", ToolCallID: t.open[i].id}
	t.open = slices.Delete(t.open, i, i+1)
	response := googleMember(v, "response").Raw
	if response == "" {
		response = "{}"
	}
	m.Content = response
	var media []geminiPart
	for _, part := range googleMember(v, "parts").Array() {
		kind, v := partKind(part)
		told, err := t.media(kind, v, at+".parts")
		if err != nil {
			return err
		}
		media = appendPart(media, told)
	}
	if len(media) > 0 {
		m.Content = append([]geminiPart{{Type: "text", Text: response}}, media...)
	}
	t.add(m, at)
	return nil
}

// partKind is what a part is, and its value; empty for one that says nothing.
func partKind(part gjson.Result) (kind string, value gjson.Result) {
	if !part.IsObject() {
		return "", value
	}
	part.ForEach(func(key, v gjson.Result) bool {
		switch name := googleName(key.Str); {
		case v.Type == gjson.Null:
		case slices.Contains([]string{"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"}, name):
		default:
			kind, value = name, v
		}
		return kind == ""
	})
	return kind, value
}

// media tells a part that is a file.
func (t *geminiTelling) media(kind string, v gjson.Result, at string) (geminiPart, error) {
	typ := googleMember(v, "mimeType").Str
	typ, _, _ = strings.Cut(typ, ";")
	name := googleMember(v, "displayName").Str
	switch kind {
	case "inlineData":
		data := stdBase64(googleMember(v, "data").Str)
		if sound, ok := strings.CutPrefix(typ, "audio/"); ok {
			return geminiPart{Type: "input_audio", Audio: map[string]string{"data": data, "format": soundFormat(sound)}}, nil
		}
		return filePart("data:"+typ+";base64,"+data, typ, name), nil
	case "fileData":
		address := googleMember(v, "fileUri").Str
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "generativelanguage.googleapis.com" {
			return geminiPart{}, t.refuse(at+".fileData", "Google's own files can be read by Gemini alone; send the file as inlineData, or give a public URL")
		}
		return filePart(address, typ, name), nil
	}
	return geminiPart{}, t.refuse(at+"."+printable(kind), "")
}

func filePart(address, typ, name string) geminiPart {
	if strings.HasPrefix(typ, "image/") {
		return geminiPart{Type: "image_url", ImageURL: map[string]string{"url": address}}
	}
	if name == "" {
		_, extension, _ := strings.Cut(typ, "/")
		name = "file." + map[string]string{"pdf": "pdf", "plain": "txt"}[extension]
	}
	return geminiPart{Type: "file", File: map[string]string{"file_data": address, "filename": strings.TrimSuffix(name, ".")}}
}

// soundFormat is an audio type's subtype as chats name it.
func soundFormat(subtype string) string {
	switch subtype {
	case "mpeg":
		return "mp3"
	case "x-wav", "wave", "vnd.wave":
		return "wav"
	}
	return subtype
}

// stdBase64 is base64 in the standard's first alphabet: Google takes that of URLs too.
func stdBase64(data string) string {
	if !strings.ContainsAny(data, "-_") {
		return data
	}
	return strings.NewReplacer("-", "+", "_", "/").Replace(data)
}

// appendDetails adds what a thought signature holds to a message's reasoning details.
func appendDetails(list []json.RawMessage, signature, call string) []json.RawMessage {
	if signature == "" {
		return list
	}
	if carried, ok := unwrapDetails(signature); ok {
		return append(list, carried...)
	}
	return append(list, googleDetail(signature, call, len(list)))
}
