package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Client is embedded into the input of a sign-in: who asks, by the connection.
type Client struct{ client caller }

// caller is the far end of a request.
type caller struct {
	address   string // IP address
	userAgent string
	secure    bool // the client's connection is encrypted
}

// clientContext is the context key of caller.
type clientContext struct{}

// Resolve fills Client; huma calls it.
func (c *Client) Resolve(ctx huma.Context) []error {
	c.client, _ = ctx.Context().Value(clientContext{}).(caller)
	return nil
}

// caller reads who is at the far end of r. Forwarded headers count only if a trusted proxy
// sent them; of X-Forwarded-For the last address that is none of the proxies is the client.
func (a *API) caller(r *http.Request) caller {
	agent := r.UserAgent()
	c := caller{address: hostOf(r.RemoteAddr), userAgent: strings.ToValidUTF8(agent[:min(len(agent), 255)], ""), secure: r.TLS != nil}
	if public, err := url.Parse(a.PublicURL); err == nil && public.Scheme == "https" {
		c.secure = true
	}
	if !a.trusts(c.address) {
		return c
	}
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		c.secure = true
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		c.address = addr.Unmap().String()
		if !a.trusts(c.address) {
			break
		}
	}
	return c
}

func (a *API) trusts(address string) bool {
	addr, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(a.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String()
	}
	return host
}

// withRequest runs the rest of a middleware on a changed request and writer.
func withRequest(ctx huma.Context, r *http.Request, w http.ResponseWriter) huma.Context {
	return humago.NewContext(ctx.Operation(), r, w)
}
