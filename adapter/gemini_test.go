package adapter

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

const googles = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`

// google sends a request as Google's clients do.
func (w *world) google(method, path, body string) (*http.Response, string) {
	w.t.Helper()
	return w.do(method, path, body, "X-Goog-Api-Key", token)
}

// speaksGemini makes a provider one of Gemini's kind.
func (w *world) speaksGemini(id string) {
	p := w.snapshot.Providers[id]
	p.Kind, p.Config.BaseURL = "gemini", strings.TrimSuffix(p.Config.BaseURL, "/v1")
	w.snapshot.Index()
}

func TestGeminiTold(t *testing.T) {
	for _, path := range []string{"/v1beta/models/m", "/v1/models/m", "/v1beta/models/models%2Fm", "/v1beta/models/a/m", "/v1beta/models/a%2Fm"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t, says(document))
			response, body := w.google(http.MethodPost, path+":generateContent", googles)
			if response.StatusCode != 200 || !strings.Contains(body, `"text":"hello"`) || !strings.Contains(body, `"promptTokenCount":10`) {
				t.Fatal(response.Status, body)
			}
			r := w.record()
			if r.Endpoint != point.PathGemini || r.Model == "" || r.Stream || r.Usage == nil || r.Usage.Output != 5 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestGeminiStreams(t *testing.T) {
	const one, two, end = `{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}]}`, `{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"index":0}]}`,
		`{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":15}}`
	native := "data: " + one + "\r\n\r\ndata: " + two + "\r\n\r\ndata: " + end + "\r\n\r\n"
	for name, test := range map[string]struct {
		kind     string
		upstream http.HandlerFunc
	}{
		"told":    {"openai", streams(chunk(`{"role":"assistant","content":"Hel"}`), chunk(`{"content":"lo"}`), stopChunk, usageChunk, done)},
		"relayed": {"gemini", streams(native)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.upstream)
			if test.kind == "gemini" {
				w.speaksGemini("id-a")
			}
			response, body := w.google(http.MethodPost, "/v1beta/models/m:streamGenerateContent?alt=sse", googles)
			if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") || !strings.Contains(body, `"finishReason":"STOP"`) {
				t.Fatal(response.Status, body)
			}
			if test.kind == "gemini" && body != native {
				t.Errorf("not relayed as it came: %q", body)
			}
			if r := w.record(); r.Outcome != point.OutcomeComplete || r.Usage == nil || r.Usage.Output != 5 || !r.Stream {
				t.Errorf("%+v", r)
			}
			checkList(t, w)
		})
	}
}

// checkList asks for the same without alt=sse.
func checkList(t *testing.T, w *world) {
	t.Helper()
	response, body := w.google(http.MethodPost, "/v1beta/models/m:streamGenerateContent", googles)
	var list []struct {
		Candidates []struct {
			Content      struct{ Parts []struct{ Text string } }
			FinishReason string
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		t.Fatal(err, body)
	}
	text := ""
	for _, answer := range list {
		text += answer.Candidates[0].Content.Parts[0].Text
	}
	if text != "Hello" || list[len(list)-1].Candidates[0].FinishReason != "STOP" {
		t.Error(body)
	}
}

// TestGeminiRelayed: a Gemini provider gets the client's own bytes but for what only Point reads.
func TestGeminiRelayed(t *testing.T) {
	const answer = `{"candidates":[{"content":{"parts":[{"text":"hello","futureField":1}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"cachedContentTokenCount":3,"candidatesTokenCount":2},"modelVersion":"x"}`
	var path, body string
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		path, body = r.URL.String(), string(raw)
		says(answer)(w, r)
	})
	w.speaksGemini("id-a")
	sent := `{"contents": [{"parts": [{"text": "hi"}]}], "provider": "a", "tools": [{"googleSearch": {}}], "model": "models/other"}`
	response, got := w.google(http.MethodPost, "/v1beta/models/m:generateContent", sent)
	if response.StatusCode != 200 || got != answer {
		t.Fatal(response.Status, got)
	}
	if path != "/v1beta/models/m:generateContent" || body != `{"contents": [{"parts": [{"text": "hi"}]}], "tools": [{"googleSearch": {}}]}` {
		t.Error(path, body)
	}
	if r := w.record(); r.Usage == nil || r.Usage.Input != 7 || r.Usage.CacheRead != 3 || r.Usage.Output != 2 {
		t.Errorf("%+v", r.Usage)
	}
}

func TestGeminiRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		code               point.Code
		says               string
	}{
		"key in the URL":     {"POST", "/v1beta/models/m:generateContent?key=abc", googles, 401, point.InvalidAPIKey, "x-goog-api-key"},
		"key in a list":      {"GET", "/v1beta/models?key=abc", "", 401, point.InvalidAPIKey, "x-goog-api-key"},
		"unknown method":     {"POST", "/v1beta/models/m:dance", googles, 404, point.UnknownPath, "generateContent"},
		"a method's model":   {"POST", "/v1beta/models/m:8b:dance", googles, 404, point.UnknownPath, "no method dance of the model m:8b here"},
		"no model":           {"POST", "/v1beta/models/:generateContent", googles, 404, point.UnknownPath, "names no model"},
		"no length":          {"POST", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":"-5"}}`, 400, point.InvalidRequest, "generationConfig.maxOutputTokens"},
		"many answers":       {"POST", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"generation_config":{"candidate_count":9}}`, 400, point.InvalidRequest, "from 1 to 8"},
		"unknown path":       {"POST", "/v1beta/files", googles, 404, point.UnknownPath, "There is no /v1beta/files"},
		"wrong HTTP method":  {"GET", "/v1beta/models/m:generateContent", "", 405, point.MethodNotAllowed, "takes POST"},
		"unknown model":      {"POST", "/v1beta/models/nope:generateContent", googles, 404, point.ModelNotFound, "nope"},
		"no such model":      {"GET", "/v1beta/models/nope", "", 404, point.ModelNotFound, "nope"},
		"no contents":        {"POST", "/v1beta/models/m:generateContent", `{}`, 400, point.MissingField, "contents"},
		"no JSON":            {"POST", "/v1beta/models/m:generateContent", `{"contents":[tru]}`, 400, point.InvalidJSON, "JSON"},
		"what cannot be":     {"POST", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"c"}`, 400, point.UnsupportedField, "cachedContent"},
		"the provider fails": {"POST", "/v1beta/models/b/m:generateContent", googles, 503, point.ProviderUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(document), fails(503))
			response, body := w.google(test.method, test.path, test.body)
			var got struct {
				Error struct {
					Code    int
					Message string
					Status  string
					Details []struct{ Reason, Domain string }
				}
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err, body)
			}
			e := got.Error
			if response.StatusCode != test.status || e.Code != test.status || e.Status == "" || len(e.Details) == 0 || e.Details[0].Reason != string(test.code) || !strings.Contains(e.Message, test.says) {
				t.Error(response.Status, body)
			}
		})
	}
}

// TestGeminiCut: a stream that breaks off ends in an error, in both forms.
func TestGeminiCut(t *testing.T) {
	for name, upstream := range map[string][]string{
		"openai": {chunk(`{"content":"Hel"}`)},
		"gemini": {`data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}]}` + "\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, streams(upstream...))
			if name == "gemini" {
				w.speaksGemini("id-a")
			}
			_, body := w.google(http.MethodPost, "/v1beta/models/m:streamGenerateContent?alt=sse", googles)
			if !strings.Contains(body, "Hel") || !strings.Contains(body, `data: {"error":{"code":502`) {
				t.Error(body)
			}
			if r := w.record(); r.Outcome != point.OutcomeTruncated || r.ErrorCode != point.StreamTruncated {
				t.Errorf("%+v", r)
			}
			_, body = w.google(http.MethodPost, "/v1beta/models/m:streamGenerateContent", googles)
			var list []map[string]any
			if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 2 || list[1]["error"] == nil {
				t.Error(err, body)
			}
		})
	}
}

func TestGeminiModels(t *testing.T) {
	w := newWorld(t, says(document))
	response, body := w.google(http.MethodGet, "/v1beta/models?pageSize=2", "")
	var page struct {
		Models []struct {
			Name                       string
			InputTokenLimit            int64
			SupportedGenerationMethods []string
		}
		NextPageToken string
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || response.StatusCode != 200 || len(page.Models) != 2 || page.NextPageToken == "" {
		t.Fatal(err, response.Status, body)
	}
	names := []string{page.Models[0].Name, page.Models[1].Name}
	if page.Models[1].InputTokenLimit == 0 || len(page.Models[1].SupportedGenerationMethods) == 0 {
		t.Error(body)
	}
	_, body = w.google(http.MethodGet, "/v1beta/models?pageToken="+page.NextPageToken, "")
	page.NextPageToken = ""
	if err := json.Unmarshal([]byte(body), &page); err != nil || page.NextPageToken != "" {
		t.Fatal(err, body)
	}
	for _, m := range page.Models {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "models/fast models/m models/priced models/a/m models/a/priced" {
		t.Error(got)
	}
	for _, path := range []string{"/v1beta/models/a/m", "/v1beta/models/models%2Fa%2Fm"} {
		if _, body = w.google(http.MethodGet, path, ""); !strings.Contains(body, `"name":"models/a/m"`) {
			t.Error(body)
		}
	}
}

// TestGeminiSwitchedOff: the endpoint's switch and a key's list of endpoints count, in Google's words.
func TestGeminiSwitchedOff(t *testing.T) {
	w := newWorld(t, says(document))
	w.snapshot.Endpoints = map[string]*point.Endpoint{}
	w.snapshot.Endpoints[point.PathGemini] = &point.Endpoint{Path: point.PathGemini}
	for _, request := range [][2]string{{"GET", "/v1beta/models"}, {"POST", "/v1beta/models/m:generateContent"}} {
		if response, body := w.google(request[0], request[1], googles); response.StatusCode != 404 || !strings.Contains(body, string(point.EndpointDisabled)) {
			t.Error(response.Status, body)
		}
	}
}

// TestGeminiReadsNoForeignSignatures: Gemini itself gets what Google documents in the place of
// thought signatures that Point made of other models' thought, and its own as they are.
func TestGeminiReadsNoForeignSignatures(t *testing.T) {
	var got string
	w := newWorld(t, streams(chunk(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"eA==","format":"other"}]}`), chunk(`{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}`), stopChunk, done), func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		says(`{"candidates":[{"content":{"parts":[{"text":"ok"}],"role":"model"},"finishReason":"STOP"}]}`)(rw, r)
	})
	w.speaksGemini("id-b")
	_, answer := w.google(http.MethodPost, "/v1beta/models/a/m:streamGenerateContent", googles)
	signature := gjson.Get(answer, "@flatten|#.candidates.0.content.parts.0.thoughtSignature|0").Str
	if signature == "" {
		t.Fatal(answer)
	}
	turn := `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"` + signature + `"},{"text":"x","thought_signature":"b3du"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`
	response, body := w.google(http.MethodPost, "/v1beta/models/b/m:generateContent", turn)
	if want := strings.Replace(turn, signature, "skip_thought_signature_validator", 1); response.StatusCode != 200 || got != want {
		t.Errorf("%s %s: Gemini got %s", response.Status, body, got)
	}
}

// TestGeminiCounts: the service counts where it can be asked, whatever it speaks; else Point does, and
// says so. Nothing is used.
func TestGeminiCounts(t *testing.T) {
	tests := map[string]struct {
		kind, answer, body, want, path, sent string
		estimated                            string
	}{
		"a chat":     {"openai", "", googles, `{"totalTokens":7}`, "", "", "true"},
		"in a whole": {"openai", "", `{"generateContentRequest":` + googles + `}`, `{"totalTokens":7}`, "", "", "true"},
		"itself":     {"gemini", `{"totalTokens": 31}`, googles, `{"totalTokens": 31}`, "/v1beta/models/m:countTokens", googles, ""},
		"wrapped":    {"gemini", `{"totalTokens":3}`, `{"generateContentRequest":{"model":"models/x","contents":[{"parts":[{"text":"a"}]}]}}`, `{"totalTokens":3}`, "/v1beta/models/m:countTokens", `{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"a"}]}]}}`, ""},
		"Claude":     {"anthropic", `{"input_tokens":14}`, googles, `{"totalTokens":14}`, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, ""},
		"of a whole": {"anthropic", `{"input_tokens":14}`, `{"generateContentRequest":` + googles + `}`, `{"totalTokens":14}`, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var path, sent string
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				path, sent = r.URL.Path, string(b)
				says(test.answer)(rw, r)
			})
			p := w.snapshot.Providers["id-a"]
			p.Kind, p.Config.BaseURL = test.kind, strings.TrimSuffix(p.Config.BaseURL, "/v1")
			response, body := w.google(http.MethodPost, "/v1beta/models/a%2Fm:countTokens", test.body)
			if response.StatusCode != 200 || body != test.want || path != test.path || sent != test.sent || response.Header.Get("X-Point-Estimated") != test.estimated {
				t.Errorf("%d %s %v, sent %s to %s", response.StatusCode, body, response.Header, sent, path)
			}
			if r := w.record(); r.Endpoint != point.PathCountTokens || r.Usage != nil || r.Cost != nil || r.Outcome != point.OutcomeComplete {
				t.Errorf("record %+v", r)
			}
		})
	}
}

// TestGeminiEmbeds: Google's own clients get embeddings of any provider, and of Google's as they came.
func TestGeminiEmbeds(t *testing.T) {
	const (
		one   = `{"content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","output_dimensionality":2}`
		batch = `{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}`
		list  = `{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5,1]},{"object":"embedding","index":0,"embedding":[1,0]}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}`
		first = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0]}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}`
	)
	tests := map[string]struct {
		kind, answer, method, body, want, path, sent, dropped string
		input                                                 int64
	}{
		"one":           {"openai", first, "embedContent", one, `{"embedding":{"values":[1,0]},"usageMetadata":{"promptTokenCount":4}}`, "/v1/embeddings", `{"model":"priced","input":["a\nb"],"dimensions":2}`, "taskType", 4},
		"several":       {"openai", list, "batchEmbedContents", batch, `{"embeddings":[{"values":[1,0]},{"values":[0.5,1]}],"usageMetadata":{"promptTokenCount":4}}`, "/v1/embeddings", `{"model":"priced","input":["a","b"]}`, "", 4},
		"one, Gemini":   {"gemini", `{"embedding":{"values":[1]}}`, "embedContent", one, `{"embedding":{"values":[1]}}`, "/v1beta/models/priced:embedContent", one, "", 2},
		"batch, Gemini": {"gemini", `{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":9}}`, "batchEmbedContents", batch, `{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":9}}`, "/v1beta/models/priced:batchEmbedContents", strings.NewReplacer("models/x", "models/priced", `{"content":{"parts":[{"text":"b"`, `{"model":"models/priced","content":{"parts":[{"text":"b"`).Replace(batch), "", 9},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var path, sent string
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				path, sent = r.URL.Path, string(b)
				says(test.answer)(rw, r)
			})
			if test.kind == "gemini" {
				w.speaksGemini("id-a")
			}
			response, body := w.google(http.MethodPost, "/v1beta/models/priced:"+test.method, test.body)
			if response.StatusCode != 200 || body != test.want || path != test.path || sent != test.sent || response.Header.Get("X-Point-Dropped") != test.dropped || response.Header.Get("X-Point-Cost") == "" {
				t.Errorf("%d %s %v, sent %s to %s", response.StatusCode, body, response.Header, sent, path)
			}
			if r := w.record(); r.Endpoint != point.PathEmbeddings || r.Usage == nil || r.Usage.Input != test.input || r.Cost == nil {
				t.Errorf("record %+v, usage %+v", r, r.Usage)
			}
		})
	}
}

// TestGeminiCannotBeTold: what an embedding elsewhere cannot say, or is not there, is named.
func TestGeminiCannotBeTold(t *testing.T) {
	w := newWorld(t, says(document))
	for _, test := range []struct{ method, body, field string }{
		{"countTokens", `{}`, "contents"},
		{"countTokens", `{"contents":"x"}`, "contents"},
		{"countTokens", `{"contents":[]}`, "contents"},
		{"countTokens", `{"generateContentRequest":{}}`, "generateContentRequest.contents"},
		{"countTokens", `{"generateContentRequest":{"contents":5}}`, "generateContentRequest.contents"},
		{"embedContent", `{}`, "content"},
		{"embedContent", `{"content":{"parts":[]}}`, "content"},
		{"embedContent", `{"content":{"parts":[{"inlineData":{}}]}}`, "content.parts[0]"},
		{"embedContent", `{"content":{"parts":[{"text":1}]}}`, "content.parts[0].text"},
		{"embedContent", `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":"x"}`, "outputDimensionality"},
		{"embedContent", `{"content":"a"}`, "content"},
		{"batchEmbedContents", `{"requests":[]}`, "requests"},
		{"batchEmbedContents", `{"requests":["a"]}`, "requests[0]"},
		{"batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{}]}`, "requests[1].content"},
		{"batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"a"}]},"outputDimensionality":3}]}`, "requests[1].outputDimensionality"},
	} {
		response, body := w.google(http.MethodPost, "/v1beta/models/m:"+test.method, test.body)
		if got := gjson.Get(body, "error.details.#.fieldViolations.0.field|0").Str; response.StatusCode != 400 || got != test.field {
			t.Errorf("%s %s: %d %s", test.method, test.body, response.StatusCode, body)
		}
	}
}
