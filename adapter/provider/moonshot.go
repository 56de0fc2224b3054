package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "moonshot",
		Title:   "Moonshot AI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.moonshot.ai/v1",
		EnvKeys: []string{"MOONSHOT_API_KEY"},
		Probe:   "moonshot-v1-8k",
		Service: chats{saying: saying{names: maxTokens, message: []says{asSystem}}},
	})
}
