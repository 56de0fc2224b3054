package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"point"
	"point/internal/netguard"
)

// TestAProxyIsNoWayAround: what Point would not connect to, it does not ask a proxy for. The
// proxy itself may live at a private address: the operator said so.
func TestAProxyIsNoWayAround(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, "through")
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	transports := map[bool]*http.Transport{}
	for _, private := range []bool{false, true} {
		transports[private] = newTransport(pool{private, time.Second}, http.ProxyURL(at))
		defer transports[private].CloseIdleConnections()
	}
	tests := []struct {
		url              string
		public, privates bool // whether the pool may ask for it
	}{
		{"http://169.254.169.254/latest/meta-data", false, false},
		{"http://[fe80::1]/", false, false},
		{"http://[::ffff:a9fe:a9fe]/", false, false},
		{"http://2852039166/", false, false},
		{"http://0xa9.0xfe.0xa9.0xfe/", false, false},
		{"http://0251.0376.0251.0376/", false, false},
		{"http://169.254.169.254./", false, false},
		{"http://10.1.2.3/", false, true},
		{"http://127.0.0.1:1/", false, true},
		{"http://8.8.8.8/", true, true},
	}
	for _, test := range tests {
		for private, transport := range transports {
			want := test.public && !private || test.privates && private
			asked.Store(0)
			request, _ := http.NewRequest(http.MethodGet, test.url, nil)
			response, err := transport.RoundTrip(request)
			if err == nil {
				response.Body.Close()
			}
			var known *point.Error
			var refused *netguard.AddressError
			if got := err == nil && asked.Load() == 1; got != want || !want && !errors.As(err, &refused) && !errors.As(err, &known) {
				t.Errorf("%s, private %v: %v, asked %d times", test.url, private, err, asked.Load())
			}
		}
	}
}

// TestConnectTimeIsTheMappings: each connect_ms has connections of its own, made in that time.
func TestConnectTimeIsTheMappings(t *testing.T) {
	g := newGateway(t, nil)
	p := providerAt("http://host")
	if g.transport(p, defaultConnect) != g.private || g.transport(p, 0) != g.private {
		t.Error("the usual pool is not used")
	}
	quick := g.transport(p, 7*time.Millisecond)
	if quick == g.private || quick != g.transport(p, 7*time.Millisecond) || quick.TLSHandshakeTimeout != 7*time.Millisecond {
		t.Error("connect_ms has no pool of its own")
	}
	p.Config.AllowPrivate = false
	if g.transport(p, defaultConnect) != g.public || g.transport(p, 7*time.Millisecond) == quick {
		t.Error("private and public addresses share a pool")
	}
	call := callOf(t, chat)
	call.Snapshot.Default.Timeout.ConnectMS = 11
	_, _ = g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, call)
	if _, ok := g.pools.Load(pool{false, 11 * time.Millisecond}); !ok {
		t.Error("a call takes no notice of its mapping's connect_ms")
	}
}
