package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sigv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"point"
	"point/internal/awsframes"
)

const (
	awsModel  = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x"
	awsSecret = "wJalrXUtnFEMIK7MDENGbPxRfiCYsecretkey1"
	awsChat   = `{"model":"m","messages":[{"role":"user","content":"Hi"}]}`
)

// bedrockAt is a provider of kind bedrock with access keys.
func bedrockAt(url string) *point.Provider {
	return &point.Provider{
		ID: "aws", Name: "aws", Type: point.TypeAPI, Kind: "bedrock", Status: point.StatusActive,
		Config: point.ProviderConfig{
			BaseURL: url, AllowPrivate: true,
			Options: map[string]json.RawMessage{"region": json.RawMessage(`"us-east-1"`), "access_key_id": json.RawMessage(`"AKIDEXAMPLE"`)},
			Secrets: map[string]point.Secret{"secret_access_key": point.NewSecret(awsSecret), "session_token": point.NewSecret("session-token-1")},
		},
	}
}

// signature is what Authorization should be, reckoned from what came over the wire.
func signature(t *testing.T, r *http.Request, body []byte, keys aws.Credentials) string {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	again, err := http.NewRequestWithContext(context.Background(), r.Method, "http://"+r.Host+r.RequestURI, strings.NewReader(string(body)))
	if err != nil {
		t.Error(err)
		return ""
	}
	again.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	sum := sha256.Sum256(body)
	if err := sigv4.NewSigner().SignHTTP(context.Background(), keys, again, hex.EncodeToString(sum[:]), "bedrock", "us-east-1", at); err != nil {
		t.Error(err)
	}
	return again.Header.Get("Authorization")
}

func TestRequestsToBedrockAreSigned(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.RequestURI != "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-x/converse" {
			t.Errorf("asked for %s", r.RequestURI)
		}
		keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: awsSecret, SessionToken: "session-token-1"}
		if got, want := r.Header.Get("Authorization"), signature(t, r, body, keys); got != want {
			t.Errorf("signed with %s, want %s", got, want)
		}
		if strings.Contains(fmt.Sprint(r.Header, r.RequestURI), awsSecret) {
			t.Error("the secret goes along")
		}
		_, _ = io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}`)
	}))
	defer server.Close()
	reply, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: bedrockAt(server.URL), Model: awsModel}, callOf(t, awsChat))
	if err != nil {
		t.Fatal(err)
	}
	block, err := reply.Next()
	if err != nil || !strings.Contains(string(block.Data), `"content":"Hello"`) || block.Usage.Output != 2 {
		t.Errorf("%s, %v", block.Data, err)
	}
	_ = reply.Close()
}

func TestWhoSignsForBedrock(t *testing.T) {
	var authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization = r.Header.Get("Authorization")
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException:")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"no: `+awsSecret+` session-token-1"}`)
	}))
	defer server.Close()
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "from-the-environment", "TOKEN": "bedrock-key"}
	change := func(f func(c *point.ProviderConfig)) *point.Provider {
		p := bedrockAt(server.URL)
		f(&p.Config)
		return p
	}
	for name, c := range map[string]struct {
		provider *point.Provider
		sent     string // how Authorization begins
		said     string
	}{
		"access keys":  {bedrockAt(server.URL), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", "refused Point's credentials"},
		"API key":      {change(func(c *point.ProviderConfig) { c.Secrets[point.SecretAPIKey] = point.NewSecret("abc") }), "Bearer abc", "refused Point's credentials"},
		"API key env":  {change(func(c *point.ProviderConfig) { c.APIKeyEnv = "TOKEN" }), "Bearer bedrock-key", "refused Point's credentials"},
		"env unset":    {change(func(c *point.ProviderConfig) { c.APIKeyEnv = "NOT_SET" }), "", "NOT_SET"},
		"half a pair":  {change(func(c *point.ProviderConfig) { delete(c.Options, "access_key_id") }), "", "both, or neither"},
		"not for AWS":  {change(func(c *point.ProviderConfig) { c.Secrets, c.Options = nil, nil }), "", "Bedrock's own hosts alone"},
		"other secret": {change(func(c *point.ProviderConfig) { c.Secrets = nil }), "", "both, or neither"},
	} {
		authorization = ""
		_, err := newGateway(t, env).Send(t.Context(), point.Target{Provider: c.provider, Model: "m"}, callOf(t, awsChat))
		e := point.AsError(err)
		if e.Code != point.ProviderCredentials || !strings.HasPrefix(authorization, c.sent) || (c.sent == "") != (authorization == "") || !strings.Contains(e.Message, c.said) {
			t.Errorf("%s: sent %q, %v", name, authorization, err)
		}
		if text := fmt.Sprint(err, e.Cause); strings.Contains(text, awsSecret) || strings.Contains(text, "session-token-1") {
			t.Errorf("%s: a secret is told: %s", name, text)
		}
	}
}

func TestBinaryStreams(t *testing.T) {
	frames := func(events string) []byte { return awsframes.Encode([]byte(events)) }
	start := "event: messageStart\ndata: {\"role\":\"assistant\"}\n\nevent: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hello\"}}\n\n"
	for name, c := range map[string]struct {
		body  []byte
		first point.Code // the error before anything was given out
		last  point.Code // and behind the first content
	}{
		"whole":     {frames(start + "event: messageStop\ndata: {\"stopReason\":\"end_turn\"}\n\nevent: metadata\ndata: {\"usage\":{\"inputTokens\":1,\"outputTokens\":2}}\n\n"), "", ""},
		"throttled": {frames("event: exception/throttlingException\ndata: {\"message\":\"slow down\"}\n\n"), point.ProviderRateLimited, ""},
		"failed":    {frames(start + "event: exception/internalServerException\ndata: {\"message\":\"oops\"}\n\n"), "", point.ProviderUnavailable},
		"cut":       {frames(start)[:150], "", point.StreamTruncated},
		"ended":     {frames(start), "", point.StreamTruncated},
		"damaged":   {append(frames(start), "no frame at all, but long enough to be one"...), "", point.StreamTruncated},
		"no frames": {[]byte("data: {}\n\n"), point.StreamTruncated, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", awsframes.MediaType)
			for _, b := range c.body { // in as many pieces as can be
				_, _ = w.Write([]byte{b})
				w.(http.Flusher).Flush()
			}
		}))
		call := callOf(t, `{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}`)
		reply, err := newGateway(t, nil).Send(t.Context(), point.Target{Provider: bedrockAt(server.URL), Model: "m"}, call)
		var said strings.Builder
		if err == nil {
			for {
				block, next := reply.Next()
				if err = next; err != nil {
					break
				}
				said.Write(block.Data)
			}
			_ = reply.Close()
		}
		server.Close()
		code := point.Code("")
		if err != io.EOF {
			code = point.AsError(err).Code
		}
		if want := c.first + c.last; code != want || (c.first == "") != strings.Contains(said.String(), "Hello") && name != "cut" || strings.Contains(said.String(), "[DONE]") != (want == "") {
			t.Errorf("%s: %v, %s", name, err, said.String())
		}
	}
}
