package monitor

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"point"
)

// hubBuffer is how many records wait for a slow reader before the oldest are dropped.
const hubBuffer = 256

// Hub hands settled records to those who watch. Without a watcher publishing costs one
// atomic load.
type Hub struct {
	watched atomic.Int32
	mu      sync.RWMutex // readers publish, a writer changes readers
	readers map[chan point.Record]struct{}

	open context.Context // ends when the hub is closed
	end  context.CancelFunc
}

// NewHub makes a hub without readers.
func NewHub() *Hub {
	h := &Hub{readers: map[chan point.Record]struct{}{}}
	h.open, h.end = context.WithCancel(context.Background())
	return h
}

// Close ends all subscriptions, and those to come.
func (h *Hub) Close() { h.end() }

// Subscribe gives records from now on until ctx ends or the hub is closed; then the channel is
// closed. A reader that is slow misses the oldest ones. What the records point at is shared:
// read only.
func (h *Hub) Subscribe(ctx context.Context) <-chan point.Record {
	ctx, leave := context.WithCancel(ctx)
	stop := context.AfterFunc(h.open, leave)
	c := make(chan point.Record, hubBuffer)
	h.mu.Lock()
	h.readers[c] = struct{}{}
	h.watched.Add(1)
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		stop()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.watched.Add(-1)
		delete(h.readers, c)
		close(c)
	})
	return c
}

// Publish hands r to every reader. It does not block and keeps no reference to r.
func (h *Hub) Publish(r *point.Record) {
	if h.watched.Load() == 0 {
		return
	}
	copied := cloneRecord(r)
	h.mu.RLock()
	defer h.mu.RUnlock()
	for c := range h.readers {
		offer(c, copied)
	}
}

// offer puts r into c, in place of the oldest if c is full.
func offer(c chan point.Record, r point.Record) {
	for {
		select {
		case c <- r:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

// cloneRecord is a copy of r that shares nothing that r's owner may reuse.
func cloneRecord(r *point.Record) point.Record {
	c := *r
	c.TTFT, c.Usage, c.Cost = clonePointer(r.TTFT), clonePointer(r.Usage), clonePointer(r.Cost)
	c.Attempts = slices.Clone(r.Attempts)
	c.Route.Skipped = slices.Clone(r.Route.Skipped)
	c.Request, c.Response = slices.Clone(r.Request), slices.Clone(r.Response)
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
