package monitor

import (
	"net/http"
	"net/netip"
	"testing"

	"point/internal/ssrftest"
)

// TestWebhooksLeadNowhereInside: a webhook with any spelling of a loopback, private or metadata
// address brings no connection about, nor does one that some other network is allowed for.
func TestWebhooksLeadNowhereInside(t *testing.T) {
	sink := ssrftest.NewSink(t)
	names := map[string][]string{
		"localhost": {"127.0.0.1,::1"}, "metadata.google.internal": {"169.254.169.254"}, "loop.example": {"127.0.0.1"}, "loop6.example": {"::1"},
		"mapped.example": {"::ffff:127.0.0.1"}, "nat64.example": {"64:ff9b::7f00:1"}, "both.example": {"192.0.2.1,127.0.0.1"}, "rebound.example": {"192.0.2.1", "127.0.0.1"},
	}
	ssrftest.UseNames(t, names)
	hosts := ssrftest.Hosts()
	for name := range names {
		hosts = append(hosts, name)
	}
	for _, allowed := range [][]netip.Prefix{nil, {netip.MustParsePrefix("192.168.77.0/24")}} {
		h := newHook(allowed)
		defer h.client.CloseIdleConnections()
		for _, host := range hosts {
			for _, scheme := range []string{"http", "https"} {
				for range 2 { // a name may lead elsewhere the second time
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, scheme+"://"+host+":"+sink.Port+"/hook", nil)
					if err != nil {
						continue
					}
					if reply, err := h.client.Do(r); err == nil {
						_ = reply.Body.Close()
						t.Errorf("%s was called", r.URL)
					}
				}
			}
		}
	}
	if n := sink.Came(); n != 0 {
		t.Errorf("%d connections came", n)
	}
}
