package api

import (
	"context"

	"point"
)

// Model is a model that can be asked for.
type Model struct {
	ID            string   `json:"id" doc:"The name it has in /v1/models." example:"openai-main/gpt-4o-mini"`
	Provider      string   `json:"provider" doc:"Name of the provider; empty: any that has it."`
	Kind          string   `json:"kind" enum:"chat,embedding,image,other"`
	ContextWindow *int64   `json:"context_window" doc:"Tokens; null: unknown."`
	MaxOutput     *int64   `json:"max_output" doc:"Tokens; null: unknown."`
	Abilities     []string `json:"abilities" example:"[\"tools\"]"`
}

func (a *API) listModels(ctx context.Context, _ *none) (*listOutput[Model], error) {
	if a.Models == nil {
		return nil, notHere("the gateway")
	}
	list, err := a.Models.Models(ctx)
	if err != nil {
		return nil, fromPoint(err)
	}
	return whole(list, shapeModel), nil
}

func shapeModel(m *point.ModelInfo) Model {
	return Model{
		ID: m.ID, Provider: m.Provider, Kind: m.Kind, ContextWindow: known(m.ContextWindow), MaxOutput: known(m.MaxOutput),
		Abilities: append([]string{}, m.Abilities...),
	}
}

// known is nil for a count that nobody knows.
func known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
