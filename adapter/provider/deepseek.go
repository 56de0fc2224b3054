package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "deepseek",
		Title:   "DeepSeek",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.deepseek.com",
		EnvKeys: []string{"DEEPSEEK_API_KEY"},
		Probe:   "deepseek-v4-flash",
		Service: chats{saying: saying{names: maxTokens, message: []says{asSystem}}},
	})
}
