package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestKilled: whoever has the last byte of an answer finds its record after kill -9, once.
func TestKilled(t *testing.T) {
	const clients, each = 8, 25
	dir := t.TempDir()
	// The journal is not moved while requests run, so that the kill finds all of it waiting.
	p := start(t, dir, "POINT_JOURNAL_INTERVAL=1h")
	answered := make(chan string, clients*each)
	var wait sync.WaitGroup
	for c := range clients {
		wait.Go(func() {
			for i := range each {
				id, err := p.ask(fmt.Sprintf("client %d request %d", c, i), i%2 == 1)
				if err != nil {
					t.Error(err)
					return
				}
				answered <- id
			}
		})
	}
	wait.Wait()
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	close(answered)

	api := start(t, dir).signIn(t)
	seen := map[string]int{}
	eventually(t, "all records in the database", func() bool {
		clear(seen)
		for _, r := range api.records(t) {
			seen[r.ID]++
		}
		return len(seen) >= clients*each
	})
	for id := range answered {
		if seen[id] != 1 {
			t.Errorf("request %s is there %d times", id, seen[id])
		}
	}
}

// ask sends one chat request and reads the answer to its end; it gives the request's id.
func (p *process) ask(prompt string, stream bool) (id string, err error) {
	body := fmt.Sprintf(`{"model": "gpt-4o-mini", "stream": %v, "messages": [{"role": "user", "content": "say %s"}]}`, stream, prompt)
	r, err := http.NewRequest("POST", p.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+bootstrapKey)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	switch {
	case err != nil:
		return "", err
	case reply.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s: %s", reply.Status, text)
	case stream && !strings.HasSuffix(string(text), "data: [DONE]\n\n"):
		return "", fmt.Errorf("the stream is cut: %s", text)
	}
	return reply.Header.Get("X-Request-Id"), nil
}
