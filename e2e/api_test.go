package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// client is a signed-in user of /api.
type client struct {
	*process
	token string
}

// signIn signs the first owner in.
func (p *process) signIn(t *testing.T) client {
	t.Helper()
	body := fmt.Sprintf(`{"email": %q, "password": %q}`, adminEmail, adminPassword)
	reply := p.send(t, "POST", "/api/auth/login", body, map[string]string{"Authorization": ""})
	var token struct {
		AccessToken string `json:"access_token"`
	}
	decode(t, reply, http.StatusOK, &token)
	return client{p, token.AccessToken}
}

func (c client) call(t *testing.T, method, path, body string) answer {
	t.Helper()
	return c.send(t, method, path, body, map[string]string{"Authorization": "Bearer " + c.token})
}

// record is what the tests read of a request.
type record struct {
	ID           string  `json:"id"`
	Status       int     `json:"status"`
	Outcome      string  `json:"outcome"`
	Provider     string  `json:"provider"`
	Model        string  `json:"model"`
	ErrorCode    string  `json:"error_code"`
	TokensInput  *int64  `json:"tokens_input"`
	TokensOutput *int64  `json:"tokens_output"`
	Cost         *string `json:"cost"`
	TTFT         *int64  `json:"ttft"`
	Stream       bool    `json:"stream"`
	Attempts     []struct {
		Provider string `json:"provider"`
		Status   int    `json:"status"`
	} `json:"attempts"`
}

// record waits for the record of a request and gives it.
func (c client) record(t *testing.T, id string) (r record) {
	t.Helper()
	eventually(t, "the record of "+id, func() bool {
		reply := c.call(t, "GET", "/api/requests/"+id, "")
		if reply.StatusCode != http.StatusOK {
			return false
		}
		decode(t, reply, http.StatusOK, &r)
		return true
	})
	return r
}

// records gives all records, newest first.
func (c client) records(t *testing.T) (all []record) {
	t.Helper()
	for page := 1; ; page++ {
		var list struct {
			Data []record `json:"data"`
			More bool     `json:"more"`
		}
		decode(t, c.call(t, "GET", fmt.Sprintf("/api/requests?limit=100&page=%d", page), ""), http.StatusOK, &list)
		all = append(all, list.Data...)
		if len(list.Data) < 100 {
			return all
		}
	}
}

func decode(t *testing.T, reply answer, status int, to any) {
	t.Helper()
	if reply.StatusCode != status {
		t.Fatalf("%s: %s, want %d\n%s", reply.Request.URL, reply.Status, status, reply.Text)
	}
	if err := json.Unmarshal([]byte(reply.Text), to); err != nil {
		t.Fatalf("%s: %v\n%s", reply.Request.URL, err, reply.Text)
	}
}
