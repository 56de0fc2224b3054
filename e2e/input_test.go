package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

const chat = "/v1/chat/completions"

// TestBadInput: each mistake gets the status, code and type of docs/errors.md, and a sentence.
func TestBadInput(t *testing.T) {
	const hello = `"messages": [{"role": "user", "content": "Hello"}]`
	for _, test := range []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
		code, kind, param        string
		message                  string // a part of it
	}{
		{name: "no key", body: `{}`, header: map[string]string{"Authorization": ""}, status: 401, code: "missing_api_key", kind: "authentication_error"},
		{name: "wrong key", body: `{}`, header: map[string]string{"Authorization": "Bearer sk-wrong"}, status: 401, code: "invalid_api_key", kind: "authentication_error"},
		{name: "no scheme", body: `{}`, header: map[string]string{"Authorization": bootstrapKey}, status: 401, code: "invalid_api_key", kind: "authentication_error"},
		{name: "two keys", body: `{}`, header: map[string]string{"X-Api-Key": "another"}, status: 400, code: "conflicting_credentials", kind: "invalid_request_error"},
		{name: "no body", body: ``, status: 400, code: "invalid_json", kind: "invalid_request_error", message: "has no body; send JSON"},
		{name: "broken JSON", body: `{"model": "gpt-4o-mini", `, status: 400, code: "invalid_json", kind: "invalid_request_error"},
		{name: "no object", body: `[1]`, status: 400, code: "invalid_json", kind: "invalid_request_error"},
		{name: "text behind", body: `{"model": "gpt-4o-mini", ` + hello + `} x`, status: 400, code: "invalid_json", kind: "invalid_request_error"},
		{name: "nested deeply", body: `{"model": "gpt-4o-mini", "x": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `, ` + hello + `}`, status: 400, code: "invalid_json", kind: "invalid_request_error"},
		{name: "model twice", body: `{"model": "a", "model": "b", ` + hello + `}`, status: 400, code: "invalid_request", kind: "invalid_request_error"},
		{name: "model is a number", body: `{"model": 4, ` + hello + `}`, status: 400, code: "invalid_request", kind: "invalid_request_error", param: "model"},
		{name: "no model", body: `{` + hello + `}`, status: 400, code: "missing_required_parameter", kind: "invalid_request_error", param: "model"},
		{name: "no messages", body: `{"model": "gpt-4o-mini"}`, status: 400, code: "missing_required_parameter", kind: "invalid_request_error", param: "messages"},
		{name: "unknown model", body: `{"model": "no-such-model", ` + hello + `}`, status: 404, code: "model_not_found", kind: "invalid_request_error", param: "model"},
		{name: "unknown provider", body: `{"model": "gpt-4o-mini", "provider": "nobody", ` + hello + `}`, status: 404, code: "provider_not_found", kind: "invalid_request_error", param: "provider"},
		{name: "unknown path", path: "/v1/chat/completion", body: `{}`, status: 404, code: "unknown_url", kind: "invalid_request_error"},
		{name: "base URL without /v1", path: "/chat/completions", body: `{}`, status: 404, code: "unknown_url", kind: "invalid_request_error", message: "must end in /v1"},
		{name: "models without /v1", method: "GET", path: "/models", status: 404, code: "unknown_url", kind: "invalid_request_error", message: "must end in /v1"},
		{name: "one model without /v1", method: "GET", path: "/models/gpt-4o-mini", status: 404, code: "unknown_url", kind: "invalid_request_error", message: "must end in /v1"},
		{name: "wrong method", method: "GET", status: 405, code: "method_not_allowed", kind: "invalid_request_error"},
		{name: "compressed", body: `{}`, header: map[string]string{"Content-Encoding": "gzip"}, status: 415, code: "unsupported_encoding", kind: "invalid_request_error"},
		{name: "too large", body: `{"model": "gpt-4o-mini", "x": "` + strings.Repeat("x", 33<<20) + `"}`, status: 413, code: "request_too_large", kind: "invalid_request_error"},
		{name: "provider answers HTML", body: `{"model": "demo-openai/fault-html-200", ` + hello + `}`, status: 502, code: "provider_bad_response", kind: "provider_error"},
		{name: "provider fails", body: `{"model": "demo-openai/fault-500", ` + hello + `}`, status: 500, code: "provider_unavailable", kind: "provider_error"},
		{name: "provider refuses the key", body: `{"model": "demo-openai/fault-401", ` + hello + `}`, status: 502, code: "provider_credentials", kind: "provider_error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, path := test.method, test.path
			if method == "" {
				method = "POST"
			}
			if path == "" {
				path = chat
			}
			reply := point(t).send(t, method, path, test.body, test.header)
			var body struct {
				Error struct {
					Message, Type, Code string
					Param               *string
				}
			}
			if err := json.Unmarshal([]byte(reply.Text), &body); err != nil {
				t.Fatalf("%d %s: %v", reply.StatusCode, reply.Text, err)
			}
			e := body.Error
			if reply.StatusCode != test.status || e.Code != test.code || e.Type != test.kind {
				t.Errorf("got %d %s %s, want %d %s %s (%s)", reply.StatusCode, e.Code, e.Type, test.status, test.code, test.kind, e.Message)
			}
			if test.param != "" && (e.Param == nil || *e.Param != test.param) {
				t.Errorf("param is not %s: %s", test.param, reply.Text)
			}
			if !strings.HasSuffix(e.Message, ".") || len(e.Message) < 20 {
				t.Errorf("no sentence: %q", e.Message)
			}
			if !strings.Contains(e.Message, test.message) {
				t.Errorf("%q does not say %q", e.Message, test.message)
			}
			if reply.Header.Get("X-Request-Id") == "" {
				t.Error("no x-request-id")
			}
		})
	}
}
