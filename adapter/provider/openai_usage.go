package provider

import "strconv"

// usageForm is how a service tells usage, beyond what is mended for all.
type usageForm uint8

const (
	usageAsOpenAI  usageForm = iota
	usageSoFar               // every chunk tells what was used so far: clients add up what they get
	usageSearching           // so does Perplexity's, and it counts reasoning apart from the completion
)

// mendUsage puts a usage object into OpenAI's form: reasoning is part of the completion's tokens,
// what the cache gave has its place, and a cost that is an object is no cost.
func (m *mender) mendUsage(usage value, list *edits) {
	if !usage.isObject() {
		return
	}
	completion, reasoning := usage.get("completion_tokens"), usage.get("completion_tokens_details").get("reasoning_tokens")
	if m.usage == usageSearching {
		reasoning = usage.get("reasoning_tokens")
	}
	if n := count(reasoning.int()); n > 0 && completion.isNumber() && m.apart(usage, n) {
		list.replace(completion, strconv.FormatInt(count(completion.int())+n, 10))
		if m.usage == usageSearching {
			list.set(usage, "total_tokens", strconv.FormatInt(count(usage.get("total_tokens").int())+n, 10))
			list.set(usage, "completion_tokens_details", `{"reasoning_tokens":`+strconv.FormatInt(n, 10)+`}`)
		}
	}
	if !usage.get("prompt_tokens_details").exists() {
		if n := count(max(usage.get("cached_tokens").int(), usage.get("prompt_cache_hit_tokens").int())); n > 0 {
			list.set(usage, "prompt_tokens_details", `{"cached_tokens":`+strconv.FormatInt(n, 10)+`}`)
		}
	}
	if cost := usage.get("cost"); cost.isObject() {
		list.rename(usage, "cost", "cost_details")
	}
}

// apart reports whether reasoning is not counted in the completion: Grok's total has it besides,
// Perplexity's not even that.
func (m *mender) apart(usage value, reasoning int64) bool {
	total := count(usage.get("prompt_tokens").int()) + count(usage.get("completion_tokens").int())
	return m.usage == usageSearching || count(usage.get("total_tokens").int()) == total+reasoning
}

// chunkUsage mends a chunk's usage. What was used so far is kept from the client while more will
// come.
func (m *mender) chunkUsage(data []byte, doc value, list *edits) {
	var mended edits
	m.mendUsage(doc.get("usage"), &mended)
	if m.usage == usageAsOpenAI || !unfinished(doc) {
		*list = append(*list, mended...)
		return
	}
	m.soFar, _ = usageIn(splice(data, mended), 0)
	list.cut(doc, func(key []byte, _ value) bool { return string(key) == "usage" })
}

// unfinished reports whether a chunk has a choice that goes on.
func unfinished(doc value) bool {
	for _, choice := range doc.get("choices").elements() {
		if !choice.get("finish_reason").isString() {
			return true
		}
	}
	return false
}

// costAt is where a cost may be spliced into a usage object that stands at an offset: 0 if it
// tells one itself.
func costAt(usage value, offset int) int {
	if usage.get("cost").exists() {
		return 0
	}
	return offset + usage.at + 1
}
