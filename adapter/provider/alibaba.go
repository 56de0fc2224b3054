package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "alibaba",
		Title:   "Alibaba Cloud Model Studio",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
		EnvKeys: []string{"DASHSCOPE_API_KEY"},
		Probe:   "qwen3.6-flash",
		Service: struct {
			chats
			floats
		}{chats: chats{saying: saying{names: maxTokens, message: []says{asSystem}}}},
	})
}
