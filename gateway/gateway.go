// Package gateway is the AI Gateway: it keeps the connections to API providers and makes
// single attempts on them.
//
//	Send: pick a key -> translate -> round trip -> read up to the first content -> Reply
//
// A failed attempt is an *point.Error; whether another target is tried is the caller's
// decision. What an attempt teaches about a provider (a key refused, a cool-down, its
// latency) outlives the attempt in that provider's backend.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"point"
	"point/adapter/provider"
)

// Options are what a Gateway needs. All fields are required.
type Options struct {
	Config       point.Snapshots
	Alerts       point.Alerter
	Log          *slog.Logger
	Getenv       func(string) string // resolves api_key_env
	AllowPrivate bool                // providers that say so may live at loopback and private addresses
}

// Gateway sends calls to API providers.
type Gateway struct {
	options  Options
	public   *http.Transport // to public addresses only
	private  *http.Transport // to private ones too
	pools    sync.Map        // pool -> *http.Transport, of those that are neither
	backends sync.Map        // provider id -> *backend of the live configuration
	building sync.Mutex      // of backends
}

var _ point.Sender = (*Gateway)(nil)

// New makes a Gateway.
func New(o Options) *Gateway {
	return &Gateway{
		options: o,
		public:  newTransport(pool{false, defaultConnect}, http.ProxyFromEnvironment),
		private: newTransport(pool{true, defaultConnect}, http.ProxyFromEnvironment),
	}
}

// Send makes one attempt to have target answer call. The reply has been read up to its first
// content, so that whatever failed before is an error here and nothing was shown yet.
func (g *Gateway) Send(ctx context.Context, target point.Target, call *point.Call) (*point.Reply, error) {
	b, err := g.backend(target.Provider)
	if err != nil {
		return nil, unsent(err)
	}
	key, err := b.pick(target, time.Now())
	if err != nil {
		return nil, unsent(err)
	}
	exchange, err := b.kind.Exchange(&provider.Request{
		Model: target.Model, Call: call, Provider: target.Provider,
		Drop: call.Snapshot.Mapping(call.Path).Unsupported == "drop",
	})
	if err != nil {
		return nil, unsent(err)
	}
	a := &attempt{backend: b, key: key, exchange: exchange, target: target, call: call}
	b.busy.Add(1)
	reply, err := g.attempt(ctx, a)
	if err != nil {
		a.release()
		return nil, g.learn(a, err)
	}
	return reply, nil
}

// unsent marks what failed before anything was sent.
func unsent(err error) error {
	e := *point.AsError(err)
	e.Unsent = true
	return &e
}

// Close releases idle connections.
func (g *Gateway) Close() {
	g.public.CloseIdleConnections()
	g.private.CloseIdleConnections()
	g.pools.Range(func(_, t any) bool {
		t.(*http.Transport).CloseIdleConnections()
		return true
	})
}

// backend is what the gateway knows of p. What the live configuration says of a provider is
// kept, and a change of it goes on with what was learnt. Any other p, of a snapshot that is
// past or made to try something, is known for this once: it teaches the live one nothing.
func (g *Gateway) backend(p *point.Provider) (*backend, error) {
	if known, ok := g.backends.Load(p.ID); ok {
		if b := known.(*backend); b.provider == p {
			return b, nil
		}
	}
	if g.options.Config.Snapshot().Providers[p.ID] != p {
		return newBackend(p, g.options.Getenv, nil)
	}
	g.building.Lock()
	defer g.building.Unlock()
	var before *backend
	if known, ok := g.backends.Load(p.ID); ok {
		if before = known.(*backend); before.provider == p {
			return before, nil
		}
	}
	b, err := newBackend(p, g.options.Getenv, before)
	if err != nil {
		return nil, err
	}
	g.backends.Store(p.ID, b)
	return b, nil
}
