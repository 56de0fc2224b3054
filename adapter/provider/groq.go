package provider

import (
	"net/http"
	"strings"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "groq",
		Title:   "Groq",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://api.groq.com/openai/v1",
		EnvKeys: []string{"GROQ_API_KEY"},
		Probe:   "llama-3.1-8b-instant",
		Service: groq{
			chats{saying: saying{message: []says{asSystem, groqMessage}}},
			passes{point.PathSpeech, point.PathTranscribe, point.PathTranslate},
		},
	})
}

// groq refuses messages with members that it does not know.
type groq struct {
	chats
	passes
}

// Failure: a request that is larger than the account's tokens of a minute is a 413 there.
func (g groq) Failure(status int, header http.Header, body []byte) *point.Error {
	if c := openAIComplaint(body); status == http.StatusRequestEntityTooLarge && c != nil && c.code == "rate_limit_exceeded" {
		return failure(http.StatusTooManyRequests, header, body, c)
	}
	return g.chats.Failure(status, header, body)
}

// groqMessage gives reasoning back to the models that take it.
func groqMessage(in *sent, message value, list *edits) {
	if strings.Contains(in.model, "gpt-oss") || strings.Contains(in.model, "qwen3") {
		thinking(in, message, list)
		return
	}
	plainly(in, message, list)
}
