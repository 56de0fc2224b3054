package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestEqualRequests: an operator has answers kept and embeddings joined; a developer sees who
// answered, and the history what it cost.
func TestEqualRequests(t *testing.T) {
	p := start(t, t.TempDir())
	api := p.signIn(t)
	var endpoints struct {
		Data []struct{ ID, Path string }
	}
	decode(t, api.call(t, "GET", "/api/endpoints", ""), http.StatusOK, &endpoints)
	mappings := map[string]string{
		"/v1/chat/completions": `{"mapping": {"cache": {"mode": "exact"}}}`,
		"/v1/embeddings":       `{"mapping": {"batch": {"enabled": true, "window_ms": 20000, "max_inputs": 10}}}`,
	}
	for _, e := range endpoints.Data {
		if mapping := mappings[e.Path]; mapping != "" {
			if reply := api.call(t, "PUT", "/api/endpoints/"+e.ID, mapping); reply.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s", e.Path, reply.Text)
			}
		}
	}
	kept(t, p, api)
	joined(t, p)
}

// kept asks the same in two ways, twice.
func kept(t *testing.T, p *process, api client) {
	for _, stream := range []string{"", `"stream": true, "stream_options": {"include_usage": true}, `} {
		body := `{` + stream + `"model": "demo-anthropic/claude-sonnet-4-5", "messages": [{"role": "user", "content": "Say hello"}]}`
		first, again := p.send(t, "POST", "/v1/chat/completions", body, nil), p.send(t, "POST", "/v1/chat/completions", body, nil)
		if first.Header.Get("X-Point-Cache") != "miss" || again.Header.Get("X-Point-Cache") != "hit" || again.Header.Get("X-Point-Provider") != "demo-anthropic" {
			t.Errorf("first %v, again %v", first.Header, again.Header)
		}
		if text, _, _ := strings.Cut(first.Text, `"usage"`); len(text) < 50 || !strings.HasPrefix(again.Text, text) || !strings.Contains(again.Text, `"cost":0,`) {
			t.Errorf("first %s\nagain %s", first.Text, again.Text)
		}
		id := again.Header.Get("X-Request-Id")
		var r struct {
			CacheHit bool    `json:"cache_hit"`
			Cost     *string `json:"cost"`
			Provider string  `json:"provider"`
		}
		eventually(t, "the record of "+id, func() bool { return api.call(t, "GET", "/api/requests/"+id, "").StatusCode == http.StatusOK })
		decode(t, api.call(t, "GET", "/api/requests/"+id, ""), http.StatusOK, &r)
		if !r.CacheHit || r.Cost == nil || *r.Cost != "0" || r.Provider != "demo-anthropic" {
			t.Errorf("%+v", r)
		}
	}
}

// joined asks for ten embeddings at once: one request of the provider answers them.
func joined(t *testing.T, p *process) {
	var mu sync.Mutex
	asked := map[string]int{}
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			reply := p.send(t, "POST", "/v1/embeddings", fmt.Sprintf(`{"model": "text-embedding-3-small", "dimensions": 3, "input": "text %d"}`, i), nil)
			if reply.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", reply.Status, reply.Text)
			}
			mu.Lock()
			defer mu.Unlock()
			asked[reply.Header.Get("X-Point-Upstream-Request-Id")]++
		})
	}
	all.Wait()
	if len(asked) != 1 {
		t.Errorf("asked %v", asked)
	}
}
