package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"point"
	"point/internal/netguard"
)

// maxIdlePerHost keeps a connection for every request of a busy installation, so that none
// is made and closed again at each (net/http's default is 2).
const maxIdlePerHost = 2048

// Buffers of a connection, which thousands of open streams hold. A long prompt goes past the first
// one once its beginning has filled it, and a long answer past the second.
const (
	writeBuffer = 4 << 10
	readBuffer  = 8 << 10
)

// pingAfter is how long an HTTP/2 connection may be silent before it is asked whether it still
// lives; without an answer in as long again it is given up.
const pingAfter = 15 * time.Second

// pool says which connections a pool holds.
type pool struct {
	private bool          // to private addresses too
	connect time.Duration // how long one may take to be made
}

// defaultConnect is the default mapping's connect_ms.
var defaultConnect = milliseconds(point.DefaultMapping().Timeout.ConnectMS)

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// transport is the pool of connections to p for calls that wait so long for one.
func (g *Gateway) transport(p *point.Provider, connect time.Duration) *http.Transport {
	private := p.Config.AllowPrivate && g.options.AllowPrivate
	switch {
	case connect > 0 && connect != defaultConnect:
		return g.unusual(pool{private, connect})
	case private:
		return g.private
	default:
		return g.public
	}
}

// unusual is a pool whose connect_ms is not the default.
func (g *Gateway) unusual(key pool) *http.Transport {
	if known, ok := g.pools.Load(key); ok {
		return known.(*http.Transport)
	}
	known, _ := g.pools.LoadOrStore(key, newTransport(key, http.ProxyFromEnvironment))
	return known.(*http.Transport)
}

// newTransport is a connection pool to providers. It follows no redirect, asks for no
// compression, honours HTTPS_PROXY and friends, and never connects to an address that
// netguard refuses, by itself or by way of a proxy.
func newTransport(key pool, proxyOf func(*http.Request) (*url.URL, error)) *http.Transport {
	control := netguard.Control(key.private)
	exits := &proxies{of: proxyOf, refused: control}
	guarded := &net.Dialer{Timeout: key.connect, KeepAlive: 30 * time.Second, Control: control}
	toProxy := &net.Dialer{Timeout: key.connect, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: exits.proxy,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, ok := exits.own.Load(address); ok {
				return toProxy.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter},
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   key.connect,
		MaxIdleConns:          0, // bounded per host alone
		MaxIdleConnsPerHost:   maxIdlePerHost,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		WriteBufferSize:       writeBuffer,
		ReadBufferSize:        readBuffer,
	}
}

// proxies stand between Point and its providers where the operator's environment says so. Who
// set that may have them anywhere; what is asked for through them is guarded as if Point
// connected itself.
type proxies struct {
	of      func(*http.Request) (*url.URL, error)
	refused func(network, address string, _ syscall.RawConn) error
	own     sync.Map // host:port of each proxy in use
	checked sync.Map // host asked for -> verdict
}

// verdict is whether a host may be asked for, for a while.
type verdict struct {
	err   error
	until time.Time
}

const (
	verdictFor  = time.Minute
	lookupLimit = 2 * time.Second
)

// proxy is http.Transport's Proxy.
func (p *proxies) proxy(r *http.Request) (*url.URL, error) {
	exit, err := p.of(r)
	if exit == nil || err != nil {
		return exit, err
	}
	if err := p.check(r.Context(), r.URL.Hostname()); err != nil {
		return nil, err
	}
	port := exit.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[exit.Scheme]
	}
	if port == "" {
		port = "1080" // SOCKS
	}
	p.own.Store(net.JoinHostPort(exit.Hostname(), port), true)
	return exit, nil
}

// check refuses a host with an address that Point would not connect to. A name that does not
// resolve here is the proxy's to know: behind one, there is often no other name service.
func (p *proxies) check(ctx context.Context, host string) error {
	now := time.Now()
	if known, ok := p.checked.Load(host); ok && now.Before(known.(verdict).until) {
		return known.(verdict).err
	}
	v := verdict{err: p.judge(ctx, host), until: now.Add(verdictFor)}
	p.checked.Store(host, v)
	return v.err
}

func (p *proxies) judge(ctx context.Context, host string) error {
	if _, err := netip.ParseAddr(host); err != nil && endsInNumber(host) {
		return &point.Error{Code: point.UnsafeAddress, Message: "The host of base_url is an address in an unusual form; write it as four decimal numbers, or as a name."}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupLimit)
	defer cancel()
	addresses, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host) // a literal is itself
	for _, a := range addresses {
		if err := p.refused("tcp", netip.AddrPortFrom(a, 0).String(), nil); err != nil {
			return err
		}
	}
	return nil
}

// endsInNumber reports whether a host is no name but what a lenient parser takes for an IPv4
// address: a single number, parts in octal or hexadecimal, a dot behind.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	return last != "" && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == "")
}
