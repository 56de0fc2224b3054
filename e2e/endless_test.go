package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// slowBodies makes TestSlowBodies wait for the limits of those who are let in too, 20 s on /v1 and
// 30 s on /api, and TestEndlessBodies go on for longer.
var slowBodies = flag.Bool("e2e.slow", false, "wait until slow bodies of those who are let in are cut, and send many that have no end")

// hostileUpload is a request whose body never ends, and what is to come of it.
type hostileUpload struct {
	name, path, credential string
	endless, slow          string // statuses
	letIn                  bool   // the body is read
}

// uploads are such requests; token is an owner's.
func uploads(token string) []hostileUpload {
	return []hostileUpload{
		{"chat", chat, bootstrapKey, "413", "408", true},
		{"chat with a wrong key", chat, "pt-wrong", "401", "401", false},
		{"a path that is none", "/v1/nothing", bootstrapKey, "404", "404", false},
		{"models", "/v1/models", bootstrapKey, "405", "405", false},
		{"sign-in", "/api/auth/login", "", "413", "408", true},
		{"import", "/api/configs/import", token, "413", "408", true},
		{"import by nobody", "/api/configs/import", "wrong", "401", "401", false},
		{"metrics", "/metrics", "", "200", "200", false},
		{"the console", "/", "", "405", "405", false},
	}
}

// maxSent is more than is read of any body: POINT_MAX_BODY, and what lies in buffers on the way.
const maxSent = 128 << 20

// upload sends chunks until the connection is closed, each after a pause. It returns the status that
// came, how much was sent, and how long it took.
func (p *process) upload(t *testing.T, u hostileUpload, chunk []byte, pause time.Duration) (status string, sent int, took time.Duration) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Error(err)
		return "", 0, 0
	}
	defer conn.Close()
	start, answered := time.Now(), make(chan []byte, 1)
	go func() {
		answer, _ := io.ReadAll(conn) // a reset ends it too
		answered <- answer
	}()
	tick := time.NewTicker(max(pause, time.Nanosecond))
	defer tick.Stop()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n", u.path, u.credential)
	for err == nil && sent < maxSent && time.Since(start) < startLimit {
		var n int
		n, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", len(chunk), chunk)
		sent += n
		<-tick.C
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer := <-answered
	status, _, _ = strings.Cut(strings.TrimPrefix(string(answer), "HTTP/1.1 "), " ")
	return status, sent, time.Since(start)
}

// TestEndlessBodies: a body without an end is read to its limit and no further, the connection is
// closed, and what it took is given back: more rounds take no more memory than two.
func TestEndlessBodies(t *testing.T) {
	p := start(t, t.TempDir(), "POINT_MAX_BODY=8MiB")
	token := p.signIn(t).token
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	answered := map[string]bool{}
	early, rounds := 0, 4
	if *slowBodies {
		rounds = 50
	}
	for round := range rounds {
		for _, u := range uploads(token) {
			status, sent, _ := p.upload(t, u, chunk, 0)
			if status != u.endless && status != "" || sent >= maxSent { // a reset may overtake the answer
				t.Errorf("%s: %q after %d bytes", u.name, status, sent)
			}
			answered[u.name] = answered[u.name] || status != ""
		}
		if round == 1 {
			early = p.peak(t)
		}
	}
	for _, u := range uploads(token) {
		if !answered[u.name] {
			t.Errorf("%s is never answered", u.name)
		}
	}
	late := p.peak(t)
	if late > early+16<<20 {
		t.Error("memory grows")
	}
	t.Logf("at most %d MiB after 2 rounds, %d after %d", early>>20, late>>20, rounds)
}

// TestSlowBodies: of a byte a second nobody waits for more than the limit, and where no body is read
// for a second alone.
func TestSlowBodies(t *testing.T) {
	p := start(t, t.TempDir())
	for _, u := range uploads(p.signIn(t).token) {
		if u.letIn && !*slowBodies {
			continue
		}
		t.Run(u.name, func(t *testing.T) {
			t.Parallel()
			status, sent, took := p.upload(t, u, []byte("x"), 500*time.Millisecond)
			if limit := 10 * time.Second; status != u.slow && status != "" || !u.letIn && took > limit || took > startLimit {
				t.Errorf("%q after %s", status, took)
			}
			t.Logf("%s after %s and %d bytes", status, took.Round(time.Millisecond), sent)
		})
	}
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that the process has held, in bytes.
func (p *process) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := peakLine.FindSubmatch(status)
	if m == nil {
		t.Fatalf("no peak in %s", status)
	}
	kilobytes, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
