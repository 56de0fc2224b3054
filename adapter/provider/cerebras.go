package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "cerebras",
		Title:   "Cerebras",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.cerebras.ai/v1",
		EnvKeys: []string{"CEREBRAS_API_KEY"},
		Probe:   "gpt-oss-120b",
		Service: struct {
			chats
			completes
		}{chats: chats{saying: saying{message: []says{asSystem, thinking}}}},
	})
}
