package gateway

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"point/internal/netguard"
)

// maxIdlePerHost keeps a connection for every request of a busy installation, so that none
// is made and closed again at each (net/http's default is 2).
const maxIdlePerHost = 2048

// Buffers of a connection. A prompt of 100 KB takes few writes; answers are read into larger
// buffers past this one, or event by event, and thousands of open streams hold theirs.
const (
	writeBuffer = 32 << 10
	readBuffer  = 8 << 10
)

// newTransport is a connection pool to providers. It follows no redirect, asks for no
// compression, honours HTTPS_PROXY and friends, and never connects to an address that
// netguard refuses.
func newTransport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{
		Timeout:   5 * time.Second,
		KeepAlive: 30 * time.Second,
		Control:   netguard.Control(allowPrivate),
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   5 * time.Second,
		MaxIdleConns:          0, // bounded per host alone
		MaxIdleConnsPerHost:   maxIdlePerHost,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		WriteBufferSize:       writeBuffer,
		ReadBufferSize:        readBuffer,
	}
}
