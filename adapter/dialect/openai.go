package dialect

import (
	"encoding/json"

	"point"
)

// OpenAI is the dialect of chat and its neighbours, which is the inner vocabulary too.
var OpenAI Dialect = openAI{}

type openAI struct{}

func (openAI) Name() point.Dialect { return point.DialectOpenAI }

type openAIError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// Error is OpenAI's error object.
func (openAI) Error(e *point.Error) []byte {
	object := openAIError{Message: e.Message, Type: e.UpstreamType}
	if object.Type == "" {
		object.Type = e.Code.Type()
	}
	code := e.UpstreamCode
	if code == "" {
		code = string(e.Code)
	}
	object.Code = &code
	if e.Param != "" {
		object.Param = &e.Param
	}
	b, _ := json.Marshal(map[string]openAIError{"error": object}) // strings always marshal
	return b
}

func (d openAI) Event(e *point.Error) []byte {
	b := append([]byte("data: "), d.Error(e)...)
	return append(b, "\n\n"...)
}

func (openAI) Ping() []byte { return []byte(": ping\n\n") }
