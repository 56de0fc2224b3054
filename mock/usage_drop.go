package mock

import (
	"encoding/json"
	"slices"
)

// usageNames are the members that count tokens, in all dialects.
var usageNames = []string{"usage", "usageMetadata", "meta", invocationMetrics}

// dropUsage takes token counts out of a reply, and usage-only events with them.
func dropUsage(rep *reply) {
	rep.body = withoutUsage(rep.body)
	rep.frames = slices.DeleteFunc(rep.frames, usageOnly)
	for i := range rep.frames {
		rep.frames[i].data = withoutUsage(rep.frames[i].data)
	}
}

// usageOnly tells OpenAI's last chunk, which has no choices.
func usageOnly(f frame) bool {
	var chunk struct {
		Choices []json.RawMessage `json:"choices"`
		Usage   json.RawMessage   `json:"usage"`
	}
	return json.Unmarshal(f.data, &chunk) == nil && chunk.Choices != nil && len(chunk.Choices) == 0 && len(chunk.Usage) > 0
}

// withoutUsage drops the counts at the top level, in Anthropic's message and in Cohere's last delta.
func withoutUsage(data []byte) []byte {
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) != nil {
		return data
	}
	for _, name := range usageNames {
		delete(m, name)
	}
	for _, name := range []string{"message", "delta"} {
		if inner, ok := m[name]; ok {
			m[name] = withoutUsage(inner)
		}
	}
	return encode(m)
}
