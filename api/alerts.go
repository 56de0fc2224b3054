package api

import (
	"context"
	"encoding/json"
	"time"

	"point"
	"point/store"
)

// Alert is a stored event that somebody should see.
type Alert struct {
	ID             string          `json:"id"`
	Kind           string          `json:"kind" doc:"rule: and the rule's name if a rule raised it." example:"unpriced_model"`
	Subject        string          `json:"subject" doc:"What it is about, such as a provider's name."`
	Severity       string          `json:"severity" enum:"info,warning,critical" example:"warning"`
	Message        string          `json:"message"`
	Detail         json.RawMessage `json:"detail,omitempty" doc:"What there is to know beyond the message; provider_id, key_id and request_id lead on."`
	Status         string          `json:"status" enum:"open,acknowledged,resolved"`
	RuleID         string          `json:"rule_id" doc:"Rule that raised it; empty: Point itself."`
	Count          int64           `json:"count" doc:"Times raised."`
	FirstAt        time.Time       `json:"first_at"`
	LastAt         time.Time       `json:"last_at"`
	SilenceID      string          `json:"silence_id" doc:"Silence that kept it from being sent; empty: none."`
	NotifiedAt     *time.Time      `json:"notified_at" doc:"When it was queued for notifiers; null: it was not."`
	AcknowledgedAt *time.Time      `json:"acknowledged_at"`
	AcknowledgedBy string          `json:"acknowledged_by"`
	ResolvedAt     *time.Time      `json:"resolved_at"`
	ResolvedBy     string          `json:"resolved_by" doc:"Who resolved it; empty: it ended by itself."`
}

type alertOutput struct{ Body Alert }

type listAlertsInput struct {
	Paging
	Status   string    `query:"status" enum:"open,acknowledged,resolved" doc:"Only those; acknowledged ones are open too."`
	Kind     string    `query:"kind" maxLength:"100" doc:"Only those of this kind." example:"unpriced_model"`
	Severity string    `query:"severity" enum:"info,warning,critical" doc:"Only those of this severity."`
	Subject  string    `query:"subject" maxLength:"255" doc:"Only those about this."`
	From     time.Time `query:"from" doc:"Last raised not before."`
	To       time.Time `query:"to" doc:"Last raised before."`
}

func (a *API) listAlerts(ctx context.Context, in *listAlertsInput) (*listOutput[Alert], error) {
	if err := checkSpan(in.From, in.To).err(); err != nil {
		return nil, err
	}
	list, err := a.Store.ListAlerts(ctx, store.AlertFilter{
		Status: in.Status, Kind: in.Kind, Severity: in.Severity, Subject: in.Subject, From: in.From, To: in.To, Page: in.page(),
	})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeAlert), nil
}

func (a *API) getAlert(ctx context.Context, in *ByID) (*alertOutput, error) {
	return answerAlert(a.Store.GetAlert(ctx, in.ID))
}

// acknowledgeAlert notes that the caller looks after an alert.
func (a *API) acknowledgeAlert(ctx context.Context, in *ByID) (*alertOutput, error) {
	return answerAlert(a.Store.AcknowledgeAlert(ctx, in.ID, point.ActorOf(ctx).Name))
}

// resolveAlert closes an alert. If what raised it goes on, it is raised anew.
func (a *API) resolveAlert(ctx context.Context, in *ByID) (*alertOutput, error) {
	return answerAlert(a.Store.ResolveAlert(ctx, in.ID, point.ActorOf(ctx).Name))
}

func answerAlert(x *point.Alert, err error) (*alertOutput, error) {
	if err != nil {
		return nil, fromStore(err, "alert")
	}
	return &alertOutput{Body: shapeAlert(x)}, nil
}

func shapeAlert(x *point.Alert) Alert {
	return Alert{
		ID: x.ID, Kind: x.Kind, Subject: x.Subject, Severity: x.Severity, Message: x.Message, Detail: x.Detail, Status: statusOf(x),
		RuleID: x.RuleID, Count: x.Count, FirstAt: x.FirstAt.UTC(), LastAt: x.LastAt.UTC(), SilenceID: x.SilenceID, NotifiedAt: utc(x.NotifiedAt),
		AcknowledgedAt: utc(x.AcknowledgedAt), AcknowledgedBy: x.AcknowledgedBy, ResolvedAt: utc(x.ResolvedAt), ResolvedBy: x.ResolvedBy,
	}
}

func statusOf(x *point.Alert) string {
	switch {
	case x.ResolvedAt != nil:
		return store.ResolvedAlert
	case x.AcknowledgedAt != nil:
		return store.AcknowledgedAlert
	}
	return store.OpenAlert
}
