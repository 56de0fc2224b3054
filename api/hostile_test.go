package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"point"
)

// hostileBodies are bodies that no route takes.
func hostileBodies() map[string]string {
	keys := new(strings.Builder)
	for i := 0; keys.Len() < maxBody-20; i++ {
		fmt.Fprintf(keys, `"%x":0,`, i)
	}
	return map[string]string{
		"a byte too many":   `{"a":"` + strings.Repeat("x", maxBody-7) + `"}`,
		"65 levels":         strings.Repeat(`[`, point.MaxDepth+1) + strings.Repeat(`]`, point.MaxDepth+1),
		"100,000 levels":    strings.Repeat(`{"a":`, 100_000),
		"as many names":     `{` + keys.String() + `"z":0}`,
		"a name twice":      `{"zq":1,"zq":2}`,
		"1e400":             `{"zq":1e400}`,
		"half a surrogate":  `{"zq":"\ud800"}`,
		"invalid UTF-8":     "{\"zq\":\"\xff\"}",
		"NUL":               `{"zq":"\u0000"}`,
		"half an object":    `{"zq":`,
		"two values":        `{} {}`,
		"what is no object": `7`,
		"no JSON":           `zq`,
	}
}

// TestHostileBodies sends each to every route that takes a body, of a size that is told and one that
// is not: each is refused with a Problem, and nothing is changed.
func TestHostileBodies(t *testing.T) {
	w := newFullWorld(t)
	w.quiet = true
	version := w.store.Snapshot().Version
	bodies, count, routes := hostileBodies(), 0, 0
	for _, o := range w.doc.operations {
		if o.body() == nil {
			continue
		}
		routes++
		for name, body := range bodies {
			if len(body) > 1000 && routes%times(18, 1) != 0 && o.path != "/api/configs/import" {
				continue // the large ones at few of the routes, unless all are asked for
			}
			for _, size := range []int64{int64(len(body)), -1} {
				count++
				w.hostile(o, name, body, size, "")
			}
		}
		count++
		w.hostile(o, "gzip", "\x1f\x8b\x08", 3, "gzip")
	}
	if got := w.store.Snapshot().Version; got != version {
		t.Errorf("the configuration went from version %d to %d", version, got)
	}
	if count < 80 {
		t.Errorf("%d cases alone", count)
	}
	t.Logf("%d bodies to %d routes", count, routes)
}

func (w *fullWorld) hostile(o *operation, name, body string, size int64, encoding string) {
	w.t.Helper()
	c := call{op: o, path: w.fill(o), token: w.tokens[point.RoleOwner], raw: body}
	r := c.request()
	r.ContentLength = size
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	a := w.send(r)
	refusals := []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}
	if !slices.Contains(refusals, a.status) || a.header.Get("Content-Type") != "application/problem+json" {
		w.t.Errorf("%s, %s of size %d: %d %.300s", o, name, size, a.status, a.body)
	}
}

// serve serves w's API over TCP.
func (w *world) serve() *httptest.Server {
	s := httptest.NewServer(w.handler)
	w.t.Cleanup(s.Close)
	return s
}

// dribble sends a request whose body never ends: pieces, with a pause after each. It is the status
// that comes, and the time until the connection is closed.
func dribble(t *testing.T, s *httptest.Server, head, piece string, pause time.Duration) (status string, took time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	go func() {
		_, err := io.WriteString(conn, head)
		tick := time.NewTicker(max(pause, time.Nanosecond))
		defer tick.Stop()
		for err == nil {
			_, err = io.WriteString(conn, piece)
			<-tick.C
		}
	}()
	_ = conn.SetReadDeadline(start.Add(10 * time.Second))
	answer, err := io.ReadAll(conn)
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Fatalf("it is not cut: %q", answer)
	}
	status, _, _ = strings.Cut(strings.TrimPrefix(string(answer), "HTTP/1.1 "), " ")
	return status, time.Since(start)
}

// TestSlowBodies: a body that comes a byte at a time is cut, whoever sends it, and a large one that
// is on its way keeps no other waiting.
func TestSlowBodies(t *testing.T) {
	w := newWorld(t).withUsers()
	w.api.bodyTime = 300 * time.Millisecond
	s := w.serve()
	head := func(path, length, more string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + length + "\r\n" + more + "\r\n"
	}
	signed := "Authorization: Bearer " + w.tokens[point.RoleOwner] + "\r\n"
	for name, c := range map[string]struct{ head, status string }{
		"of nobody":      {head("/api/auth/login", "1000", ""), "408"},
		"not let in":     {head("/api/providers", "1000", ""), "401"},
		"small":          {head("/api/providers", "1000", signed), "408"},
		"repeatable":     {head("/api/providers", "1000", signed+"Idempotency-Key: 0123456789abcdef\r\n"), "408"},
		"refused unread": {strings.Replace(head("/api/auth/login", "1000", ""), "application/json", "text/plain", 1), "415"},
		"never read":     {strings.Replace(head("/api/openapi.json", "1000", ""), "POST", "GET", 1), "200"},
		"a large import": {head("/api/configs/import", "1000000", signed), "408"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, took := dribble(t, s, c.head, " ", 20*time.Millisecond); status != c.status || took > 5*time.Second {
				t.Errorf("%s after %s", status, took)
			}
		})
	}
}

// upload begins a large import of a role's user that ends when the test does; it returns when it is
// being read.
func (w *world) upload(role string) {
	w.t.Helper()
	slow, stop := io.Pipe()
	arrives := make(chan struct{})
	go func() {
		defer close(arrives)
		r := request(http.MethodPost, "/api/configs/import", w.tokens[role], "")
		r.Body, r.ContentLength = slow, -1
		r.Header.Set("Content-Type", "application/json")
		w.handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	w.t.Cleanup(func() {
		_ = stop.Close()
		<-arrives
	})
	if _, err := stop.Write([]byte("{")); err != nil {
		w.t.Fatal(err)
	}
}

// large sends an import of a size that is not told.
func (w *world) large(role string) answer {
	w.t.Helper()
	r := request(http.MethodPost, "/api/configs/import", w.tokens[role], "{}")
	r.ContentLength = -1
	return w.send(r)
}

// TestLargeBodiesDoNotWait: who sends a large body slowly keeps no other one waiting, and has two
// of the places at most: two people fill them all.
func TestLargeBodiesDoNotWait(t *testing.T) {
	w := newWorld(t).withUsers()
	w.api.MaxBody = 4 << 20
	const taken = http.StatusUnprocessableEntity // read, and found to hold nothing
	w.upload(owned)
	if a := w.large(owned); a.status != taken {
		t.Error("beside a slow one of one's own", a)
	}
	w.upload(owned)
	if a := w.large(owned); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "of yours are arriving") || a.header.Get("Retry-After") == "" {
		t.Error("a third one", a)
	}
	if a := w.large(point.RoleAdmin); a.status != taken {
		t.Error("somebody else's", a)
	}
	w.api.arriving.queue = time.Millisecond
	w.upload(point.RoleAdmin)
	w.upload(point.RoleAdmin)
	other := w.user("other", func(u *point.User) {})
	w.tokens["other"] = w.signIn(other)
	if a := w.large("other"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "Too many large bodies") {
		t.Error("when all places are taken", a)
	}
	if n := w.api.arriving.of[other.ID]; n != 0 {
		t.Errorf("%d places are kept for who was sent away", n)
	}
}

// TestPublicBodiesAreSmall: who need not be known sends little, of a size that is told or not,
// whatever credential comes with it.
func TestPublicBodiesAreSmall(t *testing.T) {
	w := newWorld(t).withUsers()
	routes := 0
	for _, r := range w.api.routes() {
		if r.permission != Public || r.method == http.MethodGet {
			continue
		}
		routes++
		for _, told := range []bool{true, false} {
			if !told && (r.path == "/api/auth/refresh" || r.path == "/api/auth/logout") {
				continue // they read none
			}
			for _, over := range []int{0, 1} {
				body := `{"zq":"` + strings.Repeat("x", maxPublicBody-9+over) + `"}`
				request := request(r.method, r.path, w.tokens[owned], body)
				if !told {
					request.ContentLength = -1
				}
				if a := w.send(request); (a.status == http.StatusRequestEntityTooLarge) != (over == 1) {
					t.Errorf("%s %s, %d bytes, told %v: %d", r.method, r.path, len(body), told, a.status)
				}
			}
		}
	}
	if routes < 4 {
		t.Errorf("%d routes", routes)
	}
}
