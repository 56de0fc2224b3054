package api

import (
	"context"
	"encoding/json"
	"time"

	"point"
	"point/store"
)

// LogEntry is one entry of the system log.
type LogEntry struct {
	ID        string         `json:"id"`
	Timestamp time.Time      `json:"timestamp"`
	Level     string         `json:"level" enum:"debug,info,warn,error"`
	Component string         `json:"component" example:"gateway"`
	Message   string         `json:"message"`
	Context   map[string]any `json:"context,omitempty"`
}

type listLogsInput struct {
	Paging
	Level     string    `query:"level" enum:"debug,info,warn,error" doc:"Only this level."`
	Component string    `query:"component" maxLength:"100" doc:"Only this component."`
	From      time.Time `query:"from" doc:"Not before."`
	To        time.Time `query:"to" doc:"Before."`
	Search    string    `query:"search" minLength:"3" maxLength:"200" doc:"Text in the message."`
	Cursor    string    `query:"cursor" maxLength:"512" doc:"cursor of the page before; takes the place of page."`
}

func (a *API) listLogs(ctx context.Context, in *listLogsInput) (*listOutput[LogEntry], error) {
	if err := checkSpan(in.From, in.To).err(); err != nil {
		return nil, err
	}
	list, err := a.Store.ListLogs(ctx, store.LogFilter{
		Level: in.Level, Component: in.Component, From: in.From, To: in.To, Search: in.Search, Page: in.page(), Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, shapeLog), nil
}

func shapeLog(x *point.LogEntry) LogEntry {
	out := LogEntry{ID: x.ID, Timestamp: x.Timestamp.UTC(), Level: x.Level, Component: x.Component, Message: x.Message}
	_ = json.Unmarshal(x.Context, &out.Context) // what is no object is left out
	return out
}
