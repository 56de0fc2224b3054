package api

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
	"point/store"
)

// Model is a model that can be asked for.
type Model struct {
	ID       string `json:"id" doc:"The name it has in /v1/models." example:"openai-main/gpt-4o-mini"`
	Provider string `json:"provider" doc:"Name of the provider; empty: any that has it."`
	Kind     string `json:"kind" enum:"chat,embedding,image,other"`
	ModelFacts
}

// ModelFacts are what is known of a model beside its price.
type ModelFacts struct {
	ContextWindow *int64   `json:"context_window" doc:"Tokens; null: unknown."`
	MaxOutput     *int64   `json:"max_output" doc:"Tokens; null: unknown."`
	Abilities     []string `json:"abilities" doc:"tools, vision (it takes images), reasoning, audio (it takes sound), pdf and structured_output, as far as is known." example:"[\"tools\"]"`
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
	facts := point.ModelFacts{ContextWindow: m.ContextWindow, MaxOutput: m.MaxOutput, Abilities: m.Abilities}
	return Model{ID: m.ID, Provider: m.Provider, Kind: m.Kind, ModelFacts: shapeFacts(facts)}
}

func shapeFacts(f point.ModelFacts) ModelFacts {
	return ModelFacts{ContextWindow: known(f.ContextWindow), MaxOutput: known(f.MaxOutput), Abilities: append([]string{}, f.Abilities...)}
}

// known is nil for a count that nobody knows.
func known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// KindModel is what a kind's model is, whoever serves it.
type KindModel struct {
	Kind   string `json:"kind" doc:"Of provider." example:"openai"`
	Model  string `json:"model" doc:"As the provider knows it." example:"gpt-4o-mini"`
	Source string `json:"source" enum:"embedded,override" doc:"override: an operator or an import says something of it; the embedded catalogue says the rest."`
	ModelFacts
	Version   int64      `json:"version" doc:"Of an override: counts its changes; the ETag." example:"1"`
	UpdatedAt *time.Time `json:"updated_at" doc:"Of an override."`
}

// PutModel is the body that says what a model is. What is absent or null is left to the embedded
// catalogue.
type PutModel struct {
	ContextWindow *int64    `json:"context_window,omitempty" nullable:"true" minimum:"1" maximum:"1000000000" doc:"Tokens." example:"128000"`
	MaxOutput     *int64    `json:"max_output,omitempty" nullable:"true" minimum:"1" maximum:"1000000000" doc:"Tokens." example:"16384"`
	Abilities     Abilities `json:"abilities,omitempty" nullable:"true" maxItems:"6" doc:"All that it has; an empty list: none." example:"[\"tools\",\"vision\"]"`
}

// Abilities are abilities of a model.
type Abilities []string

// TransformSchema lists those that there are.
func (Abilities) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Items = &huma.Schema{Type: huma.TypeString}
	for _, ability := range point.Abilities() {
		s.Items.Enum = append(s.Items.Enum, ability)
	}
	return s
}

type putModelInput struct {
	ByModel
	Precondition
	Body PutModel
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *putModelInput) Resolve(huma.Context) []error {
	var f faults
	in.override().Check(f.at("body."))
	return f.errors()
}

func (in *putModelInput) override() *point.ModelOverride {
	m := &point.ModelOverride{Kind: in.Kind, Model: in.Model, Facts: point.ModelFacts{Abilities: point.SortAbilities(in.Body.Abilities)}}
	if in.Body.ContextWindow != nil {
		m.Facts.ContextWindow = *in.Body.ContextWindow
	}
	if in.Body.MaxOutput != nil {
		m.Facts.MaxOutput = *in.Body.MaxOutput
	}
	return m
}

type modelOutput struct {
	Tagged
	Body KindModel
}

// getModel tells what is known of a kind's model.
func (a *API) getModel(ctx context.Context, in *ByModel) (*modelOutput, error) {
	m, err := a.Store.GetModel(ctx, in.Kind, in.Model)
	switch {
	case err == nil:
		return a.answerModel(m), nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	facts := a.Store.Snapshot().Facts(in.Kind, in.Model)
	if !facts.Known() {
		return nil, fromStore(store.ErrNotFound, "model that anything is known of")
	}
	return &modelOutput{Body: KindModel{Kind: in.Kind, Model: in.Model, Source: "embedded", ModelFacts: shapeFacts(facts)}}, nil
}

// putModel says what a model is from now on.
func (a *API) putModel(ctx context.Context, in *putModelInput) (*modelOutput, error) {
	if _, ok := provider.Lookup(in.Kind); !ok {
		var f faults
		f.add("path.kind", "There is no kind of provider %q. GET /api/provider-kinds lists them.", in.Kind)
		return nil, f.err()
	}
	m := in.override()
	old, err := a.Store.GetModel(ctx, in.Kind, in.Model)
	switch {
	case err == nil && in.IfMatch != "":
		if err := matches(in.IfMatch, old.Version, "model"); err != nil {
			return nil, err
		}
		m.Version = old.Version
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	case err != nil && in.IfMatch != "":
		return nil, fromStore(store.ErrStale, "model")
	}
	if err := a.Store.PutModel(ctx, m); err != nil {
		return nil, fromStore(err, "model")
	}
	return a.answerModel(m), nil
}

type deleteModelInput struct {
	ByModel
	Precondition
}

func (a *API) deleteModel(ctx context.Context, in *deleteModelInput) (*empty, error) {
	m, err := a.Store.GetModel(ctx, in.Kind, in.Model)
	if err != nil {
		return nil, fromStore(err, "model that an operator said something of")
	}
	if err := matches(in.IfMatch, m.Version, "model"); err != nil {
		return nil, err
	}
	return nil, fromStore(a.Store.DeleteModel(ctx, m.Kind, m.Model, m.Version), "model")
}

// answerModel tells what m says, and of the rest what is known.
func (a *API) answerModel(m *point.ModelOverride) *modelOutput {
	facts := m.Facts.Over(a.Store.Snapshot().Facts(m.Kind, m.Model))
	return &modelOutput{Tagged: tagOf(m.Version), Body: KindModel{
		Kind: m.Kind, Model: m.Model, Source: "override", ModelFacts: shapeFacts(facts), Version: m.Version, UpdatedAt: utc(&m.UpdatedAt),
	}}
}
