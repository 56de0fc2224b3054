package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"point"
	"point/store"
)

// AuditEntry is one row of the audit trail.
type AuditEntry struct {
	Seq        int64          `json:"seq" doc:"Counts from 1 without a gap." example:"42"`
	ID         string         `json:"id" format:"uuid"`
	At         time.Time      `json:"at"`
	Event      string         `json:"event" example:"provider.updated"`
	ActorKind  string         `json:"actor_kind" enum:"user,system,anonymous"`
	ActorID    string         `json:"actor_id" doc:"Of the user; empty: none."`
	ActorName  string         `json:"actor_name" doc:"The user's email address, or such as \"configuration file\"."`
	TokenID    string         `json:"token_id" doc:"Of the personal access token that was used; empty: none."`
	Address    string         `json:"address" doc:"Network address of the request; empty: none."`
	TargetKind string         `json:"target_kind" example:"provider"`
	TargetID   string         `json:"target_id"`
	TargetName string         `json:"target_name"`
	Result     string         `json:"result" enum:"ok,denied,failed"`
	Detail     map[string]any `json:"detail" doc:"What else there is to know, such as the names of the members that were changed. Never a secret."`
	PrevHash   string         `json:"prev_hash" doc:"SHA-256 of the row before, in hex; empty: this is the first."`
	Hash       string         `json:"hash" doc:"SHA-256 over the row and prev_hash, in hex."`
}

type listAuditInput struct {
	Paging
	Event  string    `query:"event" maxLength:"100" doc:"Only this event." example:"signin.failed"`
	Actor  string    `query:"actor" maxLength:"255" doc:"Id of a user, or an actor's name."`
	Target string    `query:"target" maxLength:"255" doc:"Id or name of what it was done to."`
	Result string    `query:"result" enum:"ok,denied,failed" doc:"Only these."`
	From   time.Time `query:"from" doc:"Not before."`
	To     time.Time `query:"to" doc:"Before."`
	Cursor string    `query:"cursor" maxLength:"512" doc:"cursor of the page before; takes the place of page."`
}

// AuditCheckpoint is a signed mark of how far the audit trail had come.
type AuditCheckpoint struct {
	Seq       int64     `json:"seq" doc:"Row that was the last one."`
	Hash      string    `json:"hash" doc:"Of that row, in hex."`
	At        time.Time `json:"at"`
	Signature string    `json:"signature" doc:"Ed25519, in hex: over the text \"point audit checkpoint 1\" and a line feed, seq and at (microseconds since 1970) as 8 bytes each in big endian, and hash."`
}

// AuditCheckpoints are checkpoints in their order, with the key that verifies them.
type AuditCheckpoints struct {
	Data []AuditCheckpoint `json:"data"`
	Key  string            `json:"key" doc:"Public Ed25519 key, in hex."`
}

type listCheckpointsInput struct {
	After int64 `query:"after" minimum:"0" maximum:"9007199254740991" doc:"Only those behind this row."`
	Limit int   `query:"limit" default:"50" minimum:"1" maximum:"500" doc:"At most so many."`
}

type checkpointsOutput struct{ Body AuditCheckpoints }

type verifyAuditInput struct {
	After int64 `query:"after" minimum:"0" maximum:"9007199254740991" doc:"Only the rows behind this one, which an earlier look ended with."`
	Limit int64 `query:"limit" default:"1000000" minimum:"1" maximum:"1000000" doc:"At most so many rows. After 20 seconds the look ends in any case; seq and complete tell how far it came."`
}

// verifyTime is how long one look at the audit trail may read.
const verifyTime = 20 * time.Second

// AuditReport is what a look at the audit trail found.
type AuditReport struct {
	OK          bool           `json:"ok" doc:"Of the rows that were looked at, nothing was edited, removed, added, moved or cut off."`
	After       int64          `json:"after" doc:"Row behind which the look began; 0: at the first."`
	Seq         int64          `json:"seq" doc:"Row that was looked at last. If the look is not complete, the next one goes on with it as after."`
	Complete    bool           `json:"complete" doc:"The look came to the end of the trail, and so saw whether the end was cut off."`
	Rows        int64          `json:"rows" doc:"How many were looked at."`
	Hash        string         `json:"hash" doc:"Of the last row, in hex."`
	Checkpoints int64          `json:"checkpoints" doc:"In the database."`
	Published   int64          `json:"published" doc:"In the data folder of the process that answers."`
	Findings    []AuditFinding `json:"findings" doc:"The first 50."`
}

// AuditFinding is one thing that is not as it was written.
type AuditFinding struct {
	Seq  int64  `json:"seq" doc:"Row of the audit trail."`
	What string `json:"what"`
}

type auditReportOutput struct{ Body AuditReport }

func (a *API) listAudit(ctx context.Context, in *listAuditInput) (*listOutput[AuditEntry], error) {
	f := checkSpan(in.From, in.To)
	f.oneOfThese("event", in.Event, auditEvents())
	if err := f.err(); err != nil {
		return nil, err
	}
	list, err := a.Store.ListAudit(ctx, store.AuditFilter{
		Event: in.Event, Actor: in.Actor, Target: in.Target, Result: in.Result, From: in.From, To: in.To, Page: in.page(), Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeAudit), nil
}

func shapeAudit(e *point.AuditEntry) AuditEntry {
	out := AuditEntry{
		Seq: e.Seq, ID: e.ID, At: e.At.UTC(), Event: e.Event,
		ActorKind: e.Actor.Kind, ActorID: e.Actor.ID, ActorName: e.Actor.Name, TokenID: e.Actor.TokenID, Address: e.Actor.Address,
		TargetKind: e.TargetKind, TargetID: e.TargetID, TargetName: e.TargetName, Result: e.Result, Detail: map[string]any{},
		PrevHash: hex.EncodeToString(e.PrevHash), Hash: hex.EncodeToString(e.Hash),
	}
	_ = json.Unmarshal(e.Detail, &out.Detail) // what is no object is left out
	return out
}

func (a *API) listCheckpoints(ctx context.Context, in *listCheckpointsInput) (*checkpointsOutput, error) {
	list, err := a.Store.ListCheckpoints(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := AuditCheckpoints{Data: []AuditCheckpoint{}, Key: hex.EncodeToString(a.Store.AuditKey())}
	for _, c := range list {
		out.Data = append(out.Data, AuditCheckpoint{Seq: c.Seq, Hash: hex.EncodeToString(c.Hash), At: c.At.UTC(), Signature: hex.EncodeToString(c.Signature)})
	}
	return &checkpointsOutput{out}, nil
}

func (a *API) verifyAudit(ctx context.Context, in *verifyAuditInput) (*auditReportOutput, error) {
	report, err := a.Store.VerifyAuditPart(ctx, store.AuditPart{After: in.After, Rows: in.Limit, Time: verifyTime})
	if err != nil {
		return nil, err
	}
	out := AuditReport{
		OK: len(report.Findings) == 0, After: report.After, Seq: report.Seq, Complete: report.Complete, Rows: report.Rows, Hash: hex.EncodeToString(report.Hash),
		Checkpoints: report.Checkpoints, Published: report.Published, Findings: []AuditFinding{},
	}
	for _, f := range report.Findings {
		out.Findings = append(out.Findings, AuditFinding(f))
	}
	return &auditReportOutput{out}, nil
}

// audit adds to the audit trail what is no change of a row. That it cannot be written keeps
// nobody from anything: it is logged.
func (a *API) audit(ctx context.Context, e point.AuditEntry) {
	if err := a.Store.Audit(context.WithoutCancel(ctx), e); err != nil {
		a.Log.ErrorContext(ctx, "api: the audit trail could not be written", "event", e.Event, "result", e.Result, "actor", e.Actor.Name, "error", err)
	}
}

// auditUser is audit of what somebody did to themselves, or tried to.
func (a *API) auditUser(ctx context.Context, event, result string, u *point.User) {
	actor := point.ActorOf(ctx)
	if result == point.AuditOK {
		actor.Kind, actor.ID, actor.Name = point.ActorUser, u.ID, u.Email
	}
	a.audit(ctx, point.AuditEntry{Event: event, Result: result, Actor: actor, TargetKind: point.EntityUser, TargetID: u.ID, TargetName: u.Email})
}

// auditTest is audit of a real call that was made to try something.
func (a *API) auditTest(ctx context.Context, event, kind, id, name string, ok bool) {
	e := point.AuditEntry{Event: event, TargetKind: kind, TargetID: id, TargetName: name}
	e.Detail, _ = json.Marshal(map[string]bool{"answered": ok}) // always can be written
	a.audit(ctx, e)
}

// What is a burst of refusals.
const (
	denialBurst  = 20
	denialWindow = time.Minute
)

// denials counts the refusals of each user.
type denials struct {
	mu    sync.Mutex
	since time.Time
	count map[string]int
}

// add reports whether a refusal makes a burst of those before it.
func (d *denials) add(user string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil || now.Sub(d.since) >= denialWindow {
		d.since, d.count = now, map[string]int{}
	}
	d.count[user]++
	return d.count[user] == denialBurst
}

// denied notes that something was refused to an actor for want of permissions, which are named
// with spaces between.
func (a *API) denied(ctx context.Context, actor point.Actor, kind, name, permissions string) {
	e := point.AuditEntry{Event: point.AuditDeniedAccess, Result: point.AuditDenied, Actor: actor, TargetKind: kind, TargetName: name}
	e.Detail, _ = json.Marshal(map[string]string{"permission": permissions}) // always can be written
	a.audit(ctx, e)
	if a.denials.add(actor.ID, a.Now()) {
		a.Alerts.Raise(AlertDenials, actor.Name, fmt.Sprintf("%d requests within a minute were refused for want of a permission. Look into the audit trail what was tried.", denialBurst))
	}
}
