package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestBudgetOutlivesAKill: what a key has spent counts after kill -9, when the records are in
// the journal alone.
func TestBudgetOutlivesAKill(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "POINT_JOURNAL_INTERVAL=1h")
	api := p.signIn(t)
	var key struct{ ID, Token string }
	decode(t, api.call(t, "POST", "/api/keys", `{"name": "bounded", "limits": {"rpm": 1000, "budget_day": "0.0008"}}`), http.StatusCreated, &key)

	spend := func(p *process) answer {
		body := `{"model": "gpt-4o-mini", "max_tokens": 500, "messages": [{"role": "user", "content": "say ` + strings.Repeat("word ", 300) + `"}]}`
		return p.send(t, "POST", "/v1/chat/completions", body, map[string]string{"Authorization": "Bearer " + key.Token})
	}
	served := 0
	for ; served < 100; served++ {
		reply := spend(p)
		if reply.StatusCode == http.StatusOK && reply.Header.Get("X-Ratelimit-Limit-Requests") == "1000" {
			continue
		}
		if reply.StatusCode != http.StatusTooManyRequests || !strings.Contains(reply.Text, "key_budget_exceeded") {
			t.Fatalf("%s: %s %v", reply.Status, reply.Text, reply.Header)
		}
		break
	}
	if served == 0 || served == 100 {
		t.Fatalf("%d requests were served", served)
	}
	before := usage(t, api, key.ID)
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}

	p = start(t, dir)
	if reply := spend(p); reply.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after a restart: %s %s", reply.Status, reply.Text)
	}
	api = p.signIn(t)
	if after := usage(t, api, key.ID); after != before || before == "0" {
		t.Errorf("spent %s USD before the restart, %s after it", before, after)
	}
	decode(t, api.call(t, "PUT", "/api/keys/"+key.ID, `{"limits": {"budget_day": "1"}}`), http.StatusOK, &key)
	if reply := spend(p); reply.StatusCode != http.StatusOK {
		t.Errorf("after the budget was raised: %s %s", reply.Status, reply.Text)
	}
}

// usage is what a key has spent today.
func usage(t *testing.T, api client, id string) string {
	t.Helper()
	var key struct{ Usage struct{ Day, Month string } }
	decode(t, api.call(t, "GET", "/api/keys/"+id, ""), http.StatusOK, &key)
	if key.Usage.Day != key.Usage.Month {
		t.Errorf("usage %+v", key.Usage)
	}
	return key.Usage.Day
}
