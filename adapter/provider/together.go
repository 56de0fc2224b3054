package provider

import "point"

func init() {
	Register(&Kind{
		Name:    "together",
		Title:   "Together AI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.together.xyz/v1",
		EnvKeys: []string{"TOGETHER_API_KEY"},
		Probe:   "meta-llama/Llama-3.3-70B-Instruct-Turbo",
		Service: struct {
			chats
			completes
			floats
			images
			passes
		}{
			chats:  chats{saying: saying{names: maxTokens, message: []says{asSystem}}},
			passes: passes{point.PathSpeech, point.PathTranscribe, point.PathTranslate, point.PathRerank},
		},
	})
}
