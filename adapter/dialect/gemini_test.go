package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// checkGeminiStream holds a stream to what Google's documentation says of one: each event is an
// answer, a candidate ends once and says nothing after, and what was used is told at the end.
func checkGeminiStream(t testing.TB, stream []byte) {
	t.Helper()
	ended, id := map[int64]bool{}, ""
	list := events(t, stream)
	for i, data := range list {
		if !json.Valid(data) {
			t.Fatalf("event %d is no JSON: %s", i, data)
		}
		doc := gjson.ParseBytes(data)
		if i == len(list)-1 && doc.Get("error.status").Exists() { // of one that failed
			return
		}
		if id == "" {
			id = doc.Get("responseId").Str
		}
		switch {
		case !doc.Get("candidates").IsArray(), len(doc.Get("candidates").Array()) == 0:
			t.Fatalf("event %d has no candidates: %s", i, data)
		case doc.Get("responseId").Str != id:
			t.Fatalf("event %d has another id: %s", i, data)
		case doc.Get("usageMetadata").Exists() && i < len(list)-1:
			t.Fatalf("event %d tells usage, and is not the last: %s", i, data)
		}
		doc.Get("candidates").ForEach(func(_, c gjson.Result) bool {
			if at := c.Get("index").Int(); ended[at] {
				t.Fatalf("event %d: candidate %d had ended: %s", i, at, data)
			}
			ended[c.Get("index").Int()] = c.Get("finishReason").Exists()
			checkGeminiCandidate(t, c)
			return true
		})
	}
}

func checkGeminiCandidate(t testing.TB, c gjson.Result) {
	t.Helper()
	if c.Get("content.role").Str != "model" || len(c.Get("content.parts").Array()) == 0 {
		t.Fatalf("no content: %s", c.Raw)
	}
	for _, part := range c.Get("content.parts").Array() {
		kinds := 0
		part.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "text":
				kinds++
				if v.Str == "" && !part.Get("thoughtSignature").Exists() && !c.Get("finishReason").Exists() {
					t.Fatalf("a part says nothing: %s", c.Raw)
				}
			case "functionCall":
				kinds++
				if v.Get("name").Str == "" || !v.Get("args").IsObject() {
					t.Fatalf("no whole call: %s", v.Raw)
				}
			case "inlineData":
				kinds++
			case "thought", "thoughtSignature":
			default:
				t.Fatalf("a part has %q: %s", key.Str, part.Raw)
			}
			return true
		})
		if kinds != 1 {
			t.Fatalf("a part is %d things: %s", kinds, part.Raw)
		}
	}
}

func TestGeminiError(t *testing.T) {
	for _, test := range []struct {
		name string
		err  point.Error
		want []string
	}{
		{"a code of Point's", point.Error{Code: point.InvalidAPIKey, Message: "No."}, []string{`"code":401`, `"status":"UNAUTHENTICATED"`, `"reason":"invalid_api_key"`, `"domain":"point"`}},
		{"a field", point.Error{Code: point.UnsupportedField, Param: "tools.googleSearch", Message: "No."}, []string{`"status":"INVALID_ARGUMENT"`, `"field":"tools.googleSearch"`}},
		{"a wait", point.Error{Code: point.RateLimited, Message: "Wait.", RetryAfter: 1500 * time.Millisecond}, []string{`"status":"RESOURCE_EXHAUSTED"`, `"retryDelay":"1.5s"`}},
		{"what Google said", point.Error{Code: point.ProviderRejected, Message: "No.", UpstreamType: "FAILED_PRECONDITION"}, []string{`"code":400`, `"status":"FAILED_PRECONDITION"`}},
		{"what another said", point.Error{Code: point.ProviderRejected, Message: "No.", UpstreamType: "invalid_request_error"}, []string{`"status":"INVALID_ARGUMENT"`}},
		{"an odd status", point.Error{Code: point.ProviderRejected, Message: "No.", Status: 422}, []string{`"code":422`, `"status":"INVALID_ARGUMENT"`}},
		{"another odd status", point.Error{Code: point.ProviderUnavailable, Message: "No.", Status: 529}, []string{`"code":529`, `"status":"UNKNOWN"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := string(Gemini.Error(&test.err))
			for _, want := range test.want {
				if !strings.Contains(body, want) {
					t.Errorf("no %s in %s", want, body)
				}
			}
			if event := string(Gemini.Event(&test.err)); event != "data: "+body+"\n\n" {
				t.Error(event)
			}
		})
	}
}

// TestGeminiSignatures: what is carried in a thought signature comes back, whichever way a client
// wrote its base64 anew.
func TestGeminiSignatures(t *testing.T) {
	details := []json.RawMessage{json.RawMessage(`{"type":"reasoning.text","text":"ÿ?>~","signature":"s"}`), json.RawMessage(`{"type":"reasoning.encrypted","data":"d"}`)}
	wrapped := wrapDetails(details)
	for _, form := range []string{wrapped, strings.TrimRight(wrapped, "="), strings.NewReplacer("+", "-", "/", "_").Replace(wrapped)} {
		if got, ok := unwrapDetails(form); !ok || string(bytes.Join(toBytes(got), nil)) != string(bytes.Join(toBytes(details), nil)) {
			t.Errorf("%v %s", ok, got)
		}
	}
	for _, other := range []string{"", "AbC=", "not base64!", wrapDetails([]json.RawMessage{json.RawMessage(`1`)})} {
		if _, ok := unwrapDetails(other); ok {
			t.Errorf("%q is taken for Point's", other)
		}
	}
}

// TestGeminiDocumented: the documentation tells of each field what the tables do.
func TestGeminiDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/translation.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := geminiTable(); !bytes.Contains(doc, []byte(want)) {
		t.Errorf("docs/translation.md lacks this table:\n%s", want)
	}
}

// geminiTable is the documentation's table of fields.
func geminiTable() string {
	var b strings.Builder
	b.WriteString("| Field of `generateContent` | In a chat |\n|---|---|\n")
	for _, table := range []struct {
		under string
		list  []geminiField
	}{{"", geminiRequestFields}, {"generationConfig.", geminiConfigFields}, {"tools.", geminiToolFields}} {
		for _, f := range table.list {
			b.WriteString("| `" + table.under + f.name + "` | " + f.fate() + " |\n")
		}
	}
	return b.String()
}

// FuzzGeminiRequest tells arbitrary bodies as chats: into JSON that can be read as a call, or into an
// error with a code.
func FuzzGeminiRequest(f *testing.F) {
	for _, request := range sections(f, Gemini, "request.json") {
		f.Add(request, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, drop bool) {
		call := newCall(Gemini, point.PathGemini, body, true)
		if drop {
			call.Snapshot.Default.Unsupported = "drop"
		}
		inner, err := Gemini.Inner(call)
		var e *point.Error
		if err != nil && (!errors.As(err, &e) || e.Code.Status() == 0 || e.Message == "") {
			t.Fatalf("%v is no *point.Error", err)
		}
		if err == nil && (!json.Valid(inner.Body) || !inner.Envelope.Stream || inner.Path != point.PathChat) {
			t.Fatalf("no chat: %s", inner.Body)
		}
	})
}

// FuzzGeminiAnswer tells arbitrary streams: in order, and however they were split, or with an error.
func FuzzGeminiAnswer(f *testing.F) {
	for _, file := range fixturesOf(f, Gemini) {
		fixture := loadFixture(f, file)
		if answer := fixture.section("answer"); fixture.config.Stream && answer != nil {
			f.Add(answer)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		call := newCall(Gemini, point.PathGemini, []byte(`{"contents":[],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`), true)
		got, err := tell(t, Gemini, call, stream)
		checkGeminiStream(t, got)
		var single [][]byte
		for i := range stream {
			single = append(single, stream[i:i+1])
		}
		again, wrong := tell(t, Gemini, call, single...)
		if string(again) != string(got) || (err == nil) != (wrong == nil) {
			t.Fatalf("split: %q (%v), whole: %q (%v)", again, wrong, got, err)
		}
	})
}
