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
	header, text, err := p.post("/v1/chat/completions", body)
	switch {
	case err != nil:
		return "", err
	case stream && !strings.HasSuffix(text, "data: [DONE]\n\n"):
		return "", fmt.Errorf("the stream is cut: %s", text)
	}
	return header.Get("X-Request-Id"), nil
}

// post sends a request with the bootstrap key and reads the answer to its end, outside of a
// test's goroutine. Any status but 200 is an error.
func (p *process) post(path, body string) (header http.Header, text string, err error) {
	r, err := http.NewRequest("POST", p.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Authorization", "Bearer "+bootstrapKey)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer reply.Body.Close()
	all, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", reply.Status, all)
	}
	return reply.Header, string(all), err
}
