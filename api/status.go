package api

import (
	"time"

	"point"
)

// Status is the state of the whole system.
type Status struct {
	State     string              `json:"state" enum:"ok,degraded,down" doc:"The worst of what follows."`
	Version   string              `json:"version"`
	StartedAt time.Time           `json:"started_at" doc:"When this process started."`
	Uptime    int64               `json:"uptime" doc:"ms."`
	Database  DatabaseStatus      `json:"database"`
	Config    ConfigStatus        `json:"config"`
	Process   ProcessStatus       `json:"process"`
	Instances []point.Instance    `json:"instances" doc:"Every Point process that shares this database."`
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

// Alert is a stored event that somebody should see.
type Alert struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" example:"unpriced_model"`
	Subject    string     `json:"subject" doc:"What it is about, such as a provider's name."`
	Severity   string     `json:"severity" example:"warning"`
	Message    string     `json:"message"`
	Detail     any        `json:"detail,omitempty"`
	Count      int64      `json:"count" doc:"Times raised."`
	FirstAt    time.Time  `json:"first_at"`
	LastAt     time.Time  `json:"last_at"`
	ResolvedAt *time.Time `json:"resolved_at"`
}

type listAlertsInput struct {
	Paging
	Status string `query:"status" enum:"open,resolved" doc:"Only those."`
}

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

// Model is a model that can be asked for.
type Model struct {
	ID            string   `json:"id" doc:"The name it has in /v1/models." example:"openai-main/gpt-4o-mini"`
	Provider      string   `json:"provider" doc:"Name of the provider; empty: any that has it."`
	Kind          string   `json:"kind" enum:"chat,embedding,image,other"`
	ContextWindow *int64   `json:"context_window" doc:"Tokens; null: unknown."`
	MaxOutput     *int64   `json:"max_output" doc:"Tokens; null: unknown."`
	Abilities     []string `json:"abilities" example:"[\"tools\"]"`
}
