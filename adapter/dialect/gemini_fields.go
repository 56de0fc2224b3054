package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// geminiField is what becomes of one member of a generateContent request in a chat.
type geminiField struct {
	name   string
	as     string // what it is in a chat, for people; empty: nothing
	refuse bool   // it changes the meaning: a chat without it is another one
	tell   func(*geminiTelling, gjson.Result) error
}

// fate is what becomes of f, for people.
func (f geminiField) fate() string {
	switch {
	case f.tell != nil:
		return f.as
	case f.refuse:
		return "refused"
	}
	return "dropped"
}

// Of the request itself. What stands in none of these tables is dropped, but for tools.
var geminiRequestFields = []geminiField{
	{name: "contents", as: "`messages`; neighbours of one role are one turn", tell: (*geminiTelling).contents},
	{name: "systemInstruction", as: "`messages`: `system`", tell: (*geminiTelling).system},
	{name: "tools", as: "see below", tell: (*geminiTelling).tools},
	{name: "toolConfig", as: "`tool_choice`: `AUTO`, `ANY`, `NONE`; of `allowedFunctionNames` the others are not offered", tell: (*geminiTelling).toolConfig},
	{name: "generationConfig", as: "see below", tell: (*geminiTelling).generationConfig},
	{name: "cachedContent", refuse: true},
	{name: "safetySettings"},
	{name: "labels"},
	{name: "store"},
	{name: "serviceTier"},
	{name: "model", as: "the URL's model counts", tell: ignored},
	{name: "stream", as: "the URL's method counts", tell: ignored},
	{name: "provider", as: "read by Point", tell: ignored},
	{name: "fallbackProviders", as: "read by Point", tell: ignored},
	{name: "models", as: "read by Point", tell: ignored},
}

// Of generationConfig.
var geminiConfigFields = []geminiField{
	{name: "temperature", as: "`temperature`", tell: number("temperature", "temperature")},
	{name: "topP", as: "`top_p`", tell: number("topP", "top_p")},
	{name: "topK", as: "`top_k`", tell: number("topK", "top_k")},
	{name: "maxOutputTokens", as: "`max_tokens`", tell: number("maxOutputTokens", "max_tokens")},
	{name: "candidateCount", as: "`n`", tell: number("candidateCount", "n")},
	{name: "seed", as: "`seed`", tell: number("seed", "seed")},
	{name: "presencePenalty", as: "`presence_penalty`", tell: number("presencePenalty", "presence_penalty")},
	{name: "frequencyPenalty", as: "`frequency_penalty`", tell: number("frequencyPenalty", "frequency_penalty")},
	{name: "stopSequences", as: "`stop`", tell: (*geminiTelling).stop},
	{name: "responseMimeType", as: "`response_format`: `text/plain` and `application/json`", tell: (*geminiTelling).mimeType},
	{name: "responseSchema", as: "`response_format`: `json_schema`", tell: (*geminiTelling).schema},
	{name: "responseJsonSchema", as: "`response_format`: `json_schema`", tell: (*geminiTelling).jsonSchema},
	{name: "responseModalities", as: "`modalities`: text and image", tell: (*geminiTelling).modalities},
	{name: "thinkingConfig", as: "`reasoning_effort`, or `reasoning.max_tokens` for a budget; thoughts are shown if `includeThoughts` says so", tell: (*geminiTelling).thinking},
	{name: "responseLogprobs", refuse: true},
	{name: "logprobs", refuse: true},
	{name: "speechConfig", refuse: true},
	{name: "imageConfig", refuse: true},
	{name: "mediaResolution"},
	{name: "audioTimestamp"},
	{name: "enableEnhancedCivicAnswers"},
	{name: "routingConfig"},
	{name: "modelSelectionConfig"},
}

// Of an element of tools. All others are Google's own tools: refused.
var geminiToolFields = []geminiField{
	{name: "functionDeclarations", as: "`tools`", tell: (*geminiTelling).functions},
	{name: "googleSearch", refuse: true},
	{name: "googleSearchRetrieval", refuse: true},
	{name: "codeExecution", refuse: true},
	{name: "urlContext", refuse: true},
	{name: "googleMaps", refuse: true},
	{name: "fileSearch", refuse: true},
	{name: "computerUse", refuse: true},
}

func ignored(*geminiTelling, gjson.Result) error { return nil }

// number takes a number of generationConfig over under a chat's name.
func number(member, name string) func(*geminiTelling, gjson.Result) error {
	return func(t *geminiTelling, v gjson.Result) error {
		raw := v.Raw
		if v.Type == gjson.String { // Google writes whole numbers as strings too
			raw = v.Str
		}
		if gjson.Parse(raw).Type != gjson.Number || !json.Valid([]byte(raw)) {
			return wrongType("generationConfig."+member, "a number")
		}
		if name != "n" || raw != "1" {
			t.chat.put(name, json.RawMessage(raw))
		}
		return nil
	}
}

// members tells an object's members by a table; under is where it stands.
func (t *geminiTelling) members(of gjson.Result, under string, table []geminiField) (err error) {
	if !of.IsObject() {
		return wrongType(strings.TrimSuffix(under, "."), "an object")
	}
	of.ForEach(func(key, value gjson.Result) bool {
		name := googleName(key.Str)
		i := slices.IndexFunc(table, func(f geminiField) bool { return f.name == name })
		switch {
		case value.Type == gjson.Null:
		case i >= 0 && table[i].tell != nil:
			err = table[i].tell(t, value)
		case i >= 0 && table[i].refuse && value.Type == gjson.False: // is no matter
		case i >= 0 && table[i].refuse, i < 0 && under == "tools.":
			err = t.refuse(under+name, "")
		default:
			t.drop(under + name)
		}
		return err == nil
	})
	return err
}

// wrongType is the refusal of a field that is not what it must be.
func wrongType(param, want string) error {
	return &point.Error{Code: point.InvalidRequest, Param: param, Message: fmt.Sprintf("The field %q must be %s.", param, want)}
}
