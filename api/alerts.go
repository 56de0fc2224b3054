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
	ID         string          `json:"id"`
	Kind       string          `json:"kind" example:"unpriced_model"`
	Subject    string          `json:"subject" doc:"What it is about, such as a provider's name."`
	Severity   string          `json:"severity" example:"warning"`
	Message    string          `json:"message"`
	Detail     json.RawMessage `json:"detail,omitempty" doc:"What there is to know beyond the message."`
	Count      int64           `json:"count" doc:"Times raised."`
	FirstAt    time.Time       `json:"first_at"`
	LastAt     time.Time       `json:"last_at"`
	ResolvedAt *time.Time      `json:"resolved_at"`
}

type listAlertsInput struct {
	Paging
	Status string `query:"status" enum:"open,resolved" doc:"Only those."`
}

func (a *API) listAlerts(ctx context.Context, in *listAlertsInput) (*listOutput[Alert], error) {
	list, err := a.Store.ListAlerts(ctx, store.AlertFilter{Status: in.Status, Page: in.page()})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeAlert), nil
}

func shapeAlert(x *point.Alert) Alert {
	return Alert{
		ID: x.ID, Kind: x.Kind, Subject: x.Subject, Severity: x.Severity, Message: x.Message, Detail: x.Detail,
		Count: x.Count, FirstAt: x.FirstAt.UTC(), LastAt: x.LastAt.UTC(), ResolvedAt: utc(x.ResolvedAt),
	}
}
