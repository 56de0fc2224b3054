package adapter

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

// formed are the headers of a form that formOf writes.
var (
	bearer = []string{"Authorization", "Bearer " + token}
	formed = append([]string{"Content-Type", "multipart/form-data; boundary=x"}, bearer...)
)

// formOf writes a form of names and values; "name@file" is a file.
func formOf(pairs ...string) string {
	var b strings.Builder
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("x")
	for pair := range slices.Chunk(pairs, 2) {
		name, file, isFile := strings.Cut(pair[0], "@")
		create := w.CreateFormField
		if isFile {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, file) }
		}
		part, _ := create(name)
		_, _ = io.WriteString(part, pair[1])
	}
	w.Close()
	return b.String()
}

// sent is a form as an upstream gets it: "name=value" for each part, files as "name@file=content".
func sent(r *http.Request) (list []string) {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err != nil {
			return append(list, fmt.Sprint(err))
		}
		content, err := io.ReadAll(p)
		name := p.FormName()
		if p.FileName() != "" {
			name += "@" + p.FileName()
		}
		if list = append(list, fmt.Sprintf("%s=%s", name, content)); err != nil {
			return append(list, fmt.Sprint(err))
		}
	}
}

// TestFormGoesOn: a form reaches each provider whole and in order, but for the model's name and
// Point's own fields, and leaves no file behind.
func TestFormGoesOn(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, size := range map[string]int{"in memory": 1000, "on disk": inMemory + 100_000} {
		t.Run(name, func(t *testing.T) {
			file := strings.Repeat("sound\r\n", size/7)
			var mu sync.Mutex
			var got [][]string
			var lengths []int64
			upstream := func(status int, answer string) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					list := sent(r)
					mu.Lock()
					defer mu.Unlock()
					got, lengths = append(got, list), append(lengths, r.ContentLength)
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					_, _ = io.WriteString(w, answer)
				}
			}
			w := newWorld(t, upstream(503, `{"error":{"message":"busy"}}`), upstream(200, `{"text":"hello","usage":{"type":"tokens","input_tokens":5,"output_tokens":2}}`))
			response, answer := w.do("POST", point.PathTranscribe,
				formOf("model", "a/priced", "provider", "a", "language", "en", `odd "name"`, "1", "file@sp eech.mp3", file, "fallback_providers", "b", "prompt", "p"), formed...)
			if response.StatusCode != 200 || !strings.Contains(answer, `"text":"hello"`) || !strings.Contains(answer, `"cost":`) {
				t.Fatalf("%d %s", response.StatusCode, answer)
			}
			want := []string{"model=priced", "language=en", "odd \"name\"=1", "file@sp eech.mp3=" + file, "prompt=p", "EOF"}
			for i, list := range got {
				for j := range list { // the HTML standard's way to write a quote in a name
					list[j] = strings.ReplaceAll(list[j], "%22", `"`)
				}
				if !slices.Equal(list, want) || lengths[i] <= int64(len(file)) {
					t.Errorf("attempt %d got %.300q of %d bytes", i, list, lengths[i])
				}
			}
			if len(got) < 2 {
				t.Errorf("%d attempts", len(got))
			}
			record := <-w.kept
			if record.Usage == nil || record.Usage.Input != 5 || record.Outcome != point.OutcomeComplete || record.Endpoint != point.PathTranscribe {
				t.Errorf("%+v", record)
			}
			if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestFormHoldsLittle: the fields of a form are bounded together, and what is held of it comes out of
// the budget for bodies, to which it goes back.
func TestFormHoldsLittle(t *testing.T) {
	field := strings.Repeat("x", 900_000)
	for name, test := range map[string]struct {
		form   string
		budget int64
		code   point.Code
	}{
		"one large field":   {formOf("model", "m", "prompt", field+field), 64 << 20, point.BodyTooLarge},
		"many large fields": {formOf("model", "m", "a", field, "b", field, "c", field), 64 << 20, point.BodyTooLarge},
		"a large name":      {formOf("model", "m", field, "", field+"1", "", field+"2", ""), 64 << 20, point.BodyTooLarge},
		"no room for field": {formOf("model", "m", "a", field), 500_000, point.Overloaded},
		"no room for file":  {formOf("model", "m", "file@a.mp3", field[:200_000]), 100_000, point.Overloaded},
		"what fits":         {formOf("model", "m", "a", field, "file@a.mp3", field), 1_200_000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, says(`{"text":"hello"}`))
			w.handler.MaxBody, w.handler.bodies.limit, w.handler.bodies.budget = 8<<20, 8<<20, test.budget
			_, answer := w.do("POST", point.PathTranscribe, test.form, formed...)
			if got := gjson.Get(answer, "error.code").Str; got != string(test.code) {
				t.Errorf("%s: %.300s", got, answer)
			}
			w.server.Close()
			if used := w.handler.bodies.used.Load(); used != 0 {
				t.Errorf("%d bytes are not given back", used)
			}
		})
	}
}

// TestBytesGoOn: sound and plain text are relayed under their own type, and count no tokens; of
// what is spoken the characters count.
func TestBytesGoOn(t *testing.T) {
	sound := bytes.Repeat([]byte{0, 1, 2, 255}, 100_000)
	for name, test := range map[string]struct {
		path, body string
		headers    []string
		kind       string
		answer     []byte
	}{
		"sound": {point.PathSpeech, `{"model":"m","input":"hello","voice":"alloy"}`, bearer, "audio/mpeg", sound},
		"empty": {point.PathSpeech, `{"model":"m","input":"hello","voice":"alloy"}`, bearer, "audio/mpeg", nil},
		"text":  {point.PathTranscribe, formOf("model", "m", "response_format", "srt", "file@a.mp3", "x"), formed, "text/plain; charset=utf-8", []byte("1\n00:00 --> 00:01\nhello\n")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", test.kind)
				_, _ = w.Write(test.answer)
			})
			response, answer := w.do("POST", test.path, test.body, test.headers...)
			if response.StatusCode != 200 || response.Header.Get("Content-Type") != test.kind || answer != string(test.answer) {
				t.Errorf("%d %s, %d bytes", response.StatusCode, response.Header.Get("Content-Type"), len(answer))
			}
			if record := <-w.kept; record.Cost != nil || record.Outcome != point.OutcomeComplete || (test.path == point.PathSpeech) != (record.Usage != nil && *record.Usage == point.Usage{Characters: 5}) {
				t.Errorf("%+v", record)
			}
		})
	}
}

// TestBytesBreakOff: sound that breaks off is a broken connection, not a short answer.
func TestBytesBreakOff(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 500))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	request, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+point.PathSpeech, strings.NewReader(`{"model":"m","input":"hello","voice":"alloy"}`))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err == nil || len(got) != 500 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if record := <-w.kept; record.Outcome != point.OutcomeTruncated {
		t.Errorf("%+v", record)
	}
}

// TestFormFieldsAreWhatTheyMustBe: what cannot be is refused before a provider is asked, by its name.
func TestFormFieldsAreWhatTheyMustBe(t *testing.T) {
	w := newWorld(t, says(`{"created":1,"data":[{"b64_json":"eA=="}],"text":"hello"}`))
	for _, test := range []struct{ path, name, value, says string }{
		{point.PathImageEdits, "n", "abc", "a whole number"},
		{point.PathImageEdits, "n", "1.5", "a whole number"},
		{point.PathImageEdits, "n", "11", "from 1 to 10"},
		{point.PathImageEdits, "n@a.png", "1", "a whole number"},
		{point.PathImageEdits, "partial_images", "", "a whole number"},
		{point.PathImageEdits, "stream", "maybe", "true or false"},
		{point.PathTranscribe, "stream", "yes", "true or false"},
		{point.PathTranscribe, "temperature", "hot", "a number"},
		{point.PathTranslate, "temperature", "NaN", "a number"},
		{point.PathImageEdits, "n", "0x1p1", "a whole number"},
		{point.PathImageEdits, "n", "1e0", "a whole number"},
		{point.PathImageEdits, "partial_images", "inf", "a whole number"},
		{point.PathImageEdits, "partial_images", "-Infinity", "a whole number"},
		{point.PathTranscribe, "temperature", "0x1p-2", "a number"},
		{point.PathTranscribe, "temperature", "Inf", "a number"},
		{point.PathTranscribe, "temperature", strings.Repeat("1", 400), "a number"},
		{point.PathTranscribe, "stream", "T", "true or false"},
		{point.PathTranscribe, "stream", "1", "true or false"},
		{point.PathImageEdits, "n", "2", ""},
		{point.PathImageEdits, "partial_images", "0", ""},
		{point.PathTranscribe, "temperature", "0", ""},
		{point.PathTranscribe, "temperature", "0.2", ""},
		{point.PathTranscribe, "stream", "False", ""},
	} {
		response, answer := w.do("POST", test.path, formOf("model", "m", "prompt", "p", "file@a", "x", test.name, test.value), formed...)
		name, _, _ := strings.Cut(test.name, "@")
		refused := response.StatusCode == 400 && gjson.Get(answer, "error.param").Str == name && strings.Contains(answer, test.says)
		if test.says == "" && response.StatusCode != 200 || test.says != "" && !refused {
			t.Errorf("%s %s=%s: %d %s", test.path, test.name, test.value, response.StatusCode, answer)
		}
	}
}

// TestStreamsThatAreNone: where a service takes no notice of the wish for a stream, its answer goes
// back under its own type, however long it took.
func TestStreamsThatAreNone(t *testing.T) {
	const text, pictures = `{"text":"hello","usage":{"type":"tokens","input_tokens":5,"output_tokens":2}}`, `{"created":1,"data":[{"b64_json":"eA=="}]}`
	long := `{"text":"` + strings.Repeat("words ", 60_000) + `"}`
	for name, test := range map[string]struct {
		path, body   string
		headers      []string
		kind, answer string
	}{
		"a transcript":      {point.PathTranscribe, formOf("model", "m", "stream", "true", "file@a.mp3", "x"), formed, "application/json", text},
		"a long one":        {point.PathTranscribe, formOf("model", "m", "stream", "true", "file@a.mp3", "x"), formed, "application/json; charset=utf-8", long},
		"one as plain text": {point.PathTranscribe, formOf("model", "m", "stream", "true", "response_format", "text", "file@a.mp3", "x"), formed, "text/plain", "hello"},
		"sound":             {point.PathSpeech, `{"model":"m","input":"hello","voice":"alloy","stream_format":"sse"}`, bearer, "audio/mpeg", "\x00\x01sound"},
		"an image":          {point.PathImages, `{"model":"m","prompt":"x","stream":true}`, bearer, "application/json", pictures},
		"an edited image":   {point.PathImageEdits, formOf("model", "m", "prompt", "x", "stream", "true", "image@a.png", "x"), formed, "application/json", pictures},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", test.kind)
				_, _ = io.WriteString(w, test.answer)
			})
			w.handler.silence = 1
			response, answer := w.do("POST", test.path, test.body, test.headers...)
			kind, _, _ := strings.Cut(test.kind, ";")
			if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || !strings.HasPrefix(got, kind) || answer != test.answer {
				t.Errorf("%d %s: %.200q", response.StatusCode, got, answer)
			}
			if record := <-w.kept; record.Stream || record.Outcome != point.OutcomeComplete {
				t.Errorf("%+v", record)
			}
		})
	}
	w := newWorld(t, says(`{"error":{"message":"no","code":"bad"}}`))
	if response, answer := w.do("POST", point.PathTranscribe, formOf("model", "m", "stream", "true", "file@a.mp3", "x"), formed...); response.StatusCode < 400 || !strings.Contains(answer, `"error"`) {
		t.Errorf("an error: %d %s", response.StatusCode, answer)
	}
}

// TestTypedStreams: streams whose events tell their type end with one that is done; without it
// they are cut.
func TestTypedStreams(t *testing.T) {
	const delta = `data: {"type":"transcript.text.delta","delta":"hel"}` + "\n\n"
	const done = `data: {"type":"transcript.text.done","text":"hello","usage":{"type":"tokens","input_tokens":5,"output_tokens":2}}` + "\n\n"
	for name, test := range map[string]struct {
		stream, want string
		outcome      point.Outcome
	}{
		"whole": {delta + done, delta + done, point.OutcomeComplete},
		"cut":   {delta, delta + `data: {"error":`, point.OutcomeTruncated},
		"error": {delta + `data: {"type":"error","error":{"message":"sorry"}}` + "\n\n", delta + `data: {"error":{"message":"sorry"`, point.OutcomeTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, test.stream)
			})
			_, answer := w.do("POST", point.PathTranscribe, formOf("model", "m", "stream", "true", "file@a.mp3", "x"), formed...)
			if !strings.HasPrefix(answer, test.want) {
				t.Errorf("got %s", answer)
			}
			if record := <-w.kept; record.Outcome != test.outcome || test.outcome == point.OutcomeComplete && record.Usage.Output != 2 {
				t.Errorf("%+v", record)
			}
		})
	}
}

// TestUsualModel: a moderation that names no model goes to the usual one, under an alias's name too.
func TestUsualModel(t *testing.T) {
	var got string
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"1","model":"m","results":[{"flagged":false,"categories":{},"category_scores":{}}]}`)
	})
	w.snapshot.Aliases["omni-moderation-latest"] = "a/m"
	response, answer := w.do("POST", point.PathModerations, `{"input":"hello"}`, bearer...)
	if response.StatusCode != 200 || !strings.Contains(answer, "flagged") || got != `{"input":"hello","model":"m"}` {
		t.Errorf("%d %s, sent %s", response.StatusCode, answer, got)
	}
	if record := <-w.kept; record.Usage != nil || record.Model != "omni-moderation-latest" {
		t.Errorf("%+v", record)
	}
}

// TestRerank: a server that reranks gets the request as it came, and its answer goes back.
func TestRerank(t *testing.T) {
	w := newWorld(t, says(`{"id":"1","results":[{"index":1,"relevance_score":0.9}],"usage":{"prompt_tokens":7,"total_tokens":7}}`))
	w.snapshot.Providers["id-a"].Kind = "openai-compatible"
	response, answer := w.do("POST", point.PathRerank, `{"model":"priced","query":"q","documents":["a","b"]}`, bearer...)
	if response.StatusCode != 200 || !strings.Contains(answer, `"relevance_score":0.9`) {
		t.Errorf("%d %s", response.StatusCode, answer)
	}
	if record := <-w.kept; record.Usage == nil || record.Usage.Input != 7 || record.Usage.Output != 0 || record.Cost == nil {
		t.Errorf("%+v", record)
	}
}

// FuzzForm: no form makes reading it panic, and what it says of its files can be read.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "--x--\r\n", formOf("model", "m", "file@a.mp3", "x"), formOf("model", "m")[:40]} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(body))
		got, err := (&bodyPool{limit: 1 << 20, budget: 1 << 20}).form(&capture{header: http.Header{}}, r, "x")
		defer got.release()
		if err != nil {
			return
		}
		for _, p := range got.Parts {
			if p.Filename == "" {
				continue
			}
			if content, err := io.ReadAll(p.Open()); err != nil || int64(len(content)) != p.Size {
				t.Errorf("%d bytes of %d, %v", len(content), p.Size, err)
			}
		}
		_, _ = point.FormEnvelope(&got.Form)
	})
}
