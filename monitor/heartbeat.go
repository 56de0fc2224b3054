package monitor

import (
	"context"
	"log/slog"
	"time"

	"point"
)

const (
	beatEvery   = 5 * time.Second
	beatTimeout = 3 * time.Second
)

// HeartbeatSink keeps the last word of every process: the store.
type HeartbeatSink interface {
	Heartbeat(ctx context.Context, instance point.Instance) error
}

// Beat tells sink every 5 s, at each change of state, and at the end that this process is
// there and how it is. It blocks until ctx ends. A sink that fails is told again with the
// next beat.
func (h *Health) Beat(ctx context.Context, sink HeartbeatSink, instance point.Instance, log *slog.Logger) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	failing := false
	for {
		h.mu.Lock()
		changed := h.changed
		h.mu.Unlock()

		err := h.beat(ctx, sink, instance)
		if err != nil && !failing && ctx.Err() == nil {
			log.Warn("heartbeat could not be stored: other processes may think that this one is gone", "error", err)
		}
		failing = err != nil

		select {
		case <-ctx.Done():
			h.Draining()
			_ = h.beat(context.WithoutCancel(ctx), sink, instance)
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

func (h *Health) beat(ctx context.Context, sink HeartbeatSink, instance point.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	instance.State = h.State(ctx)
	instance.SeenAt = h.now().UTC()
	return sink.Heartbeat(ctx, instance)
}
