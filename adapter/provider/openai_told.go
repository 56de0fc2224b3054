package provider

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// toldChat is a chat that was told from another dialect on its way to a service of OpenAI's
// kind: such services refuse what they do not know, so the carriers stay here, and OpenAI's own
// rules for its models are kept.
type toldChat struct {
	translation
	rules  bool   // the models are OpenAI's
	model  string // by its own name
	chat   map[string]json.RawMessage
	images []json.RawMessage // parts of tools' results, which may hold text alone
}

// toldBody is the body of a told chat as its provider gets it.
func toldBody(req *Request, rules, askUsage bool) (body []byte, dropped []string, err error) {
	t := toldChat{translation: translation{kind: req.Provider.Kind, req: req}, rules: rules, model: cmp.Or(req.Known, req.Model)}
	if err := json.Unmarshal(req.Call.Body, &t.chat); err != nil {
		return nil, nil, invalidBody("", req.Call.Body, &t.chat, err)
	}
	t.set("model", req.Model)
	if !askUsage {
		delete(t.chat, "stream_options")
	}
	t.take(t.chat, "cache_control", "thinking")
	t.sampling()
	t.reasoning()
	t.user()
	if err := t.tools(); err != nil {
		return nil, nil, err
	}
	if err := t.messages(); err != nil {
		return nil, nil, err
	}
	body, err = marshal(t.chat)
	return body, t.dropped, err
}

func (t *toldChat) set(name string, v any) {
	t.chat[name], _ = marshal(v) // strings, numbers and lists of JSON always marshal
}

// take takes carriers out of an object, with a mention of those that are dropped.
func (t *toldChat) take(object map[string]json.RawMessage, names ...string) {
	for _, name := range names {
		if given(object[name]) != nil {
			t.drop(name)
		}
		delete(object, name)
	}
}

// openAIReasons reports whether a model thinks, by OpenAI's names: it takes an effort then, and
// no sampling.
func openAIReasons(model string) bool {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	switch {
	case strings.HasPrefix(name, "gpt-oss"):
		return true
	case strings.HasPrefix(name, "gpt-") && len(name) > 4:
		return name[4] >= '5' && name[4] <= '9' && !strings.Contains(name, "chat")
	}
	return len(name) > 1 && name[0] == 'o' && name[1] >= '1' && name[1] <= '9'
}

// openAILimits are the longest answers of models that refuse to be asked for more, by the
// beginning of their names.
//
//	https://platform.openai.com/docs/models
var openAILimits = map[string]int64{
	"gpt-3.5": 4096, "gpt-4": 8192, "gpt-4-turbo": 4096, "gpt-4o": 16_384, "gpt-4.1": 32_768, "gpt-4.5": 16_384,
}

func openAILimit(model string) int64 {
	best := ""
	for name := range openAILimits {
		if strings.HasPrefix(model, name) && len(name) > len(best) {
			best = name
		}
	}
	return openAILimits[best]
}

// sampling gives the answer's limit the name and the size that OpenAI wants.
func (t *toldChat) sampling() {
	reasons := openAIReasons(t.model)
	if t.rules {
		t.take(t.chat, "top_k")
		if raw := cmp.Or(string(given(t.chat["max_completion_tokens"])), string(given(t.chat["max_tokens"]))); raw != "" {
			var most int64
			limit := openAILimit(t.model)
			if err := json.Unmarshal([]byte(raw), &most); err == nil && limit > 0 {
				t.set("max_tokens", min(most, limit))
				raw = string(t.chat["max_tokens"])
			}
			delete(t.chat, "max_tokens")
			t.chat["max_completion_tokens"] = json.RawMessage(raw)
		}
	}
	for _, name := range []string{"temperature", "top_p"} {
		switch {
		case string(t.chat[name]) == "1":
			delete(t.chat, name)
		case t.rules && reasons:
			t.take(t.chat, name)
		}
	}
}

// reasoning says how much to think in OpenAI's word, to models that can.
func (t *toldChat) reasoning() {
	var r chatRequest
	_ = json.Unmarshal(t.req.Call.Body, &struct {
		Effort    *string     `json:"reasoning_effort"`
		Reasoning **reasoning `json:"reasoning"`
	}{&r.ReasoningEffort, &r.Reasoning})
	effort := r.effort()
	if (effort == "" || effort == "medium") && r.Reasoning != nil && r.Reasoning.MaxTokens > 0 {
		effort = effortOf(r.Reasoning.MaxTokens)
	}
	delete(t.chat, "reasoning")
	delete(t.chat, "reasoning_effort")
	switch {
	case effort == "", effort == "none":
	case !openAIReasons(t.model):
		t.drop("reasoning")
	default:
		if effort == "xhigh" || effort == "max" { // few models know them
			effort = "high"
		}
		t.set("reasoning_effort", effort)
	}
}

// effortOf is the effort that spends a budget of tokens.
func effortOf(budget int64) string {
	switch {
	case budget <= effortBudget["low"]:
		return "low"
	case budget <= effortBudget["medium"]:
		return "medium"
	}
	return "high"
}

// maxUser is how long OpenAI lets a user's name be.
const maxUser = 64

// user gives a name that is too long its hash: it still tells users apart.
func (t *toldChat) user() {
	var user string
	if json.Unmarshal(t.chat["user"], &user) == nil && len(user) > maxUser {
		sum := sha256.Sum256([]byte(user))
		t.set("user", hex.EncodeToString(sum[:]))
	}
}

// tools takes the carriers out of the functions.
func (t *toldChat) tools() error {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(t.chat["tools"], &list); err != nil {
		return nil // the provider's to refuse
	}
	for _, tool := range list {
		t.take(tool, "cache_control")
		var function map[string]json.RawMessage
		if json.Unmarshal(tool["function"], &function) == nil && function != nil {
			t.take(function, "cache_control")
			tool["function"], _ = marshal(function) // JSON always marshals
		}
	}
	if len(list) > 0 {
		t.set("tools", list)
	}
	return nil
}

// messages puts each message into OpenAI's form. What tools showed follows their results as a
// user's message.
func (t *toldChat) messages() error {
	var list, out []map[string]json.RawMessage
	if err := json.Unmarshal(t.chat["messages"], &list); err != nil {
		return invalidBody("messages", t.chat["messages"], &list, err)
	}
	for i, m := range list {
		var role string
		_ = json.Unmarshal(m["role"], &role)
		if role != "tool" {
			out = t.show(out)
		}
		if err := t.message(i, role, m); err != nil {
			return err
		}
		if role != "assistant" || given(m["content"]) != nil || given(m["tool_calls"]) != nil {
			out = append(out, m)
		}
	}
	t.set("messages", t.show(out))
	return nil
}

// show adds the images that tools gave.
func (t *toldChat) show(out []map[string]json.RawMessage) []map[string]json.RawMessage {
	if len(t.images) == 0 {
		return out
	}
	parts, _ := marshal(append([]json.RawMessage{json.RawMessage(`{"type":"text","text":"What the tools above returned beside text:"}`)}, t.images...))
	t.images = nil
	return append(out, map[string]json.RawMessage{"role": json.RawMessage(`"user"`), "content": parts})
}

func (t *toldChat) message(i int, role string, m map[string]json.RawMessage) error {
	t.take(m, "cache_control")
	for _, name := range []string{"reasoning_details", "reasoning_content", "annotations", "citations", "images"} {
		delete(m, name)
	}
	failed := string(m["is_error"]) == "true"
	delete(m, "is_error")
	if calls := t.calls(m["tool_calls"]); calls != nil {
		m["tool_calls"] = calls
	}
	var parts content
	if raw := given(m["content"]); raw == nil || json.Unmarshal(raw, &parts) != nil {
		m["content"] = nothing(role, failed)
		return nil
	}
	said, err := t.parts(i, role, parts)
	if failed {
		said = append([]json.RawMessage{textPart("Error:")}, said...)
	}
	m["content"] = joined(role, said)
	return err
}

// nothing is the content of a message that has none.
func nothing(role string, failed bool) json.RawMessage {
	switch {
	case role == "assistant":
		return json.RawMessage("null")
	case failed:
		return json.RawMessage(`"Error:"`)
	}
	return json.RawMessage(`""`)
}

// calls takes the carriers out of tool calls; nil: there are none.
func (t *toldChat) calls(raw json.RawMessage) json.RawMessage {
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil
	}
	for _, call := range list {
		t.take(call, "cache_control")
		delete(call, "extra_content")
	}
	out, _ := marshal(list) // JSON always marshals
	return out
}

func textPart(text string) json.RawMessage {
	part, _ := marshal(map[string]string{"type": "text", "text": text}) // strings always marshal
	return part
}

// parts puts parts into OpenAI's form: text stays, images of a tool's result go to a message
// behind it, documents of text become text.
func (t *toldChat) parts(i int, role string, list content) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for j, p := range list {
		part, err := t.part(i, j, p)
		switch {
		case err != nil:
			return nil, err
		case part == nil:
		case role == "tool" && p.Type != "text" && p.Type != "refusal":
			t.images = append(t.images, part)
		default:
			out = append(out, part)
		}
		if given(p.CacheControl) != nil {
			t.drop("cache_control")
		}
		if given(p.Citations) != nil {
			t.drop("citations")
		}
	}
	return out, nil
}

// part puts one part into OpenAI's form; nil leaves it out.
func (t *toldChat) part(i, j int, p contentPart) (json.RawMessage, error) {
	var out any
	switch p.Type {
	case "text":
		return textPart(p.Text), nil
	case "refusal":
		return textPart(p.Refusal), nil
	case "image_url":
		image := map[string]string{"url": p.ImageURL.URL}
		if p.ImageURL.Detail != "" {
			image["detail"] = p.ImageURL.Detail
		}
		out = map[string]any{"type": "image_url", "image_url": image}
	case "input_audio":
		out = map[string]any{"type": "input_audio", "input_audio": map[string]string{"data": p.InputAudio.Data, "format": p.InputAudio.Format}}
	case "file":
		return t.file(i, j, p)
	default:
		return nil, t.refuse(partName(i, j, p.Type), "use text, image_url, input_audio or file parts")
	}
	return marshal(out)
}

func partName(i, j int, kind string) string {
	return "messages[" + strconv.Itoa(i) + "].content[" + strconv.Itoa(j) + "]." + printable(kind)
}

// file is a document as OpenAI takes it: by id, or with a name and its bytes.
func (t *toldChat) file(i, j int, p contentPart) (json.RawMessage, error) {
	media, data, ok := splitDataURL(p.File.Data)
	if text, err := decodeBase64(data); ok && err == nil && strings.HasPrefix(media, "text/") {
		return textPart(strings.TrimPrefix(p.File.Filename+"\n\n"+string(text), "\n\n")), nil
	}
	switch {
	case ok:
		file := map[string]string{"file_data": p.File.Data, "filename": cmp.Or(p.File.Filename, "document")}
		return marshal(map[string]any{"type": "file", "file": file})
	case p.File.ID != "" && !strings.Contains(p.File.ID, "/"):
		return marshal(map[string]any{"type": "file", "file": map[string]string{"file_id": p.File.ID}})
	}
	return nil, t.refuse(partName(i, j, "file"), "give the document itself, in base64")
}

// joined is a message's content: one string if it is text alone, as every server takes it.
func joined(role string, parts []json.RawMessage) json.RawMessage {
	between := map[string]string{"assistant": "", "tool": "\n"}
	gap, ok := between[role]
	if !ok {
		gap = "\n\n"
	}
	texts := make([]string, 0, len(parts))
	for _, part := range parts {
		if v := whole(part); v.get("type").is("text") {
			texts = append(texts, v.get("text").str())
		}
	}
	if len(texts) < len(parts) {
		out, _ := marshal(parts) // JSON always marshals
		return out
	}
	out, _ := marshal(strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), gap))
	return out
}
