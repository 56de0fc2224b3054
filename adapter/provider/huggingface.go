package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "huggingface",
		Title:   "Hugging Face",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://router.huggingface.co/v1",
		EnvKeys: []string{"HF_TOKEN"},
		Probe:   "openai/gpt-oss-20b",
		Service: chats{saying: saying{names: maxTokens, message: []says{asSystem, plainly}}}, // some of the providers behind it are strict
	})
}
