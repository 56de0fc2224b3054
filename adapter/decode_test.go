package adapter

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// TestRefusals sends what cannot be served. Each answer has OpenAI's error object, a code, and
// a sentence; only requests with a valid key are recorded.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               point.Code
		says               string
	}{
		"no key":           {"POST", point.PathChat, chat, nil, 401, point.MissingAPIKey, "Authorization: Bearer KEY"},
		"wrong key":        {"POST", point.PathChat, chat, []string{"Authorization", "Bearer nope"}, 401, point.InvalidAPIKey, "Keys page"},
		"access token":     {"POST", point.PathChat, chat, []string{"Authorization", "Bearer ptp_ABCDEFGH"}, 401, point.InvalidAPIKey, "personal access token, which is for /api"},
		"session's token":  {"POST", point.PathChat, chat, []string{"Authorization", "Bearer eyJhbGciOi.e30.c2ln"}, 401, point.InvalidAPIKey, "a session, which is for /api"},
		"basic auth":       {"POST", point.PathChat, chat, []string{"Authorization", "Basic " + token}, 401, point.InvalidAPIKey, "Bearer"},
		"two keys":         {"POST", point.PathChat, chat, append([]string{"X-Api-Key", "other"}, bearer...), 400, point.ConflictingKeys, "send one"},
		"long key":         {"POST", point.PathChat, chat, []string{"X-Api-Key", strings.Repeat("k", 5000)}, 401, point.InvalidAPIKey, "too long"},
		"unknown path":     {"POST", "/v1/nothing", chat, bearer, 404, point.UnknownPath, "/v1/chat/completions"},
		"wrong method":     {"GET", point.PathChat, "", bearer, 405, point.MethodNotAllowed, "takes POST"},
		"models by post":   {"POST", point.PathModels, "{}", bearer, 405, point.MethodNotAllowed, "takes GET"},
		"broken":           {"POST", point.PathChat, `{"model":`, bearer, 400, point.InvalidJSON, "byte 9"},
		"no model":         {"POST", point.PathChat, `{"messages":[]}`, bearer, 400, point.MissingField, "names no model"},
		"no messages":      {"POST", point.PathChat, `{"model":"m"}`, bearer, 400, point.MissingField, "messages"},
		"no input":         {"POST", point.PathEmbeddings, `{"model":"m"}`, bearer, 400, point.MissingField, "input"},
		"unknown model":    {"POST", point.PathChat, `{"model":"x","messages":[]}`, bearer, 404, point.ModelNotFound, "GET /v1/models"},
		"unlisted model":   {"POST", point.PathChat, `{"model":"a/x","messages":[]}`, bearer, 404, point.ModelNotFound, "not in the provider's list"},
		"unknown provider": {"POST", point.PathChat, `{"model":"m","provider":"zzz","messages":[]}`, bearer, 404, point.ProviderNotFound, "zzz"},
		"unknown fallback": {"POST", point.PathChat, `{"model":"m","fallback_providers":["zzz"],"messages":[]}`, bearer, 404, point.ProviderNotFound, "zzz"},
		"too large":        {"POST", point.PathChat, `{"model":"m","messages":["` + strings.Repeat("x", 1<<20) + `"]}`, bearer, 413, point.BodyTooLarge, "POINT_MAX_BODY"},
		"encoded":          {"POST", point.PathChat, chat, append([]string{"Content-Encoding", "gzip"}, bearer...), 415, point.UnsupportedEncoding, "without Content-Encoding"},
		"no answers":       {"POST", point.PathChat, `{"model":"m","messages":[],"n":0}`, bearer, 400, point.InvalidRequest, `"n" must be a whole number from 1 to 128`},
		"absurd answers":   {"POST", point.PathCompletions, `{"model":"m","prompt":"x","n":1e300}`, bearer, 400, point.InvalidRequest, `"n" must`},
		"half an answer":   {"POST", point.PathChat, `{"model":"m","messages":[],"n":1.5}`, bearer, 400, point.InvalidRequest, `"n" must`},
		"many to choose":   {"POST", point.PathCompletions, `{"model":"m","prompt":"x","best_of":129}`, bearer, 400, point.InvalidRequest, `"best_of" must`},
		"many images":      {"POST", point.PathImageEdits, formOf("model", "m", "prompt", "x", "n", "11"), formed, 400, point.InvalidRequest, `"n" must be a whole number from 1 to 10`},
		"negative length":  {"POST", point.PathResponses, `{"model":"m","input":"x","max_output_tokens":-1}`, bearer, 400, point.InvalidRequest, `"max_output_tokens" must`},
		"no query":         {"POST", point.PathRerank, `{"model":"m","documents":["x"]}`, bearer, 400, point.MissingField, `no "query"`},
		"form not whole":   {"POST", point.PathTranscribe, "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm", formed, 400, point.InvalidRequest, "boundary"},
		"form of nothing":  {"POST", point.PathTranscribe, "", formed, 400, point.MissingField, "names no model"},
		"no boundary":      {"POST", point.PathTranscribe, "", append([]string{"Content-Type", "multipart/form-data"}, bearer...), 400, point.InvalidRequest, "boundary"},
		"no file":          {"POST", point.PathTranscribe, formOf("model", "m"), formed, 400, point.MissingField, `no "file"`},
		"no model in form": {"POST", point.PathTranscribe, formOf("file@a.mp3", "x"), formed, 400, point.MissingField, "names no model"},
		"model twice":      {"POST", point.PathTranscribe, formOf("model", "m", "model", "n", "file@a.mp3", "x"), formed, 400, point.InvalidRequest, "twice"},
		"part of no name":  {"POST", point.PathTranscribe, formOf("", "m"), formed, 400, point.InvalidRequest, "no name"},
		"large form":       {"POST", point.PathTranscribe, formOf("prompt", strings.Repeat("x", 1<<20)), formed, 413, point.BodyTooLarge, "POINT_MAX_BODY"},
		"form as JSON":     {"POST", point.PathTranscribe, `{"model":"m","file":"x"}`, bearer, 400, point.InvalidRequest, "multipart/form-data"},
		"endpoint off":     {"POST", point.PathImages, `{"model":"m","prompt":"x"}`, bearer, 404, point.EndpointDisabled, "switched off"},
		"no such model id": {"GET", point.PathModels + "/zzz", "", bearer, 404, point.ModelNotFound, "zzz"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(document))
			w.snapshot.Endpoints[point.PathImages] = &point.Endpoint{Path: point.PathImages, Active: test.code != point.EndpointDisabled}
			response, answer := w.do(test.method, test.path, test.body, test.headers...)
			var body struct {
				Error struct {
					Message, Type string
					Code          point.Code
				}
			}
			if err := json.Unmarshal([]byte(answer), &body); err != nil {
				t.Fatalf("%v in %s", err, answer)
			}
			if response.StatusCode != test.status || body.Error.Code != test.code || !strings.Contains(body.Error.Message, test.says) || body.Error.Type == "" {
				t.Errorf("got %d %s", response.StatusCode, answer)
			}
			if response.Header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
			if total := len(w.records) + len(w.refused); total != 1 {
				t.Errorf("%d records and %d refusals", len(w.records), len(w.refused))
			}
		})
	}
}

func TestKeysThatMayNot(t *testing.T) {
	past := time.Now().Add(-time.Hour)
	tests := map[string]struct {
		change func(*point.Key)
		code   point.Code
	}{
		"revoked":        {func(k *point.Key) { k.Status = point.StatusInactive }, point.KeyDisabled},
		"expired":        {func(k *point.Key) { k.ExpiresAt = &past }, point.KeyExpired},
		"other endpoint": {func(k *point.Key) { k.Endpoints = []string{point.PathEmbeddings} }, point.NotAllowed},
		"other model":    {func(k *point.Key) { k.Models = []string{"gpt-*"} }, point.NotAllowed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(document))
			for _, key := range w.snapshot.Keys {
				test.change(key)
			}
			if _, answer := w.post(chat); !strings.Contains(answer, string(test.code)) {
				t.Errorf("got %s", answer)
			}
		})
	}
}

// TestModelListOfAKey: whatever a request says to reach another model, or a listed one
// somewhere else, is refused; what the operator's aliases and rules make of a listed name is
// not.
func TestModelListOfAKey(t *testing.T) {
	rule := point.Rule{When: point.When{Model: []string{"ruled"}}, Targets: []point.TargetRef{{Provider: "b", Model: "priced"}}}
	tests := map[string]struct {
		list []string
		body string
		may  bool
	}{
		"by its name":                 {[]string{"m"}, `{"model":"m"}`, true},
		"at a provider":               {[]string{"m"}, `{"model":"b/m"}`, true},
		"provider named":              {[]string{"m"}, `{"model":"m","provider":"b"}`, true},
		"fallback provider":           {[]string{"m"}, `{"model":"a/m","fallback_providers":["b"]}`, true},
		"other model":                 {[]string{"m"}, `{"model":"a/priced"}`, false},
		"other fallback model":        {[]string{"m"}, `{"model":"m","models":["priced"]}`, false},
		"other fallback":              {[]string{"m"}, `{"model":"m","fallback_providers":["a/priced"]}`, false},
		"only at a":                   {[]string{"a/*"}, `{"model":"a/m"}`, true},
		"only at a, elsewhere":        {[]string{"a/*"}, `{"model":"b/m"}`, false},
		"only at a, fallback":         {[]string{"a/*"}, `{"model":"a/m","fallback_providers":["b"]}`, false},
		"only at a, provider named":   {[]string{"a/*"}, `{"model":"m","provider":"b"}`, false},
		"only at a, resold":           {[]string{"a/*"}, `{"model":"a/m","provider":"b"}`, false},
		"only at a, bare":             {[]string{"a/*"}, `{"model":"m"}`, false},
		"alias":                       {[]string{"fast"}, `{"model":"fast"}`, true},
		"alias that is not listed":    {[]string{"m"}, `{"model":"dear"}`, false},
		"alias as a fallback":         {[]string{"m"}, `{"model":"m","models":["dear"]}`, false},
		"alias at another provider":   {[]string{"fast"}, `{"model":"fast","provider":"b"}`, false},
		"alias and fallback provider": {[]string{"fast"}, `{"model":"fast","fallback_providers":["b"]}`, false},
		"rule":                        {[]string{"ruled"}, `{"model":"ruled"}`, true},
		"rule that is not listed":     {[]string{"m"}, `{"model":"ruled"}`, false},
		"rule, then another model":    {[]string{"ruled"}, `{"model":"ruled","models":["m"]}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(document), says(document))
			w.snapshot.Providers["id-b"].Config.Models = append(w.snapshot.Providers["id-b"].Config.Models, "a/m")
			w.snapshot.Aliases["dear"] = "b/priced"
			w.snapshot.Default.Rules = []point.Rule{rule}
			for _, key := range w.snapshot.Keys {
				key.Models = test.list
			}
			response, answer := w.post(strings.Replace(test.body, "}", `,"messages":[]}`, 1))
			if may := response.StatusCode == 200; may != test.may || !may && !strings.Contains(answer, "not_allowed") {
				t.Errorf("%d %s", response.StatusCode, answer)
			}
		})
	}
}

func TestEmptyCredentialsAreNone(t *testing.T) {
	w := newWorld(t, says(document))
	for _, headers := range [][]string{
		{"Authorization", "Bearer " + token, "X-Api-Key", ""},
		{"Authorization", "Bearer ", "X-Api-Key", token},
		{"Authorization", "", "X-Api-Key", token, "X-Goog-Api-Key", " "},
	} {
		if response, answer := w.do(http.MethodPost, point.PathChat, chat, headers...); response.StatusCode != 200 {
			t.Errorf("%v: %d %s", headers, response.StatusCode, answer)
		}
	}
	if response, answer := w.do(http.MethodPost, point.PathChat, chat, "Authorization", "Bearer "); response.StatusCode != 401 || !strings.Contains(answer, "missing_api_key") {
		t.Errorf("%d %s", response.StatusCode, answer)
	}
}

func TestChunkedBody(t *testing.T) {
	w := newWorld(t, says(document))
	request, _ := http.NewRequest(http.MethodPost, w.server.URL+point.PathChat, struct{ *strings.Reader }{strings.NewReader(`{"model":"m","messages":["` + strings.Repeat("x", 100_000) + `"]}`)})
	request.ContentLength = -1
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	if used := w.handler.bodies.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget are still taken", used)
	}
}

func TestBodyBudget(t *testing.T) {
	w := newWorld(t, says(document))
	w.handler.bodies.budget = 10
	response, answer := w.post(chat)
	if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d %s", response.StatusCode, answer)
	}
}

func TestModelKind(t *testing.T) {
	for name, want := range map[string]string{
		"gpt-4o": "chat", "gpt-4o-audio-preview": "chat", "a/gpt-audio": "chat", "gemini-2.5-flash-image": "chat", "claude-opus-4-6": "chat",
		"text-embedding-3-small": "embedding", "gemini-embedding-001": "embedding", "nomic-embed-text": "embedding",
		"gpt-image-1": "image", "dall-e-3": "image", "imagen-4.0-generate-001": "image", "google/imagen-4": "image", "qwen-image": "image",
		"whisper-1": "other", "gpt-4o-mini-tts": "other", "gemini-2.5-flash-preview-tts": "other", "gpt-4o-transcribe": "other",
		"omni-moderation-latest": "other", "gpt-4o-realtime-preview": "other", "rerank-v3.5": "other", "veo-3.0-generate-001": "other",
	} {
		if got := ModelKind(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestModels(t *testing.T) {
	w := newWorld(t, says(document), says(document))
	w.snapshot.Providers["id-b"].Config.Models = []string{"m", "text-embedding-x"}
	_, answer := w.do(http.MethodGet, point.PathModels, "", "X-Goog-Api-Key", token)
	var list struct {
		Object string
		Data   []struct{ ID, Object string }
	}
	if err := json.Unmarshal([]byte(answer), &list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range list.Data {
		ids = append(ids, m.ID)
	}
	want := []string{"fast", "m", "priced", "a/m", "a/priced", "b/m", "text-embedding-x", "b/text-embedding-x"}
	if !slices.Equal(ids, want) || list.Object != "list" {
		t.Errorf("got %v", ids)
	}
	if _, answer := w.do(http.MethodGet, point.PathModels+"?provider=b", "", "X-Api-Key", token); strings.Contains(answer, "a/m") || !strings.Contains(answer, "b/m") {
		t.Errorf("filtered: %s", answer)
	}
	if _, answer := w.do(http.MethodGet, point.PathModels+"/b/m", "", "X-Api-Key", token); !strings.Contains(answer, `"id":"b/m"`) {
		t.Errorf("one: %s", answer)
	}
}

func TestCORS(t *testing.T) {
	w := newWorld(t, says(document))
	response, _ := w.do(http.MethodOptions, point.PathChat, "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	if response.StatusCode != 204 || response.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("preflight: %d %v", response.StatusCode, response.Header)
	}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
		if !slices.Contains(strings.Split(response.Header.Get("Access-Control-Allow-Methods"), ", "), method) {
			t.Errorf("%s is not allowed", method)
		}
	}
	sent := "anthropic-beta, anthropic-version, authorization, content-type, x-api-key, x-goog-api-client, x-goog-api-key, x-stainless-retry-count"
	for _, path := range []string{point.PathMessages, point.PathResponses + "/resp_1", "/v1beta/models/m:generateContent", point.PathModels} {
		response, _ := w.do(http.MethodOptions, path, "", "Origin", "https://app.example", "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", sent)
		if response.StatusCode != 204 || response.Header.Get("Access-Control-Allow-Headers") != sent {
			t.Errorf("preflight of %s: %d %v", path, response.StatusCode, response.Header)
		}
	}
	if response, _ = w.post(chat, "Origin", "https://evil.example"); response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a foreign origin may read the answer")
	}
	if response, _ = w.post(chat, "Origin", "https://app.example"); !strings.Contains(response.Header.Get("Access-Control-Expose-Headers"), "x-point-cost") {
		t.Error("headers are not exposed")
	}
	for name := range response.Header {
		if name = strings.ToLower(name); !slices.Contains(readable, name) && !strings.HasPrefix(name, "access-control-") && !strings.Contains(exposed, name) {
			t.Errorf("a page cannot read %s", name)
		}
	}
}

// readable are headers that a page may read of any answer, or that say nothing to it.
var readable = []string{"content-type", "content-length", "cache-control", "date", "vary", "x-accel-buffering"}

// TestUnreadBodies: whoever is refused before the body is read is not waited for.
func TestUnreadBodies(t *testing.T) {
	w := newWorld(t, says(document))
	for _, path := range []string{"/v1/nothing", point.PathChat, point.PathModels, "/v1beta/models/m:generateContent?key=abc", "/v1beta/models/m:dance", point.PathResponses + "/resp_1"} {
		u := &uploading{ResponseWriter: httptest.NewRecorder(), cut: make(chan struct{})}
		r := httptest.NewRequest(http.MethodPost, path, u)
		r.ContentLength = 1000
		w.handler.ServeHTTP(u, r)
		select {
		case <-u.cut:
		default:
			t.Errorf("%s is waited for", path)
		}
	}
}

// TestKeyIsAskedForByName: a refusal names the header that the dialect's own clients send.
func TestKeyIsAskedForByName(t *testing.T) {
	w := newWorld(t, says(document))
	for path, want := range map[string]string{
		point.PathChat: `as "Authorization: Bearer KEY"`, point.PathResponses: `as "Authorization: Bearer KEY"`, point.PathModels: `as "Authorization: Bearer KEY"`,
		point.PathMessages: `as "x-api-key: KEY" or "Authorization: Bearer KEY"`, point.PathCountTokens: `as "x-api-key: KEY" or`,
		"/v1beta/models/m:generateContent": `as "x-goog-api-key: KEY" or "Authorization: Bearer KEY"`, "/v1beta/models": `as "x-goog-api-key: KEY" or`,
	} {
		method := http.MethodPost
		if isModels(path) {
			method = http.MethodGet
		}
		if response, answer := w.do(method, path, "{}"); response.StatusCode != 401 || !strings.Contains(gjson.Get(answer, "error.message").Str, want) {
			t.Errorf("%s: %d %s", path, response.StatusCode, answer)
		}
	}
}

// TestTestOfANewProvider: its models are not known yet, so the service is asked.
func TestTestOfANewProvider(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			if r.Header.Get("Authorization") != "Bearer upstream-key-a" {
				fails(401)(rw, r)
				return
			}
			says(`{"data":[{"id":"text-embedding-x"},{"id":"chatty"}]}`)(rw, r)
			return
		}
		streams(chunk(`{"content":"hello"}`), stopChunk, usageChunk, done)(rw, r)
	})
	p := *w.snapshot.Providers["id-a"]
	p.Config.Models = nil
	result, err := w.handler.TestProvider(t.Context(), &p, point.TestRequest{})
	if err != nil || !result.OK || result.Model != "chatty" {
		t.Errorf("result %+v, %v", result, err)
	}
	p.Config.Models = []string{"ada", "gpt-4o-mini"}
	if result, err = w.handler.TestProvider(t.Context(), &p, point.TestRequest{}); err != nil || result.Model != "gpt-4o-mini" {
		t.Errorf("of a kind whose usual model is known: %+v, %v", result, err)
	}
	p.Config.Models = nil
	p.ID, p.Config.Secrets = "id-new", map[string]point.Secret{point.SecretAPIKey: point.NewSecret("wrong")}
	if result, err = w.handler.TestProvider(t.Context(), &p, point.TestRequest{}); err != nil || result.OK || result.Error.Code != point.ProviderCredentials {
		t.Errorf("with a wrong key: %+v, %v", result, err)
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t, streams(chunk(`{"content":"Good "}`), chunk(`{"content":"day"}`), stopChunk, usageChunk, done), fails(401))
	p := *w.snapshot.Providers["id-a"]
	p.Status = point.StatusInactive
	result, err := w.handler.TestProvider(t.Context(), &p, point.TestRequest{Model: "priced"})
	if r := w.record(); !r.Test() || !json.Valid(r.Request) {
		t.Errorf("the record of a test is not marked: %s", r.Request)
	}
	if err != nil || !result.OK || result.Text != "Good day" || result.Model != "priced" || result.Cost == nil || result.TTFTMS == nil {
		t.Errorf("result %+v, %v", result, err)
	}
	if result, _ = w.handler.TestProvider(t.Context(), w.snapshot.Providers["id-b"], point.TestRequest{}); result.OK || result.Error.Code != point.ProviderCredentials || len(result.Attempts) != 1 {
		t.Errorf("result %+v", result)
	}
	if result, _ = w.handler.TestEndpoint(t.Context(), point.PathChat, []byte(`{"model":"nope","messages":[]}`)); result.OK || result.Status != 404 {
		t.Errorf("result %+v", result)
	}
	plan, err := w.handler.Explain(t.Context(), point.PathChat, []byte(`{"model":"m","messages":[]}`), "key-1")
	if err != nil || len(plan.Targets) != 2 || plan.Targets[0].Provider != "a" || plan.Targets[0].Reason == "" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	for path, request := range map[string]string{
		point.PathGemini: `{"model":"models/m","contents":[]}`, point.PathTranscribe: `{"model":"m"}`, point.PathMessages: `{"model":"m"}`,
	} {
		if plan, err := w.handler.Explain(t.Context(), path, []byte(request), ""); err != nil || len(plan.Targets) != 2 || plan.Model != "m" {
			t.Errorf("%s: plan %+v, %v", path, plan, err)
		}
	}
	w.snapshot.Aliases["omni-moderation-latest"] = "b/m"
	if plan, err := w.handler.Explain(t.Context(), point.PathModerations, []byte(`{"input":"x"}`), ""); err != nil || len(plan.Targets) != 1 {
		t.Errorf("the usual model: %+v, %v", plan, err)
	}
	list, err := w.handler.Models(t.Context())
	if err != nil || len(list) == 0 || list[0].ID != "fast" || list[1].ContextWindow != 128_000 {
		t.Errorf("models %+v, %v", list, err)
	}
}

// TestATestAsksNobodyElse: whatever parameters a test is given, its result is the provider's own.
func TestATestAsksNobodyElse(t *testing.T) {
	w := newWorld(t, fails(500), streams(chunk(`{"content":"hello"}`), stopChunk, done))
	for _, parameters := range []string{`{"fallback_providers":["b"]}`, `{"models":["b/m"]}`, `{"provider":"b"}`} {
		result, err := w.handler.TestProvider(t.Context(), w.snapshot.Providers["id-a"], point.TestRequest{Model: "m", Parameters: []byte(parameters)})
		if err != nil || result.OK || len(result.Attempts) != 1 || result.Attempts[0].Provider != "a" {
			t.Errorf("%s: %+v, %v", parameters, result, err)
		}
	}
	if w.gateway.ProviderHealth("id-a").State == point.HealthUnknown {
		t.Error("the test of the live provider taught nothing")
	}
}

// TestATestOfAnotherVersion leaves the live provider's health alone.
func TestATestOfAnotherVersion(t *testing.T) {
	w := newWorld(t, fails(500))
	p := *w.snapshot.Providers["id-a"]
	p.Config.TimeoutMS = 5000
	if result, err := w.handler.TestProvider(t.Context(), &p, point.TestRequest{Model: "m"}); err != nil || result.OK {
		t.Errorf("%+v, %v", result, err)
	}
	if state := w.gateway.ProviderHealth("id-a").State; state != point.HealthUnknown {
		t.Errorf("the live provider is %s", state)
	}
}
