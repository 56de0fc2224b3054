package provider

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"

	"point"
	"point/internal/jsontext"
)

func init() {
	Register(&Kind{
		Name:    "mistral",
		Title:   "Mistral AI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.mistral.ai/v1",
		EnvKeys: []string{"MISTRAL_API_KEY"},
		Probe:   "mistral-small-latest",
		Service: struct {
			chats
			floats
			passes
		}{
			chats{saying: saying{
				names:   map[string]string{"max_completion_tokens": "max_tokens", "seed": "random_seed"},
				dropped: []string{"top_k", "user", "store", "service_tier", "safety_identifier", "prompt_cache_retention", "verbosity"},
				silent:  []string{"stream_options"}, // usage comes unasked
				nulls:   true,
				values:  map[string]says{"tool_choice": anyTool},
				message: []says{asSystem, mistralMessage},
			}},
			floats{saying{
				names:   map[string]string{"dimensions": "output_dimension"},
				dropped: []string{"user"},
				nulls:   true,
			}},
			passes{point.PathTranscribe, point.PathModerations},
		},
	})
}

// anyTool: what OpenAI calls "required".
func anyTool(_ *sent, choice value, list *edits) {
	if choice.is("required") {
		list.replace(choice, `"any"`)
	}
}

// mistralMessage takes out of a message what Mistral refuses, and gives its calls ids that it
// takes. Reasoning goes back to the models that think by themselves, as part of the content.
func mistralMessage(in *sent, message value, list *edits) {
	role, thought := message.get("role"), message.get("reasoning_content")
	list.cut(message, func(key []byte, v value) bool {
		name := string(key)
		if name == "name" && !role.is("tool") && !v.isNull() {
			in.drop("messages.name")
			return true
		}
		return slices.Contains(answersMore, name) || name == "refusal" || name == "audio" || v.isNull() && name != "content"
	})
	if role.is("assistant") && thought.isString() && thought.shows() && strings.Contains(in.model, "magistral") {
		list.think(message, thought)
	}
	if id := message.get("tool_call_id"); id.isString() {
		list.mistralID(id)
	}
	for _, call := range message.get("tool_calls").elements() {
		if id := call.get("id"); id.isString() {
			list.mistralID(id)
		}
		list.cut(call, func(key []byte, _ value) bool { return string(key) == "extra_content" })
	}
}

// think puts a thought before a message's content, which becomes a list of parts.
func (e *edits) think(message, thought value) {
	parts := `[{"type":"thinking","thinking":[{"type":"text","text":` + string(thought.raw) + `}]}`
	content := message.get("content")
	switch {
	case content.isList() && content.shows():
		e.replace(content, parts+","+string(content.raw[1:]))
		return
	case content.isString() && content.shows():
		parts += `,{"type":"text","text":` + string(content.raw) + `}`
	}
	e.set(message, "content", parts+"]")
}

// mistralIDs is how long a call's id is, of letters and digits alone.
const mistralIDs = 9

// mistralID puts an id that Mistral would refuse into its form. The same id always becomes the
// same, so that a call and its result still belong together.
func (e *edits) mistralID(id value) {
	old := id.str()
	if len(old) == mistralIDs && !strings.ContainsFunc(old, notAlphanumeric) {
		return
	}
	sum := sha256.Sum256([]byte(old))
	text := new(big.Int).SetBytes(sum[:]).Text(62)
	e.replace(id, string(jsontext.AppendString(nil, text[len(text)-mistralIDs:])))
}

func notAlphanumeric(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}
