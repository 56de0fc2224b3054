package provider

import (
	"strconv"

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
		case "prompt_tokens_details", "input_tokens_details":
			usage.CacheRead = max(usage.CacheRead, v.get("cached_tokens").int())
			usage.CacheWrite = v.get("cache_write_tokens").int()
			usage.AudioInput = v.get("audio_tokens").int()
		case "completion_tokens_details", "output_tokens_details":
			usage.Reasoning = v.get("reasoning_tokens").int()
			usage.AudioOutput = v.get("audio_tokens").int()
		case "prompt_cache_hit_tokens", "cached_tokens": // DeepSeek; Moonshot
			usage.CacheRead = max(usage.CacheRead, v.int())
		}
	}
	if !counted {
		return nil
	}
	return clampUsage(&usage)
}

// count is what a provider tells, as far as it can be: sums of counts cannot overflow.
func count(n int64) int64 { return min(max(n, 0), point.MaxCount) }

// clampUsage keeps a provider's odd counts from becoming odd costs: no count is below zero or
// beyond measure, and parts are no more than the whole.
func clampUsage(u *point.Usage) *point.Usage {
	u.Input, u.Output = count(u.Input), count(u.Output)
	rest := u.Input
	for _, part := range []*int64{&u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.AudioInput} {
		*part = min(max(*part, 0), rest)
		rest -= *part
	}
	u.Reasoning = min(max(u.Reasoning, 0), u.Output)
	u.AudioOutput = min(max(u.AudioOutput, 0), u.Output)
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
