package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"point"
	"point/config"
	"point/internal/clientkey"
	"point/mock"
)

// demoKinds are the simulated services: the kind of provider, and where it is below the
// server's URL.
var demoKinds = []struct{ kind, path string }{
	{"openai", "/openai/v1"},
	{"anthropic", "/anthropic"},
	{"gemini", "/gemini"},
}

// demoPace is the pause between two events of a simulated stream, so that it looks alive.
const demoPace = 15 * time.Millisecond

// demoWanted reports whether demo mode is on: when asked for, or on a loopback address while
// nothing but demo objects is configured.
func (p *provisioner) demoWanted() bool {
	switch p.cfg.Demo {
	case config.DemoOn:
		return true
	case config.DemoOff:
		return false
	}
	return !p.othersConfigured() && p.cfg.Loopback()
}

// demoOver reports whether the simulated services are to go: switched off, or by themselves
// when the first real provider is there, lest their answers pass for its own.
func (p *provisioner) demoOver() bool {
	return p.cfg.Demo == config.DemoOff || p.cfg.Demo == config.DemoAuto && p.othersConfigured()
}

// othersConfigured reports whether there are providers that are not simulated.
func (p *provisioner) othersConfigured() bool {
	for _, one := range p.store.Snapshot().Providers {
		if one.ManagedBy != point.ManagedByDemo {
			return true
		}
	}
	return false
}

// demo starts the simulated services if demo mode is on or a provider of an earlier start
// needs them, and makes the providers point at them; stop is nil if they are not running.
// When demo mode is over, it takes them away.
func (p *provisioner) demo(ctx context.Context) (stop func(), err error) {
	want := map[string]*point.Provider{}
	known := p.providers()
	wanted := p.demoWanted()
	for _, d := range demoKinds {
		name := "demo-" + d.kind
		old, had := known[name]
		if had && old.ManagedBy != point.ManagedByDemo {
			continue // somebody made one of this name
		}
		// A demo provider that was deleted by hand stays away while others are left.
		if p.demoOver() || !had && (!wanted || p.hasDemo(known)) {
			continue
		}
		status := point.StatusActive
		if had {
			status = old.Status
		}
		want[name] = &point.Provider{
			Name: name, Type: point.TypeAPI, Kind: d.kind, Status: status,
			Config: point.ProviderConfig{
				BaseURL: d.path, AllowPrivate: true, Priority: 1000,
				Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("demo")},
			},
		}
	}
	if len(want) > 0 {
		// They outlive ctx: answers that are being drained still come from them.
		base, end, err := mock.New(mock.Options{TokenDelay: demoPace}).Start(context.WithoutCancel(ctx), "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("starting the simulated AI services: %w", err)
		}
		stop = end
		for _, one := range want {
			one.Config.BaseURL = base + one.Config.BaseURL
		}
	}
	return stop, p.sync(ctx, point.ManagedByDemo, want)
}

func (p *provisioner) hasDemo(known map[string]*point.Provider) bool {
	for _, one := range known {
		if one.ManagedBy == point.ManagedByDemo {
			return true
		}
	}
	return false
}

// demoKey is the client key that the terminal shows in demo mode. Its token is kept in the
// data folder, readable by the owner alone, so that later starts can show it again.
func (p *provisioner) demoKey(ctx context.Context) (point.Secret, error) {
	path := filepath.Join(p.cfg.DataDir, "demo.key")
	content, err := os.ReadFile(path)
	token := strings.TrimSpace(string(content))
	if errors.Is(err, fs.ErrNotExist) || err == nil && token == "" {
		token = clientkey.New().Reveal()
		err = os.WriteFile(path, []byte(token+"\n"), 0o600)
	}
	if err != nil {
		return point.Secret{}, fmt.Errorf("the demo key: %w", err)
	}
	key := &point.Key{
		Name: "demo", Status: point.StatusActive, ManagedBy: point.ManagedByDemo,
		Hash: point.HashToken(p.store.Snapshot().KeySecret, token),
	}
	if known, ok := p.store.Snapshot().Keys[key.Hash]; ok && known.Status != point.StatusActive {
		return point.Secret{}, nil // revoked in the console: it stays so
	}
	return point.NewSecret(token), p.putKey(ctx, key, point.NewSecret(token))
}

// dropDemoKey takes the demo key away when demo mode is over.
func (p *provisioner) dropDemoKey(ctx context.Context) error {
	if err := os.Remove(filepath.Join(p.cfg.DataDir, "demo.key")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the demo key: %w", err)
	}
	return p.dropKeys(ctx, point.ManagedByDemo, nil)
}
