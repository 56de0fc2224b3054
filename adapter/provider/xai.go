package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "xai",
		Title:   "xAI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.x.ai/v1",
		EnvKeys: []string{"XAI_API_KEY"},
		Probe:   "grok-4-fast-non-reasoning",
		Service: struct {
			chats
			images
		}{chats: chats{usage: usageSoFar}},
	})
}
