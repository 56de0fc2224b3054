package api

import (
	"context"
	"runtime"
	"time"

	"point"
)

// Status is the state of the whole system.
type Status struct {
	State     string              `json:"state" enum:"ok,degraded,down" doc:"The worst of the database and the checks; degraded too while an active provider is down or a critical alert is open."`
	Version   string              `json:"version"`
	StartedAt time.Time           `json:"started_at" doc:"When this process started."`
	Uptime    int64               `json:"uptime" doc:"ms."`
	Database  DatabaseStatus      `json:"database"`
	Config    ConfigStatus        `json:"config"`
	Alerts    AlertCounts         `json:"alerts_open" doc:"Open alerts by severity."`
	Process   ProcessStatus       `json:"process"`
	Instances []point.Instance    `json:"instances" doc:"Every Point process that shares this database and was heard of in the last 15 s."`
	Checks    []point.HealthCheck `json:"checks"`
}

// DatabaseStatus is the state of the store.
type DatabaseStatus struct {
	Engine  string `json:"engine" enum:"sqlite,postgres"`
	State   string `json:"state" enum:"ok,down"`
	Latency int64  `json:"latency" doc:"ms of a ping."`
}

// ConfigStatus counts what is configured.
type ConfigStatus struct {
	Version         int64 `json:"version" doc:"Counts the changes of the configuration."`
	Providers       int   `json:"providers"`
	ProvidersActive int   `json:"providers_active"`
	ProvidersDown   int   `json:"providers_down" doc:"Active ones that are down."`
	EndpointsActive int   `json:"endpoints_active"`
	Keys            int   `json:"keys"`
	Users           int   `json:"users"`
	Demo            bool  `json:"demo" doc:"There are simulated providers."`
}

// AlertCounts counts alerts by severity.
type AlertCounts struct {
	Critical int64 `json:"critical"`
	Warning  int64 `json:"warning"`
	Info     int64 `json:"info"`
}

// ProcessStatus is what this process uses.
type ProcessStatus struct {
	Goroutines int    `json:"goroutines"`
	Memory     uint64 `json:"memory" doc:"Bytes that the Go runtime has from the system."`
	CPUs       int    `json:"cpus"`
}

type statusOutput struct{ Body Status }

// HealthReport is the answer of the health checks.
type HealthReport struct {
	State  string              `json:"state" enum:"ok,degraded,down" doc:"The worst of the checks."`
	Checks []point.HealthCheck `json:"checks"`
}

type healthOutput struct{ Body HealthReport }

func (a *API) getStatus(ctx context.Context, _ *none) (*statusOutput, error) {
	now := a.Now().UTC()
	out := Status{
		Version: a.Version, StartedAt: a.started, Uptime: now.Sub(a.started).Milliseconds(),
		Database: a.database(ctx), Config: a.config(), Process: process(), Instances: []point.Instance{}, Checks: a.checks(ctx),
	}
	if instances, err := a.Store.Instances(ctx); err == nil {
		for _, one := range instances {
			if now.Sub(one.SeenAt) < instanceSilent {
				out.Instances = append(out.Instances, one)
			}
		}
	}
	if open, err := a.Store.OpenAlerts(ctx); err == nil {
		out.Alerts = AlertCounts{open[point.SeverityCritical], open[point.SeverityWarning], open[point.SeverityInfo]}
	}
	out.State = out.worst()
	return &statusOutput{Body: out}, nil
}

// worst is the state of the whole.
func (s *Status) worst() string {
	state := worst(s.Checks)
	switch {
	case s.Database.State != point.HealthOK:
		return point.HealthDown
	case state == point.HealthOK && (s.Config.ProvidersDown > 0 || s.Alerts.Critical > 0):
		return point.HealthDegraded
	}
	return state
}

func (a *API) getHealth(ctx context.Context, _ *none) (*healthOutput, error) {
	checks := a.checks(ctx)
	return &healthOutput{Body: HealthReport{State: worst(checks), Checks: checks}}, nil
}

// instanceSilent is how long a process may be silent before it is taken to be gone: three
// heartbeats.
const instanceSilent = 15 * time.Second

// pingLimit bounds the database's answer to a ping.
const pingLimit = 2 * time.Second

func (a *API) database(ctx context.Context) DatabaseStatus {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	start := time.Now()
	out := DatabaseStatus{Engine: a.Store.Engine(), State: point.HealthOK}
	if err := a.Store.Ping(ctx); err != nil {
		out.State = point.HealthDown
	}
	out.Latency = time.Since(start).Milliseconds()
	return out
}

func (a *API) config() ConfigStatus {
	s := a.Store.Snapshot()
	out := ConfigStatus{Version: s.Version, Providers: len(s.Providers), Keys: len(s.Keys), Users: len(s.Users)}
	for _, p := range s.Providers {
		out.Demo = out.Demo || p.ManagedBy == point.ManagedByDemo
		if p.Active() {
			out.ProvidersActive++
			if a.healthOf(p).State == point.HealthDown {
				out.ProvidersDown++
			}
		}
	}
	for _, e := range s.Endpoints {
		if e.Active {
			out.EndpointsActive++
		}
	}
	return out
}

func process() ProcessStatus {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return ProcessStatus{Goroutines: runtime.NumGoroutine(), Memory: m.Sys - m.HeapReleased, CPUs: runtime.GOMAXPROCS(0)}
}

// checks are the process's own checks; without any, that of the database.
func (a *API) checks(ctx context.Context) []point.HealthCheck {
	if a.Health != nil {
		if checks := a.Health.Checks(ctx); len(checks) > 0 {
			return checks
		}
	}
	database := a.database(ctx)
	return []point.HealthCheck{{Name: "database", State: database.State}}
}

func worst(checks []point.HealthCheck) string {
	state := point.HealthOK
	for _, c := range checks {
		switch {
		case c.State == point.HealthDown:
			return point.HealthDown
		case c.State == point.HealthDegraded:
			state = point.HealthDegraded
		}
	}
	return state
}
