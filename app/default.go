package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"point"
	"point/adapter/provider"
	"point/config"
	"point/store"
	"point/store/document"
)

// defaultConfiguration activates the saved configuration that is the default, on an installation
// on which nothing is configured. One that cannot be activated is told and is no reason not to
// start.
func (p *provisioner) defaultConfiguration(ctx context.Context) error {
	c, err := p.store.DefaultConfiguration(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if touched, err := p.configured(ctx); err != nil || touched {
		return err
	}
	ctx = point.WithActor(ctx, startActor)
	plan, err := activateSaved(ctx, p.store, c, p.cfg)
	var mistakes document.Mistakes
	if errors.As(err, &mistakes) {
		p.log.Error("the default configuration cannot become live: mend it and activate it", "configuration", c.Name, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	p.log.Info("default configuration activated", "configuration", c.Name, "changes", len(plan.Changes))
	for _, f := range plan.Findings {
		p.log.Warn("default configuration: "+f.Message, "object", f.Name, "at", f.Path)
	}
	return nil
}

// configured reports whether there is a provider that is not simulated, or somebody has changed
// the configuration before.
func (p *provisioner) configured(ctx context.Context) (bool, error) {
	if p.othersConfigured() {
		return true, nil
	}
	for page := 1; ; page++ {
		list, err := p.store.ListRevisions(ctx, store.RevisionFilter{Page: store.Page{Number: page, Limit: 500}})
		if err != nil {
			return false, err
		}
		for _, r := range list.Items {
			if r.Actor.Kind == point.ActorUser || r.Action == point.RevisionActivate || r.Action == point.RevisionRollback {
				return true, nil
			}
		}
		if !list.More {
			return false, nil
		}
	}
}

// activateSaved makes a saved configuration live.
func activateSaved(ctx context.Context, s *store.Store, c *point.Configuration, cfg *config.Config) (*document.Plan, error) {
	d, err := documentOf(c)
	if err != nil {
		return nil, err
	}
	return document.Activate(ctx, s, d, operatorRules(cfg), point.RevisionActivate, c.Name)
}

func documentOf(c *point.Configuration) (*point.Document, error) {
	d := &point.Document{}
	if err := json.Unmarshal(c.Document, d); err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", c.Name, err)
	}
	return d, nil
}

// operatorRules judge what somebody activates who runs the process: they may all that the file
// may.
func operatorRules(cfg *config.Config) document.Rules {
	return document.Rules{Grant: provider.Grant{Variables: variablesAllowed(cfg), Trusted: true, Private: cfg.AllowPrivate}}
}
