package mock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"point/mock"
)

func TestStats(t *testing.T) {
	w := start(t, mock.Options{})
	w.chat("openai", "m", "hi", false, "Cookie: session=canary-1234567")
	w.get("/gemini/v1beta/models?key=canary-AIza7777", "X-Goog-Api-Key: ")
	w.chat("anthropic", "fault-500", "hi", false)
	page := w.get("/mock/stats")
	var s mock.Stats
	if err := json.Unmarshal(page.body, &s); err != nil {
		t.Fatal(err)
	}
	if s.Requests != 3 || s.Services["openai"] != 1 || s.Ops["gemini models"] != 1 || s.Faults["500"] != 1 || s.Keys["***7890"] != 2 || s.Models["openai m"] != 1 {
		t.Errorf("%+v", s)
	}
	for _, secret := range []string{"canary", "sk-12345", "sk-ant"} {
		if bytes.Contains(page.body, []byte(secret)) {
			t.Errorf("%s is shown: %s", secret, page.body)
		}
	}
	if got := s.Last["openai"].Header.Get("Authorization"); got != "Bearer ***7890" {
		t.Errorf("Authorization %q", got)
	}
	if seen := w.mock.Recent(); len(seen) != 3 || !bytes.Contains(seen[0].Body, []byte("messages")) {
		t.Errorf("%d seen", len(seen))
	}
	if a := w.do(w.newRequest(http.MethodPost, "/mock/reset", "")); a.status != http.StatusNoContent {
		t.Errorf("reset: %d", a.status)
	}
	if s := w.mock.Stats(); s.Requests != 0 || len(s.Last) != 0 {
		t.Errorf("after the reset: %+v", s)
	}
}

func TestStatsAreBounded(t *testing.T) {
	w := start(t, mock.Options{})
	for i := range 100 {
		w.chat("openai", fmt.Sprint("m", i), "hi", false)
	}
	if n := len(w.mock.Recent()); n != 64 {
		t.Errorf("%d requests kept", n)
	}
}

func TestScripts(t *testing.T) {
	w := start(t, mock.Options{})
	w.mock.Queue(
		mock.Reply{Status: 418, Body: `{"error":{"message":"tea"}}`, Header: http.Header{"X-Extra": {"1"}}},
		mock.Reply{Body: "data: {}\n\n"},
	)
	w.mock.Script(func(rw http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Contains(body, []byte("bench")) {
			return false
		}
		rw.WriteHeader(http.StatusAccepted)
		return true
	})
	if a := w.chat("openai", "m", "hi", false); a.status != 418 || a.header.Get("X-Extra") != "1" {
		t.Errorf("first: %d %v", a.status, a.header)
	}
	if a := w.chat("gemini", "m", "hi", false); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("second: %d %v", a.status, a.header)
	}
	if a := w.chat("openai", "bench", "hi", false); a.status != http.StatusAccepted {
		t.Errorf("hook: %d", a.status)
	}
	if a := w.chat("openai", "m", "hi", false); a.status != http.StatusOK {
		t.Errorf("hook that declines: %d", a.status)
	}
	w.mock.Reset()
	if a := w.chat("openai", "bench", "hi", false); a.status != http.StatusOK {
		t.Errorf("after the reset: %d", a.status)
	}
}

func TestBenchModels(t *testing.T) {
	w := start(t, mock.Options{})
	for _, service := range []string{"openai", "anthropic", "gemini"} {
		doc := w.chat(service, mock.Bench, "anything", false)
		if text, _ := doc.field(t, textAt[service]).(string); len(doc.body) != 1024 || !strings.HasPrefix(text, "pad pad") {
			t.Errorf("%s: %d bytes: %s", service, len(doc.body), doc.body)
		}
		for _, model := range []string{mock.BenchStream, mock.BenchOnce, mock.BenchPaced} {
			if model == mock.BenchPaced && service != "openai" {
				continue // it takes a second
			}
			stream := w.chat(service, model, "anything", true)
			contents := 0
			for _, ev := range stream.events() {
				if s, _ := lookupOr(ev, deltaAt[service]).(string); s != "" {
					contents++
				}
			}
			if contents != mock.BenchChunks {
				t.Errorf("%s %s: %d content events", service, model, contents)
			}
		}
		if a := w.chat(service, mock.Bench, "hi", false, mock.FaultHeader+": 500"); a.status != 500 {
			t.Errorf("%s: a fault on a bench model gives %d", service, a.status)
		}
	}
	if a := w.chat("openai", "m", `say "bench" now`, false); len(a.body) == 1024 {
		t.Error("a word of the text is taken for the model")
	}
}

func lookupOr(ev, path string) any {
	if ev == "[DONE]" {
		return nil
	}
	var t testing.T
	return lookup(&t, []byte(ev), path)
}

// FuzzRequests sends any body to each path: no panic, and an answer that is JSON.
func FuzzRequests(f *testing.F) {
	paths := []string{
		"/openai/v1/chat/completions", "/openai/v1/completions", "/openai/v1/embeddings", "/openai/v1/images/generations",
		"/anthropic/v1/messages", "/anthropic/v1/messages/count_tokens",
		"/gemini/v1beta/models/gemini-3-x:generateContent", "/gemini/v1beta/models/m:streamGenerateContent",
		"/gemini/v1beta/models/m:embedContent", "/gemini/v1beta/models/m:batchEmbedContents", "/gemini/v1beta/models/m:countTokens",
		"/bedrock/model/us.anthropic.claude-x/converse", "/bedrock/model/us.anthropic.claude-x/converse-stream", "/bedrock/model/us.anthropic.claude-x/invoke",
		"/cohere/v2/chat", "/cohere/v2/embed", "/cohere/v2/rerank",
	}
	for i := range paths {
		for _, service := range services {
			f.Add(i, chatBody(service, "m", "Weather for Paris, 3 words", false))
		}
	}
	f.Add(0, `{"model":"m","messages":[{"role":"user","content":"go"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"$ref":"#/$defs/a","$defs":{"a":{"type":["object","null"],"properties":{"x":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}]},"y":{"type":"array","items":{"enum":[1,2]}}}}}}}}}`)
	f.Add(0, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"use a tool"},{"type":"image_url"}]}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`)
	f.Add(4, `{"model":"m","max_tokens":3000,"system":[{"text":"s","cache_control":{}}],"thinking":{"type":"adaptive"},"tools":[{"name":"f","input_schema":{}}],"messages":[{"role":"user","content":[{"type":"image"}]}]}`)
	f.Add(3, `{"prompt":"x","n":3}`)
	f.Add(11, `{"system":[{"text":"s"},{"cachePoint":{"type":"default"}}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]},"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"a","source":{"bytes":"AA=="}}},{"text":"go"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{}}]}}]}],"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}}`)
	f.Add(13, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`)
	f.Add(14, `{"model":"command-a-reasoning","messages":[{"role":"user","content":"go"},{"role":"assistant","tool_plan":"p","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"document","document":{"data":{"a":1}}}]}]}`)
	f.Add(15, `{"model":"m","texts":["a"],"input_type":"clustering","embedding_types":["binary","int8"],"output_dimension":256}`)
	f.Add(2, `{"model":"m","input":[[1,2],[3]],"dimensions":4}`)
	s := mock.New(mock.Options{Now: fixedTime})
	f.Fuzz(func(t *testing.T, path int, body string) {
		if path < 0 || path >= len(paths) || strings.Contains(body, "fault-") {
			return
		}
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, paths[path], strings.NewReader(body))
		req.Header.Set("X-Api-Key", "k")
		req.Header.Set("Authorization", "Bearer k")
		req.Header.Set("X-Goog-Api-Key", "k")
		req.Header.Set("Anthropic-Version", "2023-06-01")
		s.Handler().ServeHTTP(rec, req)
		switch {
		case rec.Code != http.StatusOK && rec.Code != http.StatusBadRequest:
			t.Errorf("status %d for %q", rec.Code, body)
		case strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") && !json.Valid(rec.Body.Bytes()):
			t.Errorf("no JSON for %q: %.500q", body, rec.Body)
		}
	})
}

func BenchmarkFast(b *testing.B) {
	s := mock.New(mock.Options{})
	body := chatBody("openai", mock.Bench, strings.Repeat("a question ", 90), false)
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest(http.MethodPost, chatPath("openai", "", false), strings.NewReader(body))
		s.Handler().ServeHTTP(httptest.NewRecorder(), req)
	}
}

func BenchmarkChat(b *testing.B) {
	s := mock.New(mock.Options{})
	body := chatBody("openai", "gpt-4o-mini", "Say hello", true)
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest(http.MethodPost, chatPath("openai", "", true), strings.NewReader(body))
		s.Handler().ServeHTTP(httptest.NewRecorder(), req)
	}
}
