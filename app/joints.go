package app

import (
	"context"
	"fmt"
	"time"

	"point"
	"point/adapter"
	"point/config"
	"point/gateway"
	"point/monitor"
	"point/store"
)

// health tells the control plane how this process and its providers are.
type health struct {
	process   *monitor.Monitor
	providers *gateway.Gateway
}

func (h *health) Checks(ctx context.Context) []point.HealthCheck { return h.process.Checks(ctx) }

func (h *health) ProviderHealth(id string) point.ProviderHealth {
	return h.providers.ProviderHealth(id)
}

// keyHistory tells what client keys have cost, the records that are still in the journal
// included.
type keyHistory struct {
	store   *store.Store
	journal *monitor.Journal
}

func (h *keyHistory) KeyCosts(ctx context.Context, ids []string, from, until time.Time) (map[string]point.NanoUSD, error) {
	if err := h.journal.Flush(ctx); err != nil {
		return nil, fmt.Errorf("waiting for the journal: %w", err)
	}
	return h.store.KeyCosts(ctx, ids, from, until)
}

// bodyKeeper is nil unless bodies are kept.
func (a *App) bodyKeeper(ctx context.Context) (adapter.BodyKeeper, error) {
	if a.cfg.Bodies != config.BodiesFull {
		return nil, nil
	}
	return a.store.Bodies(ctx)
}

// responseKeeper is nil unless responses are kept.
func (a *App) responseKeeper(ctx context.Context) (adapter.ResponseKeeper, error) {
	if a.cfg.ResponsesTTL == 0 {
		return nil, nil
	}
	return a.store.Responses(ctx, a.cfg.ResponsesTTL)
}

// answerCache is nil where no memory is given to it.
func (a *App) answerCache() adapter.AnswerCache {
	if a.cfg.CacheMemory == 0 {
		return nil
	}
	return gateway.NewAnswers(a.cfg.CacheMemory)
}
