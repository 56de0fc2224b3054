package api

import (
	"cmp"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// AlertRule raises an alert while what it measures is at its threshold or above.
type AlertRule struct {
	ID          string    `json:"id" format:"uuid"`
	Name        string    `json:"name" example:"Errors of a provider"`
	Enabled     bool      `json:"enabled"`
	Kind        string    `json:"kind" doc:"What is measured." example:"error_rate"`
	Scope       RuleScope `json:"scope"`
	Threshold   float64   `json:"threshold" doc:"At this, or above, the alert is raised." example:"25"`
	Unit        string    `json:"unit" doc:"Of the threshold." example:"%"`
	WindowMS    int64     `json:"window_ms" example:"300000"`
	MinRequests int64     `json:"min_requests" example:"20"`
	Severity    string    `json:"severity" enum:"info,warning,critical" example:"warning"`
	CooldownMS  int64     `json:"cooldown_ms" example:"1800000"`
	ManagedBy   string    `json:"managed_by" enum:"user,file,default" doc:"default: made with the installation."`
	Version     int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// RuleScope narrows what a rule of requests measures; absent members match all.
type RuleScope struct {
	Provider string `json:"provider,omitempty" maxLength:"64" doc:"Id or name; answers show the name."`
	Endpoint string `json:"endpoint,omitempty" maxLength:"255" doc:"Path."`
	Model    string `json:"model,omitempty" maxLength:"255" doc:"As asked."`
	KeyID    string `json:"key_id,omitempty" maxLength:"64" doc:"Client key. It goes with none of the others: figures by the minute are not kept that finely."`
	Each     string `json:"each,omitempty" enum:"provider,endpoint,model,key" doc:"Measure each of them by itself."`
}

type alertRuleOutput struct {
	Tagged
	Body AlertRule
}

// CreateAlertRule is the body that creates an alert rule.
type CreateAlertRule struct {
	Name        string     `json:"name" minLength:"1" maxLength:"80" example:"Errors of a provider"`
	Enabled     *bool      `json:"enabled,omitempty" default:"true"`
	Kind        string     `json:"kind" enum:"error_rate,refusal_rate,latency_p95,ttft_p95,cost,requests,spend_anomaly,provider_down,secret_age,memory,disk" doc:"What is measured, which tells the threshold's unit: error_rate percent that failed by a provider or by Point (server errors, timeouts, limits of providers), of the requests that were not refused; refusal_rate percent that were refused for a mistake of the caller or a limit of Point; latency_p95 and ttft_p95 ms; cost USD in the window; requests in the window; spend_anomaly a key's spend as a multiple of that of as long on the 7 days before; provider_down none; secret_age days; memory and disk percent." example:"error_rate"`
	Scope       *RuleScope `json:"scope,omitempty"`
	Threshold   float64    `json:"threshold,omitempty" minimum:"0" maximum:"1000000000000" example:"25"`
	WindowMS    int64      `json:"window_ms,omitempty" minimum:"60000" maximum:"604800000" default:"300000" doc:"How far back is looked, in ms; by the minute up to a day."`
	MinRequests int64      `json:"min_requests,omitempty" minimum:"0" maximum:"1000000000" doc:"Fewer requests in the window say nothing." example:"20"`
	Severity    string     `json:"severity,omitempty" enum:"info,warning,critical" default:"warning"`
	CooldownMS  *int64     `json:"cooldown_ms,omitempty" minimum:"0" maximum:"2592000000" default:"1800000" doc:"The same subject is not sent again within so many ms. Alerts are recorded all the same."`
}

type createAlertRuleInput struct {
	Repeatable
	Body CreateAlertRule

	rule point.AlertRule
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *createAlertRuleInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, _ := apiOf(ctx)
	b := &in.Body
	in.rule = point.AlertRule{
		Name: b.Name, Enabled: true, Kind: b.Kind, Threshold: b.Threshold, WindowMS: cmp.Or(b.WindowMS, point.RuleWindowMS), MinRequests: b.MinRequests,
		Severity: cmp.Or(b.Severity, point.SeverityWarning), CooldownMS: point.RuleCooldownMS,
	}
	setIf(&in.rule.Enabled, b.Enabled)
	setIf(&in.rule.CooldownMS, b.CooldownMS)
	a.checkRule(&in.rule, b.Scope, &f)
	return f.errors()
}

// checkRule takes over a scope, if one is given, and finds what is wrong with r.
func (a *API) checkRule(r *point.AlertRule, scope *RuleScope, f *faults) {
	if scope != nil {
		r.Scope = point.RuleScope(*scope)
		if p, ok := a.Store.Snapshot().Provider(scope.Provider); ok {
			r.Scope.Provider = p.ID
		} else if scope.Provider != "" {
			f.add("body.scope.provider", "There is no such provider.")
		}
		if _, ok := keyNames(a.Store.Snapshot())[scope.KeyID]; !ok && scope.KeyID != "" {
			f.add("body.scope.key_id", "There is no such key.")
		}
	}
	r.Check(f.at("body."))
}

// UpdateAlertRule is the body that changes an alert rule; absent members stay as they are.
type UpdateAlertRule struct {
	Name        string     `json:"name,omitempty" minLength:"1" maxLength:"80" example:"Errors of a provider"`
	Enabled     *bool      `json:"enabled,omitempty"`
	Kind        string     `json:"kind,omitempty" enum:"error_rate,refusal_rate,latency_p95,ttft_p95,cost,requests,spend_anomaly,provider_down,secret_age,memory,disk"`
	Scope       *RuleScope `json:"scope,omitempty" doc:"Replaces the scope."`
	Threshold   *float64   `json:"threshold,omitempty" minimum:"0" maximum:"1000000000000" example:"25"`
	WindowMS    *int64     `json:"window_ms,omitempty" minimum:"60000" maximum:"604800000" example:"300000"`
	MinRequests *int64     `json:"min_requests,omitempty" minimum:"0" maximum:"1000000000" example:"20"`
	Severity    string     `json:"severity,omitempty" enum:"info,warning,critical"`
	CooldownMS  *int64     `json:"cooldown_ms,omitempty" minimum:"0" maximum:"2592000000" example:"1800000"`
}

type updateAlertRuleInput struct {
	ByID
	Precondition
	Body UpdateAlertRule

	rule *point.AlertRule // as it is to be, or why it cannot be changed
	err  error
}

// Resolve applies the body, so that its mistakes are listed beside those of its shape.
func (in *updateAlertRuleInput) Resolve(ctx huma.Context) []error {
	a, _ := apiOf(ctx)
	if in.rule, in.err = a.changeableRule(ctx.Context(), in.ID, in.IfMatch); in.err != nil {
		return nil
	}
	r, b := in.rule, &in.Body
	setText(&r.Name, b.Name)
	setText(&r.Kind, b.Kind)
	setText(&r.Severity, b.Severity)
	setIf(&r.Enabled, b.Enabled)
	setIf(&r.Threshold, b.Threshold)
	setIf(&r.WindowMS, b.WindowMS)
	setIf(&r.MinRequests, b.MinRequests)
	setIf(&r.CooldownMS, b.CooldownMS)
	var f faults
	a.checkRule(r, b.Scope, &f)
	return f.errors()
}

// setText changes a text, if another is given.
func setText(to *string, value string) {
	if value != "" {
		*to = value
	}
}

// setIf changes a value, if another is given.
func setIf[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

func (a *API) listAlertRules(ctx context.Context, _ *none) (*listOutput[AlertRule], error) {
	list, err := a.Store.ListAlertRules(ctx)
	if err != nil {
		return nil, err
	}
	return whole(list, a.shapeAlertRule), nil
}

func (a *API) getAlertRule(ctx context.Context, in *ByID) (*alertRuleOutput, error) {
	r, err := a.Store.GetAlertRule(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "alert rule")
	}
	return a.answerAlertRule(r), nil
}

func (a *API) createAlertRule(ctx context.Context, in *createAlertRuleInput) (*alertRuleOutput, error) {
	if err := a.Store.CreateAlertRule(ctx, &in.rule); err != nil {
		return nil, fromStore(err, "alert rule")
	}
	return a.answerAlertRule(&in.rule), nil
}

func (a *API) updateAlertRule(ctx context.Context, in *updateAlertRuleInput) (*alertRuleOutput, error) {
	if in.err != nil {
		return nil, in.err
	}
	if err := a.Store.UpdateAlertRule(ctx, in.rule); err != nil {
		return nil, fromStore(err, "alert rule")
	}
	return a.answerAlertRule(in.rule), nil
}

func (a *API) deleteAlertRule(ctx context.Context, in *deleteInput) (*empty, error) {
	r, err := a.changeableRule(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = fromStore(a.Store.DeleteAlertRule(ctx, r.ID, r.Version), "alert rule")
	}
	return nil, err
}

// changeableRule reads a rule that is to be changed, and refuses if it may not be.
func (a *API) changeableRule(ctx context.Context, id, ifMatch string) (*point.AlertRule, error) {
	r, err := a.Store.GetAlertRule(ctx, id)
	if err != nil {
		return nil, fromStore(err, "alert rule")
	}
	if err := Locked(r.ManagedBy, "alert rule"); err != nil {
		return nil, err
	}
	return r, matches(ifMatch, r.Version, "alert rule")
}

func (a *API) answerAlertRule(r *point.AlertRule) *alertRuleOutput {
	return &alertRuleOutput{Tagged: tagOf(r.Version), Body: a.shapeAlertRule(r)}
}

func (a *API) shapeAlertRule(r *point.AlertRule) AlertRule {
	scope := RuleScope(r.Scope)
	if p, ok := a.Store.Snapshot().Providers[scope.Provider]; ok {
		scope.Provider = p.Name
	}
	return AlertRule{
		ID: r.ID, Name: r.Name, Enabled: r.Enabled, Kind: r.Kind, Scope: scope, Threshold: r.Threshold, Unit: point.RuleUnit(r.Kind), WindowMS: r.WindowMS,
		MinRequests: r.MinRequests, Severity: r.Severity, CooldownMS: r.CooldownMS, ManagedBy: managedBy(r.ManagedBy),
		Version: r.Version, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}
