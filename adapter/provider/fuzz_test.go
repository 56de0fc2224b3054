package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"point"
)

// streamRequest asks for everything that a decoder treats apart.
const streamRequest = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_object"}}`

// seed adds the answers of a kind's fixtures to a fuzz target's corpus.
func seed(f *testing.F, kind string, stream bool, add func(status int, body []byte)) {
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.txtar"))
	if err != nil || len(files) == 0 {
		f.Fatal("no fixtures", err)
	}
	k, _ := Lookup(kind)
	for _, file := range files {
		fix := loadFixture(f, k, file)
		head, body, _ := bytes.Cut(fix.section("upstream"), []byte("\n\n"))
		if bytes.Contains(bytes.ReplaceAll(head, []byte("-"), nil), []byte("eventstream")) != stream || len(body) == 0 {
			continue
		}
		status := http.StatusOK
		if _, err := fmt.Sscan(string(head), &status); err != nil {
			f.Fatal(err)
		}
		add(status, body)
	}
}

// fuzzStream decodes arbitrary streams. Whatever comes, the decoder ends with [DONE] or an
// error with a code, says nothing that is not JSON, and does not care how it was split.
func fuzzStream(f *testing.F, kind string) {
	seed(f, kind, true, func(_ int, body []byte) { f.Add(body) })
	k, _ := Lookup(kind)
	f.Fuzz(func(t *testing.T, stream []byte) {
		req := newRequest(t, k, point.PathChat, streamRequest, "")
		req.Drop = true // what the kind cannot say
		run := func(split bool) decoded {
			x, err := k.Exchange(req)
			if err != nil {
				t.Fatalf("%s refuses a chat without settings, with what it cannot say dropped: %v", kind, err)
			}
			if split {
				return decode(x.Decoder, iotest.OneByteReader(bytes.NewReader(stream)))
			}
			return decode(x.Decoder, bytes.NewReader(stream))
		}
		got := run(false)
		checkError(t, got.err)
		checkUsage(t, got.usage)
		if k.Dialect != point.DialectOpenAI {
			checkStream(t, req, got)
		}
		if n := strings.Count(strings.Join(got.kinds, " "), "done"); n > 1 || n == 1 && got.err != nil || n == 0 && got.err == nil {
			t.Fatalf("%d [DONE], error %v", n, got.err)
		}
		if again := run(true); again.text != got.text || fmt.Sprint(again.err) != fmt.Sprint(got.err) {
			t.Fatalf("split: %q, whole: %q", again.text, got.text)
		}
	})
}

// fuzzReply decodes arbitrary documents, as answers and as failures.
func fuzzReply(f *testing.F, kind string) {
	seed(f, kind, false, func(status int, body []byte) { f.Add(status, body) })
	k, _ := Lookup(kind)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for path, request := range map[string]string{
			point.PathChat:       `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
			point.PathEmbeddings: `{"model":"m","input":["a","b"],"encoding_format":"base64"}`,
		} {
			x, err := k.Exchange(newRequest(t, k, path, request, ""))
			if err != nil {
				continue
			}
			block, err := x.Decoder.Document(bytes.Clone(body))
			checkError(t, err)
			checkUsage(t, block.Usage)
			if err == nil && !json.Valid(block.Data) {
				t.Fatalf("not JSON: %s", block.Data)
			}
			if d, ok := x.Decoder.(Forwarder); ok {
				usage, at := d.Tail(body)
				checkUsage(t, usage)
				if at < 0 || at > len(body) || at > 0 && body[at-1] != '{' {
					t.Fatalf("cost at %d", at)
				}
			}
		}
		checkFailure(t, k, status, body)
	})
}

func checkFailure(t *testing.T, k *Kind, status int, body []byte) {
	t.Helper()
	status = 300 + max(status, -status)%300
	e := k.Failure(status, http.Header{}, body)
	if e.Code.Status() == 0 || e.Message == "" || len(e.Message) > maxMessage || e.HTTPStatus() < 400 || e.RetryAfter < 0 {
		t.Fatalf("failure %+v", e)
	}
	for _, text := range []string{e.Message, e.Error()} {
		if strings.Contains(strings.ToLower(text), "<html") && !json.Valid(body) {
			t.Fatalf("HTML is repeated: %q", text)
		}
	}
	for _, list := range k.ModelLists(&point.ProviderConfig{}) {
		_, err := list.Read(body)
		checkError(t, err)
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var e *point.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%v is no *point.Error", err)
	}
	if e != nil && (e.Code.Status() == 0 || e.Message == "") {
		t.Fatalf("error %+v", e)
	}
}

func checkUsage(t *testing.T, u *point.Usage) {
	t.Helper()
	if u == nil {
		return
	}
	in := u.CacheRead + u.CacheWrite + u.CacheWrite1h + u.AudioInput
	if min(u.Input, u.Output, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.AudioInput, u.Reasoning, u.AudioOutput) < 0 ||
		in < 0 || in > u.Input || u.Reasoning > u.Output || u.AudioOutput > u.Output {
		t.Fatalf("usage %+v", u)
	}
}

func FuzzOpenAIStream(f *testing.F)           { fuzzStream(f, "openai") }
func FuzzOpenAICompatibleStream(f *testing.F) { fuzzStream(f, "openai-compatible") }
func FuzzAnthropicStream(f *testing.F)        { fuzzStream(f, "anthropic") }
func FuzzGeminiStream(f *testing.F)           { fuzzStream(f, "gemini") }
func FuzzVertexStream(f *testing.F)           { fuzzStream(f, "vertex") }
func FuzzBedrockStream(f *testing.F)          { fuzzStream(f, "bedrock") }
func FuzzCohereStream(f *testing.F)           { fuzzStream(f, "cohere") }
func FuzzAzureStream(f *testing.F)            { fuzzStream(f, "azure") }
func FuzzMistralStream(f *testing.F)          { fuzzStream(f, "mistral") }
func FuzzXAIStream(f *testing.F)              { fuzzStream(f, "xai") }

func FuzzOpenAIReply(f *testing.F)           { fuzzReply(f, "openai") }
func FuzzOpenAICompatibleReply(f *testing.F) { fuzzReply(f, "openai-compatible") }
func FuzzAnthropicReply(f *testing.F)        { fuzzReply(f, "anthropic") }
func FuzzGeminiReply(f *testing.F)           { fuzzReply(f, "gemini") }
func FuzzVertexReply(f *testing.F)           { fuzzReply(f, "vertex") }
func FuzzBedrockReply(f *testing.F)          { fuzzReply(f, "bedrock") }
func FuzzCohereReply(f *testing.F)           { fuzzReply(f, "cohere") }
func FuzzMistralReply(f *testing.F)          { fuzzReply(f, "mistral") }
func FuzzZhipuReply(f *testing.F)            { fuzzReply(f, "zhipu") }

// FuzzRequest translates arbitrary client bodies for every kind: into JSON, or into an error
// with a code.
func FuzzRequest(f *testing.F) {
	for _, k := range Kinds() {
		files, _ := filepath.Glob(filepath.Join("testdata", k.Name, "*.txtar"))
		for _, file := range files {
			f.Add(loadFixture(f, k, file).req.Call.Body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := point.ScanEnvelope(body)
		if err != nil || env.Model == "" {
			return
		}
		for _, k := range Kinds() {
			for _, path := range []string{point.PathChat, point.PathEmbeddings} {
				req := &Request{
					Model:    "other",
					Call:     &point.Call{ID: "id", Path: path, Dialect: point.DialectOpenAI, Envelope: env, Body: body, Start: start},
					Provider: &point.Provider{Kind: k.Name},
				}
				x, err := k.Exchange(req)
				checkError(t, err)
				if err == nil && json.Valid(body) && !json.Valid(x.Outbound.Body) {
					t.Fatalf("%s: not JSON: %s", k.Name, x.Outbound.Body)
				}
			}
		}
	})
}
