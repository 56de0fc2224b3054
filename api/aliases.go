package api

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// Alias is another name for a model.
type Alias struct {
	Name      string    `json:"name" example:"fast"`
	Target    string    `json:"target" doc:"A model, or provider/model." example:"openai-main/gpt-4o-mini"`
	ManagedBy string    `json:"managed_by" enum:"user,file,env,demo"`
	Version   int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type aliasOutput struct {
	Tagged
	Body Alias
}

type ByName struct {
	Name string `path:"name" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"Name."`
}

// PutAlias is the body that creates or changes an alias.
type PutAlias struct {
	Target string `json:"target" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"A model, or provider/model." example:"openai-main/gpt-4o-mini"`
}

// CreateAlias is the body that creates an alias.
type CreateAlias struct {
	Name   string `json:"name" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" example:"fast"`
	Target string `json:"target" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"A model, or provider/model." example:"openai-main/gpt-4o-mini"`
}

type createAliasInput struct {
	Repeatable
	Body CreateAlias
}

// Resolve finds what a schema cannot see.
func (in *createAliasInput) Resolve(huma.Context) []error {
	var f faults
	(&point.Alias{Name: in.Body.Name, Target: in.Body.Target}).Check(f.at("body."))
	return f.errors()
}

type putAliasInput struct {
	ByName
	Precondition
	Body PutAlias
}

// Resolve finds what a schema cannot see.
func (in *putAliasInput) Resolve(huma.Context) []error {
	var f faults
	(&point.Alias{Name: in.Name, Target: in.Body.Target}).Check(func(at, format string, args ...any) {
		if at == "name" {
			f.add("path.name", format, args...)
		} else {
			f.add("body."+at, format, args...)
		}
	})
	return f.errors()
}

type deleteAliasInput struct {
	ByName
	Precondition
	Forced
}

func (a *API) listAliases(ctx context.Context, _ *none) (*listOutput[Alias], error) {
	list, err := a.Store.ListAliases(ctx)
	if err != nil {
		return nil, err
	}
	return whole(list, shapeAlias), nil
}

func (a *API) getAlias(ctx context.Context, in *ByName) (*aliasOutput, error) {
	alias, err := a.Store.GetAlias(ctx, in.Name)
	if err != nil {
		return nil, fromStore(err, "alias")
	}
	return answerAlias(alias), nil
}

// createAlias creates an alias of a name that is not taken.
func (a *API) createAlias(ctx context.Context, in *createAliasInput) (*aliasOutput, error) {
	alias := &point.Alias{Name: in.Body.Name, Target: in.Body.Target}
	if err := a.Store.CreateAlias(ctx, alias); err != nil {
		return nil, fromStore(err, "alias")
	}
	return answerAlias(alias), nil
}

// putAlias creates an alias or gives it another target.
func (a *API) putAlias(ctx context.Context, in *putAliasInput) (*aliasOutput, error) {
	alias := &point.Alias{Name: in.Name, Target: in.Body.Target}
	old, err := a.changeableAlias(ctx, in.Name, in.IfMatch)
	switch {
	case err == nil:
		alias.ManagedBy = old.ManagedBy
		if in.IfMatch != "" {
			alias.Version = old.Version
		}
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	case in.IfMatch != "":
		return nil, fromStore(store.ErrStale, "alias")
	}
	if err := a.Store.PutAlias(ctx, alias); err != nil {
		return nil, fromStore(err, "alias")
	}
	return answerAlias(alias), nil
}

func (a *API) deleteAlias(ctx context.Context, in *deleteAliasInput) (*empty, error) {
	alias, err := a.changeableAlias(ctx, in.Name, in.IfMatch)
	if err == nil {
		err = in.refuseUsed("alias", usesOfAlias(a.Store.Snapshot(), in.Name))
	}
	if err == nil {
		err = a.Store.DeleteAlias(ctx, alias.Name, alias.Version)
	}
	return nil, fromStore(err, "alias")
}

// changeableAlias reads an alias that is to be changed; store.ErrNotFound if there is none.
func (a *API) changeableAlias(ctx context.Context, name, ifMatch string) (*point.Alias, error) {
	alias, err := a.Store.GetAlias(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := Locked(alias.ManagedBy, "alias"); err != nil {
		return nil, err
	}
	return alias, matches(ifMatch, alias.Version, "alias")
}

func answerAlias(x *point.Alias) *aliasOutput {
	return &aliasOutput{Tagged: tagOf(x.Version), Body: shapeAlias(x)}
}

func shapeAlias(x *point.Alias) Alias {
	return Alias{
		Name: x.Name, Target: x.Target, ManagedBy: managedBy(x.ManagedBy), Version: x.Version,
		CreatedAt: x.CreatedAt.UTC(), UpdatedAt: x.UpdatedAt.UTC(),
	}
}
