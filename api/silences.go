package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// Silence keeps matching alerts from being sent until it ends; they are recorded all the same.
type Silence struct {
	ID        string    `json:"id" format:"uuid"`
	Kind      string    `json:"kind" doc:"Glob of alert kinds; empty: any." example:"rule:*"`
	Subject   string    `json:"subject" doc:"Glob of subjects; empty: any." example:"openai-main"`
	RuleID    string    `json:"rule_id" doc:"Only alerts of this rule; empty: any."`
	Until     time.Time `json:"until" doc:"It ends by itself."`
	Active    bool      `json:"active" doc:"It has not ended yet."`
	Comment   string    `json:"comment"`
	CreatedBy string    `json:"created_by" doc:"Who made it."`
	Version   int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type silenceOutput struct {
	Tagged
	Body Silence
}

// PutSilence is the body that creates a silence or replaces what it says. Of kind, subject and
// rule_id one at least is given; all that are must match.
type PutSilence struct {
	Kind    string    `json:"kind,omitempty" maxLength:"255" doc:"Glob of alert kinds." example:"rule:*"`
	Subject string    `json:"subject,omitempty" maxLength:"255" doc:"Glob of subjects." example:"openai-main"`
	RuleID  string    `json:"rule_id,omitempty" maxLength:"64" doc:"Only alerts of this rule."`
	Until   time.Time `json:"until" doc:"When it ends, within a year."`
	Comment string    `json:"comment,omitempty" maxLength:"1000" example:"The provider announced work on its side."`
}

// apply makes x say what the body says, and finds what is wrong with it.
func (b *PutSilence) apply(ctx huma.Context, x *point.Silence) []error {
	var f faults
	a, _ := apiOf(ctx)
	x.Kind, x.Subject, x.RuleID, x.Until, x.Comment = b.Kind, b.Subject, b.RuleID, b.Until, b.Comment
	if _, ok := a.Store.Snapshot().AlertRules[b.RuleID]; !ok && b.RuleID != "" {
		f.add("body.rule_id", "There is no such rule.")
	}
	x.Check(a.Now(), f.at("body."))
	return f.errors()
}

type createSilenceInput struct {
	Repeatable
	Body PutSilence

	silence point.Silence
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *createSilenceInput) Resolve(ctx huma.Context) []error {
	return in.Body.apply(ctx, &in.silence)
}

type updateSilenceInput struct {
	ByID
	Precondition
	Body PutSilence

	silence *point.Silence // as it is to be, or why it cannot be changed
	err     error
}

// Resolve applies the body, so that its mistakes are listed beside those of its shape.
func (in *updateSilenceInput) Resolve(ctx huma.Context) []error {
	a, _ := apiOf(ctx)
	if in.silence, in.err = a.silence(ctx.Context(), in.ID, in.IfMatch); in.err != nil {
		return nil
	}
	return in.Body.apply(ctx, in.silence)
}

func (a *API) listSilences(ctx context.Context, _ *none) (*listOutput[Silence], error) {
	list, err := a.Store.ListSilences(ctx)
	if err != nil {
		return nil, err
	}
	return whole(list, a.shapeSilence), nil
}

func (a *API) getSilence(ctx context.Context, in *ByID) (*silenceOutput, error) {
	x, err := a.silence(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	return a.answerSilence(x), nil
}

func (a *API) createSilence(ctx context.Context, in *createSilenceInput) (*silenceOutput, error) {
	in.silence.CreatedBy = point.ActorOf(ctx).Name
	if err := a.Store.CreateSilence(ctx, &in.silence); err != nil {
		return nil, fromStore(err, "silence")
	}
	return a.answerSilence(&in.silence), nil
}

func (a *API) updateSilence(ctx context.Context, in *updateSilenceInput) (*silenceOutput, error) {
	if in.err != nil {
		return nil, in.err
	}
	if err := a.Store.UpdateSilence(ctx, in.silence); err != nil {
		return nil, fromStore(err, "silence")
	}
	return a.answerSilence(in.silence), nil
}

func (a *API) deleteSilence(ctx context.Context, in *deleteInput) (*empty, error) {
	x, err := a.silence(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = fromStore(a.Store.DeleteSilence(ctx, x.ID, x.Version), "silence")
	}
	return nil, err
}

// silence reads a silence, and refuses if it is not the one that ifMatch names.
func (a *API) silence(ctx context.Context, id, ifMatch string) (*point.Silence, error) {
	x, err := a.Store.GetSilence(ctx, id)
	if err != nil {
		return nil, fromStore(err, "silence")
	}
	return x, matches(ifMatch, x.Version, "silence")
}

func (a *API) answerSilence(x *point.Silence) *silenceOutput {
	return &silenceOutput{Tagged: tagOf(x.Version), Body: a.shapeSilence(x)}
}

func (a *API) shapeSilence(x *point.Silence) Silence {
	return Silence{
		ID: x.ID, Kind: x.Kind, Subject: x.Subject, RuleID: x.RuleID, Until: x.Until.UTC(), Active: a.Now().Before(x.Until),
		Comment: x.Comment, CreatedBy: x.CreatedBy, Version: x.Version, CreatedAt: x.CreatedAt.UTC(), UpdatedAt: x.UpdatedAt.UTC(),
	}
}
