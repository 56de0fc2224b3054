package openid

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"point/internal/netguard"
)

const (
	httpLimit    = 10 * time.Second // of one call
	connectLimit = 5 * time.Second
	maxAnswer    = 1 << 20 // bytes
)

// errTooLarge ends an answer that is larger than any provider needs.
var errTooLarge = errors.New("the provider's answer is too large")

// NewHTTP makes the client that speaks to providers: bounded in time and size, and it follows
// no redirect, which could take the client's secret elsewhere. The issuer is the operator's own
// setting, so private addresses are allowed; those that Point never connects to are not.
func NewHTTP() *http.Client {
	dialer := net.Dialer{Timeout: connectLimit, Control: netguard.Control(true)}
	return &http.Client{
		Timeout: httpLimit,
		Transport: bounded{&http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: connectLimit,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers at maxAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &boundedBody{answer.Body, maxAnswer}
	return answer, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// context carries the HTTP client to the libraries.
func (c *Client) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, c.opts.HTTP)
}
