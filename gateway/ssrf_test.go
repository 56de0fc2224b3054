package gateway

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"point"
	"point/internal/ssrftest"
)

// send calls a provider whose base URL is as given, whoever saved it, with a short limit on
// the time to connect.
func send(t *testing.T, g *Gateway, base string, private bool) error {
	t.Helper()
	p := providerAt("")
	p.Config.BaseURL, p.Config.AllowPrivate = base, private
	call := callOf(t, chat)
	call.Snapshot.Default.Timeout.ConnectMS = 60
	reply, err := g.Send(t.Context(), point.Target{Provider: p, Model: "m"}, call)
	if reply != nil {
		_ = reply.Close()
	}
	return err
}

// TestNothingLeadsToThisMachine: a base URL with any spelling of a loopback, private or metadata
// address brings no connection about, whichever name service is asked.
func TestNothingLeadsToThisMachine(t *testing.T) {
	sink := ssrftest.NewSink(t)
	names := map[string][]string{
		"foo.localhost": {"127.0.0.1"}, "localhost": {"127.0.0.1,::1"}, "metadata.google.internal": {"169.254.169.254"},
		"loop.example": {"127.0.0.1"}, "loop6.example": {"::1"}, "private.example": {"10.0.0.1"}, "shared.example": {"100.64.0.1"},
		"mapped.example": {"::ffff:127.0.0.1"}, "nat64.example": {"64:ff9b::7f00:1"}, "sixtofour.example": {"2002:7f00:1::"}, "meta.example": {"169.254.169.254"},
		"both.example": {"192.0.2.1,127.0.0.1,::1"}, "rebound.example": {"192.0.2.1", "127.0.0.1"}, "rebound6.example": {"2001:db8::1", "::1"},
	}
	ssrftest.UseNames(t, names)
	hosts := ssrftest.Hosts()
	for name := range names {
		hosts = append(hosts, name, name+".")
	}
	g := newGateway(t, nil)
	count := 0
	for _, host := range hosts {
		for _, base := range []string{
			"http://" + host + ":" + sink.Port, "https://" + host + ":" + sink.Port, "http://user:pass@" + host + ":" + sink.Port + "/v1",
			"http://api.openai.com@" + host + ":" + sink.Port, "http://" + host + ":" + sink.Port + "#.openai.com", "http://" + host + ":" + sink.Port + "/..//",
		} {
			for range 2 { // a name may lead elsewhere the second time
				count++
				if err := send(t, g, base, false); err == nil {
					t.Errorf("%s was called", base)
				}
			}
		}
	}
	for _, scheme := range []string{"file", "gopher", "ftp", "dict", "ldap", "unix", "javascript", ""} {
		count++
		if err := send(t, g, scheme+"://127.0.0.1:"+sink.Port+"/x", true); err == nil {
			t.Errorf("%s:// was called", scheme)
		}
	}
	if n := sink.Came(); n != 0 {
		t.Errorf("%d connections came", n)
	}
	if err := send(t, g, "http://127.0.0.1:"+sink.Port, true); err == nil || sink.Came() == 0 {
		t.Error("the sink counts nobody", err)
	}
	t.Logf("%d calls", count)
}

// TestNoRedirectIsFollowed: a provider that answers with a redirect leads nowhere, its key
// goes nowhere, and what it says of it is an error.
func TestNoRedirectIsFollowed(t *testing.T) {
	sink := ssrftest.NewSink(t)
	var to atomic.Value
	var status, asked atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Location", to.Load().(string))
		w.WriteHeader(int(status.Load()))
	}))
	defer provider.Close()
	g := newGateway(t, nil)
	home := net.JoinHostPort("127.0.0.1", sink.Port)
	for _, code := range []int64{301, 302, 303, 307, 308} {
		for _, target := range []string{
			"http://" + home, "//" + home, "https://" + home, "http://169.254.169.254/latest", "file:///etc/passwd", "gopher://" + home + "/_x", "ftp://" + home,
			provider.URL + "/elsewhere", "/elsewhere", strings.Replace(provider.URL, "http:", "https:", 1),
		} {
			status.Store(code)
			to.Store(target)
			asked.Store(0)
			if err := send(t, g, provider.URL, true); err == nil || asked.Load() != 1 {
				t.Errorf("%d to %s: asked %d times, %v", code, target, asked.Load(), err)
			}
		}
	}
	if n := sink.Came(); n != 0 {
		t.Errorf("%d connections came", n)
	}
}
