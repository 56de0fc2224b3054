package api

import (
	"context"
	"encoding/json"
	"time"

	"point"
)

// Tester makes real calls to try things out. Its error is for what kept it from trying; a
// call that failed is a result.
type Tester interface {
	TestProvider(ctx context.Context, p *point.Provider, r point.TestRequest) (point.TestResult, error)
	TestEndpoint(ctx context.Context, path string, request json.RawMessage) (point.TestResult, error)
}

// Explainer tells where a request would go. keyID may be empty: any key.
type Explainer interface {
	Explain(ctx context.Context, path string, body []byte, keyID string) (point.Explanation, error)
}

// Models lists what can be asked for, in the order of /v1/models.
type Models interface {
	Models(ctx context.Context) ([]point.ModelInfo, error)
}

// Health tells how this process and its providers are.
type Health interface {
	Checks(ctx context.Context) []point.HealthCheck
	ProviderHealth(id string) point.ProviderHealth
}

// KeyUsage tells how much of its limits a client key uses, as far as this process knows.
type KeyUsage interface {
	KeyUsage(key *point.Key) point.KeyUsage
}

// Events gives records as they settle, until ctx ends; then the channel is closed. A slow
// reader misses records, it holds nobody up.
type Events interface {
	Subscribe(ctx context.Context) <-chan point.Record
}

// Notifications sends alerts.
type Notifications interface {
	Test(ctx context.Context, n *point.Notifier) point.NotifierResult
	Mails() bool // there is a mail server to send through
}

// Prices lists the embedded prices, by kind and model.
type Prices interface {
	All(at time.Time) []point.ModelPrice
}
