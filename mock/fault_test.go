package mock_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"point/mock"
)

// faultTest asks for a fault in each way and looks at what comes.
type faultTest struct {
	fault  string
	stream bool
	check  func(t *testing.T, service string, a answer)
}

func wantStatus(status int, header ...string) func(*testing.T, string, answer) {
	return func(t *testing.T, service string, a answer) {
		t.Helper()
		if a.status != status {
			t.Errorf("%s: status %d, want %d: %.200s", service, a.status, status, a.body)
		}
		if message, ok := a.field(t, errorAt[service]).(string); !ok || message == "" {
			t.Errorf("%s: no message in %.200s", service, a.body)
		}
		for i := 0; i < len(header); i += 2 {
			if got := a.header.Get(header[i]); got != header[i+1] {
				t.Errorf("%s: %s is %q, want %q", service, header[i], got, header[i+1])
			}
		}
	}
}

// wantText is a stream that a tolerant reader understands, framed in some way.
func wantText(has string) func(*testing.T, string, answer) {
	return func(t *testing.T, service string, a answer) {
		t.Helper()
		if a.err != nil || service != "bedrock" && !bytes.Contains(a.body, []byte(has)) { // its frames have no lines
			t.Errorf("%s: no %q in %.300q, %v", service, has, a.body, a.err)
		}
		norm := strings.NewReplacer("\ufeff", "", "\r\n", "\n", "\r", "\n").Replace(string(a.body))
		norm = strings.NewReplacer("data:{\ndata:", "data:{", "data: {\ndata: ", "data: {").Replace(norm)
		var text strings.Builder
		for line := range strings.SplitSeq(norm, "\n") {
			data, ok := strings.CutPrefix(line, "data:")
			if data = strings.TrimPrefix(data, " "); !ok || data == "[DONE]" {
				continue
			}
			if s, ok := lookup(t, []byte(data), deltaAt[service]).(string); ok {
				text.WriteString(s)
			}
		}
		if got := strings.Replace(text.String(), " Grüße, 世界 🌍 ", "", 1); got != "one two three four" {
			t.Errorf("%s: text %q", service, got)
		}
	}
}

// wantCut is an answer that ends too early with an error of that kind, nil for none.
func wantCut(kind error) func(*testing.T, string, answer) {
	return func(t *testing.T, service string, a answer) {
		t.Helper()
		if !errors.Is(a.err, kind) {
			t.Errorf("%s: error %v, want %v", service, a.err, kind)
		}
		whole := bytes.Contains(a.body, []byte("[DONE]")) || bytes.Contains(a.body, []byte("message_stop")) || bytes.Contains(a.body, []byte("messageStop")) || bytes.Contains(a.body, []byte("message-end")) ||
			bytes.HasPrefix(a.body, []byte("data:")) && bytes.Contains(a.body, []byte("finishReason")) || json.Valid(a.body)
		if whole {
			t.Errorf("%s: whole: %.300q", service, a.body)
		}
	}
}

func both(fault string, check func(*testing.T, string, answer)) []faultTest {
	return []faultTest{{fault, false, check}, {fault, true, check}}
}

func faultTests() []faultTest {
	date := fixedTime().Add(5 * time.Second).Format(http.TimeFormat)
	list := []faultTest{
		{"429=none", false, wantStatus(429, "Retry-After", "")},
		{"429=date:5", false, wantStatus(429, "Retry-After", date)},
		{"503=7", false, wantStatus(503, "Retry-After", "7")},
		{"redirect=http://127.0.0.1:1/", false, wantStatus(302, "Location", "http://127.0.0.1:1/")},
		{"delay=0", false, func(t *testing.T, service string, a answer) {
			if a.status != 200 {
				t.Errorf("%s: %d", service, a.status)
			}
		}},
		{"reset-midstream=0", true, wantCut(syscall.ECONNRESET)},
		{"malformed-json", false, func(t *testing.T, service string, a answer) {
			if a.status != 200 || a.err != nil || json.Valid(a.body) {
				t.Errorf("%s: %.300q", service, a.body)
			}
		}},
		{"malformed-json", true, func(t *testing.T, service string, a answer) {
			broken := 0
			for _, ev := range a.events() {
				if ev != "[DONE]" && !json.Valid([]byte(ev)) {
					broken++
				}
			}
			if broken != 1 {
				t.Errorf("%s: %d broken events in %.500q", service, broken, a.body)
			}
		}},
		{"error-first-event", true, func(t *testing.T, service string, a answer) {
			if events := a.events(); len(events) != 1 || lookup(t, []byte(events[0]), endedAt[service]) == nil {
				t.Errorf("%s: %q", service, events)
			}
		}},
		{"error-first-event", false, wantStatus(200)},
		{"error-midstream=2", true, func(t *testing.T, service string, a answer) {
			if events := a.events(); len(events) != 3 || lookup(t, []byte(events[2]), endedAt[service]) == nil {
				t.Errorf("%s: %q", service, events)
			}
		}},
		{"no-done", true, wantCut(nil)},
		{"leak-headers", false, func(t *testing.T, service string, a answer) {
			if !strings.HasSuffix(a.header.Get("X-Goog-Api-Key"), "1234567890") || a.header.Get("Set-Cookie") == "" {
				t.Errorf("%s: %v", service, a.header)
			}
		}},
		{"huge-line=2", true, func(t *testing.T, service string, a answer) {
			if len(a.body) < 2<<20 || len(a.streamText(t, service)) < 2<<20 {
				t.Errorf("%s: %d bytes", service, len(a.body))
			}
		}},
		{"huge-line", false, func(t *testing.T, service string, a answer) {
			if len(a.body) < 1<<20 || a.field(t, textAt[service]) != "one two three four" {
				t.Errorf("%s: %d bytes", service, len(a.body))
			}
		}},
		{"bad-utf8", true, func(t *testing.T, service string, a answer) {
			if !bytes.Contains(a.body, []byte("bad \xff\xfe\xc3 bytes")) {
				t.Errorf("%s: %.300q", service, a.body)
			}
		}},
		{"slow=1000000", true, wantText("one")},
		{"sse-crlf", true, wantText("\r\n\r\n")},
		{"sse-cr", true, wantText("\r\r")},
		{"sse-lf", true, wantText("}\n\n")},
		{"sse-bom", true, wantText("\ufeff")},
		{"sse-no-space", true, wantText("data:{")},
		{"sse-comment", true, wantText(": keep-alive")},
		{"sse-multiline,sse-lf", true, wantText("data: {\ndata: ")},
		{"sse-no-blank", true, func(t *testing.T, service string, a answer) {
			if text := strings.ReplaceAll(string(a.body), "\r", ""); service != "bedrock" && (strings.HasSuffix(text, "\n\n") || !strings.HasSuffix(text, "\n")) {
				t.Errorf("%s: ends in %q", service, text[len(text)-20:])
			}
		}},
		{"sse-split", true, wantText("世界 🌍")},
		{"sse-cr,sse-bom,sse-no-space,sse-comment,sse-multiline", true, wantText("\ufeff")},
	}
	list = append(list, both("429", wantStatus(429, "Retry-After", "1"))...)
	for _, status := range []int{400, 401, 402, 403, 404, 408, 409, 413, 422, 500, 502, 503, 504, 529} {
		list = append(list, faultTest{http.StatusText(status), true, wantStatus(status)})
		list[len(list)-1].fault = itoa(status)
	}
	list = append(list, both("404-model", wantStatus(404))...)
	list = append(list, both("quota", wantStatus(429, "Retry-After", ""))...)
	list = append(list, both("context", wantStatus(400))...)
	list = append(list, both("echo-key", func(t *testing.T, service string, a answer) {
		if !bytes.Contains(a.body, []byte("1234567890")) {
			t.Errorf("%s: %s", service, a.body)
		}
	})...)
	list = append(list, both("html-200", wantHTML(200))...)
	list = append(list, both("html-502", wantHTML(502))...)
	list = append(list, both("empty-200", func(t *testing.T, service string, a answer) {
		if a.status != 200 || a.err != nil || len(a.body) > 0 || strings.Contains(a.header.Get("Content-Type"), "html") {
			t.Errorf("%s: %d %v %q", service, a.status, a.err, a.body)
		}
	})...)
	list = append(list, both("reset-headers", wantCut(syscall.ECONNRESET))...)
	list = append(list, both("eof-headers", wantCut(io.EOF))...)
	list = append(list, both("reset-midstream", wantCut(syscall.ECONNRESET))...)
	list = append(list, both("eof-midstream", wantCut(io.ErrUnexpectedEOF))...)
	list = append(list, both("end-midstream", wantCut(nil))...)
	list = append(list, both("gzip", func(t *testing.T, service string, a answer) {
		z, err := gzip.NewReader(bytes.NewReader(a.body))
		if err != nil || a.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v %v", service, err, a.header)
			return
		}
		if text, err := io.ReadAll(z); err != nil || !bytes.Contains(text, []byte("one")) {
			t.Errorf("%s: %v %q", service, err, text)
		}
	})...)
	return append(list, both("no-usage", func(t *testing.T, service string, a answer) {
		if bytes.Contains(a.body, []byte("output_tokens")) || bytes.Contains(a.body, []byte("completion_tokens")) || bytes.Contains(a.body, []byte("TokenCount")) || bytes.Contains(a.body, []byte("outputTokens")) {
			t.Errorf("%s: %s", service, a.body)
		}
	})...)
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func wantHTML(status int) func(*testing.T, string, answer) {
	return func(t *testing.T, service string, a answer) {
		if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !bytes.HasPrefix(a.body, []byte("<!DOCTYPE")) {
			t.Errorf("%s: %d %v %q", service, a.status, a.header, a.body)
		}
	}
}

// hanging are the faults that TestHangs and TestEndless look at.
var hanging = map[string]bool{"hang-headers": true, "hang-midstream": true, "infinite": true, "infinite-line": true, "fail-first": true, "every": true}

func TestFaults(t *testing.T) {
	w := start(t, mock.Options{})
	tested := map[string]bool{}
	for _, tt := range faultTests() {
		for spec := range strings.SplitSeq(tt.fault, ",") {
			name, _, _ := strings.Cut(spec, "=")
			tested[name] = true
		}
		for _, service := range services {
			t.Run(service+"/"+tt.fault, func(t *testing.T) {
				tt.check(t, service, w.chat(service, goodModel(service), "Say one two three four", tt.stream, mock.FaultHeader+": "+tt.fault))
			})
		}
	}
	for _, f := range mock.Faults() {
		if !tested[f.Name] && !hanging[f.Name] {
			t.Errorf("fault %s has no test", f.Name)
		}
	}
}

func TestFaultByModelAndKey(t *testing.T) {
	w := start(t, mock.Options{StrictModels: true})
	for _, service := range services {
		if a := w.chat(service, "fault-503=3", "hi", false); a.status != 503 || a.header.Get("Retry-After") != "3" {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
		if a := w.chat(service, "fault-sse-bom,sse-comment", "Say one two three four", true); a.status != 200 {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		} else {
			wantText(": keep-alive")(t, service, a)
		}
		if a := w.chat(service, "fault-nothing", "hi", false); a.status != 400 || !bytes.Contains(a.body, []byte("/mock/faults")) {
			t.Errorf("%s: %d %s", service, a.status, a.body)
		}
	}
}

func TestCountedFaults(t *testing.T) {
	w := start(t, mock.Options{})
	statuses := func(model, counter string, n int) []int {
		var list []int
		for range n {
			list = append(list, w.chat("openai", model, "hi", false, mock.CounterHeader+": "+counter).status)
		}
		return list
	}
	tests := []struct {
		model string
		want  []int
	}{
		{"fault-fail-first=2", []int{503, 503, 200, 200}},
		{"fault-fail-first=1:429=4", []int{429, 200, 200, 200}},
		{"fault-every=2:500", []int{200, 500, 200, 500}},
		{"fault-every=0", []int{400, 400, 400, 400}},
		{"fault-fail-first=1:every=1", []int{400, 400, 400, 400}},
	}
	for _, tt := range tests {
		for _, counter := range []string{"a", "b"} {
			if got := statuses(tt.model, counter, 4); !equal(got, tt.want) {
				t.Errorf("%s %s: %v, want %v", tt.model, counter, got, tt.want)
			}
		}
	}
	w.mock.Reset()
	if got := statuses("fault-fail-first=2", "a", 3); !equal(got, []int{503, 503, 200}) {
		t.Errorf("after a reset: %v", got)
	}
}

func equal(a, b []int) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// TestHangs reads what comes and then leaves: the server must notice.
func TestHangs(t *testing.T) {
	w := start(t, mock.Options{})
	aborted := int64(0)
	for _, fault := range []string{"hang-headers", "hang-midstream", "hang-midstream=0", "infinite", "infinite-line"} {
		for _, service := range services {
			for _, stream := range []bool{false, true} {
				got := w.leave(fault, service, stream)
				if fault == "hang-headers" && got > 0 || strings.HasPrefix(fault, "infinite") && got < 1<<20 {
					t.Errorf("%s %s %v: %d bytes", service, fault, stream, got)
				}
				aborted++
			}
		}
	}
	w.waitFor(func(s mock.Stats) bool { return s.Open == 0 && s.Aborted == aborted })
}

// leave asks for a fault and goes away: after 1 MiB, or as soon as the answer has begun and
// nothing more comes at once. It tells how many bytes came.
func (w *world) leave(fault, service string, stream bool) int {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	model := goodModel(service)
	req := w.newRequest(http.MethodPost, chatPath(service, model, stream), chatBody(service, model, "Say one two three four", stream), mock.FaultHeader+": "+fault).WithContext(ctx)
	if fault == "hang-headers" {
		before := w.mock.Stats().Requests
		go func() {
			w.waitFor(func(s mock.Stats) bool { return s.Requests > before })
			cancel()
		}()
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if strings.HasPrefix(fault, "infinite") {
		n, _ := io.CopyN(io.Discard, res.Body, 1<<20)
		return int(n)
	}
	if fault == "hang-midstream=0" {
		return 0
	}
	n, _ := res.Body.Read(make([]byte, 4096))
	return n
}

// waitFor polls the counters until they are right; the server counts after the client has
// moved on.
func (w *world) waitFor(right func(mock.Stats) bool) {
	w.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for !right(w.mock.Stats()) {
		select {
		case <-tick.C:
		case <-deadline.C:
			s := w.mock.Stats()
			w.Errorf("the counters never came right: %d requests, %d open, %d aborted", s.Requests, s.Open, s.Aborted)
			return
		}
	}
}

// TestCloseEndsHangs is why users of Handler call Close.
func TestCloseEndsHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mock.New(mock.Options{Now: fixedTime})
		done := make(chan struct{})
		go func() {
			defer close(done)
			req := httptest.NewRequest(http.MethodPost, chatPath("openai", "", true), strings.NewReader(chatBody("openai", "fault-hang-midstream", "hi", true)))
			s.Handler().ServeHTTP(httptest.NewRecorder(), req)
		}()
		synctest.Wait()
		s.Close()
		<-done
	})
}

// TestPace checks Latency, TokenDelay, delay and slow by a clock that only they move.
func TestPace(t *testing.T) {
	o := mock.Options{Now: fixedTime, Latency: time.Second, TokenDelay: 10 * time.Millisecond}
	tests := []struct {
		fault string
		want  time.Duration
	}{
		{"", time.Second + 7*10*time.Millisecond}, // role, 4 tokens, finish, usage, [DONE]: 8 events
		{"delay=500", 1500*time.Millisecond + 70*time.Millisecond},
		{"slow=100,end-midstream=1", 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			req := httptest.NewRequest(http.MethodPost, chatPath("openai", "", true), strings.NewReader(chatBody("openai", "m", "Say one two three four", true)))
			req.Header.Set(mock.FaultHeader, tt.fault)
			rec := httptest.NewRecorder()
			mock.New(o).Handler().ServeHTTP(rec, req)
			if tt.want == 0 {
				tt.want = time.Second + time.Duration(rec.Body.Len())*time.Second/100
			}
			if got := time.Since(begin); got != tt.want {
				t.Errorf("%q took %v, want %v", tt.fault, got, tt.want)
			}
		})
	}
}

// TestDocumented checks that docs/mock.md has the catalog's table.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/mock.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range mock.Faults() {
		row := "| `" + f.Name + "` | " + f.Arg + " | " + f.Effect + " |"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/mock.md lacks the row\n%s", row)
		}
	}
}

func TestListing(t *testing.T) {
	w := start(t, mock.Options{})
	var list []mock.Fault
	if err := json.Unmarshal(w.get("/mock/faults").body, &list); err != nil || len(list) != len(mock.Faults()) {
		t.Errorf("%d faults, %v", len(list), err)
	}
}
