package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"point"
	"point/adapter/provider"
	"point/internal/panics"
)

const (
	grantLimit = 15 * time.Second // for getting a token
	renewEarly = 2 * time.Minute  // before it ends, a token is taken for ended
	grantSpan  = time.Hour        // a token without an end is taken to last
)

// token is an access token that a service account was given.
type token struct {
	secret point.Secret
	until  time.Time
}

// request is the attempt's request, with what proves who asks.
func (g *Gateway) request(a *attempt) (*http.Request, error) {
	request := a.request()
	if a.backend.signer == nil {
		return request, nil
	}
	if err := g.sign(a, request); err != nil {
		if request.Body != nil {
			request.Body.Close() // nobody sends it
		}
		return nil, err
	}
	return request, nil
}

func (g *Gateway) sign(a *attempt, request *http.Request) error {
	secret, err := g.token(a)
	if err != nil {
		return err
	}
	return a.backend.signer.Sign(request, a.exchange.Outbound.Body, provider.Proof{
		Config: &a.backend.provider.Config, Key: a.key.secret, Token: secret, Getenv: g.options.Getenv, Now: time.Now(),
	})
}

// token is the access token for an attempt: the one that is known, or a new one; zero if none is
// needed.
func (g *Gateway) token(a *attempt) (point.Secret, error) {
	granter, ok := a.backend.signer.(provider.Granter)
	if !ok {
		return point.Secret{}, nil
	}
	account, err := granter.ServiceAccount(&a.backend.provider.Config)
	if err != nil || account == nil {
		return point.Secret{}, err
	}
	if known := a.key.token.Load(); known != nil && time.Until(known.until) > renewEarly {
		return a.take(known), nil
	}
	// Who waits may go away; the others still want the token.
	done := a.key.granting.DoChan("", func() (any, error) { return nil, g.grant(context.WithoutCancel(a.ctx), a, account) })
	select {
	case <-a.ctx.Done():
		return point.Secret{}, context.Cause(a.ctx)
	case result := <-done:
		if result.Err != nil {
			return point.Secret{}, result.Err
		}
	}
	if known := a.key.token.Load(); known != nil {
		return a.take(known), nil
	}
	return point.Secret{}, &point.Error{Code: point.ProviderCredentials, Message: "The access token was refused as soon as it was given."}
}

// take notes the token that the attempt sends.
func (a *attempt) take(t *token) point.Secret {
	a.token = t
	return t.secret
}

// grant has a token made for a key's service account. It goes the way of the provider's other
// requests, guarded as they are, and follows no redirect.
func (g *Gateway) grant(ctx context.Context, a *attempt, account *provider.ServiceAccount) (err error) {
	defer panics.Catch(g.options.Log, "getting an access token", &err)
	if err := account.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, grantLimit)
	defer cancel()
	client := &http.Client{Transport: g.transport(a.backend.provider, defaultConnect), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	config := jwt.Config{
		Email: account.Email, PrivateKey: []byte(account.PrivateKey.Reveal()), PrivateKeyID: account.KeyID,
		TokenURL: account.TokenURL, Scopes: account.Scopes,
	}
	got, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client)).Token()
	if err != nil || got.AccessToken == "" {
		return ungranted(err)
	}
	until := got.Expiry
	if until.IsZero() {
		until = time.Now().Add(grantSpan)
	}
	a.key.token.Store(&token{point.NewSecret(got.AccessToken), until})
	return nil
}

// ungranted tells why there is no token: because the account is refused, or nobody answers. What
// the token's server said stays out: it may repeat the account's word.
func ungranted(err error) error {
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode >= 500:
		return &point.Error{Code: point.ProviderUnavailable, Message: "The provider's token server failed; try again.", Cause: errors.New(refused.Response.Status)}
	case errors.As(err, &refused) && refused.Response != nil:
		return &point.Error{Code: point.ProviderCredentials, Message: "The provider refuses the service account; check its key, and that the account still exists.", Cause: errors.New(refused.Response.Status + " " + refused.ErrorCode)}
	default:
		return &point.Error{Code: point.ProviderUnavailable, Message: "The provider's token server cannot be reached, or answers with no token.", Cause: err}
	}
}
