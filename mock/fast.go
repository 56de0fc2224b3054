package mock

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Models of the fast path: answers that were made beforehand, for benchmarks that share the
// machine with the server. BenchStream is sent in a write and flush for each event, BenchOnce
// is the same stream in one write, BenchPaced has a pause of 5 ms before each event.
const (
	Bench       = "bench"        // a document of 1,024 bytes
	BenchStream = "bench-stream" // a stream of 200 content events
	BenchOnce   = "bench-stream-once"
	BenchPaced  = "bench-stream-paced"
)

var benchModels = []string{Bench, BenchStream, BenchOnce, BenchPaced}

const benchPace = 5 * time.Millisecond

// BenchChunks is how many content events a bench stream has.
const BenchChunks = 200

// canned holds one service's answers.
type canned struct {
	document []byte
	frames   [][]byte
	joined   []byte
}

// cannedFor makes a service's answers at the first use.
var cannedFor = map[string]func() *canned{
	"openai":    sync.OnceValue(func() *canned { return newCanned(openAI{}, cannedOpenAI()) }),
	"anthropic": sync.OnceValue(func() *canned { return newCanned(anthropic{}, cannedAnthropic()) }),
	"gemini":    sync.OnceValue(func() *canned { return newCanned(gemini{}, cannedGemini()) }),
}

// fast answers the bench models without reading more of the request than it takes to find
// the model's name; it reports whether it did.
func (s *Server) fast(w http.ResponseWriter, r *http.Request, svc service, body []byte) bool {
	name := benchModel(r.URL.Path, body)
	can, ok := cannedFor[svc.name()]
	if name == "" || !ok || r.Header.Get(FaultHeader) != "" || s.script.active() {
		return false
	}
	s.stats.requests.Add(1)
	c := can()
	if name == Bench {
		h := w.Header()
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{strconv.Itoa(len(c.document))}
		_, _ = w.Write(c.document) // a client that left reads nothing
		return true
	}
	w.Header()["Content-Type"] = []string{"text/event-stream"}
	if name == BenchOnce {
		_, _ = w.Write(c.joined)
		return true
	}
	s.stats.open.Add(1)
	defer s.stats.open.Add(-1)
	if !s.writeCanned(w, c.frames, name == BenchPaced) {
		s.stats.aborted.Add(1)
	}
	return true
}

// writeCanned reports whether all was sent.
func (s *Server) writeCanned(w http.ResponseWriter, frames [][]byte, paced bool) bool {
	var tick <-chan time.Time
	if paced {
		t := time.NewTicker(benchPace)
		defer t.Stop()
		tick = t.C
	}
	flusher, _ := w.(http.Flusher)
	for _, f := range frames {
		if tick != nil {
			select {
			case <-tick:
			case <-s.closing:
				return false
			}
		}
		if _, err := w.Write(f); err != nil {
			return false
		}
		if flusher != nil {
			flusher.Flush()
		}
	}
	return true
}

// benchModel finds a bench model in a path of Gemini or as a quoted word of the body.
func benchModel(path string, body []byte) string {
	if _, rest, ok := strings.Cut(path, "/models/"); ok {
		name, op, _ := strings.Cut(rest, ":")
		if !slices.Contains(benchModels, name) {
			return ""
		}
		if name == Bench && op == "streamGenerateContent" {
			return BenchStream
		}
		return name
	}
	i := bytes.Index(body, []byte(`"bench`))
	if i < 0 {
		return ""
	}
	for _, name := range benchModels {
		if bytes.HasPrefix(body[i+1:], []byte(name+`"`)) {
			return name
		}
	}
	return ""
}

const cannedSize = 1024

func newCanned(svc service, rep [2]*reply) *canned {
	c := &canned{}
	if gap := cannedSize - len(rep[0].body); gap > 0 {
		rep[0].body = bytes.Replace(rep[0].body, []byte("pad"), bytes.Repeat([]byte("pad "), gap/4+2)[:gap+3], 1)
	}
	c.document = rep[0].body
	_, isGemini := svc.(gemini)
	f := framing{}
	if isGemini {
		f.eol = "\r\n"
	}
	for i, fr := range rep[1].frames {
		b := f.append(nil, fr, i, i == len(rep[1].frames)-1)
		c.frames = append(c.frames, b)
		c.joined = append(c.joined, b...)
	}
	return c
}

// cannedRequest stands for the request that canned answers answer.
func cannedRequest(model string) *request {
	return &request{Request: &http.Request{}, server: &Server{opts: Options{Now: time.Now}}, model: model}
}

// cannedAnswer has 200 tokens in a stream; the document's text is padded to size.
func cannedAnswer(text string) answer {
	return answer{Text: text, Finish: "stop", Usage: usage{Input: 200, Output: countTokens(text)}}
}

func cannedOpenAI() [2]*reply {
	c := &chatRequest{Model: Bench, StreamOptions: streamOptions{IncludeUsage: true}}
	one := chatEncoder{req: cannedRequest(Bench), request: c, answer: cannedAnswer("pad"), n: 1}
	many := one
	many.answer = cannedAnswer(filler(BenchChunks))
	return [2]*reply{one.document(), {frames: many.frames()}}
}

func cannedAnthropic() [2]*reply {
	one := messageEncoder{req: cannedRequest(Bench), model: Bench, answer: cannedAnswer("pad")}
	many := one
	many.answer = cannedAnswer(filler(BenchChunks))
	return [2]*reply{document(one.envelope(one.blocks(), one.stopReason(), one.usage(200))), {frames: many.frames()}}
}

func cannedGemini() [2]*reply {
	one := geminiEncoder{req: cannedRequest(Bench), answer: cannedAnswer("pad")}
	many := one
	many.answer = cannedAnswer(filler(BenchChunks * geminiPieces))
	return [2]*reply{document(one.chunk(one.parts(), "STOP", one.usage(200))), {frames: many.frames()}}
}

// buffer holds one request body; buffers are pooled.
type buffer struct{ b []byte }

var bufferPool = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer { return bufferPool.Get().(*buffer) }

// maxPooled keeps one huge body from staying.
const maxPooled = 4 << 20

func giveBuffer(b *buffer) {
	if cap(b.b) <= maxPooled {
		b.b = b.b[:0]
		bufferPool.Put(b)
	}
}

// read reads r to its end; size is a hint, -1 for unknown.
func (b *buffer) read(r io.Reader, size int64) error {
	b.b = b.b[:0]
	if want := min(size+1, maxPooled); int64(cap(b.b)) < want {
		b.b = make([]byte, 0, want)
	}
	for {
		if len(b.b) == cap(b.b) {
			b.b = append(b.b, 0)[:len(b.b)]
		}
		n, err := r.Read(b.b[len(b.b):cap(b.b)])
		b.b = b.b[:len(b.b)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
