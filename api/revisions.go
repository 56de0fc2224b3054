package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"point"
	"point/store"
	"point/store/document"
)

// Revision is one version of the live configuration.
type Revision struct {
	Version int64     `json:"version" doc:"Its number. Numbers grow, and some are left out: other changes, such as a user's, count too and are no revisions." example:"42"`
	At      time.Time `json:"at"`
	Actor   Actor     `json:"actor" doc:"Who made the change."`
	Reason  string    `json:"reason" doc:"Why, in the actor's words."`
	Action  string    `json:"action" enum:"change,activate,rollback,declare" doc:"change: of single objects; activate: of a saved configuration; declare: what the configuration file says."`
	Subject string    `json:"subject" doc:"Name of the configuration, or version that was gone back to." example:"evening"`
	Summary string    `json:"summary" example:"alias fast updated"`
	Changes int       `json:"changes" doc:"How many objects changed."`
}

// Actor is who made a change.
type Actor struct {
	Kind    string `json:"kind" enum:"user,system"`
	ID      string `json:"id" doc:"Of the user; empty for the system."`
	Name    string `json:"name" example:"ada@example.com"`
	TokenID string `json:"token_id" doc:"Of the personal access token that was used; empty for none."`
	Address string `json:"address" doc:"Network address; empty for none."`
}

// FullRevision is a revision with its changes.
type FullRevision struct {
	Revision
	Objects []ChangedObject `json:"objects" doc:"What became of each object."`
}

// ChangedObject is what became of one object.
type ChangedObject struct {
	Entity      string       `json:"entity" example:"provider"`
	ID          string       `json:"id"`
	Name        string       `json:"name" example:"openai-main"`
	Action      string       `json:"action" enum:"create,update,delete"`
	Differences []Difference `json:"differences" doc:"Its members that changed. Providers in a mapping are shown by their ids."`
}

type revisionOutput struct{ Body FullRevision }

type listRevisionsInput struct {
	Paging
	Actor  string    `query:"actor" maxLength:"320" doc:"Only those of this user: id or email address; or of another actor: its name."`
	Entity string    `query:"entity" enum:"provider,endpoint,alias,key,setting,alert_rule" doc:"Only those that changed one of these."`
	From   time.Time `query:"from" doc:"Only those from here on."`
	To     time.Time `query:"to" doc:"Only those before this."`
}

// ByVersion is the input of a route about one revision.
type ByVersion struct {
	Version int64 `path:"version" minimum:"1" maximum:"9007199254740991" doc:"Of a revision, as their list gives it."`
}

func (a *API) listRevisions(ctx context.Context, in *listRevisionsInput) (*listOutput[Revision], error) {
	list, err := a.Store.ListRevisions(ctx, store.RevisionFilter{Actor: in.Actor, Entity: in.Entity, From: in.From, To: in.To, Page: in.page()})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeRevision), nil
}

func (a *API) getRevision(ctx context.Context, in *ByVersion) (*revisionOutput, error) {
	r, changes, err := a.Store.GetRevision(ctx, in.Version)
	if err != nil {
		return nil, noRevision(err)
	}
	out := FullRevision{Revision: shapeRevision(r), Objects: make([]ChangedObject, len(changes))}
	for i := range changes {
		c := &changes[i]
		out.Objects[i] = ChangedObject{c.Entity, c.ID, c.Name(), c.Action, shapeDifferences(document.Compare(*c))}
	}
	return &revisionOutput{out}, nil
}

// noRevision answers for a revision that cannot be read, or is not there.
func noRevision(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem(http.StatusNotFound, "There is no such revision: not every version is one, and old ones are deleted. GET /api/revisions lists those there are.")
	}
	return fromStore(err, "revision")
}

type diffRevisionInput struct{ ByVersion }

// RevisionDiff is what going back to a revision would change.
type RevisionDiff struct {
	Version int64        `json:"version" doc:"The newest revision, which is live; 0: there is none yet." example:"42"`
	Changes []Difference `json:"changes"`
}

type revisionDiffOutput struct{ Body RevisionDiff }

// diffRevision lists what going back to a revision would change.
func (a *API) diffRevision(ctx context.Context, in *diffRevisionInput) (*revisionDiffOutput, error) {
	after, err := document.At(ctx, a.Store, in.Version)
	if err != nil {
		return nil, fromStore(err, "revision")
	}
	before, err := document.Live(ctx, a.Store)
	if err != nil {
		return nil, fromDocument(err, "")
	}
	version, err := a.Store.LastRevision(ctx)
	if err != nil {
		return nil, err
	}
	return &revisionDiffOutput{RevisionDiff{version, shapeDifferences(document.Diff(before, after))}}, nil
}

// Rollback is the body that goes back to a revision.
type Rollback struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why; in place of the header X-Point-Reason."`
	DryRun bool   `json:"dry_run,omitempty" doc:"Tell what would change, and change nothing."`
}

type rollbackInput struct {
	ByVersion
	Reasoned
	Body *Rollback `required:"false"`
}

// rollBack makes live what was live after a revision. That is a new revision.
func (a *API) rollBack(ctx context.Context, in *rollbackInput) (*activationOutput, error) {
	if _, _, err := a.Store.GetRevision(ctx, in.Version); err != nil {
		return nil, noRevision(err)
	}
	rules := a.rules(ctx)
	rules.Lenient = true
	if in.Body != nil && in.Body.DryRun {
		d, err := document.At(ctx, a.Store, in.Version)
		if err != nil {
			return nil, fromStore(err, "revision")
		}
		plan, err := document.Make(ctx, a.Store, d, rules)
		return a.activation(ctx, plan, true, err)
	}
	if in.Body != nil && in.Body.Reason != "" {
		actor := point.ActorOf(ctx)
		actor.Reason = in.Body.Reason
		ctx = point.WithActor(ctx, actor)
	}
	plan, err := document.Rollback(ctx, a.Store, in.Version, rules)
	return a.activation(ctx, plan, false, err)
}

func shapeRevision(r *point.Revision) Revision {
	return Revision{
		Version: r.Version, At: r.At.UTC(), Actor: Actor{r.Actor.Kind, r.Actor.ID, r.Actor.Name, r.Actor.TokenID, r.Actor.Address}, Reason: r.Actor.Reason,
		Action: r.Action, Subject: r.Subject, Summary: r.Summary, Changes: r.Changes,
	}
}
