package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"point"
	"point/adapter"
	"point/api"
	"point/config"
)

// setupLink makes a one-time link to make the first owner with; empty if a user exists. A
// restart makes a new one.
func (p *provisioner) setupLink(ctx context.Context, url string) (string, error) {
	users, err := p.store.CountUsers(ctx)
	if err != nil || users > 0 {
		return "", err
	}
	token, err := api.NewSetupToken(ctx, p.store, time.Now())
	if err != nil {
		return "", err
	}
	return url + "/setup#token=" + token.Reveal(), nil
}

// firstOwner makes the owner of POINT_ADMIN_EMAIL and POINT_ADMIN_PASSWORD while no user exists.
func (p *provisioner) firstOwner(ctx context.Context) error {
	if p.cfg.AdminEmail == "" || p.cfg.AdminPassword.IsZero() {
		return nil
	}
	if users, err := p.store.CountUsers(ctx); err != nil || users > 0 {
		return err
	}
	hash, err := api.HashPassword(p.cfg.AdminPassword)
	if err != nil {
		return err
	}
	owner := &point.User{Email: p.cfg.AdminEmail, PasswordHash: hash, Role: point.RoleOwner}
	if err := p.store.CreateFirstUser(ctx, owner); err != nil {
		return fmt.Errorf("POINT_ADMIN_EMAIL: %w", err)
	}
	return nil
}

// banner is what the terminal shows at start.
type banner struct {
	url, setup string
	key        point.Secret // shown in demo mode alone
	demo       bool
	openHTTP   bool

	keys      bool     // there is a client key
	makeKey   string   // the command that makes one
	providers []string // names of the active ones
	model     string   // one that can be asked for, empty: none is known
}

func (b *banner) print(w io.Writer) {
	fmt.Fprintf(w, "\nPoint %s\n\nconsole: %s\n", Version(), b.url)
	if b.setup != "" {
		fmt.Fprintf(w, "set-up: %s\n        (makes the first owner; works once, for %d minutes)\n", b.setup, int(api.SetupLife.Minutes()))
	}
	if b.openHTTP {
		fmt.Fprint(w, "warning: keys and prompts travel unencrypted (POINT_ALLOW_HTTP)\n")
	}
	switch {
	case b.demo:
		fmt.Fprint(w, "demo: simulated AI services answer as demo-openai, demo-anthropic and demo-gemini\n")
	case len(b.providers) == 0:
		fmt.Fprint(w, "providers: none yet; add one in the console, or start with OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY set\n")
	default:
		fmt.Fprintf(w, "providers: %s\n", strings.Join(b.providers, ", "))
	}
	key := "$POINT_KEY"
	switch {
	case !b.key.IsZero():
		key = b.key.Reveal()
		fmt.Fprintf(w, "client key: %s\n", key)
	case !b.keys:
		fmt.Fprintf(w, "client key: none yet; this makes one: export POINT_KEY=$(%s)\n", b.makeKey)
	default:
		fmt.Fprintf(w, "client key: one of those there are, as POINT_KEY; this makes another: export POINT_KEY=$(%s)\n", b.makeKey)
	}
	if b.model == "" {
		fmt.Fprintf(w, "\nWhich models there are: curl %s/v1/models -H \"Authorization: Bearer %s\"\n\n", b.url, key)
		return
	}
	fmt.Fprintf(w, "\nTry it:\n\ncurl %s/v1/chat/completions -H \"Authorization: Bearer %s\" -H 'Content-Type: application/json' -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n", b.url, key, b.model)
}

// introduce finds what the terminal is to show of keys, providers and models.
func (a *App) introduce(ctx context.Context) {
	b, snapshot := &a.banner, a.store.Snapshot()
	for _, k := range snapshot.Keys {
		b.keys = b.keys || k.Status == point.StatusActive
	}
	b.makeKey = keyCommandLine(a.cfg)
	var active []*point.Provider
	for _, p := range snapshot.Providers {
		if p.Active() {
			active, b.providers = append(active, p), append(b.providers, p.Name)
		}
	}
	slices.Sort(b.providers)
	slices.SortFunc(active, func(x, y *point.Provider) int {
		return cmp.Or(cmp.Compare(x.Config.Priority, y.Config.Priority), cmp.Compare(x.Name, y.Name)) // as requests try them
	})
	for _, p := range active {
		if b.demo && p.Name != "demo-openai" {
			continue
		}
		if model := a.sampleModel(ctx, p); model != "" {
			b.model = p.Name + "/" + model
			return
		}
	}
}

// keyCommandLine is the command that makes a client key where this process keeps its own.
func keyCommandLine(c *config.Config) string {
	words := []string{os.Args[0], "key", "create", "NAME"}
	if c.File != "" {
		words = append(words, "--config="+c.File)
	}
	if c.DataDir != config.DefaultDataDir {
		words = append(words, "--data-dir="+c.DataDir)
	}
	return strings.Join(words, " ")
}

// sampleModels are what to try a service with first: current, and cheap.
var sampleModels = []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}

// sampleWait is how long a service that nothing is known of may take to list its models.
const sampleWait = time.Second

// sampleModel is a model of p to try it with, empty if none is known.
func (a *App) sampleModel(ctx context.Context, p *point.Provider) string {
	list := a.models.List(p)
	if len(list) == 0 {
		ctx, cancel := context.WithTimeout(ctx, sampleWait)
		defer cancel()
		list, _ = a.models.Discover(ctx, p) // the banner does without
	}
	for _, model := range sampleModels {
		if slices.Contains(list, model) {
			return model
		}
	}
	for _, model := range list {
		if adapter.ModelKind(model) == "chat" {
			return model
		}
	}
	return ""
}
