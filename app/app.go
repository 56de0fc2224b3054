// Package app joins the components of Point into one process: configuration -> store ->
// monitor -> gateway -> adapter, api, console -> server. It wires and holds no logic of its
// own but what a process needs at its start and its end.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"point"
	"point/adapter"
	"point/api"
	"point/config"
	"point/console"
	"point/gateway"
	"point/internal/cgroup"
	"point/internal/linger"
	"point/internal/panics"
	"point/internal/plural"
	"point/internal/prices"
	"point/monitor"
	"point/routing"
	"point/store"
)

// App is one Point process. Make it with New, Run it, Close it.
type App struct {
	cfg     *config.Config
	lines   *monitor.Log
	log     *slog.Logger // writes to lines
	prices  *prices.Table
	store   *store.Store
	journal *monitor.Journal
	monitor *monitor.Monitor
	gateway *gateway.Gateway
	models  *gateway.Models
	notify  *monitor.Notify
	limits  *gateway.Limits
	server  *server
	self    point.Instance
	banner  banner
	open    func() int64 // answers of /v1 under way

	terminal io.Writer // what the operator sees at the end
	stop     []func()  // what else has to end, last first
}

// Serve runs Point until ctx ends.
func Serve(ctx context.Context, cfg *config.Config, stdout, stderr io.Writer) error {
	tuneMemory(cfg)
	a, err := New(ctx, cfg, stderr)
	if err != nil {
		return err
	}
	defer a.Close()
	a.banner.print(stdout)
	a.terminal = stdout
	debug.FreeOSMemory() // what the keys and the first password were made with
	return a.Run(ctx)
}

// tuneMemory trades memory for CPU: less frequent collections, under a limit.
func tuneMemory(cfg *config.Config) {
	debug.SetGCPercent(cfg.GOGC)
	limit := cfg.GoMemLimit
	if limit == 0 {
		limit = cgroup.MemoryLimit() / 10 * 9
	}
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

// New takes the listen address, so that a start that cannot serve changes nothing, and builds
// everything; nothing is served before Run.
func New(ctx context.Context, cfg *config.Config, stderr io.Writer) (_ *App, err error) {
	a := &App{cfg: cfg, terminal: io.Discard}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	a.lines = monitor.NewLog(monitor.LogOptions{Out: stderr, Level: cfg.LogLevel, Format: cfg.LogFormat})
	a.log = a.lines.Logger()
	for _, step := range []func(context.Context) error{a.listen, a.openStore, a.openMonitor, a.provisionAlone, a.serve} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *App) listen(context.Context) (err error) {
	if a.server, err = listen(a.cfg, a.component("server")); err != nil {
		return err
	}
	a.banner.url = a.cfg.URL(a.server.addr())
	a.self = point.Instance{
		ID: store.NewID(time.Now()), Components: []string{"api", "console", "gateway"}, Version: Version(), URL: a.banner.url, State: monitor.StateStarting,
	}
	return nil
}

func (a *App) openStore(ctx context.Context) (err error) {
	if a.prices, err = prices.New(); err != nil {
		return err
	}
	options := storeOptions(a.cfg)
	options.Prices, options.Models = a.prices, a.prices
	options.DemoServes = a.cfg.Demo == config.DemoOn
	options.Log = a.component("store")
	a.store, err = store.Open(ctx, options)
	return err
}

func (a *App) openMonitor(context.Context) (err error) {
	a.monitor = monitor.New(monitor.Options{
		Version: Version(), MetricsToken: a.cfg.MetricsToken, KnownModel: a.knownModel, Log: a.component("monitor"),
	})
	a.lines.Alert(a.monitor)
	a.monitor.Metrics.Counter("point_log_lines_dropped_total", "Log lines that did not reach the database.", func() float64 { return float64(a.lines.Dropped()) })
	a.journal, err = monitor.OpenJournal(monitor.JournalOptions{
		Dir: filepath.Join(a.cfg.DataDir, "journal"), MaxBytes: a.cfg.JournalMax,
		Durability: a.cfg.Durability, Full: a.cfg.JournalFull, Log: a.component("journal"), Alerts: a.monitor,
	})
	if err != nil {
		return err
	}
	a.monitor.Record(a.journal)
	a.monitor.Metrics.Providers(a.providerStates)
	a.monitor.Health.Register("database", a.store.Ping)
	return nil
}

// component is the log of one part.
func (a *App) component(name string) *slog.Logger { return a.log.With("component", name) }

// providerStates is each provider's health by its name.
func (a *App) providerStates() map[string]string {
	states := map[string]string{}
	for id, p := range a.store.Snapshot().Providers {
		states[p.Name] = a.gateway.ProviderHealth(id).State
	}
	return states
}

// knownModel reports whether some provider has a model: only such names become labels of
// metrics, since clients may send any.
func (a *App) knownModel(model string) bool {
	for _, p := range a.store.Snapshot().Providers {
		if a.models.Has(p, model) {
			return true
		}
	}
	return false
}

// provisionAlone provisions while no other process does, and is seen to live by those that
// come after.
func (a *App) provisionAlone(ctx context.Context) error {
	return a.store.Alone(ctx, func(ctx context.Context) error {
		if err := a.store.Heartbeat(ctx, a.self); err != nil {
			return err
		}
		return a.provision(ctx)
	})
}

// provision brings what is declared, and the simulated services if demo mode is on.
func (a *App) provision(ctx context.Context) error {
	p := a.provisioner()
	for _, step := range []func(context.Context) error{p.firstOwner, p.declared, p.bootstrap, p.alertRules, p.environment, p.defaultConfiguration} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	stop, err := p.demo(ctx)
	if err != nil {
		return err
	}
	if a.banner.demo = stop != nil; a.banner.demo {
		a.stop = append(a.stop, stop)
	} else {
		return p.dropDemoKey(ctx)
	}
	a.banner.key, err = p.demoKey(ctx)
	return err
}

func (a *App) provisioner() *provisioner {
	return &provisioner{store: a.store, cfg: a.cfg, log: a.log, self: a.self.ID}
}

// serve gives the server what it serves, and the terminal what to show.
func (a *App) serve(ctx context.Context) (err error) {
	if a.server.http.Handler, err = a.handler(ctx); err != nil {
		return err
	}
	a.introduce(ctx)
	a.banner.openHTTP = a.cfg.AllowHTTP && !a.cfg.TLS.Enabled()
	a.banner.setup, err = a.provisioner().setupLink(ctx, a.banner.url)
	return err
}

// handler joins the data plane, the control plane and the console.
func (a *App) handler(ctx context.Context) (http.Handler, error) {
	a.gateway = gateway.New(gateway.Options{
		Config: a.store, Alerts: a.monitor, Log: a.component("gateway"), Getenv: a.cfg.Getenv, AllowPrivate: a.cfg.AllowPrivate,
	})
	a.notify = a.notifier()
	a.models = gateway.NewModels(a.gateway, a.store, a.prices.Models)
	a.limits = gateway.NewLimits(gateway.LimitOptions{
		Config: a.store, History: &keyHistory{a.store, a.journal}, Log: a.component("gateway"),
	})
	kept, err := a.bodyKeeper(ctx)
	if err != nil {
		return nil, err
	}
	responses, err := a.responseKeeper(ctx)
	if err != nil {
		return nil, err
	}
	data := adapter.New(adapter.Deps{
		Config: a.store, Routes: routing.New(a.gateway, a.models), Senders: map[string]point.Sender{point.TypeAPI: gateway.NewBatcher(a.gateway)},
		Records: a.monitor, Kept: kept, Responses: responses, Answers: a.answerCache(), NoMetadata: a.cfg.Bodies == config.BodiesOff, Budget: &gateway.Budgets{}, Limits: a.limits, Lists: a.models,
		Alerts: a.monitor, Log: a.component("adapter"),
		MaxBody: a.cfg.MaxBody, MaxBodies: maxBodies, CORSOrigins: a.cfg.CORSOrigins,
	})
	a.open = data.Open
	a.monitor.Metrics.Gauge("point_open_requests", "Requests to /v1 that are under way.", func() float64 { return float64(data.Open()) })
	control, err := api.New(api.Deps{
		Store: a.store, Tester: data, Explainer: data, Models: data, Usage: a.limits, Health: &health{a.monitor, a.gateway}, Events: a.monitor, Alerts: a.monitor, OpenID: openID(a.cfg),
		Notify: a.notify, Prices: a.prices,
		Log: a.component("api"), Version: Version(), PublicURL: a.cfg.PublicURL, Hosts: a.cfg.TLS.Domains,
		TrustedProxies: a.cfg.TrustedProxies, AllowPrivate: a.cfg.AllowPrivate, MaxBody: a.cfg.MaxBody, Rate: a.cfg.APIRate,
		EnvAllow: variablesAllowed(a.cfg),
	})
	if err != nil {
		return nil, err
	}
	return &mux{
		data: data, api: control, console: linger.Unread(console.Handler()),
		metrics: linger.Unread(a.monitor.MetricsHandler()), healthz: linger.Unread(a.monitor.Health.Live()), readyz: linger.Unread(a.monitor.Health.ReadyHandler()),
	}, nil
}

// maxBodies is how many bytes of request bodies may be held at once.
const maxBodies = 1 << 30

// Run serves until ctx ends and open answers have finished.
func (a *App) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	group, background := together(background, a.log, a.parts())

	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(background, cancel) // a part that fails ends the whole
	a.server.http.RegisterOnShutdown(a.monitor.Drain)
	a.knowSpent(background)
	a.monitor.Health.Ready()
	a.log.Info("listening", "address", a.banner.url, "version", Version())
	a.server.stopping = a.stopping
	err := a.server.run(serving)
	stop()
	err = errors.Join(err, ignoreCancelled(group.Wait()))
	a.log.Info("stopped")
	return err
}

// spentLimit is how long a start waits for what client keys have spent; later it is found
// beside the serving.
const spentLimit = 10 * time.Second

// knowSpent finds what client keys have spent before the first request is held to it.
func (a *App) knowSpent(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, spentLimit)
	defer cancel()
	_ = a.limits.Load(ctx) // it has told what failed, and goes on by itself
}

// stopping tells that the end has begun, and what it waits for.
func (a *App) stopping() {
	a.log.Info("stopping", "open_requests", a.open())
	fmt.Fprintf(a.terminal, "\nstopping: %s open; press Ctrl-C again to end at once\n", plural.Of(a.open(), "request", "requests"))
}

// together runs parts. The context that it gives ends when one of them fails or panics, so that
// the process ends in order.
func together(ctx context.Context, log *slog.Logger, parts []func(context.Context) error) (*errgroup.Group, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() (err error) {
			defer panics.Catch(log, "a part of Point", &err)
			return part(ctx)
		})
	}
	return group, ctx
}

// parts are what runs beside the server, each until its context ends.
func (a *App) parts() []func(context.Context) error {
	return []func(context.Context) error{
		a.store.Run,
		a.models.Run,
		a.limits.Run,
		a.prune,
		func(ctx context.Context) error { return a.lines.Run(ctx, a.store) },
		func(ctx context.Context) error { return a.monitor.Alerts.Run(ctx, a.store) },
		a.rules().Run,
		a.notify.Run,
		a.fileWatch().Run,
		func(ctx context.Context) error { return a.journal.Run(ctx, a.store, a.cfg.JournalInterval) },
		func(ctx context.Context) error {
			return a.monitor.Health.Beat(ctx, a.store, a.self, a.component("monitor"))
		},
	}
}

// rules evaluates the alert rules.
func (a *App) rules() *monitor.Rules {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return monitor.NewRules(monitor.RulesOptions{
		Store: a.store, Health: a.gateway.ProviderHealth, Resources: func() monitor.Resources { return monitor.ResourcesOf(a.cfg.DataDir) },
		Holder: a.self.ID, Host: host, Log: a.component("monitor"),
	})
}

// notifier sends alerts.
func (a *App) notifier() *monitor.Notify {
	return monitor.NewNotify(monitor.NotifyOptions{
		Outbox: a.store, Mail: monitor.Mail(a.cfg.SMTP), Allow: a.cfg.WebhookAllow, Source: a.banner.url, Log: a.component("monitor"),
	})
}

// pruneEvery is how often what is older than its retention is deleted.
const pruneEvery = time.Hour

// prune keeps history within its retention until ctx ends.
func (a *App) prune(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		before := store.PruneBefore{
			Requests: now.Add(-a.cfg.Retention.Records), Rollups: now.Add(-a.cfg.Retention.Records),
			Expired: now, Bodies: now.Add(-min(a.cfg.Retention.Bodies, a.cfg.Retention.Records)), Logs: now.Add(-a.cfg.Retention.Logs), Alerts: now.Add(-a.cfg.Retention.Records),
		}
		if _, err := a.store.Prune(ctx, before); err != nil && ctx.Err() == nil {
			a.component("store").Warn("old history could not be deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close releases what New took. It may be called after a failed New, and more than once.
func (a *App) Close() {
	var errs []error
	if a.server != nil {
		errs = append(errs, a.server.close())
	}
	if a.gateway != nil {
		a.gateway.Close()
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	for _, stop := range a.stop {
		stop()
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if err := errors.Join(errs...); err != nil && a.log != nil {
		a.log.Error("stopping", "error", fmt.Errorf("closing: %w", err))
	}
}
