package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "vllm",
		Title:   "vLLM",
		Dialect: point.DialectOpenAI,
		BaseURL: "http://127.0.0.1:8000/v1",
		Keyless: true,
		Service: struct {
			chats
			completes
			embeds
			passes
		}{
			chats:  chats{saying: saying{message: []says{asSystem}}},
			passes: passes{point.PathTranscribe, point.PathTranslate, point.PathRerank},
		},
	})
}
