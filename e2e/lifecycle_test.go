package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	setupLine = regexp.MustCompile(`(?m)^\s*set-up:\s+\S+token=(\S+)$`)
	keyLine   = regexp.MustCompile(`(?m)^\s*client key:\s+(pt-\S+)$`)
)

// withoutOwner starts Point as a user does the first time: nothing is given.
var withoutOwner = []string{"POINT_ADMIN_EMAIL=", "POINT_ADMIN_PASSWORD=", "POINT_BOOTSTRAP_KEY="}

// printed is what a pattern finds in the first lines of a process, empty for nothing.
func (p *process) printed(pattern *regexp.Regexp) string {
	m := pattern.FindStringSubmatch(p.output.String())
	if m == nil {
		return ""
	}
	return m[1]
}

// TestFirstMinute: the link makes the first owner, once; the shown key works; a second start
// has the same data and no link.
func TestFirstMinute(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, withoutOwner...)
	token, key := p.printed(setupLine), p.printed(keyLine)
	if token == "" || key == "" {
		t.Fatal(p.output.String())
	}
	owner := fmt.Sprintf(`{"token": %q, "email": %q, "password": %q}`, token, adminEmail, adminPassword)
	if reply := p.send(t, "POST", "/api/setup", strings.Replace(owner, token, "wrong", 1), nil); reply.StatusCode < 400 {
		t.Error("a wrong token works:", reply.Status, reply.Text)
	}
	if reply := p.send(t, "POST", "/api/setup", owner, nil); reply.StatusCode >= 300 {
		t.Fatal(reply.Status, reply.Text)
	}
	if reply := p.send(t, "POST", "/api/setup", owner, nil); reply.StatusCode < 400 {
		t.Error("the link works twice:", reply.Status)
	}
	before := p.signIn(t).providers(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}

	p = start(t, dir, withoutOwner...)
	if p.printed(setupLine) != "" || p.printed(keyLine) != key {
		t.Error("the second start shows a link or another key:", p.output.String())
	}
	after := p.signIn(t).providers(t)
	if len(before) != 3 || fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("providers before %v, after %v", before, after)
	}
	reply := p.send(t, "POST", chat, `{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "say seven swans"}]}`,
		map[string]string{"Authorization": "Bearer " + key})
	if reply.StatusCode != http.StatusOK || !strings.Contains(reply.Text, "seven swans") {
		t.Error(reply.Status, reply.Text)
	}
}

// providers maps the names of all providers to their ids.
func (c client) providers(t *testing.T) map[string]string {
	t.Helper()
	var list struct {
		Data []struct{ ID, Name string }
	}
	decode(t, c.call(t, "GET", "/api/providers", ""), http.StatusOK, &list)
	ids := map[string]string{}
	for _, p := range list.Data {
		ids[p.Name] = p.ID
	}
	return ids
}

// TestFile: what the file declares works, and is locked.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "point.yaml")
	yaml := fmt.Sprintf(`
providers:
  - name: mine
    provider: openai-compatible
    config: {base_url: %q, api_key_env: MY_KEY}
aliases:
  fast: mine/gpt-4o-mini
keys:
  - {name: ci, env: CI_KEY}
endpoints:
  - {path: /v1/images/generations, active: false}
settings:
  env_allow: [MY_KEY]
`, upstream(t)+"/openai/v1")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	const token = "ci-0123456789abcdef"
	p := start(t, t.TempDir(), "POINT_CONFIG="+file, "MY_KEY=anything", "CI_KEY="+token, "POINT_DEMO=false")
	ci := map[string]string{"Authorization": "Bearer " + token}
	reply := p.send(t, "POST", chat, `{"model": "fast", "messages": [{"role": "user", "content": "say seven swans"}]}`, ci)
	if reply.StatusCode != http.StatusOK || !strings.Contains(reply.Text, "seven swans") || reply.Header.Get("X-Point-Provider") != "mine" {
		t.Error(reply.Status, reply.Header, reply.Text)
	}
	if reply := p.send(t, "POST", "/v1/images/generations", `{"model": "gpt-image-1", "prompt": "a swan"}`, ci); reply.StatusCode != 404 || !strings.Contains(reply.Text, "endpoint_disabled") {
		t.Error(reply.Status, reply.Text)
	}
	owner := p.signIn(t)
	id := owner.providers(t)["mine"]
	if reply := owner.call(t, "DELETE", "/api/providers/"+id, ""); reply.StatusCode < 400 || !strings.Contains(reply.Text, "file") {
		t.Error("a declared provider can be deleted:", reply.Status, reply.Text)
	}
}

// upstream is the simulated services of the shared process, as their own base URL.
func upstream(t *testing.T) string {
	t.Helper()
	owner := point(t).signIn(t)
	var p struct {
		Config struct {
			BaseURL string `json:"base_url"`
		}
	}
	decode(t, owner.call(t, "GET", "/api/providers/"+owner.providers(t)["demo-openai"], ""), http.StatusOK, &p)
	return strings.TrimSuffix(p.Config.BaseURL, "/openai/v1")
}

// TestDrain: a stream that is open when Point is asked to stop runs to its end. An open console
// does not: it would hold the stop up for the whole time.
func TestDrain(t *testing.T) {
	p := start(t, t.TempDir(), "POINT_DRAIN=50s")
	watched := p.signIn(t).watch(t)
	body := `{"model": "demo-openai/gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "count to 60"}]}`
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.URL+chat, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bootstrapKey)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	stream := bufio.NewReader(reply.Body)
	if _, err := stream.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	if text := <-watched; !strings.HasPrefix(text, ": open") || time.Since(asked) > 20*time.Second {
		t.Errorf("the events ended after %s: %s", time.Since(asked), text)
	}
	var text strings.Builder
	done := false
	for !done {
		line, err := stream.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream is cut after %q: %v", text.String(), err)
		}
		done = line == "data: [DONE]\n"
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(data), &chunk) == nil && len(chunk.Choices) > 0 {
			text.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	if !strings.HasSuffix(text.String(), "59, 60") {
		t.Errorf("%q", text.String())
	}
	if err := p.ended(); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"msg=listening address=" + p.URL + " version=", "msg=stopping open_requests=1", "\nstopping: 1 request open; press Ctrl-C again to end at once\n", "msg=stopped"} {
		if !strings.Contains(p.output.String(), line) {
			t.Errorf("nothing says %q:\n%s", line, p.output.String())
		}
	}
}

// watch reads the live events to their end, and then sends what came.
func (c client) watch(t *testing.T) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", c.URL+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	reply, err := http.DefaultClient.Do(r)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatal(reply, err)
	}
	text := make(chan string, 1)
	go func() {
		defer reply.Body.Close()
		all, _ := io.ReadAll(reply.Body) // however it ends
		text <- string(all)
	}()
	return text
}

// TestWatching: what an operator's tools look at.
func TestWatching(t *testing.T) {
	p := point(t)
	for path, want := range map[string]string{
		"/healthz": "", "/readyz": "", "/metrics": "# TYPE point_", "/api/openapi.json": `"openapi": "3.1`, "/": "<!doctype html>",
	} {
		reply := p.send(t, "GET", path, "", nil)
		if reply.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(reply.Text), strings.ToLower(want)) {
			t.Errorf("%s: %s %.200s", path, reply.Status, reply.Text)
		}
	}
}

// TestDoctorBesideARunningPoint: the address is taken by Point itself, which is no finding.
func TestDoctorBesideARunningPoint(t *testing.T) {
	p := point(t)
	doctor := exec.Command(filepath.Join(binDir, "point"), "doctor", "--listen="+strings.TrimPrefix(p.URL, "http://"), "--data-dir="+p.Dir)
	doctor.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := doctor.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Point runs already and answers at "+p.URL) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestBootstrapKeyIsNotRevoked: it would be back with the next start.
func TestBootstrapKeyIsNotRevoked(t *testing.T) {
	p := point(t)
	revoke := exec.Command(filepath.Join(binDir, "point"), "key", "revoke", "bootstrap", "--data-dir="+p.Dir)
	revoke.Env = []string{"PATH=" + os.Getenv("PATH")}
	if out, err := revoke.CombinedOutput(); err == nil || !strings.Contains(string(out), "POINT_BOOTSTRAP_KEY. Take the variable away") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnpriced: a model without a known price costs null, never 0, and raises an alert.
func TestUnpriced(t *testing.T) {
	p := point(t)
	reply := p.send(t, "POST", chat, `{"model": "demo-openai/brand-new-model", "messages": [{"role": "user", "content": "Hello"}]}`, nil)
	if reply.StatusCode != http.StatusOK {
		t.Fatal(reply.Status, reply.Text)
	}
	owner := p.signIn(t)
	if r := owner.record(t, reply.Header.Get("X-Request-Id")); r.Cost != nil || r.TokensOutput == nil {
		t.Errorf("%+v", r)
	}
	eventually(t, "the alert", func() bool {
		return strings.Contains(owner.call(t, "GET", "/api/alerts", "").Text, "brand-new-model")
	})
}
