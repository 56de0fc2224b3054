package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"point"
	"point/api"
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
}

func (b *banner) print(w io.Writer) {
	fmt.Fprintf(w, "\nPoint %s\n\nconsole: %s\n", Version(), b.url)
	if b.setup != "" {
		fmt.Fprintf(w, "set-up: %s\n        (makes the first owner; works once, for %d minutes)\n", b.setup, int(api.SetupLife.Minutes()))
	}
	if b.openHTTP {
		fmt.Fprint(w, "warning: keys and prompts travel unencrypted (POINT_ALLOW_HTTP)\n")
	}
	key, model := "YOUR_CLIENT_KEY", "MODEL"
	if b.demo {
		fmt.Fprint(w, "demo: simulated AI services answer as demo-openai, demo-anthropic and demo-gemini\n")
		model = "demo-openai/gpt-4o-mini"
		if !b.key.IsZero() {
			key = b.key.Reveal()
			fmt.Fprintf(w, "client key: %s\n", key)
		}
	}
	fmt.Fprintf(w, "\nTry it:\n\ncurl %s/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n", b.url, key, model)
}
