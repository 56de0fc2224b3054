package mock

import (
	"net/http"
	"slices"
	"strings"
)

// model is one entry of a service's list.
type model struct {
	id      string
	title   string
	context int
	output  int
}

// The models that the services list.
var (
	openAIList = []model{
		{id: "gpt-4o-mini"}, {id: "gpt-4o"}, {id: "o4-mini"}, {id: "text-embedding-3-small"}, {id: "gpt-image-1"},
		{id: "gpt-4o-mini-tts"}, {id: "gpt-4o-mini-transcribe"}, {id: "omni-moderation-latest"},
	}
	anthropicList = []model{
		{id: "claude-sonnet-4-5", title: "Claude Sonnet 4.5"}, {id: "claude-haiku-4-5", title: "Claude Haiku 4.5"},
	}
	geminiList = []model{
		{"gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536},
		{"gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536},
		{"gemini-3-pro-preview", "Gemini 3 Pro Preview", 1_048_576, 65_536},
		{"gemini-embedding-001", "Gemini Embedding 001", 2048, 1},
	}
)

// modelsSince is when all listed models came to be, 2026-01-01, in Unix seconds.
const modelsSince = 1_767_225_600

// hasModel reports whether list has the model, or the model is a dated version of one.
func hasModel(list []model, id string) bool {
	return slices.ContainsFunc(list, func(m model) bool { return id == m.id || strings.HasPrefix(id, m.id+"-2") })
}

func openAIEntry(m model) object {
	return object{"id": m.id, "object": "model", "created": modelsSince, "owned_by": "system"}
}

func openAIModels(*request) *reply {
	data := []object{}
	for _, m := range openAIList {
		data = append(data, openAIEntry(m))
	}
	return document(object{"object": "list", "data": data})
}

func openAIModel(req *request) (*reply, *failure) {
	for _, m := range openAIList {
		if m.id == req.model {
			return document(openAIEntry(m)), nil
		}
	}
	return nil, noModel(req.model)
}

// noModel is how a service says that it lacks a model.
func noModel(name string) *failure {
	return &failure{status: http.StatusNotFound, kind: kindModel, param: "model", message: "The model '" + name + "' does not exist or you do not have access to it."}
}
