package provider

import (
	"net/http"

	"point"
)

func init() {
	Register(&Kind{
		Name:    "zhipu",
		Title:   "Zhipu AI",
		Dialect: point.DialectOpenAI,
		BaseURL: "https://open.bigmodel.cn/api/paas/v4",
		EnvKeys: []string{"ZHIPUAI_API_KEY"},
		Probe:   "glm-4.7-flash",
		Service: zhipu{chats: chats{saying: saying{names: maxTokens, message: []says{asSystem}}}},
	})
}

type zhipu struct {
	chats
	floats
	images
}

// zhipuCodes are the numbers by which it tells errors, as OpenAI calls them.
var zhipuCodes = map[string]string{
	"1113": "insufficient_quota",
	"1211": "model_not_found",
	"1261": "context_length_exceeded",
}

// Failure reads errors whose codes are numbers and whose messages may be Chinese.
func (zhipu) Failure(status int, header http.Header, body []byte) *point.Error {
	c := openAIComplaint(body)
	if c != nil && zhipuCodes[c.code] != "" {
		c.code = zhipuCodes[c.code]
	}
	return failure(status, header, body, c)
}
