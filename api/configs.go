package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
	"point/store/document"
)

// Configuration is a saved configuration, in a list without its document.
type Configuration struct {
	ID          string    `json:"id" format:"uuid"`
	Name        string    `json:"name" example:"evening"`
	Description string    `json:"description"`
	IsDefault   bool      `json:"is_default" doc:"It is activated on an installation on which nothing is configured. At most one is."`
	CreatedBy   string    `json:"created_by" doc:"Who saved it." example:"ada@example.com"`
	Version     int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// FullConfiguration is a saved configuration with its document.
type FullConfiguration struct {
	Configuration
	Config ConfigDocument `json:"config"`
}

type configOutput struct {
	Tagged
	Body FullConfiguration
}

type listConfigsInput struct{ Paging }

// SaveConfig is the body that saves what is live.
type SaveConfig struct {
	Name        string `json:"name" minLength:"1" maxLength:"255" pattern:"^[^\\x00-\\x1f\\x7f]+$" patternDescription:"no control characters" doc:"Unique." example:"evening"`
	Description string `json:"description,omitempty" maxLength:"2000"`
	IsDefault   bool   `json:"is_default,omitempty" doc:"Activate it on an installation on which nothing is configured."`
}

type saveConfigInput struct {
	Repeatable
	Body SaveConfig
}

// UpdateConfig is the body that changes a saved configuration; absent members stay as they are.
type UpdateConfig struct {
	Name        string        `json:"name,omitempty" minLength:"1" maxLength:"255" pattern:"^[^\\x00-\\x1f\\x7f]+$" patternDescription:"no control characters" example:"evening"`
	Description *string       `json:"description,omitempty" maxLength:"2000"`
	IsDefault   *bool         `json:"is_default,omitempty"`
	Config      DocumentInput `json:"config,omitzero" doc:"Replaces the document. It holds no secrets."`
}

type updateConfigInput struct {
	ByID
	Precondition
	Body UpdateConfig

	document *document.Imported // of the body, nil for none
}

// Resolve reads the document, so that all its mistakes are listed.
func (in *updateConfigInput) Resolve(huma.Context) []error {
	var f faults
	in.document = in.Body.Config.read("body.config", &f)
	return f.errors()
}

func (a *API) listConfigs(ctx context.Context, in *listConfigsInput) (*listOutput[Configuration], error) {
	list, err := a.Store.ListConfigurations(ctx, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeConfiguration), nil
}

func (a *API) getConfig(ctx context.Context, in *ByID) (*configOutput, error) {
	c, err := a.Store.GetConfiguration(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "configuration")
	}
	return answerConfig(c), nil
}

// saveConfig saves what is live.
func (a *API) saveConfig(ctx context.Context, in *saveConfigInput) (*configOutput, error) {
	d, err := document.Live(ctx, a.Store)
	if err != nil {
		return nil, fromDocument(err, "")
	}
	c := &point.Configuration{Name: in.Body.Name, Description: in.Body.Description, IsDefault: in.Body.IsDefault}
	if c.Document, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("write a configuration: %w", err)
	}
	if c.IsDefault {
		if err := a.mayBeDefault(ctx, d); err != nil {
			return nil, err
		}
	}
	if err := a.Store.CreateConfiguration(ctx, c); err != nil {
		return nil, fromStore(err, "configuration")
	}
	return answerConfig(c), nil
}

func (a *API) updateConfig(ctx context.Context, in *updateConfigInput) (*configOutput, error) {
	c, err := a.changeableConfig(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != "" {
		c.Name = in.Body.Name
	}
	if in.Body.Description != nil {
		c.Description = *in.Body.Description
	}
	changed := in.document != nil
	if in.Body.IsDefault != nil {
		changed = changed || !c.IsDefault
		c.IsDefault = *in.Body.IsDefault
	}
	if in.document != nil {
		if err := document.Number(ctx, a.Store, &in.document.Document); err != nil {
			return nil, err
		}
		if c.Document, err = json.Marshal(in.document.Document); err != nil {
			return nil, fmt.Errorf("write a configuration: %w", err)
		}
	}
	if c.IsDefault && changed {
		d, err := documentOf(c)
		if err == nil {
			err = a.mayBeDefault(ctx, d)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := a.Store.UpdateConfiguration(ctx, c); err != nil {
		return nil, fromStore(err, "configuration")
	}
	return answerConfig(c), nil
}

func (a *API) deleteConfig(ctx context.Context, in *deleteInput) (*empty, error) {
	c, err := a.changeableConfig(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = fromStore(a.Store.DeleteConfiguration(ctx, c.ID, c.Version), "configuration")
	}
	return nil, err
}

func (a *API) changeableConfig(ctx context.Context, id, ifMatch string) (*point.Configuration, error) {
	c, err := a.Store.GetConfiguration(ctx, id)
	if err != nil {
		return nil, fromStore(err, "configuration")
	}
	return c, matches(ifMatch, c.Version, "configuration")
}

func shapeConfiguration(c *point.Configuration) Configuration {
	return Configuration{
		ID: c.ID, Name: c.Name, Description: c.Description, IsDefault: c.IsDefault, CreatedBy: c.CreatedBy,
		Version: c.Version, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

func answerConfig(c *point.Configuration) *configOutput {
	return &configOutput{Tagged: tagOf(c.Version), Body: FullConfiguration{shapeConfiguration(c), ConfigDocument{c.Document}}}
}

// Activate is the body that activates a saved configuration, or goes back to a revision.
type Activate struct {
	DryRun bool `json:"dry_run,omitempty" doc:"Tell what would change, and change nothing."`
}

type activateInput struct {
	ByID
	Reasoned
	Body *Activate `required:"false"`
}

// Activation is what an activation changed, or would.
type Activation struct {
	Version  int64        `json:"version" doc:"The newest revision, which is live: after the change, or now if there was none; 0: there is none yet." example:"42"`
	DryRun   bool         `json:"dry_run"`
	Changes  []Difference `json:"changes" doc:"What changed."`
	Findings []Finding    `json:"findings" doc:"What to know, and what was left out."`
}

// Difference is one place where two configurations differ.
type Difference struct {
	Entity string `json:"entity" example:"alias"`
	Name   string `json:"name" doc:"Name of the object." example:"fast"`
	Action string `json:"action" enum:"create,update,delete"`
	Path   string `json:"path" doc:"Member within the object; empty: the whole object." example:"target"`
	Before any    `json:"before" doc:"null: there was none."`
	After  any    `json:"after" doc:"null: there is none."`
}

// Finding is something that people should know of a change that goes on all the same.
type Finding struct {
	Path    string `json:"path" doc:"Where in the document." example:"providers[0].secrets"`
	Name    string `json:"name" doc:"Name of the object." example:"openai-main"`
	Message string `json:"message"`
}

type activationOutput struct{ Body Activation }

// activateConfig makes a saved configuration live, whole or not at all.
func (a *API) activateConfig(ctx context.Context, in *activateInput) (*activationOutput, error) {
	c, d, err := a.savedDocument(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	rules := a.rules(ctx)
	if in.Body != nil && in.Body.DryRun {
		plan, err := document.Make(ctx, a.Store, d, rules)
		return a.activation(ctx, plan, true, err)
	}
	plan, err := document.Activate(ctx, a.Store, d, rules, point.RevisionActivate, c.Name)
	return a.activation(ctx, plan, false, err)
}

// activation answers with a plan, or with why there is none.
func (a *API) activation(ctx context.Context, plan *document.Plan, dry bool, err error) (*activationOutput, error) {
	if err != nil {
		return nil, fromDocument(err, "")
	}
	version, err := a.Store.LastRevision(ctx)
	if err != nil {
		return nil, err
	}
	out := Activation{Version: version, DryRun: dry, Changes: shapeDifferences(plan.Changes), Findings: shapeFindings(plan.Findings)}
	return &activationOutput{out}, nil
}

// fromDocument turns the mistakes of a document into an answer; place is where in the request it
// stands, empty if it does not.
func fromDocument(err error, place string) error {
	var mistakes document.Mistakes
	var refused *Problem
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &mistakes):
		detail := "This configuration cannot become live as it is. Mend what is listed in errors."
		if place != "" {
			detail = invalidFields
		}
		var f faults
		take := f.at(place)
		for _, m := range mistakes {
			take(m.Path, "%s", m.What)
		}
		return f.problem(detail)
	case errors.Is(err, store.ErrStale):
		return retryAfter(http.StatusServiceUnavailable, time.Second, "The configuration changes all the time at this moment. Try again.")
	}
	return fromStore(err, "configuration")
}

// savedDocument reads a saved configuration and its document.
func (a *API) savedDocument(ctx context.Context, id string) (*point.Configuration, *point.Document, error) {
	c, err := a.Store.GetConfiguration(ctx, id)
	if err != nil {
		return nil, nil, fromStore(err, "configuration")
	}
	d, err := documentOf(c)
	return c, d, err
}

func documentOf(c *point.Configuration) (*point.Document, error) {
	d := &point.Document{}
	if err := json.Unmarshal(c.Document, d); err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", c.Name, err)
	}
	return d, nil
}

type diffConfigInput struct {
	ByID
	With string `query:"with" default:"live" minLength:"1" maxLength:"255" doc:"live, or id of another saved configuration."`
}

// diffConfig lists what it takes to get from another configuration to this one.
func (a *API) diffConfig(ctx context.Context, in *diffConfigInput) (*listOutput[Difference], error) {
	_, after, err := a.savedDocument(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var before *point.Document
	if in.With == "live" {
		before, err = document.Live(ctx, a.Store)
	} else {
		_, before, err = a.savedDocument(ctx, in.With)
	}
	if err != nil {
		return nil, fromDocument(err, "")
	}
	return whole(document.Diff(before, after), shapeDifference), nil
}

func shapeDifference(d *document.Difference) Difference {
	return Difference{d.Entity, d.Name, d.Action, d.Path, orNull(d.Before), orNull(d.After)}
}

// orNull is raw, or null where there is none.
func orNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

func shapeDifferences(list []document.Difference) []Difference {
	out := make([]Difference, len(list))
	for i := range list {
		out[i] = shapeDifference(&list[i])
	}
	return out
}

func shapeFindings(list []document.Finding) []Finding {
	out := make([]Finding, len(list))
	for i, f := range list {
		out[i] = Finding(f)
	}
	return out
}
