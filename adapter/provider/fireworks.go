package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "fireworks",
		Title:   "Fireworks AI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.fireworks.ai/inference/v1",
		EnvKeys: []string{"FIREWORKS_API_KEY"},
		Probe:   "accounts/fireworks/models/gpt-oss-20b",
		Service: struct {
			chats
			completes
			floats
			passes
		}{
			chats:  chats{saying: saying{names: maxTokens, message: []says{asSystem}}},
			passes: passes{point.PathRerank},
		},
	})
}
