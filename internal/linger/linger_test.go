package linger_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"point/internal/linger"
)

// TestUnread: who sends a body that nobody reads, a byte at a time, is answered and sent away; who
// sends none, or all of it, goes on with the connection.
func TestUnread(t *testing.T) {
	s := httptest.NewServer(linger.Unread(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000)) // more than is held back until the end
	})))
	t.Cleanup(s.Close)
	for name, c := range map[string]struct {
		head   string
		closed bool
	}{
		"promised": {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", true},
		"chunked":  {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", true},
		"none":     {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"whole":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, c.head)
			_ = conn.SetReadDeadline(time.Now().Add(3 * linger.Time))
			answer, err := io.ReadAll(conn)
			ne, ok := err.(net.Error)
			if open := ok && ne.Timeout(); !strings.HasPrefix(string(answer), "HTTP/1.1 200") || open == c.closed {
				t.Errorf("%.100s, %v", answer, err)
			}
		})
	}
}
