package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"point/mock"
)

// hosted are models of simulated services that demo mode does without.
var hosted = []string{"bedrock/amazon.nova-lite-v1:0", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "cohere/command-a-03-2025"}

// hosting is one process that has them, for all tests that leave no trace in others.
var hosting hostingProcess

type hostingProcess struct {
	sharedProcess
	end func() // of the simulated services
}

// servedBy is the shared process that has a model.
func servedBy(t *testing.T, model string) *process {
	t.Helper()
	provider, _, named := strings.Cut(model, "/")
	if !named || strings.HasPrefix(provider, "demo-") {
		return point(t)
	}
	hosting.once.Do(func() { hosting.err = hosting.launch() })
	if hosting.err != nil {
		t.Fatal(hosting.err)
	}
	return hosting.process
}

func (h *hostingProcess) launch() (err error) {
	if h.dir, err = os.MkdirTemp("", "point-e2e-hosts-"); err != nil {
		return err
	}
	base, end, err := mock.New(mock.Options{}).Start(context.Background(), "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.end = end
	file := filepath.Join(h.dir, "point.yaml")
	yaml := fmt.Sprintf(`
settings: {env_allow: [SIM_KEY]}
providers:
  - name: bedrock
    provider: bedrock
    config: {base_url: %[1]s/bedrock, region: us-east-1, access_key_id: %[2]s, secret_access_key: %[3]s}
  - name: bedrock-wrong
    provider: bedrock
    config: {base_url: %[1]s/bedrock, region: us-east-1, access_key_id: %[2]s, secret_access_key: wrong}
  - name: cohere
    provider: cohere
    config: {base_url: %[1]s/cohere, api_key_env: SIM_KEY}
`, base, mock.AccessKeyID, mock.SecretAccessKey)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		return err
	}
	h.process, err = launch(filepath.Join(h.dir, "data"), "POINT_DEMO=false", "POINT_CONFIG="+file, "SIM_KEY=sim-0123456789")
	return err
}

func (h *hostingProcess) stop() error {
	if h.end == nil {
		return nil
	}
	defer h.end()
	return errors.Join(h.sharedProcess.stop(), os.RemoveAll(h.dir))
}

// TestHostedLists: discovery reads what can be called from both lists of Bedrock, signed, and Cohere's.
func TestHostedLists(t *testing.T) {
	p := servedBy(t, hosted[0])
	eventually(t, "the lists of models", func() bool {
		reply := p.send(t, "GET", "/v1/models", "", nil)
		for _, id := range append([]string{"bedrock/us.amazon.nova-micro-v1:0", "cohere/embed-v4.0"}, hosted...) {
			if !strings.Contains(reply.Text, `"`+id+`"`) {
				return false
			}
		}
		return !strings.Contains(reply.Text, "/anthropic.claude")
	})
}

func TestHostedRerank(t *testing.T) {
	var reply struct {
		Results []struct {
			Index int
			Score float64 `json:"relevance_score"`
		}
	}
	body := `{"model": "cohere/rerank-v3.5", "query": "a river", "documents": ["a hill", "a river"], "top_n": 1}`
	decode(t, servedBy(t, "cohere/").send(t, "POST", "/v1/rerank", body, nil), http.StatusOK, &reply)
	if len(reply.Results) != 1 || reply.Results[0].Index != 1 || reply.Results[0].Score < 0.9 {
		t.Errorf("%+v", reply)
	}
}

// TestHostedSignature: a secret that is not the access key's is the operator's matter.
func TestHostedSignature(t *testing.T) {
	p := servedBy(t, hosted[0])
	const body = `{"model": "bedrock-wrong/amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": "say seven swans"}]}`
	reply := p.send(t, "POST", chat, body, nil)
	if reply.StatusCode != http.StatusBadGateway || !strings.Contains(reply.Text, "provider_credentials") || strings.Contains(reply.Text, "signature") {
		t.Error(reply.Status, reply.Text)
	}
}
