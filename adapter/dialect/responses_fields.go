package dialect

import (
	"slices"

	"github.com/tidwall/gjson"
)

// fate is what becomes of a request's field where a chat is made of it.
type fate uint8

const (
	fateSaid    fate = iota // it is translated, or kept by Point itself
	fateDropped             // bookkeeping: it is left out, and named
	fateRefused             // it changes what the answer is
)

// field is one line of a dialect's table: docs/translation.md shows it.
type field struct {
	name     string
	fate     fate
	how      string                  // for people
	harmless func(gjson.Result) bool // of a refused one: a value that changes nothing
}

func isFalse(v gjson.Result) bool   { return v.Type == gjson.False }
func isZero(v gjson.Result) bool    { return v.Type == gjson.Number && v.Num == 0 }
func isNothing(v gjson.Result) bool { return v.Raw == "[]" || v.Raw == "{}" || v.Raw == `""` }

// responsesFields are the fields of a request to PathResponses. One that is not here is dropped.
var responsesFields = []field{
	{name: "model", how: "yes"},
	{name: "input", how: "`messages`: text, `input_text`, `input_image` (URL or data), `input_file` (data or URL), `input_audio`; `function_call` and `custom_tool_call` with their outputs; `reasoning` that Point made is `reasoning_details`, that of others is dropped; `item_reference` to an item that Point keeps. Items of other types, `file_id` of images: refused"},
	{name: "instructions", how: "the first `system` message"},
	{name: "previous_response_id", how: "what was said until then, where Point keeps it; else 404"},
	{name: "tools", how: "functions, and `custom` tools as functions of one text. Tools of other types (`web_search`, `mcp`, ...): refused"},
	{name: "tool_choice", how: "yes, named functions and `allowed_tools` too; tools of other types: refused"},
	{name: "parallel_tool_calls", how: "yes"},
	{name: "text", how: "`format` is `response_format`, `verbosity` is `verbosity`"},
	{name: "reasoning", how: "`effort` is `reasoning_effort`; with `summary` the model's thinking is told as a summary, without as `reasoning_text`"},
	{name: "max_output_tokens", how: "`max_tokens`"},
	{name: "temperature", how: "yes"},
	{name: "top_p", how: "yes"},
	{name: "user", how: "yes"},
	{name: "safety_identifier", how: "`user`, if there is none"},
	{name: "include", how: "`reasoning.encrypted_content`; what else there can be none of is no matter. `message.output_text.logprobs`: refused"},
	{name: "store", how: "kept by Point, see below"},
	{name: "metadata", how: "told in the answer"},
	{name: "stream", how: "yes"},
	{name: "stream_options", how: "`include_obfuscation` is no matter"},
	{name: "prompt_cache_key", fate: fateDropped},
	{name: "prompt_cache_retention", fate: fateDropped},
	{name: "service_tier", fate: fateDropped},
	{name: "truncation", fate: fateDropped},
	{name: "max_tool_calls", fate: fateDropped},
	{name: "context_management", fate: fateDropped},
	{name: "background", fate: fateRefused, harmless: isFalse},
	{name: "conversation", fate: fateRefused, harmless: isNothing},
	{name: "prompt", fate: fateRefused, harmless: isNothing},
	{name: "top_logprobs", fate: fateRefused, harmless: isZero},
}

// sortOut goes through a request's fields by the dialect's table: it refuses what changes the
// meaning, and notes what is left out.
func (d *dropping) sortOut(body []byte, table []field) (err error) {
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		if value.Type == gjson.Null || slices.Contains(ownFields, key.Str) {
			return true
		}
		rule := field{name: key.Str, fate: fateDropped}
		if i := slices.IndexFunc(table, func(f field) bool { return f.name == key.Str }); i >= 0 {
			rule = table[i]
		}
		switch {
		case rule.fate == fateDropped:
			d.drop(rule.name)
		case rule.fate == fateRefused && !rule.harmless(value):
			err = d.refuse(rule.name, "")
		}
		return err == nil
	})
	return err
}
