package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBodiesAreKeptSealed: with POINT_BODIES=full what was said can be read and sent again, after
// a kill too, and no file holds it in the clear.
func TestBodiesAreKeptSealed(t *testing.T) {
	const canary = "the-canary-in-the-prompt"
	dir := t.TempDir()
	p := start(t, dir, "POINT_BODIES=full", "POINT_JOURNAL_INTERVAL=1h")
	body := `{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "say ` + canary + `"}]}`
	reply := p.send(t, "POST", "/v1/chat/completions", body, nil)
	if reply.StatusCode != http.StatusOK || !strings.Contains(reply.Text, canary) {
		t.Fatalf("%s: %s", reply.Status, reply.Text)
	}
	id := reply.Header.Get("X-Request-Id")
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}

	p = start(t, dir) // bodies that were kept stay readable when no more are
	api := p.signIn(t)
	api.record(t, id)
	var kept struct{ Request, Response string }
	decode(t, api.call(t, "GET", "/api/requests/"+id+"/bodies", ""), http.StatusOK, &kept)
	if kept.Request != body || !strings.Contains(kept.Response, canary) {
		t.Errorf("kept %q and %q", kept.Request, kept.Response)
	}
	var again struct {
		OK   bool
		Text string
	}
	decode(t, api.call(t, "POST", "/api/requests/"+id+"/replay", `{}`), http.StatusOK, &again)
	if !again.OK || !strings.Contains(again.Text, canary) {
		t.Errorf("sent again: %+v", again)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	inTheClear(t, dir, canary)
}

// inTheClear fails if a file under dir holds text.
func inTheClear(t *testing.T, dir, text string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s holds it in the clear", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
