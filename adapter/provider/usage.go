package provider

import (
	"strconv"
	"strings"

	"point"
)

// openAIUsage reads OpenAI's usage object, in the spellings of chat (prompt_tokens) and of
// images (input_tokens). It is nil if the object counts nothing.
func openAIUsage(u value) *point.Usage {
	var usage point.Usage
	var counted bool
	for key, v := range u.members() {
		switch string(key) {
		case "prompt_tokens", "input_tokens":
			usage.Input, counted = v.int(), true
		case "completion_tokens", "output_tokens":
			usage.Output, counted = v.int(), true
		case "prompt_tokens_details", "input_tokens_details", "input_token_details": // the last of transcriptions
			usage.CacheRead = max(usage.CacheRead, v.get("cached_tokens").int())
			usage.CacheWrite = v.get("cache_write_tokens").int()
			usage.AudioInput, usage.ImageInput = v.get("audio_tokens").int(), v.get("image_tokens").int()
		case "completion_tokens_details", "output_tokens_details":
			usage.Reasoning = v.get("reasoning_tokens").int()
			usage.AudioOutput, usage.ImageOutput = v.get("audio_tokens").int(), v.get("image_tokens").int()
		case "prompt_cache_hit_tokens", "cached_tokens": // DeepSeek; Moonshot
			usage.CacheRead = max(usage.CacheRead, v.int())
		case "seconds": // of transcriptions, with "type": "duration"
			usage.AudioMS, counted = milliseconds(v), true
		case "prompt_audio_seconds": // Mistral's
			usage.AudioMS = max(usage.AudioMS, milliseconds(v))
		case "num_search_queries": // Perplexity's
			usage.Searches = v.int()
		case "server_tool_use": // of those that tell it as Anthropic does
			usage.Searches = v.get("web_search_requests").int()
		}
	}
	if !counted {
		return nil
	}
	return clampUsage(&usage)
}

// milliseconds reads a number of seconds, which vLLM writes as a string.
func milliseconds(seconds value) int64 {
	text := string(seconds.raw)
	if seconds.isString() {
		if text = seconds.str(); strings.Trim(text, "0123456789.") != "" {
			return 0
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return int64(min(n, point.MaxCount/1e3) * 1e3)
}

// count is what a provider tells, as far as it can be: sums of counts cannot overflow.
func count(n int64) int64 { return min(max(n, 0), point.MaxCount) }

// clampUsage keeps a provider's odd counts from becoming odd costs: no count is below zero or
// beyond measure, and parts are no more than the whole.
func clampUsage(u *point.Usage) *point.Usage {
	u.Input, u.Output = count(u.Input), count(u.Output)
	rest := u.Input
	for _, part := range []*int64{&u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.AudioInput, &u.ImageInput} {
		*part = min(max(*part, 0), rest)
		rest -= *part
	}
	rest = u.Output
	for _, part := range []*int64{&u.Reasoning, &u.AudioOutput, &u.ImageOutput} {
		*part = min(max(*part, 0), rest)
		rest -= *part
	}
	u.Searches, u.Images = count(u.Searches), count(u.Images)
	return u
}

// appendUsage appends u as OpenAI's usage object. The offset of its first member, where a
// cost may be spliced in, is len(b)+1 before the call.
func appendUsage(b []byte, u *point.Usage) []byte {
	num := func(name string, n int64) {
		b = append(b, name...)
		b = strconv.AppendInt(b, n, 10)
	}
	num(`{"prompt_tokens":`, u.Input)
	num(`,"completion_tokens":`, u.Output)
	num(`,"total_tokens":`, u.Total())
	num(`,"prompt_tokens_details":{"cached_tokens":`, u.CacheRead)
	if written := u.CacheWrite + u.CacheWrite1h; written > 0 {
		num(`,"cache_write_tokens":`, written)
	}
	num(`,"audio_tokens":`, u.AudioInput)
	num(`},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning)
	num(`,"audio_tokens":`, u.AudioOutput)
	return append(b, '}', '}')
}
