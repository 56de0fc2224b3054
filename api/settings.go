package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store/document"
)

// Settings are the settings of the live configuration.
type Settings struct {
	DefaultMapping   Mapping   `json:"default_mapping" doc:"What applies to endpoints without a mapping of their own."`
	DefaultKeyLimits KeyLimits `json:"default_key_limits" doc:"Limits of new client keys that name none."`
	Version          int64     `json:"version" doc:"Counts changes; the ETag." example:"1"`
}

type settingsOutput struct {
	Tagged
	Body Settings
}

// UpdateSettings is the body that changes settings; absent members stay as they are.
type UpdateSettings struct {
	DefaultMapping   MappingInput `json:"default_mapping,omitzero" doc:"Absent members of it take their defaults. null: the built-in one."`
	DefaultKeyLimits *KeyLimits   `json:"default_key_limits,omitempty" doc:"Replaces all of them."`
}

type updateSettingsInput struct {
	Precondition
	Body UpdateSettings

	mapping *point.Mapping
}

// Resolve reads the mapping, so that its mistakes are listed beside those of its shape.
func (in *updateSettingsInput) Resolve(ctx huma.Context) []error {
	var f faults
	if a, _ := apiOf(ctx); in.Body.DefaultMapping.given() && !in.Body.DefaultMapping.dropped() {
		in.mapping = readMapping(in.Body.DefaultMapping, a.Store.Snapshot(), "body.default_mapping", &f)
	}
	var x point.Settings
	if in.Body.DefaultKeyLimits != nil {
		x.DefaultKeyLimits = point.KeyLimits(*in.Body.DefaultKeyLimits)
	}
	document.CheckSettings(&x, f.at("body."))
	return f.errors()
}

func (a *API) getSettings(context.Context, *none) (*settingsOutput, error) {
	s := a.Store.Snapshot()
	return answerSettings(&s.Settings, s), nil
}

func (a *API) updateSettings(ctx context.Context, in *updateSettingsInput) (*settingsOutput, error) {
	x := a.Store.Snapshot().Settings
	if err := matches(in.IfMatch, x.Version, "setting"); err != nil {
		return nil, err
	}
	if in.Body.DefaultMapping.given() {
		x.DefaultMapping = in.mapping
	}
	if in.Body.DefaultKeyLimits != nil {
		x.DefaultKeyLimits = point.KeyLimits(*in.Body.DefaultKeyLimits)
	}
	if err := a.Store.UpdateSettings(ctx, &x); err != nil {
		return nil, fromStore(err, "setting")
	}
	return answerSettings(&x, a.Store.Snapshot()), nil
}

func answerSettings(x *point.Settings, s *point.Snapshot) *settingsOutput {
	mapping := point.DefaultMapping()
	if x.DefaultMapping != nil {
		mapping = *x.DefaultMapping
	}
	return &settingsOutput{Tagged: tagOf(x.Version), Body: Settings{
		DefaultMapping: shapeMapping(&mapping, s), DefaultKeyLimits: KeyLimits(x.DefaultKeyLimits), Version: x.Version,
	}}
}
