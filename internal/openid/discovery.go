package openid

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// How long what a provider says of itself holds. Its signing keys are another matter: one that
// is unknown makes Point read them again.
const (
	discoveryLife  = time.Hour
	discoveryPause = 5 * time.Second // after a failure, however many people ask
	discoveryLimit = 10 * time.Second
)

// provider is what discovery found, ready for use.
type provider struct {
	oidc     *oidc.Provider
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier

	Issuer      string   `json:"issuer"`
	Authorize   string   `json:"authorization_endpoint"`
	Token       string   `json:"token_endpoint"`
	Keys        string   `json:"jwks_uri"`
	UserInfo    string   `json:"userinfo_endpoint"`
	Methods     []string `json:"token_endpoint_auth_methods_supported"`
	SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
}

// lookup is the last discovery. One caller asks, those who come meanwhile wait for it.
type lookup struct {
	mu    sync.Mutex
	found *provider // nil: none yet
	err   error     // of the last try; found is then older
	at    time.Time // of the last try
}

// discover gives the provider, which it looks up if that is due. One that was found before
// stays good while it cannot be asked again.
func (c *Client) discover(ctx context.Context) (*provider, error) {
	l := &c.provider
	l.mu.Lock()
	defer l.mu.Unlock()
	pause := discoveryLife
	if l.err != nil {
		pause = discoveryPause
	}
	if l.at.IsZero() || c.opts.Now().Sub(l.at).Abs() >= pause {
		found, err := c.lookUp(ctx)
		if err == nil {
			l.found = found
		}
		l.err, l.at = err, c.opts.Now()
	}
	if l.found == nil {
		return nil, l.err
	}
	return l.found, nil
}

func (c *Client) lookUp(ctx context.Context) (*provider, error) {
	// Those who wait rely on this: it goes on when the one who asks leaves.
	ctx, cancel := context.WithTimeout(c.context(context.WithoutCancel(ctx)), discoveryLimit)
	defer cancel()
	found, err := oidc.NewProvider(ctx, c.opts.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: look up %s: %w", ErrUnavailable, c.opts.Issuer, err)
	}
	p := &provider{oidc: found}
	if err := found.Claims(p); err != nil {
		return nil, fmt.Errorf("%w: what %s says of itself: %w", ErrUnavailable, c.opts.Issuer, err)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.oauth = oauth2.Config{
		ClientID: c.opts.ClientID, ClientSecret: c.opts.ClientSecret.Reveal(), RedirectURL: c.opts.RedirectURL, Scopes: c.opts.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.Authorize, TokenURL: p.Token, AuthStyle: c.authStyle(p.Methods)},
	}
	p.verifier = found.Verifier(&oidc.Config{ClientID: c.opts.ClientID, Now: func() time.Time { return c.opts.Now().Add(-leeway) }})
	return p, nil
}

// check refuses endpoints that are less safe than the issuer: what is encrypted there stays so.
func (p *provider) check() error {
	issuer, err := url.Parse(p.Issuer)
	if err != nil {
		return fmt.Errorf("%w: its issuer is no URL", ErrUnavailable)
	}
	for name, endpoint := range map[string]string{"authorization": p.Authorize, "token": p.Token, "keys": p.Keys, "user info": p.UserInfo} {
		if endpoint == "" && name == "user info" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != issuer.Scheme {
			return fmt.Errorf("%w: its endpoint for %s is missing or not as safe as the issuer", ErrUnavailable, name)
		}
	}
	return nil
}

// authStyle is how the secret is sent: as the provider says, by HTTP Basic if it does not. It is
// never tried out, since a code is good for one try.
func (c *Client) authStyle(methods []string) oauth2.AuthStyle {
	basic := len(methods) == 0 || slices.Contains(methods, "client_secret_basic")
	if c.opts.ClientSecret.IsZero() || !basic && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}
